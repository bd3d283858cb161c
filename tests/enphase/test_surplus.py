"""Self-consumption: thresholds, delays, restarts, and nothing on stale data."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from jeenergied.devices.enphase.values.surplus import Stage, StageSettings

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


def moment(text):
    return datetime.fromisoformat(text).timestamp()


def triggers(running):
    return [(event["equipment"], event["name"]) for event in running.of("trigger")]


def test_stages_switch_by_themselves_and_on_their_own_phase(running):
    assert running.values("30") == {"autoconso": False, "surplus": -900, "etatCommande": "Jamais déclenché"}
    running.gateway.set(production=[0, 1000, 0])
    running.advance(4, 2)
    assert triggers(running) == [("31", "onCommand")]
    assert running.values("31") == {"autoconso": True, "surplus": 700, "etatCommande": "En marche"}
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
    """Nothing is run while it is away; its load is not left on when it is back."""
    running.gateway.set(production=[0, 1000, 0])
    running.advance(4, 2)
    kept = running.others
    running.others = kept[:1]
    running.configure()
    running.gateway.set(production=[0, 0, 0])
    running.advance(4000, 200)
    assert triggers(running) == [("31", "onCommand")]
    running.others = kept
    running.configure()
    running.advance(4, 2)
    assert triggers(running) == [("31", "onCommand"), ("31", "offCommand")]
    assert running.values("31")["autoconso"] is False
    running.advance(4000, 200)
    assert len(triggers(running)) == 2


def test_a_stage_that_comes_back_in_the_sun_is_switched_on_anew(running):
    """That it was on before it was disabled is forgotten: its load may have been switched off meanwhile."""
    running.gateway.set(production=[0, 1000, 0])
    running.advance(4, 2)
    kept = running.others
    running.others = []
    running.configure()
    running.advance(40, 2)
    running.others = kept
    running.configure()
    running.advance(4, 2)
    assert triggers(running) == [("31", "onCommand")] * 2


def test_a_stage_that_was_never_switched_runs_nothing_when_it_comes_and_goes(running):
    kept = running.others
    for others in ([], kept, [], kept):
        running.others = others
        running.configure()
        running.advance(4, 2)
    running.restart()
    assert triggers(running) == []


# ---- wanted and proved


def switched_on(running):
    running.gateway.set(production=[0, 1000, 0])
    running.advance(4, 2)
    assert triggers(running) == [("31", "onCommand")]
    running.forget_events()
    return running


def shown(running):
    found = running.values("31")
    return found.get("autoconso"), found.get("etatCommande")


def test_off_is_asked_for_until_jeedom_has_run_it_and_the_state_is_the_proved_one(running):
    switched_on(running).runs_commands = False
    running.gateway.set(production=[0, 0, 0])
    running.advance(600, 2)
    off = running.of("trigger")
    assert len(off) >= 10
    assert {(event["name"], "expires" in event) for event in off} == {("offCommand", False)}
    assert len({event["number"] for event in off}) == 1
    on, command = shown(running)
    assert (on is not False, command) == (True, "Arrêt demandé, en attente de Jeedom")
    running.runs_commands = True
    running.advance(120, 2)
    assert shown(running) == (False, "A l'arrêt")
    running.forget_events()
    running.advance(3600, 20)
    assert triggers(running) == []


def test_on_may_expire_and_gives_way_to_off(running):
    running.runs_commands = False
    running.gateway.set(production=[0, 1000, 0])
    running.advance(30, 2)
    on = running.of("trigger")
    assert {event["name"] for event in on} == {"onCommand"}
    assert all(moment(event["expires"]) - moment(event["at"]) >= 15 for event in on)
    assert shown(running) == (False, "Marche demandée, en attente de Jeedom")
    running.gateway.set(production=[0, 0, 0])
    running.forget_events()
    running.advance(120, 2)
    assert {name for _, name in triggers(running)} == {"offCommand"}


def test_after_a_restart_what_is_not_proved_is_asked_for_under_the_same_number(running):
    switched_on(running).runs_commands = False
    running.gateway.set(production=[0, 0, 0])
    running.advance(4, 2)
    number = running.of("trigger")[0]["number"]
    running.forget_events()
    running.runs_commands = True
    running.restart()
    assert [event["number"] for event in running.of("trigger")] == [number]
    assert shown(running) == (False, "A l'arrêt")


def test_a_load_that_is_switched_by_hand_is_left_alone(running):
    switched_on(running)
    running.restart().advance(3600, 20)
    assert triggers(running) == []
    assert running.values("31")["autoconso"] is True


@pytest.mark.parametrize("lost", ["levels", "stages"])
def test_a_crash_between_the_two_writings_leaves_no_load_on(running, lost):
    switched_on(running)
    memory = running.runner.context.memory
    before = memory.get(lost)
    running.gateway.set(production=[0, 0, 0])
    running.advance(4, 2)
    running.forget_events()
    memory.put(lost, before)
    running.restart().advance(20, 2)
    assert triggers(running)[-1] == ("31", "offCommand")
    assert running.values("31")["autoconso"] is False


# ---- without data


def silence(running):
    running.gateway.fault("drop")
    return running


def seconds_until_off(running, most=7200):
    for second in range(0, most, 10):
        if ("31", "offCommand") in triggers(running):
            return second
        running.advance(10)
    return None


def test_a_gateway_that_falls_silent_leads_to_off(running):
    silence(switched_on(running))
    assert seconds_until_off(running) == pytest.approx(900, abs=30)
    assert "value" not in running.of("trigger")[0]
    assert shown(running) == (False, "A l'arrêt, faute de mesures")
    running.gateway.clear()
    running.advance(120, 2)
    assert triggers(running)[-1] == ("31", "onCommand")
    assert shown(running) == (True, "En marche")


def test_figures_that_do_not_advance_are_no_data(running):
    switched_on(running).gateway.fault("frozen", READINGS)
    assert seconds_until_off(running) == pytest.approx(900, abs=60)


def test_a_least_time_does_not_hold_a_load_without_data(running):
    running.others[1]["config"]["leastOn"] = 86400
    running.configure()
    assert seconds_until_off(silence(switched_on(running))) == pytest.approx(900, abs=30)


@pytest.mark.parametrize(("minutes", "second"), [(1, 60), (60, 3600), (0, None)])
def test_how_long_is_up_to_the_user_and_0_is_never(running, minutes, second):
    running.others[1]["config"]["offAfter"] = minutes
    running.configure()
    found = seconds_until_off(silence(switched_on(running)))
    assert found == (None if second is None else pytest.approx(second, abs=60))


def test_thresholds_that_are_made_senseless_while_it_is_on_count_as_no_data(running):
    switched_on(running)
    running.others[1]["config"]["offBelow"] = 5000
    running.configure()
    assert seconds_until_off(running) == pytest.approx(900, abs=30)


def test_between_two_readings_of_an_hour_nothing_is_missing(opened, bench, clock):
    gateway = opened(EnphaseGateway(DaySource(Plant(clock.time, phases=3)), clock=clock.time))
    gateway.set(production=[0, 1000, 0], consumption=[300, 300, 300])
    running = bench(gateway, clock=clock, phases="tri", pollInterval=3600)
    running.equip("31", "stage", "Radiateur", phase="2", onAbove=500, offBelow=100, onCommand="#3#", offCommand="#4#")
    running.start().advance(6 * 3600, 60)
    assert triggers(running) == [("31", "onCommand")]
    silence(running)
    assert seconds_until_off(running, 5 * 3600) == pytest.approx(3 * 3600, abs=3600)


def test_a_start_with_old_data_leads_to_off_when_the_gateway_does_not_answer(running):
    switched_on(running)
    silence(running).close()
    running.clock.advance(3600)
    running._open()
    running.revision = 0
    running.configure()
    running.settle()
    assert seconds_until_off(running) == pytest.approx(60, abs=30)
    assert shown(running) == (False, "A l'arrêt, faute de mesures")


def test_a_start_with_old_data_and_a_gateway_that_answers_switches_nothing(running):
    switched_on(running)
    running.close()
    running.clock.advance(3600)
    running._open()
    running.revision = 0
    running.start().advance(300, 2)
    assert triggers(running) == []


def test_a_daemon_that_is_restarted_all_the_time_leads_to_off_as_well(running):
    silence(switched_on(running))
    for _ in range(10):
        running.restart().advance(240, 10)
    assert [name for _, name in triggers(running)] == ["offCommand"]


def test_a_clock_that_is_set_an_hour_on_makes_no_data_old(running):
    switched_on(running).clock.step(3600)
    running.advance(300, 2)
    assert triggers(running) == []


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
