"""An account whose time is moved by hand: its jobs run in the test's own thread, days in seconds.

The cloud is the simulated one, over real sockets, on the same clock. The stream is either the real one (which then is
refused in some way: its pings would not keep up with the clock) or, with `quiet`, one that is open and says nothing but
what the test hands to `tell`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Optional

from jeenergied.devices.base import AuthenticationFailed, Connection, DeviceError, Equipment
from jeenergied.devices.easee.device import Device

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.templates import fill
from simulators.easee.product import stamp
from tests.support.contract import CONTRACT

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = CONTRACT.catalogues["easee"]
ROWS = [row for row in CATALOGUE.all_rows("charger") if row.source]
HOUR, DAY = 3600.0, 86400.0


class Memory(dict):
    """What a connection keeps; another object over the same dictionary is a restart."""

    def put(self, key: str, value: Any) -> None:
        self[key] = value

    keep = put

    def delete(self, key: str) -> None:
        self.pop(key, None)


class Job:
    """A job of the connection."""

    def __init__(self, crank: Crank, name: str, period: float, function: Callable[[], None], first: float) -> None:
        self.name, self.period, self.function = name, period, function
        self.due = crank.clock.monotonic() + first
        self._clock = crank.clock

    def run_in(self, seconds: float) -> None:
        self.due = self._clock.monotonic() + seconds


class QuietLink:
    """An open stream that says nothing by itself."""

    def __init__(self) -> None:
        self.live, self.down_since, self.asked = True, None, []
        self.reached = True

    def want(self, serials: Iterable[str]) -> None:
        self.serials = list(serials)

    def again(self, serial: str) -> None:
        self.asked.append(serial)

    def drop(self, error: DeviceError) -> None:
        raise error

    def tick(self) -> None:
        pass

    @contextmanager
    def attention(self) -> Iterator[None]:
        yield

    def due(self) -> float:
        return 10.0

    def alive(self) -> bool:
        return self.reached

    def close(self) -> None:
        pass


class Crank:
    """The core's side of an account; `values` and `dates` are what Jeedom was told last of the first charger."""

    timezone = "Europe/Paris"
    stopping = False

    def __init__(
        self,
        clock: ManualClock,
        config: Mapping[str, Any],
        serials: Iterable[str],
        memory: Optional[Memory] = None,
        shared: Optional[Memory] = None,
        quiet: bool = False,
    ) -> None:
        self.clock = clock
        self.catalogue = CATALOGUE
        self.memory = Memory() if memory is None else memory
        self.unsaved = Memory()
        self.shared_memory = Memory() if shared is None else shared
        self.jobs: list[Job] = []
        self.errors: list[DeviceError] = []
        self.messages: list[str] = []
        self.troubles: list[tuple[str, Optional[str]]] = []
        self.told: list[tuple[str, str, Any, Optional[float]]] = []
        self.values: dict[str, Any] = {}
        self.dates: dict[str, Optional[float]] = {}
        self.counters: dict[str, int] = {}
        members = tuple(Equipment(f"1{n}", "charger", serial, serial, {}, {}) for n, serial in enumerate(serials))
        self.device = Device(Connection("1", "easee", "Compte", dict(config), {}, members), self)  # type: ignore[arg-type]
        if quiet:
            self.device._session = QuietLink()
        self.device.start()

    # Time.

    def run(self, seconds: float) -> None:
        """Lets time pass, with all jobs at their times."""
        run([self], seconds)

    def work(self, job: Job) -> None:
        """Runs a job as the core does."""
        job.due += job.period
        try:
            job.function()
        except DeviceError as error:
            self.errors.append(error)
            pause = HOUR if isinstance(error, AuthenticationFailed) else 60.0
            job.run_in(pause if error.retry is None else error.retry)

    # The stream.

    def tell(self, serial: str, values: Mapping[int, Any], at: Optional[float] = None) -> None:
        """The stream brings observations of `at` (Unix time, default now)."""
        when = stamp(self.clock.time() if at is None else at)
        for observation, value in values.items():
            record = {"mid": serial, "dataType": 0, "id": observation, "timestamp": when, "value": str(value)}
            self.device.invoked("ProductUpdate", [record])

    # What the device asks for (Context).

    def every(self, name: str, period: float, job: Callable[[], None], first: float = 0.0) -> Job:
        self.jobs.append(Job(self, name, period, job, first))
        return self.jobs[-1]

    def translate(self, template: str, **values: object) -> str:
        return fill(template, values)

    def describe(self, error: DeviceError) -> str:
        return str(error)

    def publish(self, equipment: str, facts: Mapping[str, Any], at: Optional[float] = None) -> None:
        for row in ROWS:
            if row.source in facts:
                self.told.append((equipment, row.logical_id, row.value(facts[row.source]), at))
                if equipment == "10":
                    self.values[row.logical_id], self.dates[row.logical_id] = self.told[-1][2], at

    def confirm(self, equipment: str, facts: Iterable[str], at: Optional[float] = None) -> None:
        for row in ROWS:
            if row.source in facts and equipment == "10" and row.logical_id in self.dates:
                self.dates[row.logical_id] = at

    def report_equipment_error(self, equipment: str, error: Optional[DeviceError]) -> None:
        told = (equipment, None if error is None else str(error))
        if told not in self.troubles[-1:]:
            self.troubles.append(told)

    def message(self, level: str, template: str, **values: object) -> None:
        self.messages.append(template.format(**values))

    def count(self, counter: str, by: int = 1) -> None:
        self.counters[counter] = self.counters.get(counter, 0) + by

    def online(self) -> None:
        pass

    def mask(self, *values: object) -> None:
        pass

    def pause(self, seconds: float) -> bool:
        return True

    def quiet_period(self) -> float:
        return 0.0


def run(cranks: list[Crank], seconds: float) -> None:
    """Lets time pass for several accounts of one machine."""
    clock = cranks[0].clock
    end = clock.monotonic() + seconds
    while True:
        crank, job = min(((c, j) for c in cranks for j in c.jobs), key=lambda each: each[1].due)
        if job.due > end:
            clock.advance(end - clock.monotonic())
            return
        clock.advance(max(0.0, job.due - clock.monotonic()))
        crank.work(job)
