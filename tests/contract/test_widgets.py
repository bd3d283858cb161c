"""The widgets that the catalogues name exist in Jeedom's core: one that does not leaves an empty place on the tile."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jeedom_bridge.contract import Catalogue, Contract

CORE = Path(__file__).resolve().parents[2] / "core"
COPY = CORE.parent / "tools" / "copy_widgets.py"
CATALOGUES = Contract(CORE / "contract").catalogues
BINARY = {"default", "icon", "line", "alert", "door", "heat", "light", "lock", "presence", "prise", "window", "flood"}


@pytest.mark.parametrize("catalogue", CATALOGUES.values(), ids=CATALOGUES)
def test_a_binary_has_a_widget_for_binaries(catalogue: Catalogue) -> None:
    every = [row.data for kind in (None, *catalogue.data["equipment"]) for row in catalogue.all_rows(kind)]
    rows = [row for row in every if row["subType"] == "binary"]
    named = [(row["logicalId"], *row["template"].split("::")) for row in rows if "template" in row]
    assert [each for each in named if each[1] == "core" and each[2] not in BINARY] == []


def test_the_mobile_widgets_are_current_copies():
    done = subprocess.run([sys.executable, str(COPY), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert [path.name for path in (CORE / "template" / "mobile").glob("cmd.*.html")]


def test_a_changed_widget_is_found_outdated(tmp_path: Path):
    """The copies are compared, not only counted."""
    for part in ("tools", "core"):
        (tmp_path / part).mkdir()
    shutil.copy(COPY, tmp_path / "tools")
    shutil.copytree(CORE / "template", tmp_path / "core" / "template")
    dashboard, mobile = (tmp_path / "core" / "template" / view for view in ("dashboard", "mobile"))
    changed, removed, *_ = sorted(path.name for path in dashboard.glob("cmd.*.html"))
    (dashboard / changed).write_text("changed")
    (mobile / removed).unlink()
    (mobile / "cmd.info.numeric.former.html").write_text("")
    command = [sys.executable, str(tmp_path / "tools" / COPY.name)]
    check = subprocess.run([*command, "--check"], capture_output=True, text=True, check=False)
    assert check.returncode == 1
    assert len(check.stdout.splitlines()) == 3
    assert subprocess.run(command, check=False).returncode == 0
    assert (mobile / changed).read_text() == "changed"
    assert (mobile / removed).exists()
    assert not (mobile / "cmd.info.numeric.former.html").exists()


@pytest.mark.parametrize("path", sorted((CORE / "template").rglob("*.html")), ids=lambda path: path.name)
def test_the_texts_of_a_template_have_their_english(path: Path) -> None:
    texts = set(re.findall(r"\{\{(.+?)\}\}", path.read_text("utf-8")))
    english = json.loads((CORE / "i18n" / "en_US.json").read_text("utf-8"))
    assert texts <= english.get(f"plugins/jeenergie/{path.relative_to(CORE.parent).as_posix()}", {}).keys()
