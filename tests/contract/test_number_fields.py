"""Number fields have bounds, and nothing that is not a finite number within them gets past the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jeenergied.connections.publisher import Publisher
from jeenergied.devices.base import Connection, Equipment

from jeedom_bridge import Contract, ContractError, Outbox
from jeedom_bridge.clock import ManualClock
from jeedom_bridge.contract import Catalogue

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = Contract(ROOT / "core" / "contract")
NO_NUMBERS = ["1e999", "-1e999", "inf", "nan", float("inf"), float("nan"), "9" * 400, 10**400, "x", "", None, [], {}]


def number_fields() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(catalogue, where, field) of every number field there is."""
    for name, made in CONTRACT.catalogues.items():
        for kind in (None, *made.data["equipment"]):
            for field in made.fields(kind):
                if field["type"] == "number":
                    yield name, kind or "connection", field
        for operation in made.data["connection"]["operations"]:
            for field in operation["fields"]:
                if field["type"] == "number":
                    yield name, operation["key"], field
    for field in CONTRACT.common["settings"]:
        if field["type"] == "number":
            yield "common", "settings", field


FIELDS = {f"{name} {where} {field['key']}": field for name, where, field in number_fields()}


@pytest.mark.parametrize("name", FIELDS)
def test_a_number_field_has_bounds_that_hold_its_default(name: str) -> None:
    field = FIELDS[name]
    assert field["min"] < field["max"]
    if "default" in field:
        assert field["min"] <= field["default"] <= field["max"]


@pytest.mark.parametrize("missing", ["min", "max"])
def test_a_number_field_without_bounds_is_refused(missing: str) -> None:
    field = {"key": "a", "label": "A", "type": "number", "min": 0, "max": 9}
    CONTRACT.validate("catalogue", field, "field")
    del field[missing]
    with pytest.raises(ContractError, match=f"{missing} missing"):
        CONTRACT.validate("catalogue", field, "field")


@pytest.mark.parametrize("given", NO_NUMBERS, ids=repr)
@pytest.mark.parametrize("name", CONTRACT.catalogues)
def test_a_setting_that_is_no_finite_number_has_its_default(name: str, given: Any) -> None:
    made = CONTRACT.catalogues[name]
    for kind in (None, *made.data["equipment"]):
        numbers = [field for field in made.fields(kind) if field["type"] == "number"]
        usual = made.settings({}, kind)
        asked = made.settings({field["key"]: given for field in numbers}, kind)
        assert asked == usual


@pytest.mark.parametrize("given", NO_NUMBERS, ids=repr)
def test_a_cadence_that_is_no_finite_number_is_the_rows_own(given: Any) -> None:
    assert gap(given) == 30.0


@pytest.mark.parametrize(("given", "seconds"), [("0", 0.0), (-5, 0.0), ("12.5", 12.5), (7200, 3600.0), (1e300, 3600.0)])
def test_a_cadence_stays_within_its_bounds(given: Any, seconds: float) -> None:
    assert gap(given) == seconds


def gap(cadence: Any) -> float:
    """Seconds after a value until the next one may leave, with that cadence set by the user and 30 in the row."""
    row = {"logicalId": "p", "name": "P", "type": "info", "subType": "numeric", "source": "p", "cadence": 30}
    part: dict[str, Any] = {"fields": [], "operations": [], "commands": []}
    data = {"connection": part, "equipment": {"meter": {"fields": [], "commands": [row]}}}
    clock = ManualClock()
    outbox = Outbox(clock)
    publisher = Publisher(Catalogue("x", data), outbox, clock)
    meter = Equipment("2", "meter", "k", "", {}, {"p": {"cadence": cadence}})
    publisher.adopt(Connection("1", "x", "", {}, {}, (meter,)))
    publisher.facts("2", {"p": 1}, None)
    batch = outbox.take()
    assert batch is not None
    outbox.acknowledged(batch, {"ok": True})
    publisher.facts("2", {"p": 2}, None)
    with outbox.changed:
        due = outbox.due()
    assert due is not None
    return due
