"""How much a counter has grown since its last reading: never negative, never more than the installation can do.

Pure. Indexes and growth in kWh, powers in kW, moments in Unix time. Unlike a guard of what may be shown
(`devices/common/counter_guard.py`), this says what belongs into the sums of a balance.
"""

from __future__ import annotations

from dataclasses import dataclass

SMALL_DIP = 0.1
"""kWh that an index may fall back for a moment (rounding, an older copy): the growth waits until it has recovered."""
RESTART_SHARE = 0.1
"""An index that falls below this share of the last one has begun anew."""
MARGIN = 1.1
"""How far beyond its greatest power a counter may grow before the step is called impossible."""


@dataclass
class Growth:
    """One counter. `most_kw`: the greatest power it can count (1.3 times the subscribed power, a plant's peak, ...)."""

    most_kw: float
    last: float | None = None
    at: float = 0.0
    quarantined: float | None = None
    """An index that cannot follow from the last one; kept until the user decides or the counter is back."""

    def read(self, index: float, now: float) -> float | None:
        """The growth that a reading adds (0 or more); None while the reading is in quarantine."""
        if self.last is None:
            self.last, self.at = index, now
            return 0.0
        step = index - self.last
        if 0 <= step <= MARGIN * self.most_kw * max(now - self.at, 0.0) / 3600 + 1e-9:
            self.last, self.at, self.quarantined = index, now, None
            return step
        if -SMALL_DIP < step < 0:
            return 0.0
        if 0 <= index < RESTART_SHARE * self.last:
            # What it counted between its new beginning and now is not known: it is an anchor, not a growth.
            self.last, self.at, self.quarantined = index, now, None
            return 0.0
        self.quarantined = index
        return None

    def accept(self, now: float) -> None:
        """The user says that the quarantined index is right: it is the new anchor, the step no growth."""
        if self.quarantined is not None:
            self.last, self.at, self.quarantined = self.quarantined, now, None
