"""Checks lifetime energies: holds back readings that do not follow, and unwraps the inverters' 32-bit counter.

`common/counter_guard.py` checks counters; this module has what is particular to Enphase: which facts are counters, the
roll-over of the inverters' sum, and zeros, which a gateway sends for an index that it has not loaded yet.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...common.counter_guard import CounterGuards, Limits, Verdict
from .counters import Began
from .mapping import Facts
from .plant_limits import PlantLimits

_LOG = logging.getLogger(__name__)

ROLL_OVER_WH = 2**32 / 3600
"""Wh at which the inverters' sum restarts from zero: 32 bits of joules."""
JITTER_WH = 1.0
"""Wh by which a counter may step back: rounding."""
ROLL_OVER_SLACK_WH = 50.0
"""Wh by which a roll-over may be off."""
METER_SLACK_WH = 1000.0
"""Wh by which a meter may grow at once: some figures are written only every quarter of an hour."""
REPORT_HOURS = 1.0
"""Longest time between two reports of the inverters, in hours: their sum grows by as much at once."""
CONFIRM_S = 900.0
READINGS_TO_CONFIRM = 3
COUNTED_BY_METERS = "meters"
"""The `source` that does not roll over."""
_INDEXES = frozenset(
    (
        *("importIndex", "exportIndex", "standbyIndex", "chargedIndex", "dischargedIndex"),
        *("lifetimeEnergy", "apparentEnergy", "lagEnergy", "leadEnergy"),
    )
)


def is_counter(name: str) -> bool:
    """True if a fact only rises. The lifetime energy of the net is import minus export and may fall."""
    meter, _, what = name.rpartition(".")
    return what in _INDEXES and not (what == "lifetimeEnergy" and meter.startswith("net"))


@dataclass(frozen=True)
class Steady:
    """Facts without doubtful energies, and the counters that have a new origin."""

    facts: Facts
    began: Mapping[str, Began] = field(default_factory=dict)


class Lifetimes:
    """Checks each counter before it is published or counted. Energies in Wh."""

    def __init__(self, plant: PlantLimits, kept: Any = None) -> None:
        """`kept`: from `state`, before a restart."""
        self._plant = plant
        self._begin(kept if isinstance(kept, Mapping) else {})

    def _begin(self, kept: Mapping[str, Any]) -> None:
        self._source = str(kept.get("source", ""))
        self._guards = CounterGuards(kept.get("guards"))
        offset = kept.get("offset")
        self._offset: dict[str, float] = dict(offset) if isinstance(offset, Mapping) else {}

    def steady(self, facts: Facts, now: float, source: str) -> Steady:
        """The facts without energies in doubt. `now` in Unix time.

        `source`: what counts. Endpoints about the inverters count the same, modulo the roll-over; `meters` are others.
        """
        if COUNTED_BY_METERS in (source, self._source) and source != self._source:
            self._begin({})
        self._source = source
        result = dict(facts)
        began: dict[str, Began] = {}
        for name, value in facts.items():
            if is_counter(name):
                believed = self._believed(name, float(value), now, began)
                if believed is None:
                    del result[name]
                else:
                    result[name] = believed
        return Steady(result, began)

    def _limits(self, name: str) -> Limits:
        growth = self._plant.growth_w(name)
        slack = METER_SLACK_WH if self._source == COUNTED_BY_METERS else ROLL_OVER_SLACK_WH + growth * REPORT_HOURS
        return Limits(growth, slack, JITTER_WH, CONFIRM_S, READINGS_TO_CONFIRM)

    def _believed(self, name: str, value: float, now: float, began: dict[str, Began]) -> float | None:
        limits = self._limits(name)
        guard = self._guards.guard(name, limits)
        last = guard.last
        if value == 0 and last:
            return None  # not loaded yet: a counter that has really restarted leaves zero as soon as energy flows
        place = f"{self._source} {name}"
        shown = value + self._offset.get(place, 0.0)
        if last is not None and shown < last - JITTER_WH:
            turns = self._turns(name, last - shown, now - guard.at, limits)
            if turns:
                self._offset[place] = self._offset.get(place, 0.0) + turns * ROLL_OVER_WH
                shown = max(last, shown + turns * ROLL_OVER_WH)
        reading = guard.read(shown, now)
        if reading.news:
            _LOG.info("%s: %.0f Wh after %.0f Wh: %s", name, shown, last or 0.0, reading.verdict.value)
        if reading.value is None:
            return None
        restarted = reading.verdict is Verdict.RESTARTED
        offset = self._offset.pop(place, 0.0) if restarted else 0.0
        if restarted or last is None:
            first, at = reading.origin or (reading.value, now)
            began[name] = Began(first - offset, at, limits.per_hour, None if restarted else limits.slack)
        guard.last = reading.value - offset
        return guard.last

    def _turns(self, name: str, drop: float, seconds: float, limits: Limits) -> int:
        """Number of roll-overs that explain the drop; 0 if none do."""
        if self._source == COUNTED_BY_METERS or not name.startswith("production"):
            return 0
        turns = round(drop / ROLL_OVER_WH)
        grown = turns * ROLL_OVER_WH - drop
        most = ROLL_OVER_SLACK_WH + limits.per_hour * min(max(seconds, 0.0), 3600.0) / 3600
        return turns if -ROLL_OVER_SLACK_WH <= grown <= most else 0

    def state(self) -> dict[str, Any]:
        """State to persist."""
        return {"source": self._source, "guards": self._guards.state(), "offset": self._offset}
