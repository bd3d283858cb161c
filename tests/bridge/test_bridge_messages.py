"""The daemon's own check of messages says of each what the library `jsonschema` says."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jeedom_bridge.contract import Contract, ContractError
from jeedom_bridge.contract.messages import Messages, UnknownKeyword

FOLDER = Path(__file__).resolve().parents[2] / "core" / "contract" / "schema"
ROOTS = {name: json.loads((FOLDER / f"{name}.json").read_text("utf-8")) for name in ("socket", "callback")}
PARTS = [(name, part) for name, root in ROOTS.items() for part in root["$defs"]]
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.0, 0.5, 1e400, -0.0, 2**70, "", "x", "0", "é" * 65, [], [[]], {}, {"x": 1}, ["x"],
)  # fmt: skip


class Writer:
    """Writes messages that are nearly as a schema says."""

    def __init__(self, root: dict[str, Any], seed: int) -> None:
        self.root = root
        self.dice = random.Random(seed)

    def write(self, schema: Any, depth: int = 0) -> Any:
        dice = self.dice
        if not isinstance(schema, dict) or not schema or depth > 6 or dice.random() < 0.06:
            return dice.choice(ODD)
        if "$ref" in schema:
            return self.write(self.root["$defs"][schema["$ref"].rpartition("/")[2]], depth)
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema and "properties" not in schema:
                return self.write(dice.choice(schema[keyword]), depth + 1)
        if "const" in schema or "enum" in schema:
            return dice.choice(schema.get("enum", [schema.get("const")]))
        kind = schema.get("type", "object" if "properties" in schema or "required" in schema else "string")
        kind = dice.choice(kind) if isinstance(kind, list) else kind
        return getattr(self, f"_{kind}")(schema, depth + 1)

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        needed = schema.get("required", ())
        found = {
            name: self.write(each, depth)
            for name, each in schema.get("properties", {}).items()
            if self.dice.random() < (0.97 if name in needed else 0.6)
        }
        for _ in range(self.dice.choice((0, 0, 0, 1, 2))):
            found[self.dice.choice("abc")] = self.write(schema.get("additionalProperties"), depth)
        return found

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        found = [self.write(each, depth) for each in schema.get("prefixItems", ())]
        number = self.dice.choice((0, 1, 1, 2, 3)) if "items" in schema or not found else 0
        return [*found, *(self.write(schema.get("items"), depth) for _ in range(number))]

    def _string(self, schema: dict[str, Any], _depth: int) -> str:
        known = ("1", "config", "2026-11-30T10:00:00+00:00", "2026-11-30", "power", "a" * 64)
        return "x" * schema["minLength"] if schema.get("minLength", 0) > 1 else self.dice.choice(known)

    def _integer(self, schema: dict[str, Any], _depth: int) -> Any:
        edges = [schema[key] + step for key in ("minimum", "maximum") if key in schema for step in (-1, 0, 1)]
        return self.dice.choice([*edges, 5, 5.0])

    _number = _integer

    def _boolean(self, _schema: dict[str, Any], _depth: int) -> bool:
        return self.dice.random() < 0.5

    def _null(self, _schema: dict[str, Any], _depth: int) -> None:
        return None


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_both_judge_every_message_alike(name: str, part: str) -> None:
    root = ROOTS[name]
    library = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": root["$defs"]})
    own, writer = Messages(root), Writer(root, 7)
    verdicts = set()
    for _ in range(120):
        message = writer.write(root["$defs"][part])
        verdict = own.fault(message, part) is None
        assert verdict == library.is_valid(message), message
        verdicts.add(verdict)
    assert True in verdicts


@pytest.mark.parametrize(
    ("schema", "value", "good"),
    [
        ({"const": 1}, True, False),
        ({"const": 1}, 1.0, True),
        ({"enum": [0, "x"]}, False, False),
        ({"type": "integer"}, 1.0, True),
        ({"type": "integer"}, 1.5, False),
        ({"type": "integer"}, float("inf"), False),
        ({"type": "number"}, True, False),
        ({"minimum": 3}, "2", True),
        ({"minimum": 3}, True, True),
        ({"maxLength": 2}, "éé", True),
        ({"required": ["a"]}, [], True),
        ({"pattern": "^a"}, "ba", False),
        ({"prefixItems": [{"type": "string"}], "items": {"type": "null"}}, ["x", None, 1], False),
        ({"prefixItems": [{"type": "string"}], "items": False}, ["x"], True),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1, "b": 2}, False),
        ({"oneOf": [{"type": "string"}, {"minLength": 1}]}, "x", False),
        ({"anyOf": [{"type": "string"}, {"minLength": 1}]}, "x", True),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "null"}}}, 1, False),
    ],
)
def test_a_keyword_judges_as_the_standard_says(schema: dict[str, Any], value: Any, good: bool) -> None:
    assert jsonschema.Draft202012Validator(schema).is_valid(value) is good
    assert (Messages(schema).fault(value) is None) is good


@pytest.mark.parametrize(
    "schema", [{"not": {}}, {"properties": {"a": {"format": "date"}}}, {"items": {"oneOf": [{"if": {}}]}}]
)
def test_a_keyword_that_is_not_known_is_an_error(schema: dict[str, Any]) -> None:
    with pytest.raises(UnknownKeyword):
        Messages(schema)


def test_schemas_of_catalogues_are_not_for_messages() -> None:
    with pytest.raises(ContractError, match="not for messages"):
        Contract(FOLDER.parent).validate_message("catalogue", {}, "field")
