"""A connection of any backend as the daemon runs it, on a clock moved by hand; and Jeedom's end of its outbox."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Optional

import pytest
from jeenergied.connections.runner import Runner
from jeenergied.connections.services import Services
from jeenergied.connections.supervisor import Supervisor
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge import Masker, Outbox, Store
from jeedom_bridge.clock import ManualClock

from .fields import CONTRACT, ROOT

PATIENCE_S = 30.0


class Hour:
    """One connection, id 1. `values`: the newest by (equipment, command) as (value, its moment)."""

    def __init__(self, folder: Path, clock: ManualClock, definition: Mapping[str, Any]) -> None:
        self.clock = clock
        self.outbox = Outbox(clock)
        self.store = Store(folder / "store.sqlite")
        self.shared = Services(clock, self.outbox, self.store, Masker(), Texts(ROOT / "core" / "i18n"), Board(clock))
        self.supervisor = Supervisor(CONTRACT, self.shared)
        self.definition = definition
        self.values: dict[tuple[str, str], tuple[Any, float]] = {}
        self.seen: dict[tuple[str, str], list[Any]] = {}
        self.states: list[str] = []

    def __enter__(self) -> Hour:
        self.supervisor.configure(1, [self.definition])
        self.settle()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.supervisor.stop(5.0)
        self.store.close()

    @property
    def runner(self) -> Runner:
        """The connection's runner."""
        return self.supervisor.running("1")

    def settle(self) -> None:
        """Waits until the connection's thread sleeps until a moment to come, and takes what has left."""

        def idle() -> bool:
            wake = self.clock.next_wake
            return self.clock.sleepers > 0 and wake is not None and wake > 0 and not self.runner.worker._tasks

        assert self.clock.until(idle, PATIENCE_S), "the connection's thread does not come to rest"
        self._take()

    def live(self, seconds: float) -> Hour:
        """Lets time pass from one waking to the next."""
        end = self.clock.time() + seconds
        while (rest := end - self.clock.time()) > 1e-6:
            self.clock.advance(min(rest, max(self.clock.next_wake or rest, 0.001)))
            self.settle()
        return self

    def _take(self) -> None:
        while (batch := self.outbox.take()) is not None:
            for event in map(json.loads, batch.parts):
                if event["event"] == "values" and not event.get("again"):  # of what Jeedom has it takes no second one
                    moment = datetime.fromisoformat(event["at"]).timestamp()
                    for command, value in event["values"].items():
                        self.values[(event["equipment"], command)] = (value, moment)
                        self.seen.setdefault((event["equipment"], command), []).append(value)
                elif event["event"] == "connection" and "equipment" not in event:
                    self.states.append(event["state"])
            self.outbox.acknowledged(batch, {"ok": True})

    def value(self, equipment: str, command: str) -> Any:
        """The newest value."""
        return self.values[(equipment, command)][0]

    def age(self, equipment: str, command: str) -> float:
        """Seconds since the moment of the newest value."""
        return self.clock.time() - self.values[(equipment, command)][1]


def forward(monkeypatch: pytest.MonkeyPatch, ports: Mapping[int, int]) -> list[int]:
    """Leads connections to a port of this machine to another one, as a router does; the list of ports asked for."""
    asked: list[int] = []
    real = socket.create_connection

    def connect(address: tuple[str, int], *arguments: Any, **more: Any) -> socket.socket:
        asked.append(address[1])
        return real((address[0], ports.get(address[1], address[1])), *arguments, **more)

    def connect_as_urllib3(address: tuple[str, int], timeout: Any = None, **_options: Any) -> socket.socket:
        return connect(address, timeout if isinstance(timeout, (int, float)) else None)

    monkeypatch.setattr("socket.create_connection", connect)
    monkeypatch.setattr("urllib3.util.connection.create_connection", connect_as_urllib3)
    return asked
