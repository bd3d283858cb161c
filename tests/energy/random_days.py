"""Random days of a house under the rules, by a seed: sun with clouds, kettles, one or two cars, a load, a battery.

`python -m tests.energy.random_days FIRST COUNT` plays the days of so many seeds and names those that break a promise.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import random
import sys
from dataclasses import dataclass, field
from typing import Any

from tests.energy.seeds import Seeds
from tools.play_scenario import Game

BEGIN_H, END_H = 8, 18
SECONDS = (END_H - BEGIN_H) * 3600
SAMPLE_S, DEAD_TIME_S = 5, 5
MODES = ("solar", "solar", "solar", "solarMin", "now", "off")
MOST_STARTS = 6
"""An hour: three after a minute of sun each, the others after five minutes and a rest of five."""
LEAST_REST_S = 300
MOST_IMPORT = 0.02
PER_CHANGE_WH = 40.0
"""What a cloud may cost before the current has followed: 7 kW for fifteen seconds and the dead time."""


def scenario(seed: int) -> dict[str, Any]:
    """The day of a seed, from eight to eighteen o'clock."""
    chance = random.Random(seed)
    subscribed = chance.choice([6000, 9000, 12000])
    cars = [
        {
            "id": f"car{number}",
            "mode": chance.choice(MODES),
            "maxA": chance.choice([16, 32]),
            "carMaxA": chance.choice([10, 16, 32]),
            "plugged": [[0, False], [chance.randrange(3600), True], [chance.randrange(20000, SECONDS), False]],
        }
        for number in range(chance.choice([1, 1, 2]))
    ]
    made: dict[str, Any] = {
        "seconds": SECONDS,
        "start": "2026-06-15T08:00:00+02:00",
        "house": {"subscribedVA": subscribed},
        "solar": _sun(chance),
        "base": _base(chance, 0.8 * subscribed),
        "chargers": cars,
        "sharing": chance.choice(["order", "share"]),
        "events": _events(chance),
    }
    if chance.random() < 0.4:
        power = chance.choice([1200, 2000])
        made["loads"] = [{"id": "boiler", "powerW": power, "threshold": "solar"}]
    if chance.random() < 0.4:
        order = chance.choice(["battery", "car"])
        made["battery"] = {
            "capacityWh": 6000,
            "soc": chance.randrange(10, 90),
            "maxChargeW": 3000,
            "maxDischargeW": 3000,
            "order": order,
        }
    return made


def _sun(chance: random.Random) -> list[list[float]]:
    peak, clouds, steps = chance.uniform(1500, 9000), chance.random(), []
    second, share = 0, 1.0
    while second < SECONDS:
        hour = BEGIN_H + second / 3600
        steps.append([second, round(peak * share * math.sin((hour - 6.5) / 13 * math.pi))])
        second += chance.choice([20, 60, 60, 120, 300])
        if chance.random() < 0.5 * clouds:
            share = chance.uniform(0.15, 1.0)
        elif chance.random() < 0.3:
            share = 1.0
    return steps


def _base(chance: random.Random, most: float) -> list[list[float]]:
    steps, second = [[0, 300.0]], 0
    while second < SECONDS:
        second += chance.randrange(300, 3000)
        usual = chance.uniform(200, 900)
        steps.append([second, round(min(most, usual + chance.choice([0, 1500, 2200, 4000])))])
        second += chance.randrange(60, 600)
        steps.append([second, round(usual)])
    return steps


def _events(chance: random.Random) -> list[list[Any]]:
    found: list[list[Any]] = []
    for _ in range(chance.choice([0, 0, 1, 2])):
        at = chance.randrange(600, SECONDS - 1200)
        found += chance.choice(
            [
                [[at, {"restart": True}]],
                [[at, {"clockStepS": chance.choice([-3600, 3600])}]],
                [[at, {"charger": "car0", "reachable": False}], [at + 90, {"charger": "car0", "reachable": True}]],
            ]
        )
    return found


