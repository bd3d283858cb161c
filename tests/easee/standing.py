"""A time that stands still while anything is under way: what a test sees does not depend on how busy the machine is.

The accounts are real ones, over real sockets. Their clock is moved by `Timekeeper`, and only when nobody has anything
left to do at this moment: no job is due, no record, subscription or command is on its way, and Jeedom has everything.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from itertools import count
from typing import Any, Callable, Optional

from jeenergied.connections.runner import Runner
from jeenergied.devices.easee.streaming.stream import Stream

from jeedom_bridge.callback import Callback
from jeedom_bridge.clock import ManualClock
from jeedom_bridge.outbox import Outbox
from simulators.easee import EaseeCloud

PING_S = 15.0
"""Seconds without a word after which the service's hub sends a ping."""
PATIENCE_S = 30.0
"""Real seconds within which what is under way must have ended."""


class StandingClock(ManualClock):
    """A manual clock that knows which threads wait, and until when."""

    def __init__(self) -> None:
        super().__init__(time.time())
        self._asleep: dict[int, tuple[float, threading.Condition]] = {}
        self._looks = count()

    def stamped(self) -> float:
        """The wall clock as the service dates by: no two things happen at the same moment."""
        return self.time() + next(self._looks) * 1e-5

    def wait(self, condition: threading.Condition, timeout: Optional[float]) -> bool:
        me = threading.get_ident()
        self._asleep[me] = (float("inf") if timeout is None else self.monotonic() + timeout, condition)
        try:
            return super().wait(condition, timeout)
        finally:
            self._asleep.pop(me, None)

    def ends(self) -> list[float]:
        """The times until which threads wait."""
        return [end for end, _ in list(self._asleep.values())]

    def sleeps(self, thread: Optional[int]) -> bool:
        """Whether that thread waits for a time that has not come, and nobody has woken it.

        A thread that was notified is awake as soon as the machine gets round to it: it counts as awake from then on.
        """
        end, condition = self._asleep.get(thread or 0, (0.0, None))
        if condition is None or end <= self.monotonic() or not condition.acquire(blocking=False):
            return False
        try:
            # Under its lock a condition has as many waiters as sleep at it, less those that were notified.
            sleepers = sum(each is condition for _, each in list(self._asleep.values()))
            return thread in self._asleep and sleepers <= len(condition._waiters)  # type: ignore[attr-defined]
        finally:
            condition.release()


class Timekeeper:
    """Moves the clock of one cloud and of the accounts that `runners` tells."""

    def __init__(
        self,
        clock: StandingClock,
        cloud: EaseeCloud,
        outbox: Outbox,
        callback: Callback,
        runners: Callable[[], Iterable[Runner]],
    ) -> None:
        self.clock = clock
        self._cloud = cloud
        self._outbox = outbox
        self._callback = callback
        self._runners = runners
        self.helpers: list[threading.Thread] = []
        """Threads of the test that ask the accounts for something."""

    def until(self, probe: Callable[[], Any], most: float) -> Any:
        """What `probe` returns once that is true; time passes for it, `most` seconds at most.

        What happens at the same moment has happened as well when it returns.
        """
        end = self.clock.monotonic() + most
        while True:
            self.settle()
            found = probe()
            if found:
                return found
            rest = end - self.clock.monotonic()
            if rest <= 0:
                raise AssertionError(f"it did not happen within {most:g} s")
            self._advance(rest)

    def run(self, seconds: float) -> None:
        """Lets so much time pass, with all that happens meanwhile."""
        end = self.clock.monotonic() + seconds
        self.settle()
        while (rest := end - self.clock.monotonic()) > 0:
            self._advance(rest)
            self.settle()

    def settle(self) -> None:
        """Waits until nothing is under way. Fails after `PATIENCE_S` real seconds."""
        limit = time.monotonic() + PATIENCE_S
        quiet = 0
        while quiet < 2:  # twice in a row: what was seen first may have changed since
            reason = self._under_way()
            if reason is None:
                quiet += 1
                continue
            quiet = 0
            if time.monotonic() > limit:
                raise AssertionError(f"still under way after {PATIENCE_S:g} s: {reason}")
            time.sleep(0.0005)

    def _advance(self, most: float) -> None:
        hub, now = self._cloud.hub, self.clock.monotonic()
        waits = [end - now for end in self.clock.ends()]
        pings = [PING_S - (self.clock.time() - at) for at in hub.spoke()]
        self.clock.advance(max(0.001, min([most, self._cloud.next_beat(), *waits, *pings])))
        self._cloud.beat()
        hub.ping(self.clock.time() - PING_S)

    # What is under way: the reason, or None.

    def _under_way(self) -> Optional[str]:
        ports: set[int] = set()
        for runner in list(self._runners()):
            reason = self._account(runner, ports)
            if reason is not None:
                return reason
        if self._cloud.hub.ports() - ports:
            return "the end of a stream that was left"
        if any(thread.is_alive() and not self.clock.sleeps(thread.ident) for thread in self.helpers):
            return "the test's own thread"
        return self._delivery()

    def _account(self, runner: Runner, ports: set[int]) -> Optional[str]:
        link = getattr(runner.device, "_session", None)
        if link is not None:
            with link._lock:
                stream, live, waiting = link._stream, link.live, set(link._pending.values())
            reason = None if stream is None else self._stream(stream, live, waiting, ports)
            if reason is not None:
                return reason
        worker = runner.worker
        with worker._changed:
            now = self.clock.monotonic()
            if worker._thread.is_alive() and not worker._stopping:
                if worker._tasks or any(job.due <= now for job in worker._jobs):
                    return "a job"
                if not self.clock.sleeps(worker._thread.ident):
                    return "the account's thread"
        return None

    def _stream(self, stream: Stream, live: bool, waiting: set[str], ports: set[int]) -> Optional[str]:
        hub = self._cloud.hub
        try:
            raw = stream._channel._raw
            port = 0 if raw is None else raw.getsockname()[1]
        except OSError:
            return "the end of the stream"
        ports.add(port)
        peer = hub.peer(port)
        if not live:
            return None if peer is not None and peer.silent else "the stream is being opened"
        if waiting - hub.deaf and not hub.mute:
            return "a subscription"
        if peer is None or peer.ending:
            return "the end of the stream"
        if peer.busy:
            return "the hub's answer"
        return None if peer.told == getattr(stream, "taken", 0) else "records"

    def _delivery(self) -> Optional[str]:
        with self._outbox.changed:
            due = self._outbox.due()
        leaves = due is not None and due < 0.1
        return "a callback" if leaves or self._callback._sending else None


def counted(take: Callable[[Stream, str], None]) -> Callable[[Stream, str], None]:
    """`Stream.take`, with the number of characters that were used so far as the stream's `taken`."""

    def count(stream: Stream, text: str) -> None:
        take(stream, text)
        stream.taken = getattr(stream, "taken", 0) + len(text)  # type: ignore[attr-defined]

    return count
