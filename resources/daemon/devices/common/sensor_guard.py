"""Holds back what a sensor says when it is unplugged or has not measured yet.

A bus master answers for a missing probe with a figure of its own: 0.0, 85.0 (the power-on value of a DS18B20), -127.0
(nobody on the bus). Such a figure is true only for a probe that was already near it.

Pure: times are handed in, as Unix time in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class SensorLimits:
    """`impossible`: outside of these bounds nothing is a measurement. `markers`: figures that stand for "no probe".

    A marker is believed when the last value was within `near` of it. `gone_s`: seconds of nothing but markers after
    which the probe is called missing.
    """

    lowest: float
    highest: float
    markers: Sequence[float]
    near: float
    gone_s: float = 300.0


class SensorGuard:
    """Guards one sensor."""

    def __init__(self, limits: SensorLimits) -> None:
        self.limits = limits
        self.last: float | None = None
        """The newest value that was believed."""
        self._doubted_since: float | None = None
        self._gone = False

    def read(self, value: float, now: float) -> float | None:
        """Returns the value if it is a measurement, None if it stands for a missing probe.

        The first value of all is doubted as well if it is a marker: a probe that was never there has no value.
        """
        limits = self.limits
        possible = limits.lowest <= value <= limits.highest
        marker = value in limits.markers and not (self.last is not None and abs(self.last - value) <= limits.near)
        if possible and not marker:
            self.last, self._doubted_since, self._gone = value, None, False
            return value
        if self._doubted_since is None or now < self._doubted_since:
            self._doubted_since = now
        self._gone = now - self._doubted_since >= limits.gone_s
        return None

    @property
    def gone(self) -> bool:
        """True while the sensor has given nothing but markers for `gone_s` seconds (as of the last reading)."""
        return self._gone
