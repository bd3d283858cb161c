"""A former plugin whose files are not public, known by its commands' names: moved, killed, given back, moved again.

`movein/closed.php` stands in for helloWatt: equipment with every name of `core/contract/former_names.json`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import former_plugins
import pytest
from former_plugins import code
from jeedom_host import Jeedom
from test_jeedom_movein import LEFT, NOTED, SHAPE, check_references, named
from test_jeedom_movein_killed import BEGIN, BEGIN_UNDO, KILLS, SEED, Work

PLUGIN = "helloWatt"
CONTRACT = Path(__file__).resolve().parents[2] / "core" / "contract"
NAMES = json.loads((CONTRACT / "former_names.json").read_text("utf-8"))["systems"]["hellowatt"]
DAYS = [f"{day:02}" for day in range(1, 29)]
STAYS = "echo json_encode(is_object(jeenergie::byId($argv[1])));"


@pytest.fixture
def closed(jeedom: Jeedom, quiet: None) -> Iterator[dict[str, list[int]]]:
    """Ids of the former equipment, of ours and of the former "Conso jour", by type."""
    former_plugins.clean(jeedom)
    ids = dict(jeedom.php(code("closed")))
    equipment, _, command = ids["electricity"]
    former_plugins.use(jeedom, command, command, equipment)
    yield ids
    former_plugins.clean(jeedom)


def check_days(jeedom: Jeedom, closed: dict[str, list[int]]) -> None:
    """The former one's days end where ours begin: no day twice."""
    for _, ours, _ in closed.values():
        assert [date[8:10] for date in jeedom.php(code("days"), ours)] == DAYS


def check_closed(jeedom: Jeedom, closed: dict[str, list[int]], before: dict[str, str]) -> None:
    noted: dict[str, Any] = dict(jeedom.php(NOTED, PLUGIN))
    assert noted["state"] == "done"
    assert {old: made["to"] for old, made in noted["equipment"].items()} == {
        str(old): str(new) for old, new, _ in closed.values()
    }
    assert all(str(command) in noted["pairs"] for _, _, command in closed.values())
    check_references(jeedom, noted, before)
    check_days(jeedom, closed)


def test_commands_known_by_name_join_the_equipment_that_is_there(jeedom: Jeedom, closed: dict[str, list[int]]) -> None:
    names, shape = named(jeedom), jeedom.php(SHAPE, PLUGIN)
    plan = jeedom.own("moveInPlan", plugin=PLUGIN)
    taken = {cmd["name"] for equipment in plan["equipment"] for cmd in equipment["commands"] if cmd["to"]}
    assert taken == set(NAMES.values()), "each name has its command"
    assert {cmd["name"] for equipment in plan["equipment"] for cmd in equipment["commands"]} - taken == {"Inconnue"}
    jeedom.own("moveIn", plugin=PLUGIN)  # as the page does: in the background
    for _ in range(120):
        (found,) = [each for each in jeedom.own("moveInList")["former"] if each["plugin"] == PLUGIN]
        if found["state"] == "done":
            break
        time.sleep(0.5)
    assert found["state"] == "done", str(found)
    check_closed(jeedom, closed, names)
    assert jeedom.php(code("undo"), PLUGIN) == "undone"
    assert named(jeedom) == names
    assert jeedom.php(SHAPE, PLUGIN) == shape
    for _, ours, _ in closed.values():
        assert jeedom.php(STAYS, ours), "it was there before"


def test_killed_at_random_moments_a_closed_plugin_goes_on_or_is_undone(
    jeedom: Jeedom, closed: dict[str, list[int]]
) -> None:
    print(f"JEENERGIE_SEED={SEED}")
    names, shape, count = named(jeedom), jeedom.php(SHAPE, PLUGIN), jeedom.php(LEFT)
    move, undo = Work(f"{SEED} move {PLUGIN}"), Work(f"{SEED} undo {PLUGIN}")
    jeedom.php(BEGIN, PLUGIN)
    move.whole()
    check_closed(jeedom, closed, names)
    jeedom.php(BEGIN_UNDO, PLUGIN)
    undo.whole()
    for kill in range(KILLS):
        jeedom.php(BEGIN, PLUGIN)
        move.die()
        if kill % 2:
            jeedom.php(BEGIN_UNDO, PLUGIN)
            undo.die()
            move.finish()
            assert jeedom.php(NOTED, PLUGIN)["state"] == "undone"
        else:
            move.finish()
            check_closed(jeedom, closed, names)
            jeedom.php(BEGIN_UNDO, PLUGIN)
            move.finish()
        assert named(jeedom) == names, kill
        assert jeedom.php(SHAPE, PLUGIN) == shape, kill
        assert jeedom.php(LEFT) == count, kill
        check_days(jeedom, closed)
    jeedom.php(BEGIN, PLUGIN)
    move.finish()
    check_closed(jeedom, closed, names)
    print(f"killed {move.killed} moves and {undo.killed} undoings")
    assert move.killed >= KILLS // 2
