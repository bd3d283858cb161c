"""The book of the house for a picture: this year's days by the hour, with sun, a battery and off-peak hours."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from jeenergied.energy.ledger import periods  # noqa: E402
from jeenergied.energy.ledger.cells import COLUMNS, SLOT_S  # noqa: E402
from jeenergied.energy.ledger.row import Interval, Sums  # noqa: E402
from jeenergied.energy.ledger.store import Book, Change  # noqa: E402

PEAK, OFF_PEAK, RESALE, SUBSCRIPTION = 0.2146, 0.1579, 0.04, 0.53
"""€/kWh, and € a day."""
CO2_G = 22.0
"""g/kWh drawn."""
BATTERY_KWH, BATTERY_KW = 7.0, 2.5
ROOF_KW = 3.6


@dataclass
class Weather:
    """What a day of the year brings; the same for each making."""

    day: date

    @property
    def summer(self) -> float:
        """0 at the winter solstice, 1 in summer."""
        return 0.5 - 0.5 * math.cos(2 * math.pi * (self.day.timetuple().tm_yday + 10) / 365)

    @property
    def clouds(self) -> float:
        """Share of the sun that is left."""
        return 0.35 + 0.65 * ((self.day.toordinal() * 7919) % 100) / 100

    def sun(self, hour: int) -> float:
        """kW of the roof."""
        half = 4.2 + 3.4 * self.summer
        height = math.cos(math.pi / 2 * (hour - 12.5) / half) if abs(hour - 12.5) < half else 0.0
        return ROOF_KW * (0.35 + 0.65 * self.summer) * self.clouds * height

    def house(self, hour: int) -> float:
        """kW that the house takes."""
        usual = 0.35 + (0.5 if 7 <= hour < 9 else 0.0) + (0.9 if 18 <= hour < 23 else 0.0)
        return usual + 0.9 * (1 - self.summer) * (1.2 if hour < 7 else 0.8)


def off_peak(hour: int) -> bool:
    return hour >= 22 or hour < 6


def write(path: Path, zone: tzinfo, now: float, charger: str) -> None:
    """This year's days up to the last full interval. `charger`: equipment id of a car that charges at night."""
    today, content = periods.day_of(now, zone), 2.0
    change = Change()
    day = date(today.year, 1, 1)
    while day <= today:
        begin, end = (int(each) for each in periods.span(day, zone))
        weather, hours = Weather(day), {}
        for start in range(begin, min(end, periods.hour_of(now, zone) + 1), periods.HOUR_S):
            hour = (start - begin) // periods.HOUR_S
            car = 2.0 if hour < 3 and day.weekday() % 2 == 0 else 0.0
            content, energies = _hour(weather.sun(hour), weather.house(hour) + car, content)
            intervals = _intervals(start, energies, off_peak(hour), charger, car)
            intervals = [each for each in intervals if each.start + SLOT_S <= now]
            hours[start] = Sums.of(intervals)
            if day == today:
                change.intervals += intervals
        total = periods.sum_of(hours.values())
        total.balance.subscription = SUBSCRIPTION
        change.hours.update({start: sums.packed() for start, sums in hours.items()})
        change.days[day.isoformat()] = total.packed()
        day += timedelta(days=1)
    book = Book(path)
    book.write(change)
    book.close()


def _hour(sun: float, house: float, content: float) -> tuple[float, tuple[float, ...]]:
    """The battery's content after an hour, and (imported, exported, solar, charged, discharged) in kWh."""
    surplus = sun - house
    charged = max(0.0, min(surplus, BATTERY_KW, BATTERY_KWH - content))
    discharged = max(0.0, min(-surplus, BATTERY_KW, content))
    drawn = house + charged - sun - discharged
    return content + 0.95 * charged - discharged, (max(0.0, drawn), max(0.0, -drawn), sun, charged, discharged)


def _intervals(start: int, energies: tuple[float, ...], cheap: bool, charger: str, car: float) -> list[Interval]:
    made = []
    for slot in range(start, start + periods.HOUR_S, SLOT_S):
        energy: dict[str, float | None] = {column: 1000 * each / 12 for column, each in zip(COLUMNS, energies)}
        price = OFF_PEAK if cheap else PEAK
        made.append(Interval(slot, energy, dict.fromkeys(COLUMNS, float(SLOT_S)), 0, price, RESALE, CO2_G))
        made[-1].devices = {charger: 1000 * car / 12}
    return made
