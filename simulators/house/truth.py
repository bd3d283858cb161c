"""One house behind the simulators of several vendors: what its cars draw and its roof gives is what every meter shows.

Powers in W; of the grid + draws, - feeds in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Protocol

CAR_POWER = 120
"""The observation that tells a simulated charger's power in kW."""


class HasPower(Protocol):
    """A simulated charger."""

    def get(self, observation: int) -> Any:
        """The value of an observation."""
        ...


class Draws(Protocol):
    """What a house uses beside its cars."""

    def watts(self, when: float, of_day: float, day: int) -> list[float]:
        """W of each phase at a moment."""
        ...


class Measured(Protocol):
    """A simulated plant, which measures the house."""

    house: Any
    meters: Any

    def advance(self) -> None:
        """Goes on to the clock's time."""
        ...


@dataclass(frozen=True)
class Steady:
    """A house that always draws the same."""

    phases: Sequence[float]

    def watts(self, when: float, of_day: float, day: int) -> list[float]:
        """W of each phase."""
        return list(self.phases)


class Together:
    """A house and the cars that charge there."""

    def __init__(self, truth: Truth, own: Draws) -> None:
        self._truth = truth
        self.own = own

    def watts(self, when: float, of_day: float, day: int) -> list[float]:
        """W of each phase."""
        own = self.own.watts(when, of_day, day)
        return [each + self._truth.drawn() / len(own) for each in own]


@dataclass
class Truth:
    """The plant whose meters see everything, and the chargers in its house."""

    plant: Optional[Measured] = None
    cars: list[HasPower] = field(default_factory=list)

    def adopt(self, plant: Measured) -> None:
        """From now on the cars draw from the house of this plant."""
        plant.house = Together(self, plant.house)
        self.plant = plant

    def drawn(self) -> float:
        """What all cars draw now."""
        return sum(1000.0 * float(car.get(CAR_POWER) or 0.0) for car in self.cars)

    def grid(self) -> float:
        """What comes from the grid now."""
        return self._measured("net-consumption")

    def solar(self) -> float:
        """What the roof gives now."""
        return max(0.0, self._measured("production"))

    def _measured(self, meter: str) -> float:
        if self.plant is None:
            return 0.0
        self.plant.advance()
        return float(sum(register.watts for register in self.plant.meters[meter]))
