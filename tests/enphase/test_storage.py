"""Batteries of both generations, and what is offered in both modes of equipment."""

from __future__ import annotations

import pytest
from jeenergied.devices.enphase import batteries

from jeedom_bridge.clock import ManualClock
from simulators.enphase import DaySource, EnphaseGateway, Plant
from simulators.enphase.storage import Storage as Battery
from tests.support.clocks import noon

from .harness import commands_of, house

CONTROL = {"agg_soc": 54, "Max_energy": 3500, "ENC_agg_soc": 54, "ENC_agg_avail_energy": 1890}
ACB = {"type": "acb", "activeCount": 3, "wNow": -260, "whNow": 930, "percentFull": 25}


def known(*parts, now=0.0):
    storage = batteries.Storage()
    for part in parts:
        storage.learn(part, 0.0)
    return storage.facts(now, 60.0)


def test_ac_batteries_are_taken_from_the_page_of_production():
    facts = known(batteries.from_production({"storage": [{"type": "other", "activeCount": 1, "wNow": 5}, ACB]}))
    assert facts["storage.power"] == -260
    assert facts["storage.percent"] == 25
    assert (facts["storage.capacity"], facts["storage.energy"]) == (3720, 930)
    assert batteries.from_production({"storage": [{**ACB, "activeCount": 0}]}) == {}


def test_iq_batteries_are_taken_from_their_control():
    facts = known(batteries.from_control({**CONTROL, "Enc_max_available_capacity": 3500}))
    assert (facts["storage.iqPercent"], facts["storage.iqCapacity"], facts["storage.iqEnergy"]) == (54, 3500, 1890)
    assert facts["storage.percent"] == 54
    assert batteries.from_control({**CONTROL, "Enc_max_available_capacity": 0}) == {}


@pytest.mark.parametrize("period", [1.0, 60.0, 600.0, 3600.0])
def test_a_part_is_known_until_its_page_has_failed_twice(period):
    """Parts come from pages that are read one after the other: a part of the last round is no gap."""
    storage = batteries.Storage()
    storage.learn({"iq.power": -500.0, "total.power": 900.0}, 0.0)
    for now in (period + 2, 2 * period + 2):
        storage.learn({"acb.power": -260.0, "total.power": 900.0}, now)
        assert storage.facts(now, period)["house.power"] == 140.0
    assert storage.facts(max(300.0, 2.5 * period) + 1, period)["storage.power"] == -260.0


def test_a_charge_that_is_no_percentage_is_left_out():
    assert "iq.percent" not in batteries.from_control({"Enc_max_available_capacity": 1, "ENC_agg_soc": 255})


@pytest.mark.parametrize("key", ["devices:", "devices"])
def test_the_power_of_iq_batteries_is_in_milliwatts(key):
    answer = {key: [{"real_power_mw": -532_000}, {"real_power_mw": -552_000}, {"real_power_mw": None}]}
    assert batteries.from_power(answer) == {"iq.power": -1084}


def test_without_control_the_list_tells_charge_and_capacity():
    units = [{"encharge_capacity": 3500, "percentFull": 50}, {"encharge_capacity": 1500, "percentFull": 100}]
    inventory = [{"type": "ENPOWER", "devices": [{}]}, {"type": "ENCHARGE", "devices": units}]
    assert batteries.from_inventory(inventory) == {"iq.capacity": 5000, "iq.energy": 3250, "iq.percent": 65}
    assert batteries.has_iq(inventory)
    assert not batteries.has_iq([{"type": "ENCHARGE", "devices": []}])


@pytest.mark.parametrize("junk", [None, [], "x", 5, {"storage": 1}, {"devices:": 3}, [None], [{"type": "ENCHARGE"}]])
def test_what_is_no_answer_is_no_battery(junk):
    for read in (
        batteries.from_production,
        batteries.from_control,
        batteries.from_power,
        batteries.from_inventory,
    ):
        assert read(junk) == {}
    assert not batteries.has_iq(junk)


def test_the_transformer_knows_better_than_the_batteries():
    facts = known({"iq.power": 1000.0}, {"storage.meterPower": 1100.0}, {"total.power": -300.0})
    assert facts["storage.power"] == 1100
    assert facts["house.power"] == 800


def test_both_kinds_are_added():
    facts = known({"iq.power": 105.0, "acb.power": 260.0})
    assert facts["storage.power"] == 365


