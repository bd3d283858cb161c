"""What charges have cost, remembered: what is over is read from the book once, not with each look at a page. Pure.

Moments in Unix time.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Callable

from ..balance import Charge
from ..ledger.cells import SLOT_S, slot_of

AGAIN_S = 1800.0
"""So long a sum is believed: a figure that came late may have changed what is over."""
SETTLED_S = 2 * SLOT_S
"""The newest intervals are read each time: they may still be written."""
MAX_KNOWN = 64


@dataclass(frozen=True)
class _Known:
    """A sum up to the beginning of an interval, and when it was begun."""

    at: float
    until: float
    total: Charge


class Costs:
    """`charge(charger, begin, end)` reads the intervals that begin in a span, and raises what the book raises."""

    def __init__(self, charge: Callable[[str, float, float], Charge]) -> None:
        self._charge = charge
        self._known: dict[Hashable, _Known] = {}

    def between(self, charger: str, begin: float, end: float, now: float) -> Charge:
        """What a charger took from `begin` to `end`."""
        first, last = slot_of(begin), -slot_of(-end)
        known = self._known.get((charger, first))
        if known is None or known.until > last or not 0 <= now - known.at < AGAIN_S:
            known = _Known(now, first, Charge())
        settled = min(last, max(known.until, slot_of(now) - SETTLED_S))
        if settled > known.until:
            known = _Known(known.at, settled, known.total + self._charge(charger, known.until, settled))
            while len(self._known) >= MAX_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[charger, first] = known
        return known.total if settled >= last else known.total + self._charge(charger, settled, end)
