"""Connections of several systems in one daemon's life, their jobs done by hand in the order in which they are due."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Optional

from jeenergied.connections.runner import HEARTBEAT_S, Runner
from jeenergied.connections.services import Services
from jeenergied.connections.supervisor import with_defaults
from jeenergied.devices import device_class
from jeenergied.devices.base import Connection
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge import Masker, Store
from jeedom_bridge.clock import ManualClock
from tests.support.crashing import CONTRACT, CORE, Steps, StraightOutbox

LOOK_S = 600.0
"""Seconds between two looks at the ages of data."""


class Together:
    """`values` and `history` are what Jeedom has, `told` what it was told of states and by messages."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.clock = clock
        self.store = Store(folder / "store.sqlite")
        self.outbox = StraightOutbox(clock, Steps())
        self.values: dict[tuple[str, str], Any] = {}
        self.told: list[dict[str, Any]] = []
        self.runners: list[Runner] = []
        texts = Texts(CORE / "i18n")
        self._services = Services(clock, self.outbox, self.store, Masker(), texts, Board(clock))

    @property
    def history(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Points by (equipment, command)."""
        return self.outbox.history_of

    def add(self, connection: Connection, prepare: Callable[[Any], None] = lambda _device: None) -> None:
        """Starts a connection; `prepare` gets its device before."""
        catalogue = CONTRACT.catalogues[connection.backend]
        kind = device_class(connection.backend)
        assert kind is not None
        runner = Runner(with_defaults(connection, catalogue), kind, catalogue, self._services)
        runner.publisher.adopt(runner.connection)
        runner.freshness.adopt(runner.connection)
        object.__setattr__(runner.context, "pause", self._pause)  # it is frozen
        prepare(runner.device)
        runner.worker.every("freshness", LOOK_S, runner._watch, first=LOOK_S)
        runner.worker.every("heartbeat", 10 * HEARTBEAT_S, runner._heartbeat, first=HEARTBEAT_S)
        runner.device.start()
        self.runners.append(runner)

    def _pause(self, seconds: float) -> bool:
        self.clock.advance(seconds)
        return True

    def live(self, seconds: float) -> None:
        """Lets time pass."""
        end = self.clock.monotonic() + seconds
        while True:
            runner = min(self.runners, key=lambda each: min(job.due for job in each.worker._jobs))
            job = min(runner.worker._jobs, key=lambda each: each.due)
            now = self.clock.monotonic()
            if job.due > end:
                self.clock.advance(max(0.0, end - now))
                return
            self.clock.advance(max(0.0, job.due - now))
            job.due = max(job.due, now) + job.period
            try:
                job.function()
            except Exception as error:
                pause: Optional[float] = runner._job_failed(job, error)
                job.due = self.clock.monotonic() + (job.period if pause is None else pause)
            self._drain()

    def _drain(self) -> None:
        while (batch := self.outbox.take(everything=True)) is not None:
            for event in map(json.loads, batch.parts):
                if event["event"] == "values":
                    for command, value in event["values"].items():
                        self.values[event["equipment"], command] = value
                elif event["event"] in ("connection", "message"):
                    self.told.append(event)
            self.outbox.acknowledged(batch, {"ok": True})

    def states(self, connection: str) -> list[str]:
        """The states that a connection was told to have."""
        return [
            each["state"]
            for each in self.told
            if each["event"] == "connection" and each["connection"] == connection and "equipment" not in each
        ]

    def words(self) -> list[str]:
        """What the user was told to act on: messages, and such states of connections and equipment."""
        acted = ("authentication_failed", "no_data", "error")
        return [
            each.get("text") or f"{each['connection']} {each['state']}: {each.get('message', '')}"
            for each in self.told
            if each["event"] == "message" or each["state"] in acted
        ]

    def close(self) -> None:
        """Ends all."""
        for runner in self.runners:
            runner.device.stop()
        self.outbox.close()
        self.store.close()
