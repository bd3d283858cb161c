"""Settings as the fields of a catalogue describe them: types, defaults, and the conditions that read them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

Settings = Mapping[str, Any]


def resolved(fields: Iterable[Mapping[str, Any]], config: Settings) -> dict[str, Any]:
    """`config` with the defaults of what it lacks; texts of number and boolean fields are converted."""
    result = dict(config)
    for each in fields:
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


def holds(when: Mapping[str, Any] | None, own: Settings, parent: Settings) -> bool:
    """Whether every condition `{"<setting>": value or [values]}` holds; `connection.<setting>` asks the parent.

    Against a setting that is a list (several choices ticked) a condition holds when one of them matches.
    """
    for name, wanted in (when or {}).items():
        scope, key = (parent, name[len("connection.") :]) if name.startswith("connection.") else (own, name)
        actual = scope.get(key)
        have = {as_text(each) for each in (actual if isinstance(actual, list) else [actual])}
        if not have & {as_text(each) for each in (wanted if isinstance(wanted, list) else [wanted])}:
            return False
    return True


def as_text(value: Any) -> str:
    """A setting as conditions compare it. PHP keeps settings as texts: true and "1", 3 and "3" are the same setting."""
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
        return is_true(value)
    if each["type"] == "secret":
        return str(value)  # as it was typed: blanks may belong to a password
    if each["type"] in ("text", "choice", "command"):
        return str(value).strip()
    return value


def is_true(value: Any) -> bool:
    """Whether a value means yes, also as a text."""
    return value not in (False, 0, "0", "", "false", None)


def finite(value: Any) -> float | None:
    """Converts to a finite float, also from text, or None: for NaN, infinity, and what is not a number."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
