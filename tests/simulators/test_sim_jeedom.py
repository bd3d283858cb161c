"""The stand-in Jeedom keeps the contract of callback and socket, over real sockets."""

from __future__ import annotations

import http.client
import json
from datetime import datetime, timezone

import pytest

from simulators.jeedom import DaemonRefusal, DaemonUnreachable
from simulators.jeedom.catalogue import Catalogues
from tests.support.standin import CATALOGUE, KEY, now, post, values


def test_values_are_stored_and_acknowledged(jeedom, meter, client):
    reply = post(client, jeedom, values(meter, power=42.5, label="a"))
    assert (reply.status, reply.json()) == (200, {"ok": True, "log": "info"})
    assert jeedom.values(meter) == {"power": 42.5, "label": "a"}
    assert [value for _, value in jeedom.history(meter, "power")] == [42.5]
    assert jeedom.history(meter, "label") == []


def test_a_repeat_is_acknowledged_and_not_applied_again(jeedom, meter, client):
    first = post(client, jeedom, values(meter, power=1, nothing=2), sequence=5).json()
    jeedom.log_level = "debug"
    again = post(client, jeedom, values(meter, power=99), sequence=5).json()
    assert again == {**first, "log": "debug"}
    assert jeedom.value(meter, "power") == 1
    assert [delivery.repeat for delivery in jeedom.deliveries] == [False, True]
    assert len(jeedom.applied()) == 1
    post(client, jeedom, values(meter, power=2), sequence=5, boot="boot-0002")
    assert jeedom.value(meter, "power") == 2


def test_a_wrong_key_is_200_with_a_sentence(jeedom, meter, client):
    reply = post(client, jeedom, values(meter, power=1), key="wrong")
    assert reply.status == 200
    with pytest.raises(json.JSONDecodeError):
        reply.json()
    assert jeedom.values(meter) == {}
    assert jeedom.refused_keys == 1


def test_unknown_equipment_and_commands_are_named(jeedom, meter, client):
    answer = post(client, jeedom, values("99", power=1), values(meter, power=1, nothing=2)).json()
    assert answer == {"ok": True, "unknown": ["99"], "unknownCommands": {meter: ["nothing"]}, "log": "info"}
    assert jeedom.value(meter, "power") == 1


@pytest.mark.parametrize(
    "event",
    [
        {"event": "values", "equipment": "2", "at": "2026-01-01T00:00:00", "values": {"power": 1}},
        {"event": "values", "equipment": "2", "at": "2026-01-01T00:00:00+01:00", "values": {"power": "x"}},
        {"event": "values", "equipment": "2", "at": "2026-01-01T00:00:00+01:00", "values": {"power": None}},
        {"event": "values", "equipment": "2", "at": "2026-01-01T00:00:00+01:00", "values": {"power": True}},
        {"event": "dance"},
        {"event": "connection", "connection": "1", "state": "tired"},
        {"event": "history", "equipment": "2", "command": "index"},
    ],
    ids=["no offset", "text", "null", "boolean", "unknown event", "unknown state", "no points"],
)
def test_a_bad_event_is_rejected_and_the_others_are_applied(jeedom, meter, client, event):
    answer = post(client, jeedom, event, values(meter, label="fine")).json()
    assert [one["event"] for one in answer["rejected"]] == [0]
    assert jeedom.values(meter) == {"label": "fine"}
    assert len(jeedom.complaints) == 1


def test_a_rejected_event_leaves_nothing_of_itself(jeedom, meter, client):
    post(client, jeedom, values(meter, label="half", power="x"))
    assert jeedom.values(meter) == {}


def test_an_old_value_replaces_no_newer_one(jeedom, meter, client):
    post(client, jeedom, values(meter, power=2))
    post(client, jeedom, values(meter, at=now(-3600), power=1), sequence=2)
    assert jeedom.value(meter, "power") == 2


def test_disabled_equipment_is_unknown(jeedom, meter, client):
    jeedom.update(meter, enabled=False)
    assert post(client, jeedom, values(meter, power=2)).json()["unknown"] == [meter]


def test_a_body_that_is_no_payload_is_refused(jeedom, client):
    form = {"type": "event", "plugin": "jeenergie", "apikey": KEY, "payload": "[]"}
    reply = client(jeedom.url).post("/core/api/jeeApi.php", form=form)
    assert (reply.status, reply.json()["ok"]) == (400, False)


def test_an_unchanged_value_leaves_no_point(jeedom, meter, client):
    for sequence, power in enumerate((5, 5, 5.0), 1):
        post(client, jeedom, values(meter, power=power), sequence=sequence)
    assert len(jeedom.history(meter, "power")) == 1


