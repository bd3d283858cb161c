"""Maps the gateway's answers to facts; no input or output, no clock.

A catalogue row's `source` is the name of a fact. Of the gateway as a whole, with `<meter>` one of `production`,
`net`, `total`, each also as `<meter>.<phase>` (1 to 3) where the gateway measures phases:

- `<meter>.power` W, signed as the gateway does (net: + import, - export)
- `<meter>.lifetimeEnergy` Wh (net: import minus export, may fall)
- `net.importPower`, `net.exportPower` W, never negative
- `net.importIndex`, `net.exportIndex` Wh, meter indexes since commissioning; `production.standbyIndex` Wh, what the
  inverters draw at night
- `grid.voltage`, `grid.<phase>.voltage` V, phase to neutral; without phase their mean
- if a row needs them: `<meter>.apparentPower` VA and `<meter>.current` A (of the net signed like its power),
  `<meter>.reactivePower` var, `<meter>.powerFactor`, `<meter>.apparentEnergy` VAh, `<meter>.lagEnergy` and
  `<meter>.leadEnergy` varh since commissioning
- `<meter>.toldToday`, `<meter>.toldWeek`, `<meter>.toldLifetime` Wh: the gateway's own figures, often wrong
- `production.time` Unix time by the gateway's clock: the newest report in the inverters' total

`time` is the Unix time of the meters' measurement. Inverters: inverter_answers.py. Batteries: batteries.py.

Sections are found by `type`, `measurementType` and `eid`, never by position. Values missing in an answer are missing in
the facts. Zero is a value; but a section of zeros only, or an index of zero beside a power that would move it, comes
from a gateway that has not loaded its data yet.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Facts = dict[str, Any]

MOVES_INDEX_W = 5.0
"""W: a power that moves an index within seconds."""
STUCK_SUMMARY_FIRMWARE = (8, 2, 4264)
"""From this firmware on, /api/v1/production of metered hardware without enabled CTs is stuck."""


@dataclass(frozen=True)
class Meter:
    """An enabled meter: `kind` is its measurementType, `phases` the number of wired channels (0: unknown)."""

    eid: int
    kind: str
    phases: int


def firmware(software: str) -> tuple[int, ...]:
    """Converts `D8.2.4264` to a tuple of numbers that compare."""
    return tuple(int(part) for part in re.findall(r"[0-9]{1,9}", software))


def meters(answer: Any) -> list[Meter]:
    """Returns the enabled and measuring meters of /ivp/meters, one of each kind."""
    found: dict[str, Meter] = {}
    for entry in entries(answer):
        eid, phases, kind = _integer(entry.get("eid")), _integer(entry.get("phaseCount")), entry.get("measurementType")
        if entry.get("state") != "enabled" or entry.get("meteringStatus") == "not-metering":
            continue
        if eid is not None and isinstance(kind, str):
            found.setdefault(kind, Meter(eid, kind, phases if phases in (1, 2, 3) else 0))
    return list(found.values())


def troubles(answer: Any) -> dict[str, str]:
    """Returns the problems reported by /ivp/meters, by kind of meter, in the gateway's words."""
    found = {}
    for entry in entries(answer):
        status, flags = entry.get("meteringStatus"), entry.get("statusFlags")
        if entry.get("state") == "enabled" and isinstance(status, str) and status != "normal":
            words = [status, *map(str, flags if isinstance(flags, list) else [])]
            found[str(entry.get("measurementType"))] = ", ".join(words)
    return found


def from_readings(known: Sequence[Meter], answer: Any, wanted: Collection[str] = ()) -> Facts:
    """Facts of /ivp/meters/readings for the `known` meters. `wanted`: facts to read in addition."""
    by_eid = {_integer(entry.get("eid")): entry for entry in entries(answer)}
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
            if wanted:
                _read_extras(facts, prefix, part, _READING_EXTRAS, wanted)
        put(facts, "time", max(number(reading, "timestamp") or 0.0, facts.get("time", 0.0)) or None)
    if facts:
        _read_storage(facts, known, by_eid)
    return derived(facts, production_phases)


def _read_storage(facts: Facts, known: Sequence[Meter], by_eid: Mapping[int | None, Mapping[str, Any]]) -> None:
    """Adds the batteries' transformer, if there is one: + discharges."""
    for meter in known:
        reading = by_eid.get(meter.eid)
        if meter.kind == "storage" and reading is not None and _loaded(reading, _READING):
            put(facts, "storage.meterPower", number(reading, "activePower"))
            put(facts, "storage.dischargedIndex", number(reading, "actEnergyDlvd"))
            put(facts, "storage.chargedIndex", number(reading, "actEnergyRcvd"))


