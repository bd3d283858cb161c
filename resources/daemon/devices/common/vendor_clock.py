"""A vendor's clock, to compare its dates with: this machine's may be wrong, or stepped at any moment."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from jeedom_bridge.clock import Clock


def date_of(header: str | None) -> float | None:
    """Converts an HTTP date to Unix time, or None."""
    try:
        return parsedate_to_datetime(header or "").timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


class VendorClock:
    """Set by what the vendor tells, continued by the monotonic clock; before the first time, this machine's.

    A difference between two wall clocks is never kept: it is wrong from the moment one of them is stepped.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._anchor: tuple[float, float] | None = None

    def note(self, at: float | None) -> None:
        """Takes the Unix time that an answer which has just arrived tells; None: it tells none, the last goes on."""
        if at is not None:
            self._anchor = (self._clock.monotonic(), at)

    def forget(self) -> None:
        """Drops the vendor's time, as after a change of the device: this machine's time counts again."""
        self._anchor = None

    def now(self) -> float:
        """Unix time of the vendor."""
        if self._anchor is None:
            return self._clock.time()
        received, at = self._anchor
        return at + self._clock.monotonic() - received

    def local(self, at: float) -> float:
        """Converts a time of the vendor to this machine's clock, never ahead of it."""
        return self._clock.time() - max(0.0, self.now() - at)
