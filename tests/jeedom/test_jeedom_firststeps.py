"""From no connection to values on the dashboard by the buttons of the first steps, in a browser.

All connections of the Jeedom are deleted first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import chromium
import pytest
from jeedom_host import URL, Jeedom
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
    browser.choose("#sel_jeenergieObject", place)
    browser.click(".jnDialog button[data-type=confirm]")
    browser.until(f"document.querySelector('{LIST} .btn-success')?.textContent.includes('dashboard')", 60)
    user.look("arrived")
    browser.click(f"{LIST} .btn-success")
    browser.until(f"location.search.includes('object_id={place}') && document.querySelector('.eqLogic-widget')", 60)
    user.look("dashboard")
    browser.goto(URL + PAGE)
    browser.click(f"{LIST} .btn", "Terminer")
    browser.until(f"document.querySelector('{LIST}')?.children.length === 0")
