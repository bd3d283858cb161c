"""Pure functions: from Netatmo's answers to homes, lines and slots, and from slots to the values of rows.

The `source` of a catalogue row is a type of `getmeasure`, whose column it takes, or `total:<type>`: that column
where it is filled, else the sum of the filled columns `<type>$0`, `<type>$1`, ... (one per tariff of the contract).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from jeedom_bridge.contract import Catalogue, Row

from ..base import VendorError
from ..common.numbers import finite
from . import time_slots
from .time_slots import LocalTimes

TOTAL_PREFIX = "total:"
FLUIDS = {6: "gas", 7: "hot_water", 8: "cold_water"}
FLUID_NAMES = {6: "Gaz", 7: "Eau chaude", 8: "Eau froide"}
TOTAL_INDEX = 5
_LINE = re.compile(r"([0-9A-Fa-f:]{11,})#(\d{1,3})")

Slots = dict[int, list["float | None"]]
"""The values of a slot by its label (Unix seconds), in the order of the types asked for."""


METERS = {"NLPC": "Compteur NLPC", "NLY": "Compteur NLY"}
"""Energy meters behind a gateway, by the vendor's type; their name where the user has given none."""


@dataclass(frozen=True)
class Line:
    """One line of an ecometer, or an energy meter (`model`: its type, '' for a line).

    `setup` is Unix time, 0 when it is not told.
    """

    id: str
    bridge: str
    index: int
    name: str
    home: str
    setup: float = 0.0
    model: str = ""

    @property
    def kind(self) -> str:
        """The type of its equipment."""
        return "meter" if self.model else "line"

    @property
    def source_type(self) -> str:
        """What it measures, by the index: names are the user's and can be anything."""
        return FLUIDS.get(self.index, "other")


@dataclass(frozen=True)
class Home:
    """One home with an ecometer or an energy meter; `contract`: Netatmo's word for the tariff in force, or ''."""

    id: str
    name: str
    timezone: str
    contract: str
    devices: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()


def homes(body: Any) -> list[Home]:
    """The homes of `homesdata`, without those that have nothing to measure. Raises VendorError."""
    if not isinstance(body, dict) or not isinstance(body.get("homes", []), list):
        raise VendorError("Netatmo a donné une liste de maisons illisible, nouvel essai automatique")
    found = [_home(each) for each in body.get("homes", []) if isinstance(each, dict)]
    return [home for home in found if home.lines]


def _home(data: Mapping[str, Any]) -> Home:
    identifier = _text(data.get("id"))
    modules = data.get("modules")
    modules = [each for each in modules if isinstance(each, dict)] if isinstance(modules, list) else []
    ecometers = [each for each in modules if each.get("type") == "NLE"]
    devices = {
        _text(each.get("id")): _text(each.get("name")) for each in ecometers if _text(each.get("modules_bridged"), list)
    }
    lines = []
    for each in ecometers:
        match = _LINE.fullmatch(_text(each.get("id")))
        bridge = _text(each.get("bridge"))
        if match is None or match[1] != bridge:
            continue
        index = int(match[2])
        name = _text(each.get("name")) or _default_name(index)
        lines.append(Line(match[0], bridge, index, name, identifier, _seconds(each.get("setup_date"))))
    for each in modules:
        name, own = _text(each.get("type")), _text(each.get("id"))
        if name in METERS and own:
            shown = _text(each.get("name")) or METERS[name]
            bridge = _text(each.get("bridge")) or own
            lines.append(Line(own, bridge, -1, shown, identifier, _seconds(each.get("setup_date")), name))
    lines.sort(key=lambda line: (line.kind, line.bridge, line.index, line.id))
    return Home(
        id=identifier,
        name=_text(data.get("name")),
        timezone=_text(data.get("timezone")) or "Europe/Paris",
        contract=_contract(data),
        devices={key: name for key, name in devices.items() if key},
        lines=tuple(lines),
    )


def _default_name(index: int) -> str:
    if index == TOTAL_INDEX:
        return "NLE Total"
    return f"NLE {FLUID_NAMES.get(index, index + 1)}"


def _contract(data: Mapping[str, Any]) -> str:
    schedules = data.get("schedules")
    for each in schedules if isinstance(schedules, list) else []:
        if isinstance(each, dict) and each.get("type") == "electricity" and each.get("selected"):
            return _text(each.get("tariff_option"))
    return ""


