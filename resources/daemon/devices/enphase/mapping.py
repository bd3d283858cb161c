"""From the gateway's answers to facts; no input or output, no clock.

A catalogue row's `source` is the name of a fact. Of the gateway as a whole, with `<meter>` one of `production`,
`net`, `total`, each also as `<meter>.<phase>` (1 to 3) where the gateway measures phases:

- `<meter>.power` W, signed as the gateway does (net: + import, - export)
- `<meter>.lifetimeEnergy` Wh (net: import minus export, may fall)
- `net.importPower`, `net.exportPower` W, never negative
- `net.importIndex`, `net.exportIndex` Wh, meter indexes since commissioning
- `grid.voltage`, `grid.<phase>.voltage` V, phase to neutral; without phase their mean

Of an inverter: `power`, `maxPower` W, `lastReport` Unix time. `time` is when the meters measured, Unix time.

Sections are found by `type`, `measurementType` and `eid`, never by position. What an answer lacks is not in the
facts; zero is a value, but a section with nothing but zeros is a gateway that has not loaded its data yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Facts = dict[str, Any]

FROZEN_SUMMARY = (8, 2, 4264)
"""From this firmware on, /api/v1/production of metered hardware without enabled CTs no longer moves."""
STALE_INVERTER = 1800.0
"""Seconds after its last report at which an inverter sleeps: the last figure may stay above zero at night."""
STALE_SLOW_INVERTER = 7200.0
"""The same for one that was never seen to report more often than every half hour (a setting at Enphase)."""


@dataclass(frozen=True)
class Meter:
    """An enabled meter: `kind` is its measurementType, `phases` how many of its channels are wired (0: not told)."""

    eid: int
    kind: str
    phases: int


def firmware(software: str) -> tuple[int, ...]:
    """`D8.2.4264` as numbers that compare."""
    return tuple(int(part) for part in re.findall(r"[0-9]{1,9}", software))


def meters(answer: Any) -> list[Meter]:
    """The enabled meters of /ivp/meters that measure, one of each kind."""
    found: dict[str, Meter] = {}
    for entry in _entries(answer):
        eid, phases, kind = _integer(entry.get("eid")), _integer(entry.get("phaseCount")), entry.get("measurementType")
        if entry.get("state") != "enabled" or entry.get("meteringStatus") == "not-metering":
            continue
        if eid is not None and isinstance(kind, str):
            found.setdefault(kind, Meter(eid, kind, phases if phases in (1, 2, 3) else 0))
    return list(found.values())


def troubles(answer: Any) -> dict[str, str]:
    """What /ivp/meters complains of, by kind of meter, in the gateway's words."""
    found = {}
    for entry in _entries(answer):
        status, flags = entry.get("meteringStatus"), entry.get("statusFlags")
        if entry.get("state") == "enabled" and isinstance(status, str) and status != "normal":
            words = [status, *map(str, flags if isinstance(flags, list) else [])]
            found[str(entry.get("measurementType"))] = ", ".join(words)
    return found


def from_readings(known: Iterable[Meter], answer: Any) -> Facts:
    """/ivp/meters/readings, of the meters that /ivp/meters has enabled."""
    by_eid = {_integer(entry.get("eid")): entry for entry in _entries(answer)}
    facts: Facts = {}
    production_phases = 0
    for meter in known:
        reading = by_eid.get(meter.eid)
        name = _NAMES.get(meter.kind)
        if reading is None or name is None or not _loaded(reading, _READING):
            continue
        if name == "production":
            production_phases = meter.phases
        for prefix, part in _channels(name, reading, meter.phases):
            _read(facts, prefix, meter.kind, part, meter.phases if part is reading else 1)
        _put(facts, "time", max(_number(reading, "timestamp") or 0.0, facts.get("time", 0.0)) or None)
    return derived(facts, production_phases)


def unloaded(known: Iterable[Meter], answer: Any) -> bool:
    """Whether the readings are there but all zero, as in the first minutes after a boot."""
    wanted = {meter.eid for meter in known if meter.kind in _NAMES}
    found = [entry for entry in _entries(answer) if _integer(entry.get("eid")) in wanted]
    return bool(found) and not any(_loaded(entry, _READING) for entry in found)


