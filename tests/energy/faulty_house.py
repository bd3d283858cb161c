"""A house whose gateway, clock and daemon fail, in virtual time: plant, real backend, board, house and book.

The gateway answers in memory. The meter of the bill is a device of its own, which the columns of the gateway must not
contradict.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Optional
from urllib.parse import parse_qsl, urlsplit

from jeenergied.connections.publisher import Publisher
from jeenergied.devices.base import Connection, DeviceError, Equipment
from jeenergied.devices.enphase.device import Device
from jeenergied.devices.enphase.gateway.client import Gateway
from jeenergied.energy.device import House
from jeenergied.energy.ledger.store import Book
from jeenergied.energy.money.offers import PriceGrid
from jeenergied.energy.ports import Reading, Source
from jeenergied.readings import Board, Measure, Slot

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.http import Response as Answer
from jeedom_bridge.http.errors import BrokenOff, ConnectFailed, ReadTimeout
from jeedom_bridge.worker import Backoff
from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant
from simulators.enphase.storage import Storage
from simulators.server import Request
from simulators.soak import book as judge
from tests.support.contract import CONTRACT, CORE
from tests.support.fuzz import Memory

from .house import PARIS, RULES
from .test_house import World

BILL = "9"
"""The equipment that counts for the supplier."""
INDEX = Measure("meter.energy", "counter", "base")
GRACE_S = 30.0
GRID = PriceGrid(json.loads((CORE / "contract" / "tariffs.json").read_text("utf-8")))


class DaemonClock:
    """The daemon's clock: `ahead` s before the true one."""

    def __init__(self, true: ManualClock) -> None:
        self._true, self.ahead = true, 0.0

    def time(self) -> float:
        return self._true.time() + self.ahead

    def monotonic(self) -> float:
        return self._true.monotonic()


class Job:
    """One job of the connection."""

    def __init__(self, clock: ManualClock, period: float, function: Callable[[], Any], first: float) -> None:
        self._clock, self.period, self.function = clock, period, function
        self.due = clock.monotonic() + first

    def run_in(self, seconds: float) -> None:
        self.due = min(self.due, self._clock.monotonic() + seconds)

    def reschedule(self, period: float) -> None:
        self.period = period
        self.due = min(self.due, self._clock.monotonic() + period)


class EvenBackoff(Backoff):
    """Pauses without chance, so that a run can be had again."""

    def next(self) -> float:
        self.failures += 1
        return min(self._limit, self._first * 2.0 ** (self.failures - 1))


class Context:
    """What the core does for the gateway's connection."""

    timezone = "Europe/Paris"
    stopping = False
    catalogue = CONTRACT.catalogues["enphase"]

    def __init__(self, home: FaultyHouse) -> None:
        self.clock, self.memory = home.clock, home.memory
        self.jobs: list[Job] = []
        self._home = home
        outbox: Any = SimpleNamespace(
            values=lambda *_a, **_k: None, event=lambda *_a, **_k: None, forget=lambda *_: None
        )
        self.publisher = Publisher(self.catalogue, outbox, home.clock, str, home.board)  # type: ignore[arg-type]

    def every(self, name: str, period: float, job: Callable[[], Any], first: float = 0.0) -> Job:
        self.jobs.append(Job(self._home.true, period, job, first))
        return self.jobs[-1]

    def publish(self, equipment: str, facts: Mapping[str, Any], at: Optional[float] = None) -> None:
        self.publisher.facts(equipment, facts, at)

    def online(self) -> None:
        self._home.board.report_state("1", "online")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *arguments, **named: None


class InMemory(Gateway):
    """The client, whose requests are answered without a wire, in virtual time."""

    def __init__(self, home: FaultyHouse) -> None:
        super().__init__("gateway", 443)
        self._home, self._pinned, self._token = home, "00", home.gateway.token()
        self._cookie = ""

    def use_token(self, token: str) -> None: ...

    def _once(self, path: str, headers: Mapping[str, str], read: float) -> Answer:
        home = self._home
        now = home.true.monotonic()
        if now < home.down_until:
            raise ConnectFailed("refused")
        parts = urlsplit(path)
        found = home.gateway._answer(Request("GET", path, parts.path, dict(parse_qsl(parts.query)), dict(headers), b""))
        wait = min(found.delay, read)
        if wait > 0:
            home.others_live(wait)
        if found.how == "hang" or found.delay > read:
            raise ReadTimeout("timed out")
        if found.how != "whole":
            raise BrokenOff("broken off")
        if now < home.busy_until:
            return Answer(503, {}, b"")
        return Answer(found.status, {}, found.body)


