"""Loads schemas and catalogues, validates, and answers what a catalogue says."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema

from .plain import plain

Settings = Mapping[str, Any]


class ContractError(Exception):
    """A message or catalogue that is not as its schema says; the text names the place."""


@dataclass(frozen=True)
class Row:
    """One command of the catalogue, `each` already expanded. See core/contract/schema/catalogue.json."""

    logical_id: str
    data: Mapping[str, Any]

    @property
    def source(self) -> str | None:
        """Where the value comes from, in the backend's own words."""
        return self.data.get("source")

    @property
    def cadence(self) -> float:
        """Seconds between two values, unless the user set his own."""
        return float(self.data.get("cadence", 0))

    @property
    def seen(self) -> bool:
        """Whether Jeedom creates the command only when data for it exists."""
        return bool(self.data.get("create", "always") == "seen")

    @property
    def dated(self) -> bool:
        """Whether its values come by `history` only, each with its own date."""
        return bool(self.data.get("dated", False))

    @property
    def measures(self) -> tuple[str, str, str] | None:
        """(quantity, per, part of a tariff or '') in the words of quantities.json; None if the row names none."""
        named = self.data.get("measures")
        if named is None:
            return None
        if isinstance(named, str):
            return named, "now", ""
        return named["quantity"], named["per"], named.get("part", "")

    @property
    def speaks(self) -> bool:
        """Whether its values are texts of the catalogue, which are translated as all of them."""
        return self.data["subType"] == "string" and "map" in self.data

    def value(self, raw: Any) -> Any:
        """A vendor's value as Jeedom gets it: mapped, scaled, rounded; None when it is not known.

        `map` translates by the value's text; a value it does not hold gives None, unless it has "*". A number beyond
        `min` and `max` is none: Jeedom would leave it out as well.
        """
        mapping = self.data.get("map")
        if mapping is not None and raw is not None:
            key = str(raw).lower() if isinstance(raw, bool) else str(raw)
            raw = mapping.get(key, mapping.get("*"))
        if raw is None:
            return None
        kind = self.data["subType"]
        if kind == "binary":
            return bool(raw)
        if kind == "string":
            return plain(str(raw))
        number = finite(raw)
        return None if number is None else self._number(number)

    def _number(self, raw: float) -> float | None:
        number = raw * float(self.data.get("scale", 1))
        if not math.isfinite(number):
            return None
        rounded = round(number, int(self.data.get("precision", 3)))
        if not self.data.get("min", rounded) <= rounded <= self.data.get("max", rounded):
            return None
        return int(rounded) if rounded == int(rounded) else rounded  # never -0.0, and no ".0" on the wire


@dataclass(frozen=True)
class Catalogue:
    """What one backend offers. `data` is the file's content."""

    backend: str
    data: Mapping[str, Any]
    common: Mapping[str, Any] = field(default_factory=dict)

    def fields(self, kind: str | None = None) -> list[Mapping[str, Any]]:
        """The settings of the connection, or of an equipment type."""
        return list(self._part(kind).get("fields", []))

    def settings(self, config: Settings, kind: str | None = None) -> dict[str, Any]:
        """`config` with the defaults of what it lacks; texts of number and boolean fields are converted."""
        result = dict(config)
        for each in self.fields(kind):
            key = each["key"]
            value = result.get(key)
            if value is None or value == "":
                value = each.get("default")
            typed = None if value is None else _typed(each, value)
            if typed is None:
                result.pop(key, None)
            else:
                result[key] = typed
        return result

    def confidential(self, config: Settings, kind: str | None = None) -> list[str]:
        """The values of `config` that must not be seen in a log: fields `secret` and `private`."""
        keys = [f["key"] for f in self.fields(kind) if f["type"] == "secret" or f.get("private")]
        return [str(config[key]) for key in keys if config.get(key)]

    def operations(self) -> list[str]:
        """The keys of the connection's operations."""
        return [each["key"] for each in self.data["connection"]["operations"]]

    def rows(self, kind: str | None, config: Settings, parent: Settings | None = None) -> list[Row]:
        """The commands that an equipment of type `kind` (None: the connection) can have with these settings.

        `parent` is the connection's settings, for conditions on `connection.<setting>`.
        """
        own = self.settings(config, kind)
        above = self.settings(parent or {}) if kind is not None else own
        return [row for row in self.all_rows(kind) if holds(row.data.get("when"), own, above)]

    def all_rows(self, kind: str | None) -> list[Row]:
        """The same without regard to settings."""
        return list(_expanded(self, kind))

    def silence(self, kind: str) -> str:
        """The silence that rows of an equipment type belong to unless they name one of their own; '' for none."""
        return str(self._part(kind).get("silence", ""))

    def has(self, kind: str) -> bool:
        """Whether there is such an equipment type."""
        return kind in self.data["equipment"]

    def _part(self, kind: str | None) -> Mapping[str, Any]:
        part: Mapping[str, Any] = self.data["connection"] if kind is None else self.data["equipment"].get(kind, {})
        return part

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


