"""Readings of a meter: falls, giant steps, restarts and exchanged meters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from jeenergied.devices.common.counter_guard import CounterGuard, CounterGuards, Limits, Verdict

HOUSE = Limits(per_hour=36.0, slack=1.0, jitter=0.001, confirm_s=900, confirm_readings=3)
"""kWh of a house of 36 kVA."""


def shown(guard: CounterGuard, readings: list[tuple[float, float]]) -> list[float | None]:
    """What is shown of (second, index) readings."""
    return [guard.read(value, at).value for at, value in readings]


def test_one_zero_between_two_readings_is_held_back() -> None:
    guard = CounterGuard(HOUSE)
    assert shown(guard, [(0, 5120.7), (60, 0.0), (120, 5121.0)]) == [5120.7, None, 5121.0]


def test_one_digit_too_many_is_held_back() -> None:
    guard = CounterGuard(HOUSE)
    assert shown(guard, [(0, 31204.5), (10, 312045.2), (20, 31204.6)]) == [31204.5, None, 31204.6]


def test_zeros_of_a_device_that_has_just_started_are_held_back_for_minutes() -> None:
    guard = CounterGuard(HOUSE)
    guard.read(5000.0, 0)
    assert {guard.read(0.0, second).value for second in range(1, 600)} == {None}
    assert guard.read(5000.5, 600).value == 5000.5


def test_a_counter_that_counts_from_zero_while_its_memory_loads_is_held_back() -> None:
    guard = CounterGuard(HOUSE)
    guard.read(9000.0, 0)
    assert {guard.read(second / 1000, second).value for second in range(1, 300)} == {None}
    assert guard.read(9001.0, 300).value == 9001.0


def test_a_counter_that_goes_on_from_zero_is_believed_after_a_quarter_of_an_hour() -> None:
    guard = CounterGuard(HOUSE)
    guard.read(5000.0, 0)
    verdicts = [guard.read(second / 3600, second) for second in range(60, 1200, 60)]
    restarted = [each for each in verdicts if each.verdict is Verdict.RESTARTED]
    assert len(restarted) == 1
    assert [each.news for each in verdicts].count(True) == 2  # the doubt, and its end
    assert verdicts.index(restarted[0]) == 15
    assert verdicts[-1].value == 1140 / 3600


def test_a_clock_that_is_stepped_confirms_nothing() -> None:
    """A gateway that starts tells 0.04 kWh of everything for a minute, in which the clock of the daemon is set."""
    guard = CounterGuard(HOUSE)
    guard.read(3200.0, 0)
    seconds = [10, 20, 30, *range(7240, 7300, 10)]
    assert {guard.read(0.04, second).value for second in seconds} == {None}
    assert guard.read(3200.5, 7310).value == 3200.5


def test_three_readings_of_a_quarter_of_an_hour_confirm_however_rare_they_are() -> None:
    guard = CounterGuard(HOUSE)
    guard.read(3200.0, 0)
    assert shown(guard, [(1800, 1.0), (3600, 1.1), (5400, 1.2)]) == [None, None, 1.2]


def test_the_same_wrong_reading_within_seconds_confirms_nothing() -> None:
    guard = CounterGuard(HOUSE)
    guard.read(100.0, 0)
    assert {guard.read(7.0, 1 + second / 10).value for second in range(1000)} == {None}


def test_an_exchanged_meter_counts_from_its_own_index_at_once() -> None:
    guard = CounterGuard(HOUSE)
    guard.read(31204.5, 0, "meter A")
    reading = guard.read(3.0, 60, "meter B")
    assert (reading.value, reading.verdict, reading.news) == (3.0, Verdict.REPLACED, True)
    assert guard.read(3.1, 120, "meter B").value == 3.1


def test_a_meter_without_identity_for_a_moment_is_the_same_meter() -> None:
    guard = CounterGuard(HOUSE)
    guard.read(31204.5, 0, "meter A")
    assert guard.read(0.0, 60, "").value is None
    assert guard.read(31204.6, 120, "meter A").verdict is Verdict.ACCEPTED


def test_a_first_zero_waits_for_confirmation() -> None:
    guard = CounterGuard(HOUSE)
    assert shown(guard, [(0, 0.0), (60, 0.0), (120, 5000.0)]) == [None, None, 5000.0]


def test_a_counter_that_is_truly_zero_is_shown_after_a_quarter_of_an_hour_without_news() -> None:
    guard = CounterGuard(HOUSE)
    readings = [guard.read(0.0, second) for second in range(0, 1000, 100)]
    assert [each.value for each in readings] == [None] * 9 + [0.0]
    assert not readings[-1].news


def test_growth_after_a_long_silence_is_what_the_time_allows() -> None:
    guard = CounterGuard(HOUSE)
    guard.read(100.0, 0)
    assert guard.read(900.0, 86400).value == 900.0
    assert guard.read(2000.0, 86460).value is None


def test_a_restart_keeps_the_last_reading_and_the_doubt() -> None:
    guards = CounterGuards()
    guards.read("a", 500.0, 0, HOUSE)
    guards.read("a", 0.0, 60, HOUSE)
    again = CounterGuards(guards.state())
    assert again.last("a") == 500.0
    assert again.read("a", 0.0, 500, HOUSE).value is None
    assert again.read("a", 0.0, 970, HOUSE).verdict is Verdict.RESTARTED


def test_nonsense_in_the_store_is_ignored() -> None:
    for kept in (None, [], "x", {"a": 3}, {"a": {"last": "x", "at": None}}, {"a": {"last": 1, "at": 2, "doubt": {}}}):
        assert CounterGuards(kept).read("a", 1.0, 10, HOUSE).value == 1.0


@given(st.lists(st.tuples(st.floats(0.1, 7200), st.floats(0, 1e7)), min_size=1, max_size=60))
def test_what_is_shown_never_falls_but_by_a_confirmed_restart(steps: list[tuple[float, float]]) -> None:
    guard, now, last = CounterGuard(HOUSE), 0.0, None
    for seconds, value in steps:
        now += seconds
        reading = guard.read(value, now)
        if reading.verdict is Verdict.RESTARTED:
            last = reading.value
        elif reading.value is not None:
            assert last is None or reading.value >= last
            last = reading.value


@given(st.lists(st.tuples(st.floats(1, 3600), st.floats(0, 30)), min_size=1, max_size=60))
def test_a_healthy_counter_is_never_held_back(steps: list[tuple[float, float]]) -> None:
    guard, now, index = CounterGuard(HOUSE), 0.0, 17.0
    guard.read(index, now)
    for seconds, power in steps:
        now, index = now + seconds, index + power * seconds / 3600
        assert guard.read(index, now).value == index


def test_a_restart_tells_where_the_counter_goes_on_from() -> None:
    guard = CounterGuard(HOUSE)
    guard.read(5000.0, 0)
    kept = None
    for second in range(60, 1200, 60):
        again = CounterGuard(HOUSE)
        again.restore(kept or guard.state())
        reading = again.read(second / 3600, second)
        kept = again.state()
        if reading.verdict is Verdict.RESTARTED:
            break
    assert reading.origin == (60 / 3600, 60)
    assert guard.read(7.0, 60, "other").origin is None  # no identity was known before
