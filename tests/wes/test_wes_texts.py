"""Everything that a user reads about a WES has an English text."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.wes.rig import CATALOGUE, CORE

PARTS = json.loads((CORE / "i18n" / "parts" / "wes.en_US.json").read_text("utf-8"))
SHOWN = ("name", "label", "help", "confirm", "keyLabel")
PACKAGE = CORE.parent / "resources" / "daemon" / "devices" / "wes"


def shown(part: Any) -> Iterator[str]:
    """The texts of a catalogue; names of commands are data and stay French."""
    if isinstance(part, list):
        for each in part:
            yield from shown(each)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "choices":
                yield from value.values()
            elif key in SHOWN and isinstance(value, str):
                yield value
            elif key not in ("commands", "sets"):
                yield from shown(value)


def templates(path: Path) -> Iterator[str]:
    """French templates: texts with a space that are given to an error, `say`, `message` or `progress`."""
    told = re.compile(r"say|message|progress|[A-Z]\w+")
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(call, ast.Call):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            if told.fullmatch(name) and name not in ("Path", "Decimal", "HttpError"):
                for each in call.args:
                    if isinstance(each, ast.Constant) and isinstance(each.value, str) and " " in each.value.strip("{}"):
                        yield each.value


def test_the_catalogue_has_its_english_texts() -> None:
    known = PARTS["plugins/jeenergie/core/contract/catalogue/wes.json"]
    assert sorted(set(shown(CATALOGUE.data)) - set(known)) == []


def test_the_daemon_has_its_english_texts_with_the_same_values() -> None:
    known = PARTS["plugins/jeenergie/resources/daemon"]
    found = {text for path in PACKAGE.glob("*.py") for text in templates(path)}
    assert len(found) > 25
    assert sorted(found - set(known)) == []
    for french, english in known.items():
        assert sorted(re.findall(r"{\w+}", french)) == sorted(re.findall(r"{\w+}", english)), french
