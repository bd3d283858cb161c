"""Batteries of both generations, and what is offered in both modes of equipment."""

from __future__ import annotations

import pytest
from jeenergied.devices.enphase.values import batteries

from jeedom_bridge.clock import ManualClock
from simulators.enphase import AcBatteries, DaySource, EnphaseGateway, Fitted, Plant
from simulators.enphase.storage import Storage as Battery
from tests.support.clocks import noon

from .harness import commands_of, house

CONTROL = {"agg_soc": 54, "Max_energy": 3500, "ENC_agg_soc": 54, "ENC_agg_avail_energy": 1890}
ACB = {"type": "acb", "activeCount": 3, "wNow": -260, "whNow": 930, "percentFull": 25}


class Known:
    """What is told of parts as they come in; by default there are none of the other kind."""

    def __init__(self, *absent: str, kept=None) -> None:
        self.storage = batteries.Storage(150.0, kept)
        self.told: dict[str, tuple[float, float]] = {}
        for kind in absent:
            self.storage.exists(kind, False, 0.0)

    def learn(self, *parts, now: float = 0.0) -> dict[str, float]:
        for part in parts:
            self.storage.learn(part, now)
        news = self.storage.take(now)
        self.told.update(news)
        return {name: value for name, (value, _) in news.items()}


def test_ac_batteries_are_taken_from_the_page_of_production():
    page = {"storage": [{"type": "other", "activeCount": 1, "wNow": 5}, ACB]}
    facts = Known("iq").learn(batteries.from_production(page))
    assert facts["storage.power"] == -260
    assert facts["storage.percent"] == 25
    assert (facts["storage.capacity"], facts["storage.energy"]) == (3720, 930)
    assert batteries.from_production({"storage": [{**ACB, "activeCount": 0}]}) == {}


@pytest.mark.parametrize(
    ("energy", "percent"), [(25, 1), (14, 1), (36, 1), (44, 2), (60, 2), (65, 3), (236, 10), (446, 18), (0, 0)]
)
@pytest.mark.parametrize("whole", [2480, 412])
def test_the_capacity_of_ac_batteries_is_known_at_any_charge(energy, percent, whole):
    """`Max_energy` is not always right where there are AC batteries only: 412 in a recording of two of them."""
    page = {"storage": [{**ACB, "activeCount": 2, "whNow": energy, "percentFull": percent}]}
    control = {"Max_energy": whole, "Enc_max_available_capacity": 0, "ACB_agg_soc": percent, "ACB_agg_energy": energy}
    facts = Known("iq").learn(batteries.from_production(page), batteries.from_control(control))
    assert (facts["storage.capacity"], facts["storage.energy"], facts["storage.percent"]) == (2480, energy, percent)


def test_iq_batteries_are_taken_from_their_control():
    control = {**CONTROL, "agg_soc": 53, "Enc_max_available_capacity": 3500}
    facts = Known().learn(batteries.from_control(control))
    assert (facts["storage.iqPercent"], facts["storage.iqCapacity"], facts["storage.iqEnergy"]) == (54, 3500, 1890)
    assert facts["storage.percent"] == 54
    assert batteries.from_control({**CONTROL, "Enc_max_available_capacity": 0}) == {}


@pytest.mark.parametrize(("share", "told"), [(-1, False), (0, True), (100, True), (100.5, False), (255, False)])
def test_a_charge_that_is_no_percentage_is_left_out(share, told):
    control = {"Enc_max_available_capacity": 1, "Max_energy": 2, "ENC_agg_soc": share, "agg_soc": share}
    facts = batteries.from_control(control)
    assert ("iq.percent" in facts, "all.percent" in facts) == (told, told)
    assert ("acb.percent" in batteries.from_production({"storage": [{**ACB, "percentFull": share}]})) is told
    units = [{"encharge_capacity": 3500, "percentFull": share}]
    assert ("iq.percent" in batteries.from_inventory([{"type": "ENCHARGE", "devices": units}])) is told


