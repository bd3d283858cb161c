"""Energy per local day out of an index, whatever happens to the index, the clock and the daemon."""

from __future__ import annotations

import json
import random
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from jeenergied.devices.enphase.values.counters import Began, DayCounter, DayCounters, Integrator

PARIS = ZoneInfo("Europe/Paris")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def run(counter: DayCounter, readings):
    """The days that end while (moment, index) are read."""
    ended = []
    for moment, index in readings:
        ended += counter.read(index, moment, PARIS)
    return ended


def test_the_first_reading_is_no_energy():
    counter = DayCounter()
    assert run(counter, [(at("2026-01-10T12:00"), 4_000_000.0)]) == []
    assert counter.today == 0
    assert counter.at_midnight == 4_000_000


def test_what_flows_is_counted_and_small_steps_back_are_not():
    counter = DayCounter()
    start = at("2026-01-10T12:00")
    run(counter, [(start, 100.0), (start + 60, 110.0), (start + 120, 109.5), (start + 180, 110.2)])
    assert counter.today == pytest.approx(10.2)
    run(counter, [(start + 240, 109.6)])
    assert counter.today == pytest.approx(10.2)


@pytest.mark.parametrize(("day", "hours"), [("2026-01-10", 24), ("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_is_as_long_as_it_is_locally(day, hours):
    counter = DayCounter()
    begin = at(day + "T00:00") - 1800
    power = 600.0  # W: 10 Wh a minute
    days = run(counter, [(begin + 60 * n, 1000 + 10.0 * n) for n in range(60 * hours + 61)])
    assert [each.day for each in days][1:] == [day]
    assert days[1].energy == pytest.approx(hours * power)
    assert days[1].whole
    assert not days[0].whole  # it was not watched from its start
    assert counter.today == pytest.approx(300)


def test_an_outage_over_midnight_is_split_by_time():
    counter = DayCounter()
    days = run(
        counter, [(at("2026-01-10T20:00"), 0.0), (at("2026-01-10T23:30"), 700.0), (at("2026-01-11T00:30"), 900.0)]
    )
    assert [(each.energy, each.estimated) for each in days] == [(800.0, False)]
    assert counter.today == pytest.approx(100)


def test_days_that_were_missed_each_get_their_share():
    counter = DayCounter()
    days = run(counter, [(at("2026-01-10T12:00"), 0.0), (at("2026-01-13T12:00"), 7200.0)])
    assert [(each.day, each.energy) for each in days] == [
        ("2026-01-10", 1200.0),
        ("2026-01-11", 2400.0),
        ("2026-01-12", 2400.0),
    ]
    assert all(each.estimated for each in days)
    assert counter.today == pytest.approx(1200)


def test_an_index_that_begins_anew_loses_nothing_that_was_read():
    counter = DayCounter()
    start = at("2026-01-10T12:00")
    run(counter, [(start, 5000.0), (start + 60, 5010.0)])
    # Reset right after: 4 Wh have flowed since, then 10 a minute. Its judge has waited for a quarter of an hour.
    counter.read(154.0, start + 1020, PARIS, Began(4.0, start + 120, per_hour=37_500.0))
    assert counter.today == pytest.approx(10 + 154)
    assert counter.at_midnight is None  # there is no index left to compare with
    counter.read(164.0, start + 1080, PARIS)
    assert counter.today == pytest.approx(174)


def test_an_index_that_begins_anew_somewhere_is_no_energy():
    counter = DayCounter()
    start = at("2026-01-10T12:00")
    run(counter, [(start, 5000.0), (start + 60, 5010.0)])
    counter.read(3020.0, start + 1020, PARIS, Began(3000.0, start + 120, per_hour=37_500.0))
    assert counter.today == pytest.approx(30)


@pytest.mark.parametrize(("index", "today"), [(5030.0, 30.0), (905_020.0, 10.0), (3000.0, 10.0)])
def test_a_judge_that_has_forgotten_does_not_lose_what_follows(index, today):
    counter = DayCounter()
    start = at("2026-01-10T12:00")
    run(counter, [(start, 5000.0), (start + 60, 5010.0)])
    counter.read(index, start + 120, PARIS, Began(index, start + 120, per_hour=1000.0, slack=1000.0))
    assert counter.today == pytest.approx(today)


def test_a_long_outage_may_bring_much_energy():
    counter = DayCounter()
    run(counter, [(at("2026-01-10T06:00"), 0.0), (at("2026-01-10T20:00"), 60_000.0)])
    assert counter.today == 60_000


def test_the_clock_may_step_back():
    counter = DayCounter()
    start = at("2026-01-10T12:00")
    run(counter, [(start, 0.0), (start + 60, 10.0), (start - 3600, 20.0), (start - 3540, 30.0)])
    assert counter.today == pytest.approx(30)


def test_a_clock_that_was_years_ahead_does_not_hold_the_day():
    counter = DayCounter()
    run(counter, [(at("2031-01-10T12:00"), 0.0), (at("2026-01-10T12:00"), 10.0), (at("2026-01-10T12:01"), 20.0)])
    assert counter.day == "2026-01-10"
    days = run(counter, [(at("2026-01-11T00:01"), 30.0)])
    assert [each.day for each in days] == ["2026-01-10"]


def test_after_months_a_counter_begins_anew():
    counter = DayCounter()
    assert run(counter, [(at("2026-01-10T12:00"), 0.0), (at("2026-06-10T12:00"), 900_000.0)]) == []
    assert counter.today == 0


def test_restarts_at_any_moment_change_nothing():
    dice = random.Random(5)
    readings, index = [], 1_000_000.0
    for minute in range(3 * 24 * 60):
        index += dice.random() * 20
        readings.append((at("2026-10-24T00:00") + 60 * minute, index))
    straight, kept = DayCounter(), None
    ended, ended_again = run(straight, readings), []
    for reading in readings:
        counters = DayCounters(kept)
        ended_again += counters.read("x", reading[1], reading[0], PARIS)
        kept = json.loads(json.dumps(counters.state()))
    assert ended_again == ended
    assert sum(each.energy for each in ended) + straight.today == pytest.approx(readings[-1][1] - readings[0][1])


def test_a_state_of_another_version_begins_anew():
    counters = DayCounters({"x": {"unknown": 1}})
    counters.read("x", 5.0, at("2026-01-10T12:00"), PARIS)
    assert counters.get("x").today == 0


def test_powers_become_energy_but_not_over_gaps():
    integrator = Integrator()
    assert integrator.add(1000.0, 0.0, 300.0) == 0
    assert integrator.add(2000.0, 60.0, 300.0) == pytest.approx(25)
    assert integrator.add(2000.0, 1000.0, 300.0) == pytest.approx(25)
    assert integrator.add(2000.0, 1180.0, 300.0) == pytest.approx(125)
    assert integrator.add(2000.0, 2980.0, 2000.0) == pytest.approx(1125)
