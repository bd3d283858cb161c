"""The stand-in Jeedom carries levels out as the plugin does: in the background, once, told in an acknowledgement."""

from __future__ import annotations

import pytest

from simulators.jeedom import JeedomStandIn
from tests.support.standin import now, post, values


def level(equipment, name="offCommand", number=7, **more):
    return {
        "event": "trigger",
        "level": True,
        "equipment": equipment,
        "name": name,
        "number": number,
        "at": now(),
    } | more


@pytest.fixture
def load(jeedom, meter):
    """A meter with two chosen commands."""
    jeedom.house.update(meter, config={"onCommand": "#1#", "offCommand": "#2#"})
    return meter


def ran(jeedom, count=1):
    def numbers():
        return [one.number for one in jeedom.levels.executed]

    def settled():
        levels = jeedom.database.kept("levels")
        return len(numbers()) >= count and all(each["ran"] for each in levels.values()) and numbers()

    return jeedom.wait(settled)


def test_a_level_runs_after_its_acknowledgement_and_the_next_one_tells(jeedom, load, client):
    jeedom.levels.delay = 0.2
    assert "triggered" not in post(client, jeedom, level(load)).json()
    assert jeedom.levels.executed == []
    assert ran(jeedom) == [7]
    told = post(client, jeedom, values(load, power=1), sequence=2).json()["triggered"]
    assert told == [{"equipment": load, "name": "offCommand", "number": 7}]
    assert "triggered" not in post(client, jeedom, values(load, power=2), sequence=3).json()


def test_what_ran_is_told_again_to_who_asks_again_and_not_run_again(jeedom, load, client):
    post(client, jeedom, level(load))
    ran(jeedom)
    for sequence in (2, 3):
        answer = post(client, jeedom, level(load), sequence=sequence).json()
        assert [each["number"] for each in answer["triggered"]] == [7]
    assert len(jeedom.levels.executed) == 1


def test_a_repeated_request_gets_the_same_proof(jeedom, load, client):
    post(client, jeedom, level(load))
    ran(jeedom)
    first = post(client, jeedom, values(load, power=1), sequence=2).json()
    assert post(client, jeedom, values(load, power=1), sequence=2).json() == first


def test_an_old_wish_does_not_follow_a_newer_one(jeedom, load, client):
    post(client, jeedom, level(load, number=8))
    assert ran(jeedom) == [8]
    assert post(client, jeedom, level(load, "onCommand", 7), sequence=2).json()["triggered"][0]["number"] == 8
    assert [one.command for one in jeedom.levels.executed] == ["#2#"]
    assert jeedom.levels.state("#1#", "#2#") is False


def test_off_is_run_however_late_and_on_is_not(jeedom, load, client):
    post(client, jeedom, level(load, "onCommand", 7, expires=now(-1)))
    post(client, jeedom, level(load, "offCommand", 8), sequence=2)
    assert ran(jeedom) == [8]


def test_a_command_that_fails_has_not_run(jeedom, load, client):
    jeedom.levels.broken.add("#2#")
    post(client, jeedom, level(load))
    jeedom.wait(lambda: jeedom.levels.failed)
    jeedom.levels.broken.clear()
    assert "triggered" not in post(client, jeedom, level(load), sequence=2).json()
    assert ran(jeedom) == [7]


def test_where_no_command_is_chosen_nothing_is_left_to_do(jeedom, load, client):
    post(client, jeedom, level(load, "nothing"))
    jeedom.wait(lambda: jeedom.database.kept("levels")[load]["ran"])
    assert post(client, jeedom, values(load, power=1), sequence=2).json()["triggered"][0]["name"] == "nothing"
    assert jeedom.levels.executed == []


def test_a_task_is_lost_when_jeedom_stops_and_what_ran_is_not(jeedom, load, client, tmp_path):
    jeedom.levels.delay = 0.1
    post(client, jeedom, level(load))
    jeedom.fault("down")
    with pytest.raises(TimeoutError):
        jeedom.wait(lambda: jeedom.levels.executed, 0.3)
    jeedom.clear()
    post(client, jeedom, level(load), sequence=2)
    assert ran(jeedom) == [7]


def test_what_ran_survives_a_restart_of_jeedom(client, tmp_path):
    file = tmp_path / "jeedom.sqlite"
    with JeedomStandIn(apikey="k" * 32, database=file, automatic=False) as before:
        connection = before.add_connection("enphase", {"host": "127.0.0.1"}, "Toit")
        stage = before.add_equipment(connection, "stage", "a", "Ballon", {"offCommand": "#2#"})
        post(client, before, level(stage))
        ran(before)
    with JeedomStandIn(apikey="k" * 32, database=file, automatic=False) as after:
        told = post(client, after, level(stage), boot="boot-0002").json()["triggered"]
        assert [each["number"] for each in told] == [7]
        assert after.levels.executed == []


@pytest.mark.parametrize("wrong", [{"number": 0}, {"number": "7"}, {"level": 1}, {"at": "yesterday"}])
def test_a_level_that_the_contract_does_not_allow_is_rejected(jeedom, load, client, wrong):
    assert post(client, jeedom, level(load, **wrong)).json()["rejected"]
    assert jeedom.levels.executed == []
