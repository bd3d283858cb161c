"""Energy of each inverter over the day, estimated if the firmware has no figure, and comparison within groups.

Pure: the time is handed in. Energies in Wh, times in Unix time by the gateway's clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from ...base import Equipment
from .mapping import Facts

MAX_REPORT_SPAN_S = 1800.0
"""Longest time that one report stands for, in seconds."""
FIRST_REPORT_SPAN_S = 900.0
"""Time that the first report of a day stands for, in seconds."""
WEAK_SHARE_OF_MEAN = 0.9
"""Share of the group's mean below which an inverter has a problem."""
MIN_MEAN_WH = 100.0
"""Mean in Wh below which a day is not judged: snow, or the gateway was off."""


class InverterEnergies:
    """Estimates today's energy of each inverter from its reports."""

    def __init__(self, kept: Mapping[str, Any] | None = None) -> None:
        """`kept`: from `state`, before a restart."""
        self._days: dict[str, dict[str, Any]] = {serial: dict(each) for serial, each in (kept or {}).items()}

    def read(self, serial: str, facts: Mapping[str, Any], now: float, zone: tzinfo) -> float | None:
        """Takes an inverter's facts; returns its energy since midnight in Wh."""
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
        """Unix time of an inverter's last report; minus infinity if none."""
        last = self._days.get(serial, {}).get("last")
        return float(last) if isinstance(last, (int, float)) else float("-inf")

    def state(self) -> dict[str, Any]:
        """State to persist."""
        return self._days


@dataclass
class Member:
    """One inverter of a group; `energy`: today's in Wh, None if unknown; powers in W."""

    name: str
    power: float | None = None
    most: float | None = None
    energy: float | None = None
    silent: bool = True


@dataclass(frozen=True)
class Verdict:
    """The daily report on a group: `weak` has (name, Wh), `silent` names; `alarm` is None if the day is not judged."""

    alarm: bool | None
    mean: float
    weak: Sequence[tuple[str, float]] = field(default=())
    silent: Sequence[str] = field(default=())


def same_group(one: str, other: str) -> bool:
    """True if two names, typed by the user in two places, mean the same group."""
    return bool(one.strip()) and " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def grouped(group: Equipment, inverters: Sequence[Equipment]) -> list[Equipment]:
    """The inverters of a group."""
    return [each for each in inverters if same_group(str(each.config.get("group", "")), group.key)]


def members(
    group: Equipment, inverters: Sequence[Equipment], known: Mapping[str, Facts], midnight: float
) -> list[Member]:
    """Returns the inverters of a group with their facts. `midnight`: Unix time."""
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
    """Compares each inverter of a group with the group's mean."""
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
