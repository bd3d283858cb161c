"""Actions are done when the charger says so, and told in words when it does not."""

from __future__ import annotations

import threading

import pytest

from tests.easee.conftest import FIRST, SECOND, connection
from tests.support.process import Lab, measured
from tests.support.waiting import until


@pytest.fixture
def ready(rig, cloud):
    """A rig whose first charger charges a car."""
    cloud.chargers[FIRST].plug()
    rig.configure(connection(cloud, FIRST, SECOND))
    rig.wait_value("10", "status", 3)
    rig.wait_value("11", "status", 1)
    return rig


def taken(rig, command):
    """Seconds from a click to its end."""
    begun = rig.clock.monotonic()
    rig.act("10", command)
    return rig.clock.monotonic() - begun


def test_pause_and_resume_are_confirmed_and_seen(ready, cloud):
    ready.act("10", "pause_ON")
    ready.wait_value("10", "paused", True)
    ready.wait_value("10", "status", 2)
    ready.act("10", "pause_OFF")
    ready.wait_value("10", "paused", False)
    ready.wait_value("10", "status", 3)
    assert [name for _, name, _ in cloud.commands] == ["pause_charging", "resume_charging"]


def test_a_car_that_comes_right_after_a_pause_can_be_paused_at_once(ready, cloud):
    """The charger forgets its limit when a car is plugged in: the same wish is not fulfilled any more."""
    charger = cloud.chargers[FIRST]
    charger.unplug()
    ready.wait_value("10", "plugged", False)
    ready.act("10", "pause_ON")
    charger.plug()
    ready.wait_value("10", "plugged", True)
    ready.act("10", "pause_ON")
    ready.wait_value("10", "paused", True)
    assert charger.get(48) == 0


def test_the_lock_is_asked_for_with_booleans(ready, cloud):
    ready.act("10", "cable_lock")
    ready.wait_value("10", "cable_state", 3)
    ready.act("10", "cable_unlock")
    ready.wait_value("10", "cable_state", 1)
    assert [body for _, _, body in cloud.commands] == [{"state": True}, {"state": False}]


@pytest.mark.parametrize("command", ["start_charging", "stop_charging", "override_schedule"])
def test_the_other_commands_are_sent_and_confirmed(ready, cloud, command):
    ready.act("10", command)
    assert cloud.commands[-1] == (FIRST, command, {})


def test_smart_charging_is_switched(ready, cloud):
    ready.act("10", "smartCharging_ON")
    ready.wait_value("10", "smartCharging", True)
    ready.act("10", "smartCharging_OFF")
    ready.wait_value("10", "smartCharging", False)


def test_the_chargers_limit_is_set_and_read_back(ready, cloud):
    ready.act("10", "setDynamicChargerCurrent", slider="10")
    ready.wait_value("10", "dynamicChargerCurrent", 10)
    ready.wait_value("10", "power", 6.9)


def test_the_circuits_limit_is_set_on_its_own_address_which_is_looked_up_once(ready, cloud):
    ready.act("10", "setDynamicCircuitCurrent", slider=20)
    ready.wait_value("10", "dynamicCircuitCurrent", 20)
    ready.act("10", "setDynamicCircuitCurrent", slider=16)
    assert cloud.asked(f"{FIRST}/site") == 1
    assert cloud.commands[-1][2] == {"phase1": 16, "phase2": 16, "phase3": 16}


def test_the_net_of_a_circuit_ends_by_itself(ready, cloud):
    ready.act("10", "guardCircuit", slider=20)
    assert cloud.commands[-1][2] == {"phase1": 20, "phase2": 20, "phase3": 20, "timeToLive": 5}
    charger = cloud.chargers[FIRST]
    assert charger.expires == pytest.approx(charger.clock() + 300, abs=60)


@pytest.mark.parametrize("value", ["3", "-1", "33", "nonsense", "", None, "1e9", "nan"])
def test_a_limit_out_of_bounds_is_refused_before_it_is_sent(ready, cloud, value):
    error = ready.refused("10", "setDynamicChargerCurrent", slider=value)
    assert error.code == "refused"
    assert cloud.commands == []


def test_a_response_that_comes_before_the_answer_counts(ready, cloud):
    cloud.chargers[FIRST].command_mode = "early"
    assert taken(ready, "start_charging") < 1.0


def test_nothing_to_change_is_done_at_once(ready, cloud):
    cloud.chargers[FIRST].command_mode = "nothing"
    assert taken(ready, "smartCharging_OFF") < 1.0


