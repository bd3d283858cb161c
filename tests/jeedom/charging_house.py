"""A roof and a charger whose car draws from the same house, in a real Jeedom: one truth behind both vendors."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, Callable
from zoneinfo import ZoneInfo

import pytest
from chromium import Chromium
from jeedom_host import URL, Jeedom

from simulators.easee import Account as EaseeAccount
from simulators.easee import EaseeCloud
from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant

SERIAL = "EH000001"
LIMIT, POWER = 48, 120
"""Observations: the dynamic limit of the charger (A), its power (kW)."""
PREFIX = "Soleil"
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
MAX_START_S = 240
CHEAP_IN_H, CHEAP_H = 5, 8
ZONE = "echo json_encode(date_default_timezone_get());"
ASIDE = """
    $found = [];
    foreach (jeenergie::byType('jeenergie', true) as $each) {
        $each->setIsEnable(0)->save();
        $found[] = $each->getId();
    }
    echo json_encode($found);
"""
BACK = """
    foreach ([true, false] as $connections) {
        foreach (array_map('jeenergie::byId', json_decode($argv[1], true)) as $each) {
            if ($each->isConnection() === $connections) { $each->setIsEnable(1)->save(); }
        }
    }
"""
OWN_HOUSE = """
    $before = config::byKey('automatic::house', 'jeenergie');
    config::save('automatic::house', $argv[1], 'jeenergie');
    echo json_encode((string) $before);
"""
"""Whether the plugin has made a house itself, or will; as it was. Only the first of two houses drives."""
CLEAN = """
    foreach ([false, true] as $connections) {
        foreach (jeenergie::byType('jeenergie') as $each) {
            if ($each->isConnection() === $connections && strpos($each->getName(), $argv[1]) === 0) { $each->remove(); }
        }
    }
"""
START = "cache::delete('deamonStartjeenergieinprogress'); plugin::byId('jeenergie')->deamon_start(true);"
COMMANDS = """
    $found = [];
    foreach (jeenergie::byId($argv[1])->getCmd() as $cmd) { $found[$cmd->getLogicalId()] = $cmd->getId(); }
    echo json_encode($found);
"""
NAMED = """
    foreach (jeenergie::byType('jeenergie') as $each) {
        if ($each->getConfiguration('connection') == $argv[1] && $each->type() === $argv[2]) {
            $each->setName($argv[3])->setIsVisible(1)->setObject_id(jeeObject::all()[0]->getId())->save();
            echo json_encode($each->getId());
            break;
        }
    }
