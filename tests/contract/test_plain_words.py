"""What a user reads has neither HTTP statuses nor the system's or a library's words: those are for the debug log."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from tests.support.sentences import DAEMON, PLACES, ROOT, constants, errors

TECHNICAL = re.compile(
    r"\bstatuts? \W?[\d{]|\bstatus \W?[\d{]|\{status\}|\{code\}|\{told\}|\{reply\}|\(\d{3}\)|\bcode \d|\berrno\b|"
    r"HTTP \d|erreur HTTP|HTTP error|\bJSON\b|timeout|time-out|Connection re|/api/|\.cgi\b",
    re.IGNORECASE,
)
SECTIONS: dict[str, dict[str, str]] = json.loads((ROOT / "core" / "i18n" / "en_US.json").read_text("utf-8"))
RAW = {"str", "repr", "_short"}


def test_the_pattern_finds_what_it_is_for() -> None:
    for text in (
        "Easee refuse : statut 400",
        "(status {status})",
        "refuse (403)",
        "code 9",
        "Connection reset by peer",
    ):
        assert TECHNICAL.search(text)
    for text in ("le compte HTTP du WES", "code à usage unique", "le statut de la borne"):
        assert not TECHNICAL.search(text)


@pytest.mark.parametrize("path", sorted(DAEMON.rglob("*.py")), ids=lambda path: str(path.relative_to(DAEMON)))
def test_no_sentence_for_the_user_is_technical_in_either_language(path: Path) -> None:
    english = SECTIONS["plugins/jeenergie/resources/daemon"]
    texts = [text for french in set(constants(path)) for text in (french, english.get(french, ""))]
    assert [text for text in texts if TECHNICAL.search(text)] == []


@pytest.mark.parametrize("path", sorted(DAEMON.rglob("*.py")), ids=lambda path: str(path.relative_to(DAEMON)))
def test_no_value_of_a_sentence_is_the_text_of_an_exception(path: Path) -> None:
    """Errors are handed over as they are: `Texts` has words for their classes, in the user's language."""
    raw = []
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if name not in errors() and name not in PLACES:
            continue
        for value in call.keywords:
            inner = value.value
            made = isinstance(inner, ast.Call) and getattr(inner.func, "id", "") in RAW
            if value.arg in ("error", "why", "reason") and (made or getattr(inner, "attr", "") == "strerror"):
                raw.append(f"{path.name}:{call.lineno}: {value.arg}")
    assert raw == []


def test_words_of_errors_are_plain_too() -> None:
    reasons = json.loads((ROOT / "core" / "contract" / "common.json").read_text("utf-8"))["reasons"]
    assert [text for text in reasons.values() if TECHNICAL.search(text)] == []
