"""The figures of the house as Jeedom gets them: of this moment, of the running periods, of those that are over.

Pure. Names of facts are the sources of the rows in `core/contract/catalogue/house.json`. None: not known. Shares in %,
energies in kWh, powers in W, money in €, emissions in kg.
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from .ledger.intervals import Prices
from .ledger.row import Sums
from .live import Live
from .ports import Value

PAST = "past"
"""Before the name of a period that is over."""
LEAST_KNOWN = 0.5
"""Share of a period that must be known to say rates and money of it."""


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
    until = None if change is None else datetime.fromtimestamp(change, zone).strftime("%H:%M")
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
