"""The life of a connection: synchronisation, switches, limits, failures, the past in slices, what the user is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from jeenergied.devices.econetatmo import mapping

from simulators.econetatmo.homes import FOREIGN
from simulators.econetatmo.model import Ecometer, Home, Outage, midnight
from simulators.jeedom.daemon import DaemonRefusal
from tests.econetatmo.test_econetatmo_measures import expected
from tests.econetatmo.world import BRIDGE, DAY, HOUR, START, World, small_home
from tests.support.recorded import answers

MakeWorld = Callable[..., World]
LINE = f"{BRIDGE}#0"
PARIS = "Europe/Paris"
WEEK = midnight(START, PARIS, -7)


def started(running: World, lines: int = 1, **config: Any) -> str:
    connection = running.connect(**config)
    running.launch()
    running.ready(connection, lines)
    return connection


def found(running: World, connection: str) -> dict[str, dict[str, Any]]:
    definition = running.jeedom.house.connection(connection)
    return {each["key"]: each for each in running.jeedom.ask("discover", connection=definition)["equipment"]}


# Synchronisation.


def test_only_lines_of_ecometers_are_offered_by_their_names(world: MakeWorld) -> None:
    running = world([small_home(2, foreign=list(FOREIGN)), Home("h2", name=None)])
    connection = started(running, 2)
    offered = found(running, connection)
    assert {key: each["name"] for key, each in offered.items()} == {f"{BRIDGE}#{n}": f"Ligne {n + 1}" for n in (0, 1)}
    assert offered[LINE]["config"] == {"consumptionType": "electrical", "sourceType": "other", "icon": "other"}


def test_missing_and_equal_names_are_told_apart(world: MakeWorld) -> None:
    second = "00:04:74:00:11:22"
    homes = [
        Home("h1", ecometers=[Ecometer(BRIDGE, "Tableau", {0: "Prises", 1: None, 5: None})]),
        Home("h2", "Chalet", ecometers=[Ecometer(second, "Tableau", {0: "Prises", 3: "prises"})]),
    ]
    running = world(homes)
    names = {key: each["name"] for key, each in found(running, started(running, 5)).items()}
    assert len({name.casefold() for name in names.values()}) == 5
    assert names[f"{BRIDGE}#0"] == "Prises (Tableau) - Maison"
    assert (names[f"{BRIDGE}#1"], names[f"{BRIDGE}#5"]) == ("NLE 2", "NLE Total")


@pytest.mark.parametrize(("fluids", "family"), [("fluid", "fluid"), ("energy", "energy"), ("", None)])
def test_gas_and_water_lines_are_offered_where_they_give_data(world: MakeWorld, fluids: str, family: Any) -> None:
    ecometer = Ecometer(BRIDGE, lines={0: "Ligne 1", 6: "Gaz", 8: "Eau"}, fluids=fluids)
    running = world([Home("h1", ecometers=[ecometer])])
    offered = found(running, started(running, 1))
    gas = offered[f"{BRIDGE}#6"]
    assert gas["active"] is bool(family)
    assert offered[f"{BRIDGE}#8"]["config"]["sourceType"] == "cold_water"
    assert offered[f"{BRIDGE}#8"]["config"]["consumptionType"] == "fluid"
    if family:
        assert gas["config"]["fluidFamily"] == family
        command = "sum_fluid_consumption$0" if family == "fluid" else "sum_energy_elec"
        assert running.history(f"{BRIDGE}#6", command)


RECORDED_HOMES = list(
    zip(
        answers("econetatmo", "homesdata.json"),
        answers("econetatmo", "homestatus.json"),
        [
            ("4f:03:72:0b:b4:6a", "Appareil 35", ("NLPC", "Appareil 36", "a0:70:6b:6e:c8:6d"), (303, 1644092041)),
            ("12:34:56:00:16:0e", "Écocompteur", ("NLPC", "Consumption meter", "12:34:56:80:60:40"), (476, 1646511241)),
        ],
    )
)
"""The made-up homes and the recorded ones, and what is read of them by eye: ecometer, its name, a meter, its power."""


@pytest.mark.parametrize(("data", "status", "told"), RECORDED_HOMES, ids=["twin", "recorded"][: len(RECORDED_HOMES)])
def test_the_recorded_homes_synchronise(world: MakeWorld, data: Any, status: Any, told: Any) -> None:
    ecometer, name, described, power = told
    homes = mapping.homes(data["body"])
    assert [[line.kind for line in home.lines] for home in homes] == [["line"] * 9 + ["meter"]]
    assert homes[0].devices == {ecometer: name}
    assert mapping.named(homes)[f"{ecometer}#5"] == "Total"
    assert [line.source_type for line in homes[0].lines[:9]] == ["other"] * 6 + ["gas", "hot_water", "cold_water"]
    meter = homes[0].lines[9]
    assert (meter.model, meter.name, meter.bridge) == described
    assert mapping.powers(status["body"])[meter.id] == power
    assert all(mapping.homes(each["body"]) == [] for each in answers("econetatmo", "homesdata_empty.json"))
    running = world()
    running.cloud.fault("answer", "/api/homesdata", data)
    connection = running.connect()
    running.jeedom.automatic = False
    running.launch()
    offered = found(running, connection)
    lines = [f"{ecometer}#{n}" for n in range(6)]
    assert [key for key, each in offered.items() if each["active"]] == [*lines, meter.id]


def test_an_account_without_ecometers_says_so(world: MakeWorld) -> None:
    running = world([Home("h2", name=None)])
    connection = running.connect()
    running.launch()
    running.jeedom.wait(lambda: running.jeedom.state(connection) == "online")
    assert "aucun écocompteur" in running.jeedom.test(connection)["text"]
    running.cloud.model.homes.append(small_home(3))
    assert "3 lignes" in running.jeedom.test(connection)["text"]


def expected_total(running: World, module: str = LINE, begin: int = WEEK) -> dict[str, Any]:
    """What all tariffs together should be."""
    result: dict[str, Any] = {}
    for column in range(4):
        for wall, value in expected(running, module, column, begin).items():
            result[wall] = result.get(wall, 0) + value
    return dict(sorted(result.items()))


# Counters.


def test_totals_follow_a_change_of_contract(world: MakeWorld) -> None:
    home = small_home(1)
    home.contracts = [(0.0, "none"), (START - 3 * DAY, "basic"), (START - DAY + 700, "peak_and_off_peak")]
    running = world([home])
    started(running)
    assert running.history(LINE, "total_energy") == expected_total(running)
    for command, column in (("sum_energy_elec", 0), ("sum_energy_elec$0", 1), ("sum_energy_elec$2", 3)):
        assert running.history(LINE, command) == expected(running, LINE, column, WEEK)
    prices = running.history(LINE, "sum_energy_price$0")
    assert prices == expected(running, LINE, 5, WEEK)
    assert any(isinstance(value, float) for value in prices.values())


def test_a_counter_wanted_by_name_that_stays_empty_is_told_once(world: MakeWorld) -> None:
    running = world([small_home(1, "basic")])
    started(running)
    running.jeedom.set_command(running.equipment(LINE), "sum_energy_elec", collect="yes")
    running.step(600, 12)
    told = [text for text in running.messages() if "reste vide" in text]
    assert len(told) == 1
    assert "sum_energy_elec$0" in told[0]


def test_one_request_fetches_all_counters_of_a_line(world: MakeWorld) -> None:
    running = world([small_home(1)])
    started(running)
    calls = [call for call in running.cloud.calls if call.method == "getmeasure"]
    assert len(calls) == 1
    assert len(calls[0].form["type"].split(",")) == 8


def test_a_deleted_command_that_comes_back_is_filled_again(world: MakeWorld) -> None:
    running = world([small_home(1)])
    started(running)
    line = running.equipment(LINE)
    command = running.jeedom.house.command(line, "total_energy")["id"]
    running.jeedom.remove_command(line, "total_energy")
    running.step(600, 3)
    running.jeedom.database._do("DELETE FROM history WHERE command = ?", command)
    running.jeedom.database.set_command(command, removed=False)
    running.jeedom.desired_changed()
    running.step(15, 20)
    assert running.history(LINE, "total_energy") == expected_total(running)


def test_a_line_without_prices_still_gives_its_energy(world: MakeWorld) -> None:
    home = small_home(1)
    home.ecometers[0].prices = False
    running = world([home])
    connection = started(running)
    running.step(1800, 8)
    assert running.history(LINE, "total_energy") == expected_total(running)
    assert running.jeedom.state(connection) == "online"
    assert [call.code for call in running.cloud.calls if call.method == "getmeasure"].count(21) == 1


def test_an_equipment_made_anew_gets_its_history_again(world: MakeWorld) -> None:
    running = world([small_home(1)])
    connection = started(running)
    running.jeedom.remove(running.equipment(LINE))
    running.step(60, 2)
    running.jeedom.discover(connection)
    running.jeedom.wait(lambda: running.jeedom.values(running.equipment(LINE)), 10)
    running.settle()
    assert running.history(LINE, "total_energy") == expected_total(running)


def test_a_disabled_equipment_catches_up_when_it_is_enabled(world: MakeWorld) -> None:
    running = world([small_home(1)])
    started(running)
    running.jeedom.update(running.equipment(LINE), enabled=False)
    running.step(3600, 3 * 24)
    running.jeedom.update(running.equipment(LINE), enabled=True)
    running.step(60, 2)
    running.step(600, 2)
    assert running.history(LINE, "total_energy") == expected_total(running)


def test_refresh_reads_at_once(world: MakeWorld) -> None:
    running = world([small_home(1)])
    started(running)
    calls = len(running.cloud.calls)
    running.jeedom.refresh(running.equipment(LINE))
    assert len(running.cloud.calls) == calls + 1


# The past in slices.


def test_a_long_past_comes_in_slices_with_progress_and_leaves_room_for_the_present(world: MakeWorld) -> None:
    running = world([small_home(1)])
    connection = started(running, historyDays=100)
    assert len(running.history(LINE, "total_energy")) < 100, "the newest measures come first"
    running.until(lambda: len(running.history(LINE, "total_energy")) > 99 * 48, times=60)
    begin = midnight(START, PARIS, -100)
    running.step(600)
    assert running.history(LINE, "total_energy") == expected_total(running, begin=begin)
    assert running.jeedom.callback.progress[connection]["percent"] == 100
    percents = [each["event"]["percent"] for each in running.jeedom.applied("progress")]
    assert percents == sorted(percents)
    assert len(percents) > 3


@pytest.mark.parametrize("told", [True, False])
def test_all_there_is_begins_with_the_line(world: MakeWorld, told: bool) -> None:
    home = small_home(1)
    home.ecometers[0].setup_told = told
    home.ecometers[0].setup = int(START) - 60 * DAY
    running = world([home])
    started(running, historyDays=0)
    running.step(15, 12)
    begin = midnight(START, PARIS, -61)
    assert running.history(LINE, "total_energy") == expected_total(running, begin=begin)
    asked = [call for call in running.cloud.calls if call.method == "getmeasure"]
    assert len(asked) < 12


def test_a_change_of_one_line_reads_that_line_only(world: MakeWorld) -> None:
    running = world([small_home(4)])
    connection = started(running, 4)
    calls = len(running.cloud.calls)
    line = running.equipment(LINE)
    running.jeedom.update(line, name="Autre nom")
    running.jeedom.set_command(line, "total_price", collect="no")
    running.jeedom.wait(lambda: len(running.cloud.calls) > calls)
    running.step(2)
    asked = [call.form["module_id"] for call in running.cloud.calls[calls:]]
    assert set(asked) == {LINE}
    assert running.jeedom.state(connection) == "online"


def test_a_refused_line_does_not_hold_up_the_past_of_the_others(world: MakeWorld) -> None:
    running = world([small_home(2)])
    started(running, 2, historyDays=60)
    module = f"{BRIDGE}#1"
    del running.cloud.model.homes[0].ecometers[0].lines[0]
    running.step(15, 60)
    assert running.history(module, "total_energy") == expected_total(running, module, begin=midnight(START, PARIS, -60))


def test_the_history_can_be_read_again(world: MakeWorld) -> None:
    running = world([small_home(1)])
    connection = started(running)
    assert "1 ligne " in running.jeedom.run(connection, "importHistory", days=50)["text"]
    running.step(15, 8)
    assert running.history(LINE, "total_energy") == expected_total(running, begin=midnight(START, PARIS, -50))
    with pytest.raises(DaemonRefusal, match="nombre"):
        running.jeedom.run(connection, "importHistory", days="many")


def test_a_restart_goes_on_with_the_past_and_sends_nothing_twice(world: MakeWorld) -> None:
    running = world([small_home(1)])
    started(running, historyDays=100)
    running.step(15, 4)
    running.kill()
    before = len(running.jeedom.applied("history"))
    running.launch()
    running.until(lambda: len(running.history(LINE, "total_energy")) > 99 * 48, times=60)
    assert running.history(LINE, "total_energy") == expected_total(running, begin=midnight(START, PARIS, -100))
    repeated = [e["event"] for e in running.jeedom.applied("history")[before:]]
    assert sum(len(event["points"]) for event in repeated) < 100 * 48 * 6


# Limits.


@pytest.mark.parametrize("status", [403, 429])
def test_a_refused_request_stops_all_calls_for_growing_pauses(world: MakeWorld, status: int) -> None:
    running = world([small_home(2)])
    connection = started(running, 2)
    running.cloud.fault("api", "/api", [26, status])
    running.step(600)
    asked = len(running.cloud.requests)
    assert running.jeedom.state(connection) == "waiting"
    running.step(60, 9)
    with pytest.raises(DaemonRefusal, match="rate_limited"):
        running.jeedom.test(connection)
    assert len(running.cloud.requests) == asked
    running.step(60, 2)
    assert len(running.cloud.requests) == asked + 1
    running.step(60, 17)
    assert len(running.cloud.requests) == asked + 1
    running.kill()
    running.launch()
    running.settle()
    assert len(running.cloud.requests) == asked + 1, "a restart forgot the pause"
    running.cloud.faults.clear()
    running.step(600, 8)
    assert running.jeedom.state(connection) == "online"
    assert running.jeedom.complaints == [], "a heartbeat lacked the end of the pause"
    assert running.history(LINE, "total_energy") == expected_total(running)


def test_a_test_beside_the_running_connection_does_not_overlap_its_calls(world: MakeWorld) -> None:
    running = world([small_home(3)])
    connection = started(running, 3)
    running.cloud.fault("latency", "/api", 0.1)
    running.cloud.server.max_in_flight = 0
    beside = threading.Thread(target=lambda: running.jeedom.refresh(connection))
    beside.start()
    definition = running.jeedom.house.connection(connection)
    definition["config"] = {**definition["config"], "historyDays": 9}
    assert "3 lignes" in running.jeedom.ask("test", connection=definition)["text"]
    beside.join(30)
    assert running.cloud.server.max_in_flight == 1
    assert running.cloud.authority.rotations == 1


def test_a_pause_that_the_service_tells_is_kept(world: MakeWorld) -> None:
    running = world([small_home(1)])
    connection = started(running)
    running.cloud.fault("retry_after", "/api", 1800, count=1)
    running.step(600)
    asked = len(running.cloud.requests)
    running.step(60, 29)
    assert len(running.cloud.requests) == asked
    running.step(60, 2)
    assert len(running.cloud.requests) > asked
    assert running.jeedom.state(connection) == "online"


def test_the_limits_are_kept_with_more_lines_than_they_allow(world: MakeWorld) -> None:
    ecometers = [Ecometer(f"00:04:74:00:00:{n:02x}", lines={i: f"L{n}.{i}" for i in range(6)}) for n in range(9)]
    running = world([Home("h1", ecometers=ecometers)])
    connection = running.connect()
    running.launch()
    running.jeedom.wait(lambda: len(running.jeedom.database.children(connection)) == 54, 15)
    running.step(20, 190)
    assert running.cloud.refused == 0
    assert running.cloud.busiest[10] <= 40
    assert running.cloud.busiest[3600] <= 400
    for each in ecometers:
        assert running.history(each.module(5), "total_energy"), "a line was starved"


# Failures.


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("status", 500), ("status", 502), ("html", None), ("garbage", None), ("truncated", None), ("drop", None),
        ("no_body", None), ("api", 27), ("api", [2, 403]), ("api", 3), ("answer", {"body": [3]}),
        ("answer", {"body": [{"beg_time": "x", "value": []}]}), ("answer", {"body": {"9": [1]}}), ("redirect", None),
        ("answer", {"body": None}), ("answer", [1]), ("api", [11, 429]),
    ],
)  # fmt: skip
def test_no_failure_moves_a_watermark(world: MakeWorld, kind: str, value: Any) -> None:
    running = world([small_home(1)])
    connection = started(running)
    running.cloud.fault(kind, "/api/getmeasure", value)
    running.step(1800, 10)
    assert running.jeedom.state(connection) != "online"
    running.cloud.faults.clear()
    running.step(600, 14)
    assert running.jeedom.state(connection) == "online"
    assert running.history(LINE, "total_energy") == expected_total(running)


def test_an_empty_answer_is_no_data_and_no_failure(world: MakeWorld) -> None:
    running = world([small_home(1)])
    connection = started(running)
    running.cloud.fault("empty", "/api/getmeasure")
    running.step(600, 10)
    assert running.jeedom.state(connection) == "online"
    running.cloud.faults.clear()
    running.step(600, 20)
    assert running.history(LINE, "total_energy") == expected_total(running)


def test_one_failing_line_does_not_touch_the_others(world: MakeWorld) -> None:
    running = world([small_home(2)])
    connection = started(running, 2)
    for _ in range(15):
        running.cloud.fault("api", "/api/getmeasure", 27, count=1)
        running.step(1200)
    assert running.jeedom.state(connection) == "online"
    lines = {f"{BRIDGE}#{n}": expected_total(running, f"{BRIDGE}#{n}") for n in (0, 1)}
    assert any(running.history(key, "total_energy") == values for key, values in lines.items())


def test_what_all_lines_meet_is_one_line_of_the_log(world: MakeWorld, capsys: pytest.CaptureFixture[str]) -> None:
    running = world([small_home(3)])
    started(running, 3)
    running.cloud.fault("redirect", "/api/getmeasure")
    running.step(1800, 2)
    assert capsys.readouterr().out.count("[WARNING] Netatmo, Ligne") == 1


def test_revoked_access_is_told_once_with_what_to_do(world: MakeWorld) -> None:
    running = world([small_home(1)])
    connection = started(running)
    running.cloud.authority.revoke()
    running.step(1800, 20)
    assert running.jeedom.state(connection) == "authentication_failed"
    assert "collez" in running.jeedom.callback.states[connection]["message"]
    assert running.messages() == [], "Jeedom makes its one message of the state"
    running.jeedom.update(connection, config={
        **running.jeedom.database.equipment(connection)["config"],
        "refreshToken": running.cloud.authority.generate().refresh,
    })  # fmt: skip
    running.step(5, 3)
    running.step(600, 3)
    assert running.jeedom.state(connection) == "online"
    assert running.history(LINE, "total_energy") == expected_total(running)


def test_access_that_a_refresh_finds_revoked_is_told_when_it_lasts(world: MakeWorld) -> None:
    running = world([small_home(1)])
    connection = started(running)
    running.step(400)
    running.cloud.authority.revoke()
    with pytest.raises(DaemonRefusal, match="rien n'est à faire"):
        running.jeedom.refresh(connection)
    running.step(600, 6)
    assert running.jeedom.state(connection) != "authentication_failed"
    running.step(600, 12)
    assert running.jeedom.state(connection) == "authentication_failed"
    assert "collez" in running.jeedom.callback.states[connection]["message"]
    assert running.messages() == [], "Jeedom makes its one message of the state"


def test_a_silent_ecometer_is_told_once_and_again_after_it_came_back(world: MakeWorld) -> None:
    home = small_home(2)
    begin = START + 2 * HOUR
    home.ecometers[0].outages = [Outage(begin, begin + 20 * HOUR, begin + 20 * HOUR)]
    running = world([home])
    connection = started(running, 2)
    running.step(1800, 40)
    told = [text for text in running.messages() if "aucune mesure" in text]
    assert len(told) == 1
    assert "injoignable pour Netatmo" in told[0]
    assert running.jeedom.state(connection) == "online"
    running.step(1800, 20)
    assert running.history(LINE, "total_energy") == expected_total(running)


def test_measures_wait_while_jeedom_is_away(world: MakeWorld) -> None:
    running = world([small_home(2)])
    started(running, 2)
    running.jeedom.fault("down")
    running.step(600, 1)
    calls = len(running.cloud.calls)
    running.clock.advance(4 * HOUR)
    running.jeedom.clear()
    running.step(60, 30)
    assert len(running.cloud.calls) < calls + 40
    assert running.history(LINE, "total_energy") == expected_total(running)
    assert running.history(f"{BRIDGE}#1", "total_energy") == expected_total(running, f"{BRIDGE}#1")
