"""What was decided, when, why and from what: the newest decisions, kept over restarts. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from ..ports import Kept, Sentence
from ..sharing.house import HouseReading

MAX_ENTRIES = 500
MAX_NEWEST = 25
"""Entries kept beside the others, so that one more costs a short write; then they join them."""
KEY, NEWEST = "journal", "journalNewest"
LAST_MOMENT = 4e9
"""Unix time after which nothing of ours can have happened."""


class Journal:
    """The last decisions. `at` is Unix time; a sentence is kept with its values, so that it can be translated later."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        entries = self._kept_at(KEY)
        # A death between the two writes of `keep` leaves the newest at both places.
        newest = [each for each in self._kept_at(NEWEST) if each not in entries]
        self._entries: deque[dict[str, Any]] = deque(entries + newest, MAX_ENTRIES)
        self._newest = newest
        self._dirty = False

    def add(
        self, at: float, who: str, decision: str, why: str, inputs: Mapping[str, Any], at_once: bool = False
    ) -> None:
        """Takes a decision: by equipment `who`, in a word and a figure, and what was seen. `at_once`: and keeps it."""
        entry: dict[str, Any] = {"at": round(at, 1), "who": who, "decision": decision, "why": str(why)}
        if isinstance(why, Sentence):
            entry["why"] = why.template
            entry["values"] = {
                name: value for name, value in why.values.items() if isinstance(value, (int, float, str))
            }
        entry["inputs"] = {name: value for name, value in inputs.items() if value is not None}
        self._entries.append(entry)
        self._newest.append(entry)
        self._dirty = True
        if at_once:
            self.keep()

    def entries(self, since: float = 0.0, limit: int = MAX_ENTRIES, who: str = "") -> list[dict[str, Any]]:
        """The newest entries after `since`, at most `limit`, the oldest of them first. `who`: of one equipment."""
        found = [each for each in self._entries if each["at"] > since and who in ("", each["who"])]
        return found[-max(limit, 0) :] if limit > 0 else []

    def keep(self) -> None:
        """Writes what is new, and tries again what a full disk has refused."""
        if not self._dirty:
            return
        if len(self._newest) > MAX_NEWEST:
            self._kept.keep(KEY, list(self._entries))
            self._newest = []
        self._dirty = not self._kept.keep(NEWEST, list(self._newest))

    def _kept_at(self, key: str) -> list[dict[str, Any]]:
        found = self._kept.get(key)
        return [dict(each) for each in found if _is_entry(each)] if isinstance(found, list) else []


def seen_of(reading: HouseReading) -> dict[str, Any]:
    """What was seen of the house when a charge was decided: W, VA of each phase, s, V."""
    return {
        "grid": round(reading.grid),
        "battery": round(reading.battery),
        "apparent": [round(each) for each in reading.apparent],
        "age": round(reading.age, 1) if math.isfinite(reading.age) else None,
        "voltage": round(reading.voltage, 1),
    }


def _is_entry(found: object) -> bool:
    """Whether it is what `add` makes: what a disk has spoilt is left out."""
    return (
        isinstance(found, Mapping)
        and isinstance(at := found.get("at"), (int, float))
        and 0 <= at < LAST_MOMENT
        and all(isinstance(found.get(name), str) for name in ("who", "decision", "why"))
        and isinstance(found.get("inputs"), Mapping)
    )
