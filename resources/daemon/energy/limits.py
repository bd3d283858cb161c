"""What must not be exceeded: subscribed power, per phase, with the meter's own clock of how long an excess lasts.

Pure. Apparent powers in VA, currents in A, times in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

LEAST_A = 6
"""No car charges with less (IEC 61851)."""
START_A = 7
MARGIN_SHARE, MARGIN_VA = 0.05, 200.0
RAISE_AFTER_S = 60.0
RESUME_AFTER_S = 120.0
ALL_AT_ONCE_S = 60.0
"""A trip nearer than this: everything gives way at once."""
DECAY = 0.992
TRIP_RATIO = 1.3
"""Linky (Enedis-NOI-CPT_54E v3, section 7): each second Y = 0.008 S² + 0.992 Y; it opens when Y >= (1.3 PCOUP)²."""


@dataclass
class TripClock:
    """The meter's thermal image of one phase: how long until it cuts off."""

    subscribed: float
    heat: float | None = None

    def add(self, apparent: float, seconds: float = 1.0) -> None:
        """Takes `seconds` of an apparent power. The first sample stands for all that was before."""
        square = max(apparent, 0.0) ** 2
        if self.heat is None:
            self.heat = square
        self.heat = square + (self.heat - square) * DECAY**seconds

    def seconds(self, apparent: float) -> float:
        """Seconds until the meter cuts off if nothing changes; infinity if it never does."""
        square, trip = max(apparent, 0.0) ** 2, (TRIP_RATIO * self.subscribed) ** 2
        heat = square if self.heat is None else self.heat
        if heat > trip:
            return 0.0
        if square <= trip:
            return math.inf
        return math.log((square - trip) / (square - heat)) / math.log(DECAY)


@dataclass(frozen=True)
class PhaseLimit:
    """The limit of one phase. `soft`: what the rules aim at."""

    limit: float

    @property
    def soft(self) -> float:
        """The limit less 5 %, at least 200 VA."""
        return self.limit - max(MARGIN_SHARE * self.limit, MARGIN_VA)


@dataclass
class Headroom:
    """For each phase: what the rest of the house leaves to a charger, and since when it has left more than is used."""

    limits: Sequence[PhaseLimit]
    voltage: float
    _more_since: dict[str, float] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    """Chargers that a limit has lowered and not given back to yet."""

    def most(self, rest: Sequence[float], phases: Sequence[int]) -> int:
        """A that a charger on these phases (0-based) may draw beside `rest` (VA a phase)."""
        left = [self.limits[phase].soft - rest[phase] for phase in phases]
        return max(0, math.floor(min(left) / self.voltage + 1e-9))

    def allowed(self, name: str, now: float, most: int, amps: int, paced: bool = False) -> int:
        """A that a charger which has `amps` may be given now: less at once, more only after a while.

        More: all of the headroom after 60 s, and from a pause after 120 s of at least 7 A. `paced`: the sun's rules see
        to it that it does not rise too often: only what a limit has taken has to wait. So does no first start.
        """
        if most < amps:
            self._more_since.pop(name, None)
            self._taken.add(name)
            return most if most >= LEAST_A else 0
        if (paced or amps == 0) and name not in self._taken:
            return most
        if most == amps:
            self._more_since.pop(name, None)
            return amps
        enough = most >= START_A if amps == 0 else True
        if not enough:
            self._more_since.pop(name, None)
            return amps
        since = self._more_since.setdefault(name, now)
        if now - since < (RESUME_AFTER_S if amps == 0 else RAISE_AFTER_S):
            return amps
        self._more_since.pop(name, None)
        self._taken.discard(name)
        return most


@dataclass
class UsualRoom:
    """What the limits leave to cars beside what the rest of the house usually draws: plans count on no more."""

    MEAN_S = 3600.0

    limits: Sequence[PhaseLimit]
    _rest: list[float] = field(default_factory=list)
    _seconds: float = 0.0

    def add(self, seconds: float, rest: Sequence[float]) -> None:
        """Takes `seconds` of the rest of the house, in VA of each phase."""
        self._seconds = min(self._seconds + seconds, self.MEAN_S)
        share = min(1.0, seconds / self._seconds) if self._seconds else 1.0
        before = self._rest or list(rest)
        self._rest = [was + share * (now - was) for was, now in zip(before, rest)]

    def kw(self, phases: int) -> float:
        """kW for a charger on so many phases; infinity without limits."""
        left = [limit.soft - rest for limit, rest in zip(self.limits, self._rest)]
        return max(0.0, min(left)) * phases / 1000 if left else math.inf


def phase_limits(subscribed: float | None, phases: int) -> list[PhaseLimit]:
    """From the subscribed power in VA: the whole of it, or a third for each of three phases, as a Linky checks it."""
    return [PhaseLimit(subscribed / phases)] * phases if subscribed else []
