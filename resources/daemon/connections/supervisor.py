"""Converges to the desired state: starts, updates and stops connections, and finds the one that is meant."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Callable

from jeedom_bridge.contract import Catalogue, Contract
from jeedom_bridge.listener import CommandError
from jeedom_bridge.worker import in_thread

from ..devices import device_class as backend_class
from ..devices.base import Connection, Device, Equipment
from .context import UNSAVED
from .publisher import si_factor
from .runner import LAST_REQUEST_S, Runner
from .services import Services

_LOG = logging.getLogger(__name__)

MAX_CONNECTIONS = 100
UNSAVED_S = 3600.0
"""Seconds for which data of a test is kept until its connection is saved."""


class Supervisor:
    """Owns the runners. Thread-safe; never waits for a vendor."""

    def __init__(
        self,
        contract: Contract,
        services: Services,
        device_class: Callable[[str], type[Device] | None] = backend_class,
    ) -> None:
        """`device_class(backend)`: what runs a connection of that system; None if there is no such system."""
        self._contract = contract
        self._services = services
        self._device_class = device_class
        self._lock = threading.Lock()
        self._runners: dict[str, Runner] = {}
        self._ending: list[Runner] = []
        """Stopped, but not ended; oldest first."""
        self._temporary: set[Runner] = set()
        self._forgotten: set[str] = set()
        self._revision = -1
        self._tested_at: float | None = None
        """When an unsaved connection was last tested, while data of that test is kept."""

    def configure(self, revision: int, definitions: list[Mapping[str, Any]]) -> dict[str, list[str]]:
        """Starts, updates and stops connections; returns the ids by what was done."""
        result: dict[str, list[str]] = {"started": [], "updated": [], "stopped": [], "unchanged": []}
        with self._lock:
            if revision < self._revision:
                result["unchanged"] = list(self._runners)
                return result
            wanted = {each.id: each for each in map(self.parse, definitions)}
            if len(wanted) > MAX_CONNECTIONS:
                text = self._services.texts("Plus de {n} connexions : c'est trop", n=MAX_CONNECTIONS)
                raise CommandError("invalid_message", text)
            self._revision = revision
            self._forgotten -= wanted.keys()
            muted = self._services.outbox.unmute()  # first: of what was muted, the values known are published below
            for identifier in [each for each in self._runners if each not in wanted]:
                self._end(self._runners[identifier])
                self._runners.pop(identifier).reports.forget()
                result["stopped"].append(identifier)
            for connection in wanted.values():
                try:
                    result[self._converge(connection, muted)].append(connection.id)
                except Exception as error:  # one connection never touches another
                    self._tell_broken(connection, error)
        return result

    def _converge(self, connection: Connection, muted: Collection[str]) -> str:
        runner = self._runners.get(connection.id)
        if runner is not None and runner.connection == connection and not runner.failed_update:
            if not connection.equipment_ids.isdisjoint(muted):
                runner.publish_again()
            return "unchanged"
        same = runner is not None and runner.connection.config == connection.config
        if runner is not None and same and runner.connection.backend == connection.backend:
            runner.update(connection)
            return "updated"
        if runner is not None:
            self._end(self._runners.pop(connection.id))
            for gone in runner.connection.equipment_ids - connection.equipment_ids:
                self._services.outbox.forget(gone)
        fresh = self._new(connection)
        try:
            fresh.start()
        except Exception:
            self._end(fresh)
            fresh.reports.forget()  # whole or not at all: the next desired state starts it anew, equal or not
            raise
        self._runners[connection.id] = fresh
        return "started" if runner is None else "updated"

    def _tell_broken(self, connection: Connection, error: Exception) -> None:
        _LOG.error("%s %s cannot be started", connection.backend, connection.name or connection.id, exc_info=error)
        text = self._services.texts.mistake(error)
        event = {
            "event": "connection",
            "connection": connection.id,
            "state": "error",
            "code": "internal",
            "message": self._services.outgoing(text),
        }
        self._services.outbox.event(event, ("connection", connection.id))

    def _new(self, connection: Connection, silent: bool = False) -> Runner:
        device = self._device_class(connection.backend)
        assert device is not None  # `parse` has seen it
        catalogue = self._contract.catalogues[connection.backend]
        before = [] if silent else [each for each in self._ending if each.connection.id == connection.id]
        runner = Runner(connection, device, catalogue, self._services, before, silent)
        if connection.id in self._forgotten:
            runner.memories.close()
        return runner

    def _end(self, runner: Runner) -> None:
        """Stops a runner and waits for its end in a thread of its own: its device may hang in a request."""
        runner.stop()
        self._ending.append(runner)
        try:
            threading.Thread(target=self._finish, args=(runner,), name="ending", daemon=True).start()
        except RuntimeError as error:  # no more threads on this machine
            _LOG.warning("%s is not waited for: %s", runner.connection.name or runner.connection.id, error)

    def _finish(self, runner: Runner) -> None:
        runner.finish(LAST_REQUEST_S)
        runner.worker.join(None)  # in the book as long as it could still write something
        with self._lock:
            self._ending.remove(runner)

    def parse(self, definition: Mapping[str, Any]) -> Connection:
        """A connection as it came over the wire, with its defaults. Raises CommandError for an unknown backend."""
        backend = str(definition["backend"])
        catalogue = self._contract.catalogues.get(backend)
        if catalogue is None or self._device_class(backend) is None:
            text = self._services.texts("Système inconnu : {backend}", backend=backend)
            raise CommandError("invalid_message", text)
        equipment = tuple(
            Equipment(
                id=str(each["id"]),
                type=str(each["type"]),
                key=str(each["key"]),
                name=str(each.get("name", "")),
                config=dict(each.get("config") or {}),
                commands={name: dict(value or {}) for name, value in dict(each.get("commands") or {}).items()},
            )
            for each in definition.get("equipment") or []
        )
        connection = Connection(
            id=str(definition["id"]),
            backend=backend,
            name=str(definition.get("name", "")),
            config=dict(definition.get("config") or {}),
            commands={name: dict(v or {}) for name, v in dict(definition.get("commands") or {}).items()},
            equipment=equipment,
        )
        return with_defaults(connection, catalogue)

    def ask_temporary(self, connection: Connection, question: Callable[[Device], Any]) -> tuple[Runner, Future[Any]]:
        """Asks a temporary device built from the form: the connection is not saved, or not with these settings.

        The runner frees itself with the answer; `stop` it to give up. Raises RuntimeError if there are no more threads.
        """
        with self._lock:
            runner = self._new(connection, silent=True)
            self._temporary.add(runner)
            if connection.id == UNSAVED:
                self._tested_at = self._services.clock.monotonic()

        def ask() -> Any:
            try:
                return question(runner.device)
            finally:
                self._release(runner)

        try:
            future = in_thread("question", ask)
        except RuntimeError:
            self._release(runner)
            raise
        return runner, future

    def _release(self, runner: Runner) -> None:
        runner.stop()
        runner.finish(0.0)
        with self._lock:
            self._temporary.discard(runner)

    def running(self, identifier: str) -> Runner:
        """Raises CommandError `unknown_connection`."""
        with self._lock:
            runner = self._runners.get(identifier)
        if runner is None:
            text = self._services.texts(
                "Cette connexion n'est pas active dans le démon : activez-la et sauvegardez-la."
            )
            raise CommandError("unknown_connection", text)
        return runner

    def matching(self, connection: Connection) -> Runner | None:
        """The runner that already runs with exactly these settings."""
        with self._lock:
            runner = self._runners.get(connection.id)
        same = runner is not None and runner.connection.config == connection.config
        return runner if same else None

    def owner(self, equipment: str) -> tuple[Runner, Equipment]:
        """The runner of an equipment (or of the connection with that id). Raises `unknown_equipment`."""
        with self._lock:
            runners = list(self._runners.values())
        for runner in runners:
            found = runner.connection.find(equipment)
            if found is not None:
                return runner, found
        text = self._services.texts("Cet équipement n'est pas actif dans le démon : activez-le et sauvegardez-le.")
        raise CommandError("unknown_equipment", text)

    def name_of(self, equipment: str) -> str:
        """What the user calls an equipment; its id if it is not there."""
        with self._lock:
            runners = list(self._runners.values())
        found = (runner.connection.find(equipment) for runner in runners)
        return next((each.name or each.key for each in found if each is not None), equipment)

    def factor_of(self, equipment: str, command: str) -> float:
        """What values of a command are multiplied by for the unit of the board; 1 if it is not there."""
        with self._lock:
            runners = list(self._runners.values())
        for runner in runners:
            found = runner.connection.find(equipment)
            if found is not None:
                rows = runner.catalogue.rows(found.type or None, found.config, runner.connection.config)
                factors = (si_factor(runner.catalogue, row, found.config) for row in rows if row.logical_id == command)
                return next(factors, 1.0)
        return 1.0

    def ran(self, equipment: str, name: str, number: int) -> None:
        """Passes on what Jeedom has run; ignored for equipment that is gone."""
        with self._lock:
            runners = list(self._runners.values())
        for runner in runners:
            if equipment in runner.connection.equipment_ids:
                runner.ran(equipment, name, number)

    def forget(self, identifier: str) -> None:
        """Stops a connection and erases what is stored for it."""
        with self._lock:
            self._forgotten.add(identifier)
            runner = self._runners.pop(identifier, None)
            if runner is not None:
                self._end(runner)
                runner.reports.forget()
            for each in (*self._ending, *self._temporary):
                if each.connection.id == identifier:
                    each.memories.close()
                    each.stop()
        self._services.store.forget(identifier)

    def tidy(self, at_start: bool = False) -> None:
        """Erases data that tests of unsaved connections have left: tokens of an account that may never be used here.

        An hour after the last one, since a service may have given its tokens once only, or at once `at_start`. To be
        called now and then. Raises StoreError.
        """
        store, now = self._services.store, self._services.clock.monotonic()
        with self._lock:
            if not store.scope(UNSAVED):
                return
            under_way = any(each.connection.id == UNSAVED for each in self._temporary)
            if self._tested_at is None or under_way:
                self._tested_at = now
            if now - self._tested_at < UNSAVED_S and not at_start:
                return
            self._tested_at = None
            store.forget(UNSAVED)  # under the lock: no test begins meanwhile

    def all(self) -> list[Runner]:
        """The runners of the desired state."""
        with self._lock:
            return list(self._runners.values())

    def status(self) -> dict[str, Any]:
        """The state of every connection."""
        with self._lock:
            runners = dict(self._runners)
        return {identifier: runner.status() for identifier, runner in runners.items()}

    def stop(self, timeout: float) -> None:
        """Ends all connections, within `timeout` seconds in all."""
        with self._lock:
            runners = [*self._runners.values(), *self._temporary]
            self._runners.clear()
        for runner in runners:
            runner.stop()
        end = self._services.clock.monotonic() + timeout
        for runner in runners:
            runner.finish(max(0.0, end - self._services.clock.monotonic()))


def with_defaults(connection: Connection, catalogue: Catalogue) -> Connection:
    """The same connection with the catalogue's defaults in its settings and its equipment's."""
    equipment = tuple(replace(each, config=catalogue.settings(each.config, each.type)) for each in connection.equipment)
    return replace(connection, config=catalogue.settings(connection.config), equipment=equipment)
