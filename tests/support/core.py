"""The daemon's core without process, socket or catalogue of a vendor: a supervisor under a hand-moved clock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

import pytest
from jeenergied.actions import Actions
from jeenergied.api.commands import Commands
from jeenergied.connections.runner import Runner
from jeenergied.connections.services import Services
from jeenergied.connections.supervisor import Supervisor
from jeenergied.devices.base import Connection, Device, Equipment, Identity
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge import Contract, Masker, Outbox, Store
from jeedom_bridge.clock import ManualClock
from tests.support.process import ROOT, lab_connection, lab_core
from tests.support.waiting import until


class Quiet(Device):
    """A device that does nothing; tests derive their own."""

    def __init__(self, connection: Connection, context: Any) -> None:
        super().__init__(connection, context)
        self.adopted: list[tuple[Equipment, ...]] = []

    def start(self) -> None:
        self.context.every("poll", 10.0, self.context.online)

    def changed(self) -> None:
        self.adopted.append(self.connection.equipment)

    def refresh(self) -> None: ...

    def test(self) -> Identity:
        return Identity({}, "")


class Core:
    """A supervisor whose connections, of the test backend, all run `device`. `values` and `states`: what has left."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, device: type[Device]) -> None:
        self.clock = ManualClock()
        self.outbox = Outbox(self.clock)
        self.store = Store(folder / "store.sqlite")
        core = lab_core(folder)
        contract = Contract(core / "contract")
        self.shared = Services(
            self.clock, self.outbox, self.store, Masker(), Texts(ROOT / "core" / "i18n"), Board(self.clock)
        )
        self.supervisor = Supervisor(contract, self.shared, lambda backend: device)
        logs: Any = None
        self.commands = Commands(
            contract,
            self.shared,
            self.supervisor,
            Actions(self.supervisor.owner, self.shared.texts, self.shared.outgoing),
            logs,
            lambda: None,
            lambda: None,
        )
        self.revision = 0
        self.states: list[str] = []
        self.values: dict[str, dict[str, Any]] = {}

    def configure(self, *definitions: dict[str, Any]) -> dict[str, list[str]]:
        """Sends a desired state; what it took."""
        self.revision += 1
        return self.supervisor.configure(self.revision, list(definitions))

    def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        """A message of the socket."""
        return self.commands.handle(command, {"apikey": "k", "cmd": command, **fields})

    @property
    def runner(self) -> Runner:
        """That of connection 1."""
        return self.supervisor.running("1")

    @property
    def device(self) -> Any:
        """That of connection 1."""
        return self.runner.device

    def settle(self) -> None:
        """Waits until the thread of connection 1 has done what waits, and takes what it tells."""
        self.runner.call(lambda: None).result(30)
        until(lambda: self.clock.sleepers == 1)
        self.drain()

    def drain(self, answer: Optional[dict[str, Any]] = None) -> None:
        """Takes what is to leave; acknowledges it (with `answer`)."""
        while (batch := self.outbox.take(everything=True)) is not None:
            for event in map(json.loads, batch.parts):
                if event["event"] == "values":
                    self.values.setdefault(event["equipment"], {}).update(event["values"])
                elif event["event"] == "connection" and "equipment" not in event:
                    self.states.append(event["state"])
            self.outbox.acknowledged(batch, answer or {"ok": True})

    def close(self) -> None:
        """Ends everything."""
        self.supervisor.stop(5.0)
        self.store.close()


def named(name: str, meters: int = 1, **config: Any) -> dict[str, Any]:
    """Connection 1 of the test backend."""
    return {**lab_connection("1", meters, **config), "name": name}
