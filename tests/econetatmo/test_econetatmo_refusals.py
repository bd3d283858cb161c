"""What a refusal or a spoilt answer means: passing ones are not noticed, lasting ones are told once, in words."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from simulators.econetatmo.model import Ecometer, Home
from tests.econetatmo.test_econetatmo_life import LINE, expected_total, found, started
from tests.econetatmo.world import BRIDGE, HOUR, START, World, small_home

MakeWorld = Callable[..., World]


def troubles(running: World) -> list[tuple[str, str]]:
    """(state, text) of every state of a line but those of its beginning."""
    told = [each["event"] for each in running.jeedom.applied("connection") if "equipment" in each["event"]]
    return [(each["state"], each.get("message", "")) for each in told]


def test_a_line_that_vanished_is_told_once_and_the_others_go_on(world: MakeWorld) -> None:
    running = world([small_home(2)])
    started(running, 2)
    second = running.equipment(f"{BRIDGE}#1")
    del running.cloud.model.homes[0].ecometers[0].lines[1]
    running.step(1800, 10)
    assert running.messages() == [], "one list of homes proves nothing"
    assert "ne trouve pas cette ligne" in running.jeedom.callback.states[second]["message"]
    running.step(1800, 30)
    assert running.messages() == [
        "Netatmo : « Ligne 2 » n'est plus dans votre compte Netatmo. Son équipement et son historique restent dans "
        "Jeedom : si l'appareil a été retiré, désactivez l'équipement."
    ]
    assert running.history(LINE, "total_energy") == expected_total(running)


def test_a_list_of_homes_that_lacks_a_line_once_is_not_noticed(world: MakeWorld) -> None:
    running = world([small_home(2)])
    connection = started(running, 2)
    running.cloud.fault("partial", "/api/homesdata", 1, count=1)
    running.cloud.fault("api", "/api/getmeasure", 9, count=1)
    running.step(1800, 40)
    assert running.messages() == []
    assert running.jeedom.state(connection) == "online"
    assert troubles(running) == []
    for module in (LINE, f"{BRIDGE}#1"):
        assert running.history(module, "total_energy") == expected_total(running, module)


@pytest.mark.parametrize("path", ["/api/homesdata", "/api/getmeasure"])
def test_an_overloaded_service_is_asked_again_within_seconds(world: MakeWorld, path: str) -> None:
    running = world([small_home(2)])
    connection = running.connect()
    running.cloud.fault("api", path, [11, 429], count=3)
    running.launch()
    running.until(lambda: running.jeedom.database.children(connection), seconds=1.0, times=60)
    running.step(5, 12)
    assert running.jeedom.state(connection) == "online"
    assert running.clock.time() - START < 120
    assert running.history(LINE, "total_energy") == expected_total(running)
    assert running.messages() == []


def test_a_test_gets_through_while_the_service_is_overloaded(world: MakeWorld) -> None:
    running = world([small_home(2)])
    connection = started(running, 2)
    running.cloud.fault("api", "/api/homesdata", [11, 429], count=2)
    told: list[str] = []
    beside = threading.Thread(target=lambda: told.append(running.jeedom.test(connection)["text"]))
    beside.start()
    for _ in range(400):
        running.clock.advance(0.5)
        beside.join(0.01)
    assert "2 lignes" in told[0]


@pytest.mark.parametrize("how", ["no_value", "null_value", "text", "null_row", "short_row"])
def test_a_spoilt_piece_costs_no_measure(world: MakeWorld, how: str) -> None:
    running = world([small_home(1)])
    connection = started(running)
    running.cloud.fault("piece", "/api/getmeasure", how)
    running.step(1800, 20)
    assert running.jeedom.state(connection) == "online"
    running.cloud.faults.clear()
    running.step(600, 10)
    assert running.history(LINE, "total_energy") == expected_total(running)
    assert troubles(running) == []


def test_a_line_that_keeps_failing_alone_tells_its_own_trouble_once(world: MakeWorld) -> None:
    running = world([small_home(2)])
    connection = started(running, 2)
    second = running.equipment(f"{BRIDGE}#1")
    ecometer = running.cloud.model.homes[0].ecometers[0]
    name = ecometer.lines.pop(1)
    running.step(1800, 20)
    assert running.jeedom.state(connection) == "online"
    assert [state for state, _ in troubles(running)] == ["error"]
    assert "getmeasure" not in troubles(running)[0][1]
    running.kill()
    running.launch()
    running.settle()
    running.step(600, 3)
    ecometer.lines[1] = name
    running.step(1800, 4)
    running.step(60, 2)
    assert [state for state, _ in troubles(running)] == ["error", "online"]
    assert running.jeedom.callback.states[second]["state"] == "online"
    assert running.history(f"{BRIDGE}#1", "total_energy") == expected_total(running, f"{BRIDGE}#1")


def test_a_gas_line_that_gives_nothing_has_words_of_its_own(world: MakeWorld) -> None:
    running = world([Home("h1", ecometers=[Ecometer(BRIDGE, lines={0: "Ligne 1", 6: "Gaz"})])])
    connection = started(running, 1)
    offered = found(running, connection)[f"{BRIDGE}#6"]
    running.jeedom.house.add_equipment(connection, "line", f"{BRIDGE}#6", "Gaz", offered["config"])
    running.jeedom.desired_changed()
    running.step(1800, 14)
    assert [(state, "gaz ou d'eau" in text) for state, text in troubles(running)] == [("error", True)]
    assert running.messages() == []


def test_slots_without_values_are_told_as_the_contract_and_not_as_wifi(world: MakeWorld) -> None:
    home = small_home(2)
    home.contracts.append((START + 2 * HOUR, "void"))
    running = world([home])
    connection = started(running, 2)
    running.step(3600, 40)
    assert (running.messages(), troubles(running)) == ([], [])
    running.step(3600, 24)
    assert running.messages() == []
    assert [state for state, _ in troubles(running)] == ["no_data", "no_data"]
    assert all("Les relevés arrivent, mais sans valeur depuis le 03/03/2026 02:00" in t for _, t in troubles(running))
    assert running.jeedom.state(connection) == "online"
    home.contracts.append((running.clock.time(), "basic"))
    running.step(3600, 6)
    assert [state for state, _ in troubles(running)][2:] == ["online", "online"]
