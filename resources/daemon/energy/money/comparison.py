"""What the same house would have paid under other contracts, and what charging a car has cost.

Pure. Energies in kWh, money in €. Contracts are compared by what was really drawn from the grid in each interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..balance import Charge, charge
from ..ledger.row import Interval
from .contract import HouseContract

COMPARED = ("base", "hphc", "tempo", "ejp")


@dataclass
class Bill:
    """A contract over a period. `unpriced`: kWh whose price is not known (a colour, a grid of prices)."""

    kind: str
    energy: float = 0.0
    cost: float = 0.0
    unpriced: float = 0.0
    periods: dict[str, float] = field(default_factory=dict)
    """kWh by period of the tariff."""

    @property
    def whole(self) -> bool:
        """Whether everything had a price: only then is its cost one to compare."""
        return self.energy > 0 and self.unpriced <= 0.005 * self.energy


def compare(intervals: Iterable[Interval], contract: HouseContract, kinds: Iterable[str] = COMPARED) -> list[Bill]:
    """The bills of the same draws under each contract, without subscriptions."""
    bills = {kind: Bill(kind) for kind in kinds}
    for each in intervals:
        drawn = (each.known("i") or 0.0) / 1000
        if drawn <= 0:
            continue
        middle = each.start + 150.0
        for kind, bill in bills.items():
            bill.energy += drawn
            tariff = contract.tariff(middle, kind)
            period = tariff.period(middle) if tariff is not None else None
            price = tariff.prices.get(period) if tariff is not None and period is not None else None
            if price is None:
                bill.unpriced += drawn
            else:
                bill.cost += drawn * price
                bill.periods[str(period)] = bill.periods.get(str(period), 0.0) + drawn
    return list(bills.values())


def session(intervals: Iterable[Interval], charger: str, others: Iterable[str] = ()) -> Charge:
    """The charge of a car over intervals: it takes what is left after the house and the chargers served before it.

    `charger`: equipment id; `others`: chargers that come after it in the user's order. An interval in which the house
    is not known counts as drawn from the grid: the sun is not claimed where it was not measured.
    """
    later = list(others)
    total = Charge()
    for each in intervals:
        car = each.devices.get(charger, 0.0) / 1000
        if car <= 0:
            continue
        price, resale = each.price or 0.0, each.resale or 0.0
        energies = each.energies()
        if energies is None:
            total = total + Charge(grid=car, paid=car * price, effective=car * price)
            continue
        after = sum(max(each.devices.get(other, 0.0), 0.0) for other in later) / 1000
        before = max(energies.house - car - after, 0.0)
        total = total + charge(car, before, energies.solar, energies.discharged, price, resale)
    return total


@dataclass
class Sessions:
    """When each charger's session began: the energy of a session falls back when another one begins.

    `open`: by charger, (beginning in Unix time, newest Wh of the session). A restart continues it.
    """

    open: dict[str, list[float]] = field(default_factory=dict)

    def update(self, charger: str, energy: float, now: float) -> tuple[float, float] | None:
        """Takes a reading of a session's energy (Wh); returns (begin, end) of the one that has ended with it."""
        known = self.open.get(charger)
        if known is None:
            self.open[charger] = [now, energy]
            return None
        begin, before = known
        if energy < before - 50 and energy < 0.9 * before:
            self.open[charger] = [now, energy]
            return (begin, now) if before > 50 else None
        known[1] = energy
        return None

    def begun(self, charger: str) -> float | None:
        """When the running session began."""
        known = self.open.get(charger)
        return known[0] if known is not None and known[1] > 50 else None

    def restore(self, state: object) -> None:
        """Takes over `open` as it was kept; anything else is left out."""
        if isinstance(state, Mapping):
            for name, pair in state.items():
                if isinstance(pair, list) and len(pair) == 2 and all(isinstance(n, (int, float)) for n in pair):
                    self.open[str(name)] = [float(pair[0]), float(pair[1])]
