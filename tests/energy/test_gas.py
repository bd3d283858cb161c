"""Gas is no electricity: nothing that measures it takes a part in the house's flows."""

from __future__ import annotations

import pytest

from jeedom_bridge import Contract

from .house import CONTRACT, RULES

TAKEN = {rule.quantity for order in RULES.orders.values() for rule in order}


@pytest.mark.parametrize(
    ("kind", "kept"), [("gaz", True), ("gazpar", True), ("eau", True), ("elec", False), ("", False)]
)
def test_a_pulse_counter_of_gas_or_water_keeps_its_cost_beside_its_volume(kind: str, kept: bool) -> None:
    wes = Contract(CONTRACT).catalogues["wes"]
    config = {"typecompt": kind, "comptMeasure": "consumption"}
    rows = wes.rows("compteur", config, {"jeedomCgx": True})
    (cost,) = (row for row in rows if row.logical_id == "coutannee")
    assert (cost.measures == ("load.cost", "counter", ""), cost.data.get("history", False)) == (kept, kept)
    assert not [row for row in wes.rows("compteur", config, {}) if row.logical_id == "coutannee"]


def test_a_gas_meter_is_no_meter_of_the_grid() -> None:
    found = [
        row.measures[0]
        for catalogue in Contract(CONTRACT).catalogues.values()
        for kind in catalogue.data["equipment"]
        if kind == "gas"
        for row in catalogue.all_rows(kind)
        if row.measures is not None
    ]
    assert "gas.energy" in found
    assert not TAKEN & set(found)
