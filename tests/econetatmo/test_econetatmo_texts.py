"""Everything that a user may read has an English text with the same placeholders."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BACKEND = ROOT / "resources" / "daemon" / "devices" / "econetatmo"
CATALOGUE = ROOT / "core" / "contract" / "catalogue" / "econetatmo.json"
PLACES = {"message": 1, "progress": 2, "say": 0, "kind": 0}
SHOWN = ("name", "help", "label", "confirm", "keyLabel")
UNTRANSLATED = re.compile(r"\{n\}.*|(Cumulated|Sum) energy .*")


def english() -> dict[str, str]:
    """All English texts, merged or still in their part."""
    files = [ROOT / "core" / "i18n" / "en_US.json", ROOT / "core" / "i18n" / "parts" / "econetatmo.en_US.json"]
    sections = [section for file in files if file.exists() for section in json.loads(file.read_text()).values()]
    return {french: text for section in sections for french, text in section.items()}


def templates() -> Iterator[str]:
    """The French templates of the backend's errors and messages."""
    for file in BACKEND.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                place = PLACES.get(name, 0 if name[:1].isupper() else 9)
                text = node.args[place] if len(node.args) > place else None
                if isinstance(text, ast.Constant) and isinstance(text.value, str) and " " in text.value:
                    yield text.value


def shown(part: Any) -> Iterator[str]:
    """The texts of a catalogue."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key in SHOWN and isinstance(value, str):
                yield value
            elif key == "choices":
                yield from value.values()
            else:
                yield from shown(value)
    elif isinstance(part, list):
        for value in part:
            yield from shown(value)


def test_every_template_and_text_has_its_english() -> None:
    known = english()
    found = set(templates())
    assert len(found) > 40
    found |= {text for text in shown(json.loads(CATALOGUE.read_text())) if not UNTRANSLATED.fullmatch(text)}
    assert sorted(found - set(known)) == []
    for text in found:
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", known[text])), text
