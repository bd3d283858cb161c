"""Figures of a session belong to the car that is there, and a meter does not run backwards."""

from __future__ import annotations

import json

import pytest
from jeenergied.devices.easee.sessions import Sessions, session

from simulators.easee.product import stamp
from tests.easee.conftest import FIRST
from tests.easee.crank import Memory

HOUR = 3600.0
MORNING, AFTERNOON = 1_789_980_243.0, 1_790_004_420.0  # 09:44:03 and 16:27 of that day


@pytest.fixture
def crank(make_crank, service, hand):
    """A charger on an open stream, on the morning of a day."""
    service.fault("status", "/state/", 404)
    hand.step(MORNING - 2 * HOUR - hand.time())
    return make_crank(FIRST, quiet=True)


def until(crank, moment):
    crank.run(moment - crank.clock.time())


def course(crank, command):
    """What a command was, without repetitions."""
    found = []
    for _, name, value, _ in crank.told:
        if name == command and found[-1:] != [value]:
            found.append(value)
    return found


def test_the_figure_of_the_former_car_is_not_shown_after_another_has_come(crank):
    crank.tell(FIRST, {109: 3, 121: 12.9, 250: 1})
    until(crank, MORNING)
    crank.tell(FIRST, {121: 13.32})
    crank.tell(FIRST, {109: 1, 121: 0})
    until(crank, AFTERNOON)
    crank.tell(FIRST, {109: 6})
    for _ in range(3):
        crank.run(60)
        crank.tell(FIRST, {121: 13.32}, MORNING)
    assert crank.values["sessionEnergy"] == 0
    until(crank, AFTERNOON + 540)
    crank.tell(FIRST, {109: 3, 121: 1.0})
    assert crank.values["sessionEnergy"] == 1.0
    assert course(crank, "sessionEnergy") == [12.9, 13.32, 0, 1.0]


def test_after_a_restart_the_replay_of_the_former_figure_is_known_for_what_it_is(crank, make_crank):
    crank.tell(FIRST, {109: 3, 121: 13.32, 250: 1})
    crank.run(60)
    crank.tell(FIRST, {109: 1})
    crank.device.stop()
    crank.run(HOUR)
    after = make_crank(FIRST, quiet=True, memory=Memory(json.loads(json.dumps(crank.memory))))
    after.tell(FIRST, {121: 13.32}, crank.clock.time() - HOUR - 60)
    after.tell(FIRST, {109: 3}, crank.clock.time() - 600)  # it came while nobody looked
    after.run(10)
    assert after.values["sessionEnergy"] == 0
    after.tell(FIRST, {121: 0.4})
    assert after.values["sessionEnergy"] == 0.4


@pytest.mark.parametrize("first", ["figure", "start"])
def test_the_record_of_a_sessions_start_tells_what_is_older_than_it(crank, first):
    start = {223: json.dumps({"Id": 8, "MeterValue": 5130.1, "Start": stamp(crank.clock.time() - 900)})}
    figure = {121: 13.32}
    told = [(start, crank.clock.time() - 900), (figure, crank.clock.time() - HOUR)]
    crank.tell(FIRST, {109: 3, 250: 1})
    for values, at in told if first == "start" else reversed(told):
        crank.tell(FIRST, values, at)
    assert crank.values["sessionEnergy"] == 0
    assert crank.values["lifetimeEnergy"] == 5130.1


def ended(number, energy, start, stop, meter=5133.0):
    record = {"Id": number, "EnergyKwh": energy, "MeterValueStop": meter}
    return json.dumps({**record, "Start": start and stamp(start), "Stop": stop and stamp(stop)})


def test_the_end_of_another_session_that_is_told_late_changes_nothing(crank):
    crank.tell(FIRST, {109: 1, 124: 5120.0, 250: 1})
    until(crank, AFTERNOON)
    crank.tell(FIRST, {109: 3})
    crank.run(600)
    crank.tell(FIRST, {121: 1.5})
    crank.tell(FIRST, {129: ended(7, 13.32, MORNING - 5 * HOUR, MORNING, 5121.0)})
    assert crank.values["sessionEnergy"] == 1.5
    crank.run(600)
    crank.tell(FIRST, {129: ended(8, 2.75, AFTERNOON + 5, crank.clock.time(), 5122.75)})
    assert (crank.values["sessionEnergy"], crank.values["lifetimeEnergy"]) == (2.75, 5122.75)


@pytest.mark.parametrize(
    ("record", "holds"),
    [
        ({"Id": 8}, True),
        ({"Id": 7}, False),
        ({}, True),
        ({"Id": 7, "Stop": 900.0}, False),
        ({"Id": 7, "Start": 100.0, "Stop": 2000.0}, False),
        ({"Id": 9, "Start": 1010.0, "Stop": 2000.0}, True),
    ],
)
def test_which_end_is_of_the_newest_session(record, holds):
    known = Sessions()
    known.started(session(json.dumps({"Id": 8})), 1060.0)
    text = json.dumps({name: stamp(value) if name != "Id" else value for name, value in record.items()})
    assert known.holds(session(text), 2100.0) is holds


def test_a_meter_does_not_run_backwards(crank):
    for reading in (5120.7, 0, 5121):
        crank.tell(FIRST, {124: reading})
        crank.run(HOUR)
    assert course(crank, "lifetimeEnergy") == [5120.7, 5121]


def test_a_meter_that_reads_a_little_less_stays_where_it_was(crank):
    crank.tell(FIRST, {124: 9173.5})
    crank.run(600)
    crank.tell(FIRST, {124: 9170.0})
    assert course(crank, "lifetimeEnergy") == [9173.5]


def test_what_the_meter_read_is_known_after_a_restart(crank, make_crank):
    crank.tell(FIRST, {124: 5120.7})
    crank.device.stop()
    after = make_crank(FIRST, quiet=True, memory=Memory(json.loads(json.dumps(crank.memory))))
    after.run(60)
    for reading in (0, 12.5):
        after.tell(FIRST, {124: reading})
    assert "lifetimeEnergy" not in after.values
    after.run(HOUR)
    after.tell(FIRST, {124: 5121})
    assert after.values["lifetimeEnergy"] == 5121


def test_a_meter_that_starts_anew_is_believed_after_a_while_and_told_once(crank):
    crank.tell(FIRST, {124: 5120.7})
    for reading in (0.2, 0.5, 0.8, 1.1):
        crank.run(HOUR)
        crank.tell(FIRST, {124: reading})
    assert course(crank, "lifetimeEnergy") == [5120.7, 0.8, 1.1]
    assert len(crank.messages) == 1
    assert "5120.7" in crank.messages[0]


def test_the_meters_hourly_figures_in_a_month_of_charging_are_all_believed(crank):
    meter = 5120.0
    for hour in range(24 * 30):
        meter += 11.0 if hour % 24 < 6 else 0.0
        crank.tell(FIRST, {124: round(meter, 3)})
        crank.clock.advance(HOUR)
    assert crank.values["lifetimeEnergy"] == round(meter, 3)
    assert crank.messages == []
