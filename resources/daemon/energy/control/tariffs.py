"""What prices ask for: plans of goals, cheap hours, what a load would pay later. Pure.

Moments in Unix time, prices in €/kWh.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..ledger.intervals import PriceBook
from ..planner import SLOT_S, Plan, plan
from ..switching import economic_threshold

AHEAD_S = 86400
DEAR = ("red.hp", "peak")
"""Periods that nothing is charged in without the user's consent."""


@dataclass
class Ahead:
    """The prices of the next day by quarter."""

    prices: PriceBook
    _quarter: float = -1.0
    _known: list[float] = field(default_factory=list)
    _now: float | None = None

    def _look(self, now: float) -> None:
        quarter = now // SLOT_S
        if quarter != self._quarter:
            self._quarter = quarter
            told = [self.prices.at(quarter * SLOT_S + step).price for step in range(0, AHEAD_S, SLOT_S)]
            self._now = told[0]
            self._known = [each for each in told if each is not None]

    def cheap(self, now: float) -> bool:
        """Whether now is among the cheapest quarters of the next day, and not all are alike."""
        self._look(now)
        return bool(self._known) and min(self._known) < max(self._known) and self._now == min(self._known)

    def cheap_until(self, now: float) -> float:
        """When the cheap quarters that have begun end, in Unix time."""
        at = (now // SLOT_S + 1) * SLOT_S
        while at < now + AHEAD_S and self._now is not None and self.price(at) == self._now:
            at += SLOT_S
        return at

    def price(self, at: float) -> float | None:
        """€/kWh; None: not known."""
        return self.prices.at(at).price

    def threshold(self, power: float, now: float) -> float:
        """W of surplus from which a load costs less now than in the cheapest hour to come; its power if unknown."""
        self._look(now)
        if self._now is None or not self._known:
            return power
        return economic_threshold(power, self._now, min(self._known), self.prices.at(now).resale or 0.0)

    def dear(self, at: float) -> bool:
        """Whether a moment needs the user's consent."""
        return self.prices.at(at).period in DEAR

    def plan(self, need: float, now: float, by: float, power: float, consent: bool) -> Plan:
        """The cheapest quarters for `need` kWh at `power` kW until `by`."""
        return plan(need, now, by, power, lambda at: self.prices.at(at).price, self.dear, consent)
