"""A load that self-consumption has switched on is off again, whoever is away when it is to go off.

The daemon is the real process, started, killed and started again; gateway and Jeedom are the simulators, over real
sockets; all three share a clock that runs 240 times as fast as the machine's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.energy.fast_home import FastHome

SPEED = 240.0
MINUTE = 60.0
ON, OFF = "#101#", "#102#"


class Home(FastHome):
    """A roof, a Jeedom, the daemon, and a water heater that goes on above 1000 W."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        super().__init__(stack, folder, SPEED)
        connection = self.add_roof(60)
        limits = {"onAbove": 1000, "offBelow": 0, "onCommand": ON, "offCommand": OFF}
        self.stage = self.jeedom.add_equipment(connection, "stage", "a", "Ballon", limits)

    def sun(self, watts: float) -> None:
        self.gateway.set(production=watts, consumption=300)

    @property
    def heater(self) -> bool | None:
        return self.jeedom.levels.state(ON, OFF)

    @property
    def shown(self) -> tuple[Any, Any]:
        return self.jeedom.value(self.stage, "autoconso"), self.jeedom.value(self.stage, "etatCommande")

    def within(self, minutes: float, condition: Callable[[], Any]) -> Home:
        """Waits, by the common clock; the machine may need a while for a process to start."""
        self.jeedom.wait(condition, minutes * MINUTE / SPEED + 10.0)
        return self

    def on(self) -> Home:
        self.sun(3000)
        return self.within(5, lambda: self.heater and self.shown == (1, "En marche"))

    def commands(self) -> list[str]:
        return [one.command for one in self.jeedom.levels.executed]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with ExitStack() as stack:
        made = Home(stack, tmp_path)
        yield made
        assert made.jeedom.complaints == []


def stop_jeedom(home: Home, minutes: float = 10) -> None:
    home.jeedom.fault("down", minutes * MINUTE / SPEED)


def is_off(event: dict[str, Any]) -> bool:
    return bool(event["name"] == "offCommand")


@pytest.mark.alone
@pytest.mark.parametrize("moment", ["before", "as it is taken", "before it runs", "as it has run"])
def test_jeedom_is_stopped_for_ten_minutes_at_that_moment(home: Home, moment: str) -> None:
    home.on()
    levels = home.jeedom.levels
    if moment == "before":
        stop_jeedom(home)
    elif moment == "as it is taken":  # neither its answer nor the background task gets through

        def taken(event: dict[str, Any]) -> None:
            levels.accepted = lambda event: None
            stop_jeedom(home)

        levels.accepted = taken
    elif moment == "before it runs":
        levels.delay = 1.0
    home.sun(0)
    if moment == "before it runs":
        home.jeedom.wait(lambda: any(is_off(event) for event in home.jeedom.callback.triggers))
        stop_jeedom(home)
        levels.delay = 0.02
    elif moment == "as it has run":
        home.jeedom.wait(lambda: not home.heater)
        stop_jeedom(home)
    home.within(20, lambda: home.heater is False and home.shown == (0, "A l'arrêt"))
    assert home.commands() == [ON, OFF]


@pytest.mark.parametrize("moment", ["before it is decided", "before it leaves", "as it is taken"])
def test_the_daemon_is_killed_at_that_moment(home: Home, moment: str) -> None:
    home.on()
    if moment == "as it is taken":

        def taken(event: dict[str, Any]) -> None:
            home.jeedom.levels.accepted = lambda event: None
            home.daemon.kill()

        home.jeedom.levels.accepted = taken
        home.sun(0)
        home.jeedom.wait(lambda: home.daemon.process.poll() is not None)
    elif moment == "before it leaves":
        home.jeedom.fault("down")
        home.sun(0)
        home.daemon.wait_log("off at a surplus of", 10)
        home.daemon.kill()
        home.jeedom.clear()
    else:
        home.daemon.kill()
        home.sun(0)
    home.start_daemon().ready()
    home.within(10, lambda: home.heater is False and home.shown == (0, "A l'arrêt"))
    assert home.commands() == [ON, OFF]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["silent", "unreachable", "silent, and Jeedom stopped when it is to go off"])
def test_the_gateway_says_nothing_for_an_hour(home: Home, how: str) -> None:
    home.on()
    begin = home.clock()
    if how == "unreachable":
        home.gateway.server.suspend()
    else:
        home.gateway.fault("drop")
    if "Jeedom" in how:
        time.sleep(5 * MINUTE / SPEED)
        stop_jeedom(home, 20)
    home.within(60, lambda: home.heater is False and home.shown == (0, "A l'arrêt, faute de mesures"))
    off = home.jeedom.levels.executed[-1].at - begin
    assert 14 * MINUTE < off < (16 if "Jeedom" not in how else 32) * MINUTE + 5 * SPEED
    while home.clock() - begin < 60 * MINUTE:
        time.sleep(0.1)
    assert home.commands() == [ON, OFF]


def test_a_daemon_that_starts_while_the_gateway_is_silent_switches_off(home: Home) -> None:
    home.on()
    home.daemon.kill()
    home.gateway.server.suspend()
    home.start_daemon().ready()
    home.within(20, lambda: home.heater is False and home.shown == (0, "A l'arrêt, faute de mesures"))
