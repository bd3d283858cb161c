"""Which meters fill which columns of the book: from the roles of the house to counters with their powers.

Pure. A column of a counter is counted by it; a column without one by its power alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..ports import Reading, Source
from ..topology import Role, power_of
from .cells import CHARGED, DISCHARGED, EXPORTED, IMPORTED, SOLAR, Cells
from .growth import Growth
from .meter import Meter

MOST_KW = {IMPORTED: 50.0, EXPORTED: 50.0, SOLAR: 50.0, CHARGED: 30.0, DISCHARGED: 30.0}
"""What a counter can grow at most, until the subscribed power says less. A device: as the whole house."""
COUNTED = {
    "grid.import": IMPORTED,
    "grid.export": EXPORTED,
    "solar.energy": SOLAR,
    "battery.charged": CHARGED,
    "battery.discharged": DISCHARGED,
}
"""Which column the counters of a role fill."""
POWERS = {
    IMPORTED: ("grid.power", 1),
    EXPORTED: ("grid.power", -1),
    SOLAR: ("solar.power", 1),
    CHARGED: ("battery.power", -1),
    DISCHARGED: ("battery.power", 1),
}
"""Whose power, with which sign, tells where a column's energy belongs."""
SLEPT_WH, SLEPT_TIMES = 100.0, 2.0
"""What a counter grows beyond so many times its power, while the clock skips hours, says that they have passed."""
DEVICES = {"charger": ("charger.power", "charger.energy"), "load": ("load.power", "load.energy")}


@dataclass
class Feed:
    """A meter and what feeds it: its counters (their sum counts) and its power with a sign."""

    meter: Meter
    counters: tuple[Source, ...]
    power: Role | None
    sign: int

    def take_power(self, readings: Mapping[str, Reading], limit_s: float) -> None:
        """Hands the meter the power of now; a longer time than `limit_s` since the last one is not known."""
        if self.power is None:
            return
        reading, power = readings.get(self.power.source.key), power_of(self.power, readings)
        if reading is not None and power is not None and not reading.doubtful:
            self.meter.power(self.sign * power, reading.at, limit_s)

    def has_slept(self, readings: Mapping[str, Reading], skipped_s: float) -> bool:
        """Whether the time that the clock has skipped has passed: its counter has grown more than in the rest alone."""
        told, growth, changed_at = self.total(readings), self.meter.growth, self.meter.changed_at
        if told is None or growth is None or growth.last is None or changed_at is None:
            return False
        power = power_of(self.power, readings) if self.power is not None else None
        watts = max(self.sign * power if power is not None else 0.0, (self.meter.last_power or (0.0, 0.0))[1])
        if power is None:
            watts = 1000 * growth.most_kw
        seconds = max(told[1] - changed_at - skipped_s, 0.0)
        return told[0] - 1000 * growth.last > SLEPT_TIMES * watts * seconds / 3600 + SLEPT_WH

    def total(self, readings: Mapping[str, Reading]) -> tuple[float, float] | None:
        """The sum (Wh) of all counters and the moment of the newest; None if one of them is not known."""
        parts = [readings.get(source.key) for source in self.counters]
        known = [(part.number, part.at) for part in parts if part is not None]
        if not known or len(known) < len(parts) or any(number is None for number, _ in known):
            return None
        return sum(number or 0.0 for number, _ in known), max(at for _, at in known)


def feeds(roles: Iterable[Role], cells: Cells, most_kw: Mapping[str, float]) -> dict[str, Feed]:
    """The meters of the roles in use, by a key that stays while their sources do. They write into `cells`."""
    by_role: dict[str, list[Role]] = {}
    for role in roles:
        if role.used:
            by_role.setdefault(role.role, []).append(role)
    wanted: dict[str, Feed] = {}

    def feed(column: str, sources: tuple[Source, ...], power: Role | None, sign: int) -> None:
        sources = tuple(each for each in sources if each.per in ("counter", "today"))
        if not sources and power is None:
            return
        growth = Growth(most_kw.get(column, MOST_KW.get(column, MOST_KW[IMPORTED]))) if sources else None
        meter = Meter(column, cells, growth, daily=bool(sources) and sources[0].per == "today")
        names = ",".join(each.key for each in sources) or (power.source.key if power is not None else "")
        wanted[f"{column}|{names}"] = Feed(meter, sources, power, sign)

    for name, column in COUNTED.items():
        role_name, sign = POWERS[column]
        powers = by_role.get(role_name, [])
        counted = _by_equipment(by_role.get(name, []))
        for equipment, sources in counted.items():
            own = [each for each in powers if each.source.equipment == equipment]
            alone = powers if len(counted) == 1 and len(powers) == 1 else []
            feed(column, sources, next(iter(own or alone), None), sign)
        if not (counted and name.startswith("grid")):
            for power in powers:
                if power.source.equipment not in counted:
                    feed(column, (), power, sign)
    for power_name, energy_name in DEVICES.values():
        energies = _by_equipment(by_role.get(energy_name, []))
        own_powers = {each.source.equipment: each for each in by_role.get(power_name, [])}
        for equipment in {**energies, **own_powers}:
            sources = tuple(each for each in energies.get(equipment, ()) if each.per == "counter")
            if sources or equipment in own_powers:
                feed(equipment, sources, own_powers.get(equipment), 1)
    return wanted


def late_columns(roles: Iterable[Role]) -> dict[str, str]:
    """What the dated figures of a source fill, by its key."""
    dated = [each for each in roles if each.source.per in ("day", "measure")]
    columns = {each.source.key: IMPORTED for each in dated if each.role == "grid.import"}  # also one kept to compare
    columns.update({each.source.key: EXPORTED for each in dated if each.role == "grid.export" and each.used})
    columns.update({e.source.key: e.source.equipment for e in dated if e.role == "load.energy" and e.used})
    return columns


def _by_equipment(roles: Iterable[Role]) -> dict[str, tuple[Source, ...]]:
    """The counters of each equipment: the periods of a tariff are one counter together."""
    found: dict[str, tuple[Source, ...]] = {}
    for role in roles:
        found[role.source.equipment] = (*found.get(role.source.equipment, ()), role.source)
    return found
