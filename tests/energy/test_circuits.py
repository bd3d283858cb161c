"""Chargers that share a circuit: the sum of their currents stays within it, whatever else allows more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jeenergied.energy.control.pilot import Given, Pilot
from jeenergied.energy.control.settings import HouseLimits, PointSettings
from jeenergied.energy.control.tariffs import Ahead
from jeenergied.energy.ports import Reading, Source
from jeenergied.energy.topology import Topology

from jeedom_bridge.templates import fill
from tools.play_scenario import Game

from .house import PARIS, RULES, TwoPrices
from .test_pilot import NOON, Memory, Sent


def pair(mode: str = "now", **more: Any) -> list[dict[str, Any]]:
    return [{"id": each, "mode": mode, "circuit": "garage", "circuitA": 32, **more} for each in ("a", "b")]


def currents(capsys: pytest.CaptureFixture[str], **scenario: Any) -> tuple[list[tuple[int, dict[str, int]]], str]:
    """The currents of all chargers after each second with a decision, and the last reason of `b`."""
    Game({"seconds": 1800, "solar": [[0, 0]], "base": [[0, 300]], **scenario}).play()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    now, found = {"a": 0, "b": 0}, {}
    for line in lines[:-1]:
        now[line["charger"]] = line["amps"]
        found[line["t"]] = dict(now)
    return sorted(found.items()), lines[-1]["summary"]["why"]["b"]


def test_the_first_of_two_has_what_it_can_and_the_second_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    found, _ = currents(capsys, chargers=pair(carMaxA=32), order=["a", "b"])
    assert found[-1][1] == {"a": 32, "b": 0}
    chargers = pair()
    chargers[0]["maxA"] = 20
    found, _ = currents(capsys, chargers=chargers, order=["a", "b"])
    assert found[-1][1] == {"a": 20, "b": 12}


def test_shared_in_equal_parts_both_charge(capsys: pytest.CaptureFixture[str]) -> None:
    found, _ = currents(capsys, chargers=pair(), sharing="share")
    assert found[-1][1] == {"a": 16, "b": 16}


def test_a_rise_of_the_first_lowers_the_second_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    chargers = pair()
    chargers[0]["mode"] = "solar"
    found, why = currents(capsys, chargers=chargers, order=["a", "b"], solar=[[0, 0], [300, 9000]])
    assert all(sum(each.values()) <= 32 for _, each in found), found
    assert found[-1][1]["a"] >= 6
    assert "circuit des bornes" in why


def test_without_a_shared_circuit_nothing_changes(capsys: pytest.CaptureFixture[str]) -> None:
    chargers = pair()
    chargers[1]["circuit"] = "street"
    found, _ = currents(capsys, chargers=chargers)
    assert found[-1][1] == {"a": 32, "b": 32}


class Out:
    """What the pilot sends."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, float | None]] = []

    def begin(self, equipment: str, capability: str, value: float | None = None) -> Sent:
        self.sent.append((equipment, value))
        return Sent()

    def want(self, load: str, state: str) -> None: ...

    def hurry(self, equipment: str, period_s: float) -> None: ...

    def translate(self, template: str, **values: object) -> str:
        return fill(template, values)

    def message(self, level: str, template: str, **values: object) -> None: ...

    def values(self, facts: Any, at: float) -> None: ...

    def dated(self, series: Any) -> Any: ...


def test_a_charger_that_nobody_drives_takes_its_part_of_what_the_circuit_tells() -> None:
    out = Out()
    pilot = Pilot(Memory(), out, out, Ahead(TwoPrices()), PARIS, lambda equipment, facts, at: None)
    pilot.adopt([PointSettings(each, f"c{each}", circuit="garage") for each in ("1", "2")], [], HouseLimits())
    drawn = {"c1": 2300.0, "c2": 0.0}

    def look(second: int) -> None:
        now = NOON + second
        told = {Source("10", "net", "grid.power"): 300.0 + sum(drawn.values())}
        for charger, watts in drawn.items():
            limit = next((value for name, value in reversed(out.sent) if name == charger), 32)
            told[Source(charger, "power", "charger.power")] = watts
            told[Source(charger, "limit", "charger.current")] = float(limit or 0)
            told[Source(charger, "plugged", "charger.plugged")] = True
            told[Source(charger, "circuit", "circuit.maximumCurrent")] = 25.0
        seen = [Reading(source, value, now) for source, value in told.items()]
        roles = Topology(RULES).roles([each.source for each in seen])
        pilot.step(seen, Given(roles, None, lambda charger, at: None), now, float(second))

    look(0)
    assert pilot.choose("2", "now", NOON, 0.0)
    for second in range(5, 600, 5):
        look(second)
    assert out.sent[-1] == ("c2", 15)
