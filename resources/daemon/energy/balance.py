"""What flowed where in an interval, and what a period of intervals cost, saved and emitted.

Pure functions and small records. Energies are in kWh, prices in €/kWh, intensities of emission in g/kWh. Signs: all
energies of a row are >= 0 and say by their name which way they went.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields

UNKNOWN_SHARE = 0.2
"""A charge of which more was not measured does not tell where its energy came from."""
TOLERANCE = 1e-9
"""kWh below which a difference is a rounding of floats."""


@dataclass(frozen=True)
class Energies:
    """What the meters counted in one interval, in kWh."""

    imported: float = 0.0
    exported: float = 0.0
    solar: float = 0.0
    charged: float = 0.0
    discharged: float = 0.0

    @property
    def house(self) -> float:
        """What the house used (cars and loads included). Negative when the meters contradict each other."""
        return self.solar + self.imported + self.discharged - self.exported - self.charged


@dataclass(frozen=True)
class Flows:
    """Who gave what to whom in one interval, in kWh: s(olar), g(rid), b(attery) to h(ouse), b(attery), g(rid)."""

    s2h: float = 0.0
    s2b: float = 0.0
    s2g: float = 0.0
    g2h: float = 0.0
    g2b: float = 0.0
    b2h: float = 0.0
    b2g: float = 0.0

    def __add__(self, other: Flows) -> Flows:
        return Flows(
            self.s2h + other.s2h,
            self.s2b + other.s2b,
            self.s2g + other.s2g,
            self.g2h + other.g2h,
            self.g2b + other.g2b,
            self.b2h + other.b2h,
            self.b2g + other.b2g,
        )


FLOWS = tuple(each.name for each in fields(Flows))


def flows(energies: Energies) -> Flows:
    """Splits an interval into flows, in the order that Home Assistant uses as well, so that figures compare.

    The grid feeds the battery only with what the house cannot have used; the sun feeds the battery, then the grid, then
    the house; the battery the house; the grid the rest. If the house is negative, what can be explained is.
    """
    imported, exported = energies.imported, energies.exported
    solar, charged, discharged = energies.solar, energies.charged, energies.discharged
    house = max(energies.house, 0.0)
    g2b = min(max(imported - house, 0.0), charged)
    imported, charged = imported - g2b, charged - g2b
    s2b = min(solar, charged)
    solar, charged = solar - s2b, charged - s2b
    s2g = min(solar, exported)
    solar, exported = solar - s2g, exported - s2g
    b2g = min(discharged, exported)
    discharged = discharged - b2g
    more = min(imported, charged)
    g2b, imported = g2b + more, imported - more
    s2h = min(house, solar)
    house = house - s2h
    b2h = min(house, discharged)
    house = house - b2h
    return Flows(s2h, s2b, s2g, min(house, imported), g2b, b2h, b2g)


@dataclass(frozen=True)
class Tank:
    """The battery as a mixed tank: what is in it (kWh), and which share of that came from the sun (0 to 1)."""

    content: float = 0.0
    solar_share: float = 0.0

    def after(self, flow: Flows) -> Tank:
        """The tank after an interval: charging mixes, discharging takes the mixture.

        Discharging more than is known to be inside (a battery that was full before the first interval) empties the
        tank; its share stays for what comes out of it.
        """
        gained = flow.s2b + flow.g2b
        content, share = self.content + gained, self.solar_share
        if gained > 0:
            share = (self.content * self.solar_share + flow.s2b) / content
        return Tank(max(content - flow.b2h - flow.b2g, 0.0), share)

    def corrected(self, content: float) -> Tank:
        """The same mixture with the content that the state of charge tells: losses are shared."""
        return Tank(max(content, 0.0), self.solar_share)


@dataclass(frozen=True)
class Row:
    """One interval with the prices and the intensity in force then, which later ones never rewrite.

    `price`: of a kWh imported; `resale`: of one exported; `co2`: g/kWh of the grid.
    """

    energies: Energies
    price: float = 0.0
    resale: float = 0.0
    co2: float = 0.0


@dataclass
class Balance:
    """The sums of a period. Rates and money follow from sums, never from averages of averages."""

    imported: float = 0.0
    exported: float = 0.0
    solar: float = 0.0
    charged: float = 0.0
    discharged: float = 0.0
    house: float = 0.0
    flows: Flows = field(default_factory=Flows)
    tank: Tank = field(default_factory=Tank)
    solar_through_battery: float = 0.0
    """kWh that the house got from the battery and the battery from the sun."""
    solar_resold: float = 0.0
    """kWh of the sun that went to the grid by way of the battery."""
    energy_cost: float = 0.0
    revenue: float = 0.0
    energy_cost_without: float = 0.0
    """€ that the same use would have cost without sun and battery."""
    subscription: float = 0.0
    co2: float = 0.0
    co2_without: float = 0.0
    contradictions: int = 0
    """Intervals in which the meters contradict each other."""

    def __add__(self, other: Balance) -> Balance:
        """Both periods; `other` is the later one, whose tank it ends with."""
        return Balance(tank=other.tank, **{name: getattr(self, name) + getattr(other, name) for name in _ADDED})

    def include(self, other: Balance) -> None:
        """Becomes both periods, without a copy; `other` is the later one, whose tank it ends with."""
        mine, others = self.__dict__, other.__dict__
        for name in _ADDED:
            mine[name] += others[name]
        self.tank = other.tank

    @classmethod
    def of(cls, rows: Iterable[Row], tank: Tank | None = None, subscription: float = 0.0) -> Balance:
        """Adds up rows in the order of their time. `tank`: at their beginning; `subscription`: € of the period."""
        total = cls(tank=tank or Tank(), subscription=subscription)
        for row in rows:
            total.add(row)
        return total

    def add(self, row: Row, tank: Tank | None = None) -> None:
        """Takes one more interval. `tank`: the battery after it, if that is known already (kept with the interval)."""
        energies, flow = row.energies, flows(row.energies)
        house = energies.house
        if house < -TOLERANCE:
            self.contradictions += 1
        house = max(house, 0.0)
        self.tank = self.tank.after(flow) if tank is None else tank
        share = self.tank.solar_share
        self.imported += energies.imported
        self.exported += energies.exported
        self.solar += energies.solar
        self.charged += energies.charged
        self.discharged += energies.discharged
        self.house += house
        self.flows = self.flows + flow
        self.solar_through_battery += share * flow.b2h
        self.solar_resold += share * flow.b2g
        self.energy_cost += energies.imported * row.price
        self.revenue += energies.exported * row.resale
        self.energy_cost_without += house * row.price
        self.co2 += energies.imported * row.co2
        self.co2_without += house * row.co2

    @property
    def self_consumption(self) -> float | None:
        """The share of the production that was used here, now or from the battery; None without production."""
        if self.solar <= TOLERANCE:
            return None
        return min(max((self.solar - self.flows.s2g - self.solar_resold) / self.solar, 0.0), 1.0)

    @property
    def autonomy(self) -> float | None:
        """The share of the house's use that the sun gave, now or from the battery; None without use."""
        if self.house <= TOLERANCE:
            return None
        return min(max((self.flows.s2h + self.solar_through_battery) / self.house, 0.0), 1.0)

    @property
    def cost(self) -> float:
        """€ for what was imported, subscription included."""
        return self.energy_cost + self.subscription

    @property
    def net(self) -> float:
        """€: cost less revenue."""
        return self.cost - self.revenue

    @property
    def without_solar(self) -> float:
        """€ that the same use would have cost with nothing but the grid."""
        return self.energy_cost_without + self.subscription

    @property
    def savings(self) -> float:
        """€ saved by sun and battery; losses and arbitrage of the battery are in it by construction."""
        return self.without_solar - self.net


