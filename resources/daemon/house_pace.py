"""How often the house looks: right after news, and once a second."""

from __future__ import annotations

PACE_S = 1.0
"""Between two looks."""
EARLY_S = 0.1
"""What a look may come too early after one that was late, so that no delay stays for good."""
SOON_S = 0.02
"""From news to a look: readings of one answer come one after the other."""


class LookPace:
    """When to look again. Moments are monotonic, in seconds.

    Meters are read each second as well: a look that came long after its newest reading would come as long after each
    one to follow. It moves the next one to where that reading comes again.
    """

    def __init__(self) -> None:
        self._next = float("-inf")
        """Before that there is no look."""
        self._first: float | None = None
        self._newest = 0.0
        """Of the news since the last look."""

    def looked(self, now: float) -> None:
        """A look begins."""
        self._next = max(self._next + PACE_S, now + PACE_S - EARLY_S)
        if self._first is not None and now - self._newest > EARLY_S:
            self._next += (self._newest + SOON_S - self._next) % PACE_S
        self._first = None

    def wait(self, now: float) -> float:
        """Seconds from this news to the next look. More news does not put it off."""
        self._first = now if self._first is None else self._first
        self._newest = now
        return max(self._first + SOON_S, self._next) - now
