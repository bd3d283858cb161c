"""A connection of the backend in this process, with an outbox whose other end is this object."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Optional

from jeenergied.connections.runner import Runner
from jeenergied.connections.services import Services
from jeenergied.connections.supervisor import with_defaults
from jeenergied.devices.base import Connection, Equipment
from jeenergied.devices.wes.device import Device
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge.clock import SystemClock
from jeedom_bridge.contract import Contract
from jeedom_bridge.logs import Masker
from jeedom_bridge.outbox import Outbox
from jeedom_bridge.store import Store
from simulators.wes.server import WesServer

CORE = Path(__file__).resolve().parents[2] / "core"
CONTRACT = Contract(CORE / "contract")
CATALOGUE = CONTRACT.catalogues["wes"]
TYPICAL = {
    "teleinfo": {"tarification": "BBRH", "ticMeasure": "consumption"},
    "compteur": {"typecompt": "eau", "comptMeasure": "consumption"},
    "pince": {"pinceMeasure": "consumption"},
    "sonde": {"sondeMeasure": "temperature"},
}


def settings(wes: WesServer, **config: Any) -> dict[str, Any]:
    """The settings of a server as the form has them."""
    found = {"host": "127.0.0.1", "port": wes.port, "user": "admin", "password": "wes", "pollInterval": 1}
    found.update({"ftpUser": "adminftp", "ftpPassword": "wesftp", "ftpPort": wes.ftp.port or 21})
    return {**found, **config}


def item(kind: str, key: object, config: Optional[dict[str, Any]] = None, **parent: Any) -> Equipment:
    """An equipment with every command that its settings allow; its id is `<type><key>`."""
    own = TYPICAL.get(kind, {}) if config is None else config
    rows = CATALOGUE.rows(kind, own, parent or {"jeedomCgx": True})
    return Equipment(f"{kind}{key}", kind, str(key), f"{kind} {key}", own, {row.logical_id: {} for row in rows})


def connection(config: dict[str, Any], equipment: Iterable[Equipment] = (), identifier: str = "1") -> Connection:
    """A connection with every command of its own."""
    rows = CATALOGUE.rows(None, config)
    commands: dict[str, dict[str, Any]] = {row.logical_id: {} for row in rows}
    whole = Connection(identifier, "wes", "Garage", config, commands, tuple(equipment))
    return with_defaults(whole, CATALOGUE)


class Rig:
    """Runs connections; keeps what Jeedom would have received."""

    def __init__(self, directory: Path, language: str = "fr_FR") -> None:
        self.values: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.sent = 0
        self.changed = threading.Condition()
        self.outbox = Outbox(SystemClock())
        self.store = Store(directory / "store.sqlite")
        self.masker = Masker()
        self.texts = Texts(CORE / "i18n", language)
        self.shared = Services(SystemClock(), self.outbox, self.store, self.masker, self.texts, Board(SystemClock()))
        self.runners: list[Runner] = []
        self._stop = threading.Event()
        threading.Thread(target=self._pump, name="rig", daemon=True).start()

    def __enter__(self) -> Rig:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        for runner in self.runners:
            runner.stop()
        for runner in self.runners:
            runner.finish(5)
        self._stop.set()
        self.outbox.close()
        self.store.close()

    def runner(
        self, config: dict[str, Any], *equipment: Equipment, identifier: str = "1", silent: bool = False
    ) -> Runner:
        """A runner that is not started."""
        runner = Runner(connection(config, equipment, identifier), Device, CATALOGUE, self.shared, silent=silent)
        self.runners.append(runner)
        return runner

    def start(self, config: dict[str, Any], *equipment: Equipment, identifier: str = "1") -> Runner:
        """A running connection; one of 1 s, the shortest that a user can set, polls faster here."""
        runner = self.runner(config, *equipment, identifier=identifier)
        if config["pollInterval"] == 1:
            runner.device._period = 0.15
        runner.start()
        return runner

    def act(self, runner: Runner, equipment: str, command: str, timeout: float = 15.0) -> None:
        """A click; raises what the user is told."""
        found = runner.connection.find(equipment)
        assert found is not None
        runner.call(lambda: runner.device.act(found, command, {})).result(timeout)

    def wait(self, probe: Callable[[], Any], timeout: float = 30.0) -> Any:
        """What `probe` returns once it is true, looked at after each delivery."""
        with self.changed:
            assert self.changed.wait_for(probe, timeout), f"not within {timeout} s: {self.values}, {self.events[-6:]}"
            return probe()

    def value(self, equipment: str, command: str) -> Any:
        """The newest value."""
        return self.values.get(equipment, {}).get(command)

    def state(self, identifier: str = "1") -> str:
        """The last state told."""
        told = [e["state"] for e in self.of("connection") if e["connection"] == identifier]
        return str(told[-1]) if told else ""

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind."""
        return [event for event in self.events if event["event"] == kind]

    def text(self) -> str:
        """The text of the last state."""
        return str(next((e.get("message", "") for e in reversed(self.of("connection"))), ""))

    def _pump(self) -> None:
        while not self._stop.is_set():
            with self.outbox.changed:
                if self.outbox.due() != 0.0:
                    self.outbox.changed.wait(0.2)
            batch = self.outbox.take()
            if batch is None:
                continue
            self.outbox.acknowledged(batch, {"ok": True})
            with self.changed:
                for event in map(json.loads, batch.parts):
                    if event["event"] == "values":
                        self.sent += len(event["values"])
                        self.values.setdefault(event["equipment"], {}).update(event["values"])
                    else:
                        self.events.append(event)
                self.changed.notify_all()
