"""Maps observations of a charger to facts; no input or output, no clock.

A charger is a dictionary of raw values by *observation id*, the same numbers in the stream and in answers. The
`source` of a catalogue row is an observation with the vendor's name for it, and perhaps a rule:

    <observation>|<name>          the value, decoded for the row's subType
    <observation>|<name>|live     0 in every mode but charging, and while the charger is away: its last figure is
                                  outdated, and the charger does not always send a 0

A `source` without a number is one of the derived facts below: `status`, `plugged`, `paused`, `cableState`,
`wifiSignal`, `cellSignal`, `online`, `error`, `circuitLimit`, `circuitPhases`, `offlineLimit`, `phaseSwitching`,
`phaseObstacle`. A charger is *away* if the service has lost it, or if it
has been silent for too long.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable

from jeedom_bridge.contract import Row

Facts = dict[str, Any]
Values = Mapping[int, Any]

LOCKED_FOR_GOOD, CIRCUIT_MAX, DYNAMIC_CHARGER, REASON, SMART, CABLE_LOCKED, MODE = 30, 22, 48, 96, 102, 103, 109
SESSION_ENERGY, LIFETIME_ENERGY, CELL_SIGNAL, WIFI_SIGNAL, WIFI, CONNECTED = 121, 124, 130, 132, 141, 250
SESSION_START, SESSION_END = 223, 129
CIRCUIT_LIMITS = (111, 112, 113)
OFFLINE_LIMITS = (50, 51, 52)
GRID_TYPE, PHASE_MODE = 21, 38
TN_THREE_PHASES, TN_GRIDS = 1, (1, 2, 3)
"""Of 21; 4 and 5 are IT grids, where the third conductor of a circuit carries the return (evcc-io/evcc 28411)."""
AUTOMATIC = 2
"""Of 38: the charger uses one phase or three, as its circuit lets it."""

IDENTITIES = frozenset({69, 107, 108, 128, 129, 223})
"""Observations that contain the RFID token of a person."""
PRIVATE = IDENTITIES | {20, 25, 26, 27, 36, 81, 133, 134, 140, 206, 240, 241}
"""These and others (networks, places, SIM and hardware numbers) whose values must not be logged."""

OFFLINE, DISCONNECTED, CHARGING = 0, 1, 3
MODES = range(9)
PLUGGED = frozenset(range(2, 9))
PAUSING_REASONS = frozenset({1, 2, 3, 4, 5, 6, 51, 52})
"""Reasons for no current that mean a pause, as in the plugin that this one replaces."""
MIN_CHARGING_A = 6.0
"""A: below this no car charges."""

_UNLISTED = frozenset({MODE, CONNECTED, CELL_SIGNAL, WIFI_SIGNAL, *CIRCUIT_LIMITS, *OFFLINE_LIMITS, GRID_TYPE})
_WHOLE = frozenset({MODE, REASON, CELL_SIGNAL, WIFI_SIGNAL, GRID_TYPE})


@dataclass(frozen=True)
class SourceSpec:
    """The parsed `source` of a row."""

    fact: str
    observation: int
    live: bool
    kind: str


@dataclass(frozen=True)
class Observation:
    """One value of a charger; `at`: Unix time, None if it has no date."""

    serial: str
    id: int
    value: str
    data_type: int
    at: float | None


@dataclass(frozen=True)
class Vocabulary:
    """What the numbers of a kind of product mean, beside what its rows say.

    `derived`: facts made of several observations. `unlisted`: wanted without a row. `whole`: integers. `texts`: kept as
    they come. `flows(values, away)`: whether a figure of a `live` row can still be valid.
    """

    derived: Mapping[str, tuple[frozenset[int], Callable[[Values, bool], Any]]]
    unlisted: frozenset[int]
    whole: frozenset[int]
    texts: frozenset[int]
    flows: Callable[[Values, bool], bool]
    passing: frozenset[str] = frozenset()
    """Derived facts that are figures: valid at their moment only."""


class Table:
    """The observations and facts that the catalogue's rows need."""

    def __init__(self, rows: Iterable[Row], vocabulary: Vocabulary | None = None) -> None:
        """`vocabulary`: of the kind of product; of a charger by default."""
        self._vocabulary = vocabulary or CHARGER
        self._by_id: dict[int, list[SourceSpec]] = {}
        for row in rows:
            source = parse_source(row)
            if source is not None:
                self._by_id.setdefault(source.observation, []).append(source)
        self._wanted = set(self._by_id) | self._vocabulary.unlisted | self._vocabulary.texts
        self._sources = {source.fact: source for sources in self._by_id.values() for source in sources}
        self.inputs: dict[str, frozenset[int]] = {name: needs for name, (needs, _) in self._vocabulary.derived.items()}
        """Observations that each fact depends on."""
        for name, source in self._sources.items():
            self.inputs[name] = frozenset({source.observation, *((MODE, CONNECTED) if source.live else ())})
        self.present = frozenset({"status", "online"}) & self.inputs.keys()
        self.present |= {each.fact for each in self._sources.values() if each.live}
        """Facts about the present, which cannot be derived from old values."""
        self.lasting = frozenset(self._vocabulary.derived) - self._vocabulary.passing
        self.lasting |= {each.fact for each in self._sources.values() if each.kind != "numeric"}
        """Facts that stay valid until the charger sends a change."""

    @property
    def ids(self) -> list[int]:
        """Observations to request, sorted."""
        return sorted(self._wanted)

    def wants(self, observation: int) -> bool:
        """True if an observation is used; the service sends about a hundred others."""
        return observation in self._wanted

    def decode(self, observation: int, value: Any, data_type: int = 0) -> Any:
        """Converts a raw value to the type of its row; None if it is empty or invalid."""
        if value is None or value == "":
            return None
        kinds = {source.kind for source in self._by_id.get(observation, ())}
        if "binary" in kinds or observation == CONNECTED:
            return _binary(value)
        if observation in self._vocabulary.texts:
            return value if isinstance(value, str) else None
        figure = number(value)
        if figure is None:
            return None
        if observation in self._vocabulary.whole or "string" in kinds or (data_type == 4 and figure == int(figure)):
            return int(figure)
        return figure

    def facts(self, values: Values, changed: Iterable[int], away: bool = False) -> Facts:
        """Returns the facts affected by a change of these observations."""
        facts: Facts = {}
        for name in self.touched(changed):
            source = self._sources.get(name)
            if source is None:
                facts[name] = self._vocabulary.derived[name][1](values, away)
            else:
                value = values.get(source.observation)
                ended = source.live and value is not None and not self._vocabulary.flows(values, away)
                facts[name] = 0 if ended else value
        return {name: value for name, value in facts.items() if value is not None}

    def touched(self, changed: Iterable[int]) -> set[str]:
        """Returns the names of the facts that depend on these observations."""
        touched = set(changed)
        return {name for name, needs in self.inputs.items() if not touched.isdisjoint(needs)}


