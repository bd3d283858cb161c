"""One interval as it is kept, and what a period of them sums up to.

Pure. Energies of a row in Wh, of sums in kWh; prices in €/kWh, emissions in g/kWh.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..balance import FLOWS, Balance, Energies, Flows, Row, Tank, flows
from .cells import COLUMNS, SLOT_S, Cell

KNOWN = 0.8
"""Share of an interval that must have been measured for it to count."""
MEASURED_S = KNOWN * SLOT_S
LATE = 8
"""Bits of `marks` from here on: the column was filled by a dated figure that came later; below: it is an estimate."""
RECONSTRUCTED = 16
"""Bits of `marks` from here on: the column was made of what Jeedom's history held before there was a house."""


@dataclass
class Interval:
    """Five minutes. `energy` and `seconds` by column (None: not known); `devices`: Wh by equipment id.

    `price`, `resale`, `co2`: what held then, never rewritten once known. `tank`: the battery after the interval;
    `level`: what its state of charge said then (Wh), if it was asked.
    """

    start: int
    energy: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(COLUMNS))
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0.0))
    marks: int = 0
    price: float | None = None
    resale: float | None = None
    co2: float | None = None
    period: str = ""
    level: float | None = None
    tank: Tank = field(default_factory=Tank)
    devices: dict[str, float] = field(default_factory=dict)

    def take(self, column: str, cell: Cell, meters: int) -> None:
        """Takes a change. `meters`: how many fill this column together."""
        if column not in COLUMNS:
            self.devices[column] = _clean(self.devices.get(column, 0.0) + cell.energy)
            return
        bit = COLUMNS.index(column)
        if self.marks >> (LATE + bit) & 1:
            # What a late figure has filled makes room for what was measured after all.
            self.energy[column], self.marks = None, self.marks & ~(1 << (LATE + bit))
        self.energy[column] = _clean((self.energy[column] or 0.0) + cell.energy)
        self.seconds[column] = min(self.seconds[column] + cell.seconds / max(meters, 1), float(SLOT_S))
        if cell.estimated:
            self.marks |= 1 << bit

    def reconstruct(self, column: str, cell: Cell, meters: int) -> None:
        """Takes what history tells of a column, unless a meter has measured it."""
        if column not in COLUMNS:
            self.devices[column] = _clean(self.devices.get(column, 0.0) + cell.energy)
            return
        bit = COLUMNS.index(column)
        if not self.is_reconstructed(column):
            if self.is_measured(column):
                return
            self.energy[column], self.seconds[column], self.marks = None, 0.0, self.marks & ~(1 << (LATE + bit))
        self.energy[column] = _clean((self.energy[column] or 0.0) + cell.energy)
        self.seconds[column] = min(self.seconds[column] + cell.seconds / max(meters, 1), float(SLOT_S))
        self.marks |= (1 << bit) | (1 << (RECONSTRUCTED + bit))

    def forget_reconstructed(self, devices: Iterable[str]) -> None:
        """Forgets what history told, also of devices (equipment ids)."""
        for bit, column in enumerate(COLUMNS):
            if self.is_reconstructed(column):
                self.energy[column], self.seconds[column] = None, 0.0
                self.marks &= ~((1 << bit) | (1 << (RECONSTRUCTED + bit)))
        for device in devices:
            self.devices.pop(device, None)

    def is_reconstructed(self, column: str) -> bool:
        """Whether history has filled it."""
        return bool(self.marks >> (RECONSTRUCTED + COLUMNS.index(column)) & 1)

    def fill(self, column: str, energy: float) -> None:
        """Fills a column that nobody has measured with its share of a later figure (Wh)."""
        self.energy[column] = max(energy, 0.0)
        self.marks |= (1 << COLUMNS.index(column)) | (1 << (LATE + COLUMNS.index(column)))

    def is_measured(self, column: str) -> bool:
        """Whether a meter, not a later figure, has filled it."""
        return self.seconds[column] >= MEASURED_S

    def is_late(self, column: str) -> bool:
        """Whether a later figure has filled it."""
        return bool(self.marks >> (LATE + COLUMNS.index(column)) & 1)

    def known(self, column: str) -> float | None:
        """Wh of a column, or None. Where some seconds are missing, they are as those that were measured."""
        energy = self.energy[column]
        if energy is None or self.is_late(column):
            return energy
        return energy * max(SLOT_S / self.seconds[column], 1.0) if self.is_measured(column) else None

    @property
    def is_estimated(self) -> bool:
        """Whether any column is an estimate."""
        return self.marks != 0

    def energies(self) -> Energies | None:
        """What the meters counted, in kWh; None if one of them is not known."""
        found = []
        for column in COLUMNS:
            value = self.known(column)
            if value is None:
                return None
            found.append(value / 1000)
        return Energies(*found)

    def tank_after(self, before: Tank) -> Tank:
        """The battery after the interval: mixed, then corrected by its state of charge, losses shared."""
        energies = self.energies()
        after = before if energies is None else before.after(flows(energies))
        return after if self.level is None else after.corrected(self.level / 1000)

    @property
    def house(self) -> float | None:
        """Wh that the house used; None if it is not known. Negative if the meters contradict each other."""
        energies = self.energies()
        return None if energies is None else energies.house * 1000


