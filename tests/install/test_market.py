"""What Jeedom's market asks of info.json, of the icon and of the workflow that stands behind them.

The list: Jeedom's documentation for developers, "Fichier info.json" (doc.jeedom.com/fr_FR/dev/structure_info_json, read
2026-11-30). `requireOsVersion` is what the core of 4.5 compares before an activation, `os` what the market does.
"""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INFO = json.loads((ROOT / "plugin_info" / "info.json").read_text("utf-8"))
REQUIRED = {
    "id",
    "name",
    "description",
    "licence",
    "author",
    "require",
    "category",
    "changelog",
    "documentation",
    "changelog_beta",
    "documentation_beta",
}
OPTIONAL = {
    "utilization",
    "os",
    "requireOsVersion",
    "pluginVersion",
    "display",
    "mobile",
    "link",
    "language",
    "compatibility",
    "hasDependency",
    "hasOwnDeamon",
    "maxDependancyInstallTime",
    "specialAttributes",
    "issue",
}
BOXES = {"miniplus", "smart", "luna", "atlas", "rpi", "docker", "diy", "mobile", "v4"}
ICON = (309, 348)
MIN_DESCRIPTION = 80
MIN_INSTALL_MIN = 10
"""Compiling is not needed on any machine with a lock; a slow card needs minutes for what is downloaded."""


def test_every_field_that_the_market_asks_for_is_there_and_none_that_it_does_not_know() -> None:
    assert INFO.keys() >= REQUIRED
    assert INFO.keys() - REQUIRED <= OPTIONAL
    assert re.fullmatch("[a-zA-Z][a-zA-Z0-9]*", INFO["id"])
    assert INFO["category"] == "energy"
    assert set(INFO["compatibility"]) <= BOXES


def test_each_language_has_its_description_texts_and_documentation() -> None:
    assert list(INFO["description"]) == INFO["language"]
    for language in INFO["language"]:
        assert len(INFO["description"][language]) >= MIN_DESCRIPTION
        assert (ROOT / "docs" / language / "index.md").is_file()
        assert language == "fr_FR" or (ROOT / "core" / "i18n" / f"{language}.json").is_file()


def test_its_icon_has_the_size_of_the_market() -> None:
    header = (ROOT / "plugin_info" / f"{INFO['id']}_icon.png").read_bytes()[:24]
    assert header[1:4] == b"PNG"
    assert struct.unpack(">II", header[16:24]) == ICON


def test_it_promises_what_it_has() -> None:
    assert INFO["hasDependency"] is True
    assert INFO["hasOwnDeamon"] is True
    assert INFO["maxDependancyInstallTime"] >= MIN_INSTALL_MIN
    php = (ROOT / "core" / "src" / "Daemon" / "CoreHooks.php").read_text("utf-8")
    for hook in ("deamon_info", "deamon_start", "deamon_stop", "dependancy_info", "dependancy_install"):
        assert hook in php
    assert (ROOT / "desktop" / "php" / f"{INFO['display']}.php").is_file()
    assert (ROOT / "mobile" / "html" / f"{INFO['mobile']}.html").is_file()


def test_its_debians_are_those_on_which_every_test_runs() -> None:
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8")
    (matrix,) = re.findall(r"debian: \[(.+)\]", workflow)
    tried = [int(each) for each in re.findall(r"\d+", matrix)]
    assert (int(INFO["os"]["min"]), int(INFO["os"]["max"])) == (min(tried), max(tried))
    assert INFO["requireOsVersion"] == str(min(tried))
