"""Dated figures that come when their time is over: of a supplier's day, of an ecometer's hours.

A figure of a device fills the device's column. One of the whole house fills the intervals that no meter has measured
with what the measured ones leave of it: no house gives more than it gets, so that what was fed in follows the sun. The
same span told again, with another figure or the same, replaces what was there: nothing counts twice. Energies in Wh,
moments in Unix time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .cells import CHARGED, COLUMNS, DISCHARGED, EXPORTED, IMPORTED, SLOT_S, SOLAR, slices, slot_of
from .row import Interval
from .store import Book

LONGEST_S = 26 * 3600.0
"""A day with a clock change; longer spans tell nothing of an interval."""


@dataclass(frozen=True)
class Figure:
    """`column`: of the house, or the equipment id of a device."""

    source: str
    column: str
    begin: float
    end: float
    energy: float


@dataclass
class Late:
    """What waits to be written."""

    figures: dict[tuple[str, float], Figure] = field(default_factory=dict)

    def add(self, source: str, column: str, begin: float, end: float, energy: float) -> None:
        """Takes a figure; one that is negative, or of no time or too long a time, is left out."""
        if 0 < end - begin <= LONGEST_S and energy >= 0:
            self.figures[source, begin] = Figure(source, column, begin, end, energy)

    def kept(self) -> list[tuple[str, float, float, float]]:
        """As the book keeps them."""
        return [(each.source, each.begin, each.end, each.energy) for each in self.figures.values()]

    def clear(self) -> None:
        """They are on the disk."""
        self.figures.clear()

    def by_slot(self, book: Book, since: float) -> dict[int, dict[str, float]]:
        """Wh by interval and column. Reads what the book has measured. Raises StoreError."""
        found: dict[int, dict[str, float]] = {}
        for each in self.figures.values():
            if each.begin < since:
                continue
            shares = _fill(each, book) if each.column in COLUMNS else _spread(each)
            for slot, energy in shares.items():
                columns = found.setdefault(slot, {})
                columns[each.column] = columns.get(each.column, 0.0) + energy
        return found


def _spread(figure: Figure) -> dict[int, float]:
    """Evenly over its span."""
    whole = figure.end - figure.begin
    return {slot: figure.energy * seconds / whole for slot, seconds in slices(figure.begin, figure.end)}


def _fill(figure: Figure, book: Book) -> dict[int, float]:
    """What the measured intervals leave of it, over those that nobody has measured."""
    rows = {row.start: row for row in book.intervals(slot_of(figure.begin), figure.end)}
    measured = {start for start, row in rows.items() if row.is_measured(figure.column)}
    missing = [slot for slot, seconds in slices(figure.begin, figure.end) if slot not in measured and seconds == SLOT_S]
    rest = max(figure.energy - sum(rows[start].known(figure.column) or 0.0 for start in measured), 0.0)
    least = [_least(figure.column, rows.get(slot)) for slot in missing]
    if figure.column == IMPORTED:
        return _with_least(rest, dict(zip(missing, least)))
    known = [each for each in least if each is not None]
    usual = sum(known) / len(known) if known else 0.0
    if usual <= 0:
        return {slot: rest / len(missing) for slot in missing}
    whole = sum(usual if each is None else each for each in least)
    return {slot: rest * (usual if each is None else each) / whole for slot, each in zip(missing, least)}


def _with_least(energy: float, least: Mapping[int, float | None]) -> dict[int, float]:
    """At least so much in each interval, as far as it goes, and what is left evenly."""
    whole = sum(each or 0.0 for each in least.values())
    share = min(energy / whole, 1.0) if whole > 0 else 0.0
    return {slot: share * (each or 0.0) + (energy - share * whole) / len(least) for slot, each in least.items()}


def _least(column: str, row: Interval | None) -> float | None:
    """Wh that the other columns ask of one: what the grid must have given, or what of the sun it may have got."""
    told = None if row is None else [row.known(each) for each in (EXPORTED, SOLAR, CHARGED, DISCHARGED)]
    if told is None or None in (told[1:] if column == EXPORTED else told):
        return None
    exported, solar, charged, discharged = (each or 0.0 for each in told)
    return max(exported + charged - solar - discharged if column == IMPORTED else solar - charged, 0.0)