class FaultyHouse:
    """`poll_s`: how often gateway and house look. Faults as of `EnphaseGateway`; times in s."""

    def __init__(
        self,
        folder: Path,
        begin: float,
        poll_s: float = 5.0,
        hour: float = 10.0,
        sky_speed: float = 20.0,
        seed: int = 7,
    ) -> None:
        self.true = ManualClock(begin)
        self.clock: Any = DaemonClock(self.true)
        self.folder, self.poll_s = folder, poll_s
        self.memory = Memory()
        self.world_memory: dict[str, Any] = {}
        self.plant = Plant(self.true.time, seed=seed, storage=Storage(energy=2_000.0), hour=hour, sky_speed=sky_speed)
        self.source = DaySource(self.plant)
        self.gateway = EnphaseGateway(self.source, clock=self.true.time)
        self.down_until = self.busy_until = self.zeros_until = float("-inf")
        self.bill_answers = True
        self.bill_held_until = float("-inf")
        self.bill_index = 5_000_000.0
        self._busy = False
        self.begin()

    # The daemon's life.

    def begin(self) -> None:
        """A new life of the daemon."""
        self.board = Board(self.clock)
        self.context = Context(self)
        context: Any = self.context
        rows = context.catalogue.rows("combined", {}, {})
        commands: dict[str, Any] = {row.logical_id: {} for row in rows}
        config = {"host": "gateway", "tokenMode": "manual", "pollInterval": self.poll_s}
        member = Equipment("2", "combined", "x", "", {}, commands)
        connection = Connection("1", "enphase", "", config, {}, (member,))
        self.context.publisher.adopt(connection)
        self.device = Device(connection, context)
        self.device._backoff = EvenBackoff(2.0, 60.0)
        client = InMemory(self)
        self.device._gateway = self.device._endpoints.gateway = client
        self.device._tokens = SimpleNamespace(  # type: ignore[assignment]
            current=lambda _serial: SimpleNamespace(text="x"), watch=lambda *_: None
        )

        def sign_in() -> Any:
            self.device._know(client.info())

        self.device._sign_in = sign_in  # type: ignore[method-assign]
        self.board.adopt("8", {BILL: {INDEX: Slot("base", "base")}})
        self.world = World(memory=self.world_memory)
        self.world.newest = self._readings  # type: ignore[method-assign]
        self.book = Book(self.folder / "house.sqlite")
        self.house = House(self.world, self.world, self.world, self.book, RULES, GRID, PARIS)
        self._started = False
        self._failed_since: Optional[float] = None
        now = self.true.monotonic()
        self._look_due = self._bill_due = now
        self._start_due = now
        self.context.jobs.clear()

    def kill(self) -> None:
        """kill -9, and a start at once."""
        self.book.close()
        self.begin()

    def _readings(self) -> Iterable[Reading]:
        now = self.clock.time()
        for each in self.board.readings():
            if each.per not in ("day", "month", "year", "measure"):
                source = Source(each.equipment, each.command, each.quantity, each.per, each.part, each.equipment)
                yield Reading(source, each.value, now - each.age_s, bool(each.doubt))

    # Time.

    def live(self, seconds: float) -> None:
        """Lets true time pass."""
        end = self.true.monotonic() + seconds
        while True:
            due, act = min(self._due(), key=lambda each: each[0])
            now = self.true.monotonic()
            if due >= end:
                self.true.advance(max(0.0, end - now))
                return
            self.true.advance(max(0.0, due - now))
            act()

    def _due(self) -> list[tuple[float, Callable[[], None]]]:
        found: list[tuple[float, Callable[[], None]]] = [(self._look_due, self._look), (self._bill_due, self._bill)]
        if not self._busy and not self._started:
            found.append((self._start_due, self._start))
        elif not self._busy:
            job = min(self.context.jobs, key=lambda each: each.due)
            found.append((job.due, lambda: self._run(job)))
        return found

    def others_live(self, seconds: float) -> None:
        """The connection waits for an answer."""
        if self._busy:
            self.true.advance(seconds)
            return
        self._busy = True
        try:
            self.live(seconds)
        finally:
            self._busy = False

    def _start(self) -> None:
        try:
            self.device.start()
            self._started = True
        except DeviceError:
            self.context.jobs.clear()
            self.device._watching = False
            self._start_due = self.true.monotonic() + 5.0

    def _run(self, job: Job) -> None:
        job.due = max(job.due, self.true.monotonic()) + job.period
        try:
            job.function()
            self._failed_since = None
        except DeviceError:
            now = self.true.monotonic()
            if self._failed_since is None:
                self._failed_since = now
            if now - self._failed_since > GRACE_S:
                self.board.report_state("1", "unreachable")

    def _look(self) -> None:
        self._look_due = self.true.monotonic() + self.poll_s
        self.house.look(self.clock.time(), self.true.monotonic())

    def _bill(self) -> None:
        """The meter of the bill tells whole Wh."""
        self._bill_due = self.true.monotonic() + self.poll_s
        if not self.bill_answers:
            return
        held = self.true.monotonic() < self.bill_held_until
        self.board.put(BILL, {INDEX: None if held else self.bill_index + int(self._drawn())})

    def _drawn(self) -> float:
        with self.plant.lock:
            self.plant.advance()
            return self.plant.meters["net-consumption"][0].delivered

    # What fails.

    def reboot(self, down: float, busy: float, zeros: float) -> None:
        now = self.true.monotonic()
        self.down_until, self.busy_until = now + down, now + down + busy
        self.zeros_until = self.busy_until + zeros

    def fault(self, kind: str, value: Any = None) -> None:
        """Puts a fault in force; `clear` ends it."""
        if kind == "reboot":
            each = float(value or 6) / 3
            self.reboot(each, each, each)
        elif kind == "network":
            self.down_until = float("inf")
        elif kind == "clock":
            self.clock.ahead = float(value)
        elif kind == "kill":
            self.kill()
        elif kind == "reset_index":
            self.source.reset_index("production", value)
        elif kind == "bill silent":
            self.bill_answers = False
        elif (
            kind == "bill restarts"
        ):  # its backend does not believe that at once, and says meanwhile that it is not known
            self.bill_index = -float(int(self._drawn()))
            self.bill_held_until = self.true.monotonic() + 905.0
        else:
            self.gateway.fault(kind, value=value)

    def clear(self) -> None:
        """All faults are over."""
        if self.down_until == float("inf"):
            self.down_until = float("-inf")
        self.clock.ahead = 0.0
        self.bill_answers = True
        self.gateway.clear()

    # What is in the book.

    def rows(self) -> list[judge.Row]:
        """After a last look."""
        self.house.ledger.flush(self.clock.time())
        return judge.rows(self.folder)

    def contradictions(self) -> list[str]:
        """See `judge`."""
        return judge.contradictions(self.rows())

    def close(self) -> None:
        """The end."""
        self.book.close()
