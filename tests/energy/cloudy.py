"""Random days of sun and clouds for one car on one phase, under the rules and under a model of evcc's defaults.

`python -m tests.energy.cloudy [DAYS]` prints the table of docs/*/comparison.md. One charger and no battery: a day plays
in a fifth of a second; the whole house is played by random_days. Clouds come at any second.
"""

from __future__ import annotations

import math
import random
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, Optional

from jeenergied.energy.charging import ChargePoint
from jeenergied.energy.sharing.charger import SOLAR, ChargerSample, ChargerSettings
from jeenergied.energy.surplus import RESERVE_W

from simulators.house.plant import FOLLOWS_AFTER_S, LEAST_A
from tests.energy.evcc_model import INTERVAL_S, EvccModel

SECONDS, SAMPLE_S, VOLTS, MOST_A = 36000, 5, 230.0, 32
BOUNDS = (None, 0.05, 0.03, 0.02)


@dataclass
class Total:
    """Of one or many days. Energies in Wh."""

    charged: float = 0.0
    imported: float = 0.0
    starts: int = 0
    commands: int = 0

    def add(self, other: Total) -> None:
        """Adds other days."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def net(seed: int) -> list[float]:
    """What the house draws without the car, in W, second by second from eight to eighteen o'clock."""
    chance = random.Random(seed)
    peak, clouds, share, second = chance.uniform(2500, 9000), chance.random(), 1.0, 0
    sun, used = [0.0] * SECONDS, [300.0] * SECONDS
    while second < SECONDS:
        end = second + chance.choice([20, 60, 60, 120, 300]) + chance.randrange(-9, 10)
        power = peak * share * math.sin((1.5 + second / 3600) / 13 * math.pi)
        sun[second:end] = [power] * (min(end, SECONDS) - second)
        if chance.random() < 0.5 * clouds:
            share = chance.uniform(0.15, 1.0)
        elif chance.random() < 0.3:
            share = 1.0
        second = end
    second = 0
    while second < SECONDS:
        usual, second = chance.uniform(200, 900), second + chance.randrange(300, 3000)
        end = second + chance.randrange(60, 600)
        used[second:end] = [usual + chance.choice([0, 1500, 2200, 4000])] * max(0, min(end, SECONDS) - second)
        used[end:] = [usual] * max(0, SECONDS - end)
        second = end
    return [ours - given for ours, given in zip(used, sun)]


def _played(day: Sequence[float], step: object) -> Total:
    """Plays a day. `step(second, grid, drawn, limit)` returns the new limit in A, or None."""
    assert callable(step)
    total, orders, amps, limit = Total(), deque[tuple[int, int]](), 0, 0
    for second, rest in enumerate(day):
        while orders and orders[0][0] <= second:
            amps = orders.popleft()[1]
        drawn = amps * VOLTS if amps >= LEAST_A else 0.0
        wanted: Optional[int] = step(second, rest + drawn, drawn, limit)
        if wanted is not None and wanted != limit:
            total.starts += limit == 0
            total.commands += 1
            limit = wanted
            orders.append((second + FOLLOWS_AFTER_S, limit))
        total.charged += drawn / 3600
        total.imported += min(max(rest + drawn, 0.0), drawn) / 3600
    return total


def ours(
    day: Sequence[float], most_grid: Optional[float] = None, told: Callable[[int], None] = lambda second: None
) -> Total:
    """By the rules. `most_grid`: the share that may come from the grid; `told`: hears of each set-point."""
    point = ChargePoint(ChargerSettings(SOLAR, 1, MOST_A, most_grid=most_grid))

    def step(second: int, grid: float, drawn: float, limit: int) -> Optional[int]:
        if second % SAMPLE_S:
            return None
        surplus = drawn - grid - RESERVE_W
        decision = point.step(float(second), ChargerSample(True, surplus, drawn, VOLTS, limit, MOST_A))
        if decision is None:
            return None
        told(second)
        return decision.amps

    return _played(day, step)


def evcc(day: Sequence[float]) -> Total:
    """By the model."""
    model = EvccModel(MOST_A)

    def step(second: int, grid: float, drawn: float, limit: int) -> Optional[int]:
        return None if second % INTERVAL_S else model.step(second, grid, drawn)[0]

    return _played(day, step)


def main(days: int) -> None:
    """Prints the table."""
    rows = [("model of evcc", Total()), *((f"ours, bound {bound}", Total()) for bound in BOUNDS)]
    for seed in range(days):
        day = net(seed)
        rows[0][1].add(evcc(day))
        for (_, total), bound in zip(rows[1:], BOUNDS):
            total.add(ours(day, bound))
    for name, each in rows:
        print(
            f"{name:18} charged {each.charged / days / 1000:6.2f} kWh a day, from the sun "
            f"{(each.charged - each.imported) / days / 1000:6.2f}, import {100 * each.imported / each.charged:4.1f} %, "
            f"starts {each.starts / days:5.1f}, set-points {each.commands / days:5.0f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
