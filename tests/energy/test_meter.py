"""One meter: whatever its counter and its power tell, nothing is negative, giant or counted twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jeenergied.energy.ledger.cells import SOLAR, Cell, Cells, slices
from jeenergied.energy.ledger.growth import Growth
from jeenergied.energy.ledger.meter import Meter

BEGIN = 1_780_000_200.0
events = st.lists(
    st.tuples(
        st.floats(-400, 7200), st.one_of(st.none(), st.floats(0, 12000)), st.one_of(st.none(), st.floats(-3e5, 3e5))
    ),
    max_size=60,
)


def energies(cells: Cells) -> list[float]:
    return [cell.energy for columns in cells.changes.values() for cell in columns.values()]


@settings(max_examples=60)
@given(events, st.booleans())
def test_no_interval_is_negative_or_giant(steps: list[tuple[float, float | None, float | None]], daily: bool) -> None:
    cells = Cells()
    meter = Meter(SOLAR, cells, Growth(12.0), daily)
    at, index, spent = BEGIN, 1_000_000.0, 0.0
    for seconds, power, step in steps:
        at += seconds
        spent += max(seconds, 0.0)
        if power is not None:
            meter.power(power, at, 900)
        if step is not None:
            index = max(index + step, 0.0)
            meter.count(index, at, BEGIN - BEGIN % 86400)
        assert min(energies(cells), default=0.0) >= -1e-6
    assert sum(energies(cells)) <= 2.5 * 12000 * (spent + 900 * len(steps)) / 3600 + 600 * len(steps) + 1e-6


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(1, 5000), st.floats(0, 8000)), min_size=2, max_size=40), st.integers(0, 40))
def test_the_sum_is_what_the_counter_has_grown_also_over_a_restart(
    steps: list[tuple[float, float]], restart_after: int
) -> None:
    """Power and counter agree roughly; whatever is provisional, the sum is the counter's in the end."""
    cells = Cells()
    meter = Meter(SOLAR, cells, Growth(12.0))
    at, index = BEGIN, 500_000.0
    meter.power(0, at, 900)
    meter.count(index, at, BEGIN)
    for number, (seconds, watts) in enumerate(steps):
        at += seconds
        index += watts * seconds / 3600
        meter.power(watts * 0.9, at, 900)
        assert meter.count(index, at, BEGIN)
        if number == restart_after:
            again = Meter(SOLAR, cells, Growth(12.0))
            again.restore(meter.state())
            meter = again
    at += 3600  # nothing is left in the air
    meter.power(0, at, 900)
    meter.count(index, at, BEGIN)
    index += 500
    meter.count(index, at + 1800, BEGIN)
    assert sum(energies(cells)) == pytest.approx(index - 500_000, abs=0.01)


def test_a_figure_of_the_day_begins_anew() -> None:
    cells, midnight = Cells(), BEGIN + 3600
    meter = Meter(SOLAR, cells, Growth(12.0), daily=True)
    meter.count(9000, BEGIN, BEGIN - 40000)
    meter.count(9500, midnight - 60, BEGIN - 40000)
    meter.count(9500, midnight + 30, midnight)  # the vendor's day ends a moment later
    meter.count(20, midnight + 90, midnight)
    assert sum(energies(cells)) == pytest.approx(520)
    by_slot = {slot: sum(cell.energy for cell in columns.values()) for slot, columns in cells.changes.items()}
    assert by_slot[int(midnight)] == pytest.approx(20, abs=2)


@pytest.mark.parametrize("state", [None, {}, {"growth": "x"}, {"growth": [1.0, 2.0, None, 0.0], "trace": 5}, [1]])
def test_a_state_that_is_none_is_no_harm(state: object) -> None:
    meter = Meter(SOLAR, Cells(), Growth(12.0))
    meter.restore(state)
    assert meter.count(1000, BEGIN, BEGIN)


def test_a_counter_that_was_away_for_years_begins_anew() -> None:
    cells = Cells()
    meter = Meter(SOLAR, cells, Growth(12.0))
    meter.count(1000, BEGIN - 10 * 365 * 86400, BEGIN)
    assert meter.count(900_000, BEGIN, BEGIN)
    assert energies(cells) == []
    meter.count(900_100, BEGIN + 300, BEGIN)
    assert sum(energies(cells)) == pytest.approx(100)


def test_a_clock_that_was_set_back_makes_no_giant() -> None:
    cells = Cells()
    meter = Meter(SOLAR, cells, Growth(12.0))
    for second in range(0, 7200, 60):
        meter.count(1000 + second, BEGIN + second, BEGIN)
    for second in range(7200, 10800, 60):
        meter.count(1000 + second, BEGIN + second - 3600, BEGIN)
    assert sum(energies(cells)) == pytest.approx(10740, abs=130)
    assert max(energies(cells)) < 700


def test_slices_cover_a_span_without_a_gap() -> None:
    parts = list(slices(BEGIN + 10, BEGIN + 1000))
    assert sum(seconds for _, seconds in parts) == pytest.approx(990)
    assert len(parts) == 4


