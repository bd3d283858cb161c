"""Whether two meters measure the same thing: their readings of the last day side by side.

Pure. A series keeps one value for each slot of time (a minute for powers, an hour for energies), so that what is
measured at other seconds can be compared.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

MOST_SLOTS = 1440
"""A day of minutes."""
LEAST_SLOTS = 60
"""Fewer shared slots tell nothing."""
SAME = 0.98
"""Correlation above which two series are taken for one."""
RATIO = 0.1
"""How far from 1 the ratio of two meters of the same current may be."""
LEAST_SPREAD = 20.0
"""Below this standard deviation (W, Wh) a series is flat, and likeness an accident."""


@dataclass
class Series:
    """The mean of each slot of `slot_s` seconds, the newest day of them."""

    slot_s: float = 60.0
    _slots: OrderedDict[int, tuple[float, int]] = field(default_factory=OrderedDict)

    def add(self, at: float, value: float) -> None:
        """Takes a value of Unix time `at`."""
        slot = int(at // self.slot_s)
        mean, count = self._slots.get(slot, (0.0, 0))
        self._slots[slot] = (mean + (value - mean) / (count + 1), count + 1)
        while len(self._slots) > MOST_SLOTS:
            self._slots.popitem(last=False)

    def means(self) -> Mapping[int, float]:
        """By slot."""
        return {slot: mean for slot, (mean, _) in self._slots.items()}


@dataclass(frozen=True)
class Likeness:
    """How two series compare. `correlation` -1 to 1; `ratio`: of their sizes; `slots`: how many they share."""

    correlation: float
    ratio: float
    slots: int

    @property
    def is_same(self) -> bool:
        """Whether both measure the same thing, as far as anybody can tell."""
        return self.correlation > SAME and abs(self.ratio - 1.0) <= RATIO


def likeness(one: Series, other: Series, least_slots: int = LEAST_SLOTS) -> Likeness | None:
    """Compares what both have; None while that is too little, or too flat, to say anything."""
    first, second = one.means(), other.means()
    shared = sorted(first.keys() & second.keys())
    if len(shared) < least_slots:
        return None
    a, b = [first[slot] for slot in shared], [second[slot] for slot in shared]
    correlation = _correlation(a, b)
    if correlation is None:
        return None
    ratios = [y / x for x, y in zip(a, b) if abs(x) > LEAST_SPREAD]
    return Likeness(correlation, median(ratios) if ratios else 0.0, len(shared))


def _correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    count = len(a)
    mean_a, mean_b = sum(a) / count, sum(b) / count
    spread_a = math.sqrt(sum((x - mean_a) ** 2 for x in a) / count)
    spread_b = math.sqrt(sum((y - mean_b) ** 2 for y in b) / count)
    if min(spread_a, spread_b) < LEAST_SPREAD:
        return None
    together = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b)) / count
    return together / (spread_a * spread_b)
