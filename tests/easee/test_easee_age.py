"""How old what is shown is: a charger that has lost its power, an old replay, clocks that are wrong."""

from __future__ import annotations

import itertools

import pytest

from tests.easee.conftest import FIRST, connection

MINUTE, HOUR = 60.0, 3600.0
CHARGING = {109: 3, 120: 11.04, 183: 16, 184: 16, 185: 16, 194: 231, 150: 40, 124: 5130.5, 48: 32, 96: 0, 250: 1}
GONE = {"status": 0, "online": False, "power": 0, "current_1": 0, "current_2": 0, "current_3": 0}
THERE = {"status": 3, "online": True, "power": 11.04, "current_1": 16, "current_2": 16, "current_3": 16}


def shown(crank):
    """What is shown of this very moment."""
    return {name: crank.values.get(name) for name in GONE}


def course(crank, command):
    """What a command was, one change after the other."""
    return [value for value, _ in itertools.groupby(value for _, name, value, _ in crank.told if name == command)]


@pytest.fixture
def crank(make_crank, service):
    """A charger that charges, on a stream that is open; the service has no more of it than the stream."""
    service.fault("status", "/state/", 404)
    made = make_crank(FIRST, quiet=True)
    made.tell(FIRST, CHARGING)
    made.run(10)
    assert shown(made) == THERE
    return made


def test_a_charger_that_dies_while_it_charges_is_shown_so_after_twenty_minutes(crank):
    last = crank.clock.time() - 10
    crank.run(19 * MINUTE)
    assert shown(crank) == THERE
    crank.run(1 * MINUTE + 10)
    assert shown(crank) == GONE
    # Dated by its last sign of life, not anew: nothing of what is known is younger.
    assert crank.dates["power"] == pytest.approx(last, abs=0.1)
    assert crank.values["lifetimeEnergy"] == 5130.5


def test_that_it_is_gone_is_told_once_and_its_return_too(crank):
    crank.run(3 * HOUR)
    assert course(crank, "online") == [True, False]
    crank.tell(FIRST, {150: 35})
    assert course(crank, "online") == [True, False, True]
    assert shown(crank) == THERE
    assert crank.dates["power"] == pytest.approx(crank.clock.time(), abs=0.1)  # or Jeedom would keep the newer 0


def test_a_steady_charge_with_a_burst_each_quarter_of_an_hour_is_alive(crank):
    for _ in range(8):
        crank.run(15 * MINUTE)
        crank.tell(FIRST, {150: 40})
    assert shown(crank) == THERE
    assert crank.dates["power"] < crank.clock.time() - HOUR  # nor is it made younger


@pytest.mark.parametrize("seed", range(len(CHARGING)))
def test_a_replay_of_six_hours_ago_shows_nothing_of_the_past_whatever_its_order(make_crank, service, seed):
    service.fault("status", "/state/", 404)
    crank = make_crank(FIRST, quiet=True)
    at = crank.clock.time() - 6 * HOUR
    items = list(CHARGING.items())
    for observation, value in items[seed % len(items) :] + items[: seed % len(items)]:
        crank.tell(FIRST, {observation: value}, at - 60 * (observation % 7))
    crank.run(10)
    assert shown(crank) == GONE
    assert [each for each in crank.told if each[1] == "power"] == [("10", "power", 0, pytest.approx(at, abs=61))]
    assert not [each for each in crank.told if each[1] in ("status", "online") and each[2]]


@pytest.mark.parametrize("order", list(itertools.permutations((0, 1, 2))))
def test_a_replay_that_holds_something_fresh_never_shows_the_charger_gone(make_crank, order):
    crank = make_crank(FIRST, quiet=True)
    now = crank.clock.time()
    parts = [({109: 3, 48: 32}, now - 6 * HOUR), ({120: 7.2, 183: 31}, now - 20), ({150: 30}, now - 300)]
    for number in order:
        crank.tell(FIRST, *parts[number])
    crank.run(10)
    assert {value for _, name, value, _ in crank.told if name in ("status", "online")} == {3, True}
    assert [value for _, name, value, _ in crank.told if name == "power"] == [7.2]


def test_fresh_data_beats_an_older_word_of_the_cloud_that_it_is_offline(crank):
    crank.tell(FIRST, {250: 0})
    assert shown(crank) == GONE
    crank.run(30)
    crank.tell(FIRST, {251: "TimedOut", 11: 3, 109: 0})  # the cloud's own words as well
    assert shown(crank) == GONE
    crank.tell(FIRST, {194: 230.5})
    crank.tell(FIRST, {109: 3})
    assert shown(crank) == THERE


def test_older_data_that_comes_late_does_not_bring_an_offline_charger_back(crank):
    crank.run(60)
    crank.tell(FIRST, {250: 0})
    crank.tell(FIRST, {120: 10.9}, crank.clock.time() - 30)
    assert shown(crank) == GONE


