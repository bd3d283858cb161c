"""The house's device hands a goal in % what another plugin's command tells, and its page what is known of it."""

from __future__ import annotations

from typing import Any

import pytest
from jeenergied.devices.base import Refused

from tests.fuzz.house import NOW, World, definition

CHARGE_POINT, COMMAND = "21", "9"


def goal(world: World) -> dict[str, Any]:
    found = world.device.outlook(CHARGE_POINT)["goal"]
    assert isinstance(found, dict)
    return found


def act(world: World, command: str, options: dict[str, Any]) -> None:
    point = world.device.connection.find(CHARGE_POINT)
    assert point is not None
    world.device.act(point, command, options)


def test_the_charge_state_of_another_plugin_s_command_becomes_kilowatt_hours() -> None:
    with World(definition()) as world:
        act(world, "setMode", {"select": "solar"})
        act(world, "setGoalLevel", {"slider": 80})
        act(world, "setGoalTime", {"message": "7h30"})
        world.live()
        assert (goal(world)["hasLevel"], goal(world)["levelState"], goal(world)["level"]) == (True, "unknown", None)
        world.hub.take([{"source": COMMAND, "value": 62.5}], world.context.clock.time())
        world.live()
        found = goal(world)
        assert (found["percent"], found["level"], found["levelState"]) == (80, 62.5, "fresh")
        assert found["need"] == pytest.approx((80 - 62.5) / 100 * 52, abs=0.1)
        assert found["levelAt"].startswith("2026-05-28T22:26")
        assert found["state"] == "planned"


def test_a_charge_point_without_a_command_of_the_car_has_no_goal_in_percent() -> None:
    made = definition()
    del next(each for each in made["equipment"] if each["id"] == CHARGE_POINT)["config"]["carLevel"]
    with World(made) as world:
        world.hub.take([{"source": COMMAND, "value": 62.5}], NOW)
        with pytest.raises(Refused):
            act(world, "setGoalLevel", {"slider": 80})
        assert goal(world)["hasLevel"] is False


def test_a_goal_at_risk_says_on_the_page_what_helps() -> None:
    made = definition()
    next(each for each in made["equipment"] if each["id"] == CHARGE_POINT)["config"]["goalDays"] = [1, 2, 3, 4, 5, 6, 7]
    with World(made) as world:
        act(world, "setMode", {"select": "solar"})
        act(world, "setGoalEnergy", {"slider": 150})
        told: list[str] = []
        world.context.message = lambda level, template, **values: told.append(template.format(**values))
        world.live(30)
        found = goal(world)
        assert (found["state"], found["missing"] > 0) == ("atRisk", True)
        assert found["advice"].endswith(".")
        assert len([each for each in told if "à risque : il manquera 12" in each]) == 1
