"""Checks an equipment's facts: indexes must follow, probes must measure, frames must be complete.

A téléinfo decoder returns zeros for a missed frame, with the meter's number (issues of Teleinfo-TIC-with-ESPhome, 2020,
and TeleinfoMySensors, 2022). Doubtful facts are left out: the last value keeps its date.

Pure: times are handed in, as Unix time in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from ..base import Equipment
from ..common.counter_guard import CounterGuards, Limits, Verdict
from ..common.numbers import finite
from ..common.sensor_guard import SensorGuard, SensorLimits
from . import tariff
from .tariff import Facts

METER_CONFIRM_S = 60.0
"""Seconds for which another meter's number must be read before the meter counts as replaced."""
TARIFF_CONFIRM_S = 300.0
"""The same for a contract that differs from the settings."""
_COUNTED = {"compteur": ("INDEX",), "pince": ("INDEX", "INJECT")}


class Kind(Enum):
    """What happened to a counter."""

    HELD = "held"
    RESTARTED = "restarted"
    REPLACED = "replaced"


@dataclass(frozen=True)
class News:
    """An event to report once. `name`: the fact; `value`, `last`: its new and previous value, in the page's unit."""

    kind: Kind
    name: str = ""
    value: float = 0.0
    last: float | None = None


@dataclass(frozen=True)
class Checked:
    """Plausible facts. `doubtful`: the same texts must be checked again, since time decides.

    `tariff`: the contract of the meter if it differs from the settings, else ''.
    """

    facts: Facts
    doubtful: bool = False
    news: tuple[News, ...] = ()
    tariff: str = ""


@dataclass
class _Since:
    """A value that must last before it is accepted: since which Unix time, in how many readings."""

    what: str
    since: float
    readings: int = 1


@dataclass
class _Meter:
    """State of one Teleinfo input."""

    number: str = ""
    other: _Since | None = None
    contract: _Since | None = None


