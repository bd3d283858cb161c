"""Limits on a whole call: on its time, also while a peer sends byte by byte, and on the size of its answer."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from typing import Callable

from .errors import DeadlineExceeded, TooLong

LATE = "the answer did not end in time"


class Call:
    """One call under way: when it must have ended, the connection that it uses, whether its request is leaving."""

    def __init__(self, end: float) -> None:
        self.end = end
        self.connection: http.client.HTTPConnection | None = None
        self.cut = False
        self.sent = False


class Deadlines:
    """Cuts the connections of calls whose time is over.

    A time-out of the socket starts anew with each byte: a peer that sends the head of its answer byte by byte,
    or one interim answer after the other, would hold its thread for ever.
    """

    RECHECK_S = 0.5
    """Retry interval for closing an overdue connection."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: set[Call] = set()
        self._wakes = float("inf")
        self._thread: threading.Thread | None = None

    def begin(self, call: Call) -> None:
        """From now on the connections of this thread belong to the call."""
        LOCAL.call = call
        with self._changed:
            self._calls.add(call)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="http watch", daemon=True)
                self._thread.start()
            elif call.end < self._wakes:
                self._changed.notify()

    def finish(self, call: Call) -> None:
        """The call has ended. Its end is noticed when it would have been cut: most end long before."""
        LOCAL.call = None
        with self._changed:
            self._calls.discard(call)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for call in self._calls:
                    if now >= call.end:
                        self._cut(call)
                ends = (call.end if call.end > now else now + self.RECHECK_S for call in self._calls)
                self._wakes = min(ends, default=float("inf"))
                self._changed.wait(None if self._wakes == float("inf") else self._wakes - now)

    @staticmethod
    def _cut(call: Call) -> None:
        sock = call.connection.sock if call.connection is not None else None
        if sock is None:
            return  # still connecting, which has a limit of its own, or reading the body, which looks at the time
        call.cut = True
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side was faster


def read_whole(read1: Callable[[int], bytes], end: float, max_bytes: int) -> bytes:
    """A body in pieces of `read1`, until `end` (monotonic). Raises TooLong or DeadlineExceeded."""
    body = bytearray()
    while True:
        # read1 returns what is there: a peer that sends a byte now and then meets the deadline.
        chunk = read1(65536)
        if not chunk:
            return bytes(body)
        body += chunk
        if len(body) > max_bytes:
            raise TooLong(f"an answer of more than {max_bytes // 1024} kB")
        if time.monotonic() > end:
            raise DeadlineExceeded(LATE)


LOCAL = threading.local()
"""`call`: the call under way in this thread."""
DEADLINES = Deadlines()
