"""The state of a WES: every input and output, its clock, its accounts."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Optional

ABSENT = "Pas Dispo"
PERIODS = ("j", "m", "a")  # the letters of day, month, year in the directives


@dataclass
class Tic:
    """A meter link. Indexes in Wh, powers in VA; `adco` empty: nothing connected.

    `producer` is the flag behind the code `ei`, `producer_index` the index behind `Tp` (see templates.py). `standard`:
    the link is in a Linky's standard mode.
    """

    adco: str = ""
    option: str = ""
    subscribed: int = 0
    period: str = "TIC NDERR."
    power: int = 0
    injected_power: int = 0
    current: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    voltage: list[int] = field(default_factory=lambda: [0, 0, 0])
    max_current: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    ejp_notice: int = 0
    tomorrow: str = "pas connue !"
    indexes: dict[str, int] = field(default_factory=dict)
    producer: int = 0
    producer_index: int = 0
    injection: int = 0
    standard: bool = False
    energy: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PERIODS, 0.0))
    cost: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PERIODS, 0.0))
    name: str = ""


@dataclass
class Counter:
    """A pulse counter. `index` in its small unit, day values too, month and year in the large one."""

    pulses: int = 0
    index: float = 0.0
    flow: float = 0.0
    yesterday: float = 0.0
    amount: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PERIODS, 0.0))
    cost: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PERIODS, 0.0))
    name: str = ""


@dataclass
class Clamp:
    """A current clamp. Energies in kWh."""

    current: float = 0.0
    apparent: int = 0
    real: int = 0
    index: float = 0.0
    injection: float = 0.0
    injecting: int = 0
    enabled: int = 0
    energy: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PERIODS, 0.0))
    cost: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PERIODS, 0.0))
    injected: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PERIODS, 0.0))
    gain: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PERIODS, 0.0))
    maximum: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PERIODS, 0.0))
    name: str = ""


@dataclass
class Probe:
    """A 1-wire probe; `rom` empty: absent."""

    value: float = 0.0
    rom: str = ""
    name: str = ""


class Box:
    """Everything one WES knows. Numbers of inputs and outputs begin at 1. `lock` guards it all."""

    def __init__(self, cards: int = 0) -> None:
        self.lock = threading.RLock()
        self.firmware = "V0.84A16"
        self.hardware = "2.1"
        self.mac = (0x00, 0x1E, 0xC0, 0x12, 0x34, 0x56)
        self.date = (14, 3, 2025)
        self.time = (15, 42)
        self.alarm = 0
        self.space_left = 1.842
        self.voltage = 0
        self.tics = [Tic() for _ in range(3)]
        self.counters = [Counter() for _ in range(6)]
        self.clamps = [Clamp() for _ in range(4)]
        self.probes = [Probe() for _ in range(30)]
        self.inputs = [0, 0]
        self.input_names = ["", ""]
        self.relays = {1: False, 2: False}
        self.relay_names = ["", ""]
        self.analogs = [0.0] * 4
        self.analog_names = [""] * 4
        self.switches = [0] * 24
        self.variables = [0.0] * 8
        self.cards = cards
        for card in range(1, cards + 1):
            self.relays.update({card * 100 + place: False for place in range(1, 9)})

    def switch(self, kind: str, number: int, on: Optional[bool]) -> None:
        """Carries out an action: `kind` relay, switch or alarm; `on` None toggles. Ignores unknown numbers."""
        with self.lock:
            if kind == "relay" and number in self.relays:
                self.relays[number] = not self.relays[number] if on is None else on
            elif kind == "switch" and 1 <= number <= len(self.switches):
                self.switches[number - 1] = int(not self.switches[number - 1] if on is None else on)
            elif kind == "alarm":
                self.alarm = int(bool(on))

    def set(self, path: str, value: Any) -> None:
        """Puts a value by its path, such as `tics.0.power`, `relays.101` or `voltage`. Raises ValueError."""
        with self.lock:
            *steps, last = path.split(".")
            target: Any = self
            try:
                for step in steps:
                    target = _item(target, step)
                if isinstance(target, list):
                    target[int(last)] = value
                elif isinstance(target, dict):
                    target[int(last) if last.isdecimal() else last] = value
                elif hasattr(target, last):
                    setattr(target, last, value)
                else:
                    raise KeyError(last)
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise ValueError(f"there is no {path}") from error


def _item(target: Any, step: str) -> Any:
    if isinstance(target, list):
        return target[int(step)]
    if isinstance(target, dict):
        return target[int(step) if step.isdecimal() else step]
    return vars(target)[step]
