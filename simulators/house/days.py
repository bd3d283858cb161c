"""Days of a house minute by minute, with what its meters show and the truth to compare with.

Sun, base load, a battery that evens out what is left, a car that charges in most nights. Counters are exact and shown
in whole watt-hours, as meters do. Powers in W (grid + draws, battery + discharges), energies in Wh, Unix time.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

STEP_S = 60
SLOT_S = 300
OFF_PEAK = (22, 6)
"""Hours between which the meter counts on its off-peak index (the usual contract in France: eight hours a night)."""


@dataclass
class Flow:
    """What went where in a span, in Wh."""

    imported: float = 0.0
    exported: float = 0.0
    solar: float = 0.0
    charged: float = 0.0
    discharged: float = 0.0
    house: float = 0.0
    car: float = 0.0

    def add(self, other: Flow) -> None:
        """Adds another span."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class Shown:
    """What the meters show at a moment. Counters in whole Wh."""

    at: float
    grid: float
    solar: float
    battery: float
    car: float
    import_peak: int
    import_off_peak: int
    export: int
    solar_counter: int
    charged_today: int
    discharged_today: int
    car_counter: int
    """Told once an hour, as the chargers of one maker do (their counter of energy comes hourly)."""
    level: float
    """% of the battery."""


@dataclass
class Days:
    """A house from `start` on. `truth`: by interval of five minutes; `by_day`: by local date."""

    start: datetime
    seed: int = 1
    capacity: float = 9000.0
    truth: dict[int, Flow] = field(default_factory=dict)
    by_day: dict[str, Flow] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._zone = self.start.tzinfo or ZoneInfo("Europe/Paris")
        self._content = self.capacity / 2
        self._cloud = 0.5
        self._counters = {"peak": 10_000_000.0, "off": 8_000_000.0, "export": 3_000_000.0, "solar": 9_000_000.0}
        self._car = 1_200_000.0
        self._car_shown = 1_200_000.0
        self._today = {"charged": 0.0, "discharged": 0.0}
        self._date = self.start.date()
        self._at = self.start.timestamp()

    def minutes(self, count: int) -> Iterator[Shown]:
        """Plays the next `count` minutes; yields what is shown at the end of each."""
        for _ in range(count):
            at = self._at
            local = datetime.fromtimestamp(at, self._zone)
            if local.date() != self._date:
                self._date, self._today = local.date(), {"charged": 0.0, "discharged": 0.0}
            if local.minute == 0:
                self._car_shown = self._car
            solar, base, car = self._sun(local), self._base(local), self._charge(local)
            battery = self._battery(base + car - solar)
            grid = base + car - solar - battery
            self._count(at, local, grid, solar, battery, car)
            self._at = at + STEP_S
            yield self._show(self._at, grid, solar, battery, car)

    def _sun(self, local: datetime) -> float:
        self._cloud = min(max(self._cloud + self._random.uniform(-0.08, 0.08), 0.1), 1.0)
        hour = local.hour + local.minute / 60
        return max(0.0, 5200 * math.sin((hour - 7.5) / 11 * math.pi)) * self._cloud if 7.5 < hour < 18.5 else 0.0

    def _base(self, local: datetime) -> float:
        evening = 900 if 18 <= local.hour < 23 else 0
        kettle = 2000 if self._random.random() < 0.03 else 0
        return 280 + evening + kettle + 120 * self._random.random()

    def _charge(self, local: datetime) -> float:
        return 3600.0 + 60 * self._random.random() if local.day % 3 and 1 <= local.hour < 4 else 0.0

    def _battery(self, missing: float) -> float:
        if missing > 0:
            power = min(missing, 3300.0) if self._content > 60 else 0.0
        else:
            power = -min(-missing, 3300.0) if self._content < self.capacity else 0.0
        self._content = min(max(self._content - power * STEP_S / 3600, 0.0), self.capacity)
        return power

    def _count(self, at: float, local: datetime, grid: float, solar: float, battery: float, car: float) -> None:
        hours = STEP_S / 3600
        off_peak = local.hour >= OFF_PEAK[0] or local.hour < OFF_PEAK[1]
        flow = Flow(
            max(grid, 0) * hours,
            max(-grid, 0) * hours,
            solar * hours,
            max(-battery, 0) * hours,
            max(battery, 0) * hours,
            (grid + solar + battery) * hours,
            car * hours,
        )
        self._counters["off" if off_peak else "peak"] += flow.imported
        self._counters["export"] += flow.exported
        self._counters["solar"] += flow.solar
        self._today["charged"] += flow.charged
        self._today["discharged"] += flow.discharged
        self._car += flow.car
        self.truth.setdefault(int(at // SLOT_S) * SLOT_S, Flow()).add(flow)
        self.by_day.setdefault(local.date().isoformat(), Flow()).add(flow)

    def _show(self, at: float, grid: float, solar: float, battery: float, car: float) -> Shown:
        counters = {name: int(value) for name, value in self._counters.items()}
        return Shown(
            at,
            grid,
            solar,
            battery,
            car,
            counters["peak"],
            counters["off"],
            counters["export"],
            counters["solar"],
            int(self._today["charged"]),
            int(self._today["discharged"]),
            int(self._car_shown),
            100 * self._content / self.capacity,
        )


def whole_days(start: datetime, days: int) -> int:
    """Minutes from a local midnight to the one `days` days later, through clock changes."""
    end = datetime.combine(start.date() + timedelta(days=days), start.timetz().replace(tzinfo=None), start.tzinfo)
    return int((end.timestamp() - start.timestamp()) // STEP_S)
