"""What the rules of a charger are given, and what they answer. Powers in W, currents in A."""

from __future__ import annotations

from dataclasses import dataclass

OFF, SOLAR, SOLAR_MIN, ECONOMIC, NOW = "off", "solar", "solarMin", "economic", "now"
MODES = (OFF, SOLAR, SOLAR_MIN, ECONOMIC, NOW)
GRID, BATTERY = "grid", "battery"


@dataclass(frozen=True)
class Window:
    """The hours in which prices want a charge. `until`: local time as text; `price`: €/kWh, None if not known."""

    until: str
    price: float | None


@dataclass(frozen=True)
class ChargerSettings:
    """What the charger and the house allow. `phases`: of the installation; `switching`: 1 and 3 phases in turn."""

    mode: str = SOLAR
    phases: int = 1
    max_a: int = 32
    switching: bool = False
    circuit: str = ""
    """Names a circuit that it shares with other chargers."""
    circuit_a: float | None = None
    most_grid: float | None = None
    """Share (0 to 1) of a solar charge that may come from the grid; None: as much as waiting for the sun is worth."""


@dataclass(frozen=True)
class ChargerReading:
    """What a charger tells. `drawn`: W; `offered`: A, None if it is not told; `on_phase`: 1 to 3.

    `foreign`: somebody else has certainly set `offered`, however short a time after a set-point of ours.
    """

    plugged: bool
    drawn: float
    offered: int | None = None
    reachable: bool = True
    on_phase: int = 1
    must_run: bool = False
    window: Window | None = None
    foreign: bool = False
    opened: int | None = None
    """Phases that its circuit leaves for a charge, and below those that carry one; None if it is not known."""
    in_use: int | None = None


@dataclass(frozen=True)
class ChargerSample:
    """What is known at one moment. `surplus`: W available to this charger, its own power included; None if unknown.

    `drawn`: W it draws; `offered`: A that it tells as its limit (None: not told); `cap`: A that limits allow.
    """

    plugged: bool
    surplus: float | None
    drawn: float
    voltage: float = 230.0
    offered: int | None = None
    cap: int = 1000
    must_run: bool = False
    """A plan says that it must charge now, whatever the sun does."""
    by_circuit: bool = False
    """Whether it is the circuit that sets `cap`."""
    silent: bool = False
    """Whether it is a silent meter that sets `cap`."""
    age: float = 0.0
    """Seconds of the oldest reading that the surplus needs, and whose it is: the grid's or the battery's."""
    silent_meter: str = GRID
    kva: float | None = None
    """The house's limit, if that can set `cap`."""
    window: Window | None = None
    """Until when a plan wants it to charge."""
    opened: int | None = None
    in_use: int | None = None
    other_cap: int = 1000
    """A that limits would allow on three phases instead of one, or on one instead of three."""


@dataclass(frozen=True)
class Decision:
    """A set-point. `why`: one sentence with numbers, in French."""

    amps: int
    phases: int
    state: str
    why: str
