"""The tab "Votre maison" in a browser, with the real daemon: who takes which part, and the user's word about it.

JEEDOM_SHOTS names a folder for screenshots.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
from chromium import Chromium
from jeedom_host import URL, Jeedom
from test_jeedom_daemon import until
from test_jeedom_readings import EVENT, METER, clean, connect, houses, plugin  # noqa: F401 (fixtures)

from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant

pytestmark = pytest.mark.skipif(not chromium.PATH, reason="Chromium is not on this machine")

TAB = URL + "/index.php?v=d&m=jeenergie&p=panel&tab=roles"
SHOTS = os.environ.get("JEEDOM_SHOTS", "")
OTHER, GRID = "Compteur virtuel", "Réseau"
LINES = """[...document.querySelectorAll('.jhRoles tbody tr')].map(row => [...row.children].map(cell =>
    [...cell.childNodes].map(each => each.textContent).join('|').replace(/\\u00a0/g, ' ')))"""


@pytest.fixture
def browser() -> Iterator[Chromium]:
    with Chromium(1300, 1000) as opened:
        opened.sign_in(URL, "admin", "admin")
        yield opened


def line(browser: Chromium, role: str, source: str) -> list[str]:
    """The cells of a row: role, source, value, age, whether it counts, why, buttons; empty while it is not there."""
    return next((each for each in browser.run(LINES) if each[0] == role and each[1].startswith(source)), [])


def shown(browser: Chromium, role: str, source: str) -> list[str]:
    """Loads the tab until it has that row: the page asks once, and the daemon may not know it yet."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        browser.goto(TAB)
        try:
            return list(until(lambda: line(browser, role, source), 5))
        except AssertionError:
            continue
    raise AssertionError(f"{role}, {source} is not there: {browser.run(LINES)}")


def press(browser: Chromium, role: str, source: str, text: str) -> None:
    """Presses a button of a row and waits for the row to be drawn anew."""
    name = f"{text} : {role}, {source}"
    before = line(browser, role, source)
    browser.run(f"document.querySelector('.jhRoles button[aria-label=\"{name}\"]').click()")
    until(lambda: line(browser, role, source)[4:] != before[4:], 60)


PALE = """
    [...document.querySelectorAll('.jhRoles :is(button, .jhCheck)')].filter(e => {
        for (let each = e; each; each = each.parentElement) if (getComputedStyle(each).opacity !== '1') return true;
    }).map(e => e.textContent)
"""
"""What asks for a decision, or takes it, drawn as if it were out of use."""


def look(browser: Chromium, name: str) -> None:
    if SHOTS:
        browser.screenshot(Path(SHOTS) / f"{name}.png")


def test_the_user_has_the_last_word_about_each_source(
    jeedom: Jeedom,
    clean: list[str],  # noqa: F811
    plugin: None,  # noqa: F811
    browser: Chromium,
) -> None:
    with EnphaseGateway(DaySource(Plant(time.time, inverters=2, hour=12))) as gateway:
        gateway.set(production=2600.0, consumption=900.0)
        clean.append(connect(jeedom, gateway))
        house = str(until(lambda: [each for each in houses(jeedom) if each["types"]], 60)[0]["id"])
        grid = shown(browser, GRID, "Passerelle")
        assert "W" in grid[2]
        assert grid[3].startswith("il y a")
        assert grid[4] == "compte|sûr"
        assert grid[6] == "Écarter"

        # Left out and taken back, and the picture follows.
        name = grid[1].split("|")[0]
        press(browser, GRID, name, "Écarter")
        assert line(browser, GRID, name)[4:] == [
            "ne compte pas",
            "écarté par vous",
            "Choix automatique",
        ]
        look(browser, "roles-left-out")
        press(browser, GRID, name, "Choix automatique")
        assert line(browser, GRID, name)[4:] == grid[4:]

        # Another plugin's command is a second meter of the grid: it is shown, and nothing is added without the user.
        meter, command = (str(each) for each in jeedom.php(METER))
        clean.append(meter)
        jeedom.php(EVENT, command, 1234)
        config = {"quantity": "grid.power", "command": f"#{command}#"}
        jeedom.own(
            "createDiscovered",
            connection=house,
            equipment=[{"type": "source", "key": "a", "name": OTHER, "config": config}],
        )
        second = shown(browser, GRID, OTHER)
        assert second[1] == f"{OTHER}|{jeedom.php('echo json_encode(cmd::byId($argv[1])->getHumanName());', command)}"
        assert second[2] == "1,23 kW"
        assert second[4] == "ne compte pas|à confirmer"
        assert second[6] == "Écarter|Ajouter"
        look(browser, "roles-second-meter")
        assert browser.run(PALE) == []
        press(browser, GRID, OTHER, "Écarter")
        assert line(browser, GRID, OTHER)[4:] == [
            "ne compte pas",
            "écarté par vous",
            "Choix automatique",
        ]
        assert line(browser, GRID, name)[4] == "compte|sûr"

        # It takes the part when the user leaves the other one out.
        press(browser, GRID, OTHER, "Choix automatique")
        press(browser, GRID, name, "Écarter")
        until(lambda: line(browser, GRID, OTHER)[4].startswith("compte"), 60)
        look(browser, "roles-other-plugin")
        browser.click("[data-tab=now]")
        browser.until("document.querySelector('.jhFacts')?.textContent.includes('Réseau : fournit 1,23')", 60)
        look(browser, "house-other-plugin")
        assert [each for each in browser.errors if "exception" in each] == []
