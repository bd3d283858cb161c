"""One thing has one name: banned twins stand in `banned_words.json` beside this test, with the word to use instead.

Command names are data that scenarios rely on, as they were; they are no part of this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jeedom_bridge.contract import Contract

ROOT = Path(__file__).resolve().parents[2]
BANNED: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("banned_words.json").read_text("utf-8"))
SECTIONS: dict[str, dict[str, str]] = json.loads((ROOT / "core" / "i18n" / "en_US.json").read_text("utf-8"))
WRITTEN_BY_A_TOOL = "commands"


def command_names() -> set[str]:
    """The names of all commands."""
    made = Contract(ROOT / "core" / "contract").catalogues.values()
    return {
        row.data["name"] for each in made for kind in (None, *each.data["equipment"]) for row in each.all_rows(kind)
    }


def texts(language: str) -> Iterator[tuple[str, str]]:
    """Where a text stands, and the text: pages line by line, and everything in the table of translations."""
    names = command_names()
    data = re.compile(
        "`[^`]*`|" + "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True) if " " in name)
    )
    for page in sorted((ROOT / "docs" / language).glob("*.md")):
        if not page.stem.startswith(WRITTEN_BY_A_TOOL):
            for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
                yield f"{page.name}:{number}", data.sub("", line)
    for section, table in SECTIONS.items():
        for french, english in table.items():
            if french not in names:
                yield Path(section).name, french if language == "fr_FR" else english


@pytest.mark.parametrize("language", sorted(BANNED))
def test_one_thing_has_one_name(language: str) -> None:
    found = [
        f"{place}: {text[:90]!r}: use {instead}"
        for place, text in texts(language)
        for pattern, instead in BANNED[language].items()
        if re.search(pattern, text)
    ]
    assert found == []


@pytest.mark.parametrize("language", sorted(BANNED))
def test_what_is_to_be_used_instead_is_not_banned_itself(language: str) -> None:
    for pattern, instead in BANNED[language].items():
        assert not re.search(pattern, instead)
