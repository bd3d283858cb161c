"""Self-consumption: a stage switches something on while there is surplus, and off when there is none.

Pure: time and power are handed in. Powers in W (surplus: + exports, - imports), times in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StageSettings:
    """When a stage acts. `phase`: '' for all together; `delay`: how long the surplus must stay beyond a threshold."""

    phase: str
    on_above: float
    off_below: float
    delay: float
    least_on: float
    least_off: float

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> StageSettings | None:
        """From the equipment's settings; None when a threshold is missing or they are the wrong way round."""
        try:
            on_above, off_below = float(config["onAbove"]), float(config["offBelow"])
            times = [float(config.get(key) or 0) for key in ("delay", "leastOn", "leastOff")]
        except (KeyError, TypeError, ValueError):
            return None
        if not on_above > off_below:
            return None
        phase = str(config.get("phase", "total"))
        return cls(f".{phase}" if phase in ("1", "2", "3") else "", on_above, off_below, *times)


def off_after(config: Mapping[str, Any]) -> float:
    """Seconds without data after which the load is switched off; infinite when that is never wanted."""
    try:
        minutes = float(config.get("offAfter", 15))
    except (TypeError, ValueError):
        minutes = 15.0
    return minutes * 60.0 if minutes > 0 else math.inf


@dataclass
class Stage:
    """The state of one stage: on or off, since when, since when a threshold has been crossed, when last looked at.

    `starved`: it is off since there was no data any more.
    """

    on: bool = False
    since: float = 0.0
    crossed: float | None = None
    seen: float = 0.0
    starved: bool = False

    def step(self, settings: StageSettings, surplus: float, now: float, patience: float) -> bool:
        """Takes a fresh surplus; True when the stage has just switched.

        `patience`: seconds without data after which what was seen before no longer counts for the delay.
        """
        if not 0 <= now - self.seen <= patience:
            self.crossed = None
        self.seen = now
        beyond = surplus < settings.off_below if self.on else surplus > settings.on_above
        if not beyond:
            self.crossed = None
            return False
        if self.crossed is None:
            self.crossed = now
        least = settings.least_on if self.on else settings.least_off
        # A clock that was stepped back must not hold a stage for hours.
        held = 0 <= now - self.since < least
        if now - self.crossed < settings.delay or held:
            return False
        self.on, self.since, self.crossed, self.starved = not self.on, now, None, False
        return True

    def give_up(self, now: float) -> None:
        """Off, whatever the least time: without data nobody knows what it costs to stay on."""
        self.on, self.since, self.crossed, self.starved = False, now, None, True

    def state(self) -> dict[str, Any]:
        """What survives a restart."""
        return {"on": self.on, "since": self.since, "seen": self.seen, "starved": self.starved}

    @classmethod
    def restore(cls, kept: Any) -> Stage:
        """From what was kept."""
        if not isinstance(kept, Mapping):
            return cls()
        try:
            since, seen = (float(kept.get(key) or 0.0) for key in ("since", "seen"))
        except (TypeError, ValueError):
            since = seen = 0.0
        return cls(bool(kept.get("on")), since, None, seen, bool(kept.get("starved")))
