"""The closed vocabulary: what a command measures or does is one of its words, in the right unit."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

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
    "€/kWh": {"€/kWh"},
    "s": {"s"},
    "m³": {"m³", "l", "L"},
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
    assert part in (("1", "2", "3") if known.get("phase") else ("", *CONTRACT.quantities["parts"]))
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


OF_THE_HOUSE = {word for words in (QUANTITIES, DOES) for word, known in words.items() if known.get("of") == "house"}


def test_every_word_is_used_somewhere() -> None:
    """A word that nothing measures would be a promise. Those of the house wait, family by family, for its first row."""
    measured = {row.measures[0] for _, row in rows() if row.measures}
    done = {row.data["does"] for _, row in rows() if "does" in row.data}
    families = {word.partition(".")[0] for word in measured | done}
    awaited = {word for word in OF_THE_HOUSE if word.partition(".")[0] not in families}
    assert set(QUANTITIES) - measured - awaited == set()
    assert set(DOES) - done - awaited == set()
    assert (measured - set(QUANTITIES)) | (done - set(DOES)) == set()


def test_what_the_house_makes_of_all_is_measured_by_nobody_else() -> None:
    """Else it would count itself."""
    for name, row in rows():
        words = {row.measures[0]} if row.measures else set()
        words |= {row.data["does"]} if "does" in row.data else set()
        assert words <= OF_THE_HOUSE if name.startswith("house.") else not words & OF_THE_HOUSE, name


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("ground", ["#fafafa", "#f0f1f2", "#262828", "#191919"])
def test_colors_can_be_told_from_the_ground_of_both_themes(ground: str) -> None:
    """3:1, as WCAG 2.2 asks of what is drawn (1.4.11); grounds of Jeedom 4.5's light and dark themes."""
    colors = CONTRACT.quantities["colors"]
    named = {known["color"] for known in QUANTITIES.values() if "color" in known}
    parts = {known["color"] for known in CONTRACT.quantities["parts"].values()}
    assert named | parts | {"edge"} == set(colors)
    for name in named | {"edge"}:
        light, dark = sorted((luminance(colors[name]), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, name


@pytest.mark.parametrize("catalogue", CONTRACT.catalogues.values(), ids=CONTRACT.catalogues)
def test_a_quantity_is_measured_once_in_an_equipment(catalogue: Catalogue) -> None:
    """Rows under conditions that exclude each other never stand side by side."""
    for kind in catalogue.data["equipment"]:
        rows = [row for row in catalogue.all_rows(kind) if row.measures]
        for one, other in combinations(rows, 2):
            if one.measures == other.measures and one.logical_id != other.logical_id:
                assert exclude(one.data.get("when", {}), other.data.get("when", {})), (kind, one.logical_id)


def exclude(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """True if no settings fulfil both conditions."""
    values = [{key: set(v) if isinstance(v, list) else {v} for key, v in each.items()} for each in (one, other)]
    return any(not values[0][key] & values[1][key] for key in values[0].keys() & values[1].keys())
