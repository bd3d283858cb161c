"""A charge point in a real Jeedom, by mouse and keyboard: modes, take-over, goal, limit; page, tile and phone.

Gateway and cloud are simulated and share one house; the daemon is the real one. JEEDOM_SHOTS names a folder for
pictures.
"""

from __future__ import annotations

import base64
import json
import os
import re
import time
from pathlib import Path

import charging_house
import chromium
import pytest
from axe import serious
from charging_house import PREFIX, SIZES, ChargingHouse
from chromium import Chromium
from jeedom_host import URL
from theme import THEMES, wear

pytestmark = pytest.mark.skipif(not chromium.PATH, reason="Chromium is not on this machine")

PAGE = URL + "/index.php?v=d&m=jeenergie&p=jeenergie"
DRAWN = "document.querySelector('.jcChart svg') && document.querySelector('.jcState').textContent !== ''"
STATE = "document.querySelector('.jcState').textContent"
WHY = "document.querySelector('.jcWhy').textContent"
GOAL = "document.querySelector('.jcGoalText').textContent.replace(/\\u00a0/g, ' ')"
PRESSED = "[...document.querySelectorAll('%s [aria-pressed=true]')].map(each => each.textContent)"


house, browser = charging_house.house, charging_house.browser


def look(browser: Chromium, house: ChargingHouse) -> None:
    browser.goto(f"{URL}/index.php?v=d&m=jeenergie&p=point&id={house.point}")
    browser.until(DRAWN)


def on_phone(browser: Chromium, house: ChargingHouse) -> None:
    browser.goto(URL + "/index.php?v=m")
    browser.until("window.jeedomUtils && jeedomUtils.loadPage && document.querySelector('#page')?.children.length")
    time.sleep(1)
    browser.run(f"jeedomUtils.loadPage('point', 'Recharge', '{house.point}', 'jeenergie')")
    browser.until(DRAWN)