@dataclass
class Day(Game):
    """A day that is played, and what was seen of it second by second."""

    seed: int
    lines: list[dict[str, Any]] = field(default_factory=list)
    over_s: int = 0
    """Longest time above the subscribed power, in seconds, while the rest of the house was below it."""
    imported: float = 0.0
    """Wh drawn from the grid by cars that charge by the sun alone, and what they have charged."""
    charged: float = 0.0

    def __post_init__(self) -> None:
        super().__init__(scenario(self.seed))
        self.step_house, self.house.step = self.house.step, self._watch  # type: ignore[method-assign]
        self._over = 0
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.play()
        self.lines = [json.loads(line) for line in out.getvalue().splitlines()][:-1]

    def _watch(self, second: float) -> None:
        self.step_house(second)
        powers = {name: car.power(second, 230) for name, car in self.house.cars.items()}
        own = sum(powers.values())
        rest = self.house.apparent[0] - own - sum(self.house.loads[name] for name, on in self.house.on.items() if on)
        above = self.house.apparent[0] > self.scenario["house"]["subscribedVA"] >= rest
        self._over = self._over + 1 if above else 0
        self.over_s = max(self.over_s, self._over)
        drawn = sum(power for name, power in powers.items() if self.modes[name] == "solar")
        others = own - drawn
        self.charged += drawn / 3600
        self.imported += min(max(self.house.grid - others, 0.0), drawn) / 3600

    @property
    def bound_s(self) -> int:
        """Seconds that an excess may last: one sample and the dead time, and one step more for each load."""
        return SAMPLE_S + DEAD_TIME_S + 1 + (SAMPLE_S + 1) * len(self.house.loads)

    def of(self, car: str) -> list[dict[str, Any]]:
        """The decisions about a car."""
        return [line for line in self.lines if line.get("charger") == car]

    def stops(self) -> int:
        """How often a car was stopped."""
        return sum(1 for line in self.lines if line.get("amps") == 0)


def check(seed: int) -> Day:
    """What is promised of each day."""
    day = Day(seed)
    assert day.over_s <= day.bound_s, "longer above the subscribed power than a sample and the dead time"
    assert all(line["why"] and not line["why"].isspace() for line in day.lines)
    for car in day.house.cars:
        settings_of = next(each for each in day.scenario["chargers"] if each["id"] == car)
        lines = day.of(car)
        assert all(line["amps"] == 0 or 6 <= line["amps"] <= settings_of["maxA"] for line in lines)
        starts = [line["t"] for line in lines if line["state"] == "starting"]
        assert max((sum(1 for each in starts if at - 3600 < each <= at) for at in starts), default=0) <= MOST_STARTS
        stopped = [line["t"] for line in lines if line["amps"] == 0]
        assert not any(0 <= at - stop < LEAST_REST_S for at in starts for stop in stopped), (
            "begun too soon after a stop"
        )
        restarts = [at for at, event in day.scenario["events"] if event.get("restart")]
        begun = [line["t"] for before, line in zip([{"amps": 0}, *lines], lines) if line["amps"] and not before["amps"]]
        assert not any(0 <= at - restart < 30 for at in begun for restart in restarts), "begun by a restart"
        if settings_of["mode"] == "off":
            assert not any(line["amps"] for line in lines)
    lowered = sum(1 for line in day.lines if "amps" in line)
    assert day.imported <= MOST_IMPORT * day.charged + PER_CHANGE_WH * lowered + 80.0 * day.stops()
    return day


def main(first: int, count: int) -> int:
    """Plays the days of `count` seeds from `first` on; prints what breaks a promise, and the sums."""
    charged, imported, worst = 0.0, 0.0, 0
    for seed, day in (played := Seeds(check, first, count)):
        charged, imported, worst = charged + day.charged, imported + day.imported, max(worst, day.over_s)
        if (seed - first) % 20 == 19:
            print(
                f"{seed - first + 1} days, {played.broken} broken, {imported:.0f} of {charged:.0f} Wh, {worst} s",
                flush=True,
            )
    share = 100 * imported / charged if charged else 0.0
    print(
        f"{count} days: {played.broken} broken; {charged / 1000:.0f} kWh by the sun alone, {share:.1f} % from the grid;"
    )
    print(f"at most {worst} s above the subscribed power")
    return 1 if played.broken else 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2])))
