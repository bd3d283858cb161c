"""Whether the clock can be believed: one that was stepped is followed once it has stood for a while.

What is counted meanwhile is lost by no counter. Pure: all moments are handed in.
"""

from __future__ import annotations

from dataclasses import dataclass

STEP_S = 5.0
"""What a clock may gain or lose between two looks, beside the time that never steps, and still count as running."""
STANDS_S = 300.0
"""A stepped clock is believed once it has stood for so long: one that is set right again has moved nothing by then."""
MOST_DOUBT_S = 900.0
"""A clock that is stepped again and again is followed as it is."""


@dataclass
class SteadyClock:
    """`ahead`: s that the clock that is believed shows beyond the time that never steps."""

    ahead: float | None = None
    told: float = 0.0
    """What it would be by the clock in doubt."""
    stands_since: float = 0.0
    doubted_since: float | None = None

    @property
    def in_doubt(self) -> bool:
        """Whether the clock was stepped and is not believed yet."""
        return self.doubted_since is not None

    def look(self, now: float, monotonic: float) -> float | None:
        """Seconds by which the clock was stepped that is believed from now on, mostly 0; None while it is in doubt."""
        ahead = now - monotonic
        if self.ahead is None or abs(ahead - self.ahead) <= STEP_S:
            self.ahead, self.doubted_since = ahead, None
            return 0.0
        if self.doubted_since is None:
            self.doubted_since = self.stands_since = monotonic
            self.told = ahead
        elif abs(ahead - self.told) > STEP_S:
            self.told, self.stands_since = ahead, monotonic
        if monotonic - self.stands_since < STANDS_S and monotonic - self.doubted_since < MOST_DOUBT_S:
            return None
        stepped, self.ahead, self.doubted_since = ahead - self.ahead, ahead, None
        return stepped
