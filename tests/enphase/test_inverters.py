"""Inverters over the day, their groups and the report of the evening."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from jeenergied.devices.enphase.values import inverter_energy
from jeenergied.devices.enphase.values.inverter_answers import day_energies

from jeedom_bridge.clock import ManualClock
from simulators.enphase import EnphaseGateway

from .harness import INVERTERS, READINGS, house

PARIS = ZoneInfo("Europe/Paris")
DEVICES = "/ivp/pdm/device_data"


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def reports(*entries, day="2026-06-10T"):
    """Estimates after each (time, W)."""
    energies = inverter_energy.InverterEnergies()
    return [
        energies.read("1", {"meanPower": watts, "reported": at(day + time)}, at(day + time) + 60, PARIS)
        for time, watts in entries
    ]


def test_each_new_report_stands_for_the_time_since_the_last():
    assert reports(("12:00", 200), ("12:05", 300)) == [50, 75]
    assert reports(("12:00", 200), ("12:00", 200)) == [50, 50]
    assert reports(("12:00", 200), ("14:00", 300)) == [50, 200]  # half an hour at most


def test_a_new_day_begins_at_zero_and_yesterdays_report_is_not_counted():
    energies = inverter_energy.InverterEnergies()
    evening = {"meanPower": 40, "reported": at("2026-06-10T21:30")}
    assert energies.read("1", evening, at("2026-06-10T21:31"), PARIS) == 10
    assert energies.read("1", evening, at("2026-06-11T00:01"), PARIS) == 0
    kept = inverter_energy.InverterEnergies(energies.state())
    assert kept.read("1", evening, at("2026-06-11T05:00"), PARIS) == 0
    assert inverter_energy.InverterEnergies().read("1", evening, at("2026-06-11T05:00"), PARIS) == 0


def member(name, energy, silent=False):
    return inverter_energy.Member(name, 100.0, 300.0, energy, silent)


def test_who_is_below_nine_tenths_of_the_mean_is_named():
    found = inverter_energy.verdict([member("a", 1000), member("b", 1010), member("c", 800)])
    assert (found.alarm, found.weak) == (True, [("c", 800)])
    assert inverter_energy.verdict([member("a", 1000), member("b", 950)]).alarm is False


def test_a_day_without_sun_and_a_group_of_one_say_nothing():
    assert inverter_energy.verdict([member("a", 90), member("b", 10)]).alarm is None
    assert inverter_energy.verdict([member("a", 900)]).alarm is None
    assert inverter_energy.verdict([member("a", None), member("b", 900, silent=True)]).alarm is None
    assert inverter_energy.verdict([]).alarm is None


def test_who_is_silent_does_not_pull_the_mean_down():
    found = inverter_energy.verdict([member("a", 1000), member("b", 980), member("c", 0, silent=True)])
    assert (found.alarm, found.weak, found.silent) == (True, [], ["c"])


@pytest.mark.parametrize(
    ("one", "other", "same"), [("Toit sud", " toit  SUD", True), ("", "", False), ("1", "2", False), ("1", 1, True)]
)
def test_groups_are_found_by_name(one, other, same):
    assert inverter_energy.same_group(one, str(other)) is same


def device(serial, today, end, **other):
    reading = {"endDate": end}
    channel = {"wattHours": {"today": today}, "lastReading": reading, **other.pop("channel", {})}
    return {"devName": "pcu", "sn": serial, "active": True, "channels": [channel], **other}


def test_the_gateways_own_days_are_those_of_active_inverters():
    answer = {
        "1": device("a", 1200, 500),
        "2": device("b", 900, 50),
        "3": device("c", 1, 500, active=False),
        "4": device("d", 1, 500, devName="acb"),
        "5": device("e", 99_999, 500),
        "6": device("f", 10, 500, channel={"lastReading": {}}),
        "deviceCount": 6,
        "deviceDataLimit": 50,
    }
    assert day_energies(answer, 100) == {"a": 1200, "b": 0, "f": 0}
    assert day_energies({**answer, "deviceCount": 50}, 100) is None


@pytest.mark.parametrize("junk", [None, [], "x", {}, {"deviceCount": "x"}, {"error": 1}])
def test_what_is_no_list_of_devices_is_none(junk):
    assert day_energies(junk, 0) is None


# ---- a running connection


SERIALS = ("122300000101", "122300000102", "122300000103")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(at("2026-06-10T15:00"))


@pytest.fixture
def source():
    """Three inverters that give 260, 260 and 100 W."""
    pages = house()
    pages.pages[INVERTERS] = lambda now: [
        {
            "serialNumber": s,
            "lastReportDate": now // 300 * 300,
            "devType": 1,
            "lastReportWatts": w,
            "maxReportWatts": 300,
        }
        for s, w in zip(SERIALS, (260, 260, 100))
    ]
    return pages


@pytest.fixture
def running(opened, bench, clock, source):
    made = bench(opened(EnphaseGateway(source, clock=clock.time)), clock=clock)
    for number, serial in enumerate(SERIALS):
        made.equip(f"2{number}", "inverter", serial, group="Toit Sud")
    return made.equip("40", "group", "toit sud").equip("41", "group", "Nord")


def test_a_group_is_the_sum_of_its_members(running):
    running.start()
    assert running.values("40")["Watt"] == 620
    assert running.values("40")["maxWatt"] == 900
    assert running.values("40")["calWH"] == 155  # a quarter of an hour each
    assert running.values("41") == {}
    assert running.values("20")["calWH"] == 65
    assert running.values("20")["lastReport"] == "2026-06-10 15:00:00"


def test_in_the_evening_the_weak_one_is_named_once(running):
    running.start().advance(7 * 3600 - 120, 300)
    assert running.messages == []
    running.advance(240, 60)
    assert len(running.messages) == 1
    assert SERIALS[2] in running.messages[0]
    assert SERIALS[0] not in running.messages[0]
    assert running.values("40")["alarme"] is True
    running.restart().advance(3000, 300)
    assert len(running.messages) == 1


def test_what_is_estimated_survives_a_restart(running):
    running.start().advance(3600, 60)
    before = running.values("20")["calWH"]
    running.restart().advance(60)
    assert running.values("20")["calWH"] == before == 65 + 260


def test_the_gateways_own_figure_is_taken_where_it_has_one(opened, bench, clock, source):
    own = {str(n): device(s, 1000 + n, clock.time()) for n, s in enumerate(SERIALS)}
    source.pages[DEVICES] = {**own, "deviceCount": 3, "deviceDataLimit": 50}
    made = bench(opened(EnphaseGateway(source, clock=clock.time)), clock=clock)
    made.equip("20", "inverter", SERIALS[1], energySource="gateway").equip("21", "inverter", SERIALS[2]).start()
    assert made.values("20")["calWH"] == 1001
    assert made.values("21")["calWH"] == 25
    found = made.ask("discover")["equipment"]
    assert [each["config"] for each in found if each["type"] == "inverter"] == [{"energySource": "gateway"}] * 3
    del source.pages[DEVICES]
    fresh = bench(opened(EnphaseGateway(source, clock=clock.time)), clock=clock)
    found = fresh.ask("discover", connection=fresh.definition)["equipment"]
    assert [each["config"] for each in found if each["type"] == "inverter"] == [{"energySource": "estimate"}] * 3


def test_yesterdays_figure_of_the_gateway_is_not_todays(opened, bench, clock, source):
    source.pages[DEVICES] = {"1": device(SERIALS[0], 1234, clock.time()), "deviceCount": 1, "deviceDataLimit": 50}
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    made = bench(gateway, clock=clock).equip("20", "inverter", SERIALS[0], energySource="gateway").start()
    assert made.values("20")["calWH"] == 1234
    gateway.fault("garbage", DEVICES)
    made.advance(10 * 3600, 300)
    assert made.values("20")["calWH"] == 1234
    assert {each["values"].get("calWH") for each in made.of("values") if each["equipment"] == "20"} <= {1234, None}
    gateway.clear()
    made.advance(1800, 60)
    assert made.values("20")["calWH"] == 0
    found = made.ask("discover")["equipment"]
    gateway.fault("garbage", DEVICES)
    assert len(made.ask("discover")["equipment"]) == len(found) == 4


@pytest.mark.parametrize("then", [-3 * 3600.0, -1700.0, 3 * 3600.0])
def test_a_clock_that_was_wrong_at_the_sign_in_puts_no_inverter_to_sleep(opened, bench, clock, source, then):
    """A small computer starts with yesterday's time, signs in, and is put right a minute later."""
    began = clock.monotonic() - clock.time()
    clock.step(then)
    made = bench(opened(EnphaseGateway(source, clock=lambda: clock.monotonic() - began)), clock=clock)
    made.equip("20", "inverter", SERIALS[0]).start()
    assert made.values("20")["Watt"] == 260
    clock.step(-then)
    made.forget_events()
    made.advance(1200, 60)
    assert {each["values"].get("Watt", 260) for each in made.of("values") if each["equipment"] == "20"} <= {260}
    dates = [datetime.fromisoformat(each["at"]).timestamp() for each in made.of("values") if each["equipment"] == "20"]
    assert dates
    assert all(clock.time() - 1500 <= date <= clock.time() for date in dates)


def test_a_new_inverter_has_its_power_within_seconds_of_being_created(opened, bench, clock, source):
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    made = bench(gateway, clock=clock).start()
    made.equip("20", "inverter", SERIALS[0]).configure()
    before = made.asked(INVERTERS)
    made.equip("21", "inverter", SERIALS[1]).configure()
    made.advance(3, 1)
    assert [made.values(each)["Watt"] for each in ("20", "21")] == [260, 260]
    assert made.asked(INVERTERS) == before + 1  # one round for all that was created meanwhile
    made.configure()
    made.advance(3, 1)
    assert made.asked(INVERTERS) == before + 1


def test_what_an_outage_has_put_off_is_read_when_it_ends(opened, bench, clock, source):
    gateway = opened(EnphaseGateway(source, clock=clock.time))
    made = bench(gateway, clock=clock).equip("20", "inverter", SERIALS[0])
    made.start()
    gateway.server.suspend()
    made.advance(300, 5)
    before, polls = made.asked(INVERTERS), made.asked(READINGS)
    gateway.server.resume()
    while made.asked(READINGS) == polls:
        made.advance(1)
    made.advance(1)
    assert made.asked(INVERTERS) == before + 1
