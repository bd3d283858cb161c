"""A running helloWatt connection under a hand-moved clock: real runner, store, sockets; a Jeedom of a few lines."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Optional

from jeenergied.actions import Actions
from jeenergied.api.commands import Commands
from jeenergied.connections.runner import Runner
from jeenergied.connections.services import Services
from jeenergied.connections.supervisor import Supervisor
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge import Contract, Masker, Outbox, Store
from jeedom_bridge.clock import ManualClock
from simulators.hellowatt import Customer, HelloWattSite, Home, RteService, TempoService
from simulators.hellowatt.homes import PARIS
from tests.support.in_process import in_process
from tests.support.waiting import pause

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT.parent / "shared" / "recorded" / "hellowatt"
CONTRACT = Contract(ROOT / "core" / "contract")
CATALOGUE = CONTRACT.catalogues["hellowatt"]
EMAIL, PASSWORD = "camille.martin@example.org", "Synthetique-2026!é&=%"
PATIENCE = 10.0  # s of real time until a test gives up waiting
DAY = 86400.0


def at(text: str) -> float:
    """Epoch seconds of a moment in Paris, `YYYY-MM-DD HH:MM`."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=PARIS).timestamp()


def wait_until(probe: Callable[[], Any], what: str = "") -> Any:
    """What `probe` returns as soon as it is true."""
    begun = time.monotonic()
    while not (found := probe()):
        assert time.monotonic() < begun + PATIENCE, f"waited in vain {what}"
        pause(begun, 0.0005)
    return found


def all_commands(kind: str, seen: bool = True) -> dict[str, dict[str, Any]]:
    """The commands that Jeedom creates; with `seen`, also those that need data."""
    return {row.logical_id: {} for row in CATALOGUE.all_rows(kind) if seen or not row.seen}


