"""Every recorded answer has a made-up twin of the same shape, and nothing that was measured or named is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jeenergied.devices.common.endpoints import shape_of

from simulators import twins
from tests.support.recorded import GATEWAYS, RECORDED, shape

FILES = ("easee", "econetatmo", "hellowatt", "wes")


def texts() -> dict[str, tuple[str, str]]:
    """What was recorded and its twin, by place; "" for a twin that is missing."""
    found: dict[str, tuple[str, str]] = {}
    for folder, name in GATEWAYS.items():
        for path in sorted((RECORDED / "enphase" / folder).iterdir()):
            if not path.name.endswith("_log.json"):
                twin = twins.gateway(name) / path.name
                found[f"enphase/{folder}/{path.name}"] = _pair(path, twin)
    for vendor in FILES:
        for path in sorted((RECORDED / vendor).iterdir()):
            if path.name != "ORIGIN.md":
                found[f"{vendor}/{path.name}"] = _pair(path, twins.HERE / vendor / path.name)
    return found


def _pair(path: Path, twin: Path) -> tuple[str, str]:
    return path.read_text(encoding="utf-8"), twin.read_text(encoding="utf-8") if twin.is_file() else ""


PAIRS = texts() if RECORDED.is_dir() else {}
if not PAIRS:
    pytest.skip("no recorded answers here", allow_module_level=True)


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return re.sub(r">[^<]+<", "><", text)  # of a page its elements, without what stands in them


@pytest.mark.parametrize("place", PAIRS)
def test_a_twin_has_the_shape_of_what_was_recorded(place: str) -> None:
    recorded, twin = (parsed(text) for text in PAIRS[place])
    if isinstance(recorded, str):
        assert tags(twin) == tags(recorded)
    else:
        assert without_comments(shape(twin)) == without_comments(shape(recorded))
        assert shape_of(recorded).keys() - {"_synthetic"} <= shape_of(twin).keys() or len(shape_of(recorded)) > 190


def without_comments(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {each for each in found if each[0] != "._synthetic"}


def tags(page: str) -> list[str]:
    return re.findall(r"<[/\w?!-]+", page)


def test_no_folder_was_recorded_that_has_no_twin() -> None:
    assert {path.name for path in (RECORDED / "enphase").iterdir() if path.is_dir()} == set(GATEWAYS)
    assert sorted(GATEWAYS.values()) == twins.gateways()
    assert {path.name for path in RECORDED.iterdir() if path.is_dir()} == {"enphase", *FILES}


TELLING = {
    "figures": re.compile(r"(?<![\w.:-])(?![56]0\.)\d{2,}\.\d{3,}(?![\w.-])"),
    "times": re.compile(r"\b(?!1627390|177838)1[3-8]\d{8}\b"),
    "serial numbers": re.compile(r"\b(?:1[12]\d{10}|48\d{10}|49\d{10})\b"),
    "addresses": re.compile(r"\b(?:[0-9a-fA-F]{2}:){5,}[0-9a-fA-F]{2}\b"),
    "identifiers": re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{24}\b|\b[A-Za-z0-9]{32}\b"),
    "people": re.compile(r"(?i)\b(?:john|jane|richard) doe\b|camille|\bmartin\b"),
}
"""What would say that an answer was measured at somebody's."""


@pytest.mark.parametrize("what", TELLING)
def test_nothing_that_was_recorded_is_in_a_twin(what: str) -> None:
    kept = {
        place: found
        for place, (recorded, twin) in PAIRS.items()
        if (found := set(TELLING[what].findall(recorded)) & set(TELLING[what].findall(twin)))
    }
    assert kept == {}


def test_the_patterns_find_something() -> None:
    every = "\n".join(recorded for recorded, _ in PAIRS.values())
    assert all(pattern.search(every) for pattern in TELLING.values())
