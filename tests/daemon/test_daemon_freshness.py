"""Age belongs to facts: what is silent is reported once, what is gone gets no newer date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jeenergied.connections.freshness import Freshness
from jeenergied.connections.runner import HEARTBEAT_S, Runner
from jeenergied.connections.services import Services
from jeenergied.devices.base import Connection, Device, Equipment, Identity, Unreachable
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.contract import Catalogue
from jeedom_bridge.logs import Masker
from jeedom_bridge.outbox import Outbox
from jeedom_bridge.store import Store

ROOT = Path(__file__).resolve().parents[2]


def info(name: str, **more: Any) -> dict[str, Any]:
    return {"logicalId": name, "name": name, "type": "info", "subType": "numeric", "source": name, **more}


CATALOGUE = Catalogue(
    "meter",
    {
        "backend": "meter",
        "silences": {
            "own": {"after": {"setting": "connection.pollInterval", "times": 3, "least": 30}, "says": "Compteur muet"},
            "line": {"after": 600, "says": "Ligne muette"},
            "days": {"after": 172800, "says": "Aucun jour nouveau"},
        },
        "connection": {
            "fields": [
                {"key": "pollInterval", "label": "p", "type": "number", "default": 60, "min": 1, "max": 3600},
            ],
            "operations": [],
            "commands": [],
        },
        "equipment": {
            "meter": {
                "silence": "own",
                "fields": [],
                "commands": [
                    info("power"),
                    info("line", silence="line"),
                    info("serial", silence=""),
                    info("share", silence="", min=0, max=100),
                    info("day", silence="days", dated=True, source="days"),
                    info("rare", silence="", create="seen"),
                ],
            }
        },
    },
)
ALL = {"power": {}, "line": {}, "serial": {}, "share": {}, "day": {}}
METER = Equipment("11", "meter", "a", "Linky", {}, ALL)
CONNECTION = Connection("1", "meter", "M", {"pollInterval": 60}, {}, (METER,))


class Quiet(Device):
    def start(self) -> None: ...

    def refresh(self) -> None: ...

    def test(self) -> Identity:
        return Identity({}, "")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def runner(clock: ManualClock, tmp_path: Path) -> Iterator[Runner]:
    """A running connection whose jobs the test calls by hand."""
    store = Store(tmp_path / "store.sqlite")
    shared = Services(clock, Outbox(clock), store, Masker(), Texts(ROOT / "core" / "i18n"), Board(clock))
    made = Runner(CONNECTION, Quiet, CATALOGUE, shared)
    made.publisher.adopt(CONNECTION)
    made.freshness.adopt(CONNECTION)
    made.context.online()
    yield made
    store.close()


def sent(runner: Runner) -> list[dict[str, Any]]:
    """What has left for Jeedom since the last call."""
    events = []
    outbox = runner.context.services.outbox
    while (batch := outbox.take(everything=True)) is not None:
        events += [json.loads(part) for part in batch.parts]
        outbox.acknowledged(batch, {"ok": True})
    return events


def lost(runner: Runner) -> None:
    """Jeedom takes a request and says that it has lost what was in its cache."""
    outbox = runner.context.services.outbox
    batch = outbox.take()
    assert batch is not None
    outbox.acknowledged(batch, {"ok": True, "lost": True})


def states(runner: Runner) -> list[tuple[str, str]]:
    """(state, message) of the equipment's events."""
    return [(e["state"], e.get("message", "")) for e in sent(runner) if e["event"] == "connection" and "equipment" in e]


def live(runner: Runner, clock: ManualClock, seconds: float, **facts: Any) -> list[tuple[str, str]]:
    """Publishes these facts every 30 s; returns what is reported meanwhile."""
    reported = []
    for _ in range(int(seconds / 30)):
        clock.advance(30)
        if facts:
            runner.context.publish("11", facts)
        runner._watch()
        reported += states(runner)
    return reported


