"""Figures that come later fill what was not measured, change the days they touch, and count once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from jeenergied.energy.ledger import periods
from jeenergied.energy.ledger.cells import COLUMNS
from jeenergied.energy.ledger.row import Interval, Sums
from jeenergied.energy.ledger.store import Change
from jeenergied.energy.ports import Source

from simulators.house.days import Days, whole_days

from .house import ALL, EXPORT, GRID, OFF_PEAK, PARIS, PEAK, Kept, values

START = datetime(2026, 10, 24, tzinfo=PARIS)
SUPPLIER = Source("9", "conso_jour", "supply.energy", "day")
LINE = Source("8", "total_energy", "load.energy", "measure")


def day_of(kept: Kept, day: date) -> Sums:
    return Sums.unpacked(dict(kept.book.days(day.isoformat(), day.isoformat()))[day.isoformat()])


def played(tmp_path: Path, silent: range) -> tuple[Kept, Days]:
    """Two days, the second with a clock change; in some minutes the meter of the grid says nothing."""
    kept, house = Kept(tmp_path / "house.sqlite"), Days(START)
    for minute, shown in enumerate(house.minutes(whole_days(START, 2))):
        told = values(shown)
        if minute >= silent.start:
            told = {each: value for each, value in told.items() if each not in (PEAK, OFF_PEAK)}
            if minute < silent.stop:
                told = {each: value for each, value in told.items() if each not in (GRID, EXPORT)}
        kept.take(told, shown.at)
        if minute % 5 == 4:
            kept.ledger.flush(shown.at)
    return kept, house


def test_the_suppliers_day_fills_what_the_meter_missed(tmp_path: Path) -> None:
    kept, house = played(tmp_path, range(1440 + 150, 10**6))
    day = date(2026, 10, 25)
    begin, end = periods.span(day, PARIS)
    true = house.by_day[day.isoformat()].imported
    assert day_of(kept, day).balance.imported * 1000 < 0.9 * true
    for told in (true * 1.1, true, true):  # corrected, and told again
        kept.ledger.late(SUPPLIER, "i", begin, end, told)
        assert kept.ledger.flush(end + 86400) == {day}
    found = day_of(kept, day)
    assert found.balance.imported * 1000 == pytest.approx(true, rel=1e-4)
    filled = [row for row in kept.book.intervals(begin, end) if row.is_late("i")]
    assert 250 < len(filled) < 275
    assert all(row.price is not None for row in filled)
    assert day_of(kept, date(2026, 10, 24)).balance.imported * 1000 == pytest.approx(
        house.by_day["2026-10-24"].imported, rel=0.005
    )


def test_what_was_measured_is_never_overwritten(tmp_path: Path) -> None:
    kept, house = played(tmp_path, range(10**6, 10**6))
    begin, end = periods.span(date(2026, 10, 25), PARIS)
    before = kept.book.intervals(begin, end)
    kept.ledger.late(SUPPLIER, "i", begin, end, 99_000)
    kept.ledger.flush(end + 86400)
    assert kept.book.intervals(begin, end) == before
    assert house.by_day


def test_what_the_supplier_says_was_fed_in_follows_the_sun(tmp_path: Path) -> None:
    """Evenly over the day it would make of each night a house that gives what it never got."""
    injection = Source("9", "prod_jour", "supply.injection", "day")
    night, sunny = periods.midnight(START.date(), PARIS), range(96, 192)
    kept = Kept(tmp_path / "house.sqlite", sources=(*ALL, injection))
    full = dict.fromkeys(COLUMNS, 300.0)
    none = dict.fromkeys(COLUMNS, 0.0)
    rows = [
        Interval(
            int(night) + 300 * n, {**none, "e": None, "p": 250.0 * (n in sunny), "i": 20.0 * (n not in sunny)}, full
        )
        for n in range(288)
    ]
    for row in rows:
        row.seconds = {**full, "e": 0.0}
    kept.book.write(Change(rows))
    kept.ledger.late(injection, "e", night, night + 86400, 9600.0)
    kept.ledger.flush(night + 2 * 86400)
    found = kept.book.intervals(night, night + 86400)
    assert [row.known("e") for row in found] == pytest.approx([100.0 * (n in sunny) for n in range(288)])


def test_what_was_charged_from_the_grid_was_drawn_from_it_when_it_was_charged(tmp_path: Path) -> None:
    """The meter of the grid is silent; the battery charges for an hour of the night."""
    night, charging = periods.midnight(START.date(), PARIS), range(24, 36)
    kept = Kept(tmp_path / "house.sqlite", sources=(*ALL, SUPPLIER))
    full = dict.fromkeys(COLUMNS, 300.0)
    rows = [
        Interval(int(night) + 300 * n, {**dict.fromkeys(COLUMNS, 0.0), "i": None, "c": 200.0 * (n in charging)}, full)
        for n in range(288)
    ]
    for row in rows:
        row.seconds = {**full, "i": 0.0}
    kept.book.write(Change(rows))
    kept.ledger.late(SUPPLIER, "i", night, night + 86400, 5280.0)
    kept.ledger.flush(night + 2 * 86400)
    found = kept.book.intervals(night, night + 86400)
    assert [row.house for row in found] == pytest.approx([10.0] * 288)
    assert sum(row.known("i") or 0.0 for row in found) == pytest.approx(5280.0)


def test_a_house_that_knows_only_its_supplier_has_days(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "house.sqlite", sources=(SUPPLIER,))
    for number in range(3):
        begin, end = periods.span(date(2026, 3, 28) + timedelta(days=number), PARIS)
        kept.ledger.late(SUPPLIER, "i", begin, end, 12_000)
    kept.ledger.flush(periods.midnight(date(2026, 4, 5), PARIS))
    for number, slots in enumerate((288, 276, 288)):
        found = day_of(kept, date(2026, 3, 28) + timedelta(days=number))
        assert (found.count, found.known) == (slots, slots)
        assert found.balance.house == pytest.approx(12.0)
        assert found.balance.energy_cost == pytest.approx(12.0 * 0.19, rel=0.05)


def test_a_line_of_an_ecometer_is_a_device_that_is_known_later(tmp_path: Path) -> None:
    kept, _ = played(tmp_path, range(10**6, 10**6))
    begin = START.timestamp()
    for energy in (300.0, 450.0):
        for step in range(4):
            kept.ledger.late(LINE, "8", begin + 1800 * step, begin + 1800 * (step + 1), energy)
        kept.ledger.flush(begin + 10 * 86400)
    assert day_of(kept, START.date()).devices["8"] == pytest.approx(1.8)


@pytest.mark.parametrize(("begin", "end", "energy"), [(0, 0, 5), (0, -5, 5), (0, 10**6, 5), (0, 300, -5)])
def test_a_figure_that_cannot_be_is_left_out(tmp_path: Path, begin: float, end: float, energy: float) -> None:
    kept = Kept(tmp_path / "house.sqlite", sources=(SUPPLIER,))
    kept.ledger.late(SUPPLIER, "i", begin, end, energy)
    assert kept.ledger.flush(86400) == set()
