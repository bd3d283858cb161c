"""Self-consumption: thresholds, delays, restarts, and nothing on stale data."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from jeenergied.devices.enphase.stages import Stage, StageSettings

from jeedom_bridge.clock import ManualClock
from simulators.enphase import DaySource, EnphaseGateway, Plant

from .harness import READINGS

LIMITS = {"onAbove": 1000, "offBelow": -200}


def steps(stage, surpluses, every=1.0, begin=1000.0, **config):
    """(second, on) of each switching."""
    settings = StageSettings.parse({**LIMITS, **config})
    switched = []
    for n, surplus in enumerate(surpluses):
        if stage.step(settings, surplus, begin + n * every, 3 * every):
            switched.append((n * every, stage.on))
    return switched


def test_it_is_on_above_one_threshold_until_below_the_other():
    assert steps(Stage(), [0, 999, 1000, 1001, 500, -199, -200, -201, 0, 2000]) == [(3, True), (7, False), (9, True)]


def test_a_short_peak_does_nothing_when_there_is_a_delay():
    assert steps(Stage(), [2000, 2000, 0, 2000, 2000, 2000, 2000], delay=3) == [(6, True)]


def test_it_stays_on_and_off_for_a_least_time():
    assert steps(Stage(), [2000] + [-500] * 10, leastOn=5) == [(0, True), (5, False)]
    stage = Stage(on=True, since=0.0)
    assert steps(stage, [-500] + [2000] * 10, leastOff=4) == [(0, False), (4, True)]


def test_a_gap_in_the_data_begins_the_delay_anew():
    stage, settings = Stage(), StageSettings.parse({**LIMITS, "delay": 10})
    for second in (0, 3, 6, 20, 23, 26, 29):
        assert not stage.step(settings, 5000, 1000.0 + second, 9.0)
    assert stage.step(settings, 5000, 1030.0, 9.0)


def test_a_clock_that_is_stepped_back_holds_nothing():
    stage = Stage(on=True, since=10_000.0)
    assert steps(stage, [-500], begin=1000.0, leastOn=600) == [(0, False)]


@pytest.mark.parametrize("config", [{}, {"onAbove": 5}, {"onAbove": 5, "offBelow": 5}, {"onAbove": "x", "offBelow": 1}])
def test_thresholds_that_make_no_sense_are_no_settings(config):
    assert StageSettings.parse(config) is None


@pytest.mark.parametrize("kept", [None, 5, {}, {"on": True, "since": 12.0}])
def test_the_state_is_restored(kept):
    assert Stage.restore(kept).on is (kept == {"on": True, "since": 12.0})


# ---- a running connection


@pytest.fixture
def clock() -> ManualClock:
    noon = datetime.now(ZoneInfo("Europe/Paris")).replace(hour=12, minute=0)
    return ManualClock(noon.timestamp())


@pytest.fixture
def running(opened, bench, clock):
    gateway = opened(EnphaseGateway(DaySource(Plant(clock.time, phases=3)), clock=clock.time))
    gateway.set(production=[0, 0, 0], consumption=[300, 300, 300])
    made = bench(gateway, clock=clock, phases="tri", pollInterval=2)
    made.equip("30", "stage", "Ballon", **LIMITS, onCommand="#1#", offCommand="#2#")
    made.equip("31", "stage", "Radiateur", phase="2", onAbove=500, offBelow=100, onCommand="#3#", offCommand="#4#")
    return made.start()


def triggers(running):
    return [(event["equipment"], event["name"]) for event in running.of("trigger")]


def test_stages_switch_by_themselves_and_on_their_own_phase(running):
    assert running.values("30") == {"autoconso": False, "surplus": -900}
    running.gateway.set(production=[0, 1000, 0])
    running.advance(4, 2)
    assert triggers(running) == [("31", "onCommand")]
    assert running.values("31") == {"autoconso": True, "surplus": 700}
    running.gateway.set(production=[2000, 1000, 0])
    running.advance(4, 2)
    running.gateway.set(production=[0, 0, 0])
    running.advance(4, 2)
    assert sorted(triggers(running)[1:]) == [("30", "offCommand"), ("30", "onCommand"), ("31", "offCommand")]
    assert running.of("trigger")[0]["value"] == 700
    assert running.values("30")["autoconso"] is False


def test_what_is_on_is_on_after_a_restart(running):
    running.gateway.set(production=[0, 1000, 0])
    running.advance(4, 2)
    running.forget_events()
    running.restart()
    assert running.values("31")["autoconso"] is True
    assert triggers(running) == []
    running.gateway.set(production=[0, 0, 0])
    running.advance(4, 2)
    assert triggers(running) == [("31", "offCommand")]


def test_a_stage_that_was_disabled_begins_switched_off(running):
    running.gateway.set(production=[0, 1000, 0])
    running.advance(4, 2)
    kept = running.others
    running.others = kept[:1]
    running.configure()
    running.gateway.set(production=[0, 0, 0])
    running.advance(4, 2)
    running.others = kept
    running.configure()
    running.advance(4, 2)
    assert triggers(running) == [("31", "onCommand")]
    assert running.values("31")["autoconso"] is False


@pytest.mark.parametrize("fault", ["frozen", "zeros", "status"])
def test_nothing_is_switched_on_data_that_is_old_or_none(running, fault):
    running.gateway.fault(fault, READINGS, 503 if fault == "status" else None)
    running.advance(2)
    running.gateway.set(production=[0, 1000, 0])
    running.advance(60, 2)
    assert triggers(running) == []
    running.gateway.clear()
    running.advance(120, 2)
    assert triggers(running) == [("31", "onCommand")]


def test_thresholds_the_wrong_way_round_are_told_once(running):
    running.equip("32", "stage", "Faux", onAbove=0, offBelow=10, onCommand="#1#", offCommand="#2#")
    for _ in range(2):
        running.configure()
        running.advance(4, 2)
    assert sum("Faux" in text for text in running.messages) == 1
    assert running.values("32") == {}


def test_a_transformer_mounted_backwards_is_told_once(running):
    running.gateway.set(production=[-300, -300, -300])
    running.advance(500, 20)
    assert running.messages == []
    running.advance(200, 20)
    running.restart().advance(900, 20)
    assert len(running.messages) == 1
    assert "-900 W" in running.messages[0]
    running.gateway.set(production=[300, 300, 300])
    running.advance(20)
    running.gateway.set(production=[-300, -300, -300])
    running.advance(700, 20)
    assert len(running.messages) == 2
