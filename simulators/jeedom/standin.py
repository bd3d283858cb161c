"""The stand-in Jeedom: the callback's server, the desired state, the daemon's client, in one object.

Faults of the callback, beside the common ones (`simulators/faults.py`):

| kind | value | effect |
|---|---|---|
| `delay` | seconds | applied at once, acknowledged later |
| `half` | | applied, half of the acknowledgement arrives |
| `lost` | | applied, no answer at all |
| `endless` | | not applied; 200 and a body without end |
| `refuse_key` | | not applied; 200 and the core's sentence for a wrong key |
| `reject` | reason | every event is rejected |
| `down` | seconds or null | the port closes, and opens again later or at `clear` |
"""

from __future__ import annotations

import json
import logging
import queue
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from simulators.clock import Clock
from simulators.faults import Fault, FaultBox, Healthy, spoiled
from simulators.jeedom import past
from simulators.jeedom.callback import Callback
from simulators.jeedom.catalogue import Catalogues
from simulators.jeedom.daemon import DaemonRefusal, DaemonSocket, DaemonUnreachable
from simulators.jeedom.database import Database
from simulators.jeedom.house import House
from simulators.jeedom.levels import Levels
from simulators.jeedom.web import Web
from simulators.server import LoopbackServer, Request, Response
from simulators.service import Service

CALLBACK_PATH = "/core/api/jeeApi.php"
NOT_ALLOWED = "Vous n'êtes pas autorisé à effectuer cette action"
OWN_FAULTS = ("delay", "half", "lost", "endless", "refuse_key", "reject")
log = logging.getLogger(__name__)


class Delivery(NamedTuple):
    """One accepted callback: monotonic time, boot, sequence, number of events, bytes, whether a repeat."""

    at: float
    boot: str
    sequence: int
    events: int
    size: int
    repeat: bool


