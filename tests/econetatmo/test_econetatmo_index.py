"""The running index of a line, and energy meters with their power."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from jeenergied.devices.econetatmo import mapping
from jeenergied.devices.econetatmo.watermarks import DAY_S as DAY
from jeenergied.devices.econetatmo.watermarks import Index, LineState

from simulators.econetatmo.model import Correction, Ecometer, Home, Meter, Outage, midnight
from tests.econetatmo.test_econetatmo_life import LINE, PARIS, WEEK, expected_total, started
from tests.econetatmo.world import BRIDGE, HOUR, START, World, small_home

MakeWorld = Callable[..., World]
METER, THREE = "12:34:56:00:00:a1:4c:da", "12:34:56:00:00:a1:4c:db"


# The arithmetic.


def test_an_index_counts_each_slot_once_whatever_is_read_again() -> None:
    index = Index()
    index.add("30min", {900: 100, 2700: 50})
    index.add("30min", {900: 100, 2700: 80, 4500: 7})  # the newest slot had not been whole
    assert (index.shown, index.end) == (187, 5400)


def test_an_index_never_falls() -> None:
    index = Index()
    index.add("30min", {900: 100, 2700: 50})
    index.add("30min", {2700: 20})
    assert (index.wh, index.shown) == (120, 150)
    index.add("30min", {4500: 20})
    assert index.shown == 150
    index.add("30min", {6300: 20})
    assert index.shown == 160


def test_another_scale_goes_on_where_the_former_ended() -> None:
    index = Index()
    day = midnight(START, PARIS)
    index.add("30min", {day + 900 + n * 1800: 10 for n in range(48)})
    index.add("1day", {day + 43200: 480, day + DAY + 43200: 500})
    assert index.shown == 980
    index.add("1hour", {day + DAY + 1800: 20, day + 2 * DAY + 1800: 20})
    assert index.shown == 1000


def test_what_is_too_old_to_be_remembered_is_not_counted_again() -> None:
    index = Index()
    index.add("1hour", {1800 + n * 3600: 1 for n in range(20 * 24)})
    assert len(index.counted) < 10 * 24
    index.add("1hour", {1800 + n * 3600: 1 for n in range(20 * 24)})
    assert index.shown == 480


def test_an_index_survives_the_store_and_nonsense_in_it_does_not_hurt() -> None:
    state = LineState(owner="1")
    state.index.add("30min", {900: 100})
    assert LineState.of(state.stored()).index == state.index
    for spoilt in (None, 3, {"wh": 1}, {"counted": [[1]]}, {"counted": [["x", 1]]}):
        assert LineState.of({**state.stored(), "index": spoilt}).index == Index()


# Through the daemon.


def index_of(running: World, key: str = LINE) -> float:
    return float(running.jeedom.value(running.equipment(key), "index"))


def test_the_index_is_the_sum_of_the_measures_and_never_falls(world: MakeWorld) -> None:
    home = small_home(1)
    ecometer = home.ecometers[0]
    ecometer.outages = [Outage(START + 3 * HOUR, START + 9 * HOUR, START + 12 * HOUR)]
    ecometer.corrections = [Correction(0, int(START + 2 * HOUR), 70, START + 20 * HOUR)]
    home.contracts.append((START + 6 * HOUR + 700, "basic"))
    running = world([home])
    started(running)
    seen = [index_of(running)]
    for _ in range(48):
        running.step(1800)
        seen.append(index_of(running))
        if len(seen) == 20:
            running.kill()
            running.launch()
            running.settle()
    running.step(600, 6)
    assert seen == sorted(seen)
    total = sum(expected_total(running).values())
    assert abs(index_of(running) - total / 1000) < 0.0006
    assert seen[-1] > seen[0] > 0


def test_an_index_is_dated_with_the_end_of_its_newest_slot(world: MakeWorld) -> None:
    running = world([small_home(1)])
    started(running)
    sent = [each["event"] for each in running.jeedom.applied("values") if "index" in each["event"]["values"]]
    newest = datetime.fromisoformat(max(running.history(LINE, "total_energy"))).replace(tzinfo=ZoneInfo(PARIS))
    assert datetime.fromisoformat(sent[-1]["at"]) == newest + timedelta(minutes=15)


# Meters.


def metered(**more: Any) -> Home:
    meters = [Meter(METER, "Tableau", {0: "x"}, **more), Meter(THREE, None, {0: "y"}, model="NLY", power=4200)]
    return Home("h1", ecometers=[Ecometer(BRIDGE, lines={0: "Ligne 1"})], meters=meters)


def test_meters_are_offered_with_their_power_measures_and_index(world: MakeWorld) -> None:
    running = world([metered()])
    connection = started(running, 3)
    running.step(120, 3)
    assert "2 compteurs d'énergie" in running.jeedom.test(connection)["text"]
    names = {each["key"]: (each["type"], each["name"]) for each in running.jeedom.database.children(connection)}
    assert names[METER] == ("meter", "Tableau")
    assert names[THREE] == ("meter", "Compteur NLY")
    for key, watts in ((METER, 350), (THREE, 4200)):
        assert running.jeedom.value(running.equipment(key), "power") == watts
        assert running.history(key, "total_energy") == expected_total(running, key)
        assert abs(index_of(running, key) - sum(expected_total(running, key, WEEK).values()) / 1000) < 0.0006
    assert running.jeedom.value(running.equipment(LINE), "power") is None
    assert running.jeedom.complaints == []


def test_the_power_of_a_meter_that_is_out_of_reach_is_not_shown_as_fresh(world: MakeWorld) -> None:
    running = world([metered()])
    connection = started(running, 3)
    running.step(120, 3)
    meter = running.cloud.model.homes[0].meters[0]
    meter.reachable, meter.power = False, 0
    at = running.clock.time()
    running.step(300, 24)
    events = [each["event"] for each in running.jeedom.applied("values") if "power" in each["event"]["values"]]
    own = [each for each in events if each["equipment"] == running.equipment(METER)]
    assert {each["values"]["power"] for each in own} == {350}
    assert running.jeedom.callback.states[running.equipment(METER)]["state"] == "no_data"
    assert "puissance" in running.jeedom.callback.states[running.equipment(METER)]["message"]
    assert running.clock.time() > at
    meter.reachable, meter.power = True, 90
    running.step(120, 4)
    assert running.jeedom.value(running.equipment(METER), "power") == 90
    assert running.jeedom.callback.states[running.equipment(METER)]["state"] == "online"
    assert running.jeedom.state(connection) == "online"


def test_without_meters_no_power_is_asked_for(world: MakeWorld) -> None:
    running = world([small_home(1)])
    started(running)
    running.step(120, 20)
    assert [call.method for call in running.cloud.calls if call.method == "homestatus"] == []


def test_powers_are_read_from_what_is_one() -> None:
    modules = [
        {"id": "a", "power": 12, "last_seen": 1_772_000_000}, {"id": "b", "power": "7"}, {"id": "c"}, 3,
        {"id": "d", "power": 5, "reachable": False}, {"power": 1}, {"id": "e", "power": None},
    ]  # fmt: skip
    found = mapping.powers({"home": {"modules": modules}})
    assert found == {"a": (12, 1_772_000_000.0), "b": (7, None), "d": (None, None), "e": (None, None)}
    for spoilt in (None, [], {"home": 3}, {"home": {"modules": {}}}):
        assert mapping.powers(spoilt) == {}
