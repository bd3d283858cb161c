"""The house: what each number that the user types does to prices, costs and emissions."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from unittest import mock

import pytest
from jeenergied.devices.base import Connection, Equipment
from jeenergied.driving import load_of, point_of
from jeenergied.energy.control.goal import Goal
from jeenergied.energy.control.load import Load
from jeenergied.energy.control.settings import LoadState, PointState
from jeenergied.energy.control.tariffs import Ahead
from jeenergied.energy.money.contract import HouseContract
from jeenergied.energy.surplus import Account
from jeenergied.house import HouseDevice, prices_of
from jeenergied.house_hub import HouseHub
from jeenergied.readings import Board

from jeedom_bridge.clock import ManualClock
from tests.energy.house import PARIS, TwoPrices

from .fields import CONTRACT, ROOT, walk

COVERED = {
    "house connection subscribedPower",
    "house connection subscription",
    "house connection resalePrice",
    "house connection co2",
    "house connection gasFactor",
    "house chargePoint mostGrid",
    "house chargePoint carCapacity",
    "house load startAbove",
    "house load stopBelow",
}
JUNE = 1_781_000_000.0


def contract(folder: Path, **config: object) -> HouseContract:
    """The contract of a house with these settings, as its device makes it."""
    hub = HouseHub(Board(ManualClock()), folder, ROOT / "core" / "contract")
    settings = CONTRACT.catalogues["house"].settings({"tariff": "base", **config})
    device = hub.device_class("house")
    assert device is not None
    made = device(Connection("1", "house", "", settings), mock.Mock())
    assert isinstance(made, HouseDevice)
    found = HouseContract(prices_of(hub), PARIS)
    found.wishes = made.wishes()
    return found


@pytest.mark.parametrize("kva", walk("house connection subscribedPower"))
def test_the_subscribed_power_chooses_the_published_price(tmp_path: Path, kva: float) -> None:
    found = contract(tmp_path, subscribedPower=kva)
    assert found.kva == (kva or 6.0)
    assert found.at(JUNE).price == (0.1927 if kva >= 9 else 0.1940)


@pytest.mark.parametrize("euros", walk("house connection subscription"))
def test_the_subscription_is_that_of_a_year(tmp_path: Path, euros: float) -> None:
    assert contract(tmp_path, subscription=euros).per_year(date(2026, 6, 1)) == euros


@pytest.mark.parametrize("euros", walk("house connection resalePrice"))
def test_the_resale_price_is_what_a_kilowatt_hour_brings(tmp_path: Path, euros: float) -> None:
    assert contract(tmp_path, resalePrice=euros).at(JUNE).resale == euros


@pytest.mark.parametrize("grams", walk("house connection co2"))
def test_the_emissions_are_those_of_the_grid(tmp_path: Path, grams: float) -> None:
    assert contract(tmp_path, co2=grams).at(JUNE).co2 == grams


@pytest.mark.parametrize("factor", walk("house connection gasFactor"))
def test_the_energy_of_gas_is_the_users(factor: float) -> None:
    assert CONTRACT.catalogues["house"].settings({"gasFactor": factor})["gasFactor"] == factor


@pytest.mark.parametrize("percent", walk("house chargePoint mostGrid"))
def test_the_share_of_the_grid_is_a_fraction_of_what_is_charged(percent: float) -> None:
    made = point_of(Equipment("p", "chargePoint", "c", "Borne", {"mostGrid": percent}, {}))
    assert made.most_grid == percent / 100
    account = Account(charged=100_000.0 * 3600)
    assert account.left(made.most_grid) == pytest.approx(Account.AIM * percent * 1000 * 3600)


@pytest.mark.parametrize("kwh", walk("house chargePoint carCapacity"))
def test_a_percent_of_the_car_s_battery_is_a_hundredth_of_its_capacity(kwh: float) -> None:
    made = point_of(Equipment("p", "chargePoint", "c", "Borne", {"carCapacity": kwh, "carLevel": "#12#"}, {}))
    assert made.capacity == kwh
    goal = Goal(PointState(goal_percent=80.0, level=30.0))
    assert goal.need(made) == pytest.approx(kwh / 2)
    # Without a command that tells the charge state there is no goal in %.
    assert point_of(Equipment("p", "chargePoint", "c", "Borne", {"carCapacity": kwh}, {})).capacity == 0


@pytest.mark.parametrize(("least", "most"), list(zip(walk("house load startAbove"), walk("house load stopBelow"))))
def test_a_load_starts_and_stops_at_the_surplus_that_the_user_chose(least: float, most: float) -> None:
    config = {"start": "threshold", "startAbove": least, "stopBelow": most, "power": 2000}
    made = load_of(Equipment("l", "load", "r", "Ballon", config, {}))
    assert (made.start, made.start_above, made.stop_below) == ("threshold", least, most)
    load = Load(made, LoadState(mode="auto"))
    assert load.limit(0.0, Ahead(TwoPrices())) == least - 50
    assert load.rules.settings.stop_below == most
