"""Lifetime energies only rise: zeros, falls and the roll-over of the inverters' counter."""

from __future__ import annotations

import pytest
from jeenergied.devices.enphase.values.lifetimes import Lifetimes
from jeenergied.devices.enphase.values.plant_limits import PlantLimits

from jeedom_bridge.clock import ManualClock
from simulators.enphase import EnphaseGateway
from tests.support.clocks import noon

from .harness import PRODUCTION, READINGS, SUMMARY, Pages, house, reading

PRODUCED, IMPORTED = "production.lifetimeEnergy", "net.importIndex"

ROLL_OVER_WH = 4_294_967_296 / 3_600
"""32 bits of joules, whatever the product believes: 1.193 MWh, as gateways have shown it."""


def feed(values, source="inverters", name=PRODUCED, step=60.0, lifetimes=None):
    """What is published of one counter, read every `step` s."""
    lifetimes = lifetimes or Lifetimes(PlantLimits())
    return [lifetimes.steady({name: v}, 1000.0 + step * at, source).facts.get(name) for at, v in enumerate(values)]


def test_a_counter_that_rises_is_passed_on():
    assert feed([5, 6, 6, 7.5]) == [5, 6, 6, 7.5]


def test_a_small_step_back_is_not_shown():
    assert feed([100.0, 99.2, 100.5], "meters") == [100, 100, 100.5]


@pytest.mark.parametrize("name", [PRODUCED, IMPORTED, "net.2.exportIndex", "total.1.lifetimeEnergy"])
def test_a_fall_is_believed_after_a_quarter_of_an_hour(name):
    assert feed([5000, 40, 41, 42, 43], "meters", name, step=600) == [5000, None, None, 42, 43]
    assert feed([5000, 40, 5001, 41, 42, 43], "meters", name, step=600) == [5000, None, 5001, None, None, 43]
    assert feed([5000, *range(40, 50)], "meters", name, step=1)[1:] == [None] * 10  # no time has passed


def test_the_net_may_fall():
    assert feed([5000, 40, -7], "meters", "net.lifetimeEnergy") == [5000, 40, -7]
    assert feed([5, -900], "meters", "net.1.lifetimeEnergy") == [5, -900]


def test_powers_are_not_looked_at():
    assert Lifetimes(PlantLimits()).steady({"production.power": 5.0, "grid.voltage": 0.0}, 1, "meters").facts == {
        "production.power": 5.0,
        "grid.voltage": 0.0,
    }


@pytest.mark.parametrize("turns", [1, 2])
def test_a_roll_over_goes_on_where_the_counter_was(turns):
    top = 3 * ROLL_OVER_WH - 20.0
    shown = feed([top, top + 30 - turns * ROLL_OVER_WH, top + 80 - turns * ROLL_OVER_WH])
    assert shown == pytest.approx([top, top + 30, top + 80])


def test_two_roll_overs_add_up():
    lifetimes = Lifetimes(PlantLimits())
    energy = [at * 400.0 for at in range(1, 7000)]  # 2.8 MWh at 24 kW
    shown = feed([e % ROLL_OVER_WH for e in energy], lifetimes=lifetimes)
    assert shown == pytest.approx(energy)


def test_a_meter_does_not_roll_over():
    assert feed([ROLL_OVER_WH - 10, 5], "meters") == [ROLL_OVER_WH - 10, None]


def test_a_drop_that_is_no_roll_over_is_a_fall():
    assert feed([ROLL_OVER_WH - 10, 90_000, 90_000, 90_000], step=600) == [ROLL_OVER_WH - 10, None, None, 90_000]


def test_a_roll_over_during_a_restart_is_seen():
    before = Lifetimes(PlantLimits())
    feed([ROLL_OVER_WH - 1000, 2000.0], step=3600, lifetimes=before)
    after = Lifetimes(PlantLimits(), before.state())
    assert after.steady({PRODUCED: 2500.0}, 20_000.0, "inverters").facts == {
        PRODUCED: pytest.approx(ROLL_OVER_WH + 2500)
    }
    assert Lifetimes(PlantLimits(), before.state()).steady({PRODUCED: 7.0}, 20_000.0, "meters").facts == {PRODUCED: 7.0}


def test_two_pages_about_the_inverters_count_the_same_but_for_the_roll_over():
    lifetimes = Lifetimes(PlantLimits())
    energy = 5 * ROLL_OVER_WH + 1000.0
    for now, (source, shown) in enumerate(
        [("summary", energy), ("total", 1000.0), ("summary", energy), ("total", 1010.0)]
    ):
        steady = lifetimes.steady({PRODUCED: shown}, 60.0 * now, source)
        assert steady.facts == {PRODUCED: pytest.approx(energy, abs=11)}
    assert lifetimes.steady({PRODUCED: 7.0}, 600.0, "meters").facts == {PRODUCED: 7.0}
    assert lifetimes.steady({PRODUCED: 5.0}, 600.0, "total").facts == {PRODUCED: 5.0}


@pytest.mark.parametrize("kept", [None, {}, {"source": "inverters"}])
def test_a_store_that_holds_nothing_begins_anew(kept):
    assert Lifetimes(PlantLimits(), kept).steady({PRODUCED: 7.0}, 1.0, "inverters").facts == {PRODUCED: 7.0}


# ---- on a running connection


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(noon())


def test_the_indexes_of_a_reset_meter_are_held_for_a_quarter_of_an_hour(opened, bench, clock):
    source = house()
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    running = bench(gateway, clock=clock).start()
    source.pages[READINGS] = lambda now: [
        reading("production", now, 100.0, 3.0, 0.0),
        reading("net-consumption", now, 50.0, 2.0, 1.0),
    ]
    running.advance(900, 60)
    assert running.values()["indexcumulimport"] == 4_000_000
    assert running.values()["PwattsNow"] == 100
    running.advance(120, 60)
    values = running.values()
    assert [values[name] for name in ("PwattHoursLifetime", "indexcumulimport", "indexcumulexport")] == [3, 2, 1]


@pytest.mark.parametrize("page", [SUMMARY, PRODUCTION])
def test_the_inverters_lifetime_rolls_over_on_a_standard_gateway(opened, bench, clock, page):
    begin = clock.time()

    def counted(now):
        return int((ROLL_OVER_WH - 500 + (now - begin)) % ROLL_OVER_WH)

    pages = {
        SUMMARY: lambda now: {"wattHoursToday": 1, "wattHoursLifetime": counted(now), "wattsNow": 3600},
        PRODUCTION: lambda now: {
            "production": [{"type": "inverters", "activeCount": 9, "wNow": 3600, "whLifetime": counted(now)}]
        },
    }
    if page == PRODUCTION:
        del pages[SUMMARY]
    gateway = opened(EnphaseGateway(Pages(pages, "D7.6.175", imeter=False), clock=clock.time))
    running = bench(gateway, clock=clock).start()
    running.advance(1200, 30)
    assert running.values()["PwattHoursLifetime"] == pytest.approx(ROLL_OVER_WH + 700, abs=70)
    running.restart()
    assert running.values()["PwattHoursLifetime"] == pytest.approx(ROLL_OVER_WH + 700, abs=70)