def test_a_silent_line_is_reported_once_and_once_when_it_is_back(runner: Runner, clock: ManualClock) -> None:
    assert live(runner, clock, 900, power=1, line=1) == []
    at = clock.time()
    reported = live(runner, clock, 86400, power=2)
    when = datetime.fromtimestamp(at, runner_zone(runner)).strftime("%d/%m/%Y %H:%M")
    assert reported == [("no_data", f"Aucune donnée depuis le {when} : Ligne muette")]
    assert live(runner, clock, 600, power=3, line=2) == [("online", "")]


def test_a_heartbeat_tells_again_who_is_silent_and_which_commands_there_could_be(
    runner: Runner, clock: ManualClock
) -> None:
    """Jeedom has lost the states as well, and may have rejected an offer."""
    runner.context.publish("11", {"rare": 1})
    assert live(runner, clock, 900, power=1, line=1) == []
    assert [state for state, _ in live(runner, clock, 3600, power=2)] == ["no_data"]
    runner._heartbeat()
    assert states(runner) == []
    runner.context.publish("11", {"power": 3})
    lost(runner)
    runner._heartbeat()
    events = sent(runner)
    told = [event for event in events if event["event"] == "connection" and "equipment" in event]
    assert [(each["state"], each["message"][-11:]) for each in told] == [("no_data", "Ligne muette"[-11:])]
    assert [event["commands"] for event in events if event["event"] == "available"] == [["rare"]]
    live(runner, clock, 600, power=3, line=2)
    runner._heartbeat()
    assert states(runner) == []


def test_a_command_that_was_deleted_and_created_again_gets_its_value_at_once(runner: Runner) -> None:
    runner.context.publish("11", {"power": 5, "line": 7})
    sent(runner)
    without = {name: settings for name, settings in ALL.items() if name != "line"}
    for commands in (without, ALL):
        meter = replace(METER, commands=commands)
        runner.publisher.adopt(replace(CONNECTION, equipment=(meter,)))
    assert [event["values"] for event in sent(runner) if event["event"] == "values"] == [{"line": 7}]


def next_life(runner: Runner, clock: ManualClock) -> Runner:
    """The daemon ends and starts again, with the same store."""
    runner.troubles.keep()
    clock.advance(5)
    made = Runner(CONNECTION, Quiet, CATALOGUE, runner.context.services)
    made.publisher.adopt(CONNECTION)
    made.freshness.adopt(CONNECTION)
    made.context.online()
    return made


def test_what_was_reported_silent_is_not_reported_again_after_a_restart(runner: Runner, clock: ManualClock) -> None:
    live(runner, clock, 900, power=1, line=1)
    assert [state for state, _ in live(runner, clock, 3600, power=2)] == ["no_data"]
    again = next_life(runner, clock)
    assert live(again, clock, 3600, power=3) == []
    assert live(again, clock, 600, power=3, line=2) == [("online", "")]


def test_what_is_back_after_a_restart_is_reported_once(runner: Runner, clock: ManualClock) -> None:
    live(runner, clock, 900, power=1, line=1)
    live(runner, clock, 3600, power=2)
    again = next_life(runner, clock)
    assert live(again, clock, 3600, power=3, line=2) == [("online", "")]


def test_who_never_told_anything_is_reported_once_over_restarts(runner: Runner, clock: ManualClock) -> None:
    assert [state for state, _ in live(runner, clock, 3600)] == ["no_data", "no_data"]  # one silence, then both
    again = next_life(runner, clock)
    assert live(again, clock, 3600) == []
    assert live(again, clock, 3600, power=3, line=2) == [("online", "")]


def test_a_trouble_of_before_a_restart_ends_when_the_backend_says_so(runner: Runner, clock: ManualClock) -> None:
    runner.context.report_equipment_error("11", Unreachable("Injoignable"))
    live(runner, clock, 60, power=1, line=1)
    again = next_life(runner, clock)
    assert live(again, clock, 60, power=1, line=1) == []
    again.context.report_equipment_error("11", Unreachable("Injoignable"))
    assert states(again) == []
    again.context.report_equipment_error("11", None)
    assert states(again) == [("online", "")]