def test_what_the_power_told_before_a_counter_began_anew_stays_and_is_an_estimate() -> None:
    """The growth since its new beginning says nothing of the time before: it is not squeezed into it."""
    cells = Cells()
    meter = Meter(SOLAR, cells, Growth(12.0))
    begin, index = BEGIN - BEGIN % 300, 3_000_000.0
    for second in range(0, 2710, 10):
        at = begin + second
        index += 10.0
        if second == 1530:
            index = 1000.0  # replaced, and believed a quarter of an hour after its last reading
        meter.power(3600.0, at, 60)
        if not 630 < second < 1530:
            read = (index, at)
        meter.count(*read, begin)  # the last reading is looked at again and again
    slots = [cells.changes[int(begin) + 300 * n][SOLAR] for n in range(9)]
    assert [cell.energy for cell in slots] == pytest.approx([300.0] * 9, abs=10.1)
    assert [cell.seconds for cell in slots] == pytest.approx([300.0] * 9)
    assert [cell.estimated for cell in slots] == [2 <= n <= 5 for n in range(9)]


@pytest.mark.parametrize(("period", "known"), [(240, [False, False, True, True]), (5, [True] * 4)])
def test_an_interval_is_not_known_of_which_a_counter_that_fell_has_not_told_a_part(
    period: int, known: list[bool]
) -> None:
    cells = Cells()
    meter = Meter(SOLAR, cells, Growth(12.0))
    begin = BEGIN - BEGIN % 300
    for second in range(0, 1500, period):
        meter.count((90_000.0 if second < 480 else 0.0) + second, begin + second, begin)
    seconds = [cells.changes[int(begin) + 300 * n][SOLAR].seconds for n in range(4)]
    assert [each >= 240 for each in seconds] == known


def slots_of(cells: Cells, begin: float, number: int = 6) -> list[Cell]:
    """What the first intervals from `begin` hold of the sun."""
    return [cells.changes[int(begin) + 300 * n][SOLAR] for n in range(number)]


def test_what_a_counter_has_lost_that_fell_and_passed_its_index_again_is_told_by_the_power() -> None:
    """It fell by 300 Wh and was not believed until it was where it had been: not all of that time was nothing."""
    cells = Cells()
    meter = Meter(SOLAR, cells, Growth(12.0))
    begin = BEGIN - BEGIN % 300
    for second in range(0, 1810, 10):
        meter.power(3600.0, begin + second, 60)
        read = 450 if 450 < second < 760 else second  # the last reading is looked at again and again
        meter.count(3_000_000.0 + read - (300 if read > 450 else 0), begin + read, begin)
        if second == 1200:
            again = Meter(SOLAR, cells, Growth(12.0))
            again.restore(meter.state())
            again.power(3600.0, begin + second, 60)
            meter = again
    slots = slots_of(cells, begin)
    assert [cell.energy for cell in slots] == pytest.approx([300.0] * 6, abs=12.0)
    assert [cell.estimated for cell in slots] == [False, True, True, False, False, False]


def test_an_older_copy_that_catches_up_counts_once_however_long_it_was_silent() -> None:
    cells = Cells()
    meter = Meter(SOLAR, cells, Growth(12.0))
    begin = BEGIN - BEGIN % 300
    for second in range(0, 1810, 10):
        meter.power(3600.0, begin + second, 60)
        read = 450 if 450 < second < 760 else second
        meter.count(3_000_000.0 + (read if read < 450 or read > 900 else 450), begin + read, begin)
    slots = slots_of(cells, begin)
    assert [cell.energy for cell in slots] == pytest.approx([300.0] * 6, abs=10.1)


def test_a_power_that_was_silent_tells_nothing_again_of_what_was_counted_meanwhile() -> None:
    cells = Cells()
    meter = Meter(SOLAR, cells, Growth(12.0))
    begin = BEGIN - BEGIN % 300
    for second in range(0, 1510, 10):
        if not 640 < second < 840:
            meter.power(3600.0, begin + second, 400)
        meter.count(3_000_000.0 + second, begin + second, begin)
        told = sum(energies(cells))
        assert told == pytest.approx(second, abs=0.1)
    slots = [cells.changes[int(begin) + 300 * n][SOLAR] for n in range(5)]
    assert [cell.energy for cell in slots] == pytest.approx([300.0] * 5)


def test_growth_is_also_of_the_part_whose_power_is_not_known() -> None:
    """The daemon was killed at 900 s, its counter is read again at 1070 s."""
    cells = Cells()
    meter = Meter(SOLAR, cells, Growth(12.0))
    begin = BEGIN - BEGIN % 300
    meter.count(3_000_000.0, begin, begin)
    for second in range(0, 910, 10):
        meter.power(3600.0, begin + second, 60)
    meter.count(3_001_070.0, begin + 1070, begin)
    found = [cells.changes[int(begin) + 300 * n][SOLAR].energy for n in range(4)]
    assert found == pytest.approx([300.0, 300.0, 300.0, 170.0])
