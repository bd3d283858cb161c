"""Rows of commands: how a catalogue's short form is written out, and what a row says of its values.

PHP writes rows out by the same rules; core/contract/vectors/profiles.json holds both to them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ..plain import plain
from .settings import as_text, finite, is_true

Data = Mapping[str, Any]
ONLY_OF_THE_WHOLE = ("measures", "silence", "phases")
"""What the row of a single phase does not take over: it measures a part, which nobody may add to the whole."""


@dataclass(frozen=True)
class Row:
    """One command of the catalogue, written out. See core/contract/schema/catalogue.json."""

    logical_id: str
    data: Data

    @property
    def source(self) -> str | None:
        """Where the value comes from, in the backend's own words."""
        return self.data.get("source")

    @property
    def cadence(self) -> float:
        """Seconds between two values, unless the user overrides it."""
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
        """(quantity, per, part) as in quantities.json, or None. `part`: of a tariff, the number of a phase, or ''."""
        named = self.data.get("measures")
        if named is None:
            return None
        if isinstance(named, str):
            return named, "now", ""
        return named["quantity"], named["per"], named.get("part", "")

    @property
    def speaks(self) -> bool:
        """True if its values come from `map` and must be translated."""
        return self.data["subType"] == "string" and "map" in self.data

    def value(self, raw: Any) -> Any:
        """Converts a vendor's value to what Jeedom gets: mapped, scaled, rounded; None when it is not known.

        `map` translates by the value's text; a value it does not hold gives None, unless it has "*". A number beyond
        `min` and `max` gives None: Jeedom would leave it out as well. See core/contract/vectors/value.json.
        """
        rule = self._rule
        if rule.mapping is not None and raw is not None:
            raw = rule.mapping.get(_map_key(raw), rule.mapping.get("*"))
        if type(raw) is float:
            if not math.isfinite(raw):
                return None
        elif raw is None or isinstance(raw, (list, dict)):
            return None
        if rule.kind == "binary":
            return None if raw == "" else is_true(raw)
        if rule.kind == "string":
            return plain(str(raw).lower() if isinstance(raw, bool) else str(raw))
        number = raw if type(raw) is float else finite(raw)
        return None if number is None else rule.number(number)

    @cached_property
    def _rule(self) -> _Rule:
        data = self.data
        return _Rule(
            data.get("map"),
            data["subType"],
            float(data.get("scale", 1)),
            int(data.get("precision", 3)),
            float(data.get("min", -math.inf)),
            float(data.get("max", math.inf)),
        )


class _Rule(NamedTuple):
    """How a row converts values, looked up once: thousands are converted a minute."""

    mapping: Data | None
    kind: str
    scale: float
    precision: int
    min: float
    max: float

    def number(self, raw: float) -> float | None:
        """A finite number scaled and rounded; None if it is out of bounds."""
        _mapping, _kind, scale, precision, least, most = self
        number = raw * scale
        if not math.isfinite(number):
            return None
        rounded = round(number, precision)
        if not least <= rounded <= most:
            return None
        whole = int(rounded)
        return whole if rounded == whole else rounded  # never -0.0, and no ".0" on the wire


def _map_key(raw: Any) -> str:
    """The text by which a value is looked up in a `map`: true and false as JSON writes them, 1.0 as 1."""
    return str(raw).lower() if isinstance(raw, bool) else as_text(raw) if isinstance(raw, float) else str(raw)


def written_out(row: Data, profiles: Mapping[str, Data], phases: Data | None = None) -> list[dict[str, Any]]:
    """The rows that a row of a catalogue stands for, in order, each without `as`, `phases` and `each`.

    `profiles` and `phases` as for `without_profiles`. `each` makes a row of each value.
    """
    return [single for part in without_profiles(row, profiles, phases) for single in _for_each(part)]


def without_profiles(row: Data, profiles: Mapping[str, Data], phases: Data | None = None) -> list[dict[str, Any]]:
    """The same with `each` left as it is: one row, or two with that of the single phases.

    `as` names profiles, separated by blanks: each adds its keys, a later one and last the row itself win. `phases`
    adds a row for the single phases, by the catalogue's rule {"each": [...], "when": {...}, "named": "{name} {n}"}.
    Raises KeyError if there is no such profile.
    """
    whole = {key: value for name in row.get("as", "").split() for key, value in profiles[name].items()}
    whole.update((key, value) for key, value in row.items() if key != "as")
    return _with_phases(whole, phases or {})


def _with_phases(row: dict[str, Any], rule: Data) -> list[dict[str, Any]]:
    asked = row.pop("phases", None)
    if not asked:
        return [row]
    phase = {key: value for key, value in row.items() if key not in ONLY_OF_THE_WHOLE}
    phase["logicalId"] += "{n}"
    phase["name"] = rule["named"].replace("{name}", phase["name"])
    phase["source"] = phase["source"].replace(".", ".{n}.", 1)
    phase["when"] = {**rule["when"], **row.get("when", {})}
    phase["each"] = rule["each"]
    return [row, {**phase, **(asked if isinstance(asked, dict) else {})}]


def _for_each(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
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