def _text(value: Any, kind: type = str) -> str:
    return str(value).strip() if isinstance(value, kind) else ""


def _seconds(value: Any) -> float:
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and 1.2e9 < value < 1e11
    return float(value) if known else 0.0


def named(found: Sequence[Home]) -> dict[str, str]:
    """A name for each line by its id: Netatmo's own, told apart by ecometer and home where two are equal."""
    lines = [(home, line) for home in found for line in home.lines]
    names = {line.id: line.name for _, line in lines}
    for qualify in (_by_device, _by_home, _by_id):
        counts: dict[str, int] = {}
        for name in names.values():
            counts[name.casefold()] = counts.get(name.casefold(), 0) + 1
        for home, line in lines:
            if counts[names[line.id].casefold()] > 1:
                names[line.id] = qualify(names[line.id], home, line)
    return names


def _by_device(name: str, home: Home, line: Line) -> str:
    device = home.devices.get(line.bridge, "")
    return f"{name} ({device})" if device else name


def _by_home(name: str, home: Home, line: Line) -> str:
    return f"{name} - {home.name}" if home.name else name


def _by_id(name: str, home: Home, line: Line) -> str:
    return f"{name} {line.id[-7:]}"


def unreachable(body: Any) -> dict[str, int]:
    """The modules that `homestatus` says are out of reach, with its code."""
    errors = body.get("errors") if isinstance(body, dict) else None
    result = {}
    for each in errors if isinstance(errors, list) else []:
        if isinstance(each, dict) and isinstance(each.get("code"), int) and _text(each.get("id")):
            result[_text(each.get("id"))] = int(each["code"])
    return result


@dataclass(frozen=True)
class Measures:
    """What `getmeasure` told. `empty`: the label of the newest slot that came without any value, 0 without one.

    `skipped`: pieces that could not be read (a row that is null or too short, a value that is not a number, ...).
    `whole`: nothing is missing that the answer had a place for; a series without `value` is such a place.
    """

    slots: Slots
    empty: int = 0
    skipped: int = 0
    whole: bool = True


def measures(body: Any, columns: int, scale: str, zone: str, earliest: int, latest: float) -> Measures:
    """The slots of `getmeasure`, in both shapes, by their label, oldest first.

    A piece that cannot be read is skipped and the rest counts: a row that is null or short, a value that is not a
    number (one as text is). A series without `value` is an empty one (pyatmo allows for it); slots before
    `earliest` are left out. Raises VendorError if nothing of an answer can be read.
    """
    if not isinstance(body, (list, dict)):
        raise _no_measures()
    rows, skipped = _rows(body, time_slots.STEPS[scale])
    found: Slots = {}
    empty = read = 0
    for label, values in rows:
        row = values if isinstance(values, list) else []
        numbers = [_value(each) for each in row]
        known = any(each is not None for each in numbers)
        unreadable = not known and any(each is not None for each in row)
        if label is None or len(numbers) != columns or label > latest or unreadable:
            skipped += 1
            continue
        read += 1
        if known and label >= earliest:
            found[time_slots.noon(label, zone) if scale == "1day" else label] = numbers
        elif not known:
            empty = max(empty, label)
    if skipped and not read:
        raise _no_measures()
    return Measures(dict(sorted(found.items())), empty, skipped, not skipped and not _has_bare_series(body))


def _has_bare_series(body: Any) -> bool:
    series = body if isinstance(body, list) else []
    return any(isinstance(each, dict) and each.get("value") is None for each in series)


def powers(body: Any) -> dict[str, tuple[float | None, float | None]]:
    """(power in W, Unix time of it) of each module of `homestatus` that has one; no power if it is out of reach."""
    home = body.get("home") if isinstance(body, dict) else None
    modules = home.get("modules") if isinstance(home, dict) else None
    found: dict[str, tuple[float | None, float | None]] = {}
    for each in modules if isinstance(modules, list) else []:
        if isinstance(each, dict) and _text(each.get("id")) and "power" in each:
            power = _value(each["power"]) if each.get("reachable") is not False else None
            found[_text(each["id"])] = power, _seconds(each.get("last_seen")) or None
    return found


