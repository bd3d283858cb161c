"""The page of refusals has every sentence by which a system refuses, as it comes, in both languages."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from system_pages import DOCS, LANGUAGES, ROOT, SYSTEMS, sections, tables, translations

NAMES = {
    "enphase": ("Enphase", "Enphase"),
    "easee": ("Easee", "Easee"),
    "wes": ("WES", "WES"),
    "econetatmo": ("Écocompteurs (Netatmo)", "Ecometers (Netatmo)"),
    "hellowatt": ("helloWatt", "helloWatt"),
}
"""The heading of each system's table, by language."""
NOT_REFUSALS: dict[str, dict[str, list[str]]] = json.loads(
    Path(__file__).with_name("not_refusals.json").read_text("utf-8")
)
"""What else the systems say, by the reason why it is not on the page."""
ENGLISH = translations()["plugins/jeenergie/resources/daemon"]
BOTH = pytest.mark.parametrize("language", LANGUAGES)
EACH = pytest.mark.parametrize("system", SYSTEMS)


def said(system: str) -> set[str]:
    """Every French sentence in a system's modules: a text of several words that has a translation."""
    return {
        node.value
        for path in (ROOT / "resources" / "daemon" / "devices" / system).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if " " in node.value and node.value in ENGLISH
    }


def as_shown(text: str) -> str:
    """A sentence as the page has it: what changes is left open."""
    return re.sub(r"{\w+(?::[^}]*)?}", "…", text).strip()


def rows(language: str, system: str) -> list[list[str]]:
    """The rows of a system's table."""
    page = sections((DOCS / language / "refusals.md").read_text("utf-8"))
    table = next(tables(page[NAMES[system][LANGUAGES.index(language)]].replace("\\|", "¦")))
    return [[cell.replace("¦", "|") for cell in row] for row in table[1:]]


def other(system: str) -> set[str]:
    return {text for texts in NOT_REFUSALS[system].values() for text in texts}


@BOTH
@EACH
def test_every_sentence_of_a_refusal_has_a_row_and_every_row_is_said(language: str, system: str) -> None:
    refusals = said(system) - other(system)
    shown = [row[0] for row in rows(language, system)]
    assert sorted(shown) == sorted(as_shown(text if language == "fr_FR" else ENGLISH[text]) for text in refusals)


@EACH
def test_the_rows_are_in_the_same_order_in_both_languages(system: str) -> None:
    english = {as_shown(french): as_shown(text) for french, text in ENGLISH.items()}
    assert [english[row[0]] for row in rows("fr_FR", system)] == [row[0] for row in rows("en_US", system)]


@BOTH
@EACH
def test_a_row_tells_what_happened_what_to_do_and_when_the_next_try_is(language: str, system: str) -> None:
    assert [row for row in rows(language, system) if len(row) != 4 or not all(row)] == []


@EACH
def test_what_is_left_out_is_said_and_has_a_reason(system: str) -> None:
    assert sorted(other(system) - said(system)) == []
    assert all(len(reason.split()) > 3 for reason in NOT_REFUSALS[system])
