"""Ecometers: how often the service is asked, and how much of the past is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

from simulators.econetatmo.model import Meter, midnight
from tests.econetatmo.test_econetatmo_measures import expected
from tests.econetatmo.world import BRIDGE, DAY, HOUR, START, World, small_home

from .fields import FIELDS, walk

COVERED = {
    "econetatmo connection pollInterval",
    "econetatmo connection powerInterval",
    "econetatmo connection historyDays",
    "econetatmo importHistory days",
}
LINE = f"{BRIDGE}#0"
METER = "12:34:56:00:00:a1:4c:da"
COMMAND = "sum_energy_elec"
KNOWN_DAYS = 40
"""Days of which the service has measures of this line."""
Make = Callable[..., World]


@pytest.fixture
def make(tmp_path: Path, root_logger: object) -> Iterator[Make]:
    """An account with one line, and the daemon that reads it."""
    with ExitStack() as stack:

        def make(meter: Optional[Meter] = None, **config: Any) -> World:
            home = small_home(1, "none")
            home.ecometers[0].setup = int(START) - KNOWN_DAYS * DAY
            home.meters = [meter] if meter is not None else []
            running = stack.enter_context(World(tmp_path, [home]))
            connection = running.connect(**config)
            running.launch()
            running.ready(connection, 1 if meter is None else 2)
            return running

        yield make


def days_back(days: int) -> int:
    return midnight(START, "Europe/Paris", -days)


@pytest.mark.parametrize("seconds", walk("econetatmo connection pollInterval"))
def test_measures_keep_coming_at_each_poll_interval(make: Make, seconds: int) -> None:
    running = make(pollInterval=seconds)
    before = len(running.history(LINE, COMMAND))
    asked = len(running.cloud.calls)
    lived = max(4 * HOUR, 2 * seconds)
    running.step(min(seconds, HOUR), int(lived // min(seconds, HOUR)))
    history = running.history(LINE, COMMAND)
    assert len(history) > before
    assert history.items() <= expected(running, LINE, 0, days_back(7)).items()
    late = max(3 * HOUR + 1800, seconds + 2 * HOUR)  # the ecometer uploads every three hours
    assert len(history) >= len(expected(running, LINE, 0, days_back(7))) - late // 1800
    assert len(running.cloud.calls) - asked <= 4 * lived / seconds + 20
    assert running.messages() == []


@pytest.mark.parametrize("seconds", walk("econetatmo connection powerInterval"))
def test_the_power_of_a_meter_follows_at_each_interval(make: Make, seconds: int) -> None:
    meter = Meter(METER, "Tableau", {0: "x"})
    running = make(meter, powerInterval=seconds)
    calls = running.cloud.calls
    before = len([call for call in calls if call.method == "homestatus"])
    for watts in (700, 40):
        meter.power = watts
        running.step(seconds / 2, 4)
        assert running.jeedom.value(running.equipment(METER), "power") == watts
    asked = len([call for call in calls if call.method == "homestatus"]) - before
    assert 2 <= asked <= 6


@pytest.mark.parametrize("days", walk("econetatmo connection historyDays"))
def test_the_first_reading_goes_back_as_far_as_asked(make: Make, days: int) -> None:
    """0: all there is. Before the line's first measure there is nothing, however far back is asked."""
    running = make(historyDays=days)
    begin = days_back(min(days, KNOWN_DAYS + 1) if days else KNOWN_DAYS + 1)
    wanted = expected(running, LINE, 0, begin)
    running.until(lambda: running.history(LINE, COMMAND) == wanted, times=400)


@pytest.mark.parametrize("days", walk("econetatmo importHistory days"))
def test_the_past_is_read_again_as_far_as_asked(make: Make, days: int) -> None:
    running = make()
    connection = running.jeedom.database.connections()[0]["id"]
    assert "1 ligne " in running.jeedom.run(connection, "importHistory", days=days)["text"]
    begin = days_back(min(days, KNOWN_DAYS + 1) if days else KNOWN_DAYS + 1)
    wanted = expected(running, LINE, 0, begin)
    running.until(lambda: running.history(LINE, COMMAND) == wanted, times=400)


def test_the_fields_are_those_of_the_catalogue() -> None:
    assert {name for name in FIELDS if name.startswith("econetatmo ")} == COVERED
