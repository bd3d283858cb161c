"""Answers recorded of real devices, where they are beside the repository, and their made-up twins, which always are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simulators import twins

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "recorded"
GATEWAYS = {
    "7.6.175_standard": "standard",
    "7.6.175_with_cts": "metered",
    "7.6.175_with_cts_3phase": "three-phase",
    "7.6.185_with_cts_and_battery_3t": "battery",
    "8.2.4264_metered_noct": "no-transformers",
    "8.2.4345_with_device_data": "device-data",
    "8.2.4382_ACB": "ac-battery",
    "8.3.1598_collar": "collar",
}
"""The folders of the recorded Enphase gateways, and the twin of each."""


def gateways() -> list[Path]:
    """The folders of all Enphase gateways: the twins, and the recorded ones where they are."""
    folder = RECORDED / "enphase"
    recorded = sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []
    return [*(twins.gateway(name) for name in twins.gateways()), *recorded]


def answers(vendor: str, name: str) -> list[Any]:
    """The parsed answers of that name: the twin, and the recorded one where it is. What is no JSON is text."""
    found = [twins.twin(vendor, name)]
    path = RECORDED / vendor / name
    if path.is_file():
        text = path.read_text(encoding="utf-8")
        found.append(json.loads(text) if path.suffix == ".json" else text)
    return found


def shape(answer: Any) -> set[tuple[str, str]]:
    """The place and the type of every part: ("list[].name", "text"). Keys that are data (a date, a number) are "*".

    As `shape_of` of the daemon has it, without its limits: what it leaves out would not be compared.
    """
    found: set[tuple[str, str]] = set()
    _walk(answer, "", found)
    return found


_TYPES: dict[type, str] = {dict: "object", list: "list", str: "text", bool: "boolean", int: "number", float: "number"}


def _walk(part: Any, place: str, found: set[tuple[str, str]]) -> None:
    found.add((place, _TYPES.get(type(part), "null")))
    if isinstance(part, dict):
        for key, inner in part.items():
            data = len(key) > 6 and any(letter.isdigit() for letter in key)
            _walk(inner, f"{place}.{'*' if data else key}", found)
    elif isinstance(part, list):
        for inner in part:
            _walk(inner, f"{place}[]", found)
