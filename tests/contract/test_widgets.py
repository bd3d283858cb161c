"""The widgets that the catalogues name exist in Jeedom's core: one that does not leaves an empty place on the tile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CORE = Path(__file__).resolve().parents[2] / "core"
CATALOGUES = sorted((CORE / "contract" / "catalogue").glob("*.json"))
BINARY = {"default", "icon", "line", "alert", "door", "heat", "light", "lock", "presence", "prise", "window", "flood"}


def commands(part: Any) -> Iterator[dict[str, Any]]:
    """All rows of a catalogue."""
    if isinstance(part, list):
        for each in part:
            yield from commands(each)
    elif isinstance(part, dict):
        if "logicalId" in part:
            yield part
        for value in part.values():
            yield from commands(value)


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_binary_has_a_widget_for_binaries(path):
    rows = [row for row in commands(json.loads(path.read_text("utf-8"))) if row["subType"] == "binary"]
    named = [(row["logicalId"], *row["template"].split("::")) for row in rows if "template" in row]
    assert [each for each in named if each[1] == "core" and each[2] not in BINARY] == []


def test_both_views_have_the_same_widgets():
    """Jeedom wants a file for each view and offers only those that are there: they are written once and copied."""
    dashboard, mobile = (
        {path.name: path.read_bytes() for path in (CORE / "template" / view).glob("*.html")}
        for view in ("dashboard", "mobile")
    )
    assert dashboard
    assert dashboard == mobile
