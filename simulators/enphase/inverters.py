"""The micro-inverters of the simulated plant and their reports, one by one every five minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PERIOD = 300  # s between two reports of an inverter
STAGGER = 17  # s between the reports of two neighbours
KEPT_DAYS = 8  # today and seven before


@dataclass
class Inverter:
    """One inverter of `peak` W on phase `phase` (0..2); its `place` decides when it reports.

    `reported_at` (epoch s, 0 = never), `watts` (mean of the interval), `most` (highest ever), `duration` (s)
    and `produced` (J) are those of its last report; `days` holds Wh of today and the days before.
    """

    serial: str
    peak: float
    phase: int
    place: int
    factor: float = 1.0
    joules: float = 0.0
    reported_at: int = 0
    watts: int = 0
    most: int = 0
    duration: int = 0
    produced: float = 0.0
    days: list[float] = field(default_factory=lambda: [0.0] * KEPT_DAYS)
    slot_end: float = 0.0
    slot_start: float = 0.0
    slot_joules: float = 0.0

    @property
    def weight(self) -> float:
        """Power under full sun, W."""
        return self.peak * self.factor

    def close_slot(self, when: float) -> None:
        """Ends an interval: reports its production, or nothing at night."""
        produced = self.joules - self.slot_joules
        if produced > 0.0 and self.slot_start:
            self.duration = int(when - self.slot_start)
            self.watts = round(produced / self.duration)
            self.most = max(self.most, self.watts)
            self.produced = produced
            self.reported_at = int(when)
            self.days[0] += produced / 3_600
        self.slot_joules = self.joules
        self.slot_start = when
        shift = STAGGER * self.place
        self.slot_end = ((when + shift) // PERIOD + 1) * PERIOD - shift


class Inverters:
    """All of them; production is shared in proportion to their weights."""

    def __init__(self, units: Sequence[Inverter]) -> None:
        self.units = list(units)
        self._unshared = 0.0
        self._due = 0.0
        self._day = 0

    @property
    def reported(self) -> list[Inverter]:
        """Those that have reported at least once."""
        return [unit for unit in self.units if unit.reported_at]

    def watts(self, share: float, phases: int) -> list[float]:
        """Power of each phase (W) under a `share` (0..1) of full sun."""
        watts = [0.0] * phases
        for unit in self.units:
            watts[unit.phase] += unit.weight * share
        return watts

    def weaken(self, factors: Mapping[str, float]) -> None:
        """Set the factor (0..1) of single inverters. Raises KeyError for an unknown serial."""
        units = {unit.serial: unit for unit in self.units}
        self._share()
        for serial, factor in factors.items():
            units[serial].factor = float(factor)

    def flow(self, joules: float, when: float, day: int) -> None:
        """Adds the production until `when`, on local day number `day`, and sends due reports."""
        self._unshared += joules
        if when < self._due and day == self._day:
            return
        self._share()
        for unit in self.units:
            if when >= unit.slot_end:
                unit.close_slot(when)
            if day != self._day:
                unit.days = ([0.0] * (day - self._day) + unit.days)[:KEPT_DAYS] if self._day else unit.days
        self._day = day
        self._due = min((unit.slot_end for unit in self.units), default=when + PERIOD)

    def _share(self) -> None:
        whole = sum(unit.weight for unit in self.units)
        if whole > 0.0:
            for unit in self.units:
                unit.joules += self._unshared * unit.weight / whole
        self._unshared = 0.0
