"""helloWatt: when the site is asked each day, how often, and how much of the past is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from typing import Any, Callable

import pytest

from jeedom_bridge.clock import ManualClock
from simulators.hellowatt import Home
from simulators.hellowatt.homes import PARIS
from tests.hellowatt.harness import Bench, at, one_home

from .fields import FIELDS, walk

COVERED = {
    "hellowatt connection startHour",
    "hellowatt connection historyMonths",
    "hellowatt connection dailyRequests",
}
SINCE = date(2025, 9, 20)
Make = Callable[..., tuple[Bench, Home]]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """An account with one home, and the connection that reads it; noon of 10 March."""
    with ExitStack() as stack:

        def make(**config: Any) -> tuple[Bench, Home]:
            clock = ManualClock(at("2026-03-10 12:00"))
            site, home = one_home(clock, since=SINCE)
            stack.enter_context(site)
            bench = Bench(tmp_path, site, clock, [("electricity", "502113")], **config)
            return stack.enter_context(bench).start(), home

        yield make


def days(running: Bench) -> dict[date, Any]:
    return running.jeedom.history("2", "conso_jour")


def truth(running: Bench, home: Home, since: date = SINCE) -> dict[date, float]:
    found = home.truth("electricity", running.clock.time())
    return {day: float(facts["kwh"]) for day, facts in found.items() if day >= since}


@pytest.mark.parametrize("hour", walk("hellowatt connection startHour"))
def test_the_site_is_asked_each_day_from_that_hour_on(make: Make, hour: int) -> None:
    running, home = make(startHour=hour)
    for day in (11, 12, 13):
        running.until(f"2026-03-{day} 00:30")
        running.site.visits.clear()
        running.until(f"2026-03-{day} {hour:02}:00")
        assert not running.site.asked("conso_daily")
        running.until(f"2026-03-{day} 23:59")
        asked = running.site.asked("conso_daily")
        assert asked
        assert {datetime.fromtimestamp(visit.at, PARIS).hour for visit in asked} <= set(range(hour, 24))
    assert days(running) == truth(running, home)


@pytest.mark.parametrize("months", walk("hellowatt connection historyMonths"))
def test_the_past_is_read_as_far_back_as_asked(make: Make, months: int) -> None:
    running, home = make(historyMonths=months)
    running.until("2026-03-13 23:59")
    found, wanted = days(running), truth(running, home)
    if months:
        assert found == wanted
    else:  # the months that the site shows with each daily reading
        assert found.items() <= wanted.items()
        assert max(found) == max(wanted)


@pytest.mark.parametrize("requests", walk("hellowatt connection dailyRequests"))
def test_the_figures_of_each_day_come_at_each_number_of_requests(make: Make, requests: int) -> None:
    running, home = make(dailyRequests=requests)
    for day in (11, 12, 13):
        running.site.visits.clear()
        running.until(f"2026-03-{day} 00:00")
        assert len(running.site.visits) <= requests
        running.until(f"2026-03-{day} 23:00")
        assert max(days(running)) == max(truth(running, home))
    running.until("2026-03-20 12:00")
    assert days(running) == truth(running, home), "the import goes on, however slowly"


def test_the_fields_are_those_of_the_catalogue() -> None:
    assert {name for name in FIELDS if name.startswith("hellowatt ")} == COVERED
    assert not [name for name in FIELDS if name.startswith("easee ")]
