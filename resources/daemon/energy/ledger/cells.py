"""Energies by interval of five minutes, as changes that wait to be written.

A meter never states what an interval holds: it adds to it, and takes back what was provisional. So an interval that is
on the disk already, however old, is corrected in the same way as the running one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

SLOT_S = 300
"""Seconds of an interval. Time zones are multiples of it away from UTC: intervals are aligned to local time too."""
IMPORTED, EXPORTED, SOLAR, CHARGED, DISCHARGED = COLUMNS = ("i", "e", "p", "c", "d")
"""What a row holds of the house; chargers and loads are further columns, by equipment id."""


def slot_of(at: float) -> int:
    """The beginning (Unix time) of the interval of a moment."""
    return int(at // SLOT_S) * SLOT_S


def slices(begin: float, end: float) -> Iterator[tuple[int, float]]:
    """The intervals that a span touches, and the seconds of it in each."""
    slot = slot_of(begin)
    while slot < end:
        seconds = min(end, slot + SLOT_S) - max(begin, slot)
        if seconds > 0:
            yield slot, seconds
        slot += SLOT_S


@dataclass
class Cell:
    """A change of one column of one interval: Wh, seconds of it that are known, whether they are an estimate."""

    energy: float = 0.0
    seconds: float = 0.0
    estimated: bool = False


@dataclass
class Cells:
    """All changes that wait, by interval and column."""

    changes: dict[int, dict[str, Cell]] = field(default_factory=dict)

    def add(self, column: str, slot: int, energy: float, seconds: float = 0.0, estimated: bool = False) -> None:
        """Adds Wh (negative: takes back what was provisional) and known seconds (negative: unknown) to an interval."""
        cell = self.changes.setdefault(slot, {}).setdefault(column, Cell())
        cell.energy += energy
        cell.seconds += seconds
        cell.estimated = cell.estimated or estimated
