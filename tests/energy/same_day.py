"""One solar day under the rules and under a model of evcc's defaults: what each charges, draws, starts, switches.

`python -m tests.energy.same_day` prints the figures of docs/*/comparison.md. The model's are the mean of six seconds of
its interval in which it may look: the days change exactly on a minute, and a look in that second would never be late.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import random
from dataclasses import dataclass, fields
from statistics import mean
from typing import Any

from simulators.house import Car, House, Series
from tests.energy.evcc_model import INTERVAL_S, EvccModel
from tools.play_scenario import Game

SECONDS = 10 * 3600
"""From eight to eighteen o'clock."""
BASE_W = 350.0
OFFSETS = range(0, 30, 5)
DAYS = ("clear", "clouds", "showers", "weak")


@dataclass(frozen=True)
class Result:
    """Of a day. Energies in Wh."""

    charged: float
    imported: float
    starts: float
    switches: float
    commands: float

    @property
    def solar_share(self) -> float:
        """Of what was charged."""
        return 1 - self.imported / self.charged if self.charged else 1.0


def sun(name: str, seed: int = 7) -> list[list[float]]:
    """The steps of a day: clear, with clouds of some minutes, with showers that change each minute, or weak."""
    chance, steps, second = random.Random(seed), [], 0
    while second < SECONDS:
        clear = 6000 * math.sin((1.5 + second / 3600) / 13 * math.pi)
        share = {
            "clear": 1.0,
            "clouds": chance.choice([1.0, 1.0, 1.0, 0.45]),
            "showers": chance.uniform(0.15, 1.0),
            "weak": 0.36,
        }[name]
        steps.append([second, round(clear * share)])
        second += {"clear": 60, "clouds": chance.randrange(120, 600), "showers": 60, "weak": 60}[name]
    return steps


def base(seed: int = 7) -> list[list[float]]:
    """350 W, and 2 kW for some minutes now and then."""
    chance, steps, second = random.Random(seed), [[0, BASE_W]], 0
    while second < SECONDS:
        second += chance.randrange(1200, 4800)
        steps += [[second, BASE_W + 2000], [second + chance.randrange(90, 300), BASE_W]]
    return steps


def _watched(house: House, car: Car) -> dict[str, float]:
    """Sums what the car draws from the grid from now on."""
    sums, step = {"imported": 0.0}, house.step

    def watch(second: float) -> None:
        step(second)
        sums["imported"] += min(max(house.grid, 0.0), car.power(second, 230.0)) / 3600

    house.step = watch  # type: ignore[method-assign]
    return sums


def ours(name: str, three: bool = False) -> Result:
    """By the rules."""
    charger: dict[str, Any] = {
        "id": "car",
        "mode": "solar",
        "maxA": 16 if three else 32,
        "carMaxA": 16 if three else 32,
    }
    if three:
        charger.update({"phases": 3, "switching": True})
    phases = {"phases": 3} if three else {}
    game = Game({"seconds": SECONDS, "solar": sun(name), "base": base(), "house": phases, "chargers": [charger]})
    sums = _watched(game.house, game.house.cars["car"])
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        game.play()
    lines = [json.loads(line) for line in out.getvalue().splitlines()][:-1]
    starts = sum(1 for line in lines if line["state"] == "starting")
    phases_told = [line["phases"] for line in lines if line["amps"]]
    switches = sum(1 for one, two in zip(phases_told, phases_told[1:]) if one != two)
    return Result(game.house.cars["car"].energy, sums["imported"], starts, switches, len(lines))


def evcc(name: str, three: bool = False) -> Result:
    """By the model: the mean over the seconds in which it may look."""
    found = [_evcc(name, three, offset) for offset in OFFSETS]
    return Result(*(mean(getattr(each, part.name) for each in found) for part in fields(Result)))


def _evcc(name: str, three: bool, offset: int) -> Result:
    most = 16 if three else 32
    car = Car(Series([[0, True]]), most, 3 if three else 1)
    house = House(Series(sun(name)), [Series(base())], 3 if three else 1, cars={"car": car})
    sums = _watched(house, car)
    model, commands = EvccModel(most, 3 if three else 1, three, offset=offset), 0
    for second in range(SECONDS + 1):
        if (second - offset) % INTERVAL_S == 0:
            house.look(second)
            before = (model.amps, model.phases)
            wanted = model.step(second, house.grid, car.power(second, 230.0))
            if wanted != before:
                commands += 1
                car.set(second, *wanted)
        house.step(second)
    return Result(car.energy, sums["imported"], model.starts, model.switches, commands)


def main() -> None:
    """Prints the table."""
    for three in (False, True):
        for name in DAYS:
            for who, result in (("ours", ours(name, three)), ("evcc", evcc(name, three))):
                print(
                    f"{'3p' if three else '1p'} {name:8} {who:5} {result.charged / 1000:6.2f} kWh "
                    f"sun {100 * result.solar_share:5.1f} % import {result.imported:6.0f} Wh "
                    f"starts {result.starts:.1f} switches {result.switches:.1f} commands {result.commands:.0f}"
                )


if __name__ == "__main__":
    main()
