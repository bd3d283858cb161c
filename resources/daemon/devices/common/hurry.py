"""Reads more often while somebody acts on what is read, and as the user has chosen afterwards.

Asking ends by itself: who dies while he drives leaves no system behind that is asked twelve times as often for ever.
"""

from __future__ import annotations

from jeedom_bridge.clock import Clock

LASTS_S = 180.0
LEAST_S = 2.0
"""No system is read more often than so because of it."""


class Hurry:
    """Of one connection. Periods in seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._period = float("inf")
        self._until = float("-inf")

    def ask(self, period: float) -> None:
        """Readings are wanted at least every `period` s, for the next three minutes."""
        self._period, self._until = max(LEAST_S, period), self._clock.monotonic() + LASTS_S

    def period(self, usual: float) -> float:
        """The period of now, where the user has chosen `usual`."""
        return min(usual, self._period) if self._clock.monotonic() < self._until else usual
