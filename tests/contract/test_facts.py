"""The facts of a backend against its catalogue: every source is a known fact, every fact is shown or internal."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from jeenergied.devices.common.facts import Fact, written_out

from jeedom_bridge.contract import Contract, Row

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = Contract(ROOT / "core" / "contract").catalogues
BACKENDS = sorted(path.parent.name for path in (ROOT / "resources" / "daemon" / "devices").glob("*/facts.py"))
BACKENDS = [each for each in BACKENDS if each in CATALOGUES]
OF_A_PERIOD = ("month.", "year.")
"""Sums that exist for every figure of a day; rows show some of them."""
SCALES = {
    ("Wh", "kWh"): 0.001,
    ("VAh", "kVAh"): 0.001,
    ("varh", "kvarh"): 0.001,
    ("W", "kW"): 0.001,
    ("kW", "W"): 1000,
    ("EUR", "€"): 1,
    ("d", "j"): 1,
    ("d", "jours"): 1,
}


def facts_of(backend: str) -> dict[str, dict[str, Fact]]:
    """The facts by equipment type; '' is the connection."""
    facts: dict[str, dict[str, Fact]] = importlib.import_module(f"jeenergied.devices.{backend}.facts").FACTS
    return facts


def rows_of(backend: str) -> list[tuple[str, Row]]:
    """(equipment type, row) of all rows that show a fact of the backend's own."""
    catalogue = CATALOGUES[backend]
    return [
        (kind or "", row)
        for kind in (None, *catalogue.data["equipment"])
        for row in catalogue.all_rows(kind)
        if row.source and row.data["type"] == "info"
    ]


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_source_is_a_known_fact(backend: str) -> None:
    facts = facts_of(backend)
    unknown = [(kind, row.logical_id, row.source) for kind, row in rows_of(backend) if row.source not in facts[kind]]
    assert unknown == []
    internal = [(kind, row.source) for kind, row in rows_of(backend) if facts[kind][str(row.source)].internal]
    assert internal == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_fact_has_a_row_or_is_internal(backend: str) -> None:
    shown = {row.source for _, row in rows_of(backend)}
    facts = {name: fact for each in facts_of(backend).values() for name, fact in each.items()}
    unseen = {name for name, fact in facts.items() if not fact.internal and not name.startswith(OF_A_PERIOD)} - shown
    assert unseen == set()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_row_brings_a_fact_to_its_unit(backend: str) -> None:
    wrong = []
    for kind, row in rows_of(backend):
        unit, shown = facts_of(backend)[kind][str(row.source)].unit, str(row.data.get("unit", ""))
        scale = SCALES.get((unit, shown), 1 if shown in ("", unit) else None)
        if scale != row.data.get("scale", 1):
            wrong.append((kind, row.logical_id, unit, shown, row.data.get("scale")))
    assert wrong == []


def test_places_are_written_out() -> None:
    fact = Fact("W", "power")
    found = written_out({"<a>.x<b>": fact, "y": fact}, {"<a>": ("p", "q"), "<b>": ("", ".1")})
    assert sorted(found) == ["p.x", "p.x.1", "q.x", "q.x.1", "y"]
    with pytest.raises(ValueError, match="<c>"):
        written_out({"<c>": fact}, {})
