"""What a page sets in italics or bold is a label that stands on the screen in that language, or says that it is none.

Pages of the changes quote labels that are gone; the lists of commands and of refusals are held by tests of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTIONS: dict[str, dict[str, str]] = json.loads((ROOT / "core" / "i18n" / "en_US.json").read_text("utf-8"))
EMPHASIS = json.loads(Path(__file__).with_name("emphasis.json").read_text("utf-8"))
LANGUAGES = ("fr_FR", "en_US")
BOTH = pytest.mark.parametrize("language", LANGUAGES)
HELD_ELSEWHERE = ("changelog", "commands", "refusals")


def pages(language: str) -> list[Path]:
    return [
        path for path in sorted((ROOT / "docs" / language).glob("*.md")) if not path.stem.startswith(HELD_ELSEWHERE)
    ]


def emphasized(page: Path) -> Iterator[str]:
    """The words in italics and bold; of a way through menus, each of its steps."""
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    for found in re.finditer(r"\*\*(.+?)\*\*|(?<!\*)\*([^*\n]+)\*(?!\*)", text):
        yield from re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", found[1] or found[2]).split(" → ")


def same(text: str) -> str:
    """For comparison: kinds of blanks and apostrophes, capitals and a full stop at the end make no difference."""
    return re.sub(r"\s+", " ", text).strip().rstrip(".: ").casefold().replace("’", "'")


def texts(part: Any) -> Iterator[str]:
    """All texts of a JSON."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, (dict, list)):
        for each in part.values() if isinstance(part, dict) else part:
            yield from texts(each)


def _names(part: Any) -> Iterator[str]:
    """Names of commands in a catalogue, and the words that are their values."""
    if isinstance(part, dict) and "logicalId" in part and isinstance(part.get("name"), str):
        yield part["name"]
        yield from texts(part.get("map"))
    if isinstance(part, (dict, list)):
        for each in part.values() if isinstance(part, dict) else part:
            yield from _names(each)


def on_screen(language: str) -> set[str]:
    """The plugin's own texts. Names of commands and the values of states are French in every language."""
    own = [french if language == "fr_FR" else text for table in SECTIONS.values() for french, text in table.items()]
    common = json.loads((ROOT / "core" / "contract" / "common.json").read_text("utf-8"))
    own += common["states"].values()
    for path in (ROOT / "core" / "contract").rglob("*.json"):
        contract = json.loads(path.read_text("utf-8"))
        own += texts(contract) if language == "fr_FR" else _names(contract)
    return {same(part) for text in own for part in (text, *text.split("|"))}


@BOTH
def test_an_emphasized_label_is_on_the_screen_in_that_language(language: str) -> None:
    jeedom = EMPHASIS["jeedom"] if language == "fr_FR" else EMPHASIS["jeedom"].values()
    known = on_screen(language) | {same(each) for each in (*jeedom, *EMPHASIS["elsewhere"])}
    known |= {same(each) for each in EMPHASIS["stressed"][language]}
    found = [f"{page.stem}: {each}" for page in pages(language) for each in emphasized(page) if same(each) not in known]
    assert found == []


@BOTH
def test_no_exception_is_left_that_no_page_needs(language: str) -> None:
    used = {same(each) for page in pages(language) for each in emphasized(page)}
    assert [each for each in EMPHASIS["stressed"][language] if same(each) not in used] == []
    both = {same(each) for code in LANGUAGES for page in pages(code) for each in emphasized(page)}
    assert [each for each in EMPHASIS["elsewhere"] if same(each) not in both] == []


@pytest.mark.parametrize("page", pages("fr_FR"), ids=lambda page: page.stem)
def test_a_label_of_the_french_page_is_named_on_the_english_one_as_it_is_translated(page: Path) -> None:
    translated: dict[str, set[str]] = {}
    for table in SECTIONS.values():
        for french, english in table.items():
            translated.setdefault(same(french), {same(french)}).add(same(english))
    there = same((ROOT / "docs" / "en_US" / page.name).read_text("utf-8"))
    labels = {each for each in emphasized(page) if same(each) in translated}
    assert [each for each in labels if not any(text in there for text in translated[same(each)])] == []
