"""Every tile of an English Jeedom: what is read is English, though names of commands and states are French data."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTIONS: dict[str, dict[str, str]] = json.loads((ROOT / "core" / "i18n" / "en_US.json").read_text("utf-8"))
GIVEN = re.compile(r"Équipement \d|Maison \w+")
"""What the user of render.php calls his own."""


def words(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[^\W\d_]{3,}", text)}


def french() -> set[str]:
    """Words of the French texts that no English one has."""
    pairs = [pair for section in SECTIONS.values() for pair in section.items()]
    spoken: set[str] = set().union(*(words(text) for text, _ in pairs))
    return spoken - set().union(*(words(text) for _, text in pairs))


def test_no_french_word_is_read_on_an_english_tile() -> None:
    if shutil.which("php") is None:
        pytest.skip("php is not on this machine")
    command = ["php", str(Path(__file__).with_name("render.php")), str(ROOT), "english"]
    tiles = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert {"Charging", "Details"} <= set(re.findall(r"[^<>]+", " ".join(tiles.values())))
    banned = french()
    assert len(banned) > 1000
    found = {}
    for name, tile in tiles.items():
        read = re.sub(r"<(style|script).*?</\1>", "", tile, flags=re.S)
        texts = [html.unescape(text).strip() for text in re.findall(r">([^<]+)<", read)]
        texts = [GIVEN.sub("", text) for text in texts]
        bad = [text for text in texts if words(text) & banned or re.search("[àâçéèêëîïôùû]", text, re.I)]
        if bad:
            found[name] = sorted(set(bad))
    assert found == {}
