"""The house of a soak: one truth behind gateway, WES and chargers, a car that is driven, and what its people do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from simulators.house import Truth
from simulators.soak.easee import Easee
from simulators.soak.systems import Rule, System

SERIAL = "EH000001"
SUBSCRIBED_KVA = 9
OBSERVED_LIMIT = 48
"""Observation: the dynamic limit of the charger (A)."""


class Kettle:
    """A house with something in it that is switched on now and then."""

    def __init__(self, own: Any) -> None:
        self.own = own
        self.watts_more = 0.0

    def watts(self, when: float, of_day: float, day: int) -> list[float]:
        """W of each phase."""
        own = self.own.watts(when, of_day, day)
        return [each + self.watts_more / len(own) for each in own]


class House(System):
    """The house's connection, with the charge point of the first charger; faults are what people do.

    What they choose stays until the next choice; after `app` the house takes over again. A load and the
    other car never fill the subscribed power by themselves: to stay below it is always in the house's power.
    """

    name = "house"
    faults = (
        ("kettle", 4000.0), ("app", 10.0), ("app", 20.0), ("app_pause", None), ("replug", None), ("kettle", 5000.0),
        ("mode", "now"), ("mode", "solar"), ("mode", "solarMin"), ("mode", "economic"), ("mode", "off"),
    )  # fmt: skip

    def __init__(self, jeedom: Any, truth: Truth, easee: Easee, refusals: Sequence[type[Exception]]) -> None:
        """`refusals`: what a user's request may raise."""
        super().__init__(jeedom)
        self.truth = truth
        self.charger = easee.cloud.chargers[SERIAL]
        self._refusals = tuple(refusals)
        plant: Any = truth.plant
        self.kettle = Kettle(plant.house.own)
        plant.house.own = self.kettle
        config = {"tariff": "hphc", "offPeak": "22:00-06:00", "resalePrice": 0.04, "subscribedPower": SUBSCRIBED_KVA}
        self.connection = jeedom.add_connection("house", config, "Soak house")
        jeedom.add_equipment(self.connection, "home", "home", "Soak maison")
        charger = next(each["id"] for each in easee.equipment() if each["key"] == SERIAL)
        jeedom.add_equipment(self.connection, "chargePoint", str(charger), "Soak pilotage")
        self.by_hand: list[float] = []
        """When somebody acted at the charger itself or in its app (monotonic s)."""

    @property
    def point(self) -> str:
        """The charge point in Jeedom."""
        return next((str(each["id"]) for each in self.equipment() if each["type"] == "chargePoint"), "")

    def inject(self, kind: str, value: Any) -> None:
        if kind == "kettle":
            self.kettle.watts_more = value
        elif kind == "mode":
            self.press("setMode", select=value)
        else:
            self.by_hand.append(time.monotonic())
            if kind == "app":
                self.charger.obey("settings", {"dynamicChargerCurrent": value})
            elif kind == "app_pause":
                self.charger.obey("pause_charging", {})
            else:
                self.charger.unplug()
                self.charger.plug(amps=32.0)

    def press(self, command: str, **options: Any) -> None:
        """A command of the charge point, aside: it may have to wait."""

        def act() -> None:
            with suppress(*self._refusals):
                self.jeedom.action(self.point, command, **options)

        threading.Thread(target=act, name="user of the house", daemon=True).start()

    def clear(self) -> None:
        self.kettle.watts_more = 0.0

    def as_user(self) -> None:
        self.jeedom.action(self.point, "release")

    def healed(self) -> None:
        self.jeedom.action(self.point, "release")
        self.jeedom.action(self.point, "setMode", select="solar")

    def rules(self) -> Iterator[Rule]:
        for each in self.equipment():
            if each["type"] == "home":
                yield Rule(each["id"], "gridPower", self.truth.grid(), 50.0)
                yield Rule(each["id"], "solarPower", self.truth.solar(), 25.0)
                yield Rule(each["id"], "housePower", self.truth.grid() + self.truth.solar(), 75.0)
                yield Rule(each["id"], "chargerPower", self.truth.drawn(), 25.0)
            else:
                yield Rule(each["id"], "power", 1000.0 * float(self.charger.get(120)), 25.0)