def unloaded(known: Iterable[Meter], answer: Any) -> bool:
    """True if there are readings, but all zero, as in the first minutes after a boot."""
    wanted = {meter.eid for meter in known if meter.kind in _NAMES}
    found = [entry for entry in entries(answer) if _integer(entry.get("eid")) in wanted]
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
    by_phase = {((_integer(each.get("eid")) or 0) & 0xFF) - _CHANNEL: each for each in entries(reading.get("channels"))}
    for phase in range(1, phases + 1):
        if phase in by_phase:
            yield f"{name}.{phase}", by_phase[phase]


def _read(facts: Facts, prefix: str, kind: str, part: Mapping[str, Any], phases: int) -> None:
    power = number(part, "activePower")
    put(facts, f"{prefix}.power", power)
    delivered, received = number(part, "actEnergyDlvd"), number(part, "actEnergyRcvd")
    if kind == "net-consumption":
        put(facts, f"{prefix}.importIndex", _counted(delivered, power))
        put(facts, f"{prefix}.exportIndex", _counted(received, None if power is None else -power))
    else:
        put(facts, f"{prefix}.lifetimeEnergy", _counted(delivered, power))
        if kind == "production":
            put(facts, f"{prefix}.standbyIndex", received)
    _put_voltage(facts, prefix, number(part, "voltage"), phases)


def _counted(index: float | None, power: float | None) -> float | None:
    """Returns an index, or None if it is not loaded yet: zero beside a power that would move it."""
    return None if index == 0 and power is not None and power > MOVES_INDEX_W else index


def _read_extras(
    facts: Facts, prefix: str, part: Mapping[str, Any], keys: Mapping[str, str], wanted: Collection[str]
) -> None:
    """Adds measures that are read on demand only. `keys`: names in the answer by fact."""
    power, apparent = number(part, keys["power"]), number(part, keys["apparentPower"])
    sign = -1.0 if prefix.startswith("net") and power is not None and power < 0 else 1.0
    found = {name: number(part, key) for name, key in keys.items() if f"{prefix}.{name}" in wanted}
    for name in ("apparentPower", "current"):
        value = found.get(name)
        if value is not None:
            found[name] = sign * abs(value) if prefix.startswith("net") else value
    factor = found.get("powerFactor")
    if factor is not None and abs(factor) > 1:
        # Some 8.3 firmware adds up the factors of the phases.
        usable = power is not None and apparent and abs(power) <= abs(apparent)
        found["powerFactor"] = power / abs(apparent) if usable else None  # type: ignore[operator,arg-type]
    energy = found.get("apparentEnergy")
    if energy is not None and energy < 0.9 * sum(abs(number(part, key) or 0.0) for key in _ACTIVE):
        found["apparentEnergy"] = None  # below the active energy: the same firmware has lost the counter
    for name, value in found.items():
        if name != "power":
            put(facts, f"{prefix}.{name}", value)


_ACTIVE = ("actEnergyDlvd", "actEnergyRcvd", "whLifetime")
_READING_EXTRAS = {
    "power": "activePower",
    "apparentPower": "apparentPower",
    "reactivePower": "reactivePower",
    "powerFactor": "pwrFactor",
    "current": "current",
    "apparentEnergy": "apparentEnergy",
    "lagEnergy": "reactEnergyLagg",
    "leadEnergy": "reactEnergyLead",
}
_ENTRY_EXTRAS = {
    "power": "wNow",
    "apparentPower": "apprntPwr",
    "reactivePower": "reactPwr",
    "powerFactor": "pwrFactor",
    "current": "rmsCurrent",
    "apparentEnergy": "vahLifetime",
    "lagEnergy": "varhLagLifetime",
    "leadEnergy": "varhLeadLifetime",
}


def _put_voltage(facts: Facts, prefix: str, voltage: float | None, phases: int) -> None:
    # At meter level the voltage is the sum of the wired phases.
    if voltage is not None and phases:
        facts[f"{prefix}.voltage"] = voltage / phases