def picture(browser: Chromium, name: str) -> None:
    """The whole page, where a folder is named."""
    if "JEEDOM_SHOTS" in os.environ:
        width, height = browser.run("[innerWidth, Math.min(3000, document.documentElement.scrollHeight)]")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = browser.send("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        Path(os.environ["JEEDOM_SHOTS"], f"point_{name}.png").write_bytes(base64.b64decode(shot))


def test_a_mode_is_one_tap_and_the_car_follows_the_sun_the_user_and_the_limits(
    house: ChargingHouse, browser: Chromium
) -> None:
    look(browser, house)
    assert browser.run(STATE) == "Sans pilotage"
    assert house.limit == 32

    # Solar without enough sun: the charge that ran by itself ends within seconds.
    browser.click(".jcMode", "Solaire")
    browser.until(f"({PRESSED % '.jcModes'}).join() === 'Solaire'", 5)
    house.within(20, lambda: house.limit == 6)
    # At once: all that the subscribed power leaves, within two seconds.
    browser.click(".jcMode", "Immédiat")
    took = house.within(10, lambda: house.limit >= 25)
    browser.until(f"{WHY}.includes('Charge immédiate')", 5)
    picture(browser, "now")
    assert took < 2.0, took

    # With sun: down to what it gives, and up again with more.
    house.sun(3000)
    browser.click(".jcMode", "Solaire")
    house.within(60, lambda: 9 <= house.limit <= 11)
    browser.until(f"{STATE} === 'En charge'", 20)
    house.sun(4200)
    house.within(90, lambda: 14 <= house.limit <= 16)
    browser.until(f"/\\d+\\sW de surplus\\s: 1[456]\\sA/.test({WHY})", 20)
    picture(browser, "solar")

    # The charger's own slider is a take-over: the page says so, and gives back.
    house.run(house.device, slider(house), slider=20)
    browser.until(f"{STATE} === 'Reprise en main'", 60)
    assert house.limit == 20
    assert re.search(r"20\sA", browser.run(WHY)), browser.run(WHY)
    picture(browser, "takeover")
    browser.click(".jcRelease")
    house.within(60, lambda: 14 <= house.limit <= 16)
    browser.until(f"{STATE} === 'En charge'", 20)

    # The house draws so much that the subscribed power is near: the car gives way at once.
    browser.click(".jcMode", "Immédiat")
    house.within(20, lambda: house.limit >= 25)
    house.base.watts_beside = 9500.0
    house.within(30, lambda: house.limit <= 16)
    browser.until(f"/Limité|Suspendu/.test({WHY})", 20)
    picture(browser, "limited")
    house.base.watts_beside = 500.0
    assert [each for each in browser.errors if "exception" in each] == []


def slider(house: ChargingHouse) -> str:
    """The command of the charger that sets its limit."""
    return str(
        house.jeedom.php(
            """foreach (jeenergie::byId($argv[1])->rows() as $logicalId => $row) {
                if (($row['does'] ?? '') === 'charger.current') { echo json_encode($logicalId); break; }
            }""",
            house.device,
        )
    )


def test_a_goal_is_two_taps_and_its_plan_is_shown(house: ChargingHouse, browser: Chromium) -> None:
    begin, end = house.cheap
    wanted = end.replace(":00", ":45")
    look(browser, house)
    browser.click(".jcMode", "Solaire")
    browser.click(".jcEnergies button", "20")
    browser.until(f"{GOAL}.startsWith('20 kWh pour')", 10)
    browser.run("document.querySelector('.jcTime').focus()")
    browser.run(
        f"(() => {{ const field = document.querySelector('.jcTime'); field.value = '{wanted}';"
        "field.dispatchEvent(new Event('change', {bubbles: true})); field.blur(); })()"
    )
    browser.until(f"{GOAL}.includes('{wanted}')", 10)
    browser.until(f"{GOAL}.includes('Charge prévue de {begin}')", 20)
    assert browser.run("document.querySelectorAll('.jcPlan').length") >= 1
    facts = browser.run(
        "[...document.querySelectorAll('.jcChart .jhFacts li')].map(each => each.textContent).join('\\n')"
    )
    assert f"Charge prévue de {begin}" in facts
    assert "heures creuses" in facts
    assert "Soleil depuis" in facts or "Soleil : pas mesuré" in facts
    # Weekly: the days are those of the equipment's setting.
    sunday = ".jcDays button:last-child"
    browser.click(sunday)
    browser.until(f"document.querySelector('{sunday}').getAttribute('aria-pressed') === 'false'", 10)
    days = house.jeedom.php("echo json_encode(jeenergie::byId($argv[1])->config()['goalDays']);", house.point)
    assert days == ["1", "2", "3", "4", "5", "6"]
    picture(browser, "goal")
    browser.click(sunday)
    browser.until(f"document.querySelector('{sunday}').getAttribute('aria-pressed') === 'true'", 10)
    browser.click(".jcEnergies button", "Aucun")
    browser.until(f"{GOAL}.startsWith('Pas d')", 10)


def test_the_journal_is_there_and_can_be_kept_as_a_file(house: ChargingHouse, browser: Chromium) -> None:
    look(browser, house)
    browser.click(".jcMode", "Immédiat")
    browser.until("document.querySelectorAll('.jcJournal tr').length > 0", 20)
    browser.run(
        "URL.createObjectURL = blob => { blob.text().then(text => { window.kept = text; }); return 'blob:none'; };"
        "HTMLAnchorElement.prototype.click = function() { window.named = this.download; }; 0"
    )
    browser.click(".jcCsv")
    text = browser.until("window.kept")
    lines = text.lstrip("\ufeff").split("\r\n")
    assert lines[0].startswith('"Moment","Décision","Pourquoi"')
    assert any("Mode choisi" in line for line in lines)
    assert browser.run("window.named").endswith(".csv")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", list(SIZES))
def test_axe_finds_nothing_serious_on_its_page(house: ChargingHouse, size: str, theme: str) -> None:
    with Chromium(*SIZES[size]) as browser:
        browser.sign_in(URL, "admin", "admin")
        (on_phone if size == "phone" else look)(browser, house)
        wear(browser, theme)
        picture(browser, f"{size}_{theme}")
        assert serious(browser, "#div_jeenergiePoint") == []
        assert browser.run("document.documentElement.scrollWidth") <= SIZES[size][0]
        assert [each for each in browser.errors if "exception" in each] == []


def test_it_can_be_used_by_keyboard_alone(house: ChargingHouse, browser: Chromium) -> None:
    look(browser, house)
    browser.run("document.querySelector('.jcMode').focus()")
    seen = []
    for _ in range(30):
        seen.append(browser.run("document.activeElement.textContent.trim() || document.activeElement.className"))
        for kind in ("keyDown", "keyUp"):
            browser.send("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert seen[:6] == ["Sans pilotage", "Arrêt", "Solaire", "Solaire + minimum", "Économique", "Immédiat"]
    assert {"jcEnergy", "jcTime"} <= set(seen)
    assert "CSV" in seen
    browser.run("[...document.querySelectorAll('.jcMode')].find(each => each.textContent === 'Arrêt').focus()")
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") != "none"
    for kind, text in (("keyDown", "\r"), ("keyUp", "")):
        browser.send(
            "Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text=text, windowsVirtualKeyCode=13
        )
    browser.until(f"({PRESSED % '.jcModes'}).join() === 'Arrêt'", 10)
    house.within(20, lambda: house.limit == 0)


@pytest.mark.parametrize("theme", THEMES)
def test_its_tile_chooses_a_mode_and_leads_to_its_page(house: ChargingHouse, browser: Chromium, theme: str) -> None:
    browser.goto(URL + "/index.php?v=d&p=dashboard")
    tile = f".eqLogic[data-eqLogic_id='{house.point}']"
    browser.until(f'document.querySelector("{tile} .jtChoice")')
    wear(browser, theme)
    browser.click(f"{tile} .jtChoice button", "Solaire + minimum")
    browser.until(f"({PRESSED % (tile.replace(chr(39), chr(34)) + ' .jtChoice')}).join() === 'Solaire + minimum'", 10)
    house.within(30, lambda: house.limit >= 6)
    picture(browser, f"tile_{theme}")
    assert serious(browser, tile.replace("'", '"') + " .jtBody") == []
    browser.click(f"{tile} .jtLink")
    browser.until(DRAWN)
    assert f"id={house.point}" in browser.run("location.search")


def test_a_daemon_that_is_away_is_told_and_nothing_old_looks_new(house: ChargingHouse, browser: Chromium) -> None:
    look(browser, house)
    automatic = house.jeedom.php("echo json_encode(config::byKey('deamonAutoMode', 'jeenergie', 1));")
    house.jeedom.php("config::save('deamonAutoMode', 0, 'jeenergie'); plugin::byId('jeenergie')->deamon_stop();")
    try:
        browser.click(".jcMode", "Immédiat")
        assert browser.until("document.querySelector('.jcTrouble:not([hidden])')?.textContent", 40)
        browser.until("document.querySelector('#div_jeenergiePoint').classList.contains('jcOld')", 40)
        picture(browser, "away")
    finally:
        house.jeedom.php("config::save('deamonAutoMode', $argv[1], 'jeenergie');", automatic)
        house.jeedom.php("plugin::byId('jeenergie')->deamon_start(true);")
    browser.until("!document.querySelector('#div_jeenergiePoint').classList.contains('jcOld')", 60)


def test_its_form_and_the_search_call_its_charger_by_name(house: ChargingHouse, browser: Chromium) -> None:
    home = house.jeedom.php("echo json_encode(jeeObject::all()[0]->getName());")
    name = f"{PREFIX} Garage ({home})"
    browser.goto(f"{PAGE}&id={house.point}")
    browser.until(f"document.querySelector('#p_jeenergieKey a')?.textContent === {json.dumps(name)}")
    assert browser.text("#label_jeenergieKey") == "Borne"
    assert not browser.shows("#in_jeenergieKey")
    picture(browser, "form")
    browser.click("#p_jeenergieKey a")
    browser.until(f"window.jeenergiePage?.current?.id === '{house.device}'")
    assert browser.shows("#in_jeenergieKey")
    # On the page of its connection; there nobody is asked for the key of a source either.
    browser.goto(f"{PAGE}&id={house.house}")
    browser.until("document.querySelector('#div_jeenergieEquipment .jnHelp')")
    assert f"Borne pilotée · {name}" in browser.text("#div_jeenergieEquipment")
    assert not browser.run("!!document.querySelector('[data-jn_operation=decide]')")
    # What a search has found, and the cards of the list.
    browser.click("#eqlogictab [data-jn_action=discover]")
    browser.until(f"document.querySelector('.jnFound')?.textContent.includes({json.dumps(name)})", 60)
    browser.goto(PAGE)
    card = f'.jnRow[data-eqLogic_id="{house.point}"]'
    browser.until(f"document.querySelector('{card}')?.textContent.includes({json.dumps(name)})")
    # In none of them its number.
    shown = browser.run(f"document.querySelector('{card}').outerHTML")
    assert f"pilotée {house.device}" not in shown