class PlausibilityCheck:
    """Checks the facts of all equipment of one WES; persisted by `state`."""

    def __init__(self) -> None:
        self.restore(None)

    def restore(self, kept: Any) -> None:
        """Restores what `state` returned; anything else resets it."""
        state = _mapping(kept)
        self._counters = CounterGuards(state.get("counters"))
        self._meters = {str(key): _restored(each) for key, each in _mapping(state.get("meters")).items()}
        self._probes: dict[str, SensorGuard] = {}
        self._kept_probes = _mapping(state.get("probes"))

    def check(self, equipment: Equipment, facts: Facts, now: float) -> Checked:
        """Returns the plausible part of `facts`, which come from `mapping.facts`. `now`: Unix time in seconds."""
        if equipment.type == "teleinfo":
            return self._meter(equipment, facts, now)
        if equipment.type == "sonde":
            return self._probe(equipment, facts, now)
        if equipment.type in _COUNTED:
            return self._count(equipment, facts, _COUNTED[equipment.type], now)
        return Checked(facts)

    def state(self) -> dict[str, Any]:
        """State to persist, as JSON."""
        probes = {key: guard.last for key, guard in self._probes.items() if guard.last is not None}
        return {
            "counters": self._counters.state(),
            "meters": {key: asdict(meter) for key, meter in self._meters.items() if meter.number},
            "probes": {**self._kept_probes, **probes},
        }

    # Counters.

    def _count(self, equipment: Equipment, facts: Facts, names: Any, now: float, meter: str = "") -> Checked:
        shown, news = dict(facts), []
        doubtful = False
        limits = _limits(equipment.type)
        for name in names:
            value = finite(facts.get(name))
            if value is None:
                continue
            key = f"{equipment.type}{equipment.key} {name}"
            last = self._counters.last(key)
            reading = self._counters.read(key, value, now, limits, meter)
            if reading.value is None:
                del shown[name]
                doubtful = True
                if reading.news and last is not None:
                    news.append(News(Kind.HELD, name, value, last))
            else:
                shown[name] = facts[name] if reading.value == value else reading.value
                if reading.verdict is Verdict.RESTARTED:
                    news.append(News(Kind.RESTARTED, name, value, last))
        return Checked(shown, doubtful, tuple(news))

    # Meters.

    def _meter(self, equipment: Equipment, facts: Facts, now: float) -> Checked:
        meter = self._meters.setdefault(equipment.key, _Meter())
        if not facts:
            meter.other = None
            return Checked({})
        number = facts.get("ADCO") or meter.number  # corrupt bytes do not prove another meter
        news: list[News] = []
        if meter.number and number != meter.number:
            meter.other = _lasting(meter.other, number, now)
            if not _lasts(meter.other, now, METER_CONFIRM_S):
                return Checked({}, doubtful=True)
            news.append(News(Kind.REPLACED))
        meter.number, meter.other = number, None
        contract = tariff.tariff(facts.get("OPTARIF", ""), facts.get("PTEC", ""))
        setting = str(equipment.config.get("tarification", ""))
        found = tariff.in_force(facts, contract, setting)
        names = sorted(found.keys() & {*tariff.indexes(), "INJECTION"})
        judged = self._count(equipment, found, names, now, number)
        shown = judged.facts
        read = [name for name in names if name in tariff.indexes()]
        if judged.doubtful and self._blank(equipment, found, read, shown):
            shown = {}
        other, wait = self._other_contract(meter, contract, setting, now)
        return Checked(shown, judged.doubtful or wait, (*news, *judged.news), other)

    def _blank(self, equipment: Equipment, found: Facts, names: list[str], shown: Facts) -> bool:
        """True if the frame has only zeros: no index of a meter that has counted is left."""
        counted = any(self._counters.last(f"{equipment.type}{equipment.key} {name}") for name in names)
        return counted and not any(found[name] or name in shown for name in names)

    @staticmethod
    def _other_contract(meter: _Meter, contract: tariff.Tariff | None, setting: str, now: float) -> tuple[str, bool]:
        """Returns (contract of the meter if it differs from the setting, else ''; whether this is still in doubt)."""
        if contract is None or setting in ("", tariff.FROM_METER, contract.key):
            meter.contract = None
            return "", False
        meter.contract = _lasting(meter.contract, contract.key, now)
        sure = _lasts(meter.contract, now, TARIFF_CONFIRM_S)
        return contract.key if sure else "", not sure

    # Probes.

    def _probe(self, equipment: Equipment, facts: Facts, now: float) -> Checked:
        value = finite(facts.get("SONDE"))
        if value is None:
            return Checked({})
        measure = str(equipment.config.get("sondeMeasure", "temperature"))
        name = f"{equipment.key} {measure}"
        guard = self._probes.get(name)
        if guard is None:
            guard = self._probes[name] = SensorGuard(_probe_limits(measure))
            guard.last = finite(self._kept_probes.get(name))
        return Checked({} if guard.read(value, now) is None else facts)


def _restored(kept: Any) -> _Meter:
    meter, contract = _mapping(kept), _mapping(_mapping(kept).get("contract"))
    since, readings = finite(contract.get("since")), finite(contract.get("readings"))
    found = _Meter(str(meter.get("number") or ""))
    if since is not None and readings is not None:
        found.contract = _Since(str(contract.get("what")), since, int(readings))
    return found


def _limits(kind: str) -> Limits:
    rule = tariff.rules()["counters"][kind]
    return Limits(float(rule["perHour"]), float(rule["slack"]), float(rule.get("jitter", 0)))


def _probe_limits(measure: str) -> SensorLimits:
    rules = tariff.rules()["probes"]
    rule = rules.get(measure, rules["temperature"])
    return SensorLimits(rule["lowest"], rule["highest"], tuple(map(float, rule["markers"])), float(rule["near"]))


def _lasting(before: _Since | None, what: str, now: float) -> _Since:
    if before is None or before.what != what or now < before.since:
        return _Since(what, now)
    before.readings += 1
    return before


def _lasts(state: _Since, now: float, seconds: float) -> bool:
    return now - state.since >= seconds and state.readings > 1


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
