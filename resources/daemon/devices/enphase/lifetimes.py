"""Lifetime energies that only rise: what falls is doubted, and the inverters' 32-bit counter is carried on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .mapping import Facts

ROLL_OVER = 2**32 / 3600
"""Wh at which the sum of the inverters starts again from zero: 32 bits of joules."""
JITTER = 1.0
"""Wh that a counter may step back without a meaning."""
PATIENCE = 3
"""Readings in a row until a lower value is believed (a firmware reset, a meter set up anew)."""
MOST = 37_500.0
"""W that no house's panels pass; between two readings at most an hour of it is counted."""
SLACK = 50.0
NO_ROLL_OVER = "meters"
"""The source that does not roll over."""


class Lifetimes:
    """Looks at each lifetime energy and meter index before it is published. Energies in Wh."""

    def __init__(self, kept: Mapping[str, Any] | None = None) -> None:
        """`kept`: what `state` returned before a restart."""
        self._begin(kept or {})

    def _begin(self, kept: Mapping[str, Any]) -> None:
        self._source = str(kept.get("source", ""))
        self._last: dict[str, float] = dict(kept.get("last", {}))
        self._at: dict[str, float] = dict(kept.get("at", {}))
        self._offset: dict[str, float] = dict(kept.get("offset", {}))
        self._doubts: dict[str, int] = {}

    def steady(self, facts: Facts, now: float, source: str) -> Facts:
        """The facts without energies in doubt. `now` in Unix time.

        `source`: what counts. Pages about the inverters count the same, modulo the roll-over; `meters` are others.
        """
        if NO_ROLL_OVER in (source, self._source) and source != self._source:
            self._begin({})
        self._source = source
        result = dict(facts)
        for name, value in facts.items():
            if name.endswith((".importIndex", ".exportIndex")) or _only_rises(name):
                believed = self._believed(name, float(value), now)
                if believed is None:
                    del result[name]
                else:
                    result[name] = believed
        return result

    def _believed(self, name: str, value: float, now: float) -> float | None:
        place = f"{self._source} {name}"
        value += self._offset.get(place, 0.0)
        last = self._last.get(name)
        if last is not None and value < last:
            if value >= last - JITTER:
                return last
            turns = self._turns(name, last - value, now)
            if turns:
                self._offset[place] = self._offset.get(place, 0.0) + turns * ROLL_OVER
                value = max(last, value + turns * ROLL_OVER)
            else:
                self._doubts[name] = self._doubts.get(name, 0) + 1
                if self._doubts[name] < PATIENCE:
                    return None
                value -= self._offset.pop(place, 0.0)
        self._doubts.pop(name, None)
        self._last[name], self._at[name] = value, now
        return value

    def _turns(self, name: str, drop: float, now: float) -> int:
        """How many times the counter has rolled over, if that explains the drop."""
        if self._source == NO_ROLL_OVER or not name.startswith("production"):
            return 0
        turns = round(drop / ROLL_OVER)
        grown = turns * ROLL_OVER - drop
        most = SLACK + MOST * min(max(now - self._at.get(name, now), 0.0), 3600.0) / 3600
        return turns if -SLACK <= grown <= most else 0

    def state(self) -> dict[str, Any]:
        """What must survive a restart."""
        return {"source": self._source, "last": self._last, "at": self._at, "offset": self._offset}


def _only_rises(name: str) -> bool:
    # The net is import minus export.
    return name.endswith(".lifetimeEnergy") and not name.startswith("net")
