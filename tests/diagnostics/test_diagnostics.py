"""The diagnostics of all five systems: what a fault is found by, nothing of anybody, reports as tests."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jeenergied.api.anonymous import Anonymous
from jeenergied.api.commands import _disarmed
from jeenergied.api.diagnostics import _known, report
from jeenergied.devices.base import Connection, DeviceError, Equipment, Unreachable
from jeenergied.devices.common.endpoints import Shapes, shape_of

from jeedom_bridge.logs import Masker
from simulators import report as replays
from simulators.faults import Fault
from tests.econetatmo.world import BRIDGE
from tests.enphase.harness import SERIAL
from tests.soak.test_soak_month import CHARGER, EMAIL, HOUR, PASSWORD, Five
from tests.support.crashing import CONTRACT

PEOPLE = {"enphase": "Toit Martin", "easee": "Garage Camille", "wes": "Cave Martin", "econetatmo": "Tableau Camille",
          "hellowatt": "Compte Martin"}  # fmt: skip
KINDS = {
    "enphase": ("readings", "[].activePower"),
    "easee": ("observations", "observations[].timestamp"),
    "wes": ("data.cgx", "tic1.PTEC"),
    "econetatmo": ("getmeasure", "[].beg_time"),
    "hellowatt": ("electricity", "values[].kwhDetailed"),
}
"""Of each system an answer, and a key that the reported one lacks."""


NAMES = {"Maison", "Salon", "Dehors", "Ligne 1", "Ligne 2", "admin", "Camille", "Martin"}
"""Names that a vendor has: no cause of a library quotes them, and no pattern could know them."""


class House:
    """Five connections with names that identify people, and what the daemon tells of them."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.five = Five(stack, folder, 1)
        for runner in self.five.life.runners:
            equipment = tuple(replace(each, name=f"Chez Léa {each.type}") for each in runner.connection.equipment)
            name = PEOPLE[runner.connection.backend]
            runner.reports.connection = replace(runner.connection, name=name, equipment=equipment)
        self.five.life.live(HOUR)
        self.five.look_at_the_charger()
        self.simulators: dict[str, Any] = {
            "enphase": self.five.gateway, "easee": self.five.easee, "wes": self.five.wes,
            "econetatmo": self.five.netatmo, "hellowatt": self.five.site,
        }  # fmt: skip

    def report(self) -> dict[str, Any]:
        """As it leaves the socket."""
        services = self.five.life._services
        for runner in self.five.life.runners:
            catalogue = CONTRACT.catalogues[runner.connection.backend]
            services.masker.register(*catalogue.confidential(dict(runner.connection.config)))
        status = {"callback": {"error": "http://192.168.1.7/core est hors d'atteinte", "addresses": ["http://x"]}}
        found = report(services, CONTRACT.catalogues, self.five.life.runners, status)
        return dict(json.loads(json.dumps(_disarmed(found))))

    def of(self, backend: str) -> dict[str, Any]:
        """The part of one connection."""
        (found,) = [each for each in self.report()["connections"] if each["backend"] == backend]
        return dict(found)

    def identifying(self) -> set[str]:
        """Every secret and every value of anybody that the simulators and the settings know."""
        five = self.five
        found = {EMAIL, PASSWORD, BRIDGE, SERIAL, CHARGER, five.gateway.serial, "127.0.0.1", "192.168.1.7", "Léa"}
        found |= {"Martin", "Camille", five.home.prm if hasattr(five.home, "prm") else "99000000000417", "502113"}
        found |= set(five.easee.accounts.issued)
        found |= {each.id for each in five.netatmo.model.homes} | {"Ligne 1", "Ligne 2"}
        found |= {tic.address for tic in five.box.tics if getattr(tic, "address", "")}
        found |= {name for part in (five.box.tics, five.box.probes) for name in (each.name for each in part) if name}
        for runner in five.life.runners:
            for entry in CONTRACT.catalogues[runner.connection.backend].fields():
                value = runner.connection.config.get(entry["key"])
                if entry["type"] in ("secret", "text") and isinstance(value, str) and value != entry.get("default"):
                    found.add(value)
        return {each for each in found if len(each) > 3}

    def leaks(self, told: Any) -> list[str]:
        """Which of them a report tells."""
        text = json.dumps(told, ensure_ascii=False).casefold()
        return sorted(each for each in self.identifying() if each.casefold() in text)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with ExitStack() as stack:
        yield House(stack, tmp_path)