def test_a_value_has_its_own_time_only_when_it_is_old(jeedom, meter, client):
    post(client, jeedom, values(meter, at=now(-30), power=1))
    post(client, jeedom, values(meter, at=now(-3600), label="old"), sequence=2)
    today = jeedom.callback.local(datetime.now(timezone.utc))
    assert abs(_seconds(today) - _seconds(jeedom.database.current(meter)["power"][1])) < 5
    old = jeedom.database.current(meter)["label"][1]
    assert 3590 < (_seconds(today) - _seconds(old)) % 86_400 < 3610


def _seconds(local):
    hours, minutes, seconds = (int(part) for part in local[11:].split(":"))
    return hours * 3600 + minutes * 60 + seconds


def test_dated_measures_delivered_twice_leave_one_row_and_corrections_win(jeedom, meter, client):
    def history(*points):
        return {"event": "history", "equipment": meter, "command": "index", "points": list(points)}

    first = [["2026-01-31T12:00:00+01:00", 10], ["2026-01-31T11:30:00+00:00", 20]]
    post(client, jeedom, history(*first))
    post(client, jeedom, history(*first, ["2026-01-31T12:00:00.4+01:00", 11]), sequence=2)
    assert jeedom.history(meter, "index") == [("2026-01-31 12:00:00", 11), ("2026-01-31 12:30:00", 20)]
    assert jeedom.value(meter, "index") == 20
    post(client, jeedom, history(["2026-01-31T12:30:00+01:00", 21]), sequence=3)
    assert jeedom.value(meter, "index") == 21


def test_rows_depend_on_settings_and_units_too(jeedom):
    tri = jeedom.add_connection("demo", {"phases": "tri", "extras": ["volts"]})
    meter = jeedom.add_equipment(tri, "meter", "7", config={"size": "l"})
    commands = jeedom.database.commands(meter)
    assert list(commands) == ["refresh", "power", "power1", "power2", "volts", "label", "index"]
    assert commands["index"]["row"]["unit"] == "kWh"
    assert jeedom.catalogues.exists("demo", "big", {"phases": "tri"})
    assert not jeedom.catalogues.exists("demo", "big", {})


def test_types_share_sets_of_rows_and_nothing_means_no(tmp_path):
    volts = {"logicalId": "volts", "name": "U", "type": "info", "subType": "numeric", "when": {"extra": False}}
    part = {"name": "X", "icon": "", "addByHand": True, "fields": [], "sets": ["electric"], "commands": []}
    catalogue = {**CATALOGUE, "sets": {"electric": [volts]}, "equipment": {"one": part, "two": {**part, "sets": []}}}
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "catalogue" / "demo.json").write_text(json.dumps(catalogue))
    catalogues = Catalogues(tmp_path)
    assert list(catalogues.rows("demo", "one", {})) == ["volts"]
    assert list(catalogues.rows("demo", "one", {"extra": True})) == []
    assert list(catalogues.rows("demo", "two", {})) == []


def test_available_commands_are_created_and_configured(jeedom, meter, client, daemon):
    jeedom.daemon_port = daemon.port
    post(client, jeedom, {"event": "available", "equipment": meter, "commands": ["on"]})
    jeedom.wait(lambda: daemon.received("configure"))
    equipment = daemon.received("configure")[-1]["connections"][0]["equipment"][0]
    assert equipment == {
        "id": meter,
        "type": "meter",
        "key": "7",
        "name": "Compteur 7",
        "config": {},
        "commands": {"refresh": {}, "power": {}, "label": {}, "index": {}, "on": {}},
    }
    assert post(client, jeedom, values(meter, on=True), sequence=2).json() == {"ok": True, "log": "info"}
    assert jeedom.value(meter, "on") == 1


def test_a_command_that_the_user_took_away_does_not_come_back(jeedom, meter, client):
    post(client, jeedom, {"event": "available", "equipment": meter, "commands": ["on"]})
    jeedom.remove_command(meter, "on")
    post(client, jeedom, {"event": "available", "equipment": meter, "commands": ["on"]}, sequence=2)
    assert "on" not in jeedom.database.commands(meter)


def test_a_started_daemon_gets_the_desired_state_with_growing_revisions(jeedom, meter, client, daemon):
    jeedom.daemon_port = daemon.port
    started = {"event": "daemon", "state": "started", "version": "1.0"}
    post(client, jeedom, started)
    jeedom.wait(lambda: daemon.received("configure"))
    message = daemon.received("configure")[0]
    assert message["apikey"] == KEY
    assert message["settings"] == {"timezone": "Europe/Paris", "language": "fr_FR"}
    jeedom.set_command(meter, "power", cadence=5)
    jeedom.wait(lambda: len(daemon.received("configure")) == 2)
    second = daemon.received("configure")[1]
    assert second["revision"] > message["revision"]
    assert second["connections"][0]["equipment"][0]["commands"]["power"] == {"cadence": 5}


