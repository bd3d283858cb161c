"""Self-consumption: a stage switches a load on while there is surplus, and off without.

Pure: time and power are handed in. Powers in W (surplus: + exports, - imports), times in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StageSettings:
    """When a stage switches. `phase`: '' for the sum, else '.1' to '.3'; `on_above`, `off_below`: W; rest: seconds.

    `delay`: how long the surplus must stay beyond a threshold.
    """

    phase: str
    on_above: float
    off_below: float
    delay: float
    least_on: float
    least_off: float

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> StageSettings | None:
        """Parses the equipment's settings; None if a threshold is missing or `on_above` is not above `off_below`."""
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
    """Seconds without data after which the load is switched off; infinite if disabled."""
    try:
        minutes = float(config.get("offAfter", 15))
    except (TypeError, ValueError):
        minutes = 15.0
    return minutes * 60.0 if minutes > 0 else math.inf


@dataclass
class Stage:
    """The state of one stage. `since`: last switching, `crossed`: threshold crossed, `seen`: last data; Unix time.

    `starved`: it was switched off for lack of data.
    """

    on: bool = False
    since: float = 0.0
    crossed: float | None = None
    seen: float = 0.0
    starved: bool = False

    def step(self, settings: StageSettings, surplus: float, now: float, max_gap_s: float) -> bool:
        """Takes a fresh surplus in W; returns True if the stage switches.

        `max_gap_s`: seconds without data after which the delay restarts.
        """
        if not 0 <= now - self.seen <= max_gap_s:
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
        """Switches off regardless of the minimum time: without data the cost of staying on is unknown."""
        self.on, self.since, self.crossed, self.starved = False, now, None, True

    def state(self) -> dict[str, Any]:
        """State to persist."""
        return {"on": self.on, "since": self.since, "seen": self.seen, "starved": self.starved}

    @classmethod
    def restore(cls, kept: Any) -> Stage:
        """Restores persisted state; anything else gives a new stage."""
        if not isinstance(kept, Mapping):
            return cls()
        try:
            since, seen = (float(kept.get(key) or 0.0) for key in ("since", "seen"))
        except (TypeError, ValueError):
            since = seen = 0.0
        return cls(bool(kept.get("on")), since, None, seen, bool(kept.get("starved")))
