"""The window that takes over a former plugin, in a browser: found, dry run, done, report, undone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import former_plugins
import pytest
from chromium import PATH, Chromium
from jeedom_host import BOOT, URL, Jeedom

WINDOW = ".jnMoveIn"
PICTURES = os.environ.get("JEENERGIE_PICTURES", "")

pytestmark = [
    pytest.mark.skipif(not PATH, reason="Chromium is not here"),
    pytest.mark.skipif(not former_plugins.is_there("EaseeCharger"), reason="the former plugin's files are not here"),
]


@pytest.fixture
def charger(jeedom: Jeedom, quiet: None) -> Iterator[int]:
    former_plugins.clean(jeedom)
    former_plugins.install("EaseeCharger")
    (charger,) = former_plugins.make(jeedom, "EaseeCharger", 10)
    yield charger
    former_plugins.clean(jeedom)


def picture(browser: Chromium, name: str) -> None:
    if PICTURES:
        browser.screenshot(Path(PICTURES, f"{name}.png"))


def test_a_plugin_is_taken_over_and_given_back_by_the_buttons(jeedom: Jeedom, charger: int) -> None:
    with Chromium() as browser:
        open_window(browser)
        browser.click(f"{WINDOW} .btn", "Voir ce qui serait fait")
        browser.until(f"document.querySelector('{WINDOW} details')")
        assert "Compte test" not in browser.text(f"{WINDOW} details")
        assert "Borne test" in browser.text(f"{WINDOW} details summary")
        browser.click(f"{WINDOW} details summary")
        picture(browser, "movein-plan")
        browser.click(f"{WINDOW} .btn", "Reprendre")
        browser.until(f"document.querySelector('{WINDOW}')?.textContent.includes('Repris.')", 60)
        picture(browser, "movein-done")
        assert jeedom.php("echo json_encode((int) eqLogic::byId($argv[1])->getIsEnable());", charger) == 0
        browser.click(f"{WINDOW} .btn", "Annuler la reprise")
        browser.click(".jeeDialog .button[data-type=confirm], .jeeDialog button[data-type=confirm]")
        browser.until(f"document.querySelector('{WINDOW}')?.textContent.includes('Reprise annulée.')", 120)
        assert jeedom.php("echo json_encode((int) eqLogic::byId($argv[1])->getIsEnable());", charger) == 1
        assert browser.errors == []


HOLD = """
    DB::getConnection()->exec('LOCK TABLES historyArch READ');
    echo "held\\n";
    fgets(STDIN);
"""


@contextmanager
def held_history() -> Iterator[None]:
    """Nobody can write points that are archived: a move waits in its step of the history."""
    with subprocess.Popen(
        ["php", "-r", BOOT + HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield
        finally:
            process.communicate("\n")


def open_window(browser: Chromium) -> None:
    browser.sign_in(URL, os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin"))
    browser.goto(f"{URL}/index.php?v=d&m=jeenergie&p=jeenergie")
    browser.until("window.jeenergiePage && document.querySelector('[data-jn_action=moveIn]')")
    browser.click("[data-jn_action=moveIn]")


COPYING = f"""
    [...document.querySelectorAll('{WINDOW} progress')].some(bar => bar.value >= 20 && bar.value < 75)
    && document.querySelector('{WINDOW}').textContent.includes('Copie des historiques')
"""


UNREADABLE = """
    window.asked = 0;
    (ask => { jeenergiePage.ask = (action, request) => ask(action, request).then(answer => {
        if (action === 'moveInList') { window.asked++; answer.former.forEach(each => { each.progress = {}; }); }
        return answer;
    }); })(jeenergiePage.ask);
"""
"""The core's cache while it is being written."""


def test_its_progress_is_there_again_after_the_browser_was_closed(jeedom: Jeedom, charger: int) -> None:
    with held_history():
        with Chromium() as browser:
            open_window(browser)
            browser.click(f"{WINDOW} .btn", "Voir ce qui serait fait")
            browser.click(f"{WINDOW} .btn", "Reprendre", 60)
            browser.until(COPYING, 60)
        with Chromium() as again:
            open_window(again)
            again.click(f"{WINDOW} .btn", "Suivre")
            again.until(COPYING, 60)
            picture(again, "movein-progress")
            again.run(UNREADABLE)
            again.until("window.asked > 2")
            assert again.run(COPYING), "what cannot be read for a moment changes nothing"
    with Chromium() as later:
        open_window(later)
        later.until(f"document.querySelector('{WINDOW} .btn')")
        if "Suivre" in later.text(WINDOW):
            later.click(f"{WINDOW} .btn", "Suivre")
        later.until(f"document.querySelector('{WINDOW}').textContent.includes('Repris.')", 120)
        assert later.errors == []
    (found,) = [each for each in jeedom.own("moveInList")["former"] if each["plugin"] == "EaseeCharger"]
    assert (found["state"], found["progress"]["percent"]) == ("done", 100)