def test_a_connection_that_comes_online_is_discovered(jeedom, client, daemon):
    connection = jeedom.add_connection("demo", {})
    jeedom.daemon_port = daemon.port
    found = [{"type": "meter", "key": "1", "name": "Un", "config": {}}, {"type": "big", "key": "2", "name": "Deux"}]
    found.append({"type": "meter", "key": "3", "name": "Trois", "config": {}, "active": False})
    daemon.results["discover"] = {"ok": True, "result": {"equipment": found}}
    post(client, jeedom, {"event": "connection", "connection": connection, "state": "online"})
    jeedom.wait(lambda: daemon.received("configure"))
    assert [child["name"] for child in jeedom.database.children(connection)] == ["Un"]
    assert jeedom.state(connection) == "online"
    assert jeedom.value(connection, "state") == "En ligne"


def test_messages_to_the_daemon(jeedom, meter, daemon):
    jeedom.daemon_port = daemon.port
    jeedom.action(meter, "start", slider=3)
    jeedom.action(meter, "refresh")
    jeedom.run("1", "dance", speed=2)
    assert [{k: v for k, v in m.items() if k not in ("apikey", "id")} for m in daemon.messages] == [
        {"cmd": "action", "equipment": meter, "command": "start", "options": {"slider": 3}},
        {"cmd": "refresh", "equipment": meter},
        {"cmd": "run", "connection": "1", "operation": "dance", "options": {"speed": 2}},
    ]
    daemon.results["test"] = {"ok": False, "error": {"code": "unreachable", "message": "rien"}}
    with pytest.raises(DaemonRefusal, match="unreachable: rien"):
        jeedom.test("1")
    jeedom.daemon_port = 1
    with pytest.raises(DaemonUnreachable):
        jeedom.status()


def test_a_removed_connection_is_forgotten(jeedom, meter, daemon):
    jeedom.daemon_port = daemon.port
    jeedom.remove("1")
    jeedom.wait(lambda: daemon.received("forget") and daemon.received("configure"))
    assert daemon.received("forget")[0]["connection"] == "1"
    assert daemon.received("configure")[-1]["connections"] == []
    assert jeedom.database.equipment(meter) is None


# ---- faults


@pytest.mark.parametrize(("kind", "applied"), [("half", 1), ("lost", 1), ("drop", 0)])
def test_an_answer_that_does_not_arrive(jeedom, meter, client, kind, applied):
    jeedom.fault(kind, count=1)
    with pytest.raises((http.client.HTTPException, OSError)):
        post(client, jeedom, values(meter, power=1))
    assert len(jeedom.applied()) == applied
    assert post(client, jeedom, values(meter, power=1)).json()["ok"]
    assert len(jeedom.applied()) == 1


@pytest.mark.parametrize(
    ("kind", "value", "status"),
    [("status", 503, 503), ("html", None, 200), ("redirect", None, 302), ("refuse_key", None, 200)],
)
def test_an_answer_that_is_no_acknowledgement(jeedom, meter, client, kind, value, status):
    jeedom.fault(kind, value, count=1)
    reply = post(client, jeedom, values(meter, power=1))
    assert reply.status == status
    assert not reply.body.startswith(b'{"ok"')
    assert jeedom.applied() == []


def test_an_endless_answer(jeedom, meter, client):
    jeedom.fault("endless", count=1)
    one = client(jeedom.url)
    one.connection.request("POST", "/core/api/jeeApi.php", "")
    answer = one.connection.getresponse()
    assert len(answer.read(100_000)) == 100_000


def test_a_delayed_answer_was_applied(jeedom, meter, client):
    jeedom.fault("delay", 0.2, count=1)
    assert post(client, jeedom, values(meter, power=1)).json()["ok"]
    assert len(jeedom.applied()) == 1


def test_every_event_can_be_rejected(jeedom, meter, client):
    jeedom.fault("reject", "no room", count=1)
    answer = post(client, jeedom, values(meter, power=1)).json()
    assert answer["rejected"] == [{"event": 0, "message": "Rejected: no room"}]
    assert jeedom.complaints == []


def test_a_jeedom_that_is_down_refuses_connections_and_comes_back_on_its_port(jeedom, meter, client):
    port = jeedom.port
    jeedom.fault("down")
    with pytest.raises(ConnectionRefusedError):
        post(client, jeedom, values(meter, power=1))
    assert client(jeedom.control_url).get("/api/state").status == 200
    client(jeedom.control_url).post("/api/clear", {})
    assert jeedom.port == port
    assert post(client, jeedom, values(meter, power=1)).json()["ok"]
