"""The figures of the house as Jeedom gets them: of this moment, of the running periods, of those that are over.

Pure. Names of facts are the sources of the rows in `core/contract/catalogue/house.json`. None: not known. Shares in %,
energies in kWh, powers in W, money in €, emissions in kg.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from math import inf, isinf

from .ledger.intervals import Prices
from .ledger.row import Sums
from .limits import TripClock
from .live import Live
from .ports import Value
from .sharing.words import clock_time

PAST = "past"
"""Before the name of a period that is over."""
LEAST_KNOWN = 0.5
"""Share of a period that must be known to say rates and money of it."""


PACES_S = {
    **dict.fromkeys(("now.solar", "now.battery", "now.chargers", "now.surplus", "now.headroom", "now.cutoff"), 2.0),
    **dict.fromkeys(("now.base", "now.selfConsumption", "now.autonomy"), 10.0),
    "now.batteryLevel": 60.0,
}
"""Seconds between two sendings of a fact; those not listed go each time, so that all of a moment share one event."""


EARLY_S = 0.5
"""Looks come a little early or late."""


@dataclass
class Pacer:
    """Which facts are sent now: each at its own pace, what is no longer known at once."""

    sent_at: dict[str, float] = field(default_factory=dict)

    def due(self, facts: Mapping[str, Value | None], monotonic: float) -> dict[str, Value | None]:
        """Takes all facts of a moment (of a clock that never steps)."""
        due: dict[str, Value | None] = {}
        for name, value in facts.items():
            pace = PACES_S.get(name, 0.0)
            if value is None or monotonic - self.sent_at.get(name, -inf) >= pace - EARLY_S:
                due[name] = value
                self.sent_at[name] = -inf if value is None else monotonic
        return due


@dataclass
class Margin:
    """What is left of the subscribed power, and how long the meter of the grid lets an excess last."""

    clock: TripClock | None = None
    at: float | None = None

    def facts(self, apparent: float | None, kva: float | None, monotonic: float) -> dict[str, Value | None]:
        """`apparent`: VA drawn on the one phase of the house; None: not known."""
        if apparent is None or not kva:
            return {"now.headroom": None, "now.cutoff": None}
        if self.clock is None or self.clock.subscribed != 1000 * kva:
            self.clock, self.at = TripClock(1000 * kva), None
        self.clock.add(apparent, 1.0 if self.at is None else max(0.0, monotonic - self.at))
        self.at = monotonic
        seconds = self.clock.seconds(apparent)
        return {"now.headroom": 1000 * kva - apparent, "now.cutoff": None if isinf(seconds) else round(seconds)}


def percent(share: float | None) -> float | None:
    """A fraction in %."""
    return None if share is None else round(100 * share, 1)


def of_now(live: Live, contradiction: bool) -> dict[str, Value | None]:
    """Powers and rates of this moment. Meters that contradict each other tell no base load and no rates."""
    return {
        "now.grid": live.grid,
        "now.solar": live.solar,
        "now.battery": live.battery,
        "now.house": None if live.house is not None and live.house < 0 else live.house,
        "now.base": None if contradiction or (live.base is not None and live.base < 0) else live.base,
        "now.chargers": _sum(list(live.chargers.values())),
        "now.surplus": live.surplus,
        "now.selfConsumption": None if contradiction else percent(live.self_consumption),
        "now.autonomy": None if contradiction else percent(live.autonomy),
    }


def _sum(parts: list[float | None]) -> float | None:
    """None without any: what a house does not have is no command of it."""
    return None if not parts or None in parts else sum(part or 0.0 for part in parts)


def of_prices(prices: Prices, change: float | None, zone: tzinfo) -> dict[str, Value | None]:
    """The price of now, its period, and until when it holds (local time of day)."""
    until = None if change is None else clock_time(change, zone)
    return {"price.now": prices.price, "price.period": prices.period or None, "price.until": until}


def of_period(name: str, sums: Sums, known: float | None = 1.0) -> dict[str, Value | None]:
    """The figures of a period, `name`.<figure>. Of one that is known too little, only the energies are given.

    `known`: share of the period that is known completely.
    """
    balance = sums.balance
    enough = known is not None and known >= LEAST_KNOWN and sums.known > 0
    priced = enough and sums.unpriced <= 0.05 * max(balance.imported, 1e-9) + 0.01
    figures: dict[str, Value | None] = {
        "house": balance.house if enough else None,
        "solar": balance.solar,
        "import": balance.imported,
        "export": balance.exported,
        "charged": balance.charged,
        "discharged": balance.discharged,
        "selfConsumption": percent(balance.self_consumption) if enough else None,
        "autonomy": percent(balance.autonomy) if enough else None,
        "cost": balance.cost if priced else None,
        "revenue": balance.revenue if priced else None,
        "savings": balance.savings if priced else None,
        "co2": balance.co2 / 1000 if enough else None,
        "known": percent(known),
    }
    return {f"{name}.{figure}": value for figure, value in figures.items()}
