"""Sun and appliances of the built-in day, from a seed and the time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulators.enphase.noise import noise, smooth

DAY_S = 86_400
HOUR_S = 3_600


def zone(name: str) -> tzinfo:
    """The time zone of that name; UTC where the machine has no time zone data."""
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return timezone.utc


class LocalDay:
    """Turns epoch seconds into seconds since local midnight, cheaply for times that follow each other."""

    def __init__(self, where: tzinfo) -> None:
        self._where = where
        self.start = self.end = 0.0
        self.number = 0

    def seconds(self, when: float) -> float:
        """Seconds since the local midnight before `when` (epoch s)."""
        if not self.start <= when < self.end:
            day = datetime.fromtimestamp(when, self._where).replace(hour=0, minute=0, second=0, microsecond=0)
            after = (day.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=self._where)
            self.start, self.end, self.number = day.timestamp(), after.timestamp(), day.toordinal()
        return when - self.start


@dataclass(frozen=True)
class Sun:
    """A clear-sky curve between `rise` and `down` (local hours), under clouds.

    `cloudiness` 0 (none) to 1 (mostly covered). The curve belongs to no place on Earth.
    """

    seed: int
    rise: float = 6.5
    down: float = 20.5
    cloudiness: float = 0.35

    def share(self, when: float, of_day: float) -> float:
        """Share (0..1) of the peak power at `when` (epoch s), `of_day` seconds after local midnight."""
        height = (of_day / HOUR_S - self.rise) / (self.down - self.rise)
        if not 0.0 < height < 1.0:
            return 0.0
        clear = math.pow(math.sin(math.pi * height), 1.3)
        cover = smooth(self.seed, when, 2_700) * 0.65 + smooth(self.seed + 1, when, 240) * 0.35
        shade = max(0.0, min(1.0, (cover - 0.85 + self.cloudiness) / 0.35))
        return clear * (1.0 - 0.75 * shade) * (0.985 + 0.03 * smooth(self.seed + 2, when, 20))


@dataclass(frozen=True)
class Appliance:
    """Something that runs once a day from about `hour` for `minutes`, `on` seconds out of `cycle`."""

    watts: float
    phase: int
    hour: float
    minutes: float
    jitter: float = 0.5  # hours
    on: float = 1.0
    cycle: float = 1.0
    chance: float = 1.0


APPLIANCES = (
    Appliance(95, 0, 0.0, 24 * 60, 0.0, 1_100, 3_000),  # refrigerator
    Appliance(2_100, 1, 1.6, 170, 0.2),  # water heater at night
    Appliance(2_050, 0, 7.1, 4),  # kettle
    Appliance(1_150, 0, 7.3, 5),  # toaster
    Appliance(420, 2, 9.0, 180, 1.0, 700, 1_500),  # work from home, heating of an office
    Appliance(2_300, 2, 10.4, 25, 1.5, chance=0.7),  # washing machine, heating its water
    Appliance(280, 2, 10.9, 70, 1.5, chance=0.7),  # washing machine, turning
    Appliance(2_600, 1, 12.1, 22, 0.3, 45, 75),  # hob at noon
    Appliance(2_050, 0, 16.6, 4),  # kettle
    Appliance(2_400, 1, 18.9, 45, 0.4, 200, 330),  # oven
    Appliance(2_600, 1, 19.3, 25, 0.3, 45, 75),  # hob
    Appliance(330, 0, 18.2, 280, 0.4),  # lights, television
    Appliance(1_900, 2, 20.9, 35, 0.7, 900, 1_400, 0.8),  # dishwasher
)


class House:
    """The loads of a house on `phases` phases: a base and appliances, repeatable by seed."""

    def __init__(self, seed: int, phases: int, base: float = 240.0) -> None:
        self._seed = seed
        self._phases = phases
        self._base = base
        self._day = -1
        self._windows: list[tuple[float, float, Appliance]] = []

    def watts(self, when: float, of_day: float, day: int) -> list[float]:
        """Power (W) drawn on each phase at `when` (epoch s), on local day number `day`."""
        if day != self._day:
            self._plan(day)
        share = self._base / self._phases
        watts = [share * (0.85 + 0.3 * smooth(self._seed + 7 + p, when, 45)) for p in range(self._phases)]
        for start, end, appliance in self._windows:
            if start <= of_day < end and (of_day - start) % appliance.cycle < appliance.on:
                watts[appliance.phase % self._phases] += appliance.watts
        return watts

    def _plan(self, day: int) -> None:
        self._day = day
        self._windows = []
        for place, appliance in enumerate(APPLIANCES):
            dice = day * 64 + place
            if noise(self._seed + 3, dice) < appliance.chance:
                late = appliance.jitter * (2.0 * noise(self._seed + 4, dice) - 1.0)
                start = max(0.0, appliance.hour + late) * HOUR_S
                self._windows.append((start, min(DAY_S * 1.05, start + appliance.minutes * 60), appliance))
