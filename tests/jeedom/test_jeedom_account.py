"""A new helloWatt account in a browser: refused, accepted, its equipment, the first import, its history, its limits.

The daemon runs, the site is simulated. JEEDOM_SHOTS names a folder for screenshots.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import chromium
import pytest
from chromium import Chromium
from jeedom_host import URL, Jeedom

from simulators.hellowatt import Customer, HelloWattSite, Home, TempoService

pytestmark = pytest.mark.skipif(not chromium.PATH, reason="Chromium is not on this machine")

PAGE = URL + "/index.php?v=d&m=jeenergie&p=jeenergie"
NAME, PASSWORD = "Compte en ligne", "Soleil-et-nuages-1"
RESULT = "#div_jeenergieResult"
CLEAN = """
    foreach (jeenergie::connections() as $connection) {
        if ($connection->getName() === $argv[1]) { $connection->remove(); }
    }
"""
AUTOMATIC = "echo json_encode((string) config::byKey('deamonAutoMode', 'jeenergie', 1));"
START = """
    config::save('dontProtectTooFastLaunchDeamony', 1);
    config::save('deamonAutoMode', 1, 'jeenergie');
    if (jeenergie::deamon_info()['state'] !== 'ok') { plugin::byId('jeenergie')->deamon_start(true); }
"""
AS_BEFORE = """
    config::save('deamonAutoMode', $argv[1], 'jeenergie');
    if ($argv[1] === '0') { plugin::byId('jeenergie')->deamon_stop(); }
"""
POINTS = """
    $points = [];
    foreach (jeenergie::byType('jeenergie') as $each) {
        if (is_object($each->connection()) && $each->connection()->getName() === $argv[1]) {
            $cmd = $each->getCmd('info', $argv[3]);
            if ($each->type() === $argv[2] && is_object($cmd)) {
                $sql = 'SELECT datetime, value FROM %s WHERE cmd_id = ?';
                $sql = sprintf($sql, 'history') . ' UNION ALL ' . sprintf($sql, 'historyArch');
                $points = DB::Prepare($sql, [$cmd->getId(), $cmd->getId()], 1);
            }
        }
    }
    echo json_encode($points);
"""


@pytest.fixture
def site() -> Iterator[HelloWattSite]:
    """One home with electricity, an injection and gas, a hundred days old."""
    since = date.today() - timedelta(days=100)
    tariffs = ((date(2000, 1, 1), "base"), (date.today() - timedelta(days=60), "hphc"))
    home = Home(502113, "99000000000417", "99000000000888", since, tariffs, solar=True)
    with HelloWattSite([Customer("camille.martin@example.org", PASSWORD, [home])]) as found:
        yield found


@pytest.fixture
def browser(jeedom: Jeedom) -> Iterator[Chromium]:
    """Signed in, the daemon runs; afterwards it is as it was."""
    automatic = jeedom.php(AUTOMATIC)
    jeedom.php(START)
    jeedom.php(CLEAN, NAME)
    with Chromium() as found:
        found.sign_in(URL, os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin"))
        yield found
        found.run("1")
        assert found.errors == []
    jeedom.php(CLEAN, NAME)
    jeedom.php(AS_BEFORE, automatic)


def look(browser: Chromium, name: str) -> None:
    if folder := os.environ.get("JEEDOM_SHOTS"):
        browser.screenshot(Path(folder, f"account-{name}.png"))


def fill(browser: Chromium, **values: str) -> None:
    browser.run("document.querySelectorAll('#div_jeenergieFields details').forEach(each => { each.open = true; })")
    for key, value in values.items():
        browser.fill(f"#div_jeenergieFields [data-jn_field={key}] input", value)


def check(browser: Chromium) -> str:
    browser.click("#eqlogictab [data-jn_action=test]")
    browser.until(f"document.querySelector('{RESULT} .alert') && !document.querySelector('{RESULT} .fa-spin')", 70)
    return browser.text(RESULT)


def history(jeedom: Jeedom, energy: str, command: str) -> dict[date, float]:
    points: list[Any] = jeedom.php(POINTS, NAME, energy, command)
    assert {each["datetime"][11:] for each in points} <= {"00:00:00"}
    found = {date.fromisoformat(each["datetime"][:10]): float(each["value"]) for each in points}
    assert len(found) == len(points), "a day stands twice"
    return found


def test_an_account_from_its_form_to_its_history(browser: Chromium, jeedom: Jeedom, site: HelloWattSite) -> None:
    with TempoService() as tempo:
        browser.goto(PAGE)
        browser.click("[data-jn_action=addConnection]")
        browser.click(".jnSystemCard:has(input[value=hellowatt])")
        browser.fill("#in_jeenergieNewName", NAME)
        browser.click(".jnDialog button[data-type=confirm]")
        browser.until("document.querySelector('#div_jeenergieFields .form-group') && jeenergiePage.current")
        email = "camille.martin@example.org"
        fill(browser, user=email, password="mauvais", siteUrl=site.url, tempoUrl=tempo.url, rteUrl="")
        assert "Adresse e-mail ou mot de passe refusé" in check(browser)
        look(browser, "refused")
        fill(browser, password=PASSWORD)
        assert "1 logement," in check(browser)
        browser.click(".eqLogicAction[data-action=save]")
        browser.until("document.querySelectorAll('#div_jeenergieEquipment li').length === 2", 40)
        # Nobody has asked for it: the older months come by themselves, and the page tells how far they are.
        told = f"document.querySelector('{RESULT}').innerText"
        browser.until(f"/En cours : .*historique de [0-9]+.[0-9]+/.test({told})", 60)
        assert browser.shows(f"{RESULT} .progress-bar")
        look(browser, "progress")
        browser.until(f"{told}.includes('historique récupéré') && !document.querySelector('{RESULT} .progress')", 90)
        compare(jeedom, site)
        refresh(browser, jeedom)


def compare(jeedom: Jeedom, site: HelloWattSite) -> None:
    """Every day that the site has stands once in Jeedom's history, with the site's figure."""
    home = site.customers[0].homes[0]
    figures = [
        ("electricity", "conso_jour", "kwh"),
        ("electricity", "cout_jour", "euros"),
        ("electricity", "conso_hp_jour", "hp"),
        ("electricity", "prod_jour", "injection"),
        ("gas", "conso_jour", "kwh"),
    ]
    for energy, command, fact in figures:
        truth = {day: float(facts[fact]) for day, facts in home.truth(energy, time.time()).items() if fact in facts}
        end = time.monotonic() + 60
        while history(jeedom, energy, command).keys() != truth.keys() and time.monotonic() < end:
            time.sleep(1)
        assert history(jeedom, energy, command) == pytest.approx(truth, abs=0.0051), command
        assert len(truth) >= 50


def refresh(browser: Chromium, jeedom: Jeedom) -> None:
    """The first one works, the second says when the next is possible."""
    button = jeedom.php(
        """foreach (jeenergie::byType('jeenergie') as $each) {
            if (is_object($each->connection()) && $each->connection()->getName() === $argv[1]) {
                echo json_encode($each->getCmd('action', 'refresh')->getId()); break;
            }
        }""",
        NAME,
    )
    script = f"""new Promise(done => jeedom.cmd.execute({{
        id: '{button}', notify: false, success: () => done('ok'), error: error => done(error.message)
    }}))"""
    assert browser.run(script) == "ok"
    told = browser.run(script)
    assert re.search(r"au plus une fois en 15 min\) : rafraîchissement possible à (\S+ )?\d\d:\d\d", told), told
