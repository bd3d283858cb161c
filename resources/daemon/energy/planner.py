"""When to charge so that a goal is met for the least money: quarters of an hour by price, and always an answer.

Pure. Energies in kWh, powers in kW, prices in €/kWh, moments in Unix time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

SLOT_S = 900
MAX_AHEAD_S = 8 * 86400.0
"""A plan looks no further: a weekly goal is within, and each quarter of an hour costs work."""
LEAST_MARGIN_S, MARGIN_SHARE = 900.0, 0.10
"""Time beyond what the energy needs: a quarter of an hour, or a tenth."""
EFFICIENCY = 0.92
"""Of the power that a limit allows, until a charger's own is known."""

Price = Callable[[float], "float | None"]


@dataclass(frozen=True)
class Slot:
    """A quarter of an hour. `consent`: it may only be used if the user has agreed (red peak hours)."""

    begin: float
    end: float
    price: float
    consent: bool = False


@dataclass(frozen=True)
class Plan:
    """Slots to charge in, in the order of time.

    `energy`: kWh that they give; `missing`: kWh that cannot be had in time without consent; `cost`: € of what is
    needed; `with_consent`: € if the missing energy were taken in the slots that need it, None if nothing is missing.
    """

    slots: tuple[Slot, ...]
    energy: float
    missing: float
    cost: float
    with_consent: float | None = None

    @property
    def at_risk(self) -> bool:
        """Whether the goal cannot be met."""
        return self.missing > 0.01

    def runs(self, now: float) -> bool:
        """Whether it must charge now."""
        return any(slot.begin <= now < slot.end for slot in self.slots)

    def blocks(self) -> list[tuple[float, float]]:
        """(begin, end) of each uninterrupted block."""
        found: list[tuple[float, float]] = []
        for slot in self.slots:
            if found and found[-1][1] == slot.begin:
                found[-1] = (found[-1][0], slot.end)
            else:
                found.append((slot.begin, slot.end))
        return found


def plan(
    need: float,
    now: float,
    by: float,
    power: float,
    price: Price,
    needs_consent: Callable[[float], bool] = lambda at: False,
    consent: bool = False,
    expected: float = 1.0,
) -> Plan:
    """The cheapest quarters of an hour in which `need` kWh can be charged at `power` kW until `by`.

    Of equally cheap ones the fewest blocks, then the earliest: the margin against surprises is behind, not before.
    `expected`: the price that a moment without a known one is taken for.
    """
    slots = _slots(now, by, price, needs_consent, expected)
    usable = [slot for slot in slots if consent or not slot.consent]
    hours = need / power if power > 0 else math.inf
    margin_h = max(LEAST_MARGIN_S / 3600, MARGIN_SHARE * hours)
    wanted = _count(hours + margin_h)
    if wanted > len(usable):
        wanted = _count(hours)  # the margin goes before anything that needs consent, or before the goal
    chosen = _cheapest(usable, wanted)
    while (given := sum(_energy(slot, power) for slot in chosen)) < need and len(chosen) < len(usable):
        chosen = _cheapest(usable, len(chosen) + 1)  # the first and the last slot may be short ones
    missing = max(0.0, need - given)
    with_consent = None
    if missing > 0 and not consent and any(slot.consent for slot in slots):
        more = sorted((slot for slot in slots if slot.consent), key=lambda slot: (slot.price, slot.begin))
        with_consent = _cost([*chosen, *more], need, power)
    return Plan(tuple(chosen), given, missing, _cost(chosen, need, power), with_consent)


def _slots(now: float, by: float, price: Price, needs_consent: Callable[[float], bool], expected: float) -> list[Slot]:
    found = []
    begin, by = now, min(by, now + MAX_AHEAD_S)
    while begin < by:
        end = min((begin // SLOT_S + 1) * SLOT_S, by)
        known = price(begin)
        found.append(Slot(begin, end, expected if known is None else known, needs_consent(begin)))
        begin = end
    return found


def _count(hours: float) -> int:
    return math.ceil(hours * 3600 / SLOT_S - 1e-9) if math.isfinite(hours) else 10**9


def _energy(slot: Slot, power: float) -> float:
    return power * (slot.end - slot.begin) / 3600


def _cost(slots: Sequence[Slot], need: float, power: float) -> float:
    total, left = 0.0, need
    for slot in sorted(slots, key=lambda slot: slot.price):
        taken = min(left, _energy(slot, power))
        total, left = total + taken * slot.price, left - taken
    return total


def _cheapest(slots: Sequence[Slot], wanted: int) -> list[Slot]:
    """The cheapest slots, in the order of time; at the last price those that make the fewest blocks, then the first."""
    if wanted >= len(slots):
        return list(slots)
    if wanted <= 0:
        return []
    last = sorted(slot.price for slot in slots)[wanted - 1]
    sure = [slot for slot in slots if slot.price < last]
    left = wanted - len(sure)
    options = [slot for slot in slots if slot.price == last]
    best = min(
        (options[first : first + left] for first in range(len(options) - left + 1)),
        key=lambda run: (_blocks([*sure, *run]), run[0].begin),
    )
    return sorted([*sure, *best], key=lambda slot: slot.begin)


def _blocks(slots: Sequence[Slot]) -> int:
    ordered = sorted(slots, key=lambda slot: slot.begin)
    return sum(1 for before, after in zip([None, *ordered], ordered) if before is None or before.end != after.begin)
