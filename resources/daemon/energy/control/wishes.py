"""From the set-point that the rules want to the charger: sent, proved, seen, sent again, within a budget. Pure.

Times are seconds of a clock that never steps, currents in A.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..charging import LOWER_EVERY_S
from ..ports import Acts, Attempt

SUPERSEDE_S = 5.0
"""A lower limit does not wait longer for the proof of the one before."""
SEEN_S = 20.0
"""By then a charger that has obeyed shows it."""
ON_ITS_WAY_S = 300.0
"""A limit that the charger shows later than this after it was sent is no echo of ours."""
EXECUTED_S = 30.0
"""A charger has executed a set-point by then, or never will: the date of its echo is no later. Commands are confirmed
within 20 s even on days when the service is overloaded (evcc-io/evcc 13301, April 2024)."""
LATEST_S = 120.0
"""The service may tell a limit so late. It has told older states after newer ones (evcc-io/evcc 9047, July 2023), holds
news back on purpose to spread its load (nordicopen/easee_hass 183, October 2023), and its updates carry their date."""
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

    A charger shows what it was set to in that order, seconds later: what comes between ours is somebody else's. So is
    one of ours that it shows again, by its date long after it was sent.
    """

    charger: str
    sent: int | None = None
    seen: bool = False
    """The charger has shown what was sent."""
    failures: int = 0
    failure: str = ""
    requests: int = 0
    inherits: bool = False
    """Nothing was sent since the daemon's start: what is on its way was sent before that."""
    shown: int | None = None
    """What the charger has shown last."""
    _attempt: Attempt | None = None
    _accepted: bool = False
    """The newest set-point was taken by the device or its vendor."""
    _failed: bool = False
    _sent_at: float = float("-inf")
    _first_at: float = float("-inf")
    """When what was sent was sent for the first time."""
    _heard_at: float = float("-inf")
    """When an echo of a set-point before the newest was heard: the others are about to come."""
    _doubt_until: float | None = None
    """The charger shows a set-point of ours that was replaced, with a date that is too late for its echo. Until then
    the echo of the newest may still come."""
    _next: float = float("-inf")
    _lost_at: float = float("-inf")
    _pending: deque[tuple[float, int]] = field(default_factory=deque)
    """The set-points that the charger has not shown yet, and when each was sent."""
    _hour: deque[float] = field(default_factory=deque)
    """When each set-point of the last hour was sent."""

    def adopt(self, told: int) -> None:
        """What the charger shows is taken as what was wanted: after a restart, or when somebody else has set it."""
        self.sent, self.seen, self._attempt, self._failed, self.failures, self.failure = told, True, None, False, 0, ""
        self.shown, self._doubt_until = told, None

    def forget(self, lost_at: float | None = None) -> None:
        """It is sent again. `lost_at`: the charger may have lost it then (a car was plugged in, it was away)."""
        self.sent, self.seen, self._failed, self._next = None, False, False, float("-inf")
        self._lost_at = self._lost_at if lost_at is None else lost_at
        self._doubt_until = None

    def on_its_way(self, now: float) -> list[tuple[float, int]]:
        """(age in seconds, A) of each set-point that the charger has not shown yet, the oldest first."""
        self._expire(now)
        return [(now - at, amps) for at, amps in self._pending]

    def inherit(self, now: float, orders: Iterable[tuple[float, int]]) -> None:
        """Takes what `on_its_way` gave before the daemon's start."""
        self._pending = deque((now - age, amps) for age, amps in orders)
        self._expire(now)
        self.inherits = bool(self._pending)

    def hear(self, now: float, told: int, age: float = 0.0) -> bool:
        """Takes each limit that the charger shows, in order, `age` seconds after it was set, by the date of the data.

        True if somebody else has certainly set it, also while one of ours is on its way, which will overwrite it.
        """
        self._expire(now)
        before, self.shown = self.shown, told
        if told == before:
            return self._doubt_is_over(now)
        self._doubt_until = None
        places = [place for place, (_, amps) in enumerate(self._pending) if amps == told]
        if places:
            dated = any(now - age <= self._pending[place][0] + EXECUTED_S for place in places)
            return self._echo(now, told, places[0], dated)
        if told == self.sent or self.sent is None:
            return False
        return now - self._lost_at > LOST_S  # before that it may be what the charger falls back to

    def _expire(self, now: float) -> None:
        while self._pending and self._pending[0][0] < now - ON_ITS_WAY_S:
            self._pending.popleft()

    def _echo(self, now: float, told: int, place: int, dated: bool) -> bool:
        """A limit that is one of those on their way; `dated`: its date allows it to be an echo."""
        if not dated and told != self.sent:
            self._doubt_until = self._pending[-1][0] + SEEN_S + LATEST_S
            self.seen = False
            return self._doubt_is_over(now)
        for _ in range(place + 1):  # a later one of as many A may still arrive
            self._pending.popleft()
        if self.sent is not None and (told == self.sent or self.inherits or not self._pending):
            # Unless somebody else's was adopted meanwhile: ours has overwritten that, so that it is put back.
            self.sent, self.seen = told, True
        elif told != self.sent:
            self.seen, self._heard_at = False, now
        return False

    def _doubt_is_over(self, now: float) -> bool:
        if self._doubt_until is None or now < self._doubt_until:
            return False
        self._doubt_until = None
        self._pending.clear()
        return True

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

    def follow(self, now: float, wanted: int, told: int | None, acts: Acts, urgent: bool = False) -> bool:
        """Takes what is wanted now; True if something was sent. `urgent`: a limit wants it, whoever has set another."""
        self._settle(now)
        late = now - max(self._sent_at, self._heard_at) >= SEEN_S
        if self._attempt is None and self.sent is not None and self._doubt_until is None:
            if told == wanted and (self.seen or self.sent == wanted) and (late or not self._pending):
                self.adopt(wanted)
            elif late and not (self.seen or self._failed):
                self._miss(now)
        if (self.sent == wanted and not self._failed) or (self._doubt_until is not None and not urgent):
            return False
        if not self._may_send(now, wanted):
            return False
        self._hour.append(now)
        self._pending.append((now, wanted))
        self.requests += 1
        if wanted != self.sent:
            self._first_at = now
        self.sent, self.seen, self._failed, self._sent_at = wanted, False, False, now
        self.inherits, self._accepted, self._doubt_until = False, False, None
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
        self._attempt, self._accepted = None, attempt.done
        if not attempt.done:
            self._doubt_until = None  # the older one is still there because this one has not arrived
            self._fail(now, attempt.retry_s, attempt.failure)

    def _miss(self, now: float) -> None:
        """The charger does not show what it was sent: it is sent again. If it was taken, its service may be late."""
        if self._accepted and now - self._first_at < LATEST_S:
            self._failed, self._next = True, now + LOWER_EVERY_S
        else:
            self._fail(now, None, "")

    def _fail(self, now: float, retry_s: float | None, failure: str) -> None:
        self.failures += 1
        self._failed = True
        self.failure = failure or self.failure
        pause = min(FIRST_PAUSE_S * 2 ** min(self.failures - 1, 10), LONGEST_PAUSE_S)
        self._next = now + max(pause, retry_s or 0.0, LOWER_EVERY_S)