"""
VALUE = "echo json_encode(jeenergie::byId($argv[1])->getCmd('info', $argv[2])->execCmd());"


class Base:
    """What the house draws beside its car."""

    def __init__(self, drawn: Callable[[], float]) -> None:
        self.watts_beside = 500.0
        self._drawn = drawn

    def watts(self, when: float, of_day: float, day: int) -> list[float]:
        return [self.watts_beside + self._drawn()]


class ChargingHouse:
    """Set up in `jeedom`; nobody drives the charger yet, at which a car takes 32 A."""

    def __init__(self, jeedom: Jeedom, stack: ExitStack) -> None:
        self.jeedom = jeedom
        self.plant = Plant(time.time, inverters=8, hour=12)
        self.gateway = stack.enter_context(EnphaseGateway(DaySource(self.plant)))
        account = EaseeAccount("soleil@example.org", "secret", (SERIAL,))
        self.cloud = stack.enter_context(EaseeCloud([account]))
        self.charger = self.cloud.chargers[SERIAL]
        self.charger.phases = 1
        self.base = Base(lambda: 1000.0 * float(self.charger.get(POWER)))
        self.plant.house = self.base  # type: ignore[assignment]
        self.sun(500)
        self.charger.plug(amps=32.0)
        jeedom.php(CLEAN, PREFIX)
        self.aside = jeedom.php(ASIDE)
        stack.callback(lambda: jeedom.php(BACK, json.dumps(self.aside)))
        made = jeedom.php(OWN_HOUSE, "1")
        stack.callback(lambda: jeedom.php(OWN_HOUSE, made))
        stack.callback(lambda: jeedom.php(CLEAN, PREFIX))
        roof = {"host": "127.0.0.1", "port": self.gateway.port, "tokenMode": "manual", "token": self.gateway.token()}
        self.connect("enphase", {**roof, "pollInterval": 1})
        login = {"user": account.user, "password": account.password}
        chargers = self.connect("easee", {**login, "apiUrl": self.cloud.url, "streamUrl": self.cloud.stream_url})
        self.device = self.create(chargers, "charger", SERIAL, "Garage")
        # Off-peak hours that are not now: what is shown does not depend on the time of the test.
        first = datetime.now(ZoneInfo(jeedom.php(ZONE))).replace(minute=0) + timedelta(hours=CHEAP_IN_H)
        self.cheap = [f"{first + timedelta(hours=hours):%H:%M}" for hours in (0, CHEAP_H)]
        prices = {"tariff": "hphc", "offPeak": "-".join(self.cheap), "subscribedPower": 9, "resalePrice": 0.04}
        self.house = self.connect("house", prices)
        self.create(self.house, "home", "home", "Maison")
        self.point = self.create(self.house, "chargePoint", self.device, "Borne du garage")
        jeedom.php(START)

    def connect(self, backend: str, config: dict[str, Any]) -> str:
        """An enabled connection."""
        made: str = self.jeedom.own("addConnection", backend=backend, name=f"{PREFIX} {backend}")["id"]
        form = {"id": made, "isEnable": "1", "configuration": {"config": config}}
        self.jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))
        return made

    def create(self, connection: str, kind: str, key: str, name: str) -> str:
        """An equipment as a search finds it, or the one that a search has created meanwhile; on the dashboard."""
        found = [{"type": kind, "key": key, "name": f"{PREFIX} {name}", "config": {}}]
        self.jeedom.own("createDiscovered", connection=connection, equipment=found)
        made: str = self.jeedom.php(NAMED, connection, kind, f"{PREFIX} {name}")
        return made

    def sun(self, watts: float) -> None:
        """What the roof gives from now on."""
        self.gateway.set(production=watts)

    @property
    def limit(self) -> float:
        """A that the charger is set to."""
        return float(self.charger.get(LIMIT))

    def value(self, command: str) -> Any:
        """What Jeedom holds of the charge point."""
        return self.jeedom.php(VALUE, self.point, command)

    def commands(self, equipment: str) -> dict[str, str]:
        """Ids of commands, by logicalId."""
        found: dict[str, str] = self.jeedom.php(COMMANDS, equipment)
        return found

    def run(self, equipment: str, command: str, **options: Any) -> None:
        """One of Jeedom's own commands, as a scenario or a widget runs it."""
        value = json.dumps(options)
        self.jeedom.core("cmd", action="execCmd", id=self.commands(equipment)[command], value=value)

    def within(self, seconds: float, condition: Callable[[], Any]) -> float:
        """Waits until it is so; seconds that it took."""
        begin = time.monotonic()
        while not condition():
            assert time.monotonic() - begin < seconds, self.journal()
            time.sleep(0.05)
        return time.monotonic() - begin

    def journal(self) -> Any:
        """The newest decisions."""
        return self.jeedom.own_panel("journal", id=self.point)["entries"][-6:]


@pytest.fixture(scope="module")
def house(jeedom: Jeedom) -> Iterator[ChargingHouse]:
    """It, known to its daemon, and afterwards a Jeedom as it was."""
    with ExitStack() as stack:
        made = ChargingHouse(jeedom, stack)
        made.within(MAX_START_S, lambda: made.value("mode") == "Sans pilotage")
        yield made


@pytest.fixture
def browser(house: ChargingHouse) -> Iterator[Chromium]:
    """An administrator's."""
    with Chromium(*SIZES["desktop"]) as opened:
        opened.sign_in(URL, "admin", "admin")
        yield opened
