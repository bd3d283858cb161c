"""What the user has set of charge points and driven loads, and what is kept of them over restarts. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from jeedom_bridge.contract import finite

from ..sharing.charger import MODES

FREE, OFF, AUTO, ON = "free", "off", "auto", "on"
"""Modes of a load; the first two are those of a charge point as well. A free one is never touched."""
LOAD_MODES = (FREE, OFF, AUTO, ON)
POINT_MODES = (FREE, *MODES)
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
LEAST_A, MOST_A = 6, 32
USUAL_V = 230.0
MOST_KWH = 150
LARGEST = 1e10
"""No moment, energy or duration that is kept is as large."""
ECONOMIC, SOLAR, NEVER, THRESHOLD = "economic", "solar", "never", "threshold"
_TIME = re.compile(r"^\s*([01]?\d|2[0-3])\s*[:hH]\s*([0-5]\d)?\s*$")


def time_of_day(text: str) -> tuple[int, int] | None:
    """(hour, minute) of "7:30", "07h30" or "7h"; None for anything else."""
    found = _TIME.match(text)
    return (int(found[1]), int(found[2] or 0)) if found else None


@dataclass(frozen=True)
class PointSettings:
    """A charge point. `charger`: the equipment that it drives; `phases`: 0 if they are to be recognized."""

    id: str
    charger: str
    name: str = ""
    rank: float = 1
    phases: int = 0
    on_phase: int = 1
    max_a: int | None = None
    days: tuple[int, ...] = EVERY_DAY
    red_peak: bool = False
    circuit: str = ""
    """The same word for chargers that share a circuit."""
    circuit_a: float | None = None
    most_grid: float | None = None
    """Share (0 to 1) of a solar charge that may come from the grid; None: no bound."""
    guard: bool = False
    """Whether the circuit has a limit that ends with the daemon."""
    capacity: float = 0.0
    """kWh of the car's battery, if a command tells its charge state; else 0."""
    switching: bool = False
    """Whether a charge may change between one phase and three."""


@dataclass(frozen=True)
class LoadConfig:
    """A driven load. `relay`: the equipment that switches it; "" if Jeedom's commands do. Times in seconds."""

    id: str
    relay: str
    name: str = ""
    power: float = 2000.0
    rank: float = 50
    start: str = ECONOMIC
    least_on_s: float = 900.0
    least_off_s: float = 600.0
    least_day_s: float = 0.0
    most_day_s: float = 86400.0
    by: tuple[int, int] = (6, 0)
    critical: bool = False
    start_above: float | None = None
    stop_below: float | None = None
    """W exported to the grid from which it starts, and below which it stops, if `start` is "threshold"."""


@dataclass(frozen=True)
class HouseLimits:
    """What holds for all of them. `fuse`: A of each phase."""

    fuse: float | None = None
    battery_first: bool = True
    sharing: str = "order"
    shedding: str = "order"

    def subscribed(self, told: float | None, phases: int) -> float | None:
        """VA of the whole house, by its subscription (`told`) and its fuse; None if neither is known."""
        return min(told or math.inf, self.fuse * USUAL_V * phases) if self.fuse else told


