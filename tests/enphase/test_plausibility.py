"""Counters of a running connection: what no plant makes, what a boot shows, and zeros that are true."""

from __future__ import annotations

import pytest

from jeedom_bridge.clock import ManualClock
from simulators.enphase import DaySource, EnphaseGateway, Plant

from .harness import INVERTERS, PRODUCTION, READINGS, commands_of, house, reading

NOON = 1_780_312_800.0  # 1 June 2026, 13:20 in Paris
EVERY = commands_of("combined", every=True)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


def eim(kind: str, watts: float, lifetime: float, **told: float):
    head = {"type": "eim", "activeCount": 1, "measurementType": kind, "wNow": watts, "rmsVoltage": 230.0}
    return {**head, "whLifetime": lifetime, **told}


def panels(count: int, peak: int = 366):
    return lambda now: [
        {
            "serialNumber": str(122300000101 + n),
            "lastReportDate": int(now) - 60,
            "devType": 1,
            "lastReportWatts": 300,
            "maxReportWatts": peak,
        }
        for n in range(count)
    ]


def test_a_week_that_is_the_whole_life_is_not_shown(opened, bench, clock):
    source = house()
    source.pages[INVERTERS] = panels(24)
    source.pages[READINGS] = lambda now: [
        reading("production", now, 1500.0, 3_431_328.0, 400.0),
        reading("net-consumption", now, -600.0, 4_000_000.0, 5_000_000.0),
    ]
    source.pages[PRODUCTION] = {
        "production": [eim("production", 1500.0, 3_431_328.0, whToday=12_569.0, whLastSevenDays=3_418_759.0)],
        "consumption": [
            eim("total-consumption", 900.0, 8_000_000.0, whToday=5000.0, whLastSevenDays=60_000.0),
            eim("net-consumption", -600.0, -1_000_000.0),
        ],
    }
    running = bench(opened(EnphaseGateway(source, clock=clock.time)), clock=clock, commands=EVERY).start()
    values = running.advance(3600, 60).values()
    assert "PwattHoursSevenDays" not in values
    assert "CwattHoursSevenDaysNet" not in values
    assert values["CwattHoursSevenDays"] == 60_000
    assert values["PwattHoursToday"] == 12_569


@pytest.mark.parametrize("whole", [60_000.0, 180_000.0])
@pytest.mark.parametrize("week", [0.0, 4000.0])
def test_a_day_that_is_the_whole_life_is_not_shown(opened, bench, clock, whole, week):
    source = house()
    source.firmware = "D8.3.5433"
    source.pages[INVERTERS] = panels(24)
    source.pages[READINGS] = lambda now: [reading("production", now, 1500.0, whole + 5, 0.0)]
    source.pages[PRODUCTION] = {"production": [eim("production", 1500.0, whole, whToday=whole, whLastSevenDays=week)]}
    running = bench(opened(EnphaseGateway(source, clock=clock.time)), clock=clock, commands=EVERY).start()
    values = running.advance(3600, 60).values()
    assert values["PwattHoursToday"] == 0
    assert "PwattHoursSevenDays" not in values


def booting(now: float, counted: float | None = None):
    """Powers are there, energies are not: zeros, or counting from zero, until the gateway's store is loaded."""
    energy = 0.0 if counted is None else counted
    return [
        reading("production", now, 1500.0, energy, 0.0),
        reading("net-consumption", now, -600.0, energy / 2, energy / 3),
    ]


@pytest.mark.parametrize("period", [1, 60])
@pytest.mark.parametrize("counting", [False, True], ids=["zeros", "counting from zero"])
def test_a_boot_shows_no_index_that_is_not_the_meter_s(opened, bench, clock, period, counting):
    source = house()
    running = bench(
        opened(EnphaseGateway(source, clock=clock.time)), clock=clock, commands=EVERY, pollInterval=period
    ).start()
    running.advance(120, period)
    running.forget_events()
    healthy, begin = source.pages[READINGS], clock.time()
    source.pages[READINGS] = lambda now: booting(now, (now - begin) if counting else None)
    running.advance(600, period)
    source.pages[READINGS] = healthy
    running.advance(120, period)
    names = ("PwattHoursLifetime", "indexcumulimport", "indexcumulexport")
    sent = [event["values"][name] for event in running.of("values") for name in names if name in event["values"]]
    assert set(sent) <= {9_000_000, 4_000_000, 5_000_000}
    days = ("PwattHoursToday", "cumulimport", "cumulexport")
    sent = [event["values"][name] for event in running.of("values") for name in days if name in event["values"]]
    assert set(sent) <= {0}


def test_an_index_that_is_truly_zero_is_a_value(opened, bench, clock):
    """A phase, or a house, that has never imported: shown once time has told it from a boot, and at once afterwards."""
    source = house()
    source.pages[READINGS] = lambda now: [
        reading("production", now, 1500.0, 9_000_000.0, 400.0),
        reading("net-consumption", now, -600.0, 0.0, 5_000_000.0),
    ]
    running = bench(opened(EnphaseGateway(source, clock=clock.time)), clock=clock, commands=EVERY).start()
    assert "indexcumulimport" not in running.values()
    running.advance(1200, 60)
    assert running.values()["indexcumulimport"] == 0
    assert running.values()["cumulimport"] == 0
    running.forget_events()
    running.restart()
    assert running.values()["indexcumulimport"] == 0


def test_a_jump_that_no_house_makes_is_neither_shown_nor_counted(opened, bench, clock):
    plant = Plant(clock.time)
    plant.set({"production": 3000.0, "consumption": 700.0})
    running = bench(opened(EnphaseGateway(DaySource(plant), clock=clock.time)), clock=clock, commands=EVERY).start()
    running.advance(600, 60)
    before = running.values()
    running.gateway.fault("reset_index", "net-consumption", {"step": 4_000_000.0})
    running.forget_events()
    running.advance(600, 60)
    for name in ("indexcumulimport", "indexcumulexport"):
        assert running.values().get(name, before[name]) - before[name] < 100
    running.advance(900, 60)  # that is how it is from now on, perhaps another meter
    assert running.values()["indexcumulexport"] > before["indexcumulexport"] + 4_000_000
    exported = running.values()["cumulexport"] - before["cumulexport"]
    assert exported == pytest.approx(2300 * 1440 / 3600, abs=5)  # but for the minute before the jump


def test_a_large_plant_is_not_held_back(opened, bench, clock):
    """115 kW over a night without Jeedom: a bound of a household would hold it for ever."""
    plant = Plant(clock.time, inverters=300)
    plant.set({"production": 115_000.0, "consumption": 20_000.0})
    running = bench(opened(EnphaseGateway(DaySource(plant), clock=clock.time)), clock=clock, commands=EVERY).start()
    running.advance(300, 60)
    before = running.values()
    running.close()
    clock.advance(3 * 3600)
    running.restart()
    assert running.values()["PwattHoursLifetime"] - before["PwattHoursLifetime"] == pytest.approx(345_000, rel=0.02)
    assert running.values()["cumulexport"] - before["cumulexport"] == pytest.approx(285_000, rel=0.02)
