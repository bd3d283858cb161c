"""The built-in day: energies are the integral of powers, and answers agree with each other."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from simulators.clock import SimulatedClock
from simulators.enphase import DaySource, EnphaseGateway, Fitted, Plant, Storage

NOON = datetime(2026, 6, 18, 12, 0, tzinfo=ZoneInfo("Europe/Paris")).timestamp()


def gateway_of(clock, *, phases=1, storage=None, **source):
    return EnphaseGateway(DaySource(Plant(clock, phases=phases, storage=storage), **source), clock=clock)


def reading(answer, eid):
    return next(meter for meter in answer if meter["eid"] == eid)


def channels(one):
    """The channel of each inverter."""
    devices = one.get("/ivp/pdm/device_data").json()
    return [device["channels"][0] for device in devices.values() if isinstance(device, dict)]


def test_indexes_are_the_integral_of_the_powers_shown(client):
    clock = SimulatedClock(NOON, speed=0)
    with gateway_of(clock, phases=3) as gateway:
        one = client(gateway.url, gateway.token())
        first = one.get("/ivp/meters/readings").json()
        imported = exported = produced = 0.0
        for _ in range(180):
            meters = one.get("/ivp/meters/readings").json()
            produced += reading(meters, 704643328)["activePower"] / 3600
            for channel in reading(meters, 704643584)["channels"]:
                power = channel["activePower"]
                imported += max(power, 0.0) / 3600
                exported += max(-power, 0.0) / 3600
            clock.advance(1)
        last = one.get("/ivp/meters/readings").json()
        grid, before = reading(last, 704643584), reading(first, 704643584)
        assert grid["actEnergyDlvd"] - before["actEnergyDlvd"] == pytest.approx(imported, abs=0.05)
        assert grid["actEnergyRcvd"] - before["actEnergyRcvd"] == pytest.approx(exported, abs=0.05)
        sun = reading(last, 704643328)["actEnergyDlvd"] - reading(first, 704643328)["actEnergyDlvd"]
        assert sun == pytest.approx(produced, abs=0.05)
        truth = gateway.truth()
        assert truth["imported"] == pytest.approx(imported, abs=0.05)
        assert truth["exported"] == pytest.approx(exported, abs=0.05)
        assert grid["actEnergyRcvd"] == pytest.approx(sum(c["actEnergyRcvd"] for c in grid["channels"]), abs=0.01)


def test_a_voltage_that_is_held_stays():
    clock = SimulatedClock(NOON, speed=0)
    plant = Plant(clock)
    plant.set({"voltage": 231.0})
    for _ in range(20):
        clock.advance(5)
        plant.advance()
        assert plant.volts == [231.0]


def test_a_whole_day_balances(client):
    clock = SimulatedClock(NOON, speed=0)
    with gateway_of(clock, phases=3, storage=Storage()) as gateway:
        start = NOON + 12 * 3600  # the next midnight
        clock.set(start + 86_400)
        one = client(gateway.url, gateway.token())
        entries = one.get("/production.json?details=1").json()
        truth = gateway.truth(since=start)
        assert truth["produced"] > 5_000
        assert truth["charged"] > 500
        assert truth["total"] == pytest.approx(
            truth["produced"] - truth["standby"] + truth["imported"] - truth["exported"], rel=1e-6
        )
        used = truth["consumed"] + truth["charged"] - truth["discharged"]
        assert used == pytest.approx(truth["total"], rel=1e-6)
        # just after midnight the day counters still show the day before
        assert entries["production"][1]["whToday"] == pytest.approx(truth["produced"], abs=0.5)


def test_the_gateways_day_begins_late(client):
    clock = SimulatedClock(NOON + 12 * 3600 + 600, speed=0)
    with gateway_of(clock) as gateway:
        clock.advance(86_400)
        one = client(gateway.url, gateway.token())
        assert one.get("/production.json").json()["production"][1]["whToday"] > 1_000
        clock.advance(120)
        assert one.get("/production.json").json()["production"][1]["whToday"] == 0


def test_values_held_are_shown_and_integrated(client):
    clock = SimulatedClock(NOON, speed=0)
    with gateway_of(clock) as gateway:
        gateway.set(production=3_000, consumption=500)
        before = gateway.truth()
        clock.advance(1_800)
        meters = client(gateway.url, gateway.token()).get("/ivp/meters/readings").json()
        assert reading(meters, 704643584)["activePower"] == -2_500
        after = gateway.truth()
        assert after["exported"] - before["exported"] == pytest.approx(1_250, abs=0.01)
        assert after["produced"] - before["produced"] == pytest.approx(1_500, abs=0.01)
        entries = client(gateway.url, gateway.token()).get("/production.json?details=1").json()["consumption"]
        assert [entry["wNow"] for entry in entries] == [500, -2_500]


def test_values_are_per_phase_when_given_so(client):
    clock = SimulatedClock(NOON, speed=0)
    with gateway_of(clock, phases=3) as gateway:
        gateway.set(production=[900, 900, 900], consumption=[1_900, 100, 100])
        channels = client(gateway.url, gateway.token()).get("/ivp/meters/readings").json()[1]["channels"]
        assert [channel["activePower"] for channel in channels] == [1_000, -800, -800]
        clock.advance(3_600)
        truth = gateway.truth()
        assert truth["imported"] == pytest.approx(1_000, rel=0.001)
        assert truth["exported"] == pytest.approx(1_600, rel=0.001)


def test_unused_channels_carry_noise_and_are_not_in_the_sum(client):
    with gateway_of(SimulatedClock(NOON)) as gateway:
        one = client(gateway.url, gateway.token())
        assert [meter["phaseCount"] for meter in one.get("/ivp/meters").json()] == [1, 1]
        meter = one.get("/ivp/meters/readings").json()[0]
        assert len(meter["channels"]) == 3
        assert meter["channels"][2]["actEnergyRcvd"] > 1_000
        assert meter["actEnergyRcvd"] == meter["channels"][0]["actEnergyRcvd"]


def test_inverters_report_every_five_minutes_and_sleep_at_night(client):
    clock = SimulatedClock(NOON, speed=0)
    with gateway_of(clock) as gateway:
        one = client(gateway.url, gateway.token())
        clock.advance(300)
        before = one.get("/api/v1/production/inverters").json()
        clock.advance(300)
        after = one.get("/api/v1/production/inverters").json()
        assert len(after) == 12
        assert [a["lastReportDate"] - b["lastReportDate"] for a, b in zip(after, before)] == [300] * 12
        channel = channels(one)[0]
        mean = channel["lastReading"]["joulesProduced"] / channel["lastReading"]["duration"]
        assert mean == pytest.approx(after[0]["lastReportWatts"], abs=1)
        clock.set(NOON + 11 * 3600)
        night = one.get("/api/v1/production/inverters").json()
        assert all(clock() - unit["lastReportDate"] > 1_800 for unit in night)
        today = sum(channel["wattHours"]["today"] for channel in channels(one))
        assert today == pytest.approx(gateway.truth(since=NOON - 12 * 3600)["produced"], rel=0.01)


def test_a_weak_inverter_gives_less(client):
    clock = SimulatedClock(NOON, speed=0)
    with gateway_of(clock) as gateway:
        gateway.set(inverters={"122300000101": 0.5})
        clock.advance(900)
        units = client(gateway.url, gateway.token()).get("/api/v1/production/inverters").json()
        assert units[0]["lastReportWatts"] == pytest.approx(units[1]["lastReportWatts"] / 2, rel=0.1)


def test_a_standard_gateway_has_no_meters(client):
    clock = SimulatedClock(NOON, speed=0)
    with gateway_of(clock, metered=False, firmware="D7.6.175") as gateway:
        one = client(gateway.url, gateway.token())
        assert one.get("/ivp/meters").json() == one.get("/ivp/meters/readings").json() == []
        production = one.get("/production.json?details=1").json()
        assert "consumption" not in production
        whole = one.get("/api/v1/production").json()["wattHoursLifetime"]
        assert whole % (2**32 / 3600) == pytest.approx(production["production"][0]["whLifetime"], abs=1.5)
        assert one.get("/ivp/pdm/device_data").status == 404


def test_without_a_battery_ensemble_shows_zeros_and_with_one_its_power(client):
    clock = SimulatedClock(NOON, speed=0)
    with gateway_of(clock) as gateway:
        one = client(gateway.url, gateway.token())
        assert one.get("/ivp/ensemble/inventory").json() == []
        assert one.get("/ivp/ensemble/power").json() == {"devices:": []}
        assert one.get("/ivp/ensemble/secctrl").json()["Enc_max_available_capacity"] == 0
    with gateway_of(clock, storage=Storage(), fitted=Fitted(storage=True)) as gateway:
        gateway.set(production=0, consumption=5_000, soc=50)
        one = client(gateway.url, gateway.token())
        assert one.get("/ivp/ensemble/power").json()["devices:"][0]["real_power_mw"] == 1_280_000
        meter = reading(one.get("/ivp/meters/readings").json(), 704643840)
        assert meter["activePower"] == 1_280
        clock.advance(3_600)
        assert one.get("/ivp/ensemble/secctrl").json()["ENC_agg_avail_energy"] == pytest.approx(470, abs=5)


def test_newer_firmware_lists_a_meter_that_nobody_knows(client):
    with gateway_of(SimulatedClock(NOON), firmware="D8.3.1598") as gateway:
        one = client(gateway.url, gateway.token())
        known = {meter["eid"] for meter in one.get("/ivp/meters").json()}
        shown = {meter["eid"] for meter in one.get("/ivp/meters/readings").json()}
        assert len(shown - known) == 1


def test_the_same_seed_gives_the_same_day():
    days = []
    for _ in range(2):
        clock = SimulatedClock(NOON, speed=0)
        plant = Plant(clock, seed=5)
        clock.advance(7_200)
        days.append(plant.truth())
    assert days[0] == days[1]


def test_the_sun_can_shine_at_night_with_the_right_time(client):
    midnight = NOON + 12 * 3600
    clock = SimulatedClock(midnight, speed=0)
    with EnphaseGateway(DaySource(Plant(clock, hour=13, sky_speed=60)), clock=clock) as gateway:
        one = client(gateway.url, gateway.token())
        meter = one.get("/ivp/meters/readings").json()[0]
        assert meter["activePower"] > 500
        assert meter["timestamp"] == midnight
        clock.advance(600)  # ten hours of sky
        meter = one.get("/ivp/meters/readings").json()[0]
        assert meter["activePower"] < 0
        assert meter["timestamp"] == midnight + 600
        assert 0 < gateway.truth()["produced"] < 2_000
