"""Upper bounds of production and consumption, learnt from the plant.

Panels: the highest power that each inverter has ever reported, else the number of inverters. Everything else: the
highest power of its meter. A bound that the plant exceeds grows with it. Powers in W, energies in Wh; no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...common.numbers import finite

MAX_INVERTER_W = 600.0
"""More than the largest micro-inverter on sale (548 VA, data sheets of November 2026)."""
MAX_PEAK_HOURS = 14.0
"""Hours at peak power that fixed panels reach on no day."""
PEAK_MARGIN = 1.25
"""Factor above the highest power so far: means of five minutes hide peaks, and summer may still come."""
DEFAULT_MAX_W = 37_500.0
"""Bound in W while nothing is known: one and a half times 25 kW."""
MAX_HOUSE_MEAN_W = 36_000.0
"""Highest mean consumption in W: the largest household connection in France, 36 kVA."""
_METERS = ("production", "net", "total", "storage")


class PlantLimits:
    """Learns bounds from answers; persisted by `state`."""

    def __init__(self, kept: Any = None) -> None:
        content = kept if isinstance(kept, Mapping) else {}
        self._inverters_w = finite(content.get("inverters"))
        self._count: int | None = None
        peaks = content.get("peaks")
        found = {name: finite(value) for name, value in peaks.items()} if isinstance(peaks, Mapping) else {}
        self._peaks = {name: value for name, value in found.items() if value is not None}

    def learn_count(self, count: int | None) -> None:
        """Sets the number of inverters; None or 0: unknown."""
        self._count = count or self._count

    def learn_inverters(self, peaks_w: Sequence[float]) -> None:
        """Takes the highest power in W that each inverter has ever reported; zeros are ignored."""
        known = [peak for peak in peaks_w if peak > 0]
        if known:
            # Some firmware lists only a few of its inverters.
            self._inverters_w = max(sum(known), sum(known) / len(known) * (self._count or 0))

    def learn(self, facts: Mapping[str, Any]) -> None:
        """Takes the powers of the meters."""
        for meter in _METERS:
            power = facts.get("storage.meterPower" if meter == "storage" else f"{meter}.power")
            if power is not None:
                self._peaks[meter] = max(abs(float(power)), self._peaks.get(meter, 0.0))

    def production_w(self) -> float | None:
        """Highest possible production in W; None if unknown."""
        if self._inverters_w is not None:
            return PEAK_MARGIN * self._inverters_w
        return MAX_INVERTER_W * self._count if self._count else None

    def growth_w(self, name: str) -> float:
        """Highest growth of a counter in W; `name` begins with its meter."""
        meter = name.partition(".")[0]
        panels = self.production_w() if meter == "production" else None
        return max(DEFAULT_MAX_W if panels is None else panels, 2 * self._peaks.get(meter, 0.0))

    def most_wh(self, meter: str, hours: float, days: int = 1) -> float | None:
        """Highest possible energy in Wh within `hours` of each of `days`; None if unknown."""
        if meter != "production":
            return MAX_HOUSE_MEAN_W * hours * days
        panels = self.production_w()
        return None if panels is None else panels * min(hours, MAX_PEAK_HOURS) * days

    def state(self) -> dict[str, Any]:
        """State to persist, as JSON."""
        return {"inverters": self._inverters_w, "peaks": self._peaks}
