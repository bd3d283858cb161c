"""How old a value is: no dead page's is dated anew, each silence is told once, and sums are of one time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from jeedom_bridge.clock import ManualClock
from simulators.enphase import EnphaseGateway

from .harness import INVERTERS, PRODUCTION, READINGS, SERIAL, SUMMARY, Pages, commands_of, house, meter, reading

NOON = 1_780_312_800.0  # 1 June 2026, 13:20 in Paris
DAY = 86_400.0
EVERY = {
    name: settings
    for name, settings in commands_of("combined", every=True).items()
    if not name.startswith(("bat", "ENC", "Enc")) and name != "CwattsNowHouse"
}
"""Of a house without batteries."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


def dated(running, name: str, equipment: str = "2") -> list[float]:
    """The Unix times with which a command's values were sent."""
    return [
        datetime.fromisoformat(event["at"]).timestamp()
        for event in running.of("values")
        if event["equipment"] == equipment and name in event["values"]
    ]


@pytest.mark.parametrize("kind", ["status", "garbage", "drop"])
def test_what_a_dead_page_gave_is_not_dated_anew(opened, bench, clock, kind):
    source = house()
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    source.pages[READINGS] = lambda now: [
        reading("production", now, 1500.0 + now % 7, 9_000_000.0, 400.0),
        reading("net-consumption", now, -600.0, 4_000_000.0, 5_000_000.0),
    ]
    running = bench(gateway, clock=clock, commands=EVERY).start()
    running.advance(600, 30)
    gateway.fault(kind, PRODUCTION, 500 if kind == "status" else None)
    running.forget_events()
    end = clock.time()
    running.advance(4 * 3600, 60)
    assert [at for at in dated(running, "CwattHoursLifetime") if at > end + 60] == []
    assert dated(running, "PwattsNow")[-1] > end + 3 * 3600
    assert [event for event in running.told() if event["state"] == "no_data"] == []  # the consumption goes on


def test_a_meter_that_is_gone_is_told_once_and_its_values_keep_their_date(opened, bench, clock):
    source = house()
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    running = bench(gateway, clock=clock, commands=EVERY).start()
    running.advance(600, 30)
    both = source.pages[READINGS]
    source.pages[READINGS] = lambda now: both(now)[:1]
    running.forget_events()
    end = clock.time()
    running.advance(6 * 3600, 60)
    for name in ("CwattsNowNet", "indexcumulimport", "cumulimport", "CwattsNow", "Export"):
        assert [at for at in dated(running, name) if at > end + 180] == [], name
    told = [event["message"] for event in running.told() if event["state"] == "no_data"]
    assert len(set(told)) == 2  # first the grid, then with it the consumption
    assert "mesures du réseau" in told[0]
    assert set(running.states) == {"online"}  # production goes on
    source.pages[READINGS] = lambda now: [
        reading("production", now, 1500.0, 9_000_000.0, 400.0),
        reading("net-consumption", now, -700.0, 4_000_000.0, 5_000_100.0),
    ]
    running.advance(120, 30)
    assert running.told()[-1]["state"] == "online"
    assert dated(running, "CwattsNowNet")[-1] > end + 6 * 3600


def test_a_pause_at_night_is_no_silence(opened, bench, clock):
    now = datetime.fromtimestamp(clock.time(), ZoneInfo("Europe/Paris"))
    clock.advance((now.replace(hour=22, minute=51, second=0) - now).total_seconds() % 86400)
    gateway = opened(EnphaseGateway(house(), clock=clock.time))
    running = bench(gateway, clock=clock, commands=EVERY, inverters=(SERIAL,), pollInterval=1).start()
    running.advance(600, 10)
    running.forget_events()
    gateway.fault("drop")
    running.advance(280, 5)
    gateway.clear()
    running.advance(120, 5)
    assert running.of("connection") == [] or set(running.states) == {"online"}
    assert [event for event in running.of("connection") if "equipment" in event] == []


# ---- inverters


def unit(reported: float, watts: float = 260.0, serial: str = SERIAL):
    return {
        "serialNumber": serial,
        "lastReportDate": int(reported),
        "devType": 1,
        "lastReportWatts": watts,
        "maxReportWatts": 366,
    }


def test_an_inverter_is_dated_by_its_own_report_and_told_after_days(opened, bench, clock, caplog):
    source = house()
    last = NOON - 240
    source.pages[INVERTERS] = [unit(last)]
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    running = bench(gateway, clock=clock, inverters=(SERIAL,))
    running.start()
    assert dated(running, "Watt", "10") == [pytest.approx(last, abs=1)]
    running.advance(2 * 3600, 60)
    assert running.inverter(SERIAL)["Watt"] == 0
    assert dated(running, "Watt", "10")[-1] == pytest.approx(last + 1800, abs=61)
    running.advance(2.9 * DAY, 1800)
    assert running.told("10") == []  # nights, and snow
    running.advance(2 * DAY, 1800)
    assert len({event["message"] for event in running.told("10")}) == 1
    assert "Aucune donnée depuis le 01/06/2026 13:" in running.told("10")[0]["message"]
    running.restart()
    running.advance(3600, 600)
    assert dated(running, "Watt", "10")[-1] == pytest.approx(last + 1800, abs=1)
    source.pages[INVERTERS] = lambda now: [unit(now - 30)]
    running.advance(120, 30)
    assert running.told("10")[-1]["state"] == "online"


