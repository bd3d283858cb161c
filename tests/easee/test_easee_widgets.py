"""What the widgets of a charger show in a browser, with a stand-in for the core's few functions that they use."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).resolve().parents[2] / "core" / "template"
BROWSER = os.environ.get("JEEDOM_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
PAGE = """<html data-coloredIcons="%s" data-theme="%s"><meta charset="utf-8"><body>
<script>
  var updates = {}, executed = [], shown = function(e) { return getComputedStyle(e).display !== 'none' }
  var jeedom = { cmd: {
    addUpdateFunction: function(id, f) { updates[id] = f }, refreshValue: function() {},
    execute: function(what) { executed.push(what.id) }
  } }
</script>
%s
<pre id="result"></pre>
<script>
  var of = function(id) { return document.querySelector('.cmd[data-cmd_id="' + id + '"]') }
  document.getElementById('result').textContent = JSON.stringify((function() { %s })())
</script>
"""

pytestmark = pytest.mark.skipif(not BROWSER, reason="Chromium is not on this machine")


def widget(version: str, name: str, identifier: str, logical_id: str = "", **options: str) -> str:
    """A template as the core fills it in; options that the user has not set stay as they are."""
    text = (TEMPLATES / version / f"{name}.html").read_text("utf-8")
    tags = {"id": identifier, "uid": f"u{identifier}", "logicalId": logical_id, "state": "", **options}
    return re.sub(r"#(\w+)#", lambda found: tags.get(found[1], found[0]), text)


def seen(tmp_path: Path, widgets: str, script: str, colored: int = 1, theme: str = "core2019_Light") -> object:
    """What a script returns that looks at widgets on a page."""
    page = tmp_path / "page.html"
    page.write_text(PAGE % (colored, theme, widgets, script), "utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    done = subprocess.run([BROWSER, *options, page.as_uri()], capture_output=True, timeout=60, check=True)
    found = re.search(r'<pre id="result">(.+?)</pre>', done.stdout.decode())
    assert found, done.stdout.decode()[-500:]
    return json.loads(html.unescape(found[1]))


@pytest.fixture(params=["dashboard", "mobile"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_state_shows_six_situations(version: str, tmp_path: Path) -> None:
    script = """return [1, 2, 3, 4, 5, 6].map(function(value) {
        updates['7']({ value: value, display_value: value })
        var marks = Array.from(of('7').querySelectorAll('.mark')).filter(shown)
        var names = marks.map(function(each) { return each.classList[1] })
        return [of('7').querySelector('.text').innerText.trim(), names.join()]
    })"""
    assert seen(tmp_path, widget(version, "cmd.info.numeric.easeeState", "7"), script) == [
        ["Débranché", ""],
        ["En attente", "pause"],
        ["Recharge", "bolt"],
        ["Terminé", "done"],
        ["Erreur", "fault"],
        ["Prêt", "ready"],
    ]


def test_text_and_image_of_the_state_can_be_left_out(version: str, tmp_path: Path) -> None:
    name = "cmd.info.numeric.easeeState"
    widgets = [
        widget(version, name, "1"),
        widget(version, name, "2", notext="1"),
        widget(version, name, "3", noimage="1"),
    ]
    script = """return ['1', '2', '3'].map(function(id) {
        updates[id]({ value: 6, display_value: 6 })
        return [shown(of(id).querySelector('.text')), shown(of(id).querySelector('svg'))]
    })"""
    assert seen(tmp_path, "".join(widgets), script) == [[True, True], [False, True], [True, False]]


def test_the_lock_shows_both_states_and_offers_what_changes_them(version: str, tmp_path: Path) -> None:
    name = "cmd.action.other.easeeCableLock"
    widgets = widget(version, name, "1", "cable_lock") + widget(version, name, "2", "cable_unlock")
    script = """return [0, 1, 2, 3].map(function(state) {
        executed = []
        var visible = ['1', '2'].filter(function(id) { updates[id]({ display_value: state }); return shown(of(id)) })
        of(visible[0]).querySelector('.execute').click()
        var parts = ['.closed', '.permanent'].map(function(part) { return shown(of(visible[0]).querySelector(part)) })
        return [visible.concat(executed).join()].concat(parts)
    })"""
    assert seen(tmp_path, widgets, script) == [
        ["1,1", False, False],
        ["1,1", True, False],
        ["2,2", False, True],
        ["2,2", True, True],
    ]


def test_the_lock_has_a_look_for_each_state_with_coloured_icons_and_for_each_theme(tmp_path: Path) -> None:
    lock = widget("dashboard", "cmd.action.other.easeeCableLock", "1", "cable_unlock")
    script = """return [0, 1, 2, 3].map(function(state) {
        updates['1']({ display_value: state })
        var parts = ['svg', '.permanent'].map(function(part) { return getComputedStyle(of('1').querySelector(part)) })
        return parts[0].color + parts[1].fill
    })"""
    colored, plain = seen(tmp_path, lock, script), seen(tmp_path, lock, script, colored=0)
    dark = seen(tmp_path, lock, script, colored=0, theme="core2019_Dark")
    assert isinstance(colored, list)
    assert isinstance(plain, list)
    assert len(set(colored)) == 4
    assert len(set(plain)) == 1  # shape alone tells them apart
    assert not set(colored) & set(plain)
    assert dark != plain


def test_one_button_pauses_or_resumes(version: str, tmp_path: Path) -> None:
    name = "cmd.action.other.easeePause"
    widgets = widget(version, name, "1", "pause_ON") + widget(version, name, "2", "pause_OFF")
    script = """return [0, 1].map(function(paused) {
        executed = []
        var visible = ['1', '2'].filter(function(id) { updates[id]({ display_value: paused }); return shown(of(id)) })
        of(visible[0]).querySelector('.execute').click()
        var signs = ['.pause', '.play'].filter(function(sign) { return shown(of(visible[0]).querySelector(sign)) })
        return visible.concat(executed, signs).join()
    })"""
    assert seen(tmp_path, widgets, script) == ["1,1,.pause", "2,2,.play"]