def flows(values: Values, away: bool) -> bool:
    """True if the last measure can still be valid: current flows only while a car is charging."""
    mode = values.get(MODE)
    return not away and (mode == CHARGING or mode not in MODES)


def parse_source(row: Row) -> SourceSpec | None:
    """Parses a row's source; None if it names no observation. Raises ValueError if its rule is unknown."""
    if not row.source or not row.source[0].isdigit():
        return None
    observation, _, *rules = row.source.split("|")
    if rules not in ([], ["live"]):
        raise ValueError(f"unknown rule in source {row.source!r}")
    return SourceSpec(row.source, int(observation), bool(rules), row.data["subType"])


def _binary(value: Any) -> bool | None:
    text = str(value).strip().lower()
    if text in ("1", "true", "1.0"):
        return True
    return False if text in ("0", "false", "0.0") else None


def number(value: Any) -> float | None:
    """Converts what the service sent, a number or text, to a finite float; None for anything else."""
    if isinstance(value, bool) or (isinstance(value, str) and not _FIGURE.fullmatch(value.strip())):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):  # JSON allows numbers of any length
        return None
    return found if math.isfinite(found) and abs(found) < 1e12 else None


_FIGURE = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


# Derived facts.


def _status(values: Values, away: bool) -> int | None:
    return OFFLINE if away else values.get(MODE)


