"""From the gateway's answers to facts; no input or output, no clock.

A catalogue row's `source` is the name of a fact. Of the gateway as a whole, with `<meter>` one of `production`,
`net`, `total`, each also as `<meter>.<phase>` (1 to 3) where the gateway measures phases:

- `<meter>.power` W, signed as the gateway does (net: + import, - export)
- `<meter>.lifetimeEnergy` Wh (net: import minus export, may fall)
- `net.importPower`, `net.exportPower` W, never negative
- `net.importIndex`, `net.exportIndex` Wh, meter indexes since commissioning
- `grid.voltage`, `grid.<phase>.voltage` V, phase to neutral; without phase their mean

Of an inverter: `power`, `maxPower` W, `lastReport` Unix time.

Sections are found by `type`, `measurementType` and `eid`, never by position. What an answer lacks is not in the
facts; zero is a value.
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


@dataclass(frozen=True)
class Meter:
    """An enabled meter: `kind` is its measurementType, `phases` how many of its three channels are wired."""

    eid: int
    kind: str
    phases: int


def firmware(software: str) -> tuple[int, ...]:
    """`D8.2.4264` as numbers that compare."""
    return tuple(int(part) for part in re.findall(r"\d+", software))


def meters(answer: Any) -> list[Meter]:
    """The enabled meters of /ivp/meters."""
    found = []
    for entry in _entries(answer):
        eid, phases = entry.get("eid"), entry.get("phaseCount")
        if entry.get("state") != "enabled" or not isinstance(eid, int):
            continue
        count = phases if isinstance(phases, int) and 1 <= phases <= 3 else 1
        found.append(Meter(eid, str(entry.get("measurementType")), count))
    return found


def from_readings(known: Iterable[Meter], answer: Any) -> Facts:
    """/ivp/meters/readings, of the meters that /ivp/meters has enabled."""
    by_eid = {entry.get("eid"): entry for entry in _entries(answer)}
    facts: Facts = {}
    for meter in known:
        reading = by_eid.get(meter.eid)
        name = _NAMES.get(meter.kind)
        if reading is None or name is None:
            continue
        for prefix, part in _sections(name, reading, meter.phases):
            _read(facts, prefix, meter.kind, part, meter.phases if part is reading else 1)
    return derived(facts)


_NAMES = {"production": "production", "net-consumption": "net", "total-consumption": "total"}
_CHANNEL = 0x10


def _sections(name: str, reading: Mapping[str, Any], phases: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield name, reading
    if phases == 1:
        # One phase: its figures are the meter's, and the other channels carry noise.
        yield f"{name}.1", reading
        return
    for channel in _entries(reading.get("channels")):
        eid = channel.get("eid")
        # The low byte of a channel's eid is 0x11, 0x12, 0x13 for L1, L2, L3.
        phase = (eid & 0xFF) - _CHANNEL if isinstance(eid, int) else 0
        if 1 <= phase <= phases:
            yield f"{name}.{phase}", channel


def _read(facts: Facts, prefix: str, kind: str, part: Mapping[str, Any], phases: int) -> None:
    _put(facts, f"{prefix}.power", _number(part, "activePower"))
    delivered, received = _number(part, "actEnergyDlvd"), _number(part, "actEnergyRcvd")
    if kind == "net-consumption":
        # A lifetime index of zero is a meter that has not loaded its data yet.
        _put(facts, f"{prefix}.importIndex", delivered or None)
        _put(facts, f"{prefix}.exportIndex", received)
    else:
        _put(facts, f"{prefix}.lifetimeEnergy", delivered or None)
    voltage = _number(part, "voltage")
    if voltage is not None:
        # At meter level the voltage is the sum of the wired phases.
        _put(facts, f"{prefix}.voltage", voltage / phases)


def derived(facts: Facts) -> Facts:
    """Adds what follows from the rest: consumption from net or net from consumption, import, export, voltage."""
    for suffix in ("", ".1", ".2", ".3"):
        production = facts.get(f"production{suffix}.power")
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


def from_production(answer: Any, everything: bool) -> Facts:
    """/production.json?details=1: lifetime totals, and with `everything` (no usable readings) powers as well."""
    facts: Facts = {}
    for name, entry in _metered(answer):
        lines = [line for line in _entries(entry.get("lines")) if any(line.values())]
        wired = max(1, len(lines))
        for suffix, part in [("", entry), *((f".{number}", line) for number, line in enumerate(lines[:3], 1))]:
            prefix = name + suffix
            _put(facts, f"{prefix}.lifetimeEnergy", _number(part, "whLifetime") or None)
            if everything:
                _put(facts, f"{prefix}.power", _number(part, "wNow"))
                voltage = _number(part, "rmsVoltage")
                if voltage is not None:
                    facts[f"{prefix}.voltage"] = voltage / (1 if suffix else wired)
        if not lines:
            for key in [key for key in facts if key.startswith(f"{name}.") and key.count(".") == 1]:
                facts[key.replace(f"{name}.", f"{name}.1.")] = facts[key]
    return derived(facts) if everything else facts


def _metered(answer: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The entries with enabled CTs: without, they are there with rubbish and `activeCount` 0."""
    content = answer if isinstance(answer, Mapping) else {}
    for part in ("production", "consumption"):
        for entry in _entries(content.get(part)):
            name = _NAMES.get(str(entry.get("measurementType")))
            if entry.get("type") == "eim" and name is not None and _number(entry, "activeCount"):
                yield name, entry


def from_summary(answer: Any) -> Facts:
    """/api/v1/production of a gateway without production CTs; empty when it holds nothing."""
    content = answer if isinstance(answer, Mapping) else {}
    energies = [_number(content, f"wattHours{span}") for span in ("Today", "SevenDays", "Lifetime")]
    facts: Facts = {}
    if any(energies):
        _put(facts, "production.power", _number(content, "wattsNow"))
        _put(facts, "production.lifetimeEnergy", energies[2] or None)
    return facts


def from_inverter_total(answer: Any) -> Facts:
    """/production.json: the sum that the inverters report, for gateways whose summary is frozen or empty."""
    content = answer if isinstance(answer, Mapping) else {}
    facts: Facts = {}
    for entry in _entries(content.get("production")):
        if entry.get("type") == "inverters" and _number(entry, "activeCount"):
            _put(facts, "production.power", _number(entry, "wNow"))
            _put(facts, "production.lifetimeEnergy", _number(entry, "whLifetime") or None)
    return facts


def inverters(answer: Any, now: float) -> dict[str, Facts]:
    """/api/v1/production/inverters by serial number; AC batteries (devType 11) are no inverters.

    `now` is the gateway's Unix time.
    """
    found: dict[str, Facts] = {}
    for entry in _entries(answer):
        serial = str(entry.get("serialNumber") or "")
        if not serial or entry.get("devType", 1) != 1:
            continue
        facts: Facts = {}
        reported = _number(entry, "lastReportDate")
        asleep = reported is not None and now - reported > STALE_INVERTER
        _put(facts, "power", 0.0 if asleep else _number(entry, "lastReportWatts"))
        _put(facts, "maxPower", _number(entry, "maxReportWatts"))
        _put(facts, "lastReport", reported)
        found[serial] = facts
    return found


def _entries(answer: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in answer if isinstance(entry, Mapping)] if isinstance(answer, list) else []


def _number(part: Mapping[str, Any], key: str) -> float | None:
    value = part.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    number = float(value)
    return number if abs(number) < 1e15 else None


def _put(facts: Facts, name: str, value: float | None) -> None:
    if value is not None:
        facts[name] = value