@dataclass
class PointState:
    """What is kept of a charge point. Moments in Unix time; `amps`: the last set-point that was wanted."""

    mode: str = FREE
    goal_kwh: float = 0.0
    goal_time: str = "07:30"
    amps: int | None = None
    plugged: bool = False
    taken_over_until: float = 0.0
    stopped_at: float = 0.0
    charged_wh: float = 0.0
    """Towards the goal, since its last hour."""
    session_wh: float | None = None
    goal_hour: float = 0.0
    """The hour by which the goal is to be met; when it has passed, the next one begins."""
    goal_percent: float = 0.0
    """Of the car's battery; 0 if the goal is `goal_kwh`."""
    goal_done: bool = False
    level: float | None = None
    """% of the car's battery as last told, with its date and what was charged since."""
    level_at: float = 0.0
    since_level_wh: float = 0.0
    level_lost: bool = False
    """The user knows that the charge state is not known."""
    plugged_at: float = 0.0
    paced_kw: float = 0.0
    """kW that the charge takes while a plan wants it; 0 if that is not known yet."""
    risk: str = ""
    """Why the goal is at risk, once the user knows."""
    shown: int | None = None
    """A that the charger has shown last."""
    orders: list[list[float]] = field(default_factory=list)
    """(Unix time, A) of each set-point that the charger has not shown yet."""
    owes: bool = False
    """A charger that is no longer driven has not shown yet that it has its limit back."""
    guard_a: int = 0
    """A of the circuit's limit that was set to end with the daemon; 0 if none was."""
    phases: int = 0
    """Those that were wanted last; 0 if that is not known."""
    phase_changes: list[float] = field(default_factory=list)
    phases_locked: bool = False
    circuit_until: float = 0.0
    """Until when a limit of ours may hold the circuit at one phase."""

    def state(self) -> dict[str, Any]:
        """As JSON takes it."""
        return dict(self.__dict__)

    @classmethod
    def restore(cls, kept: object) -> PointState:
        """From `state()`; what cannot be read is left at its default."""
        made = cls()
        if isinstance(kept, Mapping):
            for name, default in cls().__dict__.items():
                value = kept.get(name)
                if isinstance(default, float) or name in ("session_wh", "level"):
                    value = _number(value)
                elif name in ("amps", "shown"):
                    value = int(amps) if (amps := _number(value)) is not None and 0 <= amps <= MOST_A else None
                elif name == "guard_a":
                    value = int(amps) if (amps := _number(value)) is not None and LEAST_A <= amps <= MOST_A else 0
                elif name == "orders":
                    value = _orders(value)
                elif not isinstance(value, type(default)):
                    value = None
                if value is not None:
                    setattr(made, name, value)
            if made.mode not in POINT_MODES:
                made.mode = FREE
            changes = map(_number, made.phase_changes)
            made.phase_changes = sorted(each for each in changes if each is not None)
        return made

    def next_hour(self, now: float, days: Sequence[int], zone: tzinfo) -> float | None:
        """Unix time of the next hour of the goal after `now`; None without a goal."""
        at = time_of_day(self.goal_time)
        if at is None or max(self.goal_kwh, self.goal_percent) <= 0 or not days:
            return None
        day = datetime.fromtimestamp(now, zone).replace(hour=at[0], minute=at[1], second=0, microsecond=0)
        for ahead in range(8):
            # Of wall time: a day of 23 or 25 hours has that hour too.
            candidate = (day.replace(tzinfo=None) + timedelta(days=ahead)).replace(tzinfo=zone)
            if candidate.timestamp() > now and candidate.isoweekday() in days:
                return candidate.timestamp()
        return None


@dataclass
class LoadState:
    """What is kept of a driven load."""

    mode: str = FREE
    on: bool = False
    ran_s: float = 0.0
    day: str = ""
    power: float | None = None
    """Learnt from the meter."""
    steps: list[float] = field(default_factory=list)
    asked: bool = False
    """Jeedom was asked to switch it."""

    def state(self) -> dict[str, Any]:
        """As JSON takes it."""
        return dict(self.__dict__)

    @classmethod
    def restore(cls, kept: object) -> LoadState:
        """From `state()`; what cannot be read is left at its default."""
        made = cls()
        if isinstance(kept, Mapping):
            if kept.get("mode") in LOAD_MODES:
                made.mode = str(kept["mode"])
            made.on, made.asked = kept.get("on") is True, kept.get("asked") is True
            made.day = str(kept.get("day", ""))
            for name in ("ran_s", "power"):
                value = _number(kept.get(name))
                if value is not None:
                    setattr(made, name, value)
            steps = kept.get("steps")
            known = map(_number, steps) if isinstance(steps, list) else ()
            made.steps = [each for each in known if each is not None]
        return made


def _orders(value: object) -> list[list[float]]:
    """The set-points on their way as they were kept."""
    pairs = [each for each in value if isinstance(each, list) and len(each) == 2] if isinstance(value, list) else []
    known = [(_number(at), _number(amps)) for at, amps in pairs]
    return [[at, amps] for at, amps in known if at is not None and amps is not None and 0 <= amps <= MOST_A]


def _number(value: object) -> float | None:
    """A figure as it was kept; None for anything else."""
    number = finite(value)
    return number if number is not None and abs(number) <= LARGEST else None
