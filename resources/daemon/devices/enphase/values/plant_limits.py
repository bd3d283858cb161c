"""What this plant can make and its house can use: bounds that come from the plant, not from a guess.

Panels: the highest power that each inverter has ever reported, else the number of inverters. Everything else: what its
meter has shown. A bound that the plant itself passes grows with it. Powers in W, energies in Wh; no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...common.numbers import finite

MAX_INVERTER_W = 600.0
"""More than the largest micro-inverter on sale gives (548 VA, data sheets of November 2026)."""
MAX_PEAK_HOURS = 14.0
"""Hours at their peak that fixed panels do not reach in any day."""
PEAK_MARGIN = 1.25
"""Above the highest power so far: a mean of five minutes hides what a second shows, and summers come."""
DEFAULT_MAX_W = 37_500.0
"""What is possible where nothing is known: half as much again as 25 kW."""
MAX_HOUSE_MEAN_W = 36_000.0
"""The mean of a day that no house's consumption passes: the largest connection of a household in France, 36 kVA."""
_METERS = ("production", "net", "total", "storage")


class PlantLimits:
    """Learns from the pages, and keeps what it has learnt by `state`."""

    def __init__(self, kept: Any = None) -> None:
        content = kept if isinstance(kept, Mapping) else {}
        self._inverters_w = finite(content.get("inverters"))
        self._count: int | None = None
        peaks = content.get("peaks")
        found = {name: finite(value) for name, value in peaks.items()} if isinstance(peaks, Mapping) else {}
        self._peaks = {name: value for name, value in found.items() if value is not None}

    def learn_count(self, count: int | None) -> None:
        """How many inverters the gateway counts; None or 0: not known."""
        self._count = count or self._count

    def learn_inverters(self, peaks_w: Sequence[float]) -> None:
        """The highest power that each inverter of the list has ever reported; those that never have are left out."""
        known = [peak for peak in peaks_w if peak > 0]
        if known:
            # Some firmware lists a few of its inverters only.
            self._inverters_w = max(sum(known), sum(known) / len(known) * (self._count or 0))

    def learn(self, facts: Mapping[str, Any]) -> None:
        """Powers of the meters."""
        for meter in _METERS:
            power = facts.get("storage.meterPower" if meter == "storage" else f"{meter}.power")
            if power is not None:
                self._peaks[meter] = max(abs(float(power)), self._peaks.get(meter, 0.0))

    def production_w(self) -> float | None:
        """What the panels give at most; None where nothing is known of them."""
        if self._inverters_w is not None:
            return PEAK_MARGIN * self._inverters_w
        return MAX_INVERTER_W * self._count if self._count else None

    def growth_w(self, name: str) -> float:
        """How fast a counter can grow; `name` begins with its meter's."""
        meter = name.partition(".")[0]
        panels = self.production_w() if meter == "production" else None
        return max(DEFAULT_MAX_W if panels is None else panels, 2 * self._peaks.get(meter, 0.0))

    def most_wh(self, meter: str, hours: float, days: int = 1) -> float | None:
        """The most that can have flowed in so many hours of each day; None: not known."""
        if meter != "production":
            return MAX_HOUSE_MEAN_W * hours * days
        panels = self.production_w()
        return None if panels is None else panels * min(hours, MAX_PEAK_HOURS) * days

    def state(self) -> dict[str, Any]:
        """What survives a restart, as JSON."""
        return {"inverters": self._inverters_w, "peaks": self._peaks}
