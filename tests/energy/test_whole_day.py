"""A day of sun and clouds with a kettle, a battery and two cars, under all rules at once."""

from __future__ import annotations

import json

import pytest

from tests.energy.random_days import LEAST_REST_S, MOST_IMPORT, MOST_STARTS, SAMPLE_S
from tests.energy.same_day import SECONDS, base, sun
from tools.play_scenario import Game

SUBSCRIBED = 6000
LATE_S = 2 * SAMPLE_S + 1
"""One sample and the dead time of the charger."""


@pytest.mark.parametrize("first", ["battery", "car"])
def test_two_cars_share_a_day_of_clouds_with_a_battery_and_a_kettle(
    capsys: pytest.CaptureFixture[str], first: str
) -> None:
    battery = {"capacityWh": 8000, "soc": 50, "maxChargeW": 3300, "maxDischargeW": 3300, "order": first}
    game = Game(
        {
            "seconds": SECONDS,
            "solar": [[second, 1.8 * watts] for second, watts in sun("clouds")],
            "base": base(),
            "house": {"subscribedVA": SUBSCRIBED},
            "battery": battery,
            "sharing": "share",
            "chargers": [{"id": "a", "mode": "solar"}, {"id": "b", "mode": "solar", "maxA": 16}],
        }
    )
    house, step = game.house, game.house.step
    imported, over, longest = 0.0, 0, 0

    def watch(second: float) -> None:
        nonlocal imported, over, longest
        step(second)
        drawn = sum(car.power(second, 230.0) for car in house.cars.values())
        imported += min(max(house.grid, 0.0), drawn) / 3600
        over = over + 1 if house.apparent[0] > SUBSCRIBED else 0
        longest = max(longest, over)

    house.step = watch  # type: ignore[method-assign]
    game.play()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()][:-1]
    charged = {name: car.energy for name, car in house.cars.items()}
    assert min(charged.values()) > 5000
    assert imported <= MOST_IMPORT * sum(charged.values())
    assert longest <= LATE_S
    assert all(line["why"] for line in lines)
    for name in charged:
        mine = [line for line in lines if line["charger"] == name]
        starts = [line["t"] for line in mine if line["state"] == "starting"]
        stops = [line["t"] for line in mine if line["amps"] == 0]
        assert max(sum(at - 3600 < each <= at for each in starts) for at in starts) <= MOST_STARTS
        assert not any(0 <= at - stop < LEAST_REST_S for at in starts for stop in stops)
