"""The service's clock, to compare its dates with: this machine's may be wrong or stepped."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from jeedom_bridge.clock import Clock


def date_of(header: str | None) -> float | None:
    """Converts an HTTP date to Unix time, or None."""
    try:
        return parsedate_to_datetime(header or "").timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


class ServerTime:
    """Set by the header `Date` of answers, continued by the monotonic clock; before the first, this machine's time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._anchor: tuple[float, float] | None = None

    def note(self, header: str | None) -> None:
        """Takes the `Date` of an answer that has just arrived; ignores an invalid one."""
        at = date_of(header)
        if at is not None:
            self._anchor = (self._clock.monotonic(), at)

    def now(self) -> float:
        """Unix time of the service."""
        if self._anchor is None:
            return self._clock.time()
        received, at = self._anchor
        return at + self._clock.monotonic() - received

    def local(self, at: float) -> float:
        """Converts a time of the service to this machine's clock, never ahead of it."""
        return self._clock.time() - max(0.0, self.now() - at)
