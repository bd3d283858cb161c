"""What a command is to Jeedom's mobile application and to bridges: a generic type that exists and says the truth."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge.contract import Contract, Row

ALLOWED: dict[str, Any] = json.loads(Path(__file__).with_name("generic_types.json").read_text("utf-8"))
TYPES, QUANTITIES = ALLOWED["types"], ALLOWED["quantities"]
CONTRACT = Contract(Path(__file__).resolve().parents[2] / "core" / "contract")
CORE = Path(os.environ.get("JEEDOM_ROOT", "/nowhere"), "core", "config", "jeedom.config.php")


def rows() -> list[tuple[str, Row]]:
    return [
        (f"{name}.{kind or 'connection'}.{row.logical_id}", row)
        for name, catalogue in CONTRACT.catalogues.items()
        for kind in (None, *catalogue.data["equipment"])
        for row in catalogue.all_rows(kind)
    ]


def test_a_generic_type_is_one_of_the_core_for_such_a_value() -> None:
    wrong = []
    for name, row in rows():
        generic = row.data.get("genericType", "")
        known = TYPES.get(generic)
        if generic == "":
            continue
        fits = known and (known["type"], row.data["subType"] in known["subTypes"]) == (row.data["type"], True)
        unit = row.data.get("unit", "")
        if not fits or (known["units"] is not None and isinstance(unit, str) and unit not in known["units"]):
            wrong.append(f"{name}: {generic} for {row.data['type']} {row.data['subType']} {unit!r}")
    assert wrong == []


def test_what_measures_energy_in_litres_is_no_electricity() -> None:
    """A unit that a setting chooses has to fit for every choice that its condition allows."""
    wrong = []
    for name, row in rows():
        unit, known = row.data.get("unit", ""), TYPES.get(row.data.get("genericType", ""))
        if isinstance(unit, str) or not known or known["units"] is None:
            continue
        wanted = row.data.get("when", {}).get(unit["by"], list(unit))
        chosen = [wanted] if isinstance(wanted, str) else wanted
        wrong += [f"{name}: {unit[each]}" for each in chosen if each in unit and unit[each] not in known["units"]]
    assert [each for each in wrong if not each.endswith(": by")] == []


def test_a_quantity_is_what_the_table_says() -> None:
    wrong = []
    for name, row in rows():
        word = row.measures[0] if row.measures else row.data.get("does", "")
        generic = row.data.get("genericType", "")
        if generic not in QUANTITIES.get(word, [generic if word == "" else ""]):
            wrong.append(f"{name} ({word}): {generic or 'none'}")
    assert wrong == []


@pytest.mark.skipif(not CORE.exists(), reason="no Jeedom on this machine")
def test_the_table_is_the_cores() -> None:
    text = CORE.read_text("utf-8")
    for name, known in TYPES.items():
        _, found, entry = text.partition(f"'{name}' => array(")
        assert found, name
        kind = re.search(r"'type' => '(\w+)'", entry)
        assert kind is not None, name
        assert kind[1] in (known["type"].capitalize(), "All"), name
