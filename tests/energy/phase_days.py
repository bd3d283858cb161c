"""Random days of a three-phase house whose charger may change phases, by a seed.

`python -m tests.energy.phase_days FIRST COUNT` plays the days of so many seeds and names those that break a promise.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import sys
from dataclasses import dataclass, field
from typing import Any

from jeenergied.energy.sharing.phases import DAY_S, MOST_CHANGES, REST_S

from tests.energy.random_days import DEAD_TIME_S, SAMPLE_S, SECONDS, _base, _sun
from tests.energy.seeds import Seeds
from tools.play_scenario import Game

MORE_VA = 50.0
"""By so much the rest of a phase has to rise for a limit to be met by something new."""


def scenario(seed: int) -> dict[str, Any]:
    """The day of a seed, from eight to eighteen o'clock."""
    chance = random.Random(seed)
    subscribed = chance.choice([9000, 12000, 18000, 36000])
    most = chance.choice([16, 16, 32])
    events: list[list[Any]] = []
    for _ in range(chance.choice([0, 0, 1, 2])):
        at = chance.randrange(600, SECONDS - 1200)
        mode = chance.choice(["now", "solar", "solarMin", "off"])
        events += chance.choice(
            [
                [[at, {"restart": True}]],
                [[at, {"charger": "car", "mode": mode}]],
                [[at, {"charger": "car", "reachable": False}], [at + 90, {"charger": "car", "reachable": True}]],
                [[at, {"meter": "stale"}], [at + chance.choice([20, 90, 400]), {"meter": "fresh"}]],
            ]
        )
    return {
        "seconds": SECONDS,
        "start": "2026-06-15T08:00:00+02:00",
        "house": {"subscribedVA": subscribed, "phases": 3},
        "solar": [
            [second, round(chance_of * watts)]
            for chance_of in [chance.uniform(0.7, 1.6)]
            for second, watts in _sun(chance)
        ],
        "base1": _base(chance, 0.8 * subscribed / 3),
        "base2": _base(chance, 0.8 * subscribed / 3),
        "base3": _base(chance, 0.8 * subscribed / 3),
        "chargers": [
            {
                "id": "car",
                "mode": chance.choice(["solar", "solar", "solar", "solarMin", "now"]),
                "phases": 3,
                "switching": True,
                "maxA": most,
                "carMaxA": chance.choice([most, most, 10]),
                "onPhase": chance.choice([1, 2, 3]),
                "needsPause": chance.random() < 0.2,
                "carPhases": chance.choice([3, 3, 3, 3, 1]),
                "plugged": [[0, False], [chance.randrange(3600), True], [chance.randrange(20000, SECONDS), False]],
            }
        ],
        "events": events,
    }


@dataclass
class PhaseDay(Game):
    """A day that is played, and what was seen of it."""

    seed: int
    lines: list[dict[str, Any]] = field(default_factory=list)
    over_s: int = 0
    """Longest time above the limit of a phase, in seconds, since the house last took more, while the rest of it was
    below, its meter told and the charger could be reached."""
    flowed: list[tuple[int, int]] = field(default_factory=list)
    """(second, phases) of each time that a current began on another number of phases, in one stay of the car."""
    changed: list[int] = field(default_factory=list)
    """Seconds at which the charger was given other phases while a car was there."""

    def __post_init__(self) -> None:
        super().__init__(scenario(self.seed))
        car = self.house.cars["car"]
        self._car, self.set_car, self.step_house = car, car.set, self.house.step
        car.set = self._set  # type: ignore[method-assign]
        self.house.step = self._watch  # type: ignore[method-assign]
        self._over = 0
        self._rest = [0.0] * 3
        self._flows: int | None = None
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.play()
        self.lines = [json.loads(line) for line in out.getvalue().splitlines()][:-1]

    def _set(self, second: float, amps: int, phases: int) -> None:
        if phases != self._car.phases and self._car.plugged.at(second) and self._car.plugged.at(second - SAMPLE_S):
            self.changed.append(int(second))
        self.set_car(second, amps, phases)

    def _watch(self, second: float) -> None:
        self.step_house(second)
        car, limit = self._car, self.scenario["house"]["subscribedVA"] / 3
        own = [car.amps(second) * 230 if phase in car.phases_in_use() else 0.0 for phase in range(3)]
        above = any(each > limit >= each - mine for each, mine in zip(self.house.apparent, own))
        before, self._rest = self._rest, [each - mine for each, mine in zip(self.house.apparent, own)]
        more = any(new > old + MORE_VA for new, old in zip(self._rest, before))
        known = self.reachable["car"] and self.stale_since is None
        self._over = 0 if not (above and known) else 1 if more else self._over + 1
        self.over_s = max(self.over_s, self._over)
        flows = car.in_use(second)
        if not car.plugged.at(second):
            self._flows = None
        elif flows is not None and flows != self._flows:
            if self._flows is not None:
                self.flowed.append((int(second), flows))
            self._flows = flows


def check(seed: int) -> PhaseDay:
    """What is promised of each day."""
    day = PhaseDay(seed)
    settings = day.scenario["chargers"][0]
    assert day.over_s <= SAMPLE_S + DEAD_TIME_S + 1, "longer above a limit than a sample and the dead time"
    assert all(line["amps"] == 0 or 6 <= line["amps"] <= settings["maxA"] for line in day.lines if "amps" in line)
    assert all(line["why"] and not line["why"].isspace() for line in day.lines if "why" in line)
    assert len(day.flowed) <= len(day.changed) + 1, "other phases than were asked for"
    assert all(later - earlier >= REST_S for earlier, later in zip(day.changed, day.changed[1:])), "asked too often"
    assert SECONDS < DAY_S
    assert len(day.changed) <= MOST_CHANGES
    return day


def main(first: int, count: int) -> int:
    """Plays the days of `count` seeds from `first` on; prints what breaks a promise, and the sums."""
    changes = 0
    charged = 0.0
    for _, day in (days := Seeds(check, first, count)):
        changes += len(day.changed)
        charged += day.house.cars["car"].energy
    print(f"{count} days: {days.broken} broken; {charged / 1000:.0f} kWh, {changes} changes of phases")
    return 1 if days.broken else 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2])))