@pytest.mark.parametrize("key", ["devices:", "devices"])
def test_the_power_of_iq_batteries_is_in_milliwatts(key):
    devices = [{"serial_num": "1", "real_power_mw": -532_000}, {"serial_num": "2", "real_power_mw": -552_000}]
    assert batteries.from_power({key: devices}) == {"iq.power": -1084}
    assert batteries.from_power({key: devices}, {"1", "2"}) == {"iq.power": -1084}


def test_the_power_of_some_iq_batteries_is_not_that_of_all():
    devices = [{"serial_num": "1", "real_power_mw": -532_000}, {"serial_num": "2", "real_power_mw": None}]
    assert batteries.from_power({"devices:": devices}) == {}
    assert batteries.from_power({"devices:": devices[:1]}, {"1", "2"}) == {}


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
    facts = Known("acb").learn({"storage.meterPower": 1100.0, "iq.power": 1000.0}, {"total.power": -300.0})
    assert facts["storage.power"] == 1100
    assert facts["house.power"] == 800


IQ = {"iq.power": 105.0, "iq.energy": 1890.0, "iq.capacity": 3500.0, "iq.percent": 54.0, "all.percent": 39.0}
BESIDE = {"acb.power": 260.0, "acb.energy": 930.0, "acb.capacity": 3720.0, "acb.percent": 25.0}
BOTH = {"power": 365, "energy": 2820, "capacity": 7220, "percent": 39}


@pytest.mark.parametrize("parts", [(IQ, BESIDE), (BESIDE, IQ)], ids=["iq first", "ac first"])
def test_nothing_is_told_until_all_parts_are_there(parts):
    known = Known()
    assert {
        name for name in known.learn(parts[0], {"total.power": 900.0}) if not name.startswith("storage.iq")
    } == set()
    facts = known.learn(parts[1], now=60.0)
    assert {name: facts[f"storage.{name}"] for name in BOTH} == BOTH
    assert facts["house.power"] == 1265
    assert known.told["storage.power"][1] == 0.0  # as old as its oldest part


def test_a_part_that_is_not_read_any_more_ends_the_sum():
    known = Known()
    known.learn(IQ, BESIDE, {"total.power": 900.0})
    for now in range(10, 1000, 10):
        facts = known.learn({"iq.power": 105.0 + now, "total.power": 900.0}, now=float(now))
    assert "storage.power" not in facts
    assert known.told["storage.power"][0] <= 365 + 150
    facts = known.learn(BESIDE, now=1000.0)
    assert facts["storage.power"] == 260 + 1095


def test_which_kinds_there_are_is_remembered():
    known = Known()
    known.learn(IQ, BESIDE)
    again = Known(kept=known.storage.state())
    again.storage.exists("iq", False, 3600.0)  # a gateway that has just started lists none
    assert again.learn(BESIDE, now=3600.0) == {}
    again.storage.exists("iq", False, 2 * 86_400.0)
    assert again.learn(BESIDE, now=2 * 86_400.0)["storage.power"] == 260


def test_what_is_told_once_is_not_dated_anew():
    known = Known("acb")
    assert known.learn(IQ)["storage.power"] == 105
    assert known.learn(now=60.0) == {}


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


# ---- two kinds of batteries, on a running connection

STORAGE = ("batmax", "batwh", "batperc", "batnow", "CwattsNowHouse")


@pytest.fixture
def two_kinds(opened, clock):
    """Three AC batteries beside an IQ battery without a transformer of its own, as in the recording of 2024."""
    plant = Plant(clock.time, storage=Battery(energy=1890.0), acb=AcBatteries())
    made = opened(EnphaseGateway(DaySource(plant, fitted=Fitted()), clock=clock.time))
    made.set(production=0, consumption=1265, storage=105, acb=260, soc=54)
    return made


def sent(running, *names):
    """Every value of these commands that was sent, in order, but what Jeedom takes only where it has lost it."""
    return [
        {name: event["values"][name] for name in names if name in event["values"]}
        for event in running.of("values")
        if event["equipment"] == "2" and set(names) & set(event["values"]) and not event.get("again")
    ]


def right(values) -> bool:
    wanted = {"batmax": 7220, "batwh": 2820, "batperc": 39, "batnow": 365, "CwattsNowHouse": 1265}
    drained = {"batwh": 450, "batperc": 8}  # over an hour and more; the parts alone are much further away
    return all(abs(values.get(name, value) - value) <= drained.get(name, 1) for name, value in wanted.items())