class Jeedom:
    """Takes what leaves the outbox, from a thread of its own: rows of history by date, values, events."""

    def __init__(self, outbox: Outbox, known: Callable[[str], Mapping[str, Any]]) -> None:
        self.outbox = outbox
        self.known = known
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        self.values: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.written = 0
        self.away = False
        self.on_available: Callable[[dict[str, Any]], None] = lambda _event: None
        self._stop = threading.Event()

    def serve(self, outbox: Outbox) -> threading.Thread:
        """Begins to take from an outbox (a daemon's life)."""
        self.outbox = outbox
        self._stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(outbox, self._stop), daemon=True)
        thread.start()
        return thread

    def end(self) -> None:
        """The daemon has gone."""
        self._stop.set()

    def _run(self, outbox: Outbox, stop: threading.Event) -> None:
        while not stop.is_set():
            batch = None if self.away else outbox.take(everything=True)
            if batch is None:
                with outbox.changed:
                    if self.away or outbox.due() is None:
                        outbox.changed.wait(0.02)
                continue
            events = [json.loads(part) for part in batch.parts]
            unknown = self._apply(events)
            outbox.acknowledged(batch, {"ok": True, "unknownCommands": unknown})

    def _apply(self, events: list[dict[str, Any]]) -> dict[str, list[str]]:
        unknown: dict[str, list[str]] = {}
        for event in events:
            self.events.append(event)
            if event["event"] == "values":
                self.values.setdefault(event["equipment"], {}).update(event["values"])
            elif event["event"] == "history":
                if event["command"] not in self.known(event["equipment"]):
                    unknown.setdefault(event["equipment"], []).append(event["command"])
                    continue
                rows = self.rows.setdefault((event["equipment"], event["command"]), {})
                for moment, value in event["points"]:
                    rows[moment] = value
                    self.written += 1
            elif event["event"] == "available":
                self.on_available(event)
        return unknown

    def history(self, equipment: str, command: str) -> dict[date, Any]:
        """The rows of a command by day."""
        rows = self.rows.get((equipment, command), {})
        found = {datetime.fromisoformat(moment): value for moment, value in rows.items()}
        assert all(moment.hour == moment.minute == 0 for moment in found)
        return {moment.date(): value for moment, value in found.items()}

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind."""
        return [event for event in list(self.events) if event["event"] == kind]


class Bench:
    """One connection, id 1, with equipment from 2 on: `kinds` are (type, home id). Time moves by `pass_time` only."""

    def __init__(
        self,
        folder: Path,
        site: HelloWattSite,
        clock: ManualClock,
        kinds: list[tuple[str, str]],
        tempo: Optional[TempoService] = None,
        rte: Optional[RteService] = None,
        seen: bool = True,
        **config: Any,
    ) -> None:
        self.folder, self.site, self.clock = folder, site, clock
        self.config = {"user": EMAIL, "password": PASSWORD, "siteUrl": site.url, **config}
        self.config.update({"tempoUrl": tempo.url if tempo else "", "rteUrl": rte.url if rte else ""})
        if not tempo and not rte:
            self.config["tempoSource"] = "none"
        self.members = {str(n): (kind, home) for n, (kind, home) in enumerate(kinds, 2)}
        self.commands = {number: all_commands(kind, seen) for number, (kind, _) in self.members.items()}
        self.revision = 0
        self._memory = ExitStack()
        for service in (site, tempo, rte):
            if service is not None:
                self._memory.enter_context(in_process(service.server))
        self.jeedom = Jeedom(None, lambda equipment: self.commands.get(equipment, {}))  # type: ignore[arg-type]
        self._open()

    def _open(self) -> None:
        self.outbox = Outbox(self.clock)
        self.store = Store(self.folder / "store.sqlite")
        self.masker = Masker()
        self.shared = Services(
            self.clock, self.outbox, self.store, self.masker, Texts(ROOT / "core" / "i18n"), Board(self.clock)
        )
        self.supervisor = Supervisor(CONTRACT, self.shared)
        logs: Any = None
        self.socket = Commands(
            CONTRACT,
            self.shared,
            self.supervisor,
            Actions(self.supervisor.owner, self.shared.texts, self.shared.outgoing),
            logs,
            lambda: None,
            lambda: None,
        )
        self.jeedom.serve(self.outbox)

    @property
    def definition(self) -> dict[str, Any]:
        """The connection as Jeedom sends it."""
        equipment = [
            {"id": number, "type": kind, "key": home, "name": f"{kind} {home}", "config": {}, "commands": commands}
            for (number, (kind, home)), commands in zip(self.members.items(), self.commands.values())
        ]
        head = {"id": "1", "backend": "hellowatt", "name": "Compte", "config": self.config, "commands": {"state": {}}}
        return {**head, "equipment": equipment}

    def configure(self, **config: Any) -> None:
        """Sends the desired state."""
        self.config.update(config)
        self.revision += 1
        self.supervisor.configure(self.revision, [self.definition])

    def start(self) -> Bench:
        """Sends the desired state and lets a minute pass.

        The heartbeat is left out and ages are looked at once an hour: more often it only takes a test's time.
        """
        self.configure()
        self.runner.worker.drop([job for job in self.runner.worker._jobs if job.name == "heartbeat"])
        for job in self.runner.worker._jobs:
            if job.name == "freshness":
                job.reschedule(3600.0)
        return self.pass_time(60)

    def only(self, *jobs: str) -> Bench:
        """Leaves these jobs alone in the connection's thread: long stretches of time pass faster."""
        worker = self.runner.worker
        worker.drop([job for job in worker._jobs if job.name not in jobs])
        return self

    def restart(self) -> Bench:
        """Ends the daemon and starts another one with the same store."""
        self.end()
        self._open()
        self.revision = 0
        return self.start()

    @property
    def runner(self) -> Runner:
        """The connection's runner."""
        return self.supervisor.running("1")

    @property
    def device(self) -> Any:
        """The device."""
        return self.runner.device

    def settle(self) -> None:
        """Waits until the connection's thread sleeps until a moment to come."""

        def idle() -> bool:
            wake = self.clock.next_wake
            return self.clock.sleepers > 0 and wake is not None and wake > 0 and not self.runner.worker._tasks

        assert self.clock.until(idle, PATIENCE), "waited in vain for the worker"

    def pass_time(self, seconds: float) -> Bench:
        """Lets time pass from one waking to the next, so that pauses and jobs have their moment."""
        end = self.clock.time() + seconds
        self.settle()
        while (rest := end - self.clock.time()) > 1e-6:
            self.clock.advance(min(rest, max(self.clock.next_wake or rest, 0.001)))
            self.settle()
        return self

    def until(self, text: str) -> Bench:
        """Lets time pass until a moment in Paris."""
        return self.pass_time(at(text) - self.clock.time())

    def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        """A message of the socket while time goes on; about this connection unless `fields` says otherwise."""
        found: dict[str, Any] = {}
        whole = fields or {"connection": self.definition if command == "test" else "1"}

        def run() -> None:
            try:
                found["result"] = self.socket.handle(command, {"apikey": "k", "cmd": command, **whole})
            except Exception as error:
                found["error"] = error

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        end = time.monotonic() + PATIENCE
        while thread.is_alive():
            assert time.monotonic() < end, f"{command} did not end"
            self.clock.advance(0.05)
            thread.join(0.001)
        if "error" in found:
            raise found["error"]
        self.settle()
        return found["result"]

    @property
    def states(self) -> list[str]:
        """The connection's states in the order told."""
        return [event["state"] for event in self.jeedom.of("connection")]

    @property
    def last_state(self) -> dict[str, Any]:
        """The last state event."""
        wait_until(lambda: len(self.outbox) == 0, "for the outbox")
        return self.jeedom.of("connection")[-1]

    def value(self, command: str, equipment: str = "2") -> Any:
        """The newest value of a command that is not dated."""
        wait_until(lambda: len(self.outbox) == 0, "for the outbox")
        return self.jeedom.values.get(equipment, {}).get(command)

    def end(self) -> None:
        """Ends the daemon's part."""
        self.supervisor.stop(5.0)
        self.jeedom.end()
        self.store.close()

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.end()
        self._memory.close()


def one_home(clock: ManualClock, **more: Any) -> tuple[HelloWattSite, Home]:
    """A site with one account of one home."""
    home = Home(502113, "99000000000417", **more)
    return HelloWattSite([Customer(EMAIL, PASSWORD, [home])], clock=clock.time), home
