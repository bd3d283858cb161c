"""The changes are told once, in two languages, by version and date."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MONTHS = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]
UNRELEASED = {"fr_FR": "À venir", "en_US": "Unreleased"}


def versions(language: str) -> list[tuple[str, date | None, list[int]]]:
    """Name, day and the number of entries below each line of text, newest first."""
    text = (ROOT / "docs" / language / "changelog.md").read_text("utf-8")
    found = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        name, _, day = heading.partition(" – ")
        lists = re.findall(r"(?:^- .*\n)+", body, re.MULTILINE)
        name = "" if name == UNRELEASED[language] else name
        found.append((name, when(language, day) if day else None, [each.count("\n- ") + 1 for each in lists]))
    return found


def when(language: str, text: str) -> date:
    if language == "en_US":
        return datetime.strptime(text, "%B %d, %Y").date()
    number, month, year = text.split()
    return date(int(year), MONTHS.index(month) + 1, int(number))


def test_both_languages_tell_the_same() -> None:
    assert versions("fr_FR") == versions("en_US")


@pytest.mark.parametrize("language", UNRELEASED)
def test_every_version_has_its_day_and_the_newest_is_first(language: str) -> None:
    told = versions(language)
    days = [day for name, day, _ in told if name]
    assert None not in days
    assert days == sorted(days, reverse=True)  # type: ignore[type-var]
    assert [name for name, _, _ in told[1:] if not name] == []


def test_the_version_that_is_installed_is_told_of() -> None:
    version = json.loads((ROOT / "plugin_info" / "info.json").read_text("utf-8"))["pluginVersion"]
    assert version in [name for name, _, _ in versions("fr_FR")]


def test_there_is_no_second_list() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Unreleased"]
    assert "docs/fr_FR/changelog.md" in text