@dataclass(frozen=True)
class Charge:
    """Where the energy of a car's charge came from, in kWh, and what it cost in €.

    `paid`: what was paid to the grid; `effective`: with the resale that the sun's share would have brought.
    `unknown`: what of `grid` was taken while the house was not known.
    """

    solar: float = 0.0
    battery: float = 0.0
    grid: float = 0.0
    paid: float = 0.0
    effective: float = 0.0
    unknown: float = 0.0

    def __add__(self, other: Charge) -> Charge:
        return Charge(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Charge)))

    @property
    def energy(self) -> float:
        """kWh in all."""
        return self.solar + self.battery + self.grid

    @property
    def is_known(self) -> bool:
        """Whether its parts can be shown: little of it was taken while the house was not known."""
        return self.energy > 0.01 and self.unknown <= UNKNOWN_SHARE * self.energy


def charge(car: float, before: float, solar: float, discharged: float, price: float, resale: float) -> Charge:
    """The charge of one interval: the car takes what is left after the house and what was served before it.

    `car`, `before` (house and loads served first), `solar`, `discharged`: kWh. `price`, `resale`: €/kWh.
    """
    from_sun = min(max(solar - max(before, 0.0), 0.0), car)
    left = max(before - solar, 0.0)  # what the battery gives the house first
    from_battery = min(max(discharged - left, 0.0), car - from_sun)
    from_grid = car - from_sun - from_battery
    paid = from_grid * price
    return Charge(from_sun, from_battery, from_grid, paid, paid + from_sun * resale)


_ADDED = tuple(each.name for each in fields(Balance) if each.name != "tank")
