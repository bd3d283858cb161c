"""The house: what each number that the user types does to prices, costs and emissions."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from unittest import mock

import pytest
from jeenergied.devices.base import Connection
from jeenergied.energy.money.contract import HouseContract
from jeenergied.house import HouseDevice, prices_of
from jeenergied.house_hub import HouseHub
from jeenergied.readings import Board

from jeedom_bridge.clock import ManualClock
from tests.energy.house import PARIS

from .fields import CONTRACT, ROOT, walk

COVERED = {
    "house connection subscribedPower",
    "house connection subscription",
    "house connection resalePrice",
    "house connection co2",
    "house connection gasFactor",
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
