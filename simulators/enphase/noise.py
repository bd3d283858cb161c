"""Repeatable randomness: the same seed and time always give the same value."""

from __future__ import annotations

from functools import lru_cache

MASK = (1 << 64) - 1


@lru_cache(maxsize=8192)
def noise(seed: int, index: int) -> float:
    """A value in 0..1 that depends on nothing but `seed` and `index` (SplitMix64).

    Most are asked for again second by second.
    """
    x = (index * 0x9E3779B97F4A7C15 + seed * 0xD1B54A32D192ED03 + 0x632BE59BD9B4E019) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return (x ^ (x >> 31)) / MASK


def smooth(seed: int, when: float, period: float) -> float:
    """A value in 0..1 that wanders, taking a new direction every `period` seconds."""
    place = when / period
    index = int(place)
    part = place - index
    part = part * part * (3.0 - 2.0 * part)
    return noise(seed, index) * (1.0 - part) + noise(seed, index + 1) * part
