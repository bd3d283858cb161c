#!/usr/bin/env python3
"""Writes tests/contract/commands.tsv: every command of every type as Jeedom knows it, catalogues expanded.

Histories and scenarios hang on these ids, types, units and names, so that a change of one of them must be meant: a test
compares the file byte for byte, and this program, run on purpose, makes it anew. One line per command, in the order of
the catalogue: backend, type of equipment (`-`: the connection), logicalId, type, subType, unit, generic type, name; a
unit that a setting decides is `setting: value=unit, ...`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SNAPSHOT = ROOT / "tests" / "contract" / "commands.tsv"

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


def lines(core: Path = ROOT / "core" / "contract") -> Iterator[str]:
    """One line per command, without its end."""
    from jeedom_bridge.contract import Contract

    for backend, catalogue in sorted(Contract(core).catalogues.items()):
        for kind in (None, *catalogue.data["equipment"]):
            for row in catalogue.all_rows(kind):
                data = row.data
                cells = (data["type"], data["subType"], _unit(data.get("unit", "")), data.get("genericType", ""))
                yield "\t".join((backend, kind or "-", row.logical_id, *cells, data["name"]))


def text() -> str:
    """The whole file."""
    return "\n".join(lines()) + "\n"


def _unit(unit: Any) -> str:
    if not isinstance(unit, dict):
        return str(unit)
    return f"{unit['by']}: " + ", ".join(f"{value}={name}" for value, name in unit.items() if value != "by")


if __name__ == "__main__":
    SNAPSHOT.write_text(text(), encoding="utf-8")
