"""An Equalizer: found, live by the stream, read by requests when that is silent, with the quirks that users report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jeenergied.devices.easee.equalizer import VOCABULARY, Equalizer
from jeenergied.devices.easee.facts import FACTS
from jeenergied.devices.easee.mapping import Observation, Table

from simulators.easee import Account, EaseeCloud
from tests.easee.conftest import FIRST, PASSWORD, USER, catalogue, connection

METER = "QP000001"
MINUTE, HOUR = 60.0, 3600.0
ROWS = catalogue().all_rows("equalizer")
COMMANDS: dict[str, Any] = {row.logical_id: {} for row in ROWS}


@pytest.fixture
def cloud(clock: Any) -> Iterator[EaseeCloud]:
    account = Account(USER, PASSWORD, (FIRST,), (METER,))
    with EaseeCloud([account], life=False, clock=clock.time, wall=clock.stamped, alone=False) as running:
        yield running


def with_equalizer(cloud: EaseeCloud, *chargers: str, serial: str = METER) -> dict[str, Any]:
    found = connection(cloud, *chargers)
    found["equipment"].append(
        {"id": "1e", "type": "equalizer", "key": serial, "name": "Compteur", "config": {}, "commands": COMMANDS}
    )
    return found


def now(rig: Any, quantity: str, part: str = "") -> Any:
    """What the house reads of a quantity."""
    return next(each for each in rig.shared.board.readings(quantity) if each.part == part)


def test_it_is_found_beside_the_chargers_and_told_at_the_test_of_the_account(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    rig.wait(lambda: cloud.hub.subscribed(FIRST))
    asked = rig.begin(lambda: rig.device().discover())
    rig.wait(asked.done)
    assert {(each.type, each.key, each.name) for each in asked.result()} == {
        ("charger", FIRST, f"Charger {FIRST}"),
        ("equalizer", METER, f"Equalizer {METER}"),
    }
    tested = rig.begin(lambda: rig.device().test())
    rig.wait(tested.done)
    assert tested.result().text == "Connecté à Easee : 1 chargeur et 1 Equalizer sur ce compte"


@pytest.mark.parametrize("kind", ["status", "firewall"])
def test_chargers_are_found_also_when_the_products_may_not_be_read(rig, cloud, kind):
    cloud.fault(kind, "/api/accounts/products", 403 if kind == "status" else None)
    rig.configure(connection(cloud, FIRST))
    rig.wait(lambda: cloud.hub.subscribed(FIRST))
    asked = rig.begin(lambda: rig.device().discover())
    rig.wait(asked.done)
    assert [each.key for each in asked.result()] == [FIRST]


def test_its_values_come_live_by_the_stream_in_our_signs_and_units(rig, cloud):
    meter = cloud.equalizers[METER]
    meter.draw(8.354)
    meter.measure()
    rig.configure(with_equalizer(cloud, FIRST))
    rig.wait_value("1e", "gridPower", 8354)
    rig.wait_value("1e", "importEnergy", 2547.53)
    shown = {name: rig.value("1e", name) for name in COMMANDS}
    assert shown["importPower"] == 8354
    assert shown["exportPower"] == 0
    assert shown["exportEnergy"] == 2639.63
    assert shown["current_1"] == pytest.approx(12.1)
    assert shown["voltage_3"] == 230
    assert shown["voltage_12"] is None
    assert shown["maxPower"] == 13.8
    assert shown["maxCurrent"] == 20
    assert shown["online"] is True
    asked = cloud.asked("/state/")
    meter.draw(-3.2)
    rig.wait_value("1e", "gridPower", -3200)
    assert rig.value("1e", "exportPower") == 3200
    assert rig.value("1e", "importPower") == 0
    rig.wait(lambda: now(rig, "grid.phaseCurrent", "1").value == pytest.approx(-4.6, abs=0.05))
    assert cloud.asked("/state/") == asked
    assert rig.value("10", "status") == 1  # the charger on the same stream: number 30 and 44 are not mixed up
    assert rig.value("10", "cable_locked_permanently") is False


@pytest.mark.parametrize("net", ["IT", "single"])
def test_what_a_meter_does_not_give_is_left_out(rig, cloud, clock, net):
    made = type(cloud.equalizers[METER])(METER, clock=clock.time, wall=clock.stamped, net=net)
    made.tell = cloud.hub.observed
    cloud.equalizers[METER] = cloud.products[METER] = made
    rig.configure(with_equalizer(cloud))
    rig.wait_value("1e", "gridPower", 1200)
    rig.wait_value("1e", "importEnergy", 2547.53)
    known = {name for name in COMMANDS if rig.value("1e", name) is not None}
    phase_to_neutral = {"voltage_1", "voltage_2", "voltage_3"}
    if net == "IT":
        assert not known & phase_to_neutral
        assert {"voltage_12", "voltage_13", "voltage_23"} <= known
    else:
        assert known & (phase_to_neutral | {"current_1", "current_2", "current_3"}) == {"voltage_1", "current_1"}


def test_without_a_stream_its_values_are_read_by_requests(rig, cloud):
    cloud.fault("status", "/negotiate", 503)
    rig.configure(with_equalizer(cloud))
    rig.wait_value("1e", "gridPower", 1200, 10 * MINUTE)
    cloud.equalizers[METER].draw(2.5)
    rig.wait_value("1e", "gridPower", 2500, 10 * MINUTE)
    assert all("ids=31,32,33" in seen.path for seen in cloud.requests if "/state/" in seen.path)


def test_a_config_that_the_account_may_not_read_is_not_asked_for_again(rig, cloud):
    cloud.open_to_all = False
    cloud.fault("status", "/negotiate", 503)
    rig.configure(with_equalizer(cloud))
    rig.wait(lambda: cloud.asked("/state/") >= 4, 30 * MINUTE)
    assert cloud.asked("/config") == 1
    assert rig.value("1e", "gridPower") == 1200
    assert rig.value("1e", "maxCurrent") is None


def test_a_steady_power_stays_of_now_as_long_as_the_meter_tells_anything(rig, cloud):
    rig.configure(with_equalizer(cloud))
    rig.wait_value("1e", "gridPower", 1200)
    begun = rig.clock.time()
    cloud.equalizers[METER].every_s = 1e9
    for minute in range(1, 4):
        cloud.equalizers[METER].set(34, 231.0 + minute)  # the voltage alone has changed enough to be sent
        rig.wait(lambda: rig.clock.time() >= begun + minute * MINUTE, 2 * MINUTE)  # noqa: B023
    reading = now(rig, "grid.power")
    assert reading.value == 1200
    assert reading.age_s <= 125


def test_gone_it_is_offline_and_its_last_power_neither_0_nor_made_younger(rig, cloud):
    rig.configure(with_equalizer(cloud))
    rig.wait_value("1e", "gridPower", 1200)
    gone = rig.clock.time()
    cloud.equalizers[METER].go_offline()
    rig.wait_value("1e", "online", False)
    rig.wait(lambda: rig.clock.time() >= gone + 5 * MINUTE, 6 * MINUTE)
    assert rig.value("1e", "gridPower") == 1200
    reading = now(rig, "grid.power")
    assert reading.age_s >= 5 * MINUTE - 15
    cloud.equalizers[METER].draw(0.7)
    cloud.equalizers[METER].come_back()
    rig.wait_value("1e", "gridPower", 700)
    assert rig.value("1e", "online") is True


def test_one_that_the_account_does_not_have_is_said_so_and_the_charger_goes_on(rig, cloud):
    rig.configure(with_equalizer(cloud, FIRST, serial="QP999999"))
    rig.wait_value("10", "status", 1)
    rig.wait(lambda: [event for event in rig.server.of("connection") if event.get("equipment") == "1e"])
    told = next(event for event in rig.server.of("connection") if event.get("equipment") == "1e")
    assert "l'Equalizer QP999999" in told["message"]


def observed(equalizer: Equalizer, at: float, **values: float) -> None:
    for name, value in values.items():
        equalizer.observe(Observation(METER, int(name[1:]), str(value), 3, at), at, at)


@pytest.fixture
def equalizer() -> Equalizer:
    return Equalizer(METER, Table(ROWS, VOCABULARY))


def test_a_counter_that_slips_a_digit_for_two_hours_is_not_shown(equalizer):
    start = 1_780_000_000.0
    for hour, value in enumerate([35548.8, 35549.2, 355502.0, 355512.0, 35551.0, 35551.9]):
        observed(equalizer, start + hour * HOUR, _45=value)
        assert equalizer.values[45] <= 35552
    assert equalizer.values[45] == 35551.9
    assert not equalizer.restarts


def test_a_new_meter_is_believed_after_some_hours_and_over_a_restart(equalizer):
    start = 1_780_000_000.0
    observed(equalizer, start, _45=35548.8)
    again = Equalizer(METER, Table(ROWS, VOCABULARY))
    again.restore(equalizer.state())
    for hour in range(1, 7):
        observed(again, start + hour * HOUR, _45=0.5 * hour)
    assert again.values[45] == 3.0
    assert again.restarts == [(35548.8, 2.5)]


@pytest.mark.parametrize("kept", [None, 3, [], {"45": {"last": "x"}}, {"46": []}])
def test_what_was_kept_and_is_not_valid_is_ignored(equalizer, kept):
    equalizer.restore(kept)
    observed(equalizer, 1_780_000_000.0, _45=12.0)
    assert equalizer.values[45] == 12.0


def test_a_meter_that_does_not_count_what_is_fed_gives_what_is_drawn(equalizer):
    observed(equalizer, 1_780_000_000.0, _40=2.0)
    assert Table(ROWS, VOCABULARY).facts(equalizer.values, {40})["gridPower"] == 2.0
    assert "gridPower" not in Table(ROWS, VOCABULARY).facts({41: 1.0}, {41})


def test_every_fact_that_is_derived_is_known_and_every_row_has_its_fact():
    assert set(VOCABULARY.derived) <= set(FACTS["equalizer"])
    assert {row.source for row in ROWS if row.source} == set(FACTS["equalizer"])