def test_both_kinds_are_told_together_from_the_first_value_on(bench, two_kinds, clock):
    running = bench(two_kinds, clock=clock, commands=commands_of("combined", every=True)).start()
    running.advance(120, 10)
    assert set(STORAGE) <= set(running.values())
    for _ in range(2):
        assert [values for values in sent(running, *STORAGE) if not right(values)] == []
        running.restart()


def test_the_charge_of_all_batteries_and_that_of_the_iq_ones_are_two_commands(bench, two_kinds, clock):
    running = bench(two_kinds, clock=clock, commands=commands_of("combined", every=True)).start()
    running.advance(120, 10)
    first = {name: sent(running, name)[0][name] for name in ("batperc", "ENC_pourcent")}
    assert first == {"batperc": 39, "ENC_pourcent": 54}


@pytest.mark.parametrize("page", ["/production.json", "/ivp/ensemble/secctrl", "/ivp/ensemble/power"])
@pytest.mark.parametrize("kind", ["status", "garbage"])
def test_no_part_sum_is_told_while_a_page_fails(bench, two_kinds, clock, page, kind):
    running = bench(two_kinds, clock=clock, commands=commands_of("combined", every=True)).start()
    running.advance(120, 10)
    two_kinds.fault(kind, page, 500 if kind == "status" else None)
    running.advance(3600, 30)
    assert [values for values in sent(running, *STORAGE) if not right(values)] == []
    if page != "/ivp/ensemble/secctrl":
        told = [event for event in running.told() if event.get("code") == "no_data"]
        assert len({event["message"] for event in told}) == 1
        assert "puissance de toutes les batteries" in told[0]["message"]
    two_kinds.clear()
    two_kinds.set(storage=125)
    running.forget_events()
    running.advance(1200, 10)
    assert set(running.values()) >= {"batnow"}
    assert [event["state"] for event in running.told()] in ([], ["online"])


def test_energies_of_batteries_without_a_transformer_are_made_of_their_power(bench, two_kinds, clock):
    two_kinds.set(storage=500, acb=0)
    running = bench(two_kinds, clock=clock, commands=commands_of("combined", every=True)).start()
    running.advance(1800, 10)
    two_kinds.set(storage=-800)
    running.advance(1800, 10)
    values = running.values()
    assert values["batdechargeestim"] == pytest.approx(250, abs=8)
    assert values["batchargeestim"] == pytest.approx(400, abs=8)
    assert "batcharge" not in values
    running.restart()
    running.advance(60, 10)
    assert running.values()["batchargeestim"] == pytest.approx(400 + 800 / 60, abs=12)


def test_a_transformer_on_the_batteries_makes_estimates_needless(bench, gateway, clock):
    running = bench(gateway, clock=clock, commands=commands_of("combined", every=True)).start()
    running.advance(600, 10)
    assert "batdecharge" in running.values()
    assert "batdechargeestim" not in running.values()


def test_a_battery_that_lost_its_line_is_told_and_its_last_words_are_not_shown(bench, two_kinds, clock):
    """The gateway goes on telling the charge that it last knew."""
    running = bench(two_kinds, clock=clock, commands=commands_of("combined", every=True)).start()
    running.advance(600, 30)
    battery = two_kinds.source.plant.storage
    battery.silent_since = clock.time()
    running.advance(5100, 60)
    running.forget_events()
    running.advance(3600, 60)
    assert sent(running, *STORAGE, "ENC_pourcent") == []
    assert "charge de toutes les batteries" in running.told()[-1]["message"]
    battery.silent_since = None
    two_kinds.set(storage=95)
    running.advance(900, 30)
    assert {"batperc", "batnow", "ENC_pourcent"} <= set(running.values())
    assert running.told()[-1]["state"] == "online"
    battery.silent_since = clock.time()
    running.advance(90_000, 600)
    two_kinds.set(acb=100)
    running.advance(600, 60)
    assert running.values()["batnow"] == 100  # out of order for a day, and empty: the rest goes on