def slots(body: Any, columns: int, scale: str, zone: str, earliest: int, latest: float) -> Slots:
    """The slots alone, see `measures`."""
    return measures(body, columns, scale, zone, earliest, latest).slots


def _no_measures() -> VendorError:
    return VendorError("Netatmo a donné des mesures illisibles, nouvel essai automatique")


def _rows(body: Any, step: int) -> tuple[list[tuple[int | None, Any]], int]:
    """(label and values of each row, series that cannot be read)."""
    if isinstance(body, dict):
        return [(_label(key), values) for key, values in body.items()], 0
    rows: list[tuple[int | None, Any]] = []
    skipped = 0
    for series in body:
        begin = _label(series.get("beg_time")) if isinstance(series, dict) else None
        values = series.get("value") if begin is not None else None
        if begin is not None and values is None:
            continue
        told = series.get("step_time") if begin is not None else None
        own = step if told is None else _label(told)
        if begin is None or not isinstance(values, list) or not own:
            skipped += 1
            continue
        rows += [(begin + index * own, each) for index, each in enumerate(values)]
    return rows, skipped


def _label(value: Any) -> int | None:
    number = finite(value)
    return int(number) if number is not None and 0 <= number < 1e12 else None


def _value(value: Any) -> float | None:
    if type(value) is int and -1e12 < value < 1e12:
        return value  # nearly all of them
    number = finite(value)
    if number is None or abs(number) >= 1e12:
        return None
    return int(number) if number.is_integer() else number


# From slots to the values of rows.


def base_type(source: str) -> str:
    """The family of a source: its type without the tariff."""
    return source[len(TOTAL_PREFIX) :] if source.startswith(TOTAL_PREFIX) else source.partition("$")[0]


def types_for(rows: Iterable[Row], every: Iterable[Row]) -> list[str]:
    """The types to ask for so that these rows can be filled: whole families, in the catalogue's order."""
    families = {base_type(row.source or "") for row in rows}
    found = [row.source for row in every if row.source and not row.source.startswith(TOTAL_PREFIX)]
    return [each for each in dict.fromkeys(found) if base_type(each) in families]


def column_reader(source: str, types: Sequence[str]) -> Callable[[Sequence[float | None]], float | None]:
    """What gives the value of a source in a slot whose values are of `types`; None when the slot has none."""
    if not source.startswith(TOTAL_PREFIX):
        return itemgetter(types.index(source)) if source in types else lambda values: None
    whole = source[len(TOTAL_PREFIX) :]
    own = types.index(whole) if whole in types else None
    tariffs = [at for at, name in enumerate(types) if name.startswith(f"{whole}$")]

    def total(values: Sequence[float | None]) -> float | None:
        if own is not None and values[own] is not None:
            return values[own]
        known = [value for value in map(values.__getitem__, tariffs) if value is not None]
        return math.fsum(known) if known else None

    return total


def points(
    row: Row,
    types: Sequence[str],
    found: Mapping[int, Sequence[float | None]],
    chosen: Iterable[int],
    times: LocalTimes,
) -> list[tuple[str, Any]]:
    """The dated values of a row for the `chosen` labels, oldest first, one per local time of Jeedom.

    Jeedom keeps local times without offset: where the clock is put back, two slots have the same one and are added.
    `times`: those of the labels of `found`.
    """
    result = []
    value_of = column_reader(row.source or "", types)
    for wall in sorted({times.walls[label] for label in chosen}):
        labels = sorted(times.labels[wall])
        filled = [value for label in labels if (value := value_of(found[label])) is not None]
        value = row.value(math.fsum(filled)) if filled else None
        if value is not None:
            result.append((time_slots.text(labels[0], times.zone), value))
    return result


def command_settings(row: Row, own: Mapping[str, Any] | None) -> dict[str, str]:
    """A row's settings with the catalogue's defaults; a choice that does not exist counts as not set."""
    result = {}
    for field_ in row.data.get("settings", []):
        value = str((own or {}).get(field_["key"], "") or "")
        known = value in field_.get("choices", {value: ""})
        result[field_["key"]] = value if value and known else str(field_.get("default", ""))
    return result


def measure_rows(catalogue: Catalogue, kind: str, config: Mapping[str, Any]) -> list[Row]:
    """The rows of a line or a meter that measures fill."""
    return [row for row in catalogue.rows(kind, config) if row.source and row.dated]
