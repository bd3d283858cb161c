"""Sun with clouds, a kettle, a battery and two cars through the whole chain on real sockets.

Some minutes of it; with `JEENERGIE_FIRE=full` four hours, with the figures that the promises ask for.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simulators.enphase.storage import Storage
from simulators.house import Series
from tests.energy.charged_home import LIMIT, ChargedHome
from tests.energy.random_days import DEAD_TIME_S, LEAST_REST_S, MOST_IMPORT, MOST_STARTS, PER_CHANGE_WH, SAMPLE_S
from tests.energy.same_day import base, sun

FULL = os.environ.get("JEENERGIE_FIRE") == "full"
SPEED = 10.0 if FULL else 20.0
SECONDS = float(os.environ.get("CHAIN_DAY_S", 4 * 3600)) if FULL else 600
BEGIN = 3 * 3600
"""Of the day of same_day: eleven o'clock."""
LOOK_S = 0.02
SUBSCRIBED = 6000
LATE_S = SAMPLE_S + DEAD_TIME_S + 2 * SPEED * LOOK_S
"""One sample, the dead time of the charger, and how exactly it is looked at."""
SUN = 1.8


@dataclass
class Uses:
    """A house with a kettle, whose day begins at a moment."""

    begin: float
    series: Series = field(default_factory=lambda: Series(base()))

    def watts(self, when: float, of_day: float, day: int) -> list[float]:
        """W of its phase."""
        return [float(self.series.at(BEGIN + when - self.begin))]


@dataclass
class Watched:
    """What was seen. Energies in Wh, times in s of the common clock."""

    charged: float = 0.0
    imported: float = 0.0
    lowered: int = 0
    over: float = 0.0
    starts: list[list[float]] = field(default_factory=lambda: [[], []])
    stops: list[list[float]] = field(default_factory=lambda: [[], []])
    changes: int = 0


def watch(home: ChargedHome, seconds: float) -> Watched:
    """Lets the sun shine for so long, and looks on."""
    seen, series = Watched(), Series([[second, SUN * watts] for second, watts in sun("clouds")])
    begin = before = home.clock()
    given: Any = None
    limits = [float(each.get(LIMIT)) for each in home.chargers]
    over_since = None
    while (now := home.clock()) - begin < seconds:
        watts = series.at(BEGIN + now - begin)
        if watts != given:
            given = watts
            home.sun(float(watts))
        drawn, grid, hours = home.truth.drawn(), home.truth.grid(), (now - before) / 3600
        before = now
        seen.charged += drawn * hours
        seen.imported += min(max(grid, 0.0), drawn) * hours
        over_since = None if grid <= SUBSCRIBED else now if over_since is None else over_since
        seen.over = max(seen.over, 0.0 if over_since is None else now - over_since)
        for place, charger in enumerate(home.chargers):
            limit = float(charger.get(LIMIT))
            if limit != limits[place]:
                seen.changes += 1
                seen.lowered += limit < limits[place]
                if limit == 0:
                    seen.stops[place].append(now)
                elif limits[place] == 0:
                    seen.starts[place].append(now)
                limits[place] = limit
        time.sleep(LOOK_S)
    return seen


@pytest.mark.slow
def test_two_cars_a_battery_and_a_kettle_under_clouds(tmp_path: Path) -> None:
    with ExitStack() as stack:
        storage = Storage(8000.0, 3300.0, 6800.0)
        house = {"subscribedPower": SUBSCRIBED // 1000, "sharing": "share"}
        home = ChargedHome(stack, tmp_path, SPEED, 2, storage, **house)
        home.sun(0)
        home.within(60, lambda: all(home.jeedom.value(each, "mode") for each in home.points))
        for point in home.points:
            home.choose("solar", point)
        home.within(900, lambda: home.truth.drawn() == 0)
        home.plant.house.own = Uses(home.clock())  # type: ignore[attr-defined]
        seen = watch(home, SECONDS)
        journal = home.journal()
        print(
            f"{SECONDS / 3600:.2f} h: charged {seen.charged / 1000:.2f} kWh, imported {seen.imported:.1f} Wh "
            f"({100 * seen.imported / max(seen.charged, 1):.2f} %), starts {list(map(len, seen.starts))}, "
            f"{seen.changes} set-points, {seen.lowered} lower, above the subscription {seen.over:.1f} s, "
            f"battery {storage.soc:.0f} %, {len(journal)} decisions"
        )
        assert seen.charged > 0
        assert seen.over <= LATE_S
        most = MOST_IMPORT * seen.charged
        assert seen.imported <= (most if FULL else most + PER_CHANGE_WH * seen.lowered), journal
        assert all(entry["why"] and entry["at"] and entry["decision"] for entry in journal)
        for starts, stops in zip(seen.starts, seen.stops):
            assert max((sum(at - 3600 < each <= at for each in starts) for at in starts), default=0) <= MOST_STARTS
            assert not any(0 <= at - stop < LEAST_REST_S - DEAD_TIME_S for at in starts for stop in stops)
        said = [entry["decision"] for entry in journal if " A × " in entry["decision"]]
        assert len(said) >= seen.changes, "each start, stop and change has its entry"
        assert home.jeedom.complaints == []
