"""The book and a clock that is stepped: what it skips was not measured, and no counter loses anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from jeenergied.energy.ledger.cells import COLUMNS
from jeenergied.energy.ledger.steady import MOST_DOUBT_S, STANDS_S, SteadyClock
from jeenergied.energy.live import Paces
from jeenergied.energy.ports import Reading, Source

from .house import EXPORT, GRID, PEAK, SOLAR, SUN, Kept

NOON = 1_796_065_200.0
SOURCES = (GRID, SUN, PEAK, EXPORT, SOLAR)
LOAD_W, SUN_W = 600.0, 3000.0


class Stepped:
    """A sunny house that is read every ten seconds; the clock is `ahead` s of the true time."""

    def __init__(self, folder: Path) -> None:
        self.kept = Kept(folder / "house.sqlite", sources=SOURCES)
        self.paces = Paces()
        self.second = 0
        self.ahead = 0.0
        self.silent: set[Source] = set()
        self.read: dict[Source, tuple[float, int]] = {}
        self.slept = 0
        """Seconds that the machine's own time lacks."""
        self._look()

    @property
    def now(self) -> float:
        return NOON + self.second + self.ahead

    def live(self, seconds: int) -> bool:
        """Whether the clock was believed in the end."""
        believed = False
        for _ in range(0, seconds, 10):
            self.second += 10
            believed = self._look()
        return believed

    def _look(self) -> bool:
        told = {GRID: LOAD_W - SUN_W, SUN: SUN_W, PEAK: 7e6, EXPORT: 2e6 + (SUN_W - LOAD_W) * self.second / 3600}
        told[SOLAR] = 3e6 + SUN_W * self.second / 3600
        self.read.update({each: (told[each], self.second) for each in SOURCES if each not in self.silent})
        readings = {s.key: Reading(s, value, NOON + at + self.ahead) for s, (value, at) in self.read.items()}
        return self.kept.ledger.look(readings, self.paces, self.now, 50.0 + self.second - self.slept)

    def rows(self) -> dict[int, list[float | None]]:
        """Wh of the columns, by the second at which a row begins."""
        self.kept.ledger.flush(self.now)
        found = self.kept.book.intervals(0, 1e12)
        return {round(row.start - NOON): [row.known(column) for column in COLUMNS] for row in found}


WHOLE = pytest.approx([0.0, 200.0, 250.0, 0.0, 0.0], abs=1.0)


@pytest.mark.parametrize("ahead", [7200.0, -480.0])
def test_a_clock_that_is_set_right_again_has_moved_nothing(tmp_path: Path, ahead: float) -> None:
    house = Stepped(tmp_path)
    house.live(900)
    house.ahead = ahead
    assert not house.live(30)
    house.kept.ledger.flush(house.now)
    house.ahead = 0.0
    assert house.live(900)
    assert list(house.rows().items())[:6] == [(300 * n, WHOLE) for n in range(6)]
    assert max(pace.limit_s for pace in house.paces.values()) <= 60


@pytest.mark.parametrize("ahead", [7200.0, -480.0])
def test_a_counter_that_is_silent_is_not_measured_because_the_clock_was_stepped(tmp_path: Path, ahead: float) -> None:
    house = Stepped(tmp_path)
    house.live(600)
    house.silent = {SOLAR, SUN}
    house.live(400)
    house.ahead = ahead
    house.live(60)
    house.ahead = 0.0
    house.live(740)
    rows = house.rows()
    assert rows[0] == WHOLE
    assert [rows[start][2] for start in (600, 900, 1200)] == [None] * 3
    house.silent = set()
    house.live(600)
    assert list(house.rows().items())[:6] == [(300 * n, WHOLE) for n in range(6)]


def test_a_step_that_stays_leaves_a_gap_and_doubles_nothing(tmp_path: Path) -> None:
    house = Stepped(tmp_path)
    house.live(900)
    house.ahead = 3600.0
    house.live(1800)
    rows = house.rows()
    known = [start for start, row in rows.items() if None not in row]
    assert known == [0, 300, 600, *range(4500, 6300, 300)]
    assert all(rows[start] == WHOLE for start in known)


def test_a_clock_that_was_ahead_goes_on_where_it_is_right(tmp_path: Path) -> None:
    house = Stepped(tmp_path)
    house.live(900)
    house.ahead = -600.0
    house.live(1800)
    rows = house.rows()
    assert [start for start, row in rows.items() if row == WHOLE] == [0, 900, 1200, 1500, 1800]
    assert sum(row[2] or 0.0 for row in rows.values()) == pytest.approx(SUN_W * 2700 / 3600, abs=20)


def test_a_machine_that_has_slept_has_the_time_bridged(tmp_path: Path) -> None:
    """Neither clock runs in a machine that is saved; what its meters have counted says how long it was."""
    house = Stepped(tmp_path)
    house.live(900)
    house.second += 7200
    house.slept, house.ahead = 7200, -7200.0
    house.live(10)
    house.ahead = 0.0
    house.live(900)
    rows = house.rows()
    assert all(rows[start] == WHOLE for start in range(0, 8700, 300))


def test_when_a_clock_is_believed() -> None:
    clock = SteadyClock()
    assert clock.look(NOON, 0.0) == 0.0
    assert clock.look(NOON + 63.0, 60.0) == 0.0, "it runs a little fast"
    assert clock.look(NOON + 7200.0, 70.0) is None
    assert clock.look(NOON + 7200.0 + STANDS_S - 1, 69.0 + STANDS_S) is None
    assert clock.look(NOON + 7200.0 + STANDS_S, 70.0 + STANDS_S) == pytest.approx(7127.0)
    assert clock.look(NOON + 7210.0 + STANDS_S, 80.0 + STANDS_S) == 0.0


def test_a_clock_that_never_stands_is_followed() -> None:
    clock = SteadyClock()
    found = [clock.look(NOON + 7 * second, float(second)) for second in range(0, 3000, 10)]
    assert found.index(None) == 1
    gaps = [place for place, each in enumerate(found) if each is not None]
    assert max(later - earlier for earlier, later in zip(gaps, gaps[1:])) * 10 <= MOST_DOUBT_S + 20
