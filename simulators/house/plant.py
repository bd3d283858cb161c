"""The physics of a house, one second at a time.

A car follows a new limit five seconds later and takes no more than it can; a battery takes and gives what is left,
within its limits; a load follows at once. Powers in W (grid + draws, battery + discharges), energies in Wh.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import Optional, Union

FOLLOWS_AFTER_S = 5
"""Dead time of a charger and its car: 2 to 6 s are reported for Easee (evcc's issues of 2023 to 2026)."""
SWITCHES_S = 20
"""Without current while a charger changes phases (logs in evcc-io/evcc 3991 and 12825, 2022 and 2024)."""
LEAST_A = 6
"""A car takes nothing below (IEC 61851)."""


class Series:
    """A value that changes in steps: [[second, value], ...]."""

    def __init__(self, steps: Sequence[Sequence[Union[float, bool]]]) -> None:
        ordered = sorted((float(second), value) for second, value in steps)
        self._begins = [begin for begin, _ in ordered]
        self._values = [value for _, value in ordered]
        self._span: tuple[float, float, Union[float, bool]] = (0.0, 0.0, 0)

    def at(self, second: float) -> Union[float, bool]:
        """The value of a second; 0 before the first step."""
        begin, end, value = self._span
        if begin <= second < end:
            return value
        place = bisect_right(self._begins, second)
        value = self._values[place - 1] if place else 0
        begin = self._begins[place - 1] if place else -math.inf
        self._span = (begin, self._begins[place] if place < len(self._begins) else math.inf, value)
        return value


class Car:
    """A car at a charger. `limit` and `phases` are what the charger is set to now.

    `own_phases`: of the car; `needs_pause`: it does not go from one phase to three before it is paused.
    """

    def __init__(self, plugged: Series, max_a: float, phases: int, on_phase: int = 1) -> None:
        self.plugged = plugged
        self.max_a = max_a
        self.on_phase = on_phase
        self.installed = phases
        self.limit = 0
        self.phases = 1
        self._orders: deque[tuple[float, int, int]] = deque()
        self._amps = 0
        self._phases = 1
        self._rests_until = -math.inf
        self.own_phases, self.needs_pause = 3, False
        self.energy = 0.0

    def set(self, second: float, amps: int, phases: int) -> None:
        """The charger is given a new limit."""
        self.limit, self.phases = amps, phases
        self._orders.append((second + FOLLOWS_AFTER_S, amps, phases))

    def step(self, second: float) -> None:
        """Follows what was set five seconds ago."""
        while self._orders and self._orders[0][0] <= second:
            _, amps, phases = self._orders.popleft()
            charges = self._amps >= LEAST_A
            if charges and amps >= LEAST_A and self.needs_pause and phases > self._phases:
                phases = self._phases
            if charges and amps >= LEAST_A and phases != self._phases:
                self._rests_until = second + SWITCHES_S
            self._amps, self._phases = amps, phases

    def amps(self, second: float) -> float:
        """A on each phase in use."""
        if not self.plugged.at(second) or self._amps < LEAST_A or second < self._rests_until:
            return 0.0
        return min(float(self._amps), self.max_a)

    def power(self, second: float, voltage: float) -> float:
        """W in all."""
        return self.amps(second) * voltage * len(self.phases_in_use())

    def phases_in_use(self) -> list[int]:
        """0-based."""
        return [0, 1, 2] if min(self._phases, self.own_phases) == 3 else [self.on_phase - 1]

    def in_use(self, second: float) -> Optional[int]:
        """How many phases carry a current; None if none does."""
        return len(self.phases_in_use()) if self.amps(second) else None


class Battery:
    """A home battery that evens out what is left, on its own."""

    def __init__(self, capacity: float, soc: float, max_charge: float, max_discharge: float) -> None:
        self.capacity = capacity
        self.content = capacity * soc / 100
        self.max_charge = max_charge
        self.max_discharge = max_discharge

    def power(self, missing: float) -> float:
        """W (+ discharges) for a house that lacks `missing` W (negative: has too much)."""
        if missing > 0:
            return min(missing, self.max_discharge) if self.content > 0 else 0.0
        return -min(-missing, self.max_charge) if self.content < self.capacity else 0.0

    def step(self, power: float) -> None:
        """One second with that power."""
        self.content = min(max(self.content - power / 3600, 0.0), self.capacity)


class House:
    """All of it. After `step`, `grid`, `battery_power`, `apparent` (VA by phase) and the sums tell what is."""

    def __init__(
        self,
        solar: Series,
        base: Sequence[Series],
        phases: int = 1,
        voltage: float = 230.0,
        va_factor: float = 1.0,
        battery: Optional[Battery] = None,
        cars: Optional[dict[str, Car]] = None,
        loads: Optional[dict[str, float]] = None,
    ) -> None:
        self._solar = solar
        self._base = base
        self.phases = phases
        self.voltage = voltage
        self._va_factor = va_factor
        self.battery = battery
        self.cars = cars or {}
        self.loads = loads or {}
        self.on: dict[str, bool] = dict.fromkeys(self.loads, False)
        self.solar = self.grid = self.battery_power = 0.0
        self.apparent = [0.0] * phases
        self.max_va = 0.0
        self.imported = self.exported = self.solar_energy = self.charged = self.discharged = 0.0

    def step(self, second: float) -> None:
        """Lets one second pass."""
        self.look(second)
        if self.battery is not None:
            self.battery.step(self.battery_power)
        self.imported += max(self.grid, 0.0) / 3600
        self.exported += max(-self.grid, 0.0) / 3600
        self.solar_energy += self.solar / 3600
        self.charged += max(-self.battery_power, 0.0) / 3600
        self.discharged += max(self.battery_power, 0.0) / 3600
        self.max_va = max(self.max_va, *self.apparent)
        for car in self.cars.values():
            car.energy += car.power(second, self.voltage) / 3600

    def look(self, second: float) -> None:
        """What the meters would show at this second."""
        self.solar = float(self._solar.at(second))
        drawn = [float(each.at(second)) for each in self._base]
        drawn += [0.0] * (self.phases - len(drawn))
        for car in self.cars.values():
            car.step(second)
            for phase in car.phases_in_use() if self.phases == 3 else [0]:
                share = car.amps(second) * self.voltage
                drawn[phase] += share
        for name, power in self.loads.items():
            drawn[0] += power if self.on[name] else 0.0
        missing = sum(drawn) - self.solar
        self.battery_power = self.battery.power(missing) if self.battery is not None else 0.0
        self.grid = missing - self.battery_power
        own, factor = (self.solar + self.battery_power) / self.phases, self._va_factor
        self.apparent = [(each - own) * factor if each > own else 0.0 for each in drawn]