def test_the_file_tells_states_choices_and_shapes_of_all_systems_and_nothing_of_anybody(house: House) -> None:
    for runner in house.five.life.runners:
        quoted = ", ".join(sorted(house.identifying()))
        technical = ", ".join(sorted(house.identifying() - NAMES))
        runner.health.failed(Unreachable("On a répondu : {text}", text=quoted), "poll", 60.0)
        runner.health.refused(Unreachable("On a répondu : {text}", text=f"https://me@{quoted}"))
        try:
            raise Unreachable("Rien") from OSError(technical)
        except Unreachable as error:
            runner.troubles.trouble(runner.connection.equipment[0].id, error)
            runner.health.failed(error, "poll", 60.0)
    told = house.report()
    leaks = house.leaks(told)
    assert leaks == [], "\n".join(leaks)
    assert {each["backend"] for each in told["connections"]} == set(PEOPLE)
    for connection in told["connections"]:
        assert connection["shapes"], connection["backend"]
        assert [each["code"] for each in connection["errors"]] == ["unreachable"] * 3
        assert "OSError" in connection["errors"][-1]["cause"]
        assert connection["equipment"][0]["error"] == "Rien"
        assert "set" in connection["settings"].values()
    assert {"daemon", "python", "machine", "system"} <= set(told["versions"])
    (wes,) = [each for each in told["connections"] if each["backend"] == "wes"]
    assert wes["equipment"][0]["settings"]["tarification"] == "BBRH"
    assert wes["settings"]["pollInterval"] == 600
    assert wes["settings"]["password"] == wes["settings"]["host"] == "set"


def test_what_jeedom_knows_by_name_is_taken_out_of_any_text() -> None:
    equipment = Equipment("2", "charger", "EH999", "Chambre de Zoé", {}, {})
    connection = Connection("1", "easee", "Chez Camille", {"user": "zoe"}, {}, (equipment,))
    runner: Any = SimpleNamespace(connection=connection)
    known = Anonymous(_known([runner], CONTRACT.catalogues), str)
    told = known.text("chez camille: Chambre de Zoé (EH999) of zoe, zoey")
    assert told == "<name>: <name> (<key>) of <user>, zoey"


