"""The addresses of info.json lead to pages of the plugin itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jeedom_host import URL, Jeedom

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
