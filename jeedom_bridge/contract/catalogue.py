"""Loads schemas and catalogues, validates, and answers what a catalogue says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema

from .rows import Row, written_out
from .settings import Circumstances, Condition, Settings, conditions, resolved

PLAIN_SOURCE = r"^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)*$"
"""What a source is where the catalogue does not say it: the name of a fact."""


class ContractError(Exception):
    """A message or catalogue that is not as its schema says; the text names the place."""


@dataclass(frozen=True)
class Catalogue:
    """What one backend offers. `data` is the file's content."""

    backend: str
    data: Mapping[str, Any]
    common: Mapping[str, Any] = field(default_factory=dict)
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    factors: Mapping[str, float] = field(default_factory=dict)
    """What values in a unit are multiplied by for the unit of their quantity; a unit that is not there is that one."""

    def fields(self, kind: str | None = None) -> list[Mapping[str, Any]]:
        """The settings of the connection, or of an equipment type."""
        return list(self._part(kind).get("fields", []))

    def settings(self, config: Settings, kind: str | None = None) -> dict[str, Any]:
        """`config` with the defaults of what it lacks; texts of number and boolean fields are converted."""
        return resolved(self.fields(kind), config)

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
        here = Circumstances(own, above)
        return [row for row, wanted in _conditioned(self, kind) if not wanted or here.meet(wanted)]

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
    profiles = {**catalogue.profiles, **catalogue.data.get("profiles", {})}
    try:
        whole = [row for raw in rows for row in written_out(raw, profiles, catalogue.data.get("phases"))]
    except KeyError as error:
        raise ContractError(f"{catalogue.backend}.{kind or 'connection'}: there is no profile {error}") from error
    return tuple(Row(row["logicalId"], row) for row in whole)


class Catalogues(Mapping[str, Catalogue]):
    """The catalogues of a folder by backend, whose name is the file's.

    Each is read when it is first asked for: most homes have one or two systems, and what is read stays in memory.
    """

    def __init__(
        self, folder: Path, common: Mapping[str, Any], profiles: Mapping[str, Any], factors: Mapping[str, float]
    ) -> None:
        self._files = {path.stem: path for path in sorted(folder.glob("*.json"))}
        self._shared = (common, profiles, factors)
        self._read: dict[str, Catalogue] = {}

    def __getitem__(self, backend: str) -> Catalogue:
        if backend not in self._read:
            data = _load(self._files[backend])
            # Two threads that read it at once share one object: catalogues are equal by identity.
            return self._read.setdefault(backend, Catalogue(data["backend"], data, *self._shared))
        return self._read[backend]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, backend: object) -> bool:
        return backend in self._files


@lru_cache(maxsize=256)
def _conditioned(catalogue: Catalogue, kind: str | None) -> tuple[tuple[Row, tuple[Condition, ...]], ...]:
    return tuple((row, conditions(row.data.get("when"))) for row in _expanded(catalogue, kind))


class Contract:
    """The schemas and catalogues below one directory."""

    def __init__(self, directory: Path) -> None:
        """Raises ContractError for a file that is missing or not JSON; `check` asks for more.

        A catalogue is read when it is first asked for, and raises then.
        """
        self._schemas = {path.stem: _load(path) for path in sorted((directory / "schema").glob("*.json"))}
        common = _load(directory / "common.json")
        self.common: Mapping[str, Any] = common
        self.quantities: Mapping[str, Any] = _load(directory / "quantities.json")
        self.profiles: Mapping[str, Any] = _load(directory / "profiles.json")["profiles"]
        factors = {name: float(unit["times"]) for name, unit in self.quantities["units"].items()}
        self.catalogues: Mapping[str, Catalogue] = Catalogues(directory / "catalogue", common, self.profiles, factors)
        self._validators: dict[tuple[str, str | None], jsonschema.Draft202012Validator] = {}

    def check(self) -> None:
        """Checks every catalogue against its schema, and its rows as they are written out. Raises ContractError."""
        self.validate("catalogue", self.profiles, "profiles")
        for backend, catalogue in self.catalogues.items():
            self.validate("catalogue", catalogue.data)
            if catalogue.backend != backend:
                raise ContractError(f"{backend}.json: its backend is {catalogue.backend}")
            for kind in (None, *catalogue.data["equipment"]):
                for row in catalogue.all_rows(kind):
                    self._check_row(catalogue, kind, row)

    def _check_row(self, catalogue: Catalogue, kind: str | None, row: Row) -> None:
        place = f"{catalogue.backend}.{kind or 'connection'}.{row.logical_id}"
        try:
            self.validate("catalogue", row.data, "whole")
        except ContractError as error:
            raise ContractError(f"{place}: {error}") from error
        form = catalogue.data.get("sources", {"info": PLAIN_SOURCE}).get(row.data["type"])
        if row.source is not None and (form is None or not re.search(form, row.source)):
            raise ContractError(f"{place}: the source {row.source!r} is not as `sources` says")

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
