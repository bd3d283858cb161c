"""The closed vocabulary: what a command measures or does is one of its words, in the right unit."""

from __future__ import annotations

from pathlib import Path

import pytest

from jeedom_bridge.contract import Catalogue, Contract, Row

CONTRACT = Contract(Path(__file__).resolve().parents[2] / "core" / "contract")
QUANTITIES, DOES = CONTRACT.quantities["quantities"], CONTRACT.quantities["does"]
SAME_UNIT = {
    "W": {"W", "kW"},
    "Wh": {"Wh", "kWh"},
    "VA": {"VA"},
    "A": {"A"},
    "V": {"V"},
    "%": {"%"},
    "€": {"€"},
    "kgCO₂": {"kgCO₂"},
    "": {""},
}
GENERIC = {"POWER": ("W", "VA"), "CONSUMPTION": ("Wh",), "PRODUCTION": ("Wh",), "VOLTAGE": ("V",), "BATTERY": ("%",)}
"""The units that a quantity may have when the row has this generic type of Jeedom."""


def rows() -> list[tuple[str, Row]]:
    found = []
    for name, catalogue in CONTRACT.catalogues.items():
        for kind in (None, *catalogue.data["equipment"]):
            found += [(f"{name}.{kind or 'connection'}.{row.logical_id}", row) for row in catalogue.all_rows(kind)]
    return found


MEASURING = [(name, row) for name, row in rows() if row.measures]


def test_the_vocabulary_is_as_its_schema_says() -> None:
    CONTRACT.validate("quantities", CONTRACT.quantities)


@pytest.mark.parametrize(("name", "row"), MEASURING, ids=[name for name, _ in MEASURING])
def test_what_a_row_measures_is_a_word_of_the_vocabulary_in_its_unit(name: str, row: Row) -> None:
    measures = row.measures
    assert measures is not None
    quantity, per, part = measures
    known = QUANTITIES[quantity]
    assert row.data["type"] == "info"
    assert per in CONTRACT.quantities["per"]
    assert part == "" or part in CONTRACT.quantities["parts"]
    unit = row.data.get("unit", "")
    if isinstance(unit, str):
        assert unit in SAME_UNIT[known["unit"]]
    generic = row.data.get("genericType", "")
    if generic in GENERIC:
        assert known["unit"] in GENERIC[generic]


def test_what_an_action_does_is_a_word_of_the_vocabulary() -> None:
    doing = [(name, row.data["does"], row.data["type"]) for name, row in rows() if "does" in row.data]
    assert len(doing) >= 6
    assert [each for each in doing if each[1] not in DOES or each[2] != "action"] == []


def test_every_word_is_used_somewhere() -> None:
    """A word that nothing measures would be a promise."""
    assert {row.measures[0] for _, row in rows() if row.measures} == set(QUANTITIES)
    assert {row.data["does"] for _, row in rows() if "does" in row.data} == set(DOES)


@pytest.mark.parametrize("catalogue", CONTRACT.catalogues.values(), ids=CONTRACT.catalogues)
def test_a_quantity_is_measured_once_in_an_equipment(catalogue: Catalogue) -> None:
    """Rows of one logicalId under conditions that exclude each other are one command."""
    for kind in catalogue.data["equipment"]:
        seen: dict[tuple[str, str, str], str] = {}
        for row in catalogue.all_rows(kind):
            if row.measures:
                assert seen.setdefault(row.measures, row.logical_id) == row.logical_id
