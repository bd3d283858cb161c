"""Gas is no electricity: nothing that measures it takes a part in the house's flows."""

from __future__ import annotations

from jeedom_bridge import Contract

from .house import CONTRACT, RULES

TAKEN = {rule.quantity for order in RULES.orders.values() for rule in order}


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