def test_in_error_power_and_currents_are_0_though_the_charger_does_not_say_so(crank):
    crank.run(60)
    crank.tell(FIRST, {109: 5, 119: 2048, 103: 0})
    assert (crank.values["status"], crank.values["error"], crank.values["errorCode"]) == (5, True, 2048)
    assert [crank.values[name] for name in ("power", "current_1", "current_2", "current_3")] == [0, 0, 0, 0]


@pytest.mark.parametrize("mode", [1, 2, 4, 5, 6, 7, 8])
def test_no_mode_but_charging_has_power(crank, mode):
    crank.tell(FIRST, {109: mode})
    crank.tell(FIRST, {120: 11.04, 183: 16})  # sent once more
    assert (crank.values["power"], crank.values["current_1"]) == (0, 0)
    crank.tell(FIRST, {109: 3})
    assert (crank.values["power"], crank.values["current_1"]) == (11.04, 16)


def test_while_the_service_cannot_be_heard_nothing_is_said_about_the_charger(crank):
    crank.device._session.reached = False
    crank.run(2 * HOUR)
    assert shown(crank) == THERE
    crank.device._session.reached = True
    crank.device.subscribed(FIRST, None)
    crank.tell(FIRST, {48: 32}, crank.clock.time() - 2 * HOUR)  # the replay begins with something old
    crank.tell(FIRST, {150: 41})
    crank.run(30)
    assert {value for _, name, value, _ in crank.told if name in ("status", "online")} == {3, True}


@pytest.mark.parametrize("wrong", [-3 * HOUR, 3 * HOUR])
def test_a_clock_of_this_machine_that_is_wrong_makes_nothing_old_or_young(make_crank, service, hand, wrong):
    truth = hand.time
    service.wall = service.accounts._clock = service.server.date = lambda: truth() - wrong
    for charger in service.chargers.values():
        charger.wall = service.wall
    crank = make_crank(FIRST, quiet=True)
    crank.device.test()  # the first answer tells the service's time
    crank.tell(FIRST, CHARGING, hand.time() - wrong)
    crank.run(10)
    assert shown(crank) == THERE
    assert crank.dates["power"] == pytest.approx(hand.time() - 10, abs=1.1)
    crank.run(25 * MINUTE)
    assert shown(crank) == GONE


def test_a_step_of_the_clock_is_no_silence(make_crank, hand):
    crank = make_crank(FIRST, quiet=True)
    crank.device.test()
    crank.tell(FIRST, CHARGING)
    crank.run(10)
    hand.step(2 * HOUR)
    crank.run(10 * MINUTE)
    assert shown(crank) == THERE
    hand.step(-4 * HOUR)
    crank.run(5 * MINUTE)
    assert shown(crank) == THERE


def test_values_of_a_replay_keep_their_dates(crank):
    at = crank.clock.time() - 40 * 24 * HOUR
    crank.tell(FIRST, {30: 1, 38: 3}, at)
    assert crank.dates["cable_locked_permanently"] == pytest.approx(at, abs=0.1)
    assert crank.dates["phaseMode"] == pytest.approx(at, abs=0.1)


def test_the_same_value_with_a_newer_date_is_confirmed(crank):
    crank.run(5 * MINUTE)
    crank.tell(FIRST, {120: 11.04})
    assert crank.dates["power"] == pytest.approx(crank.clock.time(), abs=0.1)


def test_jeedom_is_told_once_that_a_charger_sends_nothing_any_more(make_rig, cloud):
    rig = make_rig()
    cloud.chargers[FIRST].plug()
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "power", 11.04)
    cloud.chargers[FIRST].die()
    begun = rig.clock.monotonic()
    rig.wait_value("10", "power", 0, 1500)
    assert 1150 < rig.clock.monotonic() - begun < 1400
    rig.wait_value("10", "online", False)
    rig.wait(lambda: [e for e in rig.server.of("connection") if e.get("equipment") == "10"])
    told = [event for event in rig.server.of("connection") if event.get("equipment") == "10"]
    assert [each["state"] for each in told] == ["no_data"]
    assert "sans courant" in told[0]["message"]
    cloud.chargers[FIRST].online = True
    cloud.chargers[FIRST].pulse()
    rig.wait_value("10", "power", 11.04)
    rig.wait(lambda: rig.server.of("connection")[-1].get("state") == "online")


def test_after_a_restart_a_dead_charger_is_never_shown_charging(make_rig, cloud):
    cloud.chargers[FIRST].plug()
    cloud.chargers[FIRST].die(ago=6 * HOUR)
    rig = make_rig()
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "online", False)
    rig.wait_value("10", "power", 0)
    values = [event["values"] for event in rig.server.of("values")]
    assert {each["power"] for each in values if "power" in each} == {0}
    assert {each["status"] for each in values if "status" in each} == {0}
