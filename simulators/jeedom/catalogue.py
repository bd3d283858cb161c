"""Reads the catalogues of the contract (`core/contract`) the way Jeedom's side does.

Only the data is shared with the plugin; this reading of it is the simulator's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

CONTRACT = Path(__file__).resolve().parents[2] / "core" / "contract"
Row = dict[str, Any]
Settings = Mapping[str, Any]


class Catalogues:
    """All catalogues of a contract folder, read at first use."""

    def __init__(self, folder: Optional[Path] = None) -> None:
        self.folder = folder or CONTRACT
        self._read: dict[str, dict[str, Any]] = {}

    def backends(self) -> list[str]:
        """The systems there are."""
        return sorted(path.stem for path in (self.folder / "catalogue").glob("*.json"))

    def of(self, backend: str) -> dict[str, Any]:
        """A catalogue as it is written. Raises ValueError for an unknown system."""
        if backend not in self.backends():
            raise ValueError(f"unknown backend {backend!r}")
        return self._file(f"catalogue/{backend}.json")

    @property
    def common(self) -> dict[str, Any]:
        """What all systems share; empty where a contract has no such file."""
        return self._file("common.json") if (self.folder / "common.json").is_file() else {}

    @property
    def profiles(self) -> dict[str, Row]:
        """What rows of all systems may name by `as`; empty where a contract has no such file."""
        return self._file("profiles.json")["profiles"] if (self.folder / "profiles.json").is_file() else {}

    def part(self, backend: str, kind: Optional[str]) -> dict[str, Any]:
        """The part of a connection (`kind` None) or of an equipment type. Raises ValueError."""
        catalogue = self.of(backend)
        if kind is None:
            return dict(catalogue["connection"])
        if kind not in catalogue["equipment"]:
            raise ValueError(f"{backend} has no equipment type {kind!r}")
        return dict(catalogue["equipment"][kind])

    def settings(self, backend: str, kind: Optional[str], config: Settings) -> dict[str, Any]:
        """`config` with the defaults of the fields that it leaves empty."""
        fields = self.part(backend, kind)["fields"]
        defaults = {field["key"]: field["default"] for field in fields if "default" in field}
        return {**defaults, **{key: value for key, value in config.items() if value not in (None, "")}}

    def exists(self, backend: str, kind: str, parent: Settings) -> bool:
        """Whether equipment of this type has its place under such a connection, whose settings its `when` reads."""
        return holds(self.part(backend, kind).get("when"), self.settings(backend, None, parent))

    def rows(
        self, backend: str, kind: Optional[str], config: Settings, parent: Optional[Settings] = None
    ) -> dict[str, Row]:
        """The rows of commands that hold with these settings, by logicalId, `each` and `unit` resolved.

        The common ones come first, then those of the sets that the type names, then its own.
        """
        settings = self.settings(backend, kind, config)
        if parent is not None:
            above = self.settings(backend, None, parent)
            settings.update({f"connection.{key}": value for key, value in above.items()})
        shared = self.common.get("connection" if kind is None else "equipment", {}).get("commands", [])
        rows: dict[str, Row] = {}
        part, sets = self.part(backend, kind), self.of(backend).get("sets", {})
        grouped = [row for name in part.get("sets", []) for row in sets[name]]
        profiles = {**self.profiles, **self.of(backend).get("profiles", {})}
        for written in [*shared, *grouped, *part["commands"]]:
            for row in expanded(written, profiles, self.of(backend).get("phases", {})):
                if row["logicalId"] not in rows and holds(row.get("when"), settings):
                    row["unit"] = unit(row.get("unit", ""), settings)
                    row.setdefault("order", len(rows))
                    rows[row["logicalId"]] = row
        return rows

    def _file(self, name: str) -> dict[str, Any]:
        if name not in self._read:
            self._read[name] = json.loads((self.folder / name).read_text("utf-8"))
        return self._read[name]


def expanded(row: Row, profiles: Optional[Mapping[str, Row]] = None, phases: Optional[Row] = None) -> list[Row]:
    """What a row stands for: its profiles taken in, then one for each value of its `each`, which replaces `{n}`.

    One with `phases` is followed by those of the single phases, which measure nothing of the whole.
    """
    known: Row = {}
    for name in row.get("as", "").split():
        known |= (profiles or {})[name]
    known |= {key: value for key, value in row.items() if key != "as"}
    by_phase = known.pop("phases", False)
    if not by_phase:
        return _each_value(known)
    start, _, end = known["source"].partition(".")
    single = {key: value for key, value in known.items() if key not in ("measures", "silence")}
    name = (phases or {})["named"].replace("{name}", known["name"])
    single |= {"logicalId": known["logicalId"] + "{n}", "name": name, "source": f"{start}.{{n}}.{end}"}
    single |= {"each": (phases or {})["each"], "when": {**(phases or {})["when"], **known.get("when", {})}}
    return [*_each_value(known), *_each_value(single | (by_phase if isinstance(by_phase, dict) else {}))]


def _each_value(row: Row) -> list[Row]:
    if "each" not in row:
        return [dict(row)]
    rest = {key: value for key, value in row.items() if key != "each"}
    return [_filled(rest, str(value)) for value in row["each"]]


def _filled(part: Any, value: str) -> Any:
    if isinstance(part, dict):
        return {_filled(key, value): _filled(item, value) for key, item in part.items()}
    if isinstance(part, list):
        return [_filled(item, value) for item in part]
    return part.replace("{n}", value) if isinstance(part, str) else part


def holds(when: Optional[Mapping[str, Any]], settings: Settings) -> bool:
    """Whether all conditions hold; a setting that is a list holds when one of its values is wanted."""
    for setting, wanted in (when or {}).items():
        value = settings.get(setting)
        values = {comparable(one) for one in (value if isinstance(value, list) else [value])}
        if not values & {comparable(one) for one in (wanted if isinstance(wanted, list) else [wanted])}:
            return False
    return True


def unit(written: Any, settings: Settings) -> str:
    """A unit, looked up by a setting where it depends on one."""
    if isinstance(written, dict):
        return str(written.get(comparable(settings.get(written["by"])), ""))
    return str(written)


def comparable(value: Any) -> str:
    """A setting as the text that conditions compare: nothing is the same as "no"."""
    if value is None or value == "" or value is False:
        return "0"
    if value is True:
        return "1"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