def test_an_observation_proves_it_without_a_response(ready, cloud):
    cloud.chargers[FIRST].command_mode = "readback"
    assert taken(ready, "pause_ON") < 1.0


def test_the_service_is_asked_when_the_stream_tells_nothing(make_rig, cloud):
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    cloud.hub.stalled = True
    rig.act("10", "pause_ON")
    assert cloud.asked("/api/commands/") >= 1


@pytest.mark.parametrize(("mode", "words"), [("rejected", "a refusé la commande"), ("expired", "hors ligne")])
def test_a_refusal_is_told_in_words(ready, cloud, mode, words):
    cloud.chargers[FIRST].command_mode = mode
    error = ready.refused("10", "pause_ON")
    assert error.code == "refused"
    assert words in str(error)


def test_a_command_without_an_answer_ends_in_time_and_is_not_repeated(make_rig, cloud):
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    cloud.chargers[FIRST].command_mode = "lost"
    begun = rig.clock.monotonic()
    error = rig.refused("10", "start_charging")
    assert error.code == "timeout"
    assert "délai dépassé" in str(error)
    assert 19 < rig.clock.monotonic() - begun < 25
    assert len(cloud.commands) == 1


def test_an_offline_charger_is_told_at_once_and_nothing_is_sent(ready, cloud):
    cloud.chargers[FIRST].go_offline()
    ready.wait_value("10", "online", False)
    assert "hors ligne" in str(ready.refused("10", "pause_ON"))
    assert cloud.commands == []


def test_clicks_that_repeat_are_sent_once_and_share_the_outcome(ready, cloud):
    cloud.chargers[FIRST].command_delay = 0.3
    clicks = [ready.click("10", "pause_ON")]
    until(lambda: cloud.commands)
    clicks += [ready.click("10", "pause_ON", follows=True) for _ in range(4)]
    _, flight, _ = ready.device()._control._in_flight._last[FIRST]
    until(lambda: len(flight._condition._waiters) == 4)
    ready.wait(clicks[0].done)
    until(lambda: all(click.done() for click in clicks))  # no time passes for those that only followed
    assert [click.result() for click in clicks] == [True] * 5
    ready.act("10", "pause_ON")
    assert len(cloud.commands) == 1


def test_the_opposite_wish_is_another_one(ready, cloud):
    for command in ("pause_ON", "pause_OFF", "pause_ON"):
        ready.act("10", command)
    assert len(cloud.commands) == 3


def test_a_refused_click_can_be_repeated(ready, cloud):
    cloud.chargers[FIRST].command_mode = "rejected"
    ready.refused("10", "pause_ON")
    cloud.chargers[FIRST].command_mode = "normal"
    ready.act("10", "pause_ON")
    assert len(cloud.commands) == 2


def test_actions_of_two_chargers_go_side_by_side(ready, cloud):
    for charger in cloud.chargers.values():
        charger.command_delay = 0.5
    clicks = [ready.click(each, "start_charging") for each in ("10", "11")]
    ready.wait(lambda: len(cloud.commands) == 2)
    assert {serial for serial, _, _ in cloud.commands} == {FIRST, SECOND}
    assert not any(click.done() for click in clicks)  # both were asked for before one had ended
    ready.wait(lambda: all(click.done() for click in clicks))
    assert [click.result() for click in clicks] == [True, True]


def test_a_command_that_the_service_limits_is_told(ready, cloud):
    cloud.fault("limited", f"/api/chargers/{FIRST}/commands", 60, count=1)
    assert ready.refused("10", "pause_ON").code == "rate_limited"
    assert ready.refused("10", "pause_ON").code == "rate_limited"
    assert len(cloud.commands) == 0


def test_a_click_does_not_wait_for_a_service_that_hangs_elsewhere(lab: Lab, real_cloud):
    cloud = real_cloud
    daemon = lab.daemon(module="jeenergied")
    daemon.configure(connection(cloud, FIRST))
    lab.server.wait_for(lambda: lab.server.value("10", "status") == 1)
    cloud.fault("hang", f"/state/{FIRST}", 30)
    asking = threading.Thread(target=lambda: daemon.ask("refresh", equipment="10"), daemon=True)
    asking.start()
    assert measured(lambda: daemon.result("action", equipment="10", command="pause_ON")) < 10
    cloud.clear()
    asking.join(30)
