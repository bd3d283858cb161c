"""Measures reach Jeedom's history at their own dates, once, whatever happens on the way."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Callable
from zoneinfo import ZoneInfo

from simulators.econetatmo.model import midnight
from tests.econetatmo.world import BRIDGE, DAY, START, World, small_home

PARIS = ZoneInfo("Europe/Paris")
COLUMNS = {"sum_energy_elec": 0, "sum_energy_elec$0": 1, "sum_energy_elec$1": 2, "sum_energy_elec$2": 3}
MakeWorld = Callable[..., World]


def expected(world: World, module: str, column: int, begin: int, scale: str = "30min") -> dict[str, Any]:
    """The simulator's own record as Jeedom should have it: values by local time, equal local times added."""
    result: dict[str, Any] = {}
    for label, values in world.cloud.record(module, scale, begin).items():
        if values[column] is not None and label <= world.clock.time():
            wall = datetime.fromtimestamp(label, PARIS).strftime("%Y-%m-%d %H:%M:%S")
            result[wall] = round(result.get(wall, 0) + values[column], 4)
    return result


def test_the_first_reading_fills_seven_days_of_the_counters_of_the_contract(world: MakeWorld) -> None:
    running = world()
    connection = running.connect()
    running.launch()
    assert len(running.ready(connection, 2)) == 2
    module, begin = f"{BRIDGE}#0", midnight(START, "Europe/Paris", -7)
    for command, column in COLUMNS.items():
        assert running.history(module, command) == expected(running, module, column, begin)
    assert len(running.history(module, "sum_energy_elec$1")) > 200
    assert running.history(module, "sum_energy_elec") == {}
    assert running.jeedom.state(connection) == "online"
    assert running.jeedom.complaints == []
    assert running.cloud.tokens_in_urls == 0


def test_late_uploads_are_read_when_they_come_and_every_measure_once(world: MakeWorld) -> None:
    running = world([small_home(1, "none")])
    connection = running.connect()
    running.launch()
    running.ready(connection)
    running.step(600, DAY // 600)
    module = f"{BRIDGE}#0"
    begin = midnight(START, "Europe/Paris", -7)
    assert running.history(module, "sum_energy_elec") == expected(running, module, 0, begin)
    sent = [e["event"] for e in running.jeedom.applied("history") if e["event"]["command"] == "sum_energy_elec"]
    points = [tuple(point) for event in sent for point in event["points"]]
    assert len(points) == len(set(points)), "a measure was sent twice with the same value"
