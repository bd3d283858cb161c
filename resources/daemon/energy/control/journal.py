"""What was decided, when, why and from what: the newest decisions, kept over restarts. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from ..ports import Kept, Sentence
from ..sharing.house import HouseReading

MAX_ENTRIES = 500
KEEP_EVERY_S = 30.0
KEY = "journal"
LAST_MOMENT = 4e9
"""Unix time after which nothing of ours can have happened."""


class Journal:
    """The last decisions. `at` is Unix time; a sentence is kept with its values, so that it can be translated later."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        found = kept.get(KEY)
        entries = [dict(each) for each in found if _is_entry(each)] if isinstance(found, list) else []
        self._entries: deque[dict[str, Any]] = deque(entries, MAX_ENTRIES)
        self._dirty = self._urgent = False
        self._stopped: dict[str, bool] = {}
        self._written = float("-inf")

    def add(self, at: float, who: str, decision: str, why: str, inputs: Mapping[str, Any]) -> None:
        """Takes a decision: by equipment `who`, in a word and a figure, and what was seen."""
        entry: dict[str, Any] = {"at": round(at, 1), "who": who, "decision": decision, "why": str(why)}
        if isinstance(why, Sentence):
            entry["why"] = why.template
            entry["values"] = {
                name: value for name, value in why.values.items() if isinstance(value, (int, float, str))
            }
        entry["inputs"] = {name: value for name, value in inputs.items() if value is not None}
        self._entries.append(entry)
        self._dirty = True
        if " A × " in decision or decision in ("on", "off"):
            stops = decision.startswith(("0 A", "off"))
            self._urgent = self._urgent or self._stopped.get(who) != stops
            self._stopped[who] = stops

    def entries(self, since: float = 0.0, limit: int = MAX_ENTRIES, who: str = "") -> list[dict[str, Any]]:
        """The newest entries after `since`, at most `limit`, the oldest of them first. `who`: of one equipment."""
        found = [each for each in self._entries if each["at"] > since and who in ("", each["who"])]
        return found[-max(limit, 0) :] if limit > 0 else []

    def keep(self, now: float, at_once: bool = False) -> None:
        """Writes what is new: a start or a stop at once, the rest now and then. `now`: s, of a steady clock."""
        if self._dirty and (at_once or self._urgent or now - self._written >= KEEP_EVERY_S):
            self._dirty = self._urgent = False
            self._written = now
            self._kept.keep(KEY, list(self._entries))


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
