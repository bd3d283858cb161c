"""How many requests may leave, for which purpose, and when the service wants to be left alone.

Kept over restarts, since neither a vendor nor a day's budget forgets what was asked before one. Several objects over
the same memory (a form's test beside the running connection, or all connections of a backend over the shared memory)
count together.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from jeedom_bridge.clock import Clock

from ..base import Memory
from .numbers import finite
from .refusals import Refusals, Scope

PARTS = 60
"""A rolling window is counted in this many parts; what lies in the oldest one counts until all of it is over."""
SERVICE = "service"
"""The key of the pause in the book of refusals."""

_LOCKS: dict[str, threading.RLock] = {}
_LOCKS_GUARD = threading.Lock()


@dataclass(frozen=True)
class Window:
    """So many requests in any `seconds`, or on one calendar day.

    `most`: by purpose, how many requests may have been counted in the window (for all purposes named here together)
    before one for that purpose has to wait: the more a purpose matters, the higher. Purposes that are not named are
    neither counted nor limited. `seconds`: length of a rolling window. `zone`: a calendar day there instead.
    """

    name: str
    most: Mapping[str, int]
    seconds: float = 86400.0
    zone: ZoneInfo | None = None


@dataclass(frozen=True)
class Held:
    """Why a request may not leave now. `window`: the full one; '' for a pause. `count`: requests in it."""

    wait_s: float
    window: str = ""
    count: int = 0


class RateLimit:
    """The windows of one account, and the pause that its service has asked for. Thread-safe."""

    def __init__(
        self,
        memory: Memory,
        clock: Clock,
        windows: Sequence[Window],
        refusals: Refusals | None = None,
        *,
        name: str = "requests",
        scope: Scope = Scope.ADDRESS,
        write_every_s: float = 0.0,
    ) -> None:
        """`refusals`: where the pause is kept, if it is kept here; it has a policy for `scope`, which says whether the
        service counts by address or by account. `name`: key in `memory`. `write_every_s`: how many seconds of counts a
        crash may lose; each write is one of the disk."""
        self._memory = memory
        self._clock = clock
        self._windows = windows
        self._refusals = refusals
        self._name = name
        self._scope = scope
        self._write_every_s = write_every_s
        self._written = clock.monotonic()
        with _LOCKS_GUARD:
            # Of the name alone: objects over one memory must not count at the same time, others may as well wait.
            self._lock = _LOCKS.setdefault(name, threading.RLock())
        self._counts: dict[str, dict[str, int]] = {}

    # Windows.

    def held(self, purpose: str) -> Held | None:
        """What forbids a request for this purpose now, the longest wait of all; None if it may leave."""
        paused = self.paused()
        found = [Held(paused)] if paused else []
        with self._lock:
            self._merge()
            for window in self._windows:
                most = window.most.get(purpose)
                count = self._sum(window) if most is not None else 0
                if most is not None and count >= most:
                    found.append(Held(self._until_below(window, most), window.name, count))
        return max(found, key=lambda each: each.wait_s) if found else None

    def take(self, purpose: str) -> Held | None:
        """Counts a request that leaves now; if it may not, counts nothing and returns why."""
        with self._lock:
            held = self.held(purpose)
            if held is None:
                self._count(purpose)
            return held

    def add(self, purpose: str) -> None:
        """Counts a request that leaves whatever the windows say."""
        with self._lock:
            self._merge()
            self._count(purpose)

    def used(self, window: str) -> int:
        """Requests in this window now."""
        with self._lock:
            self._merge()
            return next((self._sum(each) for each in self._windows if each.name == window), 0)

    def left(self, purpose: str) -> int:
        """How many requests for this purpose may still leave now, pauses included."""
        if self.paused():
            return 0
        with self._lock:
            self._merge()
            rests = [each.most[purpose] - self._sum(each) for each in self._windows if purpose in each.most]
        return max(0, min(rests)) if rests else 0

    def keep(self) -> None:
        """Writes the counts; to be called when the connection ends if `write_every_s` is not 0."""
        with self._lock:
            self._merge()
            self._write()

    # The pause.

    def paused(self) -> float:
        """Seconds for which the service wants to be left alone; 0 if it does not."""
        return self._refusals.wait_s(self._scope, SERVICE) if self._refusals is not None else 0.0

    def pause(self, reason: str, wait_s: float | None = None) -> float:
        """The service has refused a request because there were too many. Returns the pause in seconds.

        `wait_s`: what it asked for. Without that the pause grows with each refusal in a row, as the policy says; and
        from the second in a row on it is no shorter than that, since what was asked for has not helped.
        """
        if self._refusals is None:
            raise TypeError("a RateLimit without a book of refusals keeps no pause")
        standing = self._refusals.standing(self._scope, SERVICE)
        if wait_s is not None and standing is not None:
            wait_s = max(wait_s, self._refusals.own_wait_s(self._scope, standing.count))
        noted = self._refusals.note(self._scope, SERVICE, reason, wait_s)
        return noted.until - noted.last

    def passed(self) -> None:
        """A request went through: the next pause begins with the shortest again."""
        if self._refusals is not None and not self.paused():
            self._refusals.over(self._scope, SERVICE)

    # Counting. The lock is held, and what others have counted is merged.

    def _count(self, purpose: str) -> None:
        for window in self._windows:
            if purpose in window.most:
                counts = self._counts.setdefault(window.name, {})
                part = self._part(window)
                counts[part] = counts.get(part, 0) + 1
        if self._clock.monotonic() - self._written >= self._write_every_s:
            self._write()

    def _write(self) -> None:
        self._written = self._clock.monotonic()
        self._memory.keep(self._name, {name: dict(parts) for name, parts in self._counts.items() if parts})

    def _part(self, window: Window) -> str:
        """The name of the part of a window that it is now: a day, or a number that grows with time."""
        now = self._clock.time()
        if window.zone is not None:
            return datetime.fromtimestamp(now, window.zone).date().isoformat()
        return str(int(now // (window.seconds / PARTS)))

    def _merge(self) -> None:
        """Takes over what others over the same memory have counted, and drops what is over or lies ahead."""
        kept = self._memory.get(self._name)
        for window in self._windows:
            own = self._counts.setdefault(window.name, {})
            others = kept.get(window.name) if isinstance(kept, Mapping) else None
            for part, count in others.items() if isinstance(others, Mapping) else ():
                number = finite(count)
                if number is not None and number > own.get(str(part), 0):
                    own[str(part)] = int(number)
            now = self._part(window)
            for part in [part for part in own if not _within(part, now, window)]:
                del own[part]

    def _sum(self, window: Window) -> int:
        return sum(self._counts.get(window.name, {}).values())

    def _until_below(self, window: Window, most: int) -> float:
        """Seconds until fewer than `most` requests are in a window that is full."""
        now = self._clock.time()
        if window.zone is not None:
            local = datetime.fromtimestamp(now, window.zone)
            tomorrow = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), window.zone)
            return max(1.0, tomorrow.timestamp() - now)
        over = self._sum(window) - most + 1
        length = window.seconds / PARTS
        for part in sorted(self._counts[window.name], key=int):
            over -= self._counts[window.name][part]
            if over <= 0:
                return max(1.0, (int(part) + 1 + PARTS) * length - now)
        return window.seconds


def _within(part: str, now: str, window: Window) -> bool:
    if window.zone is not None:
        return part == now
    # One part ahead is rounding; more comes from a clock that was stepped back.
    return part.isdigit() and int(now) - PARTS <= int(part) <= int(now) + 1
