"""Inverters over the day: their energy, estimated where the firmware has no figure, and their groups.

Pure: the time is handed in. Energies in Wh, moments in Unix time by the gateway's clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from ...base import Equipment
from .mapping import Facts

MAX_REPORT_SPAN_S = 1800.0
"""Seconds that one report stands for at most, however long nothing came before."""
FIRST_REPORT_SPAN_S = 900.0
"""Seconds that the first report stands for."""
WEAK_SHARE_OF_MEAN = 0.9
"""Of the group's mean: an inverter below has a problem."""
MIN_MEAN_WH = 100.0
"""Wh below which a day says nothing: snow, or a gateway that was off."""


class InverterEnergies:
    """Today's energy of each inverter out of its reports."""

    def __init__(self, kept: Mapping[str, Any] | None = None) -> None:
        """`kept`: what `state` returned before a restart."""
        self._days: dict[str, dict[str, Any]] = {serial: dict(each) for serial, each in (kept or {}).items()}

    def read(self, serial: str, facts: Mapping[str, Any], now: float, zone: tzinfo) -> float | None:
        """Takes an inverter's facts in; returns its energy since midnight."""
        power, reported = facts.get("meanPower"), facts.get("reported")
        today = _day(now, zone)
        known = self._days.setdefault(serial, {"day": today, "energy": 0.0, "last": None})
        if known["day"] != today:
            known["day"], known["energy"] = today, 0.0
        last = known["last"]
        if power is not None and reported is not None and reported != last:
            if (last is None or reported > last) and _day(reported, zone) == today:
                span = FIRST_REPORT_SPAN_S if last is None else min(reported - last, MAX_REPORT_SPAN_S)
                known["energy"] += max(0.0, power) * span / 3600
            known["last"] = reported
        return float(known["energy"])

    def last_report(self, serial: str) -> float:
        """When an inverter has last reported; minus infinity if never."""
        last = self._days.get(serial, {}).get("last")
        return float(last) if isinstance(last, (int, float)) else float("-inf")

    def state(self) -> dict[str, Any]:
        """What must survive a restart."""
        return self._days


@dataclass
class Member:
    """One inverter of a group; `energy`: today's in Wh, None when nothing is known of it."""

    name: str
    power: float | None = None
    most: float | None = None
    energy: float | None = None
    silent: bool = True


@dataclass(frozen=True)
class Verdict:
    """The daily report on a group: `weak` and `silent` are (name, Wh); `alarm` None: the day says nothing."""

    alarm: bool | None
    mean: float
    weak: Sequence[tuple[str, float]] = field(default=())
    silent: Sequence[str] = field(default=())


def same_group(one: str, other: str) -> bool:
    """Whether two names, as typed by the user in two places, mean the same group."""
    return bool(one.strip()) and " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def grouped(group: Equipment, inverters: Sequence[Equipment]) -> list[Equipment]:
    """The inverters of a group."""
    return [each for each in inverters if same_group(str(each.config.get("group", "")), group.key)]


def members(
    group: Equipment, inverters: Sequence[Equipment], known: Mapping[str, Facts], midnight: float
) -> list[Member]:
    """The inverters of a group with what is known of them."""
    found = []
    for each in grouped(group, inverters):
        facts = known.get(each.key, {})
        wanted = "gatewayEnergy" if each.config.get("energySource") == "gateway" else "estimatedEnergy"
        energy = facts.get(wanted, facts.get("estimatedEnergy"))
        silent = (facts.get("reported") or 0.0) < midnight
        found.append(Member(each.name or each.key, facts.get("power"), facts.get("maxPower"), energy, silent))
    return found


def sums(group: Sequence[Member]) -> Facts:
    """A group's facts: `power`, `maxPower`, `energy`."""
    facts: Facts = {}
    for name, values in (
        ("power", [each.power for each in group]),
        ("maxPower", [each.most for each in group]),
        ("energy", [each.energy for each in group]),
    ):
        present = [value for value in values if value is not None]
        if present:
            facts[name] = sum(present)
    return facts


def verdict(group: Sequence[Member]) -> Verdict:
    """Compares each inverter of a group with its mean."""
    heard = [(each.name, each.energy) for each in group if not each.silent and each.energy is not None]
    silent = [each.name for each in group if each.silent or each.energy is None]
    if not heard:
        return Verdict(None, 0.0)
    mean = sum(energy for _, energy in heard) / len(heard)
    if mean < MIN_MEAN_WH or len(group) < 2:
        return Verdict(None, mean)
    weak = [(name, energy) for name, energy in heard if len(heard) > 1 and energy < WEAK_SHARE_OF_MEAN * mean]
    return Verdict(bool(weak or silent), mean, weak, silent)


def _day(moment: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(moment, zone).date().isoformat()