def _plugged(values: Values, away: bool) -> bool | None:
    mode = values.get(MODE)
    if mode == DISCONNECTED:
        return False
    return True if mode in PLUGGED else None


def _paused(values: Values, away: bool) -> bool | None:
    reason, limit, mode = values.get(REASON), values.get(DYNAMIC_CHARGER), values.get(MODE)
    if mode == DISCONNECTED:
        return False
    if reason is None and limit is None:
        return None
    return reason in PAUSING_REASONS or (limit is not None and limit < MIN_CHARGING_A)


def _cable_state(values: Values, away: bool) -> int | None:
    locked, for_good = values.get(CABLE_LOCKED), values.get(LOCKED_FOR_GOOD)
    if locked is None or for_good is None:
        return None
    return int(locked) + 2 * int(for_good)


def _wifi_signal(values: Values, away: bool) -> int | None:
    return 0 if values.get(WIFI) is False else values.get(WIFI_SIGNAL)


def _cell_signal(values: Values, away: bool) -> int | None:
    return 0 if values.get(WIFI) is True else values.get(CELL_SIGNAL)


def _online(values: Values, away: bool) -> bool | None:
    return not away


def _error(values: Values, away: bool) -> bool | None:
    codes = (values.get(119), values.get(219))
    if values.get(MODE) is None and codes == (None, None):
        return None
    return values.get(MODE) == 5 or any(code not in (None, 0) for code in codes)


def _circuit_limit(values: Values, away: bool) -> float | None:
    """Lowest limit of the phases in use: 16/0/0 limits a circuit to one phase, 0/0/0 allows no charging."""
    known = [values[each] for each in CIRCUIT_LIMITS if values.get(each) is not None]
    used = [limit for limit in known if limit > 0]
    if used:
        return float(min(used))
    return 0.0 if len(known) == len(CIRCUIT_LIMITS) else None


def _circuit_phases(values: Values, away: bool) -> int | None:
    """Phases of the circuit that may carry a charge."""
    known = [values[each] for each in CIRCUIT_LIMITS if values.get(each) is not None]
    return sum(limit >= MIN_CHARGING_A for limit in known) if len(known) == len(CIRCUIT_LIMITS) else None


def _offline_limit(values: Values, away: bool) -> float | None:
    """What each phase of the circuit may carry once nobody renews its limits: the greatest of the three."""
    known = [float(values[each]) for each in OFFLINE_LIMITS if values.get(each) is not None]
    return max(known) if len(known) == len(OFFLINE_LIMITS) else None


def phase_obstacle(values: Values, away: bool = False) -> str:
    """Why the circuit's limits must not change the phases of a charge; "none" if they may."""
    grid, mode = values.get(GRID_TYPE), values.get(PHASE_MODE)
    if grid not in TN_GRIDS:
        return "grid" if grid in (4, 5) else "unknown"
    if grid != TN_THREE_PHASES:
        return "single"
    return "none" if mode == AUTOMATIC else "locked" if mode is not None else "unknown"


def _phase_switching(values: Values, away: bool) -> bool:
    return phase_obstacle(values) == "none"


