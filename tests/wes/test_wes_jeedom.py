"""The whole way: the real daemon between a stand-in Jeedom and a WES, as a user goes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.jeedom.standin import JeedomStandIn
from simulators.wes.server import WesServer
from simulators.wes.stir import Stir, full
from tests.support.process import DaemonProcess, free_port
from tests.support.waiting import until
from tests.wes.rig import settings


@pytest.fixture
def jeedom(tmp_path: Path) -> Iterator[JeedomStandIn]:
    """A Jeedom with the daemon running."""
    with JeedomStandIn(daemon_port=free_port()) as running:
        daemon = DaemonProcess(
            tmp_path / "daemon", running.callback_url, module="jeenergied", key=running.apikey, port=running.daemon_port
        )
        try:
            running.wait(lambda: running.callback.daemon_state == "started", 15)
            yield running
        finally:
            assert daemon.stop() == 0, daemon.errors


def test_a_server_is_set_up_ticked_driven_and_unticked(wes: WesServer, jeedom: JeedomStandIn) -> None:
    connection = jeedom.add_connection("wes", settings(wes, jeedomCgx=True), "Garage")
    jeedom.wait(lambda: jeedom.state(connection) == "online")
    assert "succès" in jeedom.run(connection, "sendCgx")["text"]
    jeedom.wait(lambda: jeedom.callback.progress.get(connection, {}).get("percent") == 100)

    ids = tick(jeedom, connection)
    jeedom.wait(lambda: all(jeedom.values(identity) for identity in ids.values()), 10)
    jeedom.wait(lambda: jeedom.value(ids["teleinfo", "1"], "BBRHPJR") == 12.345)
    assert jeedom.value(ids["teleinfo", "1"], "COULEUR") == "bleu"
    assert jeedom.value(ids["teleinfo", "1"], "HCHC") is None
    assert jeedom.value(ids["pince", "2"], "injection") == 1932.08
    assert jeedom.value(ids["relais", "103"], "state") in (True, 1)
    assert jeedom.value(connection, "servercgxversion") == "2.0.0"

    jeedom.action(ids["relais", "103"], "commute")
    assert wes.box.relays[103] is False
    jeedom.wait(lambda: not jeedom.value(ids["relais", "103"], "state"))

    jeedom.update(ids["compteur", "2"], config={"typecompt": "elec"})
    jeedom.wait(lambda: jeedom.value(ids["compteur", "2"], "debit") == 6.87)

    jeedom.remove(ids["sonde", "1"])
    jeedom.update(connection, config={"jeedomCgx": False})
    until(lambda: wes.requests[-1].path == "/data.cgx", 6)
    jeedom.wait(lambda: jeedom.state(connection) == "online")
    assert not jeedom.complaints
    assert not jeedom.failures


def tick(jeedom: JeedomStandIn, connection: str) -> dict[tuple[str, str], str]:
    """Creates what is ticked beforehand; the ids."""
    found = jeedom.ask("discover", connection=jeedom.house.connection(connection))["equipment"]
    ids = {}
    for each in found:
        if each["active"]:
            ids[each["type"], each["key"]] = jeedom.house.add_equipment(
                connection, each["type"], each["key"], each["name"], each["config"]
            )
    jeedom.desired_changed()
    return ids


def test_a_poll_is_one_request_and_what_does_not_change_costs_jeedom_nothing(jeedom: JeedomStandIn) -> None:
    box = full()
    with WesServer(box, life=Stir(box, 0.0)) as wes:
        connection = jeedom.add_connection("wes", settings(wes, jeedomCgx=True, autoUpdateCgx=True))
        ids = tick_all(jeedom, connection)
        assert len(ids) == 91
        jeedom.wait(lambda: all(jeedom.values(identity) for identity in ids), 15)
        meters = [identity for identity in ids if "PTEC" in jeedom.values(identity)]
        assert len(meters) == 3
        jeedom.wait(lambda: all("COULEUR" in jeedom.values(identity) for identity in meters), 10)
        until(lambda: jeedom.status()["outbox"] == 0)
        polls, requests, deliveries = count(jeedom, connection), len(wes.requests), len(jeedom.deliveries)
        until(lambda: count(jeedom, connection) >= polls + 3, 6)
        assert abs((len(wes.requests) - requests) - (count(jeedom, connection) - polls)) <= 1
        assert len(jeedom.deliveries) == deliveries
        assert wes.server.max_in_flight == 1


def tick_all(jeedom: JeedomStandIn, connection: str) -> list[str]:
    """Creates everything there is."""
    jeedom.wait(lambda: jeedom.state(connection) == "online")
    found: list[dict[str, Any]] = jeedom.ask("discover", connection=jeedom.house.connection(connection))["equipment"]
    for each in found:
        jeedom.house.add_equipment(connection, each["type"], each["key"], each["name"], each["config"])
    jeedom.desired_changed()
    return [child["id"] for child in jeedom.database.children(connection)]


def count(jeedom: JeedomStandIn, connection: str) -> int:
    """How many polls the daemon has made."""
    return int(jeedom.status()["connections"][connection]["counters"].get("polls", 0))
