"""A car charges from the sun through the whole chain: gateway, cloud, hub, daemon and Jeedom, on real sockets.

The daemon is the real process; what the car draws is what the gateway's meter sees. All share a clock that runs twenty
times as fast as the machine's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable

import pytest

from simulators.easee import Account, EaseeCloud
from tests.energy.fast_home import FastHome
from tests.support.client import ask
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow
SPEED = 20.0
BASE_W = 500.0
SERIAL = "EH000001"
LIMIT, POWER = 48, 120
"""Observations: the dynamic limit of the charger (A), its power (kW)."""


class Base:
    """A house that draws the same all day, and its car."""

    def __init__(self, drawn: Callable[[], float]) -> None:
        self.drawn = drawn

    def watts(self, when: float, of_day: float, day: int) -> list[float]:
        return [BASE_W + self.drawn()]


class Chain(FastHome):
    """Everything, with a car plugged in at a charger that nobody drives yet."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        super().__init__(stack, folder, SPEED)
        account = Account("user@example.org", "secret", (SERIAL,))
        self.cloud = EaseeCloud([account], clock=self.clock, wall=self.clock)
        self.cloud.hub.ping_interval = 15.0 / SPEED
        stack.enter_context(self.cloud)
        self.charger = self.cloud.chargers[SERIAL]
        self.charger.phases = 1
        self.limits: list[tuple[float, float]] = []
        self.plant.house = Base(lambda: 1000.0 * float(self.charger.get(POWER)))  # type: ignore[assignment]
        self.jeedom.add_equipment(self.add_roof(2), "combined", "combined", "Passerelle")
        urls = {"apiUrl": self.cloud.url, "streamUrl": self.cloud.stream_url}
        chargers = self.jeedom.add_connection(
            "easee", {"user": "user@example.org", "password": "secret", **urls}, "Easee"
        )
        charger = self.jeedom.add_equipment(chargers, "charger", SERIAL, "Garage")
        house = self.jeedom.add_connection("house", {}, "Maison")
        self.jeedom.add_equipment(house, "home", "home", "Maison")
        self.point = self.jeedom.add_equipment(house, "chargePoint", charger, "Pilotage Garage")
        self.charger.plug(amps=32.0)
        self.sun(500)

    def sun(self, watts: float) -> None:
        self.gateway.set(production=watts)

    def shown(self, command: str) -> Any:
        return self.jeedom.value(self.point, command)

    @property
    def limit(self) -> float:
        return float(self.charger.get(LIMIT))

    def within(self, seconds: float, condition: Callable[[], Any]) -> None:
        """Waits, by the common clock, for what must come; a busy machine may need a while for a process to start."""
        self.jeedom.wait(condition, seconds / SPEED + PATIENCE_S)

    def stays(self, seconds: float, limit: float) -> None:
        end = time.monotonic() + seconds / SPEED
        while time.monotonic() < end:
            assert self.limit == limit, self.journal()
            time.sleep(0.1)

    def choose(self, mode: str) -> None:
        options = {"select": mode}
        answer = ask(self.daemon.port, "action", equipment=str(self.point), command="setMode", options=options)
        assert answer["ok"], answer

    def journal(self) -> list[dict[str, Any]]:
        answer = ask(self.daemon.port, "journal", limit=100)
        assert answer["ok"], answer
        entries: list[dict[str, Any]] = answer["result"]["entries"]
        return entries


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    with ExitStack() as stack:
        made = Chain(stack, tmp_path)
        made.within(60, lambda: made.shown("mode"))
        yield made
        assert made.jeedom.complaints == []


def charging(chain: Chain, amps: int = 10) -> None:
    chain.choose("solar")
    chain.within(400, lambda: chain.limit == 0)
    chain.sun(3000)
    chain.within(900, lambda: chain.limit == amps)
    chain.within(60, lambda: chain.shown("status") == "En charge")


def test_a_car_follows_the_sun_after_a_mode_was_chosen(chain: Chain) -> None:
    assert chain.shown("mode") == "Sans pilotage"
    chain.stays(60, 32.0)
    charging(chain)
    chain.sun(4200)
    chain.within(120, lambda: chain.limit == 15)
    chain.sun(2500)
    chain.within(120, lambda: 7 <= chain.limit <= 8)
    chain.sun(300)
    chain.within(600, lambda: chain.limit == 0)
    journal = chain.journal()
    assert all(entry["why"] and entry["at"] and entry["decision"] for entry in journal)
    assert {entry["who"] for entry in journal} == {str(chain.point)}
    assert "10 A" in " ".join(entry["decision"] for entry in journal)


def test_neither_a_restart_nor_kill_9_starts_or_stops_it(chain: Chain) -> None:
    charging(chain)
    chain.daemon.kill()
    chain.start_daemon().ready()
    chain.within(120, lambda: chain.jeedom.value(chain.point, "status") == "En charge")
    chain.stays(120, 10.0)
    chain.daemon.stop()
    chain.stays(60, 10.0)
    chain.start_daemon().ready()
    chain.stays(120, 10.0)


def test_the_user_of_the_app_takes_over_and_gives_back(chain: Chain) -> None:
    charging(chain)
    chain.charger.obey("settings", {"dynamicChargerCurrent": 16})
    # One of ours that was on its way overwrites it, as fast as this clock runs: it is put back.
    chain.within(120, lambda: chain.shown("status") == "Reprise en main" and chain.limit == 16)
    chain.stays(300, 16.0)
    answer = ask(chain.daemon.port, "action", equipment=str(chain.point), command="release", options={})
    assert answer["ok"], answer
    chain.within(300, lambda: chain.limit == 10)


def test_a_gateway_that_falls_silent_ends_the_charge_and_its_return_begins_it_again(chain: Chain) -> None:
    charging(chain)
    chain.gateway.fault("drop")
    chain.within(600, lambda: chain.limit == 0)
    chain.gateway.clear()
    chain.within(1500, lambda: chain.limit == 10)
