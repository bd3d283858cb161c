"""The real daemon in this process, on a clock moved by hand, between the simulated Netatmo and the stand-in Jeedom."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Optional

from jeenergied.daemon import OWN, Daemon

from jeedom_bridge import Logs, Masker, Options
from jeedom_bridge.clock import ManualClock
from simulators.econetatmo.cloud import NetatmoCloud
from simulators.econetatmo.model import Ecometer, Home
from simulators.jeedom.standin import JeedomStandIn
from tests.support.in_process import in_process
from tests.support.process import free_port

START = 1_772_492_400.0  # 2026-03-03 00:00 in Paris
BRIDGE = "00:04:74:aa:bb:cc"
HOUR, DAY = 3600, 86400
FULL = os.environ.get("JEENERGIE_FIRE") == "full"
"""The long forms: 30 days of trouble, 100 kills."""


class HandClock(ManualClock):
    """Tells besides how many threads wait for a time that has not come."""

    def asleep(self) -> int:
        with self._lock:
            return sum(end > self._monotonic for end, _ in self._waiting.values())


def small_home(lines: int = 2, contract: str = "peak_and_off_peak", **more: Any) -> Home:
    """A home with one ecometer."""
    ecometer = Ecometer(BRIDGE, lines={n: f"Ligne {n + 1}" for n in range(lines)})
    return Home("64b0aa11bb22cc33dd44ee55", ecometers=[ecometer], contracts=[(0.0, contract)], **more)


class World:
    """Everything together; `with` ends it. `step` lets time pass until nothing is left to do."""

    def __init__(
        self, folder: Path, homes: Optional[Sequence[Home]] = None, start: float = START, **cloud: Any
    ) -> None:
        self.folder = folder
        self.clock = HandClock(start)
        self.cloud = NetatmoCloud([small_home()] if homes is None else homes, clock=self.clock.time, **cloud)
        self.jeedom = JeedomStandIn(clock=self.clock.time)
        self.jeedom.log_level = "debug"
        self.daemon: Optional[Daemon] = None
        self._thread: Optional[threading.Thread] = None
        self.masker = Masker()

    def __enter__(self) -> World:
        self.cloud.start()
        self._memory = in_process(self.cloud.server)
        self._memory.__enter__()
        self.jeedom.start()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.cloud.faults.clear()
        self.kill()
        self._memory.__exit__(None, None, None)
        self.cloud.close()
        self.jeedom.close()

    def connect(self, token: Optional[str] = None, **config: Any) -> str:
        """Sets up the account and its lines in Jeedom, as the synchronisation makes them; returns the connection."""
        issued = self.cloud.authority.generate().refresh if token is None else token
        settings = {
            "clientId": self.cloud.authority.client_id,
            "clientSecret": self.cloud.authority.client_secret,
            "refreshToken": issued,
            "apiUrl": self.cloud.url,
            **config,
        }
        return self.jeedom.add_connection("econetatmo", settings, "Netatmo")

    def launch(self) -> Daemon:
        """Starts the daemon and waits until it has nothing left to do."""
        logs = Logs(self.masker, OWN)
        logs.set("debug")
        places = {"callback": self.jeedom.callback_url, "datadir": self.folder, "pid": self.folder / "pid"}
        values = {**places, "socketport": free_port(), "cycle": 0, "loglevel": "debug", "apikey": self.jeedom.apikey}
        arguments = [part for name, value in values.items() for part in (f"--{name}", str(value))]
        self.daemon = Daemon(Options.parse(arguments, {}, "jeenergie"), logs, self.clock)
        self.daemon.bind()
        self.jeedom.daemon_port = self.daemon.port
        self._thread = threading.Thread(target=self.daemon.run, daemon=True)
        self._thread.start()
        return self.daemon

    def kill(self) -> None:
        """The daemon ends; what is not on its disk is gone."""
        if self.daemon is not None and self._thread is not None:
            self.daemon.stop("test")
            while self._thread.is_alive():
                self.clock.advance(1.0)
                self._thread.join(0.01)
            self.daemon = None
            self.jeedom.daemon_port = 0

    def ready(self, connection: str, equipment: int = 1) -> list[str]:
        """Waits until the connection has that much equipment and all is read; returns its ids."""
        database = self.jeedom.database

        def filled() -> bool:
            children = database.children(connection)
            return len(children) >= equipment and any(self.jeedom.values(each["id"]) for each in children)

        self.jeedom.wait(filled, 60)
        self.settle()
        self.step(1.0)
        return [each["id"] for each in database.children(connection)]

    def settle(self, timeout: float = 90.0) -> None:
        """Waits until every thread sleeps and nothing is on its way."""
        assert self.daemon is not None
        end = time.monotonic() + timeout
        shared = self.daemon.services
        threads = 1 + len(self.daemon._supervisor.status())

        def quiet() -> bool:
            assert self.daemon is not None
            stuck = self.daemon.callback.error is not None
            with shared.outbox.changed:
                idle = shared.outbox.due() != 0.0
            asleep = self.clock.asleep() >= threads and (stuck or idle)
            return asleep and not self.jeedom._configure_waits and self.jeedom._tasks.empty()

        calm = 0
        while calm < 3:
            if not self.clock.until(quiet, end - time.monotonic(), 0.002):
                raise AssertionError(f"not settled: {self.clock.asleep()} of {threads} threads are asleep")
            calm = 0
            while calm < 3 and quiet():
                calm += 1
                time.sleep(0.0005)

    def step(self, seconds: float, times: int = 1) -> None:
        """Lets time pass, that often."""
        for _ in range(times):
            self.clock.advance(seconds)
            self.settle()

    def until(self, probe: Callable[[], Any], seconds: float = 15.0, times: int = 400) -> Any:
        """Lets time pass until the probe is true."""
        for _ in range(times):
            found = probe()
            if found:
                return found
            self.step(seconds)
        raise AssertionError("it did not happen")

    # What Jeedom has.

    def equipment(self, key: str) -> str:
        """The id of a line by its module id."""
        database = self.jeedom.database
        members = [each for connection in database.connections() for each in database.children(connection["id"])]
        found = [each["id"] for each in members if each["key"] == key]
        return str(found[0])

    def history(self, key: str, command: str) -> dict[str, Any]:
        """Values by local time."""
        return dict(self.jeedom.history(self.equipment(key), command))

    def messages(self) -> list[str]:
        """What the message centre got."""
        return [each["text"] for each in self.jeedom.callback.messages]