_DERIVED: dict[str, tuple[frozenset[int], Callable[[Values, bool], Any]]] = {
    "status": (frozenset({MODE, CONNECTED}), _status),
    "plugged": (frozenset({MODE}), _plugged),
    "paused": (frozenset({MODE, REASON, DYNAMIC_CHARGER}), _paused),
    "cableState": (frozenset({CABLE_LOCKED, LOCKED_FOR_GOOD}), _cable_state),
    "wifiSignal": (frozenset({WIFI, WIFI_SIGNAL}), _wifi_signal),
    "cellSignal": (frozenset({WIFI, CELL_SIGNAL}), _cell_signal),
    "online": (frozenset({CONNECTED}), _online),
    "error": (frozenset({MODE, 119, 219}), _error),
    "circuitLimit": (frozenset(CIRCUIT_LIMITS), _circuit_limit),
    "circuitPhases": (frozenset(CIRCUIT_LIMITS), _circuit_phases),
    "offlineLimit": (frozenset(OFFLINE_LIMITS), _offline_limit),
    "phaseSwitching": (frozenset({GRID_TYPE, PHASE_MODE}), _phase_switching),
    "phaseObstacle": (frozenset({GRID_TYPE, PHASE_MODE}), phase_obstacle),
}
CHARGER = Vocabulary(
    _DERIVED, _UNLISTED, _WHOLE, frozenset({SESSION_START, SESSION_END}), flows, frozenset({"wifiSignal", "cellSignal"})
)


# Records of the stream.

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$")


def moment(text: Any) -> float | None:
    """Converts a time of the service to Unix time, or None: UTC with `Z`, an offset or nothing, 0 to 9 decimals."""
    match = _TIME.match(text.strip()) if isinstance(text, str) else None
    if match is None:
        return None
    zone = match[3] or "Z"
    offset = "+00:00" if zone == "Z" else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        whole = datetime.fromisoformat(match[1] + offset).astimezone(timezone.utc).timestamp()
    except (ValueError, OverflowError):
        return None
    return whole + float(match[2] or 0)


def observations(arguments: Any) -> list[Observation]:
    """Parses an invocation of `ProductUpdate`: one record, several, or a list of them."""
    found = (_observation(record.get("mid"), record) for record in _records(arguments))
    return [each for each in found if each is not None]


def answered(content: Any, serial: str) -> list[Observation]:
    """Parses an answer for one charger, whose values are JSON types or texts."""
    listed = content.get("observations") if isinstance(content, dict) else content
    found = (_observation(serial, record) for record in (listed if isinstance(listed, list) else ()))
    return [each for each in found if each is not None]


def _observation(serial: Any, record: Any) -> Observation | None:
    if not isinstance(record, dict) or not isinstance(serial, str):
        return None
    observation, value, kind = record.get("id"), record.get("value"), record.get("dataType")
    if isinstance(observation, bool) or not isinstance(observation, int) or value is None:
        return None
    if isinstance(value, (dict, list)):
        return None
    kind = kind if isinstance(kind, int) else 0
    return Observation(serial, observation, str(value), kind, moment(record.get("timestamp")))


def _records(arguments: Any) -> list[dict[str, Any]]:
    flat: list[Any] = []
    for each in arguments if isinstance(arguments, list) else [arguments]:
        flat += each if isinstance(each, list) else [each]
    return [each for each in flat if isinstance(each, dict)]


@dataclass(frozen=True)
class CommandResponse:
    """A charger's answer to the command identified by `ticks`."""

    serial: str
    ticks: int
    accepted: bool
    code: int


def command_responses(arguments: Any) -> list[CommandResponse]:
    """Parses an invocation of `CommandResponse`."""
    found = []
    for record in _records(arguments):
        serial, ticks = record.get("serialNumber"), record.get("ticks")
        if isinstance(serial, str) and isinstance(ticks, int) and not isinstance(ticks, bool):
            found.append(CommandResponse(serial, ticks, *outcome(record)))
    return found


def outcome(record: Mapping[str, Any]) -> tuple[bool, int]:
    """Returns (accepted, result code: 0 fine, 2 expired, 3 not accepted, 4 rejected)."""
    code = record.get("resultCode")
    code = code if isinstance(code, int) and not isinstance(code, bool) else 0
    accepted = record.get("wasAccepted")
    return (accepted if isinstance(accepted, bool) else code == 0), code
