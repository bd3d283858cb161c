"""How much a counter has grown since its last reading: never negative, never more than the installation can do.

Pure. Indexes and growth in kWh, powers in kW, moments in Unix time. Unlike a guard of what may be shown
(`devices/common/counter_guard.py`), this says what belongs into the sums of a balance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SMALL_DIP = 0.1
"""kWh that an index may fall back for a moment (rounding, an older copy): the growth waits until it has recovered."""
RESTART_SHARE = 0.1
"""An index that falls below this share of the last one has begun anew."""
MARGIN = 1.1
"""How far beyond its greatest power a counter may grow before the step is called impossible."""
STEP = 0.01
"""kWh that any step may have: indexes are rounded, and readings may come at once after each other."""
LATE_RESET_S = 900.0
"""A figure of the day may still be yesterday's for so long after midnight."""


@dataclass
class Growth:
    """One counter. `most_kw`: the greatest power it can count (1.3 times the subscribed power, a plant's peak, ...)."""

    most_kw: float
    last: float | None = None
    at: float = 0.0
    quarantined: float | None = None
    """An index that cannot follow from the last one; kept until the user decides or the counter is back."""
    day: float = 0.0
    """When the day began that a daily figure counts for."""
    begun: float | None = None
    """When the counter began from which the last reading counts, if not the one before: what it has counted between the
    two is not known."""

    def read(self, index: float, now: float, midnight: float | None = None, plausible: float = 0.0) -> float | None:
        """The growth that a reading adds (0 or more); None while the reading is in quarantine.

        `midnight`: for a figure that begins anew each day, when the day of `now` began; growth then counts from there.
        `plausible`: kWh that are to be expected anyway, for a counter that is seldom updated.
        """
        self.begun = now if self.last is None else None
        if self.last is None:
            self.last, self.at, self.day = index, now, midnight or 0.0
            return 0.0
        if midnight is not None and self.day < midnight <= now and self._has_begun_its_day(index, now - midnight):
            self.last, self.at, self.day, self.begun = 0.0, midnight, midnight, midnight
        step = index - self.last
        most = MARGIN * self.most_kw * max(now - self.at, 0.0) / 3600
        if 0 <= step <= max(most, plausible) + STEP:
            self.last, self.at, self.quarantined = index, now, None
            return step
        if -SMALL_DIP < step < 0:
            return 0.0
        if 0 <= index < RESTART_SHARE * self.last:
            # What it counted between its new beginning and now is not known: it is an anchor, not a growth.
            self.last, self.at, self.quarantined, self.begun = index, now, None, now
            return 0.0
        self.quarantined = index
        return None

    def _has_begun_its_day(self, index: float, since: float) -> bool:
        return since > LATE_RESET_S or index < (self.last or 0.0)

    def accept(self, now: float) -> None:
        """The user says that the quarantined index is right: it is the new anchor, the step no growth."""
        if self.quarantined is not None:
            self.last, self.at, self.quarantined = self.quarantined, now, None

    def state(self) -> list[float | None]:
        """What is kept over a restart."""
        return [self.last, self.at, self.quarantined, self.day]

    def restore(self, state: Any) -> None:
        """Takes over what `state` gave; anything else leaves the counter without an anchor."""
        if isinstance(state, list) and len(state) == 4 and all(each is None or _is_number(each) for each in state):
            self.last, self.at, self.quarantined = state[0], float(state[1] or 0.0), state[2]
            self.day = float(state[3] or 0.0)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
