"""Schemas and catalogues: what they say, and that every one of them is sound."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge.contract import Catalogue, Contract, ContractError, Row, holds

CONTRACT = Path(__file__).resolve().parents[2] / "core" / "contract"


def row(**data: Any) -> Row:
    return Row("x", {"type": "info", "subType": "numeric", **data})


def catalogue(fields: Any = (), commands: Any = (), equipment: Any = None, common: Any = None) -> Catalogue:
    data = {
        "backend": "demo",
        "connection": {"fields": list(fields), "operations": [], "commands": list(commands)},
        "equipment": equipment or {},
    }
    return Catalogue("demo", data, common or {})


class TestValue:
    @pytest.mark.parametrize(
        ("data", "raw", "value"),
        [
            ({}, 1.23456, 1.235),
            ({"precision": 0}, 2.5, 2),
            ({"precision": 1}, 0.05, 0.1),
            ({"precision": 2}, -0.001, 0),
            ({"scale": 0.001, "precision": 3}, 123456, 123.456),
            ({"scale": -1}, 5, -5),
            ({}, "12.5", 12.5),
            ({}, "n/a", None),
            ({}, "", None),
            ({}, True, 1),
            ({}, None, None),
            ({}, float("nan"), None),
            ({}, float("inf"), None),
            ({}, "nan", None),
            ({}, "1e999", None),
            ({}, 10**400, None),
            ({"scale": 1e300}, 1e300, None),
            ({}, [1], None),
            ({}, {"a": 1}, None),
            ({"subType": "binary"}, 1, True),
            ({"subType": "binary"}, 0, False),
            ({"subType": "string"}, 12, "12"),
            ({"map": {"1": 5, "on": 6}}, 1, 5),
            ({"map": {"1": 5}}, 2, None),
            ({"map": {"1": 5, "*": 0}}, 2, 0),
            ({"map": {"true": 1, "false": 0}}, True, 1),
            ({"subType": "string", "map": {"3": "Charging"}}, 3, "Charging"),
            ({"subType": "binary", "map": {"open": False, "closed": True}}, "closed", True),
            ({"map": {"a": 2}, "scale": 10}, "a", 20),
            ({"min": 0, "max": 8}, 8, 8),
            ({"min": 0, "max": 8}, 8.4, None),
            ({"min": 0, "max": 8, "precision": 0}, 8.4, 8),
            ({"min": 0}, -1, None),
            ({"max": 100, "scale": 0.1}, 1001, None),
        ],
    )
    def test_a_vendors_value_becomes_jeedoms(self, data: dict[str, Any], raw: Any, value: Any) -> None:
        found = row(**data).value(raw)
        assert found == value
        assert type(found) is type(value) or isinstance(value, float)

    def test_whole_numbers_have_no_fraction_on_the_wire(self) -> None:
        assert json.dumps(row().value(5.0)) == "5"
        assert json.dumps(row(precision=1).value(-0.04)) == "0"

    def test_what_a_row_does_not_say_has_its_default(self) -> None:
        plain = row()
        assert (plain.source, plain.cadence, plain.seen) == (None, 0.0, False)
        assert row(create="seen").seen


class TestWhen:
    @pytest.mark.parametrize(
        ("when", "own", "parent", "result"),
        [
            (None, {}, {}, True),
            ({}, {}, {}, True),
            ({"a": "x"}, {"a": "x"}, {}, True),
            ({"a": "x"}, {"a": "y"}, {}, False),
            ({"a": "x"}, {}, {}, False),
            ({"a": ["x", "y"]}, {"a": "y"}, {}, True),
            ({"a": "x", "b": 1}, {"a": "x", "b": "2"}, {}, False),
            ({"a": True}, {"a": "1"}, {}, True),
            ({"a": True}, {"a": 1}, {}, True),
            ({"a": False}, {}, {}, True),
            ({"a": False}, {"a": ""}, {}, True),
            ({"a": False}, {"a": "0"}, {}, True),
            ({"a": 3}, {"a": "3"}, {}, True),
            ({"a": "x"}, {"a": ["x", "z"]}, {}, True),
            ({"a": "y"}, {"a": ["x", "z"]}, {}, False),
            ({"connection.a": "x"}, {"a": "y"}, {"a": "x"}, True),
            ({"connection.a": "x"}, {"a": "x"}, {"a": "y"}, False),
        ],
    )
    def test_all_conditions_must_hold(self, when: Any, own: Any, parent: Any, result: bool) -> None:
        assert holds(when, own, parent) is result


class TestSettings:
    FIELDS = (
        {"key": "host", "type": "text", "label": "x"},
        {"key": "port", "type": "number", "label": "x", "default": 443, "min": 1, "max": 65535},
        {"key": "factor", "type": "number", "label": "x"},
        {"key": "on", "type": "boolean", "label": "x", "default": True},
        {"key": "mode", "type": "choice", "label": "x", "choices": {"a": "A"}, "default": "a"},
        {"key": "extras", "type": "list", "label": "x", "choices": {"a": "A"}, "default": []},
        {"key": "password", "type": "secret", "label": "x"},
    )

    def settings(self, **config: Any) -> dict[str, Any]:
        return catalogue(self.FIELDS).settings(config)

    def test_what_is_missing_or_empty_has_its_default(self) -> None:
        assert self.settings() == {"port": 443, "on": True, "mode": "a", "extras": []}
        assert self.settings(port="", mode=None, host="") == {"port": 443, "on": True, "mode": "a", "extras": []}

    @pytest.mark.parametrize(
        ("given", "number"),
        [
            ("8443", 8443),
            (8443.0, 8443),
            ("0", 1),
            ("99999", 65535),
            ("x", 443),
            ([], 443),
            ({"a": 1}, 443),
            ("nan", 443),
            ("inf", 443),
            ("-inf", 443),
            ("1e999", 443),
            (float("nan"), 443),
            (10**400, 443),
        ],
    )
    def test_a_number_is_one_and_within_its_limits(self, given: Any, number: int) -> None:
        assert self.settings(port=given)["port"] == number

    @pytest.mark.parametrize("given", ["nan", "inf", "1e999", "x", 10**400])
    def test_what_is_no_number_and_has_no_default_is_left_out(self, given: Any) -> None:
        assert self.settings(factor=given).keys() == self.settings().keys()

    @pytest.mark.parametrize(
        ("given", "value"), [("0", False), ("1", True), (False, False), (1, True), ("false", False)]
    )
    def test_a_boolean_is_one(self, given: Any, value: bool) -> None:
        assert self.settings(on=given)["on"] is value

    def test_a_text_has_no_blanks_around_it(self) -> None:
        found = self.settings(host=" 10.0.0.1 ", password=" secret\n")
        assert (found["host"], found["password"]) == ("10.0.0.1", " secret\n")  # a password as it was typed

    def test_what_no_field_describes_stays(self) -> None:
        assert self.settings(future="x")["future"] == "x"

    def test_secrets_and_private_fields_are_confidential(self) -> None:
        fields = [
            {"key": "user", "type": "text", "private": True},
            {"key": "password", "type": "secret"},
            {"key": "host", "type": "text"},
        ]
        config = {"user": "me@example.org", "password": "x", "host": "h"}
        assert catalogue(fields).confidential(config) == ["me@example.org", "x"]


class TestRows:
    def test_each_makes_a_row_per_value(self) -> None:
        written = {
            "logicalId": "power{n}",
            "name": "Phase {n}",
            "type": "info",
            "subType": "numeric",
            "each": [1, 2, "total"],
            "source": "phase.{n}.power",
            "map": {"{n}": 1},
            "when": {"phases": ["{n}"]},
        }
        rows = catalogue(commands=[written]).all_rows(None)
        assert [each.logical_id for each in rows] == ["power1", "power2", "powertotal"]
        assert rows[2].data["name"] == "Phase total"
        assert rows[2].source == "phase.total.power"
        assert rows[0].data["map"] == {"1": 1}
        assert "each" not in rows[0].data

    def test_only_rows_whose_conditions_hold(self) -> None:
        commands = [
            {"logicalId": "a", "when": {"mode": "x"}},
            {"logicalId": "b", "when": {"connection.phases": "tri"}},
            {"logicalId": "c"},
        ]
        fields = [{"key": "phases", "type": "text", "default": "mono"}]
        kind = {"meter": {"fields": [{"key": "mode", "type": "text", "default": "x"}], "commands": commands}}
        made = catalogue(fields, equipment=kind)
        assert [each.logical_id for each in made.rows("meter", {}, {})] == ["a", "c"]
        assert [each.logical_id for each in made.rows("meter", {"mode": "y"}, {"phases": "tri"})] == ["b", "c"]

    def test_what_all_systems_share_comes_first(self) -> None:
        common = {"connection": {"commands": [{"logicalId": "refresh"}]}, "equipment": {"commands": []}}
        made = catalogue(commands=[{"logicalId": "own"}], common=common)
        assert [each.logical_id for each in made.all_rows(None)] == ["refresh", "own"]

    def test_an_unknown_type_has_none(self) -> None:
        made = catalogue()
        assert made.rows("nothing", {}, {}) == []
        assert not made.has("nothing")


class TestFiles:
    def test_every_catalogue_is_valid(self) -> None:
        Contract(CONTRACT).check()

    @pytest.mark.parametrize("path", sorted((CONTRACT / "catalogue").glob("*.json")), ids=lambda path: path.stem)
    def test_a_catalogue_is_sound(self, path: Path) -> None:
        """What a schema cannot say: names are unique, and what is pointed at is there."""
        made = Contract(CONTRACT).catalogues[path.stem]
        assert made.backend == path.stem
        for kind in (None, *made.data["equipment"]):
            rows = made.all_rows(kind)
            for config in self.configurations(made, kind):
                shown = [each.logical_id for each in made.rows(kind, config, config)]
                assert len(shown) == len(set(shown)), (kind, config)
            known = {each.logical_id for each in rows}
            keys = [field["key"] for field in made.fields(kind)]
            assert len(keys) == len(set(keys)), kind
            parent = {field["key"] for field in made.fields()}
            for each in rows:
                assert each.data.get("value") in (None, *known), (kind, each.logical_id)
                for name in each.data.get("when", {}):
                    key = name.rpartition(".")[2]
                    assert key in (parent if name.startswith("connection.") else keys), (kind, each.logical_id, name)

    @staticmethod
    def configurations(made: Catalogue, kind: Any) -> list[dict[str, Any]]:
        """The default settings, and each choice once."""
        found: list[dict[str, Any]] = [{}]
        for field in [*made.fields(), *(made.fields(kind) if kind else [])]:
            if field["type"] == "choice":
                found += [{field["key"]: choice} for choice in field["choices"]]
            elif field["type"] == "list":
                found += [{field["key"]: list(field["choices"])}]
            elif field["type"] == "boolean":
                found += [{field["key"]: True}, {field["key"]: False}]
        return found

    def test_a_bad_catalogue_is_named(self, tmp_path: Path) -> None:
        shutil.copytree(CONTRACT, tmp_path / "contract")
        bad = tmp_path / "contract" / "catalogue" / "enphase.json"
        bad.write_text('{"backend": "enphase", "name": "x", "discover": "never", "connection": {}, "equipment": {}}')
        with pytest.raises(ContractError):
            Contract(tmp_path / "contract").check()
        bad.write_text("{")
        read = Contract(tmp_path / "contract").catalogues
        with pytest.raises(ContractError, match=r"enphase\.json"):
            read["enphase"]
        assert read["easee"].backend == "easee", "another system's"
        assert "enphase" in read
        assert read.get("nobody") is None

    def test_a_missing_contract_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(ContractError):
            Contract(tmp_path)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(CONTRACT)


class TestValidation:
    def test_a_good_message_passes(self, contract: Contract) -> None:
        connection = {"id": "1", "backend": "enphase", "config": {}}
        contract.validate("socket", {"revision": 1, "connections": [connection]}, "configure")
        contract.validate("socket", {"revision": 1, "connections": [{**connection, "config": []}]}, "configure")

    def test_the_place_is_named_and_the_value_is_not(self, contract: Contract) -> None:
        bad = {"revision": 1, "connections": [{"id": "1", "backend": "x", "config": "s3cret-value"}]}
        with pytest.raises(ContractError) as caught:
            contract.validate("socket", bad, "configure")
        assert "connections.0.config" in str(caught.value)
        assert "s3cret" not in str(caught.value)

    def test_what_is_missing_is_named(self, contract: Contract) -> None:
        with pytest.raises(ContractError, match="connections missing"):
            contract.validate("socket", {"revision": 1}, "configure")

    def test_unknown_fields_are_ignored(self, contract: Contract) -> None:
        contract.validate("socket", {"connection": "1", "future": {"x": 1}}, "forget")

    def test_a_big_wrong_message_takes_no_time(self, contract: Contract) -> None:
        bad = {"revision": 1, "connections": [{"id": n, "backend": 5, "config": "x"} for n in range(20_000)]}
        begun = time.thread_time()
        with pytest.raises(ContractError):
            contract.validate("socket", bad, "configure")
        assert time.thread_time() - begun < 0.5

    def test_a_message_is_checked_in_a_millisecond(self, contract: Contract) -> None:
        message = {"equipment": "1", "command": "x", "options": {"slider": 5}}
        contract.validate("socket", message, "action")
        begun = time.perf_counter()
        for _ in range(100):
            contract.validate("socket", message, "action")
        assert (time.perf_counter() - begun) / 100 < 0.002
