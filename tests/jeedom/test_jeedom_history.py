"""Dated measures in a real Jeedom's two history tables, before and after its nightly archiving."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from jeedom_host import COST, STATE, Jeedom

HOUR = 3600


def at(hours: float) -> datetime:
    """That many hours ago, to the second."""
    return datetime.now().astimezone().replace(microsecond=0) - timedelta(hours=hours)


def history(equipment: str, command: str, *points: tuple[datetime, float]) -> dict[str, Any]:
    rows = [[date.isoformat(), value] for date, value in points]
    return {"event": "history", "equipment": equipment, "command": command, "points": rows}


@pytest.fixture
def local(jeedom: Jeedom) -> Any:
    """Jeedom's text of a moment."""
    return lambda date: jeedom.php("echo json_encode(date('Y-m-d H:i:s', $argv[1]));", int(date.timestamp()))


def state(jeedom: Jeedom, bench: dict[str, str], command: str) -> dict[str, Any]:
    return dict(jeedom.php(STATE, bench["equipment"], command))


def archive(jeedom: Jeedom) -> None:
    jeedom.php("history::archive();")


def test_points_go_where_the_core_would_have_put_them(jeedom: Jeedom, bench: dict[str, str], local: Any) -> None:
    old, young = at(30), at(0.5)
    jeedom.post(history(bench["equipment"], "v20", (old, 1), (young, 2)))
    now = state(jeedom, bench, "v20")
    assert now["archive"] == {local(old): "1"}
    assert now["history"] == {local(young): "2"}
    assert now["value"] == 2


def test_the_newest_becomes_the_value_and_the_equipment_is_alive(jeedom: Jeedom, bench: dict[str, str]) -> None:
    jeedom.post(history(bench["equipment"], "v21", (at(26), 5), (at(25), 6), (at(24), 7)))
    now = state(jeedom, bench, "v21")
    assert now["value"] == 7
    assert -24 * HOUR - 10 < now["collected"] <= -24 * HOUR
    assert -5 < now["communication"] <= 0
    jeedom.post(history(bench["equipment"], "v21", (at(30), 1)))
    assert state(jeedom, bench, "v21")["value"] == 7


def test_delivered_twice_is_one_row(jeedom: Jeedom, bench: dict[str, str]) -> None:
    event = history(bench["equipment"], "v22", (at(50), 1), (at(49), 2), (at(1), 3))
    for _ in range(2):
        jeedom.post(event)
        now = state(jeedom, bench, "v22")
        assert len(now["archive"]) == 2
        assert len(now["history"]) == 1
    archive(jeedom)
    jeedom.post(event)
    now = state(jeedom, bench, "v22")
    assert len(now["archive"]) + len(now["history"]) == 3


@pytest.mark.parametrize(("command", "mode"), [("v23", "none"), ("v24", "max"), ("v25", "avg")])
def test_a_corrected_point_shows_its_new_value_the_day_after(
    jeedom: Jeedom, bench: dict[str, str], local: Any, command: str, mode: str
) -> None:
    jeedom.php(
        "cmd::byEqLogicIdAndLogicalId($argv[1], $argv[2])->setConfiguration('historizeMode', $argv[3])->save();",
        bench["equipment"],
        command,
        mode,
    )
    point = at(5)
    # It was young when it came: it still lies in the live table.
    jeedom.php(
        "cmd::byEqLogicIdAndLogicalId($argv[1], $argv[2])->addHistoryValue(100, $argv[3]);",
        bench["equipment"],
        command,
        local(point),
    )
    jeedom.post(history(bench["equipment"], command, (point, 60)))
    archive(jeedom)
    now = state(jeedom, bench, command)
    assert {date: float(value) for date, value in now["archive"].items()} == {local(point): 60}
    assert now["history"] == {}
    # Corrected again, now that it is archived; it is also the current value.
    jeedom.post(history(bench["equipment"], command, (point, 61)))
    archive(jeedom)
    now = state(jeedom, bench, command)
    assert {date: float(value) for date, value in now["archive"].items()} == {local(point): 61}
    assert now["history"] == {}
    assert now["value"] == 61


def test_a_command_without_history_only_shows_the_newest(jeedom: Jeedom, bench: dict[str, str]) -> None:
    jeedom.php(
        "$c = cmd::byEqLogicIdAndLogicalId($argv[1], 'v26'); $c->setIsHistorized(0); $c->save();", bench["equipment"]
    )
    jeedom.post(history(bench["equipment"], "v26", (at(40), 1), (at(39), 2)))
    now = state(jeedom, bench, "v26")
    assert now["value"] == 2
    assert now["history"] == now["archive"] == {}


def test_a_week_of_points_costs_two_queries_and_one_event(jeedom: Jeedom, bench: dict[str, str]) -> None:
    week = [(at(168 - n / 2), float(n)) for n in range(330)]
    warm = history(bench["equipment"], "v27", (at(200), 1))
    done = jeedom.php(COST, json.dumps([warm]), json.dumps([history(bench["equipment"], "v27", *week)]))
    assert "rejected" not in done["answer"]
    assert done["queries"] <= 3 + 13 + 2
    assert len(state(jeedom, bench, "v27")["archive"]) == 331
