"""A goal in % of the car's battery and a start by the sun of a car that stands, in a real Jeedom and a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import charging_house
import chromium
import pytest
from charging_house import ChargingHouse
from chromium import Chromium
from test_jeedom_point import GOAL, STATE, WHY, look, picture

pytestmark = pytest.mark.skipif(not chromium.PATH, reason="Chromium is not on this machine")

CAPACITY_KWH = 5.0
FIRST, WANTED = 78.0, 80.0
CAR = """
    $car = new eqLogic();
    $car->setEqType_name('jeecar')->setName('Voiture ' . uniqid())->setIsEnable(1)->save();
    $cmd = new cmd();
    $cmd->setEqLogic_id($car->getId())->setLogicalId('level')->setName('Charge')->setType('info');
    $cmd->setSubType('numeric')->setUnite('%')->save();
    $point = jeenergie::byId($argv[1]);
    $level = ['carLevel' => '#' . $cmd->getId() . '#', 'carCapacity' => (float) $argv[2]];
    $point->setConfiguration('config', array_merge($point->config(), $level))->save();
    echo json_encode([$car->getId(), $cmd->getId()]);
"""
TELL = "cmd::byId($argv[1])->event($argv[2]);"
REMOVE = "eqLogic::byId($argv[1])->remove();"


house, browser = charging_house.house, charging_house.browser


@pytest.fixture
def level(house: ChargingHouse) -> Iterator[str]:
    """The command of another plugin that gives the charge state of the car."""
    car, command = house.jeedom.php(CAR, house.point, str(CAPACITY_KWH))
    yield command
    house.jeedom.php(REMOVE, car)


def test_a_goal_in_percent_is_planned_reached_and_ended(house: ChargingHouse, browser: Chromium, level: str) -> None:
    house.run(house.point, "modeOff")
    house.within(60, lambda: house.limit == 0)
    house.jeedom.php(TELL, level, str(FIRST))
    house.within(60, lambda: house.value("carLevel") == FIRST)
    soon = datetime.now(ZoneInfo("Europe/Paris")) + timedelta(minutes=40)
    house.run(house.point, "setGoalLevel", slider=WANTED)
    house.run(house.point, "setGoalTime", message=soon.strftime("%H:%M"))
    house.within(60, lambda: house.value("goalLevel") == WANTED)
    look(browser, house)
    assert browser.run(GOAL).startswith("80 % pour"), browser.run(GOAL)

    # In a mode that follows the sun, without sun: what it charges is the plan's.
    browser.click(".jcMode", "Solaire")
    house.within(60, lambda: house.limit >= 6)
    house.within(60, lambda: house.value("goalState") == "Prévu")
    browser.until(f"{STATE} === 'En charge'", 60)
    assert "révue" in browser.run(WHY) or "objectif" in browser.run(WHY).lower(), browser.run(WHY)
    picture(browser, "goal_percent")

    # 2 % of 5 kWh take a minute; then nothing is left to charge, and the sun alone has the say.
    house.within(240, lambda: house.value("goalState") == "Atteint")
    house.jeedom.php(TELL, level, str(WANTED))
    house.within(60, lambda: house.limit == 0)
    browser.until(f"{GOAL}.includes('tteint')", 60)
    picture(browser, "goal_reached")
    assert [each for each in browser.errors if "exception" in each] == []
    house.run(house.point, "setGoalLevel", slider=0)


def test_a_car_that_stands_is_started_by_the_sun(house: ChargingHouse, browser: Chromium) -> None:
    house.sun(300)
    house.run(house.point, "modeOff")
    house.within(60, lambda: house.limit == 0)
    look(browser, house)
    browser.click(".jcMode", "Solaire")
    browser.until(f"{WHY}.includes('manque')", 60)
    assert house.limit == 0
    picture(browser, "waits_for_sun")
    house.sun(3000)
    browser.until(f"{WHY}.includes('de surplus')", 60)
    # A minute of sun in one piece, and the rest of five minutes after the stop before.
    house.within(480, lambda: house.limit == 7)
    browser.until(f"{STATE} === 'En charge'", 60)
    house.within(120, lambda: 9 <= house.limit <= 11)
    picture(browser, "started_by_sun")
    assert [each for each in browser.errors if "exception" in each] == []
    decisions: list[dict[str, Any]] = house.journal()
    assert any(each["decision"].startswith("7 A") for each in decisions), json.dumps(decisions)
