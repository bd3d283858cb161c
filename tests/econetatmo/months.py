"""A connection whose months pass in seconds: its polls are made by hand, as its worker would make them."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from jeenergied.connections.runner import WATCH_S, Runner
from jeenergied.connections.services import Services
from jeenergied.devices import device_class
from jeenergied.devices.base import Connection, Equipment
from jeenergied.devices.econetatmo.device import Device
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge import Contract, Masker, Outbox, Store
from jeedom_bridge.clock import ManualClock
from simulators.econetatmo.cloud import NetatmoCloud
from simulators.econetatmo.model import Home
from tests.econetatmo.world import START
from tests.support.in_process import in_process

CORE = Path(__file__).resolve().parents[2] / "core"
CATALOGUE = Contract(CORE / "contract").catalogues["econetatmo"]


class Account:
    """One account with its lines; `with` ends it. `history`: points by (equipment, command), as Jeedom has them."""

    def __init__(self, folder: Path, home: Home, **config: Any) -> None:
        self.clock = ManualClock(START)
        self.cloud = NetatmoCloud([home], clock=self.clock.time)
        self.history: dict[tuple[str, str], dict[str, Any]] = {}
        self.told: list[dict[str, Any]] = []
        self._folder = folder
        self._home = home
        self._config = config
        self._token = ""
        self.failed: list[Exception] = []
        self._open = True
        self.outbox = Outbox(self.clock)

    def __enter__(self) -> Account:
        self.cloud.start()
        self._memory = in_process(self.cloud.server)
        self._memory.__enter__()
        self._token = self.cloud.authority.generate().refresh
        self._begin()
        threading.Thread(target=self._pump, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self.device.stop()
        self.outbox.close()
        self._memory.__exit__(None, None, None)
        self.cloud.close()
        self.store.close()

    def _begin(self) -> None:
        members = []
        for ecometer in self._home.ecometers:
            for index, name in ecometer.lines.items():
                config = {"consumptionType": "electrical", "sourceType": "other"}
                commands = {row.logical_id: {} for row in CATALOGUE.rows("line", config)}
                key = ecometer.module(index)
                members.append(Equipment(key, "line", key, str(name), config, commands))
        authority = self.cloud.authority
        config = {"clientId": authority.client_id, "clientSecret": authority.client_secret}
        config.update(refreshToken=self._token, apiUrl=self.cloud.url, **self._config)
        self.store = self._opened()
        shared = Services(self.clock, self.outbox, self.store, Masker(), Texts(CORE / "i18n"), Board(self.clock))
        connection = Connection("1", "econetatmo", "Netatmo", CATALOGUE.settings(config), {}, tuple(members))
        kind = device_class("econetatmo")
        assert kind is not None
        self.runner = Runner(connection, kind, CATALOGUE, shared)
        self.runner.publisher.adopt(connection)
        self.runner.freshness.adopt(connection)
        object.__setattr__(self.runner.context, "pause", self._pause)  # it is frozen
        assert isinstance(self.runner.device, Device)
        self.device = self.runner.device
        self.device.start()

    def _opened(self) -> Store:
        return Store(self._folder / "store.sqlite")

    def restart(self) -> None:
        """The daemon ends and starts again."""
        self.runner.troubles.keep()
        self.device.stop()
        self.store.close()
        self._begin()

    def _pause(self, seconds: float) -> bool:
        self.clock.advance(seconds)
        return True

    def live(self, seconds: float) -> None:
        """Polls as its worker would, until so much time has passed."""
        end = self.clock.time() + seconds
        job = self.device._poll_job
        assert job is not None
        while self.clock.time() < end:
            pause = job.period
            try:
                self.device._poll()
            except Exception as error:
                pause = self.runner._job_failed(job, error) or job.period
            self.clock.advance(min(max(pause, 1.0), max(end - self.clock.time(), WATCH_S)))
            self.runner._watch()

    def _pump(self) -> None:
        while self._open:
            with self.outbox.changed:
                if self.outbox.due() != 0.0:
                    self.outbox.changed.wait(0.05)
            batch = self.outbox.take(everything=True)
            if batch is None:
                continue
            for event in map(json.loads, batch.parts):
                if event["event"] == "history":
                    self.history.setdefault((event["equipment"], event["command"]), {}).update(event["points"])
                elif event["event"] in ("connection", "message"):
                    self.told.append(event)
            self.outbox.acknowledged(batch, {"ok": True})

    # What was seen.

    def states(self) -> list[str]:
        """The states of the connection, in their order."""
        return [each["state"] for each in self.told if each["event"] == "connection" and "equipment" not in each]

    def words(self) -> list[str]:
        """What the user was told: messages, and states of lines and of the connection that he must act on."""
        acted = ("authentication_failed", "no_data", "error")
        return [
            each.get("text") or each.get("message", "")
            for each in self.told
            if each["event"] == "message" or each["state"] in acted
        ]

    def asked(self) -> Counter[str]:
        """Requests by path."""
        return Counter(each.path.rpartition("/")[2] for each in self.cloud.requests)

    def complete(self, key: str) -> bool:
        """Whether every measure of a line is there, and none that the service does not have."""
        points = self.history.get((key, "total_energy"), {})
        begin = min(int(_epoch(at)) for at in points) - 900
        right = {
            label: sum(each or 0 for each in values[:4])
            for label, values in self.cloud.record(key, "30min", begin).items()
            if label <= self.clock.time()
        }
        return {int(_epoch(at)): value for at, value in points.items()} == right


def _epoch(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
