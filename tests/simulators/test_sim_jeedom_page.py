"""The stand-in's own page, its API and its stream."""

from __future__ import annotations

import json

from simulators.jeedom import JeedomStandIn
from tests.support.standin import KEY, post, values


def test_the_page_and_its_state(jeedom, meter, client):
    post(client, jeedom, values(meter, power=7))
    one = client(jeedom.url)
    page = one.get("/")
    assert page.status == 200
    assert "text/html" in page.headers["Content-Type"]
    state = one.get("/api/state").json()
    shown = {command["logicalId"]: command for command in state["connections"][0]["equipment"][0]["commands"]}
    assert (shown["power"]["value"], shown["power"]["unit"]) == (7, "W")
    assert [value for _, value in shown["power"]["spark"]] == [7]
    points = one.get(f"/api/history?equipment={meter}&command=power").json()["points"]
    assert [value for _, value in points] == [7]


def test_the_page_loads_nothing_from_elsewhere():
    from simulators.jeedom.web import PAGE

    for file in PAGE.iterdir():
        text = file.read_text("utf-8").replace("http://www.w3.org/", "")
        assert "http://" not in text
        assert "https://" not in text
        assert 'src="//' not in text


def test_connections_are_set_up_through_the_api(jeedom, client, daemon):
    jeedom.daemon_port = daemon.port
    one = client(jeedom.url)
    connection = one.post("/api/connection", {"backend": "demo", "config": {"phases": "tri"}}).json()["id"]
    meter = one.post("/api/equipment", {"connection": connection, "type": "meter", "key": "1"}).json()["id"]
    one.post("/api/connection", {"id": connection, "enabled": False})
    assert jeedom.house.desired() == []
    assert one.post("/api/command", {"do": "action", "equipment": meter, "command": "start"}).status == 200
    assert daemon.received("action")
    daemon.results["status"] = {"ok": False, "error": {"code": "busy", "message": "plus tard"}}
    reply = one.post("/api/command", {"do": "status"})
    assert (reply.status, reply.json()["error"]["code"]) == (409, "busy")
    assert one.post("/api/connection", {"backend": "nothing", "config": {}}).status == 400
    assert one.ask("POST", "/api/clear", "{}", **{"Content-Type": "text/plain"}).status == 400
    assert (
        one.ask(
            "DELETE", "/api/connection", json.dumps({"id": connection}), **{"Content-Type": "application/json"}
        ).status
        == 200
    )
    assert jeedom.database.connections() == []


def test_the_stream_tells_new_values(jeedom, meter, client):
    one = client(jeedom.url)
    one.connection.request("GET", "/api/events")
    stream = one.connection.getresponse()
    assert stream.readline() == b"retry: 1000\n"
    post(client, jeedom, values(meter, power=7))
    while stream.readline() != b"event: values\n":
        pass
    news = json.loads(stream.readline().split(b":", 1)[1])
    assert [(one["logicalId"], one["value"]) for one in news["values"]] == [("power", 7)]


def test_values_and_the_last_sequence_survive_a_restart(contract, tmp_path, client):
    file = tmp_path / "jeedom.db"
    with JeedomStandIn(apikey=KEY, contract=contract, database=file) as jeedom:
        meter = jeedom.add_equipment(jeedom.add_connection("demo", {}), "meter", "7")
        post(client, jeedom, values(meter, power=7), sequence=3)
    with JeedomStandIn(apikey=KEY, contract=contract, database=file) as jeedom:
        assert jeedom.value(meter, "power") == 7
        post(client, jeedom, values(meter, power=8), sequence=3)
        assert jeedom.value(meter, "power") == 7
        assert jeedom.deliveries[0].repeat


def test_every_catalogue_of_the_contract_can_be_set_up():
    with JeedomStandIn() as jeedom:
        assert jeedom.catalogues.backends()
        for backend in jeedom.catalogues.backends():
            connection = jeedom.add_connection(backend, {})
            for kind in jeedom.catalogues.of(backend)["equipment"]:
                equipment = jeedom.add_equipment(connection, kind, "1")
                assert "{n}" not in json.dumps(jeedom.house.rows(equipment))
        assert len(jeedom.house.desired()) == len(jeedom.catalogues.backends())
        assert jeedom.web.state()["connections"]
