"""What the user waits for and what the breaker sees, by the real daemon on the machine's own clock."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from simulators.house import Steady
from tests.energy.charged_home import BASE_W, ChargedHome
from tests.energy.random_days import DEAD_TIME_S, SAMPLE_S

SUBSCRIBED = 6000
KETTLE_W = 3000.0
SOON_S = 2.0
LOOK_S = 0.02


def excess(home: ChargedHome, seconds: float) -> float:
    """Longest time (s) above the subscribed power within the next so many seconds."""
    longest, begun, end = 0.0, None, time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        if home.truth.grid() <= SUBSCRIBED:
            begun = None
        else:
            begun = now if begun is None else begun
            longest = max(longest, now - begun)
        time.sleep(LOOK_S)
    return longest


@pytest.mark.slow
@pytest.mark.alone
def test_an_immediate_charge_begins_within_two_seconds_and_gives_way_to_a_kettle(tmp_path: Path) -> None:
    with ExitStack() as stack:
        home = ChargedHome(stack, tmp_path, speed=1.0, subscribedPower=SUBSCRIBED // 1000)
        home.sun(0)
        home.within(0, lambda: (home.shown("power") or 0) > 7000)
        home.choose("off")
        home.within(0, lambda: home.limit == 0 and home.truth.drawn() == 0)
        time.sleep(SAMPLE_S)  # until the meter has seen that the car has stopped
        begun = time.monotonic()
        home.choose("now")
        home.within(0, lambda: home.limit >= 6)
        hurried = time.monotonic() - begun
        amps = home.limit
        home.plant.house.own = Steady([BASE_W + KETTLE_W])  # type: ignore[attr-defined]
        over = excess(home, 2 * (SAMPLE_S + DEAD_TIME_S))
        print(f"immediate: {amps:g} A after {hurried:.2f} s; above the subscription for {over:.2f} s; {home.limit:g} A")
        assert hurried <= SOON_S
        assert 20 <= amps <= 22
        assert 0 < over <= SAMPLE_S + DEAD_TIME_S
        assert 6 <= home.limit <= 9
        assert home.truth.grid() <= 0.96 * SUBSCRIBED
        assert [each["decision"].split()[0] for each in home.journal()] == [
            "off",
            "0",
            "now",
            f"{amps:g}",
            f"{home.limit:g}",
        ]
        assert home.jeedom.complaints == []
