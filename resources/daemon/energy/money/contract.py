"""The contract of the house: which prices hold at a moment, from the meter, the published prices and the user.

Pure. Prices in €/kWh, subscriptions in € a year, emissions in g/kWh, subscribed power in kVA, moments in Unix time.
What the user has typed counts before what was published; what is not known is None, never 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from ..ledger.intervals import Prices
from .learning import MOST_GAP_S, OffPeakLearner
from .offers import PriceGrid
from .tariff import CHANGE_STEP_S, KINDS, OffPeakHours, Tariff, tempo_day

CO2 = 21.7
"""g/kWh of French electricity, a year's mean: RTE, 2024 (analysesetdonnees.rte-france.com)."""
DEFAULT_HOURS = ("22:00-06:00",)
"""Until the meter has shown its own: the most common ones."""
COLOUR_WORDS = {"bleu": "blue", "blanc": "white", "rouge": "red", "blue": "blue", "white": "white", "red": "red"}
COLOUR_NUMBERS = {1: "blue", 2: "white", 3: "red"}
"""Colours of a Tempo day as sources tell them."""
KEPT_DAYS = 420
MOST_PER_KWH = 10.0
"""€: nobody pays so much; a price in cents is found out."""
MOST_PER_UNIT = 50.0
"""€ of a kWh of gas or a m³ of water."""
_DATED = re.compile(
    r"(?:(\d{4}-\d\d-\d\d)\s*=\s*)?(\d{1,6}(?:[.,]\d{1,9})?)\s*(?:€(?:/(?:kWh|m³|m3))?)?\s*(?=[,;\n]|$)"
)
_PRICE = re.compile(r"([^=,;\n]{1,20})=\s*(\d{1,6}(?:[.,]\d{1,9})?)\s*(?:€(?:/kWh)?)?\s*(?=[,;\n]|$)")


@dataclass(frozen=True)
class Wishes:
    """What the user has typed; None or '' where nothing was.

    `kind`: auto or one of KINDS. `hours`: off-peak windows ("22:00-06:00, 12:30-14:30"). `prices`: by period.
    """

    kind: str = "auto"
    kva: float | None = None
    resale: float | None = None
    subscription: float | None = None
    hours: str = ""
    summer_hours: str = ""
    prices: Mapping[str, float] = field(default_factory=dict)
    co2: float = CO2


def parse_hours(text: str) -> list[str]:
    """Windows like 22:00-06:00 or 22h-6h, separated by commas or semicolons.

    Raises ValueError with what is not understood.
    """
    windows = [part.strip() for part in re.split("[,;\n]", text) if part.strip()]
    for part in windows:
        try:
            OffPeakHours.parse([part])
        except ValueError:
            raise ValueError(part) from None
    return windows


def parse_prices(text: str) -> dict[str, float]:
    """Prices by period or time of day, "hp=0.2065, hc=0.1579" or "00:00=0,15; 07:00=0,21" (decimal comma or point).

    Raises ValueError with what is not understood.
    """
    return {name.strip().lower(): number for name, number in _prices(text, _PRICE, MOST_PER_KWH)}


def parse_dated_prices(text: str) -> list[tuple[str, float]]:
    """Prices by the day from which they hold, oldest first: "0.105, 2026-07-01=0.112"; the one without a date is ''.

    Raises ValueError with what is not understood.
    """
    found: dict[str, float] = {}
    for day, number in _prices(text, _DATED, MOST_PER_UNIT):
        if day in found or not _is_date(day or "2000-01-01"):
            raise ValueError(f"{day}={number}" if day else str(number))
        found[day] = number
    return sorted(found.items())


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _prices(text: str, form: re.Pattern[str], most: float) -> list[tuple[str, float]]:
    """All of a list of prices, each in a form of two groups: what it is the price of, and the number."""
    found, place = [], 0
    while rest := text[place:].strip(" ,;\n\t\r"):
        price = form.match(rest)
        number = float(price[2].replace(",", ".")) if price else math.inf
        if price is None or number >= most:
            raise ValueError(re.split("[,;\n]", rest)[0][:60])
        found.append((price[1] or "", number))
        place = text.index(rest, place) + price.end()
    return found


