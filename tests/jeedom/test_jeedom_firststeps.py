"""From no connection to values on the dashboard by the buttons of the first steps, in a browser.

All connections of the Jeedom are deleted first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
from jeedom_host import ROOT, URL, Jeedom
from test_jeedom_browser import PAGE, User
from test_jeedom_browser import prepared as prepared
from test_jeedom_browser import user as user
from test_jeedom_daemon import start

from simulators.wes.life import Life, furnished
from simulators.wes.server import WesServer

pytestmark = pytest.mark.skipif(not chromium.PATH, reason="Chromium is not on this machine")

FRESH = """
    foreach (jeenergie::byType('jeenergie') as $each) { $each->isConnection() || $each->remove(); }
    foreach (jeenergie::connections() as $each) { $each->remove(); }
    $first = config::byKey('firstSteps', 'jeenergie', '');
    config::remove('firstSteps', 'jeenergie');
    echo json_encode($first);
"""
SECOND = """
    $object = jeeObject::byName('Un autre lieu') ?: new jeeObject();
    if (!$object->getId()) { $object->setName('Un autre lieu')->setIsVisible(1); $object->save(); }
    echo json_encode((string) $object->getId());
"""
PLACES = """
    $places = [];
    foreach (jeenergie::byType('jeenergie') as $each) { $places[$each->getName()] = (string) $each->getObject_id(); }
    echo json_encode($places);
"""
FAILURE = """[2026-11-30 10:00:00] Installation des dépendances
[2026-11-30 10:00:01] ECHEC : les paquets de Python ne s'installent pas
[2026-11-30 10:00:01]   Réponse : No space left on device
[2026-11-30 10:00:01]   À faire : libérez de la place, puis relancez l'installation.
[2026-11-30 10:00:01] FAILED: the packages of Python cannot be installed
[2026-11-30 10:00:01]   To do: free some space, then start the installation again.
"""
"""As install_deps.sh writes it."""
NOW = ".jnFirstSteps [aria-current=step]"
LIST = ".eqLogicThumbnailDisplay .jnFirstSteps"


@pytest.fixture
def box() -> Iterator[WesServer]:
    furniture = furnished()
    with WesServer(furniture, life=Life(furniture, time.time)) as server:
        yield server


@pytest.fixture
def place(jeedom: Jeedom) -> Iterator[str]:
    """With several objects none is proposed: the last step is there."""
    identity = jeedom.php(SECOND)
    before = jeedom.php(FRESH)
    yield str(identity)
    jeedom.php(FRESH)
    jeedom.php("jeeObject::byId($argv[1])->remove();", identity)
    jeedom.php("config::save('firstSteps', $argv[1], 'jeenergie');", before or "ended")


def test_from_no_connection_to_the_dashboard_by_the_first_steps(
    jeedom: Jeedom, place: str, user: User, box: WesServer
) -> None:
    start(jeedom)
    browser = user.browser

    def step(name: str) -> None:
        browser.until(f"document.querySelector('{NOW}')?.getAttribute('data-jn_step') === '{name}'", 60)

    user.open_list()
    step("connection")
    browser.click(f"{NOW} .btn")
    browser.click(".jnSystemCard:has(input[value=wes])")
    browser.fill("#in_jeenergieNewName", "Navigateur WES")
    browser.click(".jnDialog button[data-type=confirm]")
    browser.until("document.querySelector('#div_jeenergieFields .form-group') && !document.querySelector('.jnDialog')")
    step("connection")
    user.set(host="127.0.0.1", port=str(box.port), user="admin", password="wes")
    user.save()
    step("equipment")
    user.look("equipment")

    # Left and taken up again, in another look at the page.
    user.open_list()
    browser.click(f"{LIST} .btn", "Plus tard")
    browser.until(f"document.querySelector('{LIST}.jnLeft') && !document.querySelector('{LIST} ol')")
    browser.goto(URL + PAGE)
    browser.click(f"{LIST} .btn", "Continuer")
    step("equipment")

    browser.click(f"{LIST} [aria-current=step] .btn", seconds=40)
    browser.click(".jnDialog button[data-type=confirm]", seconds=60)
    step("place")
    browser.click(f"{LIST} [aria-current=step] .btn")
    browser.until("document.querySelector('#sel_jeenergieObject')")
    browser.choose("#sel_jeenergieObject", place)
    browser.click(".jnDialog button[data-type=confirm]")
    browser.until(f"document.querySelector('{LIST} .btn-success')?.textContent.includes('dashboard')", 60)
    user.look("arrived")
    places = jeedom.php(PLACES)
    assert set(places.values()) == {place}, "the system, its equipment and the house it has made"
    assert {"Navigateur WES"} < set(places)
    browser.click(f"{LIST} .btn-success")
    browser.until(f"location.search.includes('object_id={place}') && document.querySelector('.eqLogic-widget')", 60)
    user.look("dashboard")
    browser.goto(URL + PAGE)
    browser.click(f"{LIST} .btn", "Terminer")
    browser.until(f"document.querySelector('{LIST}')?.children.length === 0")


@pytest.fixture
def failed(jeedom: Jeedom) -> Iterator[Path]:
    """An installation that has failed: its log, and no mark that it was whole. The file of the mark meanwhile."""
    plugin, log = Path(ROOT, "plugins", "jeenergie"), Path(ROOT, "log", "jeenergie_update")
    mark = plugin / "resources" / "python_venv" / ".jeenergie-deps"
    aside = mark.with_name(".jeenergie-deps.aside")
    jeedom.php("plugin::byId('jeenergie')->deamon_stop();")
    before = log.read_text("utf-8") if log.exists() else ""
    mark.rename(aside)
    log.write_text(FAILURE, "utf-8")
    yield aside
    if aside.exists():
        aside.rename(mark)
    log.write_text(before, "utf-8")
    start(jeedom)


def test_an_installation_that_has_failed_is_told_at_the_first_step_until_it_works(
    jeedom: Jeedom, place: str, user: User, failed: Path
) -> None:
    browser = user.browser
    user.open_list()
    browser.until(f"document.querySelector('{NOW}')?.getAttribute('data-jn_step') === 'dependencies'", 60)
    assert "libérez de la place, puis relancez l'installation" in browser.text(NOW)
    assert browser.shows(f"{NOW} .btn"), "one button"
    user.look("failed")
    failed.rename(failed.with_name(".jeenergie-deps"))
    user.open_list()
    browser.until(f"document.querySelector('{NOW}')?.getAttribute('data-jn_step') === 'daemon'", 60)
