"""Gateways that announce themselves, from packets of mDNS through the real daemon to the page's list, in a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import PATH, Chromium
from jeedom_host import URL, Jeedom
from test_jeedom_daemon import DROP_GUARD, pid, running, until

from tests.support.advertiser import Advertiser

pytestmark = pytest.mark.skipif(not PATH, reason="Chromium is not here")

LOOPBACK = Path(__file__).resolve().parents[1] / "support" / "only_loopback"
SERVICE = "_enphase-envoy._tcp.local."
START = "putenv('PYTHONPATH=' . $argv[1]); plugin::byId('jeenergie')->deamon_start(true);"
CARDS = ".jnNearby .jnSystemCard"


@pytest.fixture
def on_loopback(jeedom: Jeedom, tmp_path: Path) -> Iterator[None]:
    """The daemon hears and asks on the loopback interface only."""
    place = Path("/var/tmp") / f"loopback-{os.getpid()}"  # for the web server's user to read
    shutil.copytree(LOOPBACK, place)
    jeedom.php(DROP_GUARD + START, place)
    until(lambda: running(jeedom))
    yield
    shutil.rmtree(place)
    jeedom.php(DROP_GUARD + "plugin::byId('jeenergie')->deamon_start(true);")
    until(lambda: running(jeedom))


def programs(jeedom: Jeedom) -> list[str]:
    """What the daemon runs besides itself."""
    tasks = Path(f"/proc/{pid(jeedom)}/task").glob("*/children")
    return [child for each in tasks for child in each.read_text().split()]


def test_what_announces_itself_is_offered_and_fills_the_form(jeedom: Jeedom, on_loopback: None) -> None:
    properties = {"serialnum": "122322000007", "protovers": "8.2.4401"}
    assert programs(jeedom) == []
    with Advertiser(SERVICE, "envoy7", "127.0.0.77", 443, properties), Chromium() as browser:
        browser.sign_in(URL, os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin"))
        browser.goto(f"{URL}/index.php?v=d&m=jeenergie&p=jeenergie")
        browser.until("window.jeenergiePage && document.querySelector('[data-jn_action=addConnection]')")
        browser.click("[data-jn_action=addConnection]")
        browser.click(".jnNearby .btn")
        browser.until(f"document.querySelector('{CARDS}') || document.querySelector('.jnNearby [role=alert]')", 60)
        card = f"[...document.querySelectorAll('{CARDS}')].find(each => each.innerText.includes('122322000007'))"
        assert "127.0.0.77" in str(browser.run(f"{card}.innerText"))
        assert programs(jeedom) == [], "the search has ended"
        browser.click(CARDS, "122322000007")
        browser.fill("#in_jeenergieNewName", "Passerelle annoncée")
        browser.click(".jnDialog button[data-type=confirm]")
        browser.until("document.querySelector('#div_jeenergieFields .form-group')")
        try:
            assert browser.run("document.querySelector('[data-jn_field=host] input').value") == "127.0.0.77"
            assert browser.errors == []
        finally:
            jeedom.php(
                "foreach (jeenergie::connections() as $each) {"
                " if ($each->getName() === 'Passerelle annoncée') { $each->remove(); } }"
            )
