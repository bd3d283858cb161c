"""An IQ Battery of the simulated plant: takes what is too much, gives what is missing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Storage:
    """`capacity` Wh, `power` W at most in each direction, `energy` Wh stored now, `reserve` % kept."""

    capacity: float = 3_500.0
    power: float = 1_280.0
    energy: float = 1_200.0
    reserve: float = 10.0
    serial: str = "122300000901"

    @property
    def soc(self) -> float:
        """State of charge in percent."""
        return 100.0 * self.energy / self.capacity

    def allowed(self, wish: list[float]) -> list[float]:
        """What becomes of a wish (W per phase, + discharge) within power, charge and reserve."""
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
