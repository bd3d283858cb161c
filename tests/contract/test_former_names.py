"""Former names of commands, which users of the former plugins look for, stand beside those of today."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge.contract import Contract

CONTRACT = Path(__file__).resolve().parents[2] / "core" / "contract"
CATALOGUES = Contract(CONTRACT).catalogues
FORMER = json.loads((CONTRACT / "former_names.json").read_text("utf-8"))
BACKENDS = sorted(FORMER["systems"])


def folded(name: str) -> str:
    """As the database compares names: without case and accents."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(each for each in plain if not unicodedata.combining(each)).casefold()


def rows_of(backend: str) -> list[dict[str, Any]]:
    made = CATALOGUES[backend]
    return [dict(row.data) for kind in (None, *made.data["equipment"]) for row in made.all_rows(kind)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_former_name_belongs_to_a_command_that_is_there_and_has_another_name(backend: str) -> None:
    rows = rows_of(backend)
    for key, former in FORMER["systems"][backend].items():
        logical_id, _, today = key.partition(" (")
        found = [
            row["name"]
            for row in rows
            if row["logicalId"] in {logical_id.replace("{n}", str(n)) for n in range(1, 4)}
            and today in ("", row["name"] + ")")
        ]
        assert found, key
        assert former not in found, key


@pytest.mark.parametrize("backend", sorted(CATALOGUES))
def test_names_are_unique_in_an_equipment_also_without_accents(backend: str) -> None:
    made = CATALOGUES[backend]
    for kind in (None, *made.data["equipment"]):
        by_name: dict[str, set[str]] = {}
        for row in made.all_rows(kind):
            by_name.setdefault(folded(row.data["name"]), set()).add(row.logical_id)
        assert {name: ids for name, ids in by_name.items() if len(ids) > 1 and not alternatives(backend, ids)} == {}


def alternatives(backend: str, ids: set[str]) -> bool:
    """Rows of which an equipment has one only, such as those of electricity and of water."""
    return backend == "econetatmo" and bool(ids & {"sum_fluid_consumption$0", "sum_fluid_price$0"})


def test_names_are_words_that_a_user_reads() -> None:
    """No ON and OFF, no abbreviation of the former plugins, accents on capitals."""
    bad = (
        "Impor ",
        " ON",
        " OFF",
        "Prod ",
        "Conso ",
        " MES",
        "Inst",
        "Etat",
        "Energie",
        "disponnible",
        "Max",
        " MAJ",
        "J-1",
    )
    names = {row["name"] for backend in CATALOGUES for row in rows_of(backend)}
    allowed = {"Intensité instantanée", *(f"Intensité instantanée phase {n}" for n in (1, 2, 3))}
    assert [name for name in sorted(names - allowed) if any(part in f" {name}" for part in bad)] == []
