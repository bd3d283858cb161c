"""Batteries of the simulated plant: IQ and AC batteries charge from surplus and discharge for consumption.

Different endpoints report the two kinds. What they show beside each other (/production.json, secctrl) is that of the
recording 8.2.4382_ACB of November 2024, where three AC batteries hold 3720 Wh together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass
class Storage:
    """`capacity` Wh, `power` W at most in each direction, `energy` Wh stored now, `reserve` % kept."""

    capacity: float = 3_500.0
    power: float = 1_280.0
    energy: float = 1_200.0
    reserve: float = 10.0
    serial: str = "122300000901"
    silent_since: Optional[float] = None
    """Unix time of its last report if it has lost the gateway, which then repeats its last values; else None."""

    @property
    def soc(self) -> float:
        """State of charge in percent."""
        return 100.0 * self.energy / self.capacity

    def allowed(self, wish: list[float]) -> list[float]:
        """Limits a wanted power (W per phase, + discharge) by power, charge and reserve."""
        total = sum(wish)
        if total > 0.0:
            most = self.power if self.soc > self.reserve else 0.0
        else:
            most = self.power if self.energy < self.capacity else 0.0
        if abs(total) <= most or total == 0.0:
            return wish
        return [watts * most / abs(total) for watts in wish]

    def flow(self, watts: float, hours: float) -> None:
        """Let that power (+ discharge) flow for that long."""
        self.energy = min(self.capacity, max(0.0, self.energy - watts * hours))


@dataclass
class AcBatteries:
    """First-generation AC batteries: `count` of 1240 Wh each, `energy` Wh stored; they do what `Plant.set` says."""

    count: int = 3
    energy: float = 930.0
    first_serial: int = 121_800_000_901

    @property
    def capacity(self) -> float:
        """Wh of all of them."""
        return 1_240.0 * self.count

    @property
    def soc(self) -> float:
        """State of charge in percent."""
        return 100.0 * self.energy / self.capacity

    def flow(self, watts: float, hours: float) -> None:
        """Let that power (+ discharge) flow for that long."""
        self.energy = min(self.capacity, max(0.0, self.energy - watts * hours))
