"""What the same house would have paid under other contracts, and what charging a car has cost.

Pure. Energies in kWh, money in €. Contracts are compared by what was really drawn from the grid in each interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..balance import Charge, charge
from ..ledger.row import Interval
from .contract import HouseContract

COMPARED = ("base", "hphc", "tempo", "ejp")
LARGEST = 1e10
"""No moment or energy that is kept is as large."""


@dataclass
class Bill:
    """A contract over a period. `unpriced`: kWh whose price is not known (a colour, a grid of prices)."""

    kind: str
    energy: float = 0.0
    cost: float = 0.0
    unpriced: float = 0.0
    periods: dict[str, float] = field(default_factory=dict)
    """kWh by period of the tariff."""

    @property
    def whole(self) -> bool:
        """Whether everything had a price: only then is its cost one to compare."""
        return self.energy > 0 and self.unpriced <= 0.005 * self.energy


def compare(intervals: Iterable[Interval], contract: HouseContract, kinds: Iterable[str] = COMPARED) -> list[Bill]:
    """The bills of the same draws under each contract, without subscriptions."""
    bills = {kind: Bill(kind) for kind in kinds}
    for each in intervals:
        drawn = (each.known("i") or 0.0) / 1000
        if drawn <= 0:
            continue
        middle = each.start + 150.0
        for kind, bill in bills.items():
            bill.energy += drawn
            tariff = contract.tariff(middle, kind)
            period = tariff.period(middle) if tariff is not None else None
            price = tariff.prices.get(period) if tariff is not None and period is not None else None
            if price is None:
                bill.unpriced += drawn
            else:
                bill.cost += drawn * price
                bill.periods[str(period)] = bill.periods.get(str(period), 0.0) + drawn
    return list(bills.values())


def session(intervals: Iterable[Interval], charger: str, others: Iterable[str] = ()) -> Charge:
    """The charge of a car over intervals: it takes what is left after the house and the chargers served before it.

    `charger`: equipment id; `others`: chargers that come after it in the user's order. An interval in which the house
    is not known counts as drawn from the grid: the sun is not claimed where it was not measured.
    """
    later = list(others)
    solar = battery = grid = paid = effective = unknown = 0.0
    for each in intervals:
        car = each.devices.get(charger, 0.0) / 1000
        if car <= 0:
            continue
        price, resale = each.price or 0.0, each.resale or 0.0
        energies = each.energies()
        if energies is None:
            grid, paid, effective, unknown = grid + car, paid + car * price, effective + car * price, unknown + car
            continue
        after = sum(max(each.devices.get(other, 0.0), 0.0) for other in later) / 1000
        before = max(energies.house - car - after, 0.0)
        part = charge(car, before, energies.solar, energies.discharged, price, resale)
        solar, battery, grid = solar + part.solar, battery + part.battery, grid + part.grid
        paid, effective = paid + part.paid, effective + part.effective
    return Charge(solar, battery, grid, paid, effective, unknown)


KEPT_SESSIONS = 12
"""Of each charger that are over."""
LEAST_SESSION_WH = 50.0
"""A charge that took less is none."""


@dataclass
class Sessions:
    """When each charger's session began: the energy of a session falls back when another one begins.

    `open`: by charger, [beginning in Unix time, newest Wh of the session, when it last grew]. `over`: by charger,
    [beginning, end, Wh] of those that have ended, the oldest first. A restart continues them.
    """

    open: dict[str, list[float]] = field(default_factory=dict)
    over: dict[str, list[list[float]]] = field(default_factory=dict)

    def update(self, charger: str, energy: float, now: float) -> tuple[float, float] | None:
        """Takes a reading of a session's energy (Wh); returns (begin, end) of the one that has ended with it."""
        known = self.open.get(charger)
        if known is None:
            self.open[charger] = [now, energy, now]
            return None
        begin, before, grown = known
        if energy < before - LEAST_SESSION_WH and energy < 0.9 * before:
            self.open[charger] = [now, energy, now]
            if before <= LEAST_SESSION_WH:
                return None
            self.over[charger] = [*self.over.get(charger, []), [begin, grown, before]][-KEPT_SESSIONS:]
            return (begin, now)
        known[1:] = [energy, now if energy > before else grown]
        return None

    def begun(self, charger: str) -> float | None:
        """When the running session began."""
        known = self.open.get(charger)
        return known[0] if known is not None and known[1] > LEAST_SESSION_WH else None

    def last(self, charger: str) -> list[list[float]]:
        """[beginning, when it last grew, Wh] of the newest sessions, the running one first."""
        begun, known = self.begun(charger), self.open.get(charger)
        running = [[begun, known[2], known[1]]] if begun is not None and known is not None else []
        return [*running, *self.over.get(charger, [])[::-1]]

    def state(self) -> dict[str, object]:
        """As JSON takes it."""
        return {"open": self.open, "over": self.over}

    def restore(self, kept: object) -> None:
        """From `state()`, or from `open` alone as it was kept before; anything else is left out."""
        state = kept if isinstance(kept, Mapping) else {}
        opened = state["open"] if isinstance(state.get("open"), Mapping) else state
        for name, numbers in opened.items():
            if _are_numbers(numbers, 2) or _are_numbers(numbers, 3):
                begin, energy, *grown = map(float, numbers)
                self.open[str(name)] = [begin, energy, grown[0] if grown else begin]
        over = state.get("over")
        for name, rows in over.items() if isinstance(over, Mapping) else ():
            if isinstance(rows, list):
                sound = [[float(each) for each in row] for row in rows if _are_numbers(row, 3)]
                self.over[str(name)] = sound[-KEPT_SESSIONS:]


def _are_numbers(found: object, count: int) -> bool:
    """Whether it is a list of so many figures that a moment or an energy can be."""
    return (
        isinstance(found, list)
        and len(found) == count
        and all(isinstance(each, (int, float)) and abs(each) < LARGEST for each in found)
    )
