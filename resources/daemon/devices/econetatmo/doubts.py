"""Which gaps in the service's answers are believed: what is missing once may come at the next reading."""

from __future__ import annotations

import logging

from ..base import Equipment
from . import time_slots
from .mapping import Measures
from .watermarks import DAY_S

_LOG = logging.getLogger(__name__)

READINGS_TO_BELIEVE = 3
"""Readings in a row that lack pieces before what is missing is given up; before that they do not count as read."""
READINGS_TO_BELIEVE_EMPTY = 2
"""The same for a page of the past that comes without a single slot: answers are empty for passing reasons, too."""


class Doubts:
    """Counts the readings in a row that lacked something, by line, scale and begin of the page."""

    def __init__(self) -> None:
        self._readings: dict[tuple[str, str, int], int] = {}

    def believed(
        self, line: Equipment, scale: str, page: tuple[int, int], answer: Measures, now: float, setup: float | None
    ) -> bool:
        """Whether what an answer lacks is missing for good: always if it lacks nothing, else after some readings.

        A page of this day may be empty as long as nothing was uploaded; one of the past only where the line has none.
        `page`: its begin and end; `setup`: when the line was put up. All are Unix seconds.
        """
        start, stop = page
        needed = 1
        if not answer.whole:
            needed = READINGS_TO_BELIEVE
        elif (
            not answer.slots and not answer.empty and start < now - DAY_S and not (setup is not None and stop <= setup)
        ):
            needed = READINGS_TO_BELIEVE_EMPTY
        place = (line.key, scale, start)
        readings = self._readings.pop(place, 0) + 1
        if readings < needed:
            self._readings[place] = readings
        elif needed > 1:
            _LOG.info(
                "%s, %s: nothing more comes of the days from %s on", line.name, scale, time_slots.text(start, "UTC")
            )
            if not answer.whole:  # it is spoilt as it stands: the newest page is read again and again
                self._readings[place] = readings - 1
        return readings >= needed
