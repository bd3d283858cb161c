"""From the set-point that the rules want to the charger: sent, proved, seen, sent again, within a budget. Pure.

Times are seconds of a clock that never steps, currents in A.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ..charging import LOWER_EVERY_S
from ..ports import Acts, Attempt

SUPERSEDE_S = 5.0
"""A lower limit does not wait longer for the proof of the one before."""
SEEN_S = 20.0
"""By then a charger that has obeyed shows it."""
ON_ITS_WAY_S = 60.0
"""A limit that the charger shows later than this after it was sent is no echo of ours."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 10.0, 300.0
MOST_PER_HOUR = 60
"""Set-points of one charger. With the requests that a proof may take this is under a tenth of what accounts allow."""
TELL_AFTER = 3
"""Failures after which the user gets a message."""


@dataclass
class Wish:
    """The set-point of one charger on its way. `told`, in `follow`, is the limit that the charger shows."""

    charger: str
    sent: int | None = None
    seen: bool = False
    """The charger has shown what was sent."""
    failures: int = 0
    failure: str = ""
    requests: int = 0
    _attempt: Attempt | None = None
    _failed: bool = False
    _sent_at: float = float("-inf")
    _next: float = float("-inf")
    _shown: int | None = None
    """What the charger showed when the last set-point was sent."""
    _hour: deque[tuple[float, int]] = field(default_factory=deque)
    """When each set-point of the last hour was sent, and its value."""

    def adopt(self, told: int) -> None:
        """What the charger shows is taken as what was wanted: after a restart, or when somebody else has set it."""
        self.sent, self.seen, self._attempt, self._failed, self.failures, self.failure = told, True, None, False, 0, ""

    def forget(self) -> None:
        """The charger may have lost its limit (a car was plugged in, it was away): it is sent again."""
        self.sent, self.seen, self._failed, self._next = None, False, False, float("-inf")

    @property
    def lost(self) -> bool:
        """Whether several set-points in a row were not obeyed."""
        return self.failures >= TELL_AFTER

    def rest(self, now: float) -> float:
        """Seconds until the next try."""
        return max(0.0, self._next - now)

    def fulfilled(self, wanted: int) -> bool:
        """Whether the charger has shown the set-point: a limit that differs from now on is somebody else's."""
        return self.sent == wanted and self.seen and self._attempt is None

    def foreign(self, now: float, told: int | None) -> bool:
        """Whether the limit shown is neither what was shown before the last set-point nor one of ours on its way.

        Somebody may change the limit before the charger has shown ours.
        """
        if self.sent is None or self._attempt is not None or told is None or told == self._shown:
            return False
        return all(amps != told for at, amps in self._hour if at >= now - ON_ITS_WAY_S)

    def follow(self, now: float, wanted: int, told: int | None, acts: Acts) -> bool:
        """Takes what is wanted now; True if something was sent."""
        self._settle(now)
        if self._attempt is None and self.sent is not None and told == wanted and (self.seen or self.sent == wanted):
            self.adopt(wanted)
        elif (
            self._attempt is None
            and self.sent is not None
            and not (self.seen or self._failed)
            and now - self._sent_at >= SEEN_S
        ):
            self._fail(now, None, "")
        if self.sent == wanted and not self._failed:
            return False
        if not self._may_send(now, wanted):
            return False
        self._hour.append((now, wanted))
        self.requests += 1
        self._shown = told
        self.sent, self.seen, self._failed, self._sent_at = wanted, False, False, now
        self._attempt = acts.begin(self.charger, "charger.current", wanted)
        return True

    def _may_send(self, now: float, wanted: int) -> bool:
        while self._hour and self._hour[0][0] <= now - 3600:
            self._hour.popleft()
        lower = self.sent is not None and wanted < self.sent
        if self._attempt is not None and not (lower and now - self._sent_at >= SUPERSEDE_S):
            return False
        if now < self._next:
            return False
        # A pause or a lower limit may always go out: the budget is for comfort.
        return lower or len(self._hour) < MOST_PER_HOUR

    def _settle(self, now: float) -> None:
        attempt = self._attempt
        if attempt is None or not attempt.over:
            return
        self._attempt = None
        if not attempt.done:
            self._fail(now, attempt.retry_s, attempt.failure)

    def _fail(self, now: float, retry_s: float | None, failure: str) -> None:
        self.failures += 1
        self._failed = True
        self.failure = failure or self.failure
        pause = min(FIRST_PAUSE_S * 2 ** min(self.failures - 1, 10), LONGEST_PAUSE_S)
        self._next = now + max(pause, retry_s or 0.0, LOWER_EVERY_S)
