"""What charges have cost is read from the book once when they are over, and little by little while they run."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from jeenergied.energy.balance import Charge
from jeenergied.energy.ledger.cells import COLUMNS, SLOT_S
from jeenergied.energy.ledger.row import Interval
from jeenergied.energy.ledger.store import Book, Change
from jeenergied.energy.money.comparison import session
from jeenergied.energy.money.costs import AGAIN_S, SETTLED_S, Costs

NOW = 1_780_000_000.0
DAY = 86400.0


def row(start: int, **devices: float) -> Interval:
    energies: dict[str, float | None] = dict(zip(COLUMNS, (50.0, 10.0, 200.0, 30.0, 20.0)))
    return Interval(start, energies, dict.fromkeys(COLUMNS, float(SLOT_S)), 0, 0.2, 0.04, devices=devices)


class Read:
    """A book of ten days; counts what is read of it."""

    def __init__(self, folder: Path) -> None:
        first = int(NOW // SLOT_S - 10 * 288) * SLOT_S
        chance = random.Random(1)
        rows = [row(first + SLOT_S * n, **{"3": chance.choice([0.0, 0.0, 120.0]), "33": 90.0}) for n in range(10 * 288)]
        self.book = Book(folder / "house.sqlite")
        self.book.write(Change(intervals=rows))
        self.rows = 0

    def charge(self, charger: str, begin: float, end: float) -> Charge:
        found = self.book.intervals(begin // SLOT_S * SLOT_S, end, charger)
        self.rows += len(found)
        assert all(charger in each.devices for each in found)
        return session(found, charger)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return Read(tmp_path)


def test_a_session_that_is_over_is_read_once_until_late_figures_may_have_changed_it(read: Read) -> None:
    costs, span = Costs(read.charge), (NOW - 3 * DAY - 77, NOW - 2 * DAY + 31)
    whole = read.charge("3", *span)
    read.rows = 0
    assert costs.between("3", *span, NOW) == whole
    once, read.rows = read.rows, 0
    for second in range(0, int(AGAIN_S), 15):
        assert costs.between("3", *span, NOW + second) == whole
    assert read.rows == 0
    costs.between("3", *span, NOW + AGAIN_S)
    assert read.rows == once > 0


def test_a_session_that_runs_is_read_from_where_it_was_settled(read: Read) -> None:
    costs, begin = Costs(read.charge), NOW - 9 * DAY
    for now in range(int(NOW - 1500), int(NOW), 150):
        found = costs.between("3", begin, now, now)
        assert found.energy == pytest.approx(read.charge("3", begin, now).energy)
    read.rows = 0
    costs.between("3", begin, NOW, NOW)
    assert read.rows <= SETTLED_S // SLOT_S + 1


def test_only_what_a_charger_took_is_read_and_no_other_one_whose_id_begins_alike(read: Read) -> None:
    drawn = [each for each in read.book.intervals(NOW - DAY, NOW) if each.devices.get("3")]
    assert [each.start for each in read.book.intervals(NOW - DAY, NOW, "3")] == [each.start for each in drawn]
    assert 0 < len(drawn) < 288
    assert read.book.intervals(NOW - DAY, NOW, "x' OR 1=1") == []


def test_a_clock_that_was_set_back_reads_anew(read: Read) -> None:
    costs = Costs(read.charge)
    later = costs.between("3", NOW - DAY, NOW, NOW)
    assert costs.between("3", NOW - DAY, NOW - DAY / 2, NOW - DAY / 2).energy < later.energy
    assert costs.between("3", NOW - DAY, NOW, NOW) == later