def derived(facts: Facts, production_phases: int = 0) -> Facts:
    """Adds derived facts: consumption from net or net from consumption, import, export, voltage.

    `production_phases`: number of phases with panels, 0 if unknown; the others produce nothing.
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


def from_production(answer: Any, known: Iterable[Meter], everything: bool, wanted: Collection[str] = ()) -> Facts:
    """Facts of /production.json?details=1: lifetime totals; with `everything` (no usable readings) also powers."""
    wired = _wired(known)
    facts: Facts = {}
    for name, entry in _metered(answer):
        lines = _lines(entry, wired.get(name, 0))
        for suffix, part in [("", entry), *lines]:
            prefix = name + suffix
            lifetime = number(part, "whLifetime")
            if name == "net":
                put(facts, f"{prefix}.lifetimeEnergy", lifetime or None)
            else:  # days and weeks of the net are always zero
                put(facts, f"{prefix}.lifetimeEnergy", _counted(lifetime, number(part, "wNow")))
                _put_told(facts, prefix, number(part, "whToday"), number(part, "whLastSevenDays"), lifetime)
            if wanted:
                _read_extras(facts, prefix, part, _ENTRY_EXTRAS, wanted)
            if everything:
                put(facts, f"{prefix}.power", number(part, "wNow"))
                phases = 1 if suffix else wired.get(name, 0) or len(lines)
                _put_voltage(facts, prefix, number(part, "rmsVoltage"), phases)
        if everything:
            put(facts, "time", max(number(entry, "readingTime") or 0.0, facts.get("time", 0.0)) or None)
    _mend_total(facts)
    return derived(facts, wired.get("production", 0)) if everything else facts


def _put_told(facts: Facts, prefix: str, today: float | None, week: float | None, lifetime: float | None) -> None:
    put(facts, f"{prefix}.toldToday", today)
    put(facts, f"{prefix}.toldWeek", week)
    put(facts, f"{prefix}.toldLifetime", lifetime)


def inverter_count(answer: Any) -> int | None:
    """Number of inverters by /production.json; None if unknown."""
    content = answer if isinstance(answer, Mapping) else {}
    for entry in entries(content.get("production")):
        if entry.get("type") == "inverters":
            count = _integer(entry.get("activeCount"))
            return count if count is not None and 0 <= count < 1e15 else None  # as of `number`
    return None


def _wired(known: Iterable[Meter]) -> dict[str, int]:
    """Phases by meter; the answer has net and total whichever of them the transformer measures."""
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
    """Corrects firmware that returns the net as total (8.3.5433 with a total-consumption transformer)."""
    for suffix in _SUFFIXES:
        for what in ("power", "lifetimeEnergy"):
            total, production = facts.get(f"total{suffix}.{what}"), facts.get(f"production{suffix}.{what}")
            if total is not None and production and total == facts.get(f"net{suffix}.{what}"):
                facts[f"total{suffix}.{what}"] = total + production
                for told in ("toldToday", "toldWeek", "toldLifetime"):
                    facts.pop(f"total{suffix}.{told}", None)


def _metered(answer: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yields (meter, entry) with enabled CTs: without, an entry has meaningless values and `activeCount` 0."""
    content = answer if isinstance(answer, Mapping) else {}
    found: dict[str, Mapping[str, Any]] = {}
    for entry in [*entries(content.get("production")), *entries(content.get("consumption"))]:
        name = _NAMES.get(str(entry.get("measurementType")))
        if name is not None and entry.get("type") == "eim" and number(entry, "activeCount"):
            found.setdefault(name, entry)
    return ((name, entry) for name, entry in found.items() if _loaded(entry, _ENTRY))


def from_summary(answer: Any) -> Facts:
    """Facts of /api/v1/production of a gateway without production CTs; empty if it has no data."""
    content = answer if isinstance(answer, Mapping) else {}
    facts: Facts = {}
    if _loaded(content, ("wattHoursToday", "wattHoursSevenDays", "wattHoursLifetime")):
        power, lifetime = number(content, "wattsNow"), number(content, "wattHoursLifetime")
        put(facts, "production.power", power)
        put(facts, "production.lifetimeEnergy", _counted(lifetime, power))
        if facts:
            today, week = number(content, "wattHoursToday"), number(content, "wattHoursSevenDays")
            _put_told(facts, "production", today, week, lifetime)
    return facts


def from_inverter_total(answer: Any) -> Facts:
    """Facts of the inverters' total in /production.json, for gateways whose summary is stuck or empty."""
    content = answer if isinstance(answer, Mapping) else {}
    facts: Facts = {}
    for entry in entries(content.get("production")):
        if entry.get("type") == "inverters" and number(entry, "activeCount") and _loaded(entry, _ENTRY):
            power = number(entry, "wNow")
            put(facts, "production.power", power)
            put(facts, "production.lifetimeEnergy", _counted(number(entry, "whLifetime"), power))
            put(facts, "production.time", number(entry, "readingTime") or None)
    return facts


def entries(answer: Any) -> list[Mapping[str, Any]]:
    """Returns the objects of a JSON list; empty if the answer is not a list."""
    return [entry for entry in answer if isinstance(entry, Mapping)] if isinstance(answer, list) else []


def _loaded(part: Mapping[str, Any], keys: Iterable[str]) -> bool:
    return any(number(part, key) for key in keys)


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(part: Mapping[str, Any], key: str) -> float | None:
    """Returns a number of an object as float; None if it is missing or not finite."""
    value = part.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e15:
        return None  # also NaN, Infinity and a thousand digits, which JSON allows and no meter sends
    return float(value)


def put(facts: Facts, name: str, value: float | None) -> None:
    """Adds a fact, unless its value is None."""
    if value is not None:
        facts[name] = value