class HouseContract:
    """Knows the prices of every moment. `colours`: of Tempo days by ISO date, as they became known."""

    def __init__(self, grid: PriceGrid, zone: tzinfo, learner: OffPeakLearner | None = None) -> None:
        self.grid = grid
        self.zone = zone
        self.learner = learner or OffPeakLearner(zone)
        self._wishes = Wishes()
        self.colours: dict[str, str] = {}
        self.parts: frozenset[str] = frozenset()
        """The periods that the meter counts apart, which tell the contract."""
        self.subscribed_kva: float | None = None
        """By the meter."""
        self._indexes: dict[str, float] = {}
        self._learnt_at = 0.0
        self._checked = 0.0
        self._tariffs: dict[tuple[Any, ...], Tariff | None] = {}
        self._next_change: tuple[Tariff, str | None, int, float | None] | None = None
        """Of a tariff, a period of it and a step of time: its next change, which takes hundreds of looks to find."""

    @property
    def wishes(self) -> Wishes:
        """What the user has typed."""
        return self._wishes

    @wishes.setter
    def wishes(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._tariffs.clear()

    @property
    def kind(self) -> str:
        """The kind of contract, one of KINDS; '' while it is not known."""
        if self.wishes.kind in KINDS:
            return self.wishes.kind
        if any(part.startswith(("blue.", "white.", "red.")) for part in self.parts):
            return "tempo"
        if {"hp", "hc"} & self.parts:
            return "hphc"
        if {"normal", "peak"} & self.parts:
            return "ejp"
        return "base" if self.parts else ""

    @property
    def kva(self) -> float:
        """Subscribed power: the user's, the meter's, else the most common one."""
        return self.wishes.kva or self.subscribed_kva or 6.0

    def learn(self, indexes: Mapping[str, float], at: float) -> None:
        """Takes the indexes (Wh) of the meter's periods at a moment: the one that grows tells the colour of the day."""
        self.parts = frozenset(indexes)
        grown = [part for part, value in indexes.items() if value - self._indexes.get(part, value) > 0]
        if len(grown) == 1 and "." in grown[0] and at - self._learnt_at <= MOST_GAP_S:
            middle = (self._learnt_at + at) / 2
            self.colour(tempo_day(datetime.fromtimestamp(middle, self.zone)), grown[0].split(".")[0])
        self._indexes, self._learnt_at = dict(indexes), at
        self.learner.observe(indexes, at)
        if at - self._checked >= 3600:
            self._checked = at
            self._tariffs.clear()  # hours may have been learnt

    def colour(self, day: date, told: object) -> None:
        """The colour of a Tempo day, as a source tells it; anything else is left out."""
        colour = COLOUR_NUMBERS.get(told) if isinstance(told, int) else COLOUR_WORDS.get(str(told).strip().lower())
        if colour is None and isinstance(told, float) and told.is_integer():
            colour = COLOUR_NUMBERS.get(int(told))
        if colour is not None and self.colours.get(day.isoformat()) != colour:
            self.colours[day.isoformat()] = colour
            self._next_change = None
            for old in sorted(self.colours)[:-KEPT_DAYS]:
                del self.colours[old]

    def tariff(self, at: float, kind: str = "") -> Tariff | None:
        """The contract in force at a moment (or another `kind`, at the published prices); None if not known."""
        own = not kind or kind == self.kind
        kind = kind or self.kind
        if not kind:
            return None
        day = datetime.fromtimestamp(at, self.zone).date()
        key = (kind, own, day, self.kva)
        if key not in self._tariffs:
            if len(self._tariffs) > 32:
                self._tariffs.clear()
            self._tariffs[key] = self._make(kind, own, day)
        return self._tariffs[key]

    def _make(self, kind: str, own: bool, day: date) -> Tariff | None:
        prices: Mapping[str, float] = self.wishes.prices if own else {}
        if not prices:
            offer = self.grid.offer(kind, self.kva, day)
            if offer is None:
                return None
            prices = offer.prices
        hours: Any = None
        if kind == "hphc":
            hours = self.hours()
        return Tariff(kind, dict(prices), self.zone, OffPeakHours.parse(hours or list(_hours_of(kind))), self.colours)

    def hours(self) -> Mapping[str, list[str]] | list[str]:
        """Off-peak hours: the user's, those learnt from the meter, else the most common ones."""
        try:
            winter = parse_hours(self.wishes.hours)
            summer = parse_hours(self.wishes.summer_hours)
        except ValueError:
            winter = summer = []
        if winter or summer:
            return {"winter": winter or summer, "summer": summer or winter}
        return self.learner.hours() or list(DEFAULT_HOURS)

    @property
    def hours_are_known(self) -> bool:
        """Whether off-peak hours were typed or learnt."""
        return bool(self.wishes.hours or self.wishes.summer_hours or self.learner.hours())

    def at(self, moment: float) -> Prices:
        """What holds at a moment."""
        tariff = self.tariff(moment)
        period = tariff.period(moment) if tariff is not None else None
        price = tariff.price(moment) if tariff is not None else None
        return Prices(price, self.wishes.resale or 0.0, self.wishes.co2, period or "")

    def per_year(self, day: date) -> float:
        """€ of a year's subscription: the user's, else the published one of a known subscribed power; else 0."""
        if self.wishes.subscription is not None:
            return self.wishes.subscription
        kva = self.wishes.kva or self.subscribed_kva
        offer = self.grid.offer(self.kind, kva, day) if self.kind and kva else None
        return (offer.subscription(kva) if offer is not None and kva else None) or 0.0

    def next_change(self, at: float) -> float | None:
        """When the period of now ends; None if it does not within a day."""
        tariff = self.tariff(at)
        if tariff is None:
            return None
        period, step, known = tariff.period(at), int(at) // CHANGE_STEP_S, self._next_change
        if known is None or known[0] is not tariff or known[1:3] != (period, step):
            self._next_change = known = (tariff, period, step, tariff.next_change(at))
        return known[3]

    def colours_of_now(self, at: float) -> tuple[str | None, str | None]:
        """(today's, tomorrow's) colour of a Tempo contract; None where it is not known."""
        day = tempo_day(datetime.fromtimestamp(at, self.zone))
        today, tomorrow = day.isoformat(), (day + timedelta(days=1)).isoformat()
        return self.colours.get(today), self.colours.get(tomorrow)


def _hours_of(kind: str) -> Iterable[str]:
    return DEFAULT_HOURS if kind == "tempo" else ()
