"""A roof, a Jeedom and the real daemon on one clock that runs faster than this machine's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from simulators.clock import SimulatedClock
from simulators.enphase import DaySource, EnphaseGateway, Plant
from simulators.enphase.storage import Storage
from simulators.jeedom import JeedomStandIn
from tests.support.client import KEY
from tests.support.fast_daemon import STEP
from tests.support.process import DaemonProcess


class FastHome:
    """From noon on, at `speed`; whatever it starts ends with `stack`."""

    def __init__(
        self, stack: ExitStack, folder: Path, speed: float, storage: Storage | None = None, phases: int = 1
    ) -> None:
        noon = datetime.now(ZoneInfo("Europe/Paris")).replace(hour=12, minute=0)
        self.clock = SimulatedClock(noon.timestamp(), speed)
        self.fast = f"{self.clock()} {time.monotonic()} {speed}"
        self.folder = folder
        self.stepped = folder / "stepped"
        self.step_clock(0.0)
        self.plant = Plant(self.clock, storage=storage, phases=phases)
        self.gateway = stack.enter_context(EnphaseGateway(DaySource(self.plant), clock=self.clock))
        self.jeedom = stack.enter_context(
            JeedomStandIn(apikey=KEY, database=folder / "jeedom.sqlite", clock=lambda: self.clock() + self.step_s)
        )
        self.port: int | None = None
        self.daemon = self.start_daemon()
        stack.callback(lambda: self.daemon.kill())

    def start_daemon(self) -> DaemonProcess:
        """Starts it, on the port of the one before."""
        self.daemon = DaemonProcess(
            self.folder / "daemon",
            self.jeedom.callback_url,
            port=self.port,
            module="tests.support.fast_daemon",
            environment={"FAST_CLOCK": self.fast, "FAST_STEP": str(self.stepped)},
            loglevel="info",
        )
        self.port = self.jeedom.daemon_port = self.daemon.port
        return self.daemon

    def step_clock(self, seconds: float) -> None:
        """Somebody sets the clock of Jeedom's machine: so far from the right time."""
        self.step_s = seconds
        with self.stepped.open("r+b" if self.stepped.exists() else "wb") as file:
            file.write(STEP.pack(seconds))

    def add_roof(self, poll_interval: int) -> Any:
        """The connection of the gateway in Jeedom."""
        config: Mapping[str, Any] = {
            "host": "127.0.0.1",
            "port": self.gateway.port,
            "tokenMode": "manual",
            "token": self.gateway.token(),
            "pollInterval": poll_interval,
            **({"phases": "tri"} if self.plant.phases == 3 else {}),
        }
        return self.jeedom.add_connection("enphase", config, "Toit")