@lru_cache(maxsize=256)
def _expanded(catalogue: Catalogue, kind: str | None) -> tuple[Row, ...]:
    common = catalogue.common.get("connection" if kind is None else "equipment", {}).get("commands", [])
    part = catalogue._part(kind)
    shared = (row for name in part.get("sets", []) for row in catalogue.data["sets"][name])
    rows = [*common, *shared, *part.get("commands", [])]
    return tuple(Row(row["logicalId"], row) for raw in rows for row in _each(raw))


def _each(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "each" not in row:
        yield row
        return
    for value in row["each"]:
        yield _replaced({key: part for key, part in row.items() if key != "each"}, str(value))


def _replaced(part: Any, value: str) -> Any:
    if isinstance(part, str):
        return part.replace("{n}", value)
    if isinstance(part, dict):
        return {key.replace("{n}", value): _replaced(inner, value) for key, inner in part.items()}
    if isinstance(part, list):
        return [_replaced(inner, value) for inner in part]
    return part


def holds(when: Mapping[str, Any] | None, own: Settings, parent: Settings) -> bool:
    """Whether every condition `{"<setting>": value or [values]}` holds; `connection.<setting>` asks the parent.

    Against a setting that is a list (several choices ticked) a condition holds when one of them matches.
    """
    for name, wanted in (when or {}).items():
        scope, key = (parent, name[len("connection.") :]) if name.startswith("connection.") else (own, name)
        actual = scope.get(key)
        have = {_text(each) for each in (actual if isinstance(actual, list) else [actual])}
        if not have & {_text(each) for each in (wanted if isinstance(wanted, list) else [wanted])}:
            return False
    return True


def _text(value: Any) -> str:
    # PHP keeps settings as texts: true and "1", 3 and "3" are the same setting.
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "0" if value is None or value == "" else str(value)


def _typed(each: Mapping[str, Any], value: Any) -> Any:
    if each["type"] == "number" and not isinstance(value, bool):
        number = finite(value)
        if number is None:
            return each.get("default")
        number = max(number, each.get("min", number))
        number = min(number, each.get("max", number))
        return int(number) if number == int(number) else number
    if each["type"] == "boolean":
        return value not in (False, 0, "0", "", "false", None)
    if each["type"] == "secret":
        return str(value)  # as it was typed: blanks may belong to a password
    if each["type"] in ("text", "choice", "command"):
        return str(value).strip()
    return value


def finite(value: Any) -> float | None:
    """Converts to a finite float, also from text, or None: for NaN, infinity, and what is not a number."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


class Contract:
    """The schemas and catalogues below one directory."""

    def __init__(self, directory: Path) -> None:
        """Raises ContractError for a file that is missing or no JSON; `check` asks for more."""
        self._schemas = {path.stem: _load(path) for path in sorted((directory / "schema").glob("*.json"))}
        common = _load(directory / "common.json")
        self.common: Mapping[str, Any] = common
        self.quantities: Mapping[str, Any] = _load(directory / "quantities.json")
        self.catalogues: dict[str, Catalogue] = {}
        self._validators: dict[tuple[str, str | None], jsonschema.Draft202012Validator] = {}
        for path in sorted((directory / "catalogue").glob("*.json")):
            data = _load(path)
            self.catalogues[data["backend"]] = Catalogue(data["backend"], data, common)

    def check(self) -> None:
        """Checks every catalogue against its schema. Raises ContractError."""
        for catalogue in self.catalogues.values():
            self.validate("catalogue", catalogue.data)

    def defines(self, schema: str, part: str) -> bool:
        """Whether a schema has such a part."""
        return part in self._schemas.get(schema, {}).get("$defs", {})

    def validate(self, schema: str, instance: Any, part: str | None = None) -> None:
        """Checks against a schema, or one of its $defs. Raises ContractError."""
        # A few errors are enough to tell the best one; a message made of errors must not take seconds.
        errors = islice(self._validator(schema, part).iter_errors(instance), 20)
        error = jsonschema.exceptions.best_match(errors)
        if error is not None:
            place = ".".join(str(step) for step in error.absolute_path) or schema
            # The message quotes the instance, which can be long, or a secret.
            raise ContractError(f"{place}: {_reason(error)}")

    def _validator(self, schema: str, part: str | None) -> jsonschema.Draft202012Validator:
        if (schema, part) not in self._validators:
            root = self._schemas[schema]
            target = root if part is None else {"$ref": f"#/$defs/{part}", "$defs": root["$defs"]}
            self._validators[(schema, part)] = jsonschema.Draft202012Validator(target)
        return self._validators[(schema, part)]


def _reason(error: jsonschema.ValidationError) -> str:
    rule: str = str(error.validator)
    wanted: Any = error.validator_value
    instance: Any = error.instance
    if rule == "required":
        missing = [name for name in wanted if name not in instance]
        return f"{', '.join(missing)} missing"
    return f"does not satisfy {rule} {json.dumps(wanted, ensure_ascii=False)[:120]}"


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ContractError(f"{path.name}: {error}") from error