@pytest.mark.parametrize("backend", KINDS)
def test_a_report_makes_a_simulator_answer_as_the_users_system_does(
    house: House, backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    kind, lacking = KINDS[backend]
    life = house.five.life
    life.runners = [each for each in life.runners if each.connection.backend == backend]
    while lacking not in house.of(backend)["shapes"][kind]:
        life.live(HOUR)  # the first days come later
    reported = house.of(backend)
    shape = {
        place: types for place, types in reported["shapes"][kind].items() if not f"{place}.".startswith(f"{lacking}.")
    }
    assert len(shape) < len(reported["shapes"][kind])
    reported["shapes"] = {kind: {**shape, **_new(shape)}}
    caplog.set_level(logging.WARNING)
    assert replays.replay(house.simulators[backend].faults.add, reported) == [kind]
    life.live(25 * HOUR if backend == "hellowatt" else 1.2 * HOUR)
    for runner in life.runners:
        with suppress(DeviceError):
            runner.device.refresh()
    found = house.of(backend)["shapes"][kind]
    assert lacking not in found
    assert set(found) == set(reported["shapes"][kind])
    if backend != "wes":  # each of its values may be missing: it depends on what is wired
        assert lacking in caplog.text


def _new(shape: dict[str, str]) -> dict[str, str]:
    """A key that no simulator knows, in the first object of the answer."""
    place = next(place for place, types in shape.items() if types == "object" and (place or "info" not in shape))
    return {f"{place}.brandNew" if place else "brandNew": "number"}


def test_the_example_of_a_shape_has_that_shape() -> None:
    for answer in ({"a": [{"b": 1, "c": None}], "d": {"e": "x", "f": True}}, [[1], []], [], "text", None, 3):
        shape = shape_of(answer)
        assert shape_of(replays.example(shape)) == {
            place: types.split("|")[-1 if types == "list|null" else 0] for place, types in shape.items()
        }
        assert replays.reshaped(answer, shape) == answer


def test_every_kind_of_answer_of_a_report_has_its_own_path_at_the_simulator(house: House) -> None:
    asked: dict[str, set[str]] = {}
    for backend, simulator in house.simulators.items():
        taken = simulator.faults.take

        def remember(path: str, backend: str = backend, taken: Any = taken) -> Any:
            asked.setdefault(backend, set()).add(path)
            return taken(path)

        simulator.faults.take = remember
    house.five.life.live(600.0)
    for runner in house.five.life.runners:
        with suppress(DeviceError):
            runner.device.refresh()
    for told in house.report()["connections"]:
        paths = replays.PATHS[told["backend"]]
        assert set(told["shapes"]) <= set(paths), told["backend"]
        for path in asked[told["backend"]]:
            met = [kind for kind, pattern in paths.items() if Fault("shape", pattern).matches(path)]
            assert len(met) <= 1, f"{path} is {met}"


def test_what_is_no_report_is_refused() -> None:
    for told in ({}, {"format": 99, "connections": []}, {"daemon": None}):
        with pytest.raises(ValueError, match="format"):
            replays.connections(told)


SENTENCES = (
    ("répond camille@example.org ici", "camille"),
    ("appel de https://192.168.1.20:443/ivp?sn=122300000001", "192.168"),
    ("host='envoy.local', port=443", "envoy"),
    ("[fe80::1ff:fe23:4567:890a]", "fe23"),
    ("00:04:74:aa:bb:cc est absent", "aa:bb"),
    ("à 48.85661, 2.35222", "48.8566"),
    ("le point 99000000000417", "417"),
    ("le chargeur EHABC123", "EHABC123"),
    ("jeton 5f3c9a0b7e44d1a2", "7e44"),
    ("10.0.0.4 ne répond pas", "10.0"),
)


@pytest.mark.parametrize(("text", "hidden"), SENTENCES)
def test_what_nobody_has_named_is_taken_out_by_its_look(text: str, hidden: str) -> None:
    assert hidden not in Anonymous({}, Masker().mask).text(text)


@pytest.mark.parametrize(
    "text",
    ["Pas de réponse en 30 s (HTTP 503)", "firmware V0.84A16", "TimeoutError < OSError: [Errno 111]", "D8.2.4382"],
)
def test_what_helps_stays(text: str) -> None:
    assert Anonymous({"12": "key", "Martin": "name"}, Masker().mask).text(text) == text


def test_keys_that_are_values_are_left_out_of_shapes() -> None:
    class Memory:
        def __init__(self) -> None:
            self.kept: dict[str, Any] = {}

        def get(self, key: str, default: Any = None) -> Any:
            return self.kept.get(key, default)

        def put(self, key: str, value: Any) -> None:
            self.kept[key] = value

        keep = put

        def delete(self, key: str) -> None:
            del self.kept[key]

    answer = {
        "2026-03-01": 1,
        "122300000001": {"w": 2},
        "Chez Léa": {"a": 1},
        "Léa": 1,
        "a@example.org": None,
        "PAP1": 1,
    }
    memory = Memory()
    Shapes(memory).look("x", answer)
    shape = Anonymous({"Léa": "name"}, Masker().mask).shape(memory.kept["shapes"]["x"])
    assert set(shape) <= {"", "*", "*.w", "*.a", "*.org", "PAP1"}