class JeedomStandIn(Service):
    """A Jeedom on loopback; `with` starts and stops it.

    `port` serves the callback, the page and the API; `control_port` the page and the API only, and stays
    open when the callback is `down`. `daemon_port` may be set later. `automatic`: send `configure` when the
    daemon starts and at each change, and discover equipment of a connection that comes online without any.
    """

    def __init__(
        self,
        *,
        apikey: str = "",
        daemon_port: Optional[int] = None,
        port: int = 0,
        control_port: int = 0,
        database: Optional[Path] = None,
        contract: Optional[Path] = None,
        plugin: str = "jeenergie",
        timezone: str = "Europe/Paris",
        language: str = "fr_FR",
        clock: Clock = time.time,
        automatic: bool = True,
        refusal_delay: float = 0.0,
    ) -> None:
        self.apikey = apikey or secrets.token_hex(32)
        self.plugin = plugin
        self.settings = {"timezone": timezone, "language": language}
        self.clock = clock
        self.automatic = automatic
        self.refusal_delay = refusal_delay
        self.database = Database(database)
        self.catalogues = Catalogues(contract)
        self.house = House(self.database, self.catalogues)
        self.callback = Callback(self.database, self.catalogues, timezone, clock)
        self.callback.create = self._create_commands
        self.callback.levels.running = lambda: self.server.listening
        self.faults = FaultBox(*OWN_FAULTS)
        self.deliveries: list[Delivery] = []
        self.refused_keys = 0
        self.failures: list[str] = []
        self.changed = threading.Condition()
        self.structure = 0
        self._socket = DaemonSocket(daemon_port or 0, self.apikey)
        self._revision = int(self.database.kept("revision", 0))
        self._tasks: queue.Queue[Optional[Callable[[], Any]]] = queue.Queue()
        self._configure_waits = False
        self._created = False
        self.web = Web(self)
        self.server = LoopbackServer(self._answer, port=port, name="jeedom", server_header="Apache")
        self.control = LoopbackServer(self.web.answer, port=control_port, name="jeedom page")

    # ---- addresses and observation

    @property
    def callback_url(self) -> str:
        """What the daemon's `--callback` wants."""
        return self.url + CALLBACK_PATH

    @property
    def daemon_port(self) -> int:
        """The port of the daemon's socket; 0 = none yet."""
        return self._socket.port

    @daemon_port.setter
    def daemon_port(self, port: int) -> None:
        self._socket.port = port

    @property
    def log_level(self) -> str:
        """Jeedom's log level, told to the daemon in each acknowledgement."""
        return self.callback.log_level

    @log_level.setter
    def log_level(self, level: str) -> None:
        self.callback.log_level = level

    @property
    def levels(self) -> Levels:
        """The loads of the house that the daemon switches by levels."""
        return self.callback.levels

    @property
    def complaints(self) -> list[str]:
        """What the daemon did that the contract does not allow."""
        return self.callback.complaints

    def value(self, equipment: str, logical_id: str) -> Any:
        """The current value of a command, None while there is none."""
        return self.database.current(equipment).get(logical_id, (None,))[0]

    def values(self, equipment: str) -> dict[str, Any]:
        """All current values of an equipment."""
        return {logical_id: value for logical_id, (value, _) in self.database.current(equipment).items()}

    def history(self, equipment: str, logical_id: str, since: str = "") -> list[tuple[str, Any]]:
        """Points (local date, value) of a command, oldest first."""
        return self.database.history(self.house.command(equipment, logical_id)["id"], since)

    def applied(self, kind: Optional[str] = None, after: int = 0) -> list[dict[str, Any]]:
        """Every event applied, in order (`Database.applied`), all or of one kind."""
        return [one for one in self.database.applied(after) if kind in (None, one["event"]["event"])]

    def state(self, connection: str) -> Optional[str]:
        """The last reported state of a connection or equipment."""
        return self.callback.states.get(connection, {}).get("state")

    def wait(self, condition: Callable[[], Any], timeout: float = 30.0) -> Any:
        """Wait until `condition` gives something true, looked at after each change; returns it.

        Raises TimeoutError.
        """
        end = time.monotonic() + timeout
        with self.changed:
            while not (found := condition()):
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"not within {timeout} s")
                self.changed.wait(min(left, 0.5))
        return found

    # ---- the user's hands

    def add_connection(self, backend: str, config: dict[str, Any], name: str = "") -> str:
        """Set up a connection; returns its id."""
        identity = self.house.add_connection(backend, config, name)
        self.desired_changed()
        return identity

    def add_equipment(
        self, connection: str, kind: str, key: str, name: str = "", config: Optional[dict[str, Any]] = None
    ) -> str:
        """Set up equipment; returns its id."""
        identity = self.house.add_equipment(connection, kind, key, name, config)
        self.desired_changed()
        return identity

    def update(self, identity: str, **changes: Any) -> None:
        """Change `name`, `enabled` or `config` of a connection or equipment."""
        self.house.update(identity, **changes)
        self.desired_changed()

    def remove(self, identity: str) -> None:
        """Remove a connection (the daemon forgets it) or equipment."""
        connection = self.house.found(identity)["parent"] is None
        self.house.remove(identity)
        self.callback.states.pop(identity, None)
        if connection and self.automatic and self.daemon_port:
            self._later(lambda: self.forget(identity))
        self.desired_changed()

    def set_command(self, equipment: str, logical_id: str, **settings: Any) -> None:
        """Settings of a command."""
        self.house.set_command(equipment, logical_id, settings)
        self.desired_changed()

    def remove_command(self, equipment: str, logical_id: str) -> None:
        """Take a command away."""
        self.house.remove_command(equipment, logical_id)
        self.desired_changed()

    def lose_values(self, told: bool = True) -> None:
        """All current values go, history stays: the core's cache (`core/class/cache.class.php` 4.5.3, read on
        30 November 2026) is swept or its disk is full. `told`: the plugin notices it with the next fresh value.
        """
        with self.database.lock:
            self.database.lose_current()
            self.callback.lost = told

    # ---- what Jeedom says to the daemon; raises DaemonRefusal and DaemonUnreachable

    def ask(self, command: str, /, **fields: Any) -> dict[str, Any]:
        """Any message of the socket."""
        return self._socket.ask(command, **fields)

    def configure(self) -> dict[str, Any]:
        """Send all that should run."""
        with self.database.lock:
            self._revision = max(self._revision + 1, int(time.time()))
            self.database.keep("revision", self._revision)
            fields = {"revision": self._revision, "settings": self.settings, "connections": self.house.desired()}
        return self.ask("configure", **fields)

    def discover(self, connection: str, every: bool = True) -> list[str]:
        """Discover and create equipment (without `every`: only what carries data); returns the new ids."""
        found = self.ask("discover", connection=self.house.connection(connection))["equipment"]
        created = self.house.adopt(connection, found, every)
        if created:
            self.desired_changed()
        return created

    def action(self, equipment: str, command: str, **options: Any) -> dict[str, Any]:
        """Execute an action command, `refresh` included."""
        if command == "refresh":
            return self.refresh(equipment)
        return self.ask("action", equipment=equipment, command=command, options=options)

    def refresh(self, identity: str) -> dict[str, Any]:
        """Fetch the values of a connection or of one equipment now."""
        kind = "equipment" if self.house.found(identity)["parent"] else "connection"
        return self.ask("refresh", **{kind: identity})

    def run(self, connection: str, operation: str, **options: Any) -> dict[str, Any]:
        """Run an operation of the catalogue."""
        return self.ask("run", connection=connection, operation=operation, options=options)

    def test(self, connection: str) -> dict[str, Any]:
        """Test the settings of a connection."""
        return self.ask("test", connection=self.house.connection(connection))

    def forget(self, connection: str) -> dict[str, Any]:
        """Stop a connection and erase what the daemon stores for it."""
        return self.ask("forget", connection=connection)

    def status(self) -> dict[str, Any]:
        """The daemon's status."""
        return self.ask("status")

    def log(self, **fields: Any) -> dict[str, Any]:
        """Change `level`, `extendedDebug` or `unsecure` of the daemon's log."""
        if "level" in fields:
            self.log_level = fields["level"]
        return self.ask("log", **fields)

    def shutdown(self) -> dict[str, Any]:
        """Stop the daemon."""
        return self.ask("shutdown")

    # ---- faults

    def fault(self, kind: str, value: Any = None, count: Optional[int] = None) -> Fault:
        """Put a fault of the callback in force. Raises ValueError for an unknown kind."""
        if kind == "down":
            self.server.suspend(value)
            return Fault(kind, CALLBACK_PATH, value)
        return self.faults.add(kind, CALLBACK_PATH, value, count)

    def clear(self) -> None:
        """End all faults."""
        self.faults.clear()
        self.server.resume()

    # ---- life

    def start(self) -> None:
        """Listen."""
        super().start()
        threading.Thread(target=self._work, name="jeedom tasks", daemon=True).start()

    def close(self) -> None:
        """Stop for good."""
        super().close()
        self._tasks.put(None)
        with self.changed:
            self.changed.notify_all()

    # ---- the callback

    def _answer(self, request: Request) -> Response:
        if request.path != CALLBACK_PATH:
            return self.web.answer(request)
        met = self.faults.take(request.path)
        return spoiled(
            met, lambda: self._receive(request), lambda fault, healthy: self._own_fault(fault, healthy, request)
        )

    def _own_fault(self, fault: Fault, healthy: Healthy, request: Request) -> Optional[Response]:
        if fault.kind == "delay":
            return replace(healthy(), delay=float(fault.value), cancel=fault.cleared)
        if fault.kind == "half":
            return replace(healthy(), how="truncated")
        if fault.kind == "lost":
            return replace(healthy(), how="drop")
        if fault.kind == "endless":
            return Response(200, stream=_endless())
        if fault.kind == "refuse_key":
            return self._refusal()
        if fault.kind == "reject":
            return self._receive(request, str(fault.value or "refused by a fault"))
        return None

    def _receive(self, request: Request, reject: Optional[str] = None) -> Response:
        form = request.form()
        if not secrets.compare_digest(form.get("apikey", "").encode(), self.apikey.encode()):
            return self._refusal()
        if request.method != "POST" or form.get("type") != "event" or form.get("plugin") != self.plugin:
            return Response.of_text("Aucune méthode correspondante", 200, "text/html; charset=UTF-8")
        try:
            payload = json.loads(form.get("payload", ""))
            repeats = self.callback.repeats
            acknowledgement, applied = self.callback.apply(payload, reject)
        except (ValueError, TypeError) as error:
            self.complaints.append(f"payload: {error}")
            return Response.of_json({"ok": False, "message": str(error)}, 400)
        repeat = self.callback.repeats > repeats
        seen = Delivery(
            time.monotonic(),
            payload["boot"],
            payload["sequence"],
            len(payload["events"]),
            len(request.body),
            repeat,
        )
        self.deliveries.append(seen)
        self._react(applied)
        return Response.of_json(acknowledgement)

    def _refusal(self) -> Response:
        self.refused_keys += 1
        response = Response.of_text(NOT_ALLOWED, 200, "text/html; charset=UTF-8")
        response.delay = self.refusal_delay
        return response

    # ---- what follows from events, after they were acknowledged

    def _react(self, applied: list[dict[str, Any]]) -> None:
        # Never under the database's lock: whoever waits for a change holds the one and takes the other.
        created, self._created = self._created, False
        started = {"event": "daemon", "state": "started"}
        if created or any(started.items() <= event.items() for event in applied):
            self.desired_changed()
        for event in applied:
            if event["event"] == "past":
                self._later(lambda event=event: self._give_past(event))
        if self.automatic:
            for event in applied:
                if event["event"] == "connection" and event["state"] == "online":
                    self._discover_first(event["connection"])
        with self.changed:
            self.changed.notify_all()

    def _discover_first(self, identity: str) -> None:
        connection = self.database.equipment(identity)
        if connection is None or self.database.children(identity):
            return
        if self.catalogues.of(connection["backend"])["discover"] == "auto":
            self._later(lambda: self.database.children(identity) or self.discover(identity, every=False))

    def _create_commands(self, equipment: str, logical_ids: list[str]) -> None:
        unknown = set(logical_ids) - set(self.house.rows(equipment))
        if unknown:
            self.complaints.append(f"available: no row for {sorted(unknown)} in equipment {equipment}")
        if self.house.create(equipment, logical_ids):
            self._created = True

    def desired_changed(self) -> None:
        """Tell the page, and soon the daemon, that something was added, changed or removed."""
        with self.changed:
            self.structure += 1
            wanted = self.automatic and self.daemon_port and not self._configure_waits
            self._configure_waits = self._configure_waits or bool(wanted)
            self.changed.notify_all()
        if wanted:
            self._later(self._configure_now)

    def _configure_now(self) -> None:
        with self.changed:
            self._configure_waits = False
        self.configure()

    def _give_past(self, event: dict[str, Any]) -> None:
        self.ask("past", **past.answer(self.database, event, self.callback.zone, self.clock()))

    def _later(self, task: Callable[[], Any]) -> None:
        self._tasks.put(task)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except (DaemonRefusal, DaemonUnreachable, ValueError) as error:
                self.failures.append(str(error))
                log.warning("jeedom: %s", error)
            with self.changed:
                self.changed.notify_all()


def _endless() -> Iterator[bytes]:
    while True:
        yield b" " * 4096
        time.sleep(0.01)
