"""The house at this moment: powers by node, what flows where, the rates of now.

Pure. Powers in W, with the signs of the vocabulary (grid + draws, battery + discharges). A part that is not known
makes the sums it belongs to unknown, never smaller; what a house does not have is 0.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from .balance import Energies, Flows, flows
from .ports import Reading
from .surplus import RESERVE_W
from .topology import Role, power_of

FRESH_S = 15.0
"""A power is current for so long whatever its source's pace."""
POLLS = 3
"""... or for so many of its usual intervals."""
MOST_S = 900.0
"""... but never for longer. Some sources tell changes only, and confirm now and then that nothing has changed."""
MIN_SILENCE_S = 30.0
"""A meter is called silent at such an age at the earliest, and only after POLLS of its longest recent intervals."""
STEPS_KEPT = 8
STEPS_KNOWN = 2
"""A pace is known once it has told something new so many times."""
SLOW_AGAIN_S = 300.0
"""A meter that is read more often while something is driven is read as the user has set it again so long afterwards."""
POWERS = ("grid.power", "house.power", "solar.power", "battery.power")
"""Roles without which the power of the house is not known."""
CONTRADICTION_W = -100.0
CONTRADICTION_S = 60.0
"""A base load below that for so long means that meters contradict each other."""


@dataclass
class Pace:
    """How often a source tells something new, learnt from the dates of its readings."""

    last: float | None = None
    usual_s: float = 5.0
    steps: deque[float] = field(default_factory=lambda: deque(maxlen=STEPS_KEPT))
    """The newest intervals, in s."""

    def add(self, at: float, own: bool = True) -> None:
        """Takes the date (Unix time) of a reading; `own`: at the source's own pace, from which alone it is learnt."""
        if own and self.last is not None and at > self.last:
            step = min(at - self.last, MOST_S)
            self.steps.append(step)
            self.usual_s += (step - self.usual_s) * (0.3 if step > self.usual_s else 0.1)
        if self.last is None or at > self.last:
            self.last = at

    @property
    def limit_s(self) -> float:
        """The age in seconds up to which a reading is the state of now."""
        return min(max(FRESH_S, POLLS * self.usual_s), MOST_S)

    @property
    def silent_s(self) -> float:
        """The age in seconds from which the source counts as silent.

        By the longest interval, since a source that tells changes often may also pause, and a pause is no fault.
        """
        longest = max(self.steps) if len(self.steps) >= STEPS_KNOWN else MOST_S
        return max(MIN_SILENCE_S, POLLS * longest)


class Paces(dict[str, Pace]):
    """The paces of all sources by their keys. Times are seconds of a clock that never steps."""

    def __init__(self) -> None:
        super().__init__()
        self._now = -inf
        self._hurried: dict[str, float] = {}
        """Until when an equipment is read more often than it is set to be."""

    def add(self, readings: Iterable[Reading], now: float) -> None:
        """Takes the newest readings."""
        self._now = now
        for reading in readings:
            own = now > self._hurried.get(reading.source.equipment, -inf)
            self.setdefault(reading.source.key, Pace()).add(reading.at, own)

    def shift(self, seconds: float) -> None:
        """The clock that dates the readings was stepped by so much."""
        for pace in self.values():
            pace.last = None if pace.last is None else pace.last + seconds

    def hurry(self, equipment: str) -> None:
        """From now on and for some minutes it is read more often: that is no pace of its own."""
        self._hurried[equipment] = self._now + SLOW_AGAIN_S


@dataclass(frozen=True)
class Live:
    """All of it in W; None: not known now. `chargers` and `loads` by equipment id. Rates are fractions."""

    grid: float | None = None
    solar: float | None = None
    battery: float | None = None
    house: float | None = None
    base: float | None = None
    surplus: float | None = None
    chargers: Mapping[str, float | None] = field(default_factory=dict)
    loads: Mapping[str, float | None] = field(default_factory=dict)
    self_consumption: float | None = None
    autonomy: float | None = None
    flows: Flows | None = None
    oldest: float | None = None
    """Unix time of the oldest reading that is in it; None if there is none."""


def _by_name(roles: Iterable[Role]) -> dict[str, list[Role]]:
    result: dict[str, list[Role]] = {}
    for role in roles:
        if role.used:
            result.setdefault(role.role, []).append(role)
    return result


