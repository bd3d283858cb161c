"""Everything that a user reads has an English text, with the same values in it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge.logs import Masker
from tests.support.sentences import DAEMON, ROOT, constants

CATALOGUES = sorted((ROOT / "core" / "contract" / "catalogue").glob("*.json"))
SECTIONS: dict[str, dict[str, str]] = json.loads((ROOT / "core" / "i18n" / "en_US.json").read_text("utf-8"))
SHOWN = ("name", "label", "help", "confirm", "keyLabel", "placeholder", "says")


def shown(part: Any) -> Iterator[str]:
    """The texts of a catalogue; names of commands are data and stay French, what they offer does not."""
    if isinstance(part, list):
        for each in part:
            yield from shown(each)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "tile":
                yield from on_a_tile(value)
            elif key == "choices":
                yield from value.values()
            elif key in SHOWN and isinstance(value, str) and "logicalId" not in part and " " in value:
                yield value
            elif key != "phases":
                yield from shown(value)


def on_a_tile(part: Any) -> Iterator[str]:
    """The texts of a tile, single words as well."""
    if isinstance(part, list):
        for each in part:
            yield from on_a_tile(each)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key in ("label", "plus", "minus", "zero"):
                yield value
            elif key in ("words", "columns"):
                yield from value.values() if isinstance(value, dict) else value
            else:
                yield from on_a_tile(value)


def test_the_tiles_have_their_english_texts() -> None:
    contract = ROOT / "core" / "contract"
    tiles = {"tiles.json": json.loads((contract / "tiles.json").read_text("utf-8"))}
    for path in CATALOGUES:
        catalogue = json.loads(path.read_text("utf-8"))
        parts = [catalogue["connection"], *catalogue["equipment"].values()]
        tiles[f"catalogue/{path.name}"] = [each.get("tile", {}) for each in parts]
    for name, part in tiles.items():
        known = SECTIONS.get(f"plugins/jeenergie/core/contract/{name}", {})
        assert sorted(set(on_a_tile(part)) - known.keys()) == [], name


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_has_its_english_texts(path: Path) -> None:
    known = SECTIONS[f"plugins/jeenergie/core/contract/catalogue/{path.name}"]
    texts = set(shown(json.loads(path.read_text("utf-8"))))
    assert texts
    assert sorted(text for text in texts if text not in known and re.search(r"[a-zà-ÿ]{3,} ", text)) == []


@pytest.mark.parametrize("path", sorted(DAEMON.rglob("*.py")), ids=lambda path: str(path.relative_to(DAEMON)))
def test_a_module_of_the_daemon_has_its_english_texts(path: Path) -> None:
    known = SECTIONS["plugins/jeenergie/resources/daemon"]
    assert sorted(set(constants(path)) - set(known)) == []


@pytest.mark.parametrize(
    "path", sorted((DAEMON / "devices").rglob("*.py")), ids=lambda path: f"{path.parent.name}.{path.stem}"
)
def test_what_is_found_is_named_in_the_users_language(path: Path) -> None:
    """Equipment keeps the name that it was found by: no words in it are the program's own."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Found":
            name = next((each.value for each in node.keywords if each.arg == "name"), (*node.args, None, None, None)[2])
            parts = name.values if isinstance(name, ast.JoinedStr) else [name]
            words = [str(each.value) for each in parts if isinstance(each, ast.Constant) and each.value is not None]
            assert not re.search("[a-zé]", "".join(words), re.I), f"line {node.lineno}: {words}"


def test_both_languages_hold_the_same_values() -> None:
    for french, english in SECTIONS["plugins/jeenergie/resources/daemon"].items():
        assert sorted(re.findall(r"{\w+}", french)) == sorted(re.findall(r"{\w+}", english)), french


def test_no_english_text_begins_with_a_number_sign() -> None:
    """Jeedom cuts it off, as its mark of a text to be translated: "#age# ago" was shown as "age# ago"."""
    assert [text for table in SECTIONS.values() for text in table.values() if text.startswith("#")] == []


@pytest.mark.parametrize("language", ["fr_FR", "en_US"])
def test_no_sentence_is_taken_for_a_secret(language: str) -> None:
    """A sentence such as "refuses the token: the access ..." would reach the user with a hole in it."""
    masker = Masker()
    pairs = [pair for table in SECTIONS.values() for pair in table.items()]
    texts = [french if language == "fr_FR" else english for french, english in pairs]
    shown_texts = [re.sub(r"\{\w+\}|%(?:\d\$)?[sd]", "valeur", text) for text in texts]
    assert [text for text in shown_texts if masker.mask(text) != text] == []
