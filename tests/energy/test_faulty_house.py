"""Whatever befalls gateway, clock and daemon, no row of the book contradicts itself: what is not true is not known."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from simulators.soak import book as judge
from tests.fire import FULL

from .faulty_house import FaultyHouse

BEGIN = 1_796_065_200.0
RESET = ("reset_index", 1000.0)


def test_no_row_lacks_the_sun_after_its_counter_began_anew_around_a_stepped_clock(tmp_path: Path) -> None:
    """The counter is not believed for a quarter of an hour; the clock was wrong for 20 s before that."""
    house = FaultyHouse(tmp_path, BEGIN, poll_s=10.0, hour=11.0, sky_speed=4.0)
    house.live(650)
    house.fault("clock", 3600.0)
    house.live(20)
    house.clear()
    house.live(60)
    house.fault(*RESET)
    house.live(1150)
    rows = house.rows()
    assert judge.contradictions(rows) == []
    whole = {round(each.start - BEGIN): each for each in judge.complete(rows)}
    assert list(whole) == [0, 300, 600, 900, 1200, 1500]
    assert [each.estimated for each in whole.values()] == [False, False, True, True, True, True]
    for each in whole.values():
        true = judge.counted(house.plant, each.start)["p"]
        assert each.energy["p"] == pytest.approx(true, rel=0.05), "as its power tells"
    house.close()


FAULTS: tuple[tuple[str, Any], ...] = (
    ("latency", 2.0), ("status", 401), ("status", 500), ("status", 503), ("html", None), ("garbage", None),
    ("truncated", None), ("drop", None), ("hang", 30.0), ("redirect", None), ("reboot", 3.0), ("reboot", 180.0),
    ("frozen", None), ("logout", None), ("zeros", None), ("unloaded", None), ("unloaded", 40.0), ("new_store", None),
    ("bill silent", None), ("bill restarts", None), *[RESET] * 3,
    *[("kill", None)] * 5, *[("network", None)] * 3, *[("clock", 10800.0), ("clock", -10800.0)] * 3,
)  # fmt: skip
"""What a soak does to a house, the rarer the more often."""


def stormed(folder: Path, seed: int) -> FaultyHouse:
    """Up to a dozen faults one after the other, most of some seconds, then peace until all is believed again."""
    dice = random.Random(seed)
    house = FaultyHouse(
        folder,
        BEGIN,
        poll_s=dice.choice((10.0, 30.0, 60.0)),
        hour=dice.choice((7.0, 9.0, 11.0, 13.0, 16.0)),
        sky_speed=dice.choice((2.0, 5.0, 20.0)),
        seed=seed % 5,
    )
    house.live(dice.uniform(200.0, 700.0))
    left = list(FAULTS)
    for _ in range(dice.randint(2, 12)):
        kind, value = dice.choice(left)
        if (kind, value) == RESET:  # twice in a quarter of an hour the second one could pass for the first
            left = [each for each in left if each != RESET]
        house.fault(kind, value * dice.uniform(0.05, 1.0) if kind == "clock" else value)
        house.live(dice.uniform(20.0, 60.0) if dice.random() < 0.25 else dice.uniform(0.5, 5.0))
        house.clear()
        house.live(dice.uniform(0.5, dice.choice((10.0, 150.0))))
    house.live(1300.0)
    return house


@pytest.mark.parametrize("seed", range(200) if FULL else (1, 2, 3))
def test_no_row_contradicts_itself_whatever_fails(tmp_path: Path, seed: int) -> None:
    house = stormed(tmp_path, seed)
    rows = house.rows()
    house.close()
    assert judge.contradictions(rows) == []
    assert [each for each in judge.complete(rows) if each.start > house.true.time()] == [], "the future is not known"
    assert FULL or len(judge.complete(rows)) >= 3
