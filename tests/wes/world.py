"""A connection to a simulated WES whose clock a test moves: hours of polls in a second, all that Jeedom would get."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from jeenergied.connections.runner import HEARTBEAT_S, WATCH_S, Runner
from jeenergied.connections.services import Services
from jeenergied.devices.base import DeviceError, Equipment
from jeenergied.devices.wes.device import Device
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.logs import Masker
from jeedom_bridge.outbox import Outbox
from jeedom_bridge.store import Store
from simulators.wes.server import WesServer
from tests.wes.rig import CATALOGUE, CORE, connection, settings

START = datetime.fromisoformat("2025-03-14T15:42:00+01:00").timestamp()
"""What the clock of a simulated box shows while it stands still."""


class World:
    """Polls, watches and heartbeats by hand. `values`: the newest by (equipment, command), with their dates."""

    def __init__(self, wes: WesServer, directory: Path, equipment: Iterable[Equipment], **config: Any) -> None:
        self.wes = wes
        self.clock = ManualClock(START)
        self.equipment = tuple(equipment)
        self.config = settings(wes, pollInterval=30, **config)
        self._path = directory / "store.sqlite"
        self.values: dict[tuple[str, str], Any] = {}
        self.dates: dict[tuple[str, str], float] = {}
        self.history: dict[tuple[str, str], list[Any]] = {}
        self.messages: list[str] = []
        self.states: list[tuple[str, str, str]] = []
        self.available: set[tuple[str, str]] = set()
        self._elapsed = 0.0
        self._begin()

    def _begin(self) -> None:
        self.store = Store(self._path)
        self.outbox = Outbox(self.clock)
        shared = Services(self.clock, self.outbox, self.store, Masker(), Texts(CORE / "i18n"), Board(self.clock))
        self.runner = Runner(connection(self.config, self.equipment), Device, CATALOGUE, shared)
        self.runner.publisher.adopt(self.runner.connection)
        self.runner.freshness.adopt(self.runner.connection)
        self.device = self.runner.device
        self.device.start()

    def close(self) -> None:
        """Ends the connection and its store."""
        self.runner.troubles.keep()
        self.device.stop()
        self.store.close()

    def restart(self, seconds: float = 5.0) -> None:
        """The daemon ends and starts again."""
        self.close()
        self.clock.advance(seconds)
        self._begin()

    def live(self, seconds: float, poll: float = 30.0) -> None:
        """Lets time pass with a poll every `poll` seconds."""
        for _ in range(int(seconds / poll)):
            self.clock.advance(poll)
            self._elapsed += poll
            assert isinstance(self.device, Device)
            try:
                self.device._poll()
            except DeviceError as error:
                self.messages.append(f"poll: {error}")
            if self._elapsed % WATCH_S == 0:
                self.runner._watch()
            if self._elapsed % HEARTBEAT_S == 0:
                self.runner._heartbeat()
            self._deliver()

    def _deliver(self) -> None:
        while (batch := self.outbox.take(everything=True)) is not None:
            self.outbox.acknowledged(batch, {"ok": True})
            for event in map(json.loads, batch.parts):
                self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "values":
            for command, value in event["values"].items():
                place = (event["equipment"], command)
                self.values[place] = value
                self.dates[place] = datetime.fromisoformat(event["at"]).timestamp() - START
                self.history.setdefault(place, []).append(value)
        elif kind == "message" and "horloge" not in event["text"]:
            self.messages.append(event["text"])
        elif kind == "connection" and "equipment" in event:
            self.states.append((event["equipment"], event["state"], event.get("message", "")))
        elif kind == "available":
            self.available |= {(event["equipment"], command) for command in event["commands"]}

    def value(self, equipment: str, command: str) -> Any:
        """The newest value."""
        return self.values.get((equipment, command))

    def seen(self, equipment: str, command: str) -> list[Any]:
        """All values that were sent, without repeats in a row."""
        all_of = self.history.get((equipment, command), [])
        return [value for place, value in enumerate(all_of) if not place or value != all_of[place - 1]]

    def date(self, equipment: str, command: str) -> float:
        """Seconds since the beginning that the newest value is dated with."""
        return self.dates[equipment, command]

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self.clock.time() - START
