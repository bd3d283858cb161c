"""The page of the house in a browser: values that Jeedom holds, without any daemon.

JEEDOM_SHOTS names a folder for screenshots.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import chromium
import pytest
from axe import serious
from chromium import Chromium
from jeedom_host import URL, Jeedom
from test_jeedom_panel import CLEAN, MAKE, STOP
from theme import THEMES, wear

pytestmark = pytest.mark.skipif(not chromium.PATH, reason="Chromium is not on this machine")

PAGE = URL + "/index.php?v=d&m=jeenergie&p=panel"
ROOF, HOME = "Panneau toit", "Panneau maison"
SET = """
    $home = jeenergie::byId($argv[1]);
    foreach (json_decode($argv[2], true) as $logicalId => [$value, $age]) {
        $cmd = $home->getCmd('info', $logicalId);
        if (!is_object($cmd)) {
            Commands::createMissing($home, [$logicalId]);
            $cmd = $home->getCmd('info', $logicalId);
        }
        $cmd->event($value, date('Y-m-d H:i:s', time() - $age));
    }
"""
OTHERS = """
    $found = [];
    foreach (jeenergie::byType('jeenergie') as $each) {
        if (!$each->isConnection() && $each->type() === 'home' && $each->getName() !== $argv[1]) {
            $each->setIsEnable(0)->save();
            $found[] = $each->getId();
        }
    }
    echo json_encode($found);
"""
BACK = "foreach (json_decode($argv[1], true) as $id) { jeenergie::byId($id)->setIsEnable(1)->save(); }"
FACTS = "[...document.querySelectorAll('.jhFacts li')].map(each => each.textContent.replace(/\\u00a0/g, ' '))"
MARK = "performance.getEntriesByName('jeenergieHouse%s')[0].startTime"
MOST_MS = 300


@pytest.fixture(scope="module")
def home(jeedom: Jeedom, quiet: None) -> Iterator[str]:
    """A house with sun and battery, alone in this Jeedom."""
    jeedom.php(STOP)
    jeedom.php(CLEAN)
    wanted: list[list[Any]] = [["enphase", "combined", ROOF, "", {}], ["house", "home", HOME, "home", {}]]
    made = jeedom.php(MAKE, json.dumps(wanted))
    others = jeedom.php(OTHERS, HOME)
    seen = ["CwattsNowNet", "batnow", "PwattsNow"]
    jeedom.post({"event": "available", "equipment": made[ROOF], "commands": seen})
    yield made[HOME]
    jeedom.php(BACK, json.dumps(others))
    jeedom.php(CLEAN)


@pytest.fixture
def browser(home: str) -> Iterator[Chromium]:
    with Chromium(1200, 1000) as opened:
        opened.sign_in(URL, "admin", "admin")
        yield opened


def hold(jeedom: Jeedom, home: str, age: float = 1, **values: float) -> None:
    jeedom.php(SET, home, json.dumps({name: [value, age] for name, value in values.items()}))


def test_the_picture_is_there_at_once_and_follows_the_news(jeedom: Jeedom, home: str, browser: Chromium) -> None:
    hold(jeedom, home, gridPower=700, solarPower=0, batteryPower=0, housePower=700)
    browser.goto(PAGE)
    browser.until("document.querySelector('.jhPicture svg')")
    assert browser.run(f"{MARK % 'Drawn'} - {MARK % 'Data'}") < MOST_MS
    facts = browser.run(FACTS)
    assert "Réseau : fournit 700 W" in facts
    assert "Maison : 700 W" in facts
    assert "Réseau → Maison : 700 W" in facts
    hold(jeedom, home, gridPower=-1500, housePower=600)
    browser.until(f"({FACTS}).includes('Réseau : reçoit 1,5 kW')", 20)
    # Without the daemon it says why balance and roles are not there, in words.
    assert "démon" in browser.until("document.querySelector('.jhDaemon:not([hidden])')?.textContent")
    assert "démon" in browser.run("document.querySelector('.jhTrouble:not([hidden])').textContent")


def test_old_values_are_grey_with_their_age_and_no_flow_is_claimed(
    jeedom: Jeedom, home: str, browser: Chromium
) -> None:
    hold(jeedom, home, 1300, gridPower=700, solarPower=0, batteryPower=0, housePower=700)
    browser.goto(PAGE)
    browser.until("document.querySelector('.jhPicture svg')")
    facts = browser.run(FACTS)
    assert "Réseau : inconnu ; dernière valeur 700 W, il y a 21 min" in facts
    assert not [each for each in facts if "→" in each]
    assert browser.run("document.querySelectorAll('.jhOld').length") >= 2
    assert browser.run("document.querySelectorAll('.jhLine').length") == 0


def test_the_meters_are_one_tab_further_and_load_when_looked_at(home: str, browser: Chromium) -> None:
    browser.goto(PAGE)
    browser.until("document.querySelector('.jhPicture svg')")
    assert browser.run("document.querySelector('#div_jeenergiePanel') === null")
    browser.click("[data-tab=meters]")
    browser.until("document.querySelector('#div_jeenergiePanel') && window.jeenergieFigures")
    time.sleep(0.5)
    assert [each for each in browser.errors if "exception" in each] == []


def test_motion_stops_for_who_wants_less(jeedom: Jeedom, home: str, browser: Chromium) -> None:
    hold(jeedom, home, gridPower=700, solarPower=0, batteryPower=0, housePower=700)
    browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    browser.goto(PAGE)
    browser.until("document.querySelector('.jhPicture .jhMove')")
    assert browser.run("getComputedStyle(document.querySelector('.jhMove')).display") == "none"
    assert browser.run("document.querySelectorAll('.jhArrow').length") >= 1


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [1200, 390])
def test_axe_finds_nothing_serious(jeedom: Jeedom, home: str, browser: Chromium, width: int, theme: str) -> None:
    hold(jeedom, home, gridPower=-700, solarPower=1900, batteryPower=0, housePower=1200, price=0.2)
    browser.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
    browser.goto(PAGE)
    browser.until("document.querySelector('.jhPicture svg') && document.querySelector('.jhNow')")
    wear(browser, theme)
    assert serious(browser, "#div_jeenergieHouse") == []
