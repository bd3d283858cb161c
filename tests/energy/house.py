"""A book of the house fed by simulated meters, for tests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jeenergied.energy.ledger.intervals import Ledger, Prices
from jeenergied.energy.ledger.store import Book
from jeenergied.energy.live import Pace
from jeenergied.energy.ports import Reading, Source
from jeenergied.energy.topology import Rules, Topology

from simulators.house.days import Shown

CONTRACT = Path(__file__).resolve().parents[2] / "core" / "contract"
RULES = Rules.parse(json.loads((CONTRACT / "roles.json").read_text("utf-8")))
PARIS = ZoneInfo("Europe/Paris")

GRID, SUN, BATTERY = (Source("1", name, name) for name in ("grid.power", "solar.power", "battery.power"))
PEAK, OFF_PEAK = (Source("2", f"index{part}", "meter.energy", "counter", part) for part in ("hp", "hc"))
EXPORT, SOLAR = (Source("1", name, name, "counter") for name in ("grid.export", "solar.energy"))
CHARGED, DISCHARGED = (Source("1", name, name, "today") for name in ("battery.charged", "battery.discharged"))
CAR, CAR_ENERGY = Source("3", "charger.power", "charger.power"), Source("3", "energy", "charger.energy", "counter")

ALL = (GRID, SUN, BATTERY, PEAK, OFF_PEAK, EXPORT, SOLAR, CHARGED, DISCHARGED, CAR, CAR_ENERGY)


class TwoPrices:
    """Peak and off-peak."""

    def at(self, moment: float) -> Prices:

        hour = datetime.fromtimestamp(moment, PARIS).hour
        return Prices(0.1579, 0.04, 21.7, "hc") if hour >= 22 or hour < 6 else Prices(0.2065, 0.04, 21.7, "hp")

    def per_year(self, day: date) -> float:
        return 365.0 if day.year % 4 else 366.0


def values(shown: Shown) -> dict[Source, float]:
    """What the sources tell when the meters show this."""
    return {
        GRID: shown.grid,
        SUN: shown.solar,
        BATTERY: shown.battery,
        PEAK: shown.import_peak,
        OFF_PEAK: shown.import_off_peak,
        EXPORT: shown.export,
        SOLAR: shown.solar_counter,
        CHARGED: shown.charged_today,
        DISCHARGED: shown.discharged_today,
        CAR: shown.car,
        CAR_ENERGY: shown.car_counter,
    }


@dataclass
class Kept:
    """A ledger on a file, with the readings that the house has."""

    path: Path
    sources: Iterable[Source] = ALL
    readings: dict[str, Reading] = field(default_factory=dict)
    paces: dict[str, Pace] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A new life of the daemon on the same file."""
        self.book = Book(self.path)
        self.ledger = Ledger(self.book, TwoPrices(), PARIS)
        self.roles = Topology(RULES).roles(self.sources)
        self.ledger.adopt(self.roles)
        self.readings, self.paces = {}, {}

    def restart(self) -> None:
        """Killed: what was not flushed is gone."""
        self.book.close()
        self.begin()

    def take(self, told: dict[Source, float], at: float) -> None:
        """Readings of a moment."""
        for source, value in told.items():
            self.readings[source.key] = Reading(source, value, at)
            self.paces.setdefault(source.key, Pace()).add(at)
        self.ledger.take(self.readings, self.paces, at)
