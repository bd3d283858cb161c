"""The button of diagnostics, in a browser: one click, one file, readable, without any secret."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import PATH, Chromium
from jeedom_host import URL, Jeedom
from test_jeedom_daemon import daemon, until
from vendors import Vendors, connect, disconnect, vendors

__all__ = ["daemon"]
pytestmark = pytest.mark.skipif(not PATH, reason="Chromium is not here")


@pytest.fixture
def systems(jeedom: Jeedom, daemon: None) -> Iterator[Vendors]:
    """All five, set up and answering."""
    with vendors() as running:
        connect(jeedom, running)
        try:
            names = set(running.connections.values())
            until(lambda: names <= {each["id"] for each in jeedom.own("list")["connections"]}, 60)
            yield running
        finally:
            disconnect(jeedom, running)


def test_one_click_stores_one_readable_file_without_secrets(jeedom: Jeedom, systems: Vendors, tmp_path: Path) -> None:
    with Chromium() as browser:
        browser.sign_in(URL, os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin"))
        browser.goto(f"{URL}/index.php?v=d&m=jeenergie&p=jeenergie")
        browser.until("window.jeenergiePage && document.querySelector('[data-jn_action=diagnostics]')")
        browser.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        browser.click("[data-jn_action=diagnostics]")
        (stored,) = until(lambda: [each for each in tmp_path.iterdir() if each.suffix == ".json"], 60)
        browser.until("document.body.textContent.includes('Le fichier de diagnostic est enregistré')")
        assert browser.errors == []
    text = stored.read_text("utf-8")
    assert {"enphase", "easee", "wes", "econetatmo", "hellowatt"} <= {
        each.get("backend") for each in json.loads(text)["daemon"]["connections"]
    }
    assert [secret for secret in systems.secrets() if secret in text] == []
    assert "secret@example.org" not in text
    assert "Secrets " not in text, "the names that users give stay at home"