class Moment:
    """Sees to it that only what is current counts: readings of now, by the roles in use."""

    def __init__(self, readings: Mapping[str, Reading], paces: Mapping[str, Pace], now: float) -> None:
        self._readings = readings
        self._paces = paces
        self._now = now
        self.oldest: float | None = None

    def power(self, role: Role) -> float | None:
        """W of a role; None when it is old, in doubt or not there."""
        for source in (role.source, role.less):
            if source is None:
                continue
            reading = self._readings.get(source.key)
            limit = inf if role.changes else self._paces.get(source.key, _USUAL).limit_s
            if reading is None or reading.doubtful or reading.age(self._now) > limit:
                return None
            self.oldest = reading.at if self.oldest is None else min(self.oldest, reading.at)
        return power_of(role, self._readings)

    def silent(self, roles: Iterable[Role]) -> list[Reading]:
        """What should tell the powers of the house, but is in doubt or has told nothing for too long; oldest first."""
        found = []
        for role in roles:
            reading = self._readings.get(role.source.key)
            if role.used and role.role in POWERS and reading is not None:
                limit = inf if role.changes else self._paces.get(role.source.key, _USUAL).silent_s
                if reading.doubtful or reading.age(self._now) > limit:
                    found.append(reading)
        return sorted(found, key=lambda reading: reading.at)

    def total(self, roles: Sequence[Role]) -> float | None:
        """The sum over all roles: 0 without any, None as soon as one is not known."""
        return whole([self.power(role) for role in roles])


_USUAL = Pace()


def whole(parts: Iterable[float | None]) -> float | None:
    """The sum, or None if a part is not known."""
    total = 0.0
    for part in parts:
        if part is None:
            return None
        total += part
    return total


def live(roles: Iterable[Role], moment: Moment) -> Live:
    """The house of this moment. Without a meter of the grid, a meter of the house tells what the grid gives."""
    by_name = _by_name(roles)
    solar = moment.total(by_name.get("solar.power", ()))
    battery = moment.total(by_name.get("battery.power", ()))
    solar = None if solar is None else max(solar, 0.0)  # an inverter draws a few watts at night
    grid = moment.total(by_name["grid.power"]) if "grid.power" in by_name else None
    if "grid.power" in by_name:
        house = whole((grid, solar, battery))
    else:
        house = moment.total(by_name["house.power"]) if "house.power" in by_name else None
        grid = None if house is None or solar is None or battery is None else house - solar - battery
    chargers = {role.source.equipment: moment.power(role) for role in by_name.get("charger.power", ())}
    loads = {role.source.equipment: moment.power(role) for role in by_name.get("load.power", ())}
    consumers = [*chargers.values(), *loads.values()]
    base = whole((house, *(None if each is None else -each for each in consumers)))
    charging = whole(chargers.values())
    surplus = None
    if grid is not None and battery is not None and charging is not None:
        surplus = charging - grid - max(battery, 0.0) - RESERVE_W
    shares = _shares(grid, solar, battery)
    return Live(grid, solar, battery, house, base, surplus, chargers, loads, *shares, moment.oldest)


def _shares(
    grid: float | None, solar: float | None, battery: float | None
) -> tuple[float | None, float | None, Flows | None]:
    """(self-consumption, autonomy, flows in W) of now. Of the battery's power nobody knows now where it came from:
    what it gives counts as the house's own."""
    if grid is None or solar is None or battery is None:
        return None, None, None
    energies = Energies(max(grid, 0.0), max(-grid, 0.0), solar, max(-battery, 0.0), max(battery, 0.0))
    flow = flows(energies)
    house = energies.house
    own = min(max((solar - flow.s2g) / solar, 0.0), 1.0) if solar > 1.0 else None
    autonomy = min(max((flow.s2h + flow.b2h) / house, 0.0), 1.0) if house > 1.0 else None
    return own, autonomy, flow


@dataclass
class Contradiction:
    """Whether the meters contradict each other: the base load is negative for a minute."""

    since: float | None = None

    def update(self, monotonic: float, base: float | None) -> bool:
        """Takes the base load (W) of a moment of a clock that never steps."""
        if base is None or base >= CONTRADICTION_W:
            self.since = None
        elif self.since is None:
            self.since = monotonic
        return self.since is not None and monotonic - self.since >= CONTRADICTION_S
