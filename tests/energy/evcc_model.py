"""A model of the solar mode of evcc with its published defaults, written from its documentation and behaviour.

What it holds (docs.evcc.io, reference of `interval`, `enable`, `disable`, `minCurrent`, `maxCurrent`; evcc-io/evcc,
August 2026): it looks every 30 s; the current follows the surplus at once, from what is drawn now; a charge begins when
the surplus has covered 6 A for 60 s and ends when the grid has been drawn from at 6 A for 180 s; one good look puts
either timer back; thresholds are 0 W. Three phases become one under the same rule with the delay of the end, one
becomes three with the delay of the beginning. What it leaves out: plans, batteries, several chargers.
"""

from __future__ import annotations

import math
from typing import Optional

INTERVAL_S = 30
ENABLE_S, DISABLE_S = 60.0, 180.0
MIN_A = 6
BLIND_S = 60.0
"""After a change of phases the measured phases are not trusted for so long."""


class EvccModel:
    """One charger in solar mode. `step` takes the power of the grid and of the charger in W.

    `offset`: the second of its interval in which it looks. Where the sun changes exactly on a minute, a look at 0 sees
    each change with no delay at all, one at 29 almost an interval later.
    """

    def __init__(
        self, max_a: int, phases: int = 1, switching: bool = False, voltage: float = 230.0, offset: int = 0
    ) -> None:
        self.offset = offset
        self.max_a = max_a
        self.installed = phases
        self.switching = switching
        self.voltage = voltage
        self.amps = 0
        self.phases = 1 if switching else phases
        self.starts = self.switches = 0
        self._enough: Optional[float] = None
        self._short: Optional[float] = None
        self._up: Optional[float] = None
        self._down: Optional[float] = None
        self._switched = -math.inf

    def step(self, now: float, grid: float, drawn: float) -> tuple[int, int]:
        """(A, phases) from now on."""
        if (now - self.offset) % INTERVAL_S:
            return self.amps, self.phases
        available = drawn - grid
        if self.switching and now - self._switched >= BLIND_S and self._switch(now, available, grid):
            return self.amps, self.phases
        target = available / (self.voltage * self.phases)
        if self.amps == 0:
            self._enough = (self._enough if self._enough is not None else now) if target >= MIN_A else None
            if self._enough is not None and now - self._enough >= ENABLE_S:
                self.amps, self._enough = MIN_A, None
                self.starts += 1
            return self.amps, self.phases
        if target < MIN_A:
            self.amps = MIN_A
            self._short = self._short if self._short is not None else now
            if now - self._short >= DISABLE_S:
                self.amps, self._short = 0, None
            return self.amps, self.phases
        self._short = None
        self.amps = min(self.max_a, math.floor(target))
        return self.amps, self.phases

    def _switch(self, now: float, available: float, grid: float) -> bool:
        least = 3 * MIN_A * self.voltage
        down = self.phases == 3 and available < least and grid > 0
        up = self.phases == 1 and available >= least and available / self.voltage > self.max_a
        self._down = (self._down if self._down is not None else now) if down else None
        self._up = (self._up if self._up is not None else now) if up else None
        idle = self.amps == 0
        if self._down is not None and (idle or now - self._down >= DISABLE_S):
            self.phases = 1
        elif self._up is not None and (idle or now - self._up >= ENABLE_S):
            self.phases = 3
        else:
            return False
        self._up = self._down = None
        self._switched = now
        self.switches += 1
        self.amps = min(self.amps, self.max_a)
        return True