def runner_zone(runner: Runner) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(runner.context.timezone)


def test_several_silences_are_one_state(runner: Runner, clock: ManualClock) -> None:
    live(runner, clock, 900, power=1, line=1)
    reported = live(runner, clock, 900)
    assert [state for state, _ in reported] == ["no_data", "no_data"]
    assert "Compteur muet" in reported[1][1]
    assert "Ligne muette" in reported[1][1]
    assert [state for state, _ in live(runner, clock, 60, power=1)] == ["no_data"]
    assert live(runner, clock, 60, power=1, line=1) == [("online", "")]


def test_an_equipment_that_never_told_anything_is_reported_after_a_grace(runner: Runner, clock: ManualClock) -> None:
    reported = live(runner, clock, 3600)
    assert ("no_data", "Aucune donnée reçue : Compteur muet") in reported
    assert live(runner, clock, 3600) == []


def test_a_connection_that_does_not_work_says_so_itself(runner: Runner, clock: ManualClock) -> None:
    live(runner, clock, 900, power=1, line=1)
    runner.health.report(Unreachable.state, Unreachable.code, "nobody")
    assert live(runner, clock, 7200) == []
    runner.context.online()
    assert live(runner, clock, 30, power=1, line=1) == []


def test_a_trouble_of_the_backend_comes_first_and_does_not_hide_what_follows(
    runner: Runner, clock: ManualClock
) -> None:
    live(runner, clock, 900, power=1, line=1)
    runner.context.report_equipment_error("11", Unreachable("Câble débranché"))
    assert states(runner) == [("unreachable", "Câble débranché")]
    assert live(runner, clock, 3600, power=1) == []
    runner.context.report_equipment_error("11", None)
    assert [state for state, _ in states(runner)] == ["no_data"]


def test_a_command_that_jeedom_does_not_have_is_not_missed(runner: Runner, clock: ManualClock) -> None:
    fewer = Equipment("11", "meter", "a", "Linky", {}, {"power": {}, "serial": {}})
    runner.freshness.adopt(Connection("1", "meter", "M", {"pollInterval": 60}, {}, (fewer,)))
    assert live(runner, clock, 7200, power=1) == []


@pytest.mark.parametrize(("period", "limit"), [(1, 30), (60, 180), (3600, 10800)])
def test_a_limit_follows_the_period_that_the_user_has_set(clock: ManualClock, period: int, limit: int) -> None:
    freshness = Freshness(CATALOGUE, clock)
    freshness.adopt(Connection("1", "meter", "M", {"pollInterval": period}, {}, (METER,)))
    clock.advance(1000)
    freshness.seen("11", ["power", "line", "day"])
    clock.advance(limit)
    assert [each for each in freshness.check(True) if each.says == "Compteur muet"] == []
    clock.advance(1)
    assert [each.says for each in freshness.check(True) if each.says == "Compteur muet"] == ["Compteur muet"]


def test_dated_measures_are_as_old_as_their_date(clock: ManualClock) -> None:
    freshness = Freshness(CATALOGUE, clock)
    freshness.adopt(CONNECTION)
    clock.advance(3600)
    freshness.seen("11", ["day"], clock.time() - 3 * 86400)
    freshness.seen("11", ["power", "line"])
    assert [each.says for each in freshness.check(True)] == ["Aucun jour nouveau"]
    assert freshness.oldest() == ("11", clock.time() - 3 * 86400)
    freshness.seen("11", ["day"], clock.time() - 86400)
    assert [each.over for each in freshness.check(True)] == [True]
    freshness.seen("11", ["day"], clock.time() - 5 * 86400)  # an older month, read later
    assert freshness.check(True) == []