def test_what_is_no_longer_told_is_no_longer_known():
    assert known({"iq.power": 105.0, "total.power": 10.0}, now=301.0) == {}


# ---- a running connection


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(noon())


@pytest.fixture
def gateway(opened, clock):
    plant = Plant(clock.time, storage=Battery())
    made = opened(EnphaseGateway(DaySource(plant), clock=clock.time))
    made.set(production=500, consumption=900, storage=300, soc=80)
    return made


def test_the_house_uses_what_the_battery_gives_too(bench, gateway, clock):
    running = bench(gateway, clock=clock, commands=commands_of("combined", every=True), pollInterval=1).start()
    values = running.advance(20, 1).values()
    assert (values["batnow"], values["CwattsNow"], values["CwattsNowHouse"]) == (300, 600, 900)
    assert values["Enc_max_available_capacity"] == 3500
    assert 0 < values["batperc"] == values["ENC_pourcent"] < 100
    running.advance(3600, 20)
    assert running.values()["batdecharge"] == pytest.approx(300, abs=5)
    assert running.values()["batcharge"] == 0


def test_without_a_battery_nothing_of_it_is_asked_but_once_an_hour(opened, bench, clock):
    running = bench(opened(EnphaseGateway(DaySource(Plant(clock.time)), clock=clock.time)), clock=clock).start()
    running.advance(7200 + 60, 60)
    assert running.asked("/ivp/ensemble/inventory") == 3
    assert running.asked("/ivp/ensemble/secctrl") == 0


def offered(running):
    found = running.ask("discover", connection=running.definition)["equipment"]
    return {each["type"]: each["active"] for each in found if each["type"] != "inverter"}


def test_one_equipment_or_four_are_offered_as_the_user_likes(opened, bench, gateway, clock):
    assert offered(bench(gateway, clock=clock)) == {"combined": True}
    separate = bench(gateway, clock=clock, mode="separate")
    assert offered(separate) == {"production": True, "net": True, "total": True, "storage": True}
    plain = opened(EnphaseGateway(house(), clock=clock.time))
    assert offered(bench(plain, clock=clock, mode="separate"))["storage"] is False
    standard = opened(EnphaseGateway(DaySource(Plant(clock.time), metered=False), clock=clock.time))
    assert offered(bench(standard, clock=clock, mode="separate")) == {
        "production": True,
        "net": False,
        "total": False,
        "storage": False,
    }


def test_four_equipments_have_together_what_the_one_has(bench, gateway, clock):
    whole = bench(gateway, clock=clock, commands=commands_of("combined", every=True)).start()
    parts = bench(gateway, clock=clock, mode="separate", commands={})
    for number, kind in enumerate(("production", "net", "total", "storage"), 50):
        parts.equip(str(number), kind, gateway.serial)
    parts.start()
    together = {}
    for number in range(50, 54):
        together.update(parts.values(str(number)))
    assert set(together) == set(whole.values())
    assert together["PwattsNow"] == 500
    assert "PwattsNow" not in parts.values("52")


def test_days_of_the_token_and_firmware_are_told(bench, gateway, clock):
    running = bench(gateway, clock=clock)
    running.own = commands_of("", every=True)
    running.start()
    assert running.values("1") in [{"tokenDays": days, "firmware": "D8.2.4382"} for days in (364, 365)]
    running.advance(86400, 1800)
    assert running.values("1")["tokenDays"] == 363


@pytest.mark.parametrize("fault", ["garbage", "status", "truncated", "html", "drop"])
def test_pages_of_batteries_that_fail_disturb_nothing_else(bench, gateway, clock, fault):
    running = bench(gateway, clock=clock, commands=commands_of("combined", every=True), pollInterval=1).start()
    gateway.fault(fault, "/ivp/ensemble", 500 if fault == "status" else None)
    gateway.fault(fault, "/ivp/pdm", 500 if fault == "status" else None)
    running.forget_events()
    gateway.set(production=700)
    polls = running.asked("/ivp/meters/readings")
    running.advance(60, 1)
    assert running.values()["PwattsNow"] == 700
    assert running.asked("/ivp/meters/readings") - polls == 60
    assert running.states == []
    gateway.clear()
    gateway.set(soc=50)
    running.advance(1000, 10)
    assert running.values()["batperc"] < 50.5
