"""A house with cars at chargers: gateway, cloud, hub, daemon and Jeedom on real sockets and one clock.

What the cars draw is what the gateway's meter sees.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Optional

from simulators.easee import Account, EaseeCloud
from simulators.enphase.storage import Storage
from simulators.house import Steady, Truth
from tests.energy.fast_home import FastHome
from tests.support.client import ask
from tests.support.waiting import PATIENCE_S

BASE_W = 500.0
LIMIT = 48
"""Observation: the dynamic limit of the charger (A)."""


class ChargedHome(FastHome):
    """Everything, with a car plugged in at each charger, and nobody who drives them yet."""

    def __init__(
        self,
        stack: ExitStack,
        folder: Path,
        speed: float = 20.0,
        cars: int = 1,
        storage: Optional[Storage] = None,
        phases: int = 1,
        point: Optional[dict[str, Any]] = None,
        **house: Any,
    ) -> None:
        super().__init__(stack, folder, speed, storage, phases)
        self.speed = speed
        serials = tuple(f"EH00000{number + 1}" for number in range(cars))
        account = Account("user@example.org", "secret", serials)
        self.cloud = EaseeCloud([account], clock=self.clock, wall=self.clock)
        self.cloud.hub.ping_interval = 15.0 / speed
        stack.enter_context(self.cloud)
        self.chargers = [self.cloud.chargers[serial] for serial in serials]
        self.charger = self.chargers[0]
        self.plant.house = Steady([BASE_W / phases] * phases)  # type: ignore[assignment]
        self.truth = Truth(cars=list(self.chargers))
        self.truth.adopt(self.plant)
        self.jeedom.add_equipment(self.add_roof(2), "combined", "combined", "Passerelle")
        urls = {"apiUrl": self.cloud.url, "streamUrl": self.cloud.stream_url}
        account_id = self.jeedom.add_connection(
            "easee", {"user": "user@example.org", "password": "secret", **urls}, "Easee"
        )
        found = [self.jeedom.add_equipment(account_id, "charger", serial, f"Borne {serial}") for serial in serials]
        home = self.jeedom.add_connection("house", house, "Maison")
        self.jeedom.add_equipment(home, "home", "home", "Maison")
        self.points = [
            self.jeedom.add_equipment(home, "chargePoint", each, f"Pilotage {each}", point) for each in found
        ]
        self.point = self.points[0]
        for charger in self.chargers:
            charger.phases = phases
            charger.plug(amps=32.0)
        self.sun(500)

    def sun(self, watts: float) -> None:
        """The roof gives so much from now on."""
        self.gateway.set(production=watts)

    def shown(self, command: str) -> Any:
        """What Jeedom shows of the first charge point."""
        return self.jeedom.value(self.point, command)

    @property
    def limit(self) -> float:
        """A that the first charger is set to."""
        return float(self.charger.get(LIMIT))

    def within(self, seconds: float, condition: Callable[[], Any]) -> None:
        """Waits, by the common clock, for what must come; a busy machine may need a while for a process to start."""
        try:
            self.jeedom.wait(condition, seconds / self.speed + PATIENCE_S)
        except TimeoutError as error:
            found = [f"{each['at']} {each['decision']}: {each['why']} {each['inputs']}" for each in self.journal()]
            raise AssertionError("\n".join([str(error), f"{self.limit:g} A", *found])) from error

    def stays(self, seconds: float, limit: float) -> None:
        """Looks on for so many seconds of the common clock."""
        end = time.monotonic() + seconds / self.speed
        while time.monotonic() < end:
            assert self.limit == limit, self.journal()
            time.sleep(0.1)

    def settles(self, seconds: float, limit: float) -> None:
        """Waits for a limit that nothing changes for so many seconds of the common clock."""
        since, end = time.monotonic(), time.monotonic() + seconds / self.speed + PATIENCE_S
        while time.monotonic() - since < seconds / self.speed:
            if self.limit != limit:
                since = time.monotonic()
            assert since < end, self.journal()
            time.sleep(0.05)

    def choose(self, mode: str, point: str = "") -> None:
        """As a scenario of Jeedom does it."""
        options = {"select": mode}
        answer = ask(self.daemon.port, "action", equipment=point or self.point, command="setMode", options=options)
        assert answer["ok"], answer

    def journal(self) -> list[dict[str, Any]]:
        """The newest decisions."""
        answer = ask(self.daemon.port, "journal", limit=500)
        assert answer["ok"], answer
        entries: list[dict[str, Any]] = answer["result"]["entries"]
        return entries

    def charging(self, amps: int = 10) -> None:
        """Charges from the sun, from now on with so much."""
        self.choose("solar")
        self.within(400, lambda: self.limit == 0)
        self.sun(3000)
        self.within(900, lambda: self.limit == amps)
        self.within(60, lambda: self.shown("status") == "En charge")
