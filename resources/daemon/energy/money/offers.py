"""Regulated prices as they were published: data with a date and a source, never code.

Pure. `core/contract/tariffs.json` has them; an update of the plugin brings newer ones, and the user's own replace them.
Prices in €/kWh, subscriptions in € a year, all taxes included; subscribed power in kVA.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

MAX_FIGURE = 100_000.0
"""No price, subscription or power in these data is as large."""


@dataclass(frozen=True)
class Offer:
    """Prices of one contract as published: valid from a date, for a range of subscribed power, with their source.

    `subscriptions`: € a year by kVA; empty if not known.
    """

    kind: str
    since: date
    prices: Mapping[str, float]
    source: str
    least_kva: float = 0.0
    most_kva: float = float("inf")
    subscriptions: Mapping[float, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Offer:
        """Raises KeyError, TypeError or ValueError if the data are not as in tariffs.json."""
        return cls(
            str(data["kind"]),
            date.fromisoformat(data["since"]),
            {str(name): _number(price) for name, price in data["prices"].items()},
            str(data["source"]),
            _number(data.get("leastKVA", 0)),
            _number(data["mostKVA"]) if "mostKVA" in data else math.inf,
            {_number(kva): _number(euros) for kva, euros in dict(data.get("subscriptions") or {}).items()},
        )

    def subscription(self, kva: float) -> float | None:
        """€ a year for a subscribed power; None if it is not known."""
        return self.subscriptions.get(kva)


class PriceGrid:
    """Published prices by date."""

    def __init__(self, *sources: Mapping[str, Any]) -> None:
        """`sources`: {"offers": [{"kind", "since", "prices", "source", "leastKVA", "mostKVA", "subscriptions"}]}.

        Of several for the same contract and day the last source counts: the user's own come last.
        """
        self._offers = [Offer.parse(each) for source in sources for each in source["offers"]]

    def offer(self, kind: str, kva: float, day: date) -> Offer | None:
        """The prices in force on a day for a subscribed power; None if none is known for then."""
        fitting = [
            (each.since, place, each)
            for place, each in enumerate(self._offers)
            if each.kind == kind and each.since <= day and each.least_kva <= kva <= each.most_kva
        ]
        return max(fitting, key=lambda found: found[:2])[2] if fitting else None

    def changes(self, kinds: Sequence[str]) -> list[date]:
        """The days on which prices of these contracts changed, by time."""
        return sorted({each.since for each in self._offers if each.kind in kinds})


def _number(given: Any) -> float:
    """Raises ValueError if it is not a number of money or power."""
    number = float(given)
    if not 0 <= number < MAX_FIGURE:
        raise ValueError(f"{given!r} is not within 0 and {MAX_FIGURE:g}")
    return number
