"""What the rules of all consumers are given: settings of the house, and one sample of it. Powers in W, ages in s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..surplus import RESERVE_W
from .charger import GRID, ChargerReading
from .shedding import ORDER

SHARE = "share"


@dataclass(frozen=True)
class HouseSettings:
    """`subscribed`: VA, None if it is not known or has no limit. `phases`: 1 or 3. `battery_first`: before cars."""

    phases: int = 1
    subscribed: float | None = None
    reserve: float = RESERVE_W
    battery_first: bool = True
    sharing: str = ORDER
    """The sun among chargers: in `order`, or a `share` for each."""
    shedding: str = ORDER
    """How loads give way: see shedding."""


@dataclass(frozen=True)
class HouseReading:
    """One sample. `grid`: W (+ draws); `apparent`: VA of each phase; `age`: seconds of the oldest reading in use."""

    grid: float
    apparent: Sequence[float]
    battery: float = 0.0
    voltage: float = 230.0
    age: float = 0.0
    chargers: Mapping[str, ChargerReading] = field(default_factory=dict)
    loads_on: Mapping[str, bool] = field(default_factory=dict)
    loads_wanted: Mapping[str, bool] = field(default_factory=dict)
    circuits_taken: Mapping[str, float] = field(default_factory=dict)
    """A that chargers draw which nobody drives, by circuit."""
    gaps: Mapping[str, float] = field(default_factory=dict)
    """K that the room of a load lacks of its set temperature, if it has a thermostat."""
    silent_meter: str = GRID
    """Whose reading is the oldest: the grid's or the battery's."""
