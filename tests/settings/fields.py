"""Which number fields there are, and at which values each is walked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jeedom_bridge import Contract

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = Contract(ROOT / "core" / "contract")
Field = Mapping[str, Any]


def fields() -> Iterator[tuple[str, Field]]:
    """("<backend> <connection, equipment type or operation> <key>", field) of each."""
    for backend, catalogue in CONTRACT.catalogues.items():
        parts = [("connection", catalogue.fields())]
        parts += [(kind, catalogue.fields(kind)) for kind in catalogue.data["equipment"]]
        parts += [(each["key"], each["fields"]) for each in catalogue.data["connection"]["operations"]]
        for where, found in parts:
            for field in found:
                if field["type"] == "number":
                    yield f"{backend} {where} {field['key']}", field
    for field in CONTRACT.common["settings"]:
        if field["type"] == "number":
            yield f"common commands {field['key']}", field


FIELDS = dict(fields())


def walk(name: str) -> list[Any]:
    """Least, default and most of a field, each once."""
    field = FIELDS[name]
    values = [field["min"], field.get("default", field["min"]), field["max"]]
    return list(dict.fromkeys(values))
