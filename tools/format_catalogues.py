#!/usr/bin/env python3
"""Writes the catalogues and their profiles as people like to edit them: a row, a field or a profile on one line.

`--check`: only says which files are not so. Folders to look at may be named; without them it is core/contract.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MAX_WIDTH = 120
"""Characters of a line, where the thing on it is not one that always has a line of its own."""
KEYS = {
    "what it is": ["logicalId", "key", "name", "label", "as", "type", "subType", "unit", "measures", "does"],
    "how it is shown": ["genericType", "template", "inverted", "order", "visible", "private", "required", "readonly"],
    "what it may be": ["default", "min", "max", "step", "choices", "icons", "placeholder"],
    "how it is kept": ["history", "historizeMode", "precision", "cadence", "value"],
    "when it is there": ["create", "phases", "each", "dated", "silence", "when"],
    "where it comes from": ["map", "scale", "source", "sends", "settings", "advanced", "help"],
}
"""The usual order of a row's keys."""
PLACES = {key: place for place, key in enumerate(key for group in KEYS.values() for key in group)}


def written(value: Any, indent: int = 0) -> str:
    """The text of a part of a catalogue, from where it begins in its line on."""
    inner, outer = " " * (indent + 2), " " * indent
    if isinstance(value, dict) and (indent == 0 or len(_compact(value)) + indent > MAX_WIDTH):
        if len(value) == 1 and indent:
            ((key, part),) = value.items()
            return f"{{{_compact(key)}: {written(part, indent)}}}"
        return "{\n" + ",\n".join(_lines(value, indent + 2)) + f"\n{outer}}}"
    if _is_list_of_rows(value):
        parts = [inner + (written(each, indent + 2) if _has_rows(each) else _compact(_sorted(each))) for each in value]
        return "[\n" + ",\n".join(parts) + f"\n{outer}]"
    return _compact(value)


def _lines(part: dict[str, Any], indent: int) -> list[str]:
    """The members of an object, several on a line where they are short, without the commas at the ends."""
    lines: list[str] = []
    is_open = False
    for key, value in part.items():
        text = f"{_compact(key)}: {written(value, indent)}"
        is_short = "\n" not in text and not isinstance(value, dict)
        if is_open and is_short and len(lines[-1]) + 2 + len(text) <= MAX_WIDTH:
            lines[-1] += f", {text}"
        else:
            lines.append(" " * indent + text)
        is_open = is_short
    return lines


def _has_rows(part: Any) -> bool:
    """Whether rows of commands or fields are in it. The settings of a row stay in the row's line."""
    if not isinstance(part, dict):
        return False
    inside = {key: value for key, value in part.items() if not (key == "settings" and "logicalId" in part)}
    return any(_is_list_of_rows(value) or _has_rows(value) for value in inside.values())


def _is_list_of_rows(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict) for each in value)


def _sorted(row: Any) -> Any:
    """A row with its keys in the usual order; one that is not known comes last."""
    if not isinstance(row, dict):
        return row
    return dict(sorted(row.items(), key=lambda each: PLACES.get(each[0], len(PLACES))))


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def files(folder: Path) -> list[Path]:
    """What is formatted in a contract's folder."""
    return [
        path for path in [folder / "profiles.json", *sorted((folder / "catalogue").glob("*.json"))] if path.is_file()
    ]


def main(arguments: list[str]) -> int:
    """Writes the files, or compares them. Returns the exit code."""
    check = "--check" in arguments
    folders = [Path(each) for each in arguments if each != "--check"] or [ROOT / "core" / "contract"]
    wrong = []
    for path in (path for folder in folders for path in files(folder)):
        text = path.read_text("utf-8")
        formatted = written(json.loads(text)) + "\n"
        if formatted != text:
            wrong.append(path)
            if not check:
                path.write_text(formatted, "utf-8")
    for path in wrong:
        print(f"{path} is not formatted: run tools/format_catalogues.py" if check else f"{path} written")
    return 1 if check and wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
