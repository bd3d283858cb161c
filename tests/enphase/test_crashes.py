"""Killed at each step around midnight, and with a store that fails: the figure of a closed day reaches Jeedom once.

The long form, every step, is run with JEENERGIE_FIRE=full.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from jeenergied.devices.base import Connection, Equipment

from jeedom_bridge.clock import ManualClock
from simulators.enphase import EnphaseGateway
from tests.support.crashing import CONTRACT, FULL, Life, Steps, wrong_after_failures, wrong_after_kills

from .harness import READINGS, commands_of, house, meter, reading

STRIDE = 1 if FULL else 17
"""Every so many steps one life ends; the long form tries all."""
PARIS = ZoneInfo("Europe/Paris")
BEGIN = datetime(2026, 6, 10, 23, 40, tzinfo=PARIS).timestamp()
MIDNIGHT = datetime(2026, 6, 11, tzinfo=PARIS).timestamp()
IMPORT_W, EXPORT_W = 400.0, 1000.0
DAYS = {"2026-06-10T23:59:59+02:00": 1200.0, "2026-06-11T23:59:59+02:00": 86_400.0}
"""The last second of each closed day, and how long (s) it was seen."""
FIGURES = {"PwattHoursToday": EXPORT_W, "cumulimport": IMPORT_W, "cumulexport": EXPORT_W}
"""Powers (W) that stay as they are, by the figure of the day that they make."""


def lived(folder: Path, steps: Steps) -> list[str]:
    """From twenty minutes before a midnight to some after the next one; what is wrong in Jeedom then."""
    clock = ManualClock(BEGIN)
    source = house()

    def index(watts: float) -> float:
        return 4_000_000.0 + watts * (clock.time() - BEGIN) / 3600

    source.pages["/ivp/meters"] = [meter("production"), meter("net-consumption")]
    source.pages[READINGS] = lambda now: [
        reading("production", now, EXPORT_W, index(EXPORT_W), 400.0),
        reading("net-consumption", now, IMPORT_W - EXPORT_W, index(IMPORT_W), index(EXPORT_W)),
    ]
    with EnphaseGateway(source, clock=clock.time) as gateway:
        config = {"host": "127.0.0.1", "port": gateway.port, "tokenMode": "manual", "token": gateway.token()}
        member = Equipment("2", "combined", "x", "Maison", {}, commands_of("combined", every=True))
        settings = CONTRACT.catalogues["enphase"].settings({**config, "pollInterval": 120})
        life = Life(
            folder, clock, Connection("1", "enphase", "Toit", settings, {}, (member,)), ("_gateway", "_once"), steps
        )
        life.live(600)
        steps.counting = True
        life.live(1200)
        steps.counting = False
        life.live(3600)
        clock.advance(22 * 3600)
        life.live(3600)
        wrong = whole(life)
        life.close()
    return wrong


def whole(life: Life) -> list[str]:
    """What is wrong with the days that have ended."""
    wrong = []
    for command, watts in FIGURES.items():
        rows = life.history.get(("2", command), {})
        right = {moment: watts * seconds / 3600 for moment, seconds in DAYS.items()}
        if sorted(rows) != sorted(right):
            wrong.append(f"{command}: {sorted(rows)}")
        wrong += [
            f"{command} {moment}: {rows[moment]} instead of {wh:.0f}"
            for moment, wh in right.items()
            if moment in rows and abs(float(rows[moment]) - wh) > watts * 130 / 3600
        ]
    return wrong


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many steps an undisturbed life has."""
    steps = Steps()
    assert lived(tmp_path_factory.mktemp("whole"), steps) == []
    assert {"write", "written", "hand over", "not acknowledged", "ask", "answered"} <= set(steps.done)
    return len(steps.done)


def test_killed_at_any_step_around_midnight_the_day_is_in_jeedom_once(tmp_path: Path, count: int) -> None:
    assert wrong_after_kills(lived, tmp_path, count, STRIDE) == {}


@pytest.mark.parametrize("fails", [1, 7])
def test_a_store_that_fails_around_midnight_loses_no_day_even_if_killed_then(
    tmp_path: Path, count: int, fails: int
) -> None:
    assert wrong_after_failures(lived, tmp_path, count, STRIDE, fails) == {}
