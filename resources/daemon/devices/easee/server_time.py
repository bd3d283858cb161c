"""The service's time, by which its dates are judged: the clock of this machine may be wrong, or be stepped."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from jeedom_bridge.clock import Clock


def date_of(header: str | None) -> float | None:
    """An HTTP date as Unix time; None for anything else."""
    try:
        return parsedate_to_datetime(header or "").timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


class ServerTime:
    """Told by the header `Date` of answers, carried on by the monotonic clock. Until the first one: this machine's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._anchor: tuple[float, float] | None = None

    def note(self, header: str | None) -> None:
        """Takes the `Date` of an answer that has just come; anything else is left out."""
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
        """A moment of the service by this machine's clock, never ahead of it."""
        return self._clock.time() - max(0.0, self.now() - at)