@pytest.mark.parametrize("reported", [0, 1536668599])
def test_an_inverter_that_is_gone_for_years_or_never_came_has_no_power(opened, bench, clock, reported):
    source = house()
    source.pages[INVERTERS] = [unit(reported, 13.0)]
    running = bench(opened(EnphaseGateway(source, clock=clock.time)), clock=clock)
    running.equip("30", "inverter", SERIAL).start()
    running.advance(3600, 60)
    assert not {"Watt", "maxWatt", "calWH"} & set(running.values("30"))
    if reported:
        assert "Aucune donnée depuis le 11/09/2018" in running.told("30")[0]["message"]
        return
    running.advance(3 * DAY, 1800)
    assert "Aucune donnée reçue" in running.told("30")[0]["message"]


def test_the_number_of_inverters_that_report_is_a_command(opened, bench, clock):
    source = house()
    serials = [str(122300000101 + n) for n in range(4)]
    source.pages[INVERTERS] = lambda now: [
        unit(now - 60, serial=serials[0]),
        unit(now - 600, serial=serials[1]),
        unit(now - 4 * 3600, serial=serials[2]),
        unit(0, serial=serials[3]),
    ]
    running = bench(opened(EnphaseGateway(source, clock=clock.time)), clock=clock, commands=EVERY).start()
    assert running.values()["onduleurs"] == 2


def test_a_group_is_not_told_while_one_of_its_inverters_is_missing(opened, bench, clock):
    source = house()
    serials = ("122300000101", "122300000102")
    source.pages[INVERTERS] = lambda now: [unit(now - 60, serial=serial) for serial in serials]
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    running = bench(gateway, clock=clock)
    for number, serial in enumerate(serials, 30):
        running.equip(str(number), "inverter", serial, group="Sud")
    running.equip("40", "group", "Sud").start()
    running.advance(120, 60)
    assert running.values("40")["Watt"] == 520
    source.pages[INVERTERS] = lambda now: [unit(now - 60, serial=serials[0])]  # a gateway that starts lists some
    running.restart()
    running.forget_events()
    running.advance(3600, 60)
    assert running.values("40") == {}
    running.advance(DAY, 1800)
    assert running.values("40")["Watt"] == 260  # taken down


# ---- sums of one time


def grid_only(net: float, watts: float, reported=None) -> Pages:
    """A meter on the grid only; what the inverters say together is in a slow page."""
    inverters = {"type": "inverters", "activeCount": 9, "wNow": watts, "whLifetime": 99_000}
    return Pages(
        {
            "/ivp/meters": [meter("production", state="disabled"), meter("net-consumption")],
            READINGS: lambda now: [reading("net-consumption", now, net, 70.0, 30.0)],
            PRODUCTION: lambda now: {
                "production": [inverters if reported is None else {**inverters, "readingTime": reported(now)}]
            },
        },
        "D8.2.4400",
    )


def test_a_fresh_grid_and_old_inverters_make_no_house(opened, bench, clock):
    """-3000 W now and 900 W of dawn is no house of -2100 W."""
    source = grid_only(-500.0, 900.0)
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    running = bench(gateway, clock=clock, pollInterval=1).start()
    running.advance(10, 1)
    assert running.values()["CwattsNow"] == 400
    gateway.fault("status", PRODUCTION, 500)
    source.pages[READINGS] = lambda now: [reading("net-consumption", now, -3000.0, 70.0, 30.0)]
    running.forget_events()
    running.advance(3600, 10)
    assert [event for event in running.of("values") if event["values"].get("CwattsNow", 400) != 400] == []
    assert running.values()["Export"] == 3000
    assert any("consommation" in event["message"] for event in running.told() if event["state"] == "no_data")


@pytest.mark.parametrize(("age", "watts", "house_watts"), [(300, 900, 400), (1500, 900, None), (40_000, 0, 700)])
def test_inverters_are_set_beside_the_grid_by_the_time_of_their_report(opened, bench, clock, age, watts, house_watts):
    source = grid_only(700.0 if not watts else -500.0, watts, reported=lambda now: int(now - age))
    running = bench(opened(EnphaseGateway(source, clock=clock.time)), clock=clock, pollInterval=1).start()
    running.advance(10, 1)
    assert running.values().get("CwattsNow") == house_watts


def test_production_of_a_slow_page_is_dated_when_it_was_read(opened, bench, clock):
    gateway = opened(EnphaseGateway(grid_only(-500.0, 900.0), clock=clock.time))
    running = bench(gateway, clock=clock, pollInterval=1).start()
    running.advance(60, 1)
    gateway.fault("status", PRODUCTION, 500)
    end = clock.time()
    running.advance(1800, 10)
    assert [at for at in dated(running, "PwattsNow") if at > end + 5] == []
    assert running.asked(SUMMARY) == 0
