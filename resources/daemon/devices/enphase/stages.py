"""Self-consumption: a stage switches something on while there is surplus, and off when there is none.

Pure: time and power are handed in. Powers in W (surplus: + exports, - imports), times in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StageSettings:
    """When a stage acts. `delay`: how long the surplus must stay beyond a threshold before it does."""

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
        except (KeyError, TypeError, ValueError):
            return None
        if on_above <= off_below:
            return None
        return cls(
            on_above,
            off_below,
            float(config.get("delay", 0)),
            float(config.get("leastOn", 0)),
            float(config.get("leastOff", 0)),
        )


@dataclass
class Stage:
    """The state of one stage: on or off, since when, and since when a threshold has been crossed."""

    on: bool = False
    since: float = float("-inf")
    crossed: float | None = None

    def step(self, settings: StageSettings, surplus: float, now: float) -> bool:
        """Takes a fresh surplus; True when the stage has just switched."""
        beyond = surplus < settings.off_below if self.on else surplus > settings.on_above
        if not beyond:
            self.crossed = None
            return False
        if self.crossed is None or self.crossed > now:
            self.crossed = now
        least = settings.least_on if self.on else settings.least_off
        # A clock that was stepped back must not hold a stage for hours.
        held = 0 <= now - self.since < least
        if now - self.crossed < settings.delay or held:
            return False
        self.on, self.since, self.crossed = not self.on, now, None
        return True

    def state(self) -> dict[str, Any]:
        """What survives a restart."""
        return {"on": self.on, "since": self.since if self.since > 0 else 0.0}

    @classmethod
    def restore(cls, kept: Mapping[str, Any] | None) -> Stage:
        """From what was kept."""
        kept = kept or {}
        return cls(bool(kept.get("on")), float(kept.get("since") or 0.0))