_NAMES = {"production": "production", "net-consumption": "net", "total-consumption": "total"}
_READING = ("activePower", "actEnergyDlvd", "actEnergyRcvd", "voltage")
_ENTRY = ("wNow", "whLifetime", "rmsVoltage")
_SUFFIXES = ("", ".1", ".2", ".3")
_CHANNEL = 0x10


def _channels(name: str, reading: Mapping[str, Any], phases: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield name, reading
    if phases == 1:
        # One phase: its figures are the meter's, and the other channels carry noise.
        yield f"{name}.1", reading
        return
    # The low byte of a channel's eid is 0x11, 0x12, 0x13 for L1, L2, L3.
    by_phase = {
        ((_integer(each.get("eid")) or 0) & 0xFF) - _CHANNEL: each for each in _entries(reading.get("channels"))
    }
    for phase in range(1, phases + 1):
        if phase in by_phase:
            yield f"{name}.{phase}", by_phase[phase]


def _read(facts: Facts, prefix: str, kind: str, part: Mapping[str, Any], phases: int) -> None:
    _put(facts, f"{prefix}.power", _number(part, "activePower"))
    delivered, received = _number(part, "actEnergyDlvd"), _number(part, "actEnergyRcvd")
    if kind == "net-consumption":
        # A lifetime index of zero is a meter that has not loaded its data yet.
        _put(facts, f"{prefix}.importIndex", delivered or None)
        _put(facts, f"{prefix}.exportIndex", received)
    else:
        _put(facts, f"{prefix}.lifetimeEnergy", delivered or None)
    _put_voltage(facts, prefix, _number(part, "voltage"), phases)


def _put_voltage(facts: Facts, prefix: str, voltage: float | None, phases: int) -> None:
    # At meter level the voltage is the sum of the wired phases.
    if voltage is not None and phases:
        facts[f"{prefix}.voltage"] = voltage / phases


def derived(facts: Facts, production_phases: int = 0) -> Facts:
    """Adds what follows from the rest: consumption from net or net from consumption, import, export, voltage.

    `production_phases`: phases with panels, when that is known; the others produce nothing.
    """
    for phase, suffix in enumerate(_SUFFIXES):
        production = facts.get(f"production{suffix}.power")
        if production is None and 0 < production_phases < phase:
            production = 0.0
        net, total = facts.get(f"net{suffix}.power"), facts.get(f"total{suffix}.power")
        if net is not None and total is None and production is not None:
            total = facts[f"total{suffix}.power"] = net + production
        elif total is not None and net is None and production is not None:
            net = facts[f"net{suffix}.power"] = total - production
        if net is not None:
            facts[f"net{suffix}.importPower"] = max(net, 0.0)
            facts[f"net{suffix}.exportPower"] = max(-net, 0.0)
        for meter in ("net", "total", "production"):
            voltage = facts.pop(f"{meter}{suffix}.voltage", None)
            if voltage is not None:
                facts.setdefault(f"grid{suffix}.voltage", voltage)
    return facts


def from_production(answer: Any, known: Iterable[Meter], everything: bool) -> Facts:
    """/production.json?details=1: lifetime totals, and with `everything` (no usable readings) powers as well."""
    wired = _wired(known)
    facts: Facts = {}
    for name, entry in _metered(answer):
        lines = _lines(entry, wired.get(name, 0))
        for suffix, part in [("", entry), *lines]:
            prefix = name + suffix
            _put(facts, f"{prefix}.lifetimeEnergy", _number(part, "whLifetime") or None)
            if everything:
                _put(facts, f"{prefix}.power", _number(part, "wNow"))
                phases = 1 if suffix else wired.get(name, 0) or len(lines)
                _put_voltage(facts, prefix, _number(part, "rmsVoltage"), phases)
        if everything:
            _put(facts, "time", max(_number(entry, "readingTime") or 0.0, facts.get("time", 0.0)) or None)
    _mend_total(facts)
    return derived(facts, wired.get("production", 0)) if everything else facts


def _wired(known: Iterable[Meter]) -> dict[str, int]:
    """Phases by name; the page has net and total whichever of the two the one transformer measures."""
    found = {_NAMES[meter.kind]: meter.phases for meter in known if meter.kind in _NAMES}
    for one, other in (("net", "total"), ("total", "net")):
        if one in found:
            found.setdefault(other, found[one])
    return found


def _lines(entry: Mapping[str, Any], phases: int) -> list[tuple[str, Mapping[str, Any]]]:
    listed = entry.get("lines")
    found = [
        (f".{number}", line)
        for number, line in enumerate(listed[:3] if isinstance(listed, list) else [], 1)
        if isinstance(line, Mapping) and _loaded(line, _ENTRY) and (not phases or number <= phases)
    ]
    return found or ([(".1", entry)] if phases == 1 else [])


def _mend_total(facts: Facts) -> None:
    """Some firmware shows the net where the total belongs (8.3.5433 with a total-consumption transformer)."""
    for suffix in _SUFFIXES:
        for what in ("power", "lifetimeEnergy"):
            total, production = facts.get(f"total{suffix}.{what}"), facts.get(f"production{suffix}.{what}")
            if total is not None and production and total == facts.get(f"net{suffix}.{what}"):
                facts[f"total{suffix}.{what}"] = total + production


def _metered(answer: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The entries with enabled CTs: without, they are there with rubbish and `activeCount` 0."""
    content = answer if isinstance(answer, Mapping) else {}
    found: dict[str, Mapping[str, Any]] = {}
    for entry in [*_entries(content.get("production")), *_entries(content.get("consumption"))]:
        name = _NAMES.get(str(entry.get("measurementType")))
        if name is not None and entry.get("type") == "eim" and _number(entry, "activeCount"):
            found.setdefault(name, entry)
    return ((name, entry) for name, entry in found.items() if _loaded(entry, _ENTRY))


def from_summary(answer: Any) -> Facts:
    """/api/v1/production of a gateway without production CTs; empty when it holds nothing."""
    content = answer if isinstance(answer, Mapping) else {}
    facts: Facts = {}
    if _loaded(content, ("wattHoursToday", "wattHoursSevenDays", "wattHoursLifetime")):
        _put(facts, "production.power", _number(content, "wattsNow"))
        _put(facts, "production.lifetimeEnergy", _number(content, "wattHoursLifetime") or None)
    return facts


def from_inverter_total(answer: Any) -> Facts:
    """/production.json: the sum that the inverters report, for gateways whose summary is frozen or empty."""
    content = answer if isinstance(answer, Mapping) else {}
    facts: Facts = {}
    for entry in _entries(content.get("production")):
        if entry.get("type") == "inverters" and _number(entry, "activeCount") and _loaded(entry, _ENTRY):
            _put(facts, "production.power", _number(entry, "wNow"))
            _put(facts, "production.lifetimeEnergy", _number(entry, "whLifetime") or None)
    return facts


class Rhythms:
    """How often each inverter reports: every 5 to 15 min, or hourly when Enphase has set it so."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self._shortest: dict[str, float] = {}

    def patience(self, serial: str, reported: float) -> float:
        """Seconds for which a report of this inverter holds."""
        interval = reported - self._last.get(serial, reported)
        if interval > 0:
            self._shortest[serial] = min(interval, self._shortest.get(serial, interval))
        self._last[serial] = reported
        return STALE_SLOW_INVERTER if self._shortest.get(serial, 0.0) > STALE_INVERTER else STALE_INVERTER


def inverters(answer: Any, now: float, rhythms: Rhythms) -> dict[str, Facts]:
    """/api/v1/production/inverters by serial number; AC batteries (devType 11) are no inverters.

    `now` is Unix time by the gateway's clock.
    """
    found: dict[str, Facts] = {}
    for entry in _entries(answer):
        serial = entry.get("serialNumber")
        if not isinstance(serial, str) or not serial or entry.get("devType", 1) != 1:
            continue
        facts: Facts = {}
        power, reported = _number(entry, "lastReportWatts"), _number(entry, "lastReportDate")
        if power is not None and reported is not None and now - reported > rhythms.patience(serial, reported):
            power = 0.0
        _put(facts, "power", power)
        _put(facts, "maxPower", _number(entry, "maxReportWatts"))
        _put(facts, "lastReport", reported)
        found[serial] = facts
    return found


def _entries(answer: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in answer if isinstance(entry, Mapping)] if isinstance(answer, list) else []


def _loaded(part: Mapping[str, Any], keys: Iterable[str]) -> bool:
    return any(_number(part, key) for key in keys)


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(part: Mapping[str, Any], key: str) -> float | None:
    value = part.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e15:
        return None  # also what JSON allows for and no meter shows: NaN, Infinity, a thousand digits
    return float(value)


def _put(facts: Facts, name: str, value: float | None) -> None:
    if value is not None:
        facts[name] = value
