"""Random days of a charge point with a goal, by a seed: kWh or % by an hour, on some days of the week.

`python -m tests.energy.random_goals FIRST COUNT` plays the days of so many seeds and names those that break a promise:
a goal that can be met is met; of one that is not met a risk is told in time; a risk and its end take turns.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Optional

from jeenergied.energy.control.settings import EVERY_DAY, PointSettings

from tests.energy.house import PARIS
from tests.energy.seeds import Seeds
from tests.energy.test_pilot import CAR, NOON, Rig

HOUR, STEP_S, TURN_S = 3600, 30, 600
VOLTS = 230.0
SOFT = 0.95
"""Of the subscribed power that a charge may use."""
SURE = 0.7
"""A goal that wants so much of what could be charged at most can be met; the rest is for falls, waits and restarts."""
NEGLIGIBLE_KWH = 0.15
LEAST_W = 7 * VOLTS


@dataclass
class GoalDay:
    """A day that is played. Seconds from noon; energies in kWh."""

    seed: int
    kwh: float = 0.0
    """What is wanted; from the charge state, if that is how it is wanted."""
    possible: float = 0.0
    """What could be charged until the hour by somebody who knew all."""
    charged: float = 0.0
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        self.subscribed: Optional[float] = chance.choice([None, 6000.0, 9000.0, 12000.0])
        self.by = chance.randrange(4, 24) * HOUR // 2
        self.most = chance.choice([10, 16, 32])
        self.base = self._base(chance)
        self.plugged = self._plugged(chance)
        capacity = chance.choice([0.0, 0.0, 40.0, 60.0])
        at = datetime.fromtimestamp(NOON + self.by, PARIS)
        days = EVERY_DAY if chance.random() < 0.6 else (at.isoweekday(), (at + timedelta(days=3)).isoweekday())
        sun = [[second, float(chance.choice([0, 0, 800, 2500, 4500]))] for second in range(0, self.by, 1800)]
        point = PointSettings("p", CAR, "Borne", max_a=self.most, days=days, capacity=capacity)
        aimed: type[Rig] = type("Aimed", (Rig,), {"settings": point})
        self.rig = aimed(sun, self.base, self.plugged, subscribed=self.subscribed)
        self._play(chance, capacity)

    def _base(self, chance: random.Random) -> list[list[float]]:
        steps, second = [[0, 300.0]], 0
        while second < self.by:
            second += chance.randrange(600, 5400)
            usual = chance.uniform(200, 900)
            steps.append([second, usual + chance.choice([0, 1500, 2200, 3500])])
            second += chance.randrange(60, 1800)
            steps.append([second, usual])
        return steps

    def _plugged(self, chance: random.Random) -> list[list[Any]]:
        first = chance.choice([5, chance.randrange(5, self.by)])
        steps: list[list[Any]] = [[0, False], [first, True]]
        if chance.random() < 0.3:
            away = chance.randrange(first, self.by + 1)
            steps += [[away + 5, False], [away + 5 + chance.randrange(600, 7200), True]]
        return steps

    def _can(self, second: int) -> float:
        """W that could be charged then."""
        if not self.rig.plugged.at(second):
            return 0.0
        own = self.most * VOLTS
        used = next(watts for at, watts in reversed(self.base) if at <= second)
        room = own if self.subscribed is None else SOFT * self.subscribed - used
        return min(own, room) if room >= LEAST_W else 0.0

    def _play(self, chance: random.Random, capacity: float) -> None:
        rig, level = self.rig, chance.randrange(10, 60)
        self.possible = sum(self._can(second) for second in range(0, self.by, 60)) * 60 / HOUR / 1000
        wanted = max(1.0, min(100.0, self.possible * chance.choice([0.2, 0.5, 0.7, 1.0, 1.6])))
        rig.run(STEP_S, STEP_S)
        rig.choose(chance.choice(["solar", "solarMin", "economic", "now"]))
        hour = datetime.fromtimestamp(NOON + self.by, PARIS).strftime("%H:%M")
        if capacity:
            percent = min(100, level + max(1, round(100 * wanted / capacity)))
            wanted = (percent - level) / 100 * capacity
            assert rig.pilot.goal("p", percent=percent, hour=hour)
        else:
            wanted = round(wanted, 1)
            assert rig.pilot.goal("p", kwh=wanted, hour=hour)
        self.kwh = wanted
        restart = chance.randrange(self.by) if chance.random() < 0.3 else None
        for second in range(STEP_S, self.by, TURN_S):
            if capacity:
                told = level + rig.car.energy / 10 / capacity
                rig.levels["p"] = (min(100.0, float(round(told))), NOON + rig.second)
            if restart is not None and second >= restart:
                rig.restart(7)
                restart = None
            rig.run(min(TURN_S, self.by - rig.second), STEP_S)
        self.charged = rig.car.energy / 1000
        rig.run(300, STEP_S)
        self.events = rig.messages

    @property
    def risks(self) -> list[str]:
        """What was told of the goal, in short, in order."""
        words = {"à risque": "risk", "peut de nouveau": "over", "est atteint": "met", "n'a pas été atteint": "missed"}
        return [word for each in self.events for sign, word in words.items() if sign in each]


def check(seed: int) -> GoalDay:
    """What is promised of each day."""
    day = GoalDay(seed)
    # A car that tells whole percents may be a half of one short.
    slack = NEGLIGIBLE_KWH + (0.006 * day.rig.settings.capacity)
    met = day.charged >= day.kwh - slack
    said = (f"{day.charged:.2f} of {day.kwh:.2f} kWh, possible {day.possible:.2f}", day.risks, day.rig.amps()[-6:])
    if day.kwh <= SURE * day.possible:
        assert met, said
    assert met or "risk" in day.risks, said
    state = ""
    for each in day.risks:
        assert each != state, said
        assert each == "risk" or state == "risk", said
        state = each
    return day


def main(first: int, count: int) -> int:
    """Plays the days of `count` seeds from `first` on; prints what breaks a promise, and the sums."""
    met = risky = 0
    for _, day in (days := Seeds(check, first, count)):
        met += day.charged >= day.kwh - NEGLIGIBLE_KWH
        risky += "risk" in day.risks
    print(f"{count} days: {days.broken} broken, {met} met, {risky} told at risk", flush=True)
    return 1 if days.broken else 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2])))
