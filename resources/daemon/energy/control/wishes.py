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
ON_ITS_WAY_S = 300.0
"""A limit that the charger shows later than this after it was sent is no echo of ours."""
LOST_S = 60.0
"""For so long after a charger may have lost its limit, one that it shows may be what it falls back to."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 10.0, 300.0
MOST_PER_HOUR = 60
"""Set-points of one charger. With the requests that a proof may take this is under a tenth of what accounts allow."""
TELL_AFTER = 3
"""Failures after which the user gets a message."""


@dataclass
class Wish:
    """The set-point of one charger on its way. `told`, in `follow`, is the limit that the charger shows.

    A charger shows what it was set to in that order, seconds later: what comes between ours is somebody else's.
    """

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
    """What the charger has shown last."""
    _lost_at: float = float("-inf")
    _pending: deque[tuple[float, int]] = field(default_factory=deque)
    """The set-points that the charger has not shown yet, and when each was sent."""
    _hour: deque[float] = field(default_factory=deque)
    """When each set-point of the last hour was sent."""

    def adopt(self, told: int) -> None:
        """What the charger shows is taken as what was wanted: after a restart, or when somebody else has set it."""
        self.sent, self.seen, self._attempt, self._failed, self.failures, self.failure = told, True, None, False, 0, ""
        self._shown = told

    def forget(self, lost_at: float | None = None) -> None:
        """It is sent again. `lost_at`: the charger may have lost it then (a car was plugged in, it was away)."""
        self.sent, self.seen, self._failed, self._next = None, False, False, float("-inf")
        self._lost_at = self._lost_at if lost_at is None else lost_at

    def hear(self, now: float, told: int) -> bool:
        """Takes each limit that the charger shows, in order; True if somebody else has certainly set it.

        Also while one of ours is on its way, which will overwrite it.
        """
        while self._pending and self._pending[0][0] < now - ON_ITS_WAY_S:
            self._pending.popleft()
        before, self._shown = self._shown, told
        if told == before:
            return False  # no news; one of ours that is equal to it may be on its way
        place = next((place for place, (_, amps) in enumerate(self._pending) if amps == told), None)
        if place is not None:
            for _ in range(place + 1):
                self._pending.popleft()
            if not self._pending and self.sent is not None:
                # Unless somebody else's was adopted meanwhile: ours has overwritten that, so that it is put back.
                self.sent, self.seen = told, True
            return False
        if told == self.sent or self.sent is None:
            return False
        return now - self._lost_at > LOST_S  # before that it may be what the charger falls back to

    @property
    def lost(self) -> bool:
        """Whether several set-points in a row were not obeyed."""
        return self.failures >= TELL_AFTER

    def rest(self, now: float) -> float:
        """Seconds until the next try."""
        return max(0.0, self._next - now)

    def fulfilled(self, wanted: int) -> bool:
        """Whether the charger has shown the set-point: a limit that differs from now on is somebody else's."""
        return self.sent == wanted and self.seen and self._attempt is None and not self._pending

    def follow(self, now: float, wanted: int, told: int | None, acts: Acts) -> bool:
        """Takes what is wanted now; True if something was sent."""
        self._settle(now)
        late = now - self._sent_at >= SEEN_S
        if self._attempt is None and self.sent is not None:
            if told == wanted and (self.seen or self.sent == wanted) and (late or not self._pending):
                self._pending.clear()
                self.adopt(wanted)
            elif late and not (self.seen or self._failed):
                self._fail(now, None, "")
        if self.sent == wanted and not self._failed:
            return False
        if not self._may_send(now, wanted):
            return False
        self._hour.append(now)
        self._pending.append((now, wanted))
        self.requests += 1
        self.sent, self.seen, self._failed, self._sent_at = wanted, False, False, now
        self._attempt = acts.begin(self.charger, "charger.current", wanted)
        return True

    def _may_send(self, now: float, wanted: int) -> bool:
        while self._hour and self._hour[0] <= now - 3600:
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
