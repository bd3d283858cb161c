"""Settings as the fields of a catalogue describe them: types, defaults, and the conditions that read them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Data = Mapping[str, Any]
Settings = Mapping[str, Any]
MAX_WHOLE = 2**53
"""From here on a floating-point number no longer tells whole numbers apart."""
_PARENT = "connection."
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def resolved(fields: Iterable[Data], config: Settings) -> dict[str, Any]:
    """`config` typed by its fields, with the defaults of what it lacks; what has no field stays as it is.

    A number beyond its bounds is brought to them; what cannot be read counts as not set. The rules that PHP and the
    pages share: core/contract/vectors/settings.json.
    """
    result = dict(config)
    for field in fields:
        typed = _typed(field, result.pop(field["key"], None))
        value = field.get("default") if typed is None else typed
        if value is not None:
            result[field["key"]] = value
    return result


def holds(when: Mapping[str, Any] | None, own: Settings, parent: Settings) -> bool:
    """Whether every condition `{"<setting>": value or [values]}` holds; `connection.<setting>` asks the parent.

    Against a setting that is a list (several choices ticked) a condition holds when one of them matches.
    """
    return Circumstances(own, parent).meet(conditions(when))


@dataclass(frozen=True)
class Condition:
    """A setting, of the parent or one's own, and the texts of which it must have one."""

    of_parent: bool
    key: str
    wanted: frozenset[str]


def conditions(when: Mapping[str, Any] | None) -> tuple[Condition, ...]:
    """What `holds` is given, ready to be looked at often."""
    return tuple(
        Condition(
            name.startswith(_PARENT),
            name[len(_PARENT) :] if name.startswith(_PARENT) else name,
            frozenset(map(as_text, wanted if isinstance(wanted, list) else [wanted])),
        )
        for name, wanted in (when or {}).items()
    )


class Circumstances:
    """Settings against which many conditions are looked at, most of them on the same few settings."""

    def __init__(self, own: Settings, parent: Settings) -> None:
        self._own, self._parent = own, parent
        self._texts: dict[tuple[bool, str], list[str]] = {}

    def meet(self, wanted: Iterable[Condition]) -> bool:
        """Whether every condition holds."""
        return all(not each.wanted.isdisjoint(self._have(each.of_parent, each.key)) for each in wanted)

    def _have(self, of_parent: bool, key: str) -> list[str]:
        known = self._texts.get((of_parent, key))
        if known is None:
            actual = (self._parent if of_parent else self._own).get(key)
            known = [as_text(each) for each in actual] if isinstance(actual, list) else [as_text(actual)]
            self._texts[of_parent, key] = known
        return known


def as_text(value: Any) -> str:
    """A setting as conditions compare it. PHP keeps settings as texts: true and "1", 3 and "3" are the same setting."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "0" if value is None or value == "" else str(value)


def _typed(field: Data, value: Any) -> Any:
    """A value in the type of its field; None if it is empty or cannot be read."""
    kind = field["type"]
    if kind == "list":
        return _choices(field, value)
    if value is None or isinstance(value, (list, dict)):
        return None
    if kind == "boolean":
        return None if value == "" else is_true(value)
    # A secret is taken as it was typed: blanks may belong to it.
    text = _written(value) if kind == "secret" else _written(value).strip()
    if text == "":
        return None
    return _number(field, text) if kind == "number" else text


def _choices(field: Data, value: Any) -> list[str] | None:
    if value is None or value == "":
        return None
    given = value if isinstance(value, list) else _written(value).split(",")
    known = field.get("choices", {})
    return [text for text in (_written(each).strip() for each in given) if text in known]


def _number(field: Data, text: str) -> float | None:
    number = finite(text.replace(",", "."))
    if number is None:
        return None
    number = min(max(number, field.get("min", number)), field.get("max", number))
    return int(number) if abs(number) < MAX_WHOLE and number == int(number) else number


def _written(value: Any) -> str:
    return as_text(value) if isinstance(value, (bool, float)) else str(value)


def is_true(value: Any) -> bool:
    """Whether a value means yes, also as a text."""
    return value not in (False, 0, "0", "", "false", None)


def finite(value: Any) -> float | None:
    """Converts to a finite float, also from text, or None: for NaN, infinity, and what is not a number.

    Of texts only what all languages read alike is a number: not "1_000", "inf", or the digits of another script.
    """
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
