"""The button of diagnostics, in a browser: one click, one file, readable, without any secret."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import PATH, Chromium
from jeedom_host import URL, Jeedom
from test_jeedom_daemon import daemon, until
from vendors import Vendors, connect, disconnect, vendors

from simulators import report

__all__ = ["daemon"]


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


@pytest.mark.skipif(not PATH, reason="Chromium is not here")
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


KINDS = {
    "enphase": {"readings", "meters", "production", "inverters"},
    "easee": {"observations", "chargers"},
    "wes": {"data.cgx"},
    "econetatmo": {"homesdata", "getmeasure"},
    "hellowatt": {"homes", "contracts", "electricity", "gas"},
}
"""Of each system, answers that are asked for within the first minute."""


def shapes(jeedom: Jeedom, folder: Path) -> dict[str, dict[str, Any]]:
    """What a file that is made now tells of each system, once it has all kinds of answers."""
    file = folder / "diagnostics.json"
    found: dict[str, dict[str, Any]] = {}

    def all_kinds() -> bool:
        file.write_text(jeedom.own("diagnostics")["text"], "utf-8")
        # A house, which another test may have left, has nobody's answers.
        found.update({each["backend"]: each for each in report.connections(file) if each["backend"] in KINDS})
        return all(KINDS[each] <= set(found.get(each, {}).get("shapes", ())) for each in KINDS)

    try:
        until(all_kinds, 120)
    finally:
        print({backend: list(each["shapes"]) for backend, each in found.items()})
    return found


def test_a_file_makes_the_simulators_answer_as_the_systems_it_was_made_of(
    jeedom: Jeedom, daemon: None, tmp_path: Path
) -> None:
    with vendors() as theirs:
        connect(jeedom, theirs)
        try:
            told = shapes(jeedom, tmp_path)
        finally:
            disconnect(jeedom, theirs)
    for connection in told.values():  # as of another firmware
        for shape in connection["shapes"].values():
            place = next(each for each, types in shape.items() if types == "object" and each not in ("", "info"))
            shape[f"{place}.brandNew"] = "number"
    with vendors() as ours:
        for backend, connection in told.items():
            assert report.replay(ours.faults[backend], connection) == list(connection["shapes"])
        connect(jeedom, ours)
        try:
            found = shapes(jeedom, tmp_path)
        finally:
            disconnect(jeedom, ours)
    for backend, connection in told.items():
        for kind in KINDS[backend]:
            assert set(found[backend]["shapes"][kind]) == set(connection["shapes"][kind]), f"{backend} {kind}"