def test_ages_survive_a_restart_and_clock_steps(clock: ManualClock) -> None:
    freshness = Freshness(CATALOGUE, clock)
    freshness.adopt(CONNECTION)
    at = clock.time()
    freshness.seen("11", ["day"], at)
    clock.advance(86400 * 2.5)
    again = Freshness(CATALOGUE, clock, json.loads(json.dumps(freshness.state())))
    again.adopt(CONNECTION)
    again.seen("11", ["power", "line"])
    assert again.oldest() == ("11", pytest.approx(at, abs=1))
    clock.advance(700)
    assert [each.since for each in again.check(True) if each.says == "Aucun jour nouveau"] == [pytest.approx(at, abs=1)]


@pytest.mark.parametrize("kept", [None, [], {"11": 3}, {"11": {"own": "x"}}, {"11": {"own": {"at": "x", "silent": 1}}}])
def test_nonsense_in_the_store_is_ignored(clock: ManualClock, kept: Any) -> None:
    freshness = Freshness(CATALOGUE, clock, kept)
    freshness.adopt(CONNECTION)
    assert freshness.oldest() is None


def test_only_what_was_found_true_again_is_younger_with_the_heartbeat(runner: Runner, clock: ManualClock) -> None:
    runner.context.publish("11", {"power": 5, "line": 7, "serial": 1})
    sent(runner)
    clock.advance(HEARTBEAT_S - 10)
    runner.context.publish("11", {"power": 5})
    runner.context.confirm("11", ["serial", "no such fact"], at=clock.time() - 100)
    clock.advance(20)
    runner.publisher.refresh(HEARTBEAT_S)
    events = [event for event in sent(runner) if event["event"] == "values"]
    ages = {
        name: clock.time() - datetime.fromisoformat(event["at"]).timestamp()
        for event in events
        for name in event["values"]
    }
    assert ages == {"power": 0, "serial": 120, "line": HEARTBEAT_S + 10}
    assert [event["values"] for event in events if event.get("again")] == [{"line": 7}]


def test_a_value_beyond_its_bounds_does_not_make_the_last_one_younger(runner: Runner, clock: ManualClock) -> None:
    runner.context.publish("11", {"share": 5})
    sent(runner)
    clock.advance(100)
    runner.context.publish("11", {"share": 5000})
    runner.publisher.refresh(HEARTBEAT_S)
    assert [event for event in sent(runner) if event["event"] == "values"] == []
    runner.context.publish("11", {"share": 6})
    runner.publisher.refresh(HEARTBEAT_S)
    assert [event["values"] for event in sent(runner) if event["event"] == "values"] == [{"share": 6}]


def test_a_fact_that_is_said_to_be_unknown_is_not_shown_again(runner: Runner, clock: ManualClock) -> None:
    runner.context.publish("11", {"power": 5})
    runner.context.publish("11", {"power": None})
    sent(runner)
    runner.publisher.refresh(HEARTBEAT_S)
    runner.publisher.adopt(CONNECTION)
    assert [event for event in sent(runner) if event["event"] == "values"] == []


def test_the_status_tells_the_oldest_data(runner: Runner, clock: ManualClock) -> None:
    assert runner.status()["oldest"] is None
    runner.context.publish("11", {"power": 5})
    clock.advance(50)
    runner.context.publish("11", {"line": 5})
    oldest = runner.status()["oldest"]
    assert oldest["equipment"] == "11"
    assert datetime.fromisoformat(oldest["at"]).timestamp() == pytest.approx(clock.time() - 50, abs=1)


def test_shared_memory_is_one_for_all_connections_of_a_backend(runner: Runner) -> None:
    other = Runner(Connection("2", "meter", "", {}), Quiet, CATALOGUE, runner.context.services)
    runner.context.shared_memory.put("blocked", 7)
    assert other.context.shared_memory.get("blocked") == 7
    runner.context.memory.close()
    assert other.context.shared_memory.get("blocked") == 7
