"""Checks messages of a peer by a JSON Schema, in those keywords that the schemas of messages use.

The library `jsonschema` would do it as well, and take a tenth of a small daemon's memory for what messages never need:
all drafts with schemas of their own, formats, references to elsewhere. It judges catalogues while they are written;
both must agree about every message, which tests ask of them. A keyword that is not known here is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Callable, NamedTuple, Optional

Schema = Mapping[str, Any]
Path = tuple[Any, ...]


class Fault(NamedTuple):
    """Where a message is not as its schema says, and by which keyword; `found` may be a secret."""

    path: Path
    keyword: str
    wanted: Any
    found: Any


class UnknownKeyword(ValueError):
    """Raised if a schema uses a keyword that is not known here."""


class Messages:
    """The messages of one schema, its root or one of its $defs."""

    def __init__(self, root: Schema) -> None:
        """`root`: the schema, whose references stay within its $defs. Raises UnknownKeyword."""
        self._root = root
        self._known(root)

    def fault(self, message: Any, part: str | None = None) -> Fault | None:
        """Returns the first fault of a message, or None. Raises KeyError if there is no such part."""
        return self._fault(self._root if part is None else self._root["$defs"][part], message, ())

    def _known(self, schema: Any) -> None:
        if not isinstance(schema, Mapping):
            return
        for keyword, value in schema.items():
            if keyword not in _RULES and keyword not in _NESTED and keyword not in _WORDS:
                raise UnknownKeyword(keyword)
            if keyword in ("properties", "$defs"):
                for each in value.values():
                    self._known(each)
            elif keyword in _NESTED:
                for each in value if isinstance(value, list) else [value]:
                    self._known(each)

    def _fault(self, schema: Any, found: Any, path: Path) -> Fault | None:
        if schema is True:
            return None
        if schema is False:
            return Fault(path, "false", False, found)
        for keyword, wanted in schema.items():
            rule = _RULES.get(keyword)
            if rule is not None:
                if not rule(wanted, found):
                    return Fault(path, keyword, wanted, found)
                continue
            nested = _NESTED.get(keyword)
            fault = nested(self, schema, found, path) if nested is not None else None
            if fault is not None:
                return fault
        return None

    # Keywords that hold schemas.

    def _reference(self, schema: Schema, found: Any, path: Path) -> Fault | None:
        name = str(schema["$ref"])
        if name == "#":
            return self._fault(self._root, found, path)
        return self._fault(self._root["$defs"][name[len("#/$defs/") :]], found, path)

    def _properties(self, schema: Schema, found: Any, path: Path) -> Fault | None:
        if isinstance(found, dict):
            for name, each in schema["properties"].items():
                fault = self._fault(each, found[name], (*path, name)) if name in found else None
                if fault is not None:
                    return fault
        return None

    def _additional(self, schema: Schema, found: Any, path: Path) -> Fault | None:
        if isinstance(found, dict):
            named = schema.get("properties", {})
            for name, value in found.items():
                fault = None if name in named else self._fault(schema["additionalProperties"], value, (*path, name))
                if fault is not None:
                    return fault
        return None

    def _items(self, schema: Schema, found: Any, path: Path) -> Fault | None:
        if isinstance(found, list):
            first = len(schema.get("prefixItems", ()))
            for number, value in enumerate(found[first:], first):
                fault = self._fault(schema["items"], value, (*path, number))
                if fault is not None:
                    return fault
        return None

    def _prefix(self, schema: Schema, found: Any, path: Path) -> Fault | None:
        if isinstance(found, list):
            for number, (each, value) in enumerate(zip(schema["prefixItems"], found)):
                fault = self._fault(each, value, (*path, number))
                if fault is not None:
                    return fault
        return None

    def _one_of(self, schema: Schema, found: Any, path: Path) -> Fault | None:
        fits = sum(self._fault(each, found, path) is None for each in schema["oneOf"])
        return None if fits == 1 else Fault(path, "oneOf", schema["oneOf"], found)

    def _any_of(self, schema: Schema, found: Any, path: Path) -> Fault | None:
        fits = any(self._fault(each, found, path) is None for each in schema["anyOf"])
        return None if fits else Fault(path, "anyOf", schema["anyOf"], found)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


def _is_of(wanted: Any, found: Any) -> bool:
    return any(_TYPES[name](found) for name in ([wanted] if isinstance(wanted, str) else wanted))


def _equal(wanted: Any, found: Any) -> bool:
    """As JSON compares: true is not 1. Constants of messages are no lists or objects."""
    return isinstance(wanted, bool) is isinstance(found, bool) and bool(wanted == found)


@lru_cache(maxsize=64)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


_RULES: dict[str, Callable[[Any, Any], bool]] = {
    "type": _is_of,
    "const": _equal,
    "enum": lambda wanted, found: any(_equal(each, found) for each in wanted),
    "required": lambda wanted, found: not isinstance(found, dict) or all(name in found for name in wanted),
    "minProperties": lambda wanted, found: not isinstance(found, dict) or len(found) >= wanted,
    "minItems": lambda wanted, found: not isinstance(found, list) or len(found) >= wanted,
    "maxItems": lambda wanted, found: not isinstance(found, list) or len(found) <= wanted,
    "minLength": lambda wanted, found: not isinstance(found, str) or len(found) >= wanted,
    "maxLength": lambda wanted, found: not isinstance(found, str) or len(found) <= wanted,
    "minimum": lambda wanted, found: not _is_number(found) or found >= wanted,
    "maximum": lambda wanted, found: not _is_number(found) or found <= wanted,
    "pattern": lambda wanted, found: not isinstance(found, str) or _pattern(wanted).search(found) is not None,
}
"""Keywords that judge a value by itself: False if it is not as wanted. Those of other types do not concern it."""

_Nested = Callable[[Messages, Schema, Any, Path], Optional[Fault]]
_NESTED: dict[str, _Nested | None] = {
    "$defs": None,
    "$ref": Messages._reference,
    "properties": Messages._properties,
    "additionalProperties": Messages._additional,
    "items": Messages._items,
    "prefixItems": Messages._prefix,
    "oneOf": Messages._one_of,
    "anyOf": Messages._any_of,
}
_WORDS = ("$schema", "title", "description")
