"""Decides whether a reading of a meter's index may follow the one before.

A counter grows, and only by what the installation can use since the last reading. Readings that do not fit (0 just
after a boot, a digit too many, the index of another meter) are held back until time has confirmed them: the same wrong
figure, read again a second later from the same cache, proves nothing.

Pure: times are handed in, as Unix time in seconds. The unit of an index is the caller's, the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from .numbers import finite

MAX_STEP_SHARE = 0.6
"""Share of the time that confirms an index that may pass between two readings: a stepped clock proves nothing."""


class Verdict(Enum):
    """What a reading was taken for."""

    ACCEPTED = "accepted"
    """It follows from the last one."""
    HELD = "held"
    """It does not; not to be shown. Reported by `news` for the first of a row."""
    RESTARTED = "restarted"
    """Time has confirmed that the counter goes on from another index."""
    REPLACED = "replaced"
    """Another meter, told by its identity; its index counts from here on."""


@dataclass(frozen=True)
class Reading:
    """The outcome of one reading. `value`: what may be shown (never below the last one); None while in doubt.

    `news`: True once for each row of doubtful readings, and for each restart or replacement: log or tell it then.
    `origin`: where a counter that has restarted or was replaced goes on from, as (index, Unix time) of the first
    reading there; the step to it is no consumption, what follows is.
    """

    value: float | None
    verdict: Verdict
    news: bool = False
    origin: tuple[float, float] | None = None


@dataclass(frozen=True)
class Limits:
    """What is possible for one counter, in its own unit.

    `per_hour`: the most it can grow in an hour (a house of 36 kVA: 36 kWh). `slack`: growth that is always accepted,
    for readings close together. `jitter`: steps back that are rounding, not a fall. A doubtful index is believed after
    `confirm_s` seconds and `confirm_readings` readings that agree with each other.
    """

    per_hour: float
    slack: float
    jitter: float = 0.0
    confirm_s: float = 900.0
    confirm_readings: int = 3


@dataclass(frozen=True)
class _Doubt:
    value: float
    since: float
    at: float
    readings: int = 1
    first: float = 0.0
    """The index at `since`."""
    waited_s: float = 0.0
    """Seconds that have passed since then, of which MAX_STEP_SHARE limits those between two readings."""


class CounterGuard:
    """Guards one counter. `state` and `restore` carry it over a restart."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.last: float | None = None
        """The newest accepted index."""
        self.at = 0.0
        """When that was read."""
        self.meter = ""
        self._doubt: _Doubt | None = None

    def read(self, value: float, now: float, meter: str = "") -> Reading:
        """Takes a reading of `value` at `now`.

        `meter`: the meter's identity (serial number) if the device tells it; another one than before replaces the meter
        at once. A first reading of 0 waits for confirmation like a fall, since devices that have just started count
        from 0 until their memory is loaded.
        """
        if self.last is not None and meter and self.meter and meter != self.meter:
            self._accept(value, now, meter)
            return Reading(value, Verdict.REPLACED, news=True, origin=(value, now))
        if self.last is None:
            if value != 0:
                self._accept(value, now, meter)
                return Reading(value, Verdict.ACCEPTED)
        elif self._follows(value, self.last, now - self.at):
            self._accept(max(value, self.last), now, meter)
            return Reading(self.last, Verdict.ACCEPTED)
        return self._doubtful(value, now, meter)

    def _doubtful(self, value: float, now: float, meter: str) -> Reading:
        doubt = self._doubt
        if doubt is None or not self._follows(value, doubt.value, now - doubt.at) or now < doubt.since:
            self._doubt = _Doubt(value, now, now, first=value)
            return Reading(None, Verdict.HELD, news=doubt is None)
        waited_s = doubt.waited_s + min(max(now - doubt.at, 0.0), MAX_STEP_SHARE * self.limits.confirm_s)
        self._doubt = doubt = replace(doubt, value=value, at=now, readings=doubt.readings + 1, waited_s=waited_s)
        waited = round(waited_s, 3) >= self.limits.confirm_s
        confirmed = waited and doubt.readings >= self.limits.confirm_readings
        if not confirmed:
            return Reading(None, Verdict.HELD)
        first = self.last is None
        self._accept(value, now, meter)
        origin = (doubt.first, doubt.since)
        return Reading(value, Verdict.ACCEPTED if first else Verdict.RESTARTED, news=not first, origin=origin)

    def _follows(self, value: float, last: float, seconds: float) -> bool:
        most = self.limits.slack + self.limits.per_hour * max(seconds, 0.0) / 3600
        return last - self.limits.jitter <= value <= last + most

    def _accept(self, value: float, now: float, meter: str) -> None:
        self.last, self.at, self._doubt = value, now, None
        self.meter = meter or self.meter

    def state(self) -> dict[str, Any]:
        """What survives a restart, as JSON."""
        doubt = asdict(self._doubt) if self._doubt else None
        return {"last": self.last, "at": self.at, "meter": self.meter, "doubt": doubt}

    def restore(self, kept: Any) -> None:
        """Takes over what `state` returned; anything else leaves the guard as it is."""
        if not isinstance(kept, Mapping):
            return
        last, at = finite(kept.get("last")), finite(kept.get("at"))
        if last is None or at is None:
            return
        self.last, self.at, self.meter = last, at, str(kept.get("meter") or "")
        doubt = kept.get("doubt")
        if isinstance(doubt, Mapping):
            numbers = [finite(doubt.get(name)) for name in ("value", "since", "at", "readings")]
            if None not in numbers:
                value, since, seen, readings = (number or 0.0 for number in numbers)
                begun, waited = finite(doubt.get("first")), finite(doubt.get("waited_s"))
                self._doubt = _Doubt(
                    value, since, seen, int(readings), value if begun is None else begun, waited or 0.0
                )


class CounterGuards:
    """The guards of many counters by name, kept together."""

    def __init__(self, kept: Any = None) -> None:
        self._kept: Mapping[str, Any] = kept if isinstance(kept, Mapping) else {}
        self._guards: dict[str, CounterGuard] = {}

    def read(self, name: str, value: float, now: float, limits: Limits, meter: str = "") -> Reading:
        """Takes a reading of the counter `name`; see `CounterGuard.read`."""
        return self.guard(name, limits).read(value, now, meter)

    def guard(self, name: str, limits: Limits) -> CounterGuard:
        """The guard of one counter, as it was kept; from now on with these limits."""
        guard = self._guards.get(name)
        if guard is None:
            guard = self._guards[name] = CounterGuard(limits)
            guard.restore(self._kept.get(name))
        guard.limits = limits
        return guard

    def last(self, name: str) -> float | None:
        """The newest accepted index of a counter."""
        guard = self._guards.get(name)
        return guard.last if guard else finite((self._kept.get(name) or {}).get("last"))

    def forget(self, name: str) -> None:
        """The counter starts anew: the user has changed what it counts."""
        self._guards.pop(name, None)
        self._kept = {other: state for other, state in self._kept.items() if other != name}

    def state(self) -> dict[str, Any]:
        """What survives a restart, also of counters that have not been read since the last one."""
        return {**self._kept, **{name: guard.state() for name, guard in self._guards.items()}}
