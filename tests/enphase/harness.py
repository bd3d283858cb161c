"""A running Enphase connection under a hand-moved clock: real runner and store; the test reads the outbox.

Its requests are handed to the gateway in memory, with the gateway's certificate; tests that are about the wire ask for
sockets.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Optional

from jeenergied.actions import Actions
from jeenergied.api.commands import Commands
from jeenergied.connections.runner import Runner
from jeenergied.connections.services import Nearby, Services
from jeenergied.connections.supervisor import Supervisor
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge import Masker, Outbox, Store
from jeedom_bridge.clock import ManualClock
from jeedom_bridge.worker import Worker
from simulators.enphase import EnphaseGateway
from simulators.server import Response
from tests.support.clocks import noon
from tests.support.contract import CONTRACT
from tests.support.in_process import in_process
from tests.support.waiting import pause

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT.parent / "shared" / "recorded" / "enphase"
CATALOGUE = json.loads((ROOT / "core" / "contract" / "catalogue" / "enphase.json").read_text(encoding="utf-8"))
READINGS = "/ivp/meters/readings"
PRODUCTION = "/production.json"
SUMMARY = "/api/v1/production"
INVERTERS = "/api/v1/production/inverters"
PATIENCE = 60.0  # s of real time until a test gives up waiting


DIRECT = ("power", "lifetimeEnergy", "importPower", "exportPower", "importIndex", "exportIndex", "voltage", "maxPower")
"""How the sources end of what a gateway tells by itself, by default."""
TYPES = CONTRACT.catalogues["enphase"]


@cache
def names_of(kind: str, every: bool = False) -> tuple[str, ...]:
    """The logical ids of `commands_of`."""
    return tuple(
        row.logical_id
        for row in TYPES.all_rows(kind or None)
        if every
        or ((row.source or "").split(".")[-1] in DIRECT and not (row.source or "").startswith(("storage.", "house.")))
    )


def commands_of(kind: str, every: bool = False) -> dict[str, dict[str, Any]]:
    """The commands of an equipment type, as Jeedom would send them: what a gateway tells directly, or `every` one."""
    return {name: {} for name in names_of(kind, every)}


def wait_until(probe: Callable[[], Any], what: str = "") -> Any:
    """What `probe` returns as soon as it is true."""
    begun = time.monotonic()
    while not (found := probe()):
        assert time.monotonic() < begun + PATIENCE, f"waited in vain {what}"
        pause(begun, 0.002)
    return found


class Pages:
    """A gateway's source with made-up answers.

    `pages` by path: anything JSON, or a function of the time that returns it; a path that is not there is 404.
    """

    def __init__(self, pages: dict[str, Any], firmware: str = "D8.2.4382", imeter: bool = True) -> None:
        self.pages = pages
        self.serial = "122300000001"
        self.firmware = firmware
        self.imeter = imeter

    def answer(self, path: str, query: Mapping[str, str], now: float) -> Optional[Response]:
        if path == "/info":
            text = (
                f"<envoy_info><time>{int(now)}</time><device><sn>{self.serial}</sn><software>{self.firmware}</software>"
                f"<imeter>{str(self.imeter).lower()}</imeter></device><web-tokens>true</web-tokens></envoy_info>"
            )
            return Response.of_text(text, content_type="text/xml")
        if path not in self.pages:
            return None
        page = self.pages[path]
        return Response.of_json(page(now) if callable(page) else page)

    def set(self, values: dict[str, Any]) -> None:
        self.pages.update(values)

    def reset_index(self, meter: str, value: Any) -> None:
        raise ValueError("made-up answers are what they are")

    def truth(self, since: Optional[float] = None) -> dict[str, float]:
        return {}

    def state(self) -> dict[str, Any]:
        return {}


EID = {"production": 0x2A000100, "net-consumption": 0x2A000200, "total-consumption": 0x2A000200, "storage": 0x2A000300}
SERIAL = "122300000101"
"""The inverter of `house`."""


def meter(kind: str, phases: int = 1, **other: Any) -> dict[str, Any]:
    """An entry of /ivp/meters."""
    head = {"eid": EID[kind], "state": "enabled", "measurementType": kind, "phaseMode": "three", "phaseCount": phases}
    return {**head, "meteringStatus": "normal", "statusFlags": [], **other}


def reading(kind: str, now: float, watts: float, delivered: float, received: float, *channels: Any) -> dict[str, Any]:
    """An entry of /ivp/meters/readings; `channels`: (W, delivered Wh, received Wh, V) of each phase."""
    values = {"activePower": watts, "actEnergyDlvd": delivered, "actEnergyRcvd": received}
    volts = sum(channel[3] for channel in channels) if channels else 230.0
    parts = [
        {
            "eid": EID[kind] + 0x40000011 + at,
            "timestamp": int(now),
            "activePower": channel[0],
            "actEnergyDlvd": channel[1],
            "actEnergyRcvd": channel[2],
            "voltage": channel[3],
        }
        for at, channel in enumerate(channels)
    ]
    return {"eid": EID[kind], "timestamp": int(now), **values, "voltage": volts, "channels": parts}


def house() -> Pages:
    """One phase, production and net meters, one inverter; cheaper than a plant when weeks pass."""
    entry = {"type": "eim", "activeCount": 1, "rmsVoltage": 230.0}
    return Pages(
        {
            "/ivp/meters": [meter("production"), meter("net-consumption")],
            READINGS: lambda now: [
                reading("production", now, 1500.0, 9_000_000.0, 400.0),
                reading("net-consumption", now, -600.0, 4_000_000.0, 5_000_000.0),
            ],
            PRODUCTION: {
                "production": [{**entry, "measurementType": "production", "wNow": 1500.0, "whLifetime": 9_000_000.0}],
                "consumption": [
                    {**entry, "measurementType": "total-consumption", "wNow": 900.0, "whLifetime": 8_000_000.0},
                    {**entry, "measurementType": "net-consumption", "wNow": -600.0, "whLifetime": -1_000_000.0},
                ],
            },
            INVERTERS: lambda now: [
                {
                    "serialNumber": SERIAL,
                    "lastReportDate": int(now) - 100,
                    "devType": 1,
                    "lastReportWatts": 260,
                    "maxReportWatts": 366,
                }
            ],
        }
    )


class Bench:
    """One connection, id 1, with the gateway as equipment 2 and inverters from 10 on.

    `with` stops it. Nothing moves but by `advance`; what has left is in `events`, `values` and `states`.
    """

    def __init__(
        self,
        folder: Path,
        gateway: EnphaseGateway,
        clock: Optional[ManualClock] = None,
        inverters: tuple[str, ...] = (),
        commands: Optional[Mapping[str, Any]] = None,
        nearby: Optional[Nearby] = None,
        sockets: bool = False,
        **config: Any,
    ) -> None:
        self._memory = ExitStack()
        if not sockets:
            self._memory.enter_context(in_process(gateway.server, lambda: gateway.certificate.der))
        self.folder = folder
        self.gateway = gateway
        self.clock = clock or ManualClock(noon())
        self.nearby = nearby
        self.config = {"host": gateway.server.host, "port": gateway.port, "tokenMode": "manual", **config}
        if self.config["tokenMode"] == "manual":
            self.config.setdefault("token", gateway.token())
        self.inverters = inverters
        self.wanted = commands_of("combined") if commands is None else dict(commands)
        self.own: dict[str, Any] = {}
        """The connection's own commands."""
        self.others: list[dict[str, Any]] = []
        """More equipment, as Jeedom sends it, beside the gateway and the inverters (see `equip`)."""
        self.events: list[dict[str, Any]] = []
        self.runs_commands = True
        """Whether Jeedom runs the commands of levels, and says so."""
        self.waits_for_renewals = True
        """Whether time stands still while a token is renewed beside the polls: unlike a real one it takes no time."""
        self.revision = 0
        self._open()

    def _open(self) -> None:
        self.outbox = Outbox(self.clock)
        self.store = Store(self.folder / "store.sqlite")
        self.shared = Services(
            self.clock,
            self.outbox,
            self.store,
            Masker(),
            Texts(ROOT / "core" / "i18n"),
            Board(self.clock),
            nearby=self.nearby,
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

    @property
    def definition(self) -> dict[str, Any]:
        """The connection as Jeedom sends it."""
        members = [{"id": "2", "type": "combined", "key": "x", "name": "Maison", "config": {}, "commands": self.wanted}]
        for number, serial in enumerate(self.inverters, 10):
            row = {"id": str(number), "type": "inverter", "key": serial, "name": serial, "config": {}}
            members.append({**row, "commands": commands_of("inverter")})
        head = {"id": "1", "backend": "enphase", "name": "Toit", "config": self.config, "commands": self.own}
        return {**head, "equipment": members + self.others}

    def equip(self, identifier: str, kind: str, key: str, **config: Any) -> Bench:
        """Adds an equipment with every command of its type; to be called before `start` or `configure`."""
        row = {"id": identifier, "type": kind, "key": key, "name": key, "config": config}
        self.others.append({**row, "commands": commands_of(kind, every=True)})
        return self

    def start(self) -> Bench:
        """Sends the desired state and lets the first round of polls pass (3 s)."""
        self.configure()
        self.settle()
        return self.advance(3, 1)

    def configure(self, **config: Any) -> None:
        """Sends the desired state, with changed settings."""
        self.config.update(config)
        self.revision += 1
        self.supervisor.configure(self.revision, [self.definition])

    def restart(self) -> Bench:
        """Ends the daemon and starts another one with the same store."""
        self.close()
        self._open()
        self.revision = 0
        return self.start()

    @property
    def runner(self) -> Runner:
        """The connection's runner."""
        return self.supervisor.running("1")

    def settle(self) -> None:
        """Waits until the connection has nothing more to do at this moment: its thread, and a renewal beside it."""
        self._settle_thread()
        if self.waits_for_renewals and self._renewing():
            wait_until(lambda: not self._renewing(), "for the end of a renewal")
            self._settle_thread()

    def _renewing(self) -> bool:
        tokens = getattr(self.runner.device, "_tokens", None)
        return tokens is not None and tokens._renewing

    def _settle_thread(self) -> None:
        worker = self.runner.worker
        if self._sleeps(worker):
            return
        before: list[float] = []
        while True:
            try:
                worker.submit(lambda: None).result(PATIENCE)  # between two jobs
            except CancelledError:
                return
            dues = [job.due for job in worker._jobs]
            if dues == before and min(dues) > self.clock.monotonic():
                return
            before = dues

    def _sleeps(self, worker: Worker) -> bool:
        """Whether the thread waits for a moment to come: then there is nothing to ask it, which takes two changes."""
        with worker._changed, self.clock._lock:
            now, waiting = self.clock._monotonic, self.clock._waiting.values()
            return (
                not worker._tasks
                and all(job.due > now for job in worker._jobs)
                and any(each is worker._changed and end > now for end, each in waiting)
            )

    def advance(self, seconds: float, step: float = 0.0) -> Bench:
        """Lets time pass, in steps of `step` s (default: at once), and the work of each moment be done."""
        step = step or seconds
        while seconds > 1e-9:
            self.clock.advance(min(step, seconds))
            seconds -= step
            self.settle()
            self.drain()
        return self

    def drain(self) -> None:
        """Takes what is to leave, and acknowledges it."""
        while (batch := self.outbox.take(everything=True)) is not None:
            events = [json.loads(part) for part in batch.parts]
            self.events += events
            self.outbox.acknowledged(batch, {"ok": True})
            levels = [event for event in events if event["event"] == "trigger" and self.runs_commands]
            for event in levels:
                self.supervisor.ran(event["equipment"], event["name"], event["number"])
            if levels and self.supervisor.status():
                self.settle()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind so far, but values that Jeedom takes only where it has lost them."""
        self.drain()
        return [event for event in self.events if event["event"] == kind and not event.get("again")]

    def values(self, equipment: str = "2") -> dict[str, Any]:
        """The newest value of each command of an equipment that was sent."""
        found: dict[str, Any] = {}
        for event in self.of("values"):
            if event["equipment"] == equipment:
                found.update(event["values"])
        return found

    def inverter(self, serial: str) -> dict[str, Any]:
        """The values of one inverter."""
        return self.values(str(10 + self.inverters.index(serial)))

    @property
    def states(self) -> list[str]:
        """The connection's states in the order told."""
        return [event["state"] for event in self._own_states()]

    def _own_states(self) -> list[dict[str, Any]]:
        return [event for event in self.of("connection") if "equipment" not in event]

    def told(self, equipment: str = "2") -> list[dict[str, Any]]:
        """What was told of one equipment alone, in order."""
        return [event for event in self.of("connection") if event.get("equipment") == equipment]

    @property
    def last_state(self) -> dict[str, Any]:
        """The last state event."""
        return self._own_states()[-1]

    @property
    def messages(self) -> list[str]:
        """What went to the message centre."""
        return [event["text"] for event in self.of("message")]

    def forget_events(self) -> None:
        """Starts the record anew; the values known to Jeedom stay known."""
        self.drain()
        self.events.clear()

    def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        """A message of the socket, about this connection unless `fields` says otherwise."""
        whole = fields or {"connection": "1"}
        return self.socket.handle(command, {"apikey": "k", "cmd": command, **whole})

    def asked(self, path: str) -> int:
        """How many requests of a page the gateway has had."""
        return sum(seen.path.split("?")[0] == path for seen in list(self.gateway.requests))

    def close(self) -> None:
        """Ends everything."""
        self.supervisor.stop(5.0)
        self.drain()
        self.store.close()

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
        self._memory.close()
