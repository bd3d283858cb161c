"""Notices what a vendor has changed: an endpoint that is gone for every device, a key that answers no longer have."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from jeedom_bridge.clock import Clock

from ..base import Memory

_LOG = logging.getLogger(__name__)

GONE_AFTER_S = 86400.0
"""Seconds for which an endpoint must have failed for every device before that is the vendor's doing."""
SHAPES = "shapes"
"""The key of a connection's memory under which `Shapes` keeps what it has seen; the diagnostics read it there."""
DIGITS_OF_DATA = 4
MOST_KEYS = 600
"""Keys that are remembered of one kind of answer."""


class Endpoints:
    """Remembers, over restarts, for which devices an endpoint has been gone and since when."""

    def __init__(self, memory: Memory, clock: Clock, name: str = "endpoints") -> None:
        self._memory = memory
        self._clock = clock
        self._name = name

    def answered(self, endpoint: str, device: str) -> None:
        """The endpoint works for this device."""
        book = self._book()
        if device in book.get(endpoint, {}):
            del book[endpoint][device]
            book[endpoint].pop("", None)
            self._memory.keep(self._name, {each: devices for each, devices in book.items() if devices})

    def gone(self, endpoint: str, device: str, devices: Iterable[str]) -> bool:
        """The endpoint answered as if it did not exist. `devices`: all that are asked the same.

        True once: when it has been so for each of them, for a day, after which it is the vendor's change and not
        the fault of one device.
        """
        book = self._book()
        entry = book.setdefault(endpoint, {})
        now = self._clock.time()
        entry.setdefault(device, now)
        since = [entry.get(each) for each in devices]
        all_gone = bool(since) and all(each is not None and now - each >= GONE_AFTER_S for each in since)
        news = all_gone and "" not in entry
        if all_gone:
            entry.setdefault("", now)
        self._memory.keep(self._name, book)
        return news

    def is_gone(self, endpoint: str) -> bool:
        """Whether the endpoint has been found gone for all, and has not answered since."""
        return "" in self._book().get(endpoint, {})

    def _book(self) -> dict[str, dict[str, float]]:
        kept = self._memory.get(self._name)
        entries = kept if isinstance(kept, Mapping) else {}
        return {
            str(endpoint): {str(device): float(at) for device, at in devices.items() if isinstance(at, (int, float))}
            for endpoint, devices in entries.items()
            if isinstance(devices, Mapping)
        }


class Shapes:
    """Remembers the keys and types of each kind of answer, without values, for diagnostics.

    `look` names the keys that the daemon needs and no longer finds, once, in the log.
    """

    def __init__(self, memory: Memory, name: str = SHAPES) -> None:
        self._memory = memory
        self._name = name
        self._seen: dict[str, dict[str, str]] = {}
        self._missing: dict[str, tuple[str, ...]] = {}
        self._flat: dict[str, tuple[Any, ...]] = {}
        """What the last answer of a kind was like if nothing was nested in it: the next has the same shape then."""

    def look(self, kind: str, answer: Any, needed: Sequence[str] = ()) -> list[str]:
        """Takes an answer of this kind. Returns which of `needed` (as "a.b", "list[].c") it lacks."""
        flat = _flat(answer)
        shape = self._seen[kind] if flat and self._flat.get(kind) == flat else shape_of(answer)
        self._flat[kind] = flat
        if self._seen.get(kind) != shape:
            self._seen[kind] = shape
            kept = self._memory.get(self._name)
            kept = dict(kept) if isinstance(kept, Mapping) else {}
            if kept.get(kind) != shape:
                self._memory.keep(self._name, {**kept, kind: shape})
        missing = tuple(key for key in needed if key not in shape and not _within_nothing(key, shape))
        if missing and self._missing.get(kind) != missing:
            _LOG.warning("the answer %r has no %s any more", kind, ", ".join(missing))
        self._missing[kind] = missing
        return list(missing)

    def missing(self) -> dict[str, list[str]]:
        """The keys that the last answers lacked, by kind."""
        return {kind: list(keys) for kind, keys in self._missing.items() if keys}


def shape_of(answer: Any) -> dict[str, str]:
    """Keys and types of a JSON answer: {"a": "object", "a.b": "number", "list[].c": "text|null"}; no values."""
    found: dict[str, set[str]] = {}
    _walk(answer, "", found)
    return {key: "|".join(sorted(types)) for key, types in sorted(found.items())[:MOST_KEYS]}


def _flat(answer: Any) -> tuple[Any, ...]:
    """The keys of an object without inner ones, and the types of their values; empty for anything else."""
    if not isinstance(answer, dict):
        return ()
    types = tuple(map(type, answer.values()))
    return (*answer, *types) if _SCALARS.issuperset(types) else ()


def _walk(part: Any, place: str, found: dict[str, set[str]], depth: int = 0) -> None:
    if len(found) > MOST_KEYS or depth > 8:
        return
    types = found.get(place)
    if types is None:
        types = found[place] = set()
    types.add(_TYPES.get(type(part)) or _type(part))
    if isinstance(part, dict):
        for key, inner in part.items():
            name = _name(str(key))
            _walk(inner, f"{place}.{name}" if place else name, found, depth + 1)
    elif isinstance(part, list):
        below, flat = f"{place}[]", set()
        for inner in part[:50]:
            # Of a list of figures, or of records of the same keys with figures in them, one tells of all.
            kind: Any = type(inner)
            if kind is dict:
                kind = (*inner, *map(type, inner.values()))
            if kind in flat:
                continue
            _walk(inner, below, found, depth + 1)
            if kind in _TYPES or (isinstance(kind, tuple) and _SCALARS.issuperset(kind[len(inner) :])):
                flat.add(kind)


@lru_cache(maxsize=1024)
def _name(key: str) -> str:
    """A key with that many digits is data (a date, an identifier), not a name."""
    return "*" if sum(map(str.isdigit, key)) >= DIGITS_OF_DATA else key[:40]


_SCALARS = frozenset((type(None), bool, int, float, str))
_TYPES = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "text"}


def _type(part: Any) -> str:
    if part is None:
        return "null"
    if isinstance(part, bool):
        return "boolean"
    if isinstance(part, (int, float)):
        return "number"
    if isinstance(part, str):
        return "text"
    return "list" if isinstance(part, list) else "object"


def _within_nothing(key: str, shape: Mapping[str, str]) -> bool:
    """Whether the key lies inside a list that is empty: then nothing can be said."""
    place = key
    while "[]" in place:
        place = place.rpartition("[]")[0]
        if "list" in shape.get(place, "") and f"{place}[]" not in shape:
            return True
    return False
