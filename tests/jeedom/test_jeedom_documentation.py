"""The addresses of info.json lead to pages of the plugin itself."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from jeedom_host import ROOT, URL, Jeedom

INFO = json.loads((Path(__file__).resolve().parents[2] / "plugin_info" / "info.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("key", "told"), [("documentation", "Systèmes disponibles"), ("changelog", "Première version")]
)
def test_the_buttons_of_the_core_open_our_own_pages(jeedom: Jeedom, key: str, told: str) -> None:
    for added in ("", "?theme=light"):  # the core's help button adds this
        with jeedom._opener.open(f"{URL}/{INFO[key]}{added}", timeout=60) as answer:
            page = answer.read().decode()
        assert "md_jeenergieDocumentation" in page
        assert told in page


def test_they_are_read_after_a_backup_that_leaves_every_docs_out(jeedom: Jeedom) -> None:
    jeedom.php("jeenergie::backup();")
    source = (Path(ROOT) / "install" / "backup.php").read_text("utf-8")
    found = re.search(r"\$excludes = array\((.*?)\);", source, re.DOTALL)
    assert found
    excluded = [f"--exclude={name}" for name in re.findall(r"^\s*'([^']+)',", found.group(1), re.MULTILINE)]
    assert "--exclude=docs" in excluded
    archive = subprocess.run(
        ["tar", "cf", "-", *excluded, "./plugins/jeenergie"], cwd=ROOT, capture_output=True, check=True, timeout=120
    )
    names = subprocess.run(["tar", "tf", "-"], input=archive.stdout, capture_output=True, check=True).stdout.decode()
    assert "/docs/" not in names
    assert "./plugins/jeenergie/data/documentation/fr_FR/index.md" in names
    docs = Path(ROOT) / "plugins" / "jeenergie" / "docs"
    aside = docs.rename(docs.with_name("docs.aside"))
    try:
        for key, told in (("documentation", "Systèmes disponibles"), ("changelog", "Première version")):
            with jeedom._opener.open(f"{URL}/{INFO[key]}", timeout=60) as answer:
                page = answer.read().decode()
            assert told in page
            assert "data:image/png;base64," in page
    finally:
        aside.rename(docs)