def _clean(energy: float) -> float:
    """Without the dust of adding and taking back; a provisional part may be taken back a moment before it is placed."""
    return 0.0 if abs(energy) < 1e-6 else energy


@dataclass
class Sums:
    """A period of intervals. `count`: how many there are; `known`: how many of them are complete."""

    balance: Balance = field(default_factory=Balance)
    count: int = 0
    known: int = 0
    estimated: int = 0
    unpriced: float = 0.0
    """kWh imported while the price was not known."""
    devices: dict[str, float] = field(default_factory=dict)
    """kWh by equipment id."""
    reconstructed: int = 0
    """How many intervals have something from Jeedom's history in them."""

    @classmethod
    def of(cls, intervals: Iterable[Interval], tank: Tank | None = None) -> Sums:
        """Sums intervals in the order of their time."""
        total = cls(Balance(tank=tank or Tank()))
        for each in intervals:
            total.add(each)
        return total

    def add(self, each: Interval) -> None:
        """Takes one more interval; one that is not complete counts for its known columns only."""
        self.count += 1
        self.reconstructed += bool(each.marks >> RECONSTRUCTED)
        energies = each.energies()
        for device, energy in each.devices.items():
            self.devices[device] = self.devices.get(device, 0.0) + max(energy, 0.0) / 1000
        if energies is None:
            part = Energies(*(max(each.known(column) or 0.0, 0.0) / 1000 for column in COLUMNS))
            for name, value in zip(_COLUMN_SUMS, vars(part).values()):
                setattr(self.balance, name, getattr(self.balance, name) + value)
            self.balance.energy_cost += part.imported * (each.price or 0.0)
            self.balance.revenue += part.exported * (each.resale or 0.0)
            return
        self.known += 1
        self.estimated += each.is_estimated
        self.unpriced += energies.imported if each.price is None else 0.0
        self.balance.add(Row(energies, each.price or 0.0, each.resale or 0.0, each.co2 or 0.0), each.tank)

    def __add__(self, other: Sums) -> Sums:
        devices = dict(self.devices)
        for device, energy in other.devices.items():
            devices[device] = devices.get(device, 0.0) + energy
        return Sums(
            self.balance + other.balance,
            self.count + other.count,
            self.known + other.known,
            self.estimated + other.estimated,
            self.unpriced + other.unpriced,
            devices,
            self.reconstructed + other.reconstructed,
        )

    def include(self, other: Sums) -> None:
        """Adds a later period to this one, without a copy of what is there already."""
        self.balance.include(other.balance)
        self.count += other.count
        self.known += other.known
        self.estimated += other.estimated
        self.unpriced += other.unpriced
        for device, energy in other.devices.items():
            self.devices[device] = self.devices.get(device, 0.0) + energy
        self.reconstructed += other.reconstructed

    def packed(self) -> list[Any]:
        """As JSON can hold it, for the store."""
        balance = self.balance
        numbers = [round(getattr(balance, name), 7) for name in _NUMBERS]
        flow = [round(getattr(balance.flows, name), 7) for name in FLOWS]
        tank = [round(balance.tank.content, 6), round(balance.tank.solar_share, 6)]
        devices = {device: round(energy, 6) for device, energy in self.devices.items()}
        counts = [self.count, self.known, self.estimated, round(self.unpriced, 7)]
        return [*counts, numbers, flow, tank, devices, self.reconstructed]

    @classmethod
    def unpacked(cls, data: Any) -> Sums:
        """Raises TypeError or ValueError if the data are not what `packed` gave."""
        count, known, estimated, unpriced, numbers, flow, tank, devices, *more = data
        named: Mapping[str, Any] = dict(zip(_NUMBERS, numbers))
        balance = Balance(flows=Flows(*flow), tank=Tank(*tank), **named)
        reconstructed = int(more[0]) if more else 0  # a book of an earlier version has none
        return cls(balance, count, known, estimated, unpriced, dict(devices), reconstructed)


_COLUMN_SUMS = ("imported", "exported", "solar", "charged", "discharged")
_NUMBERS = tuple(each.name for each in fields(Balance) if each.name not in ("flows", "tank"))
