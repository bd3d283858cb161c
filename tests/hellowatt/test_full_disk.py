"""What was read while nothing could be written: still in Jeedom's history in the end, whichever write failed."""

from __future__ import annotations

from datetime import date

import pytest

from jeedom_bridge.store import StoreError

from .harness import one_home

E = [("electricity", "502113")]
SINCE = date(2025, 11, 1)


class Faulty:
    """Lets so many writes of a store fail, from the `first` on; as ever, the values stay in memory."""

    def __init__(self, store, first, count):
        self.writes = 0
        self._flush = store._flush
        self._failing = range(first, first + count)
        store._flush = self

    def __call__(self):
        self.writes += 1
        if self.writes in self._failing:
            raise StoreError("store.sqlite could not be written: database or disk is full")
        self._flush()


@pytest.mark.parametrize("count", [1, 6])
@pytest.mark.parametrize("first", [*range(1, 40, 3)])
def test_no_day_is_lost_whichever_write_fails(clock, opened, bench, first, count):
    site, home = one_home(clock, since=SINCE)
    opened(site)
    connected = bench(site, clock, E)
    faulty = Faulty(connected.store, first, count)
    connected.start().pass_time(2 * 86400)
    assert faulty.writes > 40
    truth = {day: facts["kwh"] for day, facts in home.truth("electricity", clock.time()).items() if "kwh" in facts}
    assert {day: pytest.approx(float(value), abs=0.001) for day, value in truth.items()} == connected.jeedom.history(
        "2", "conso_jour"
    )
