"""A connection run by hand, that can be killed at each of its steps, and whose store can fail at each of its writes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, Optional

from jeenergied.connections.runner import Runner
from jeenergied.connections.services import Services
from jeenergied.devices import device_class
from jeenergied.devices.base import Connection
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge import Contract, Masker, Outbox, Store
from jeedom_bridge.clock import ManualClock
from jeedom_bridge.outbox import Delivery, Point
from jeedom_bridge.store import StoreError

CORE = Path(__file__).resolve().parents[2] / "core"
CONTRACT = Contract(CORE / "contract")
FULL = os.environ.get("JEENERGIE_FIRE") == "full"
"""The long form tries every step, and more moments of a kill after a failed write."""


class Killed(BaseException):
    """The process ends here: nothing in it may handle this."""


class Steps:
    """Counts what is done; kills at step `kill_at`, lets the store fail from step `fail_from` on, `fails` times."""

    def __init__(self, kill_at: Optional[int] = None, fail_from: Optional[int] = None, fails: int = 1) -> None:
        self.kill_at, self.fail_from, self.fails = kill_at, fail_from, fails
        self.done: list[str] = []
        self.counting = False

    def step(self, what: str) -> None:
        """One step; raises Killed if it is the last."""
        if not self.counting:
            return
        self.done.append(what)
        if len(self.done) - 1 == self.kill_at:
            self.counting = False
            raise Killed(what)

    def write_fails(self) -> bool:
        """Whether the store cannot write now."""
        if not self.counting or self.fail_from is None or len(self.done) < self.fail_from or self.fails <= 0:
            return False
        self.fails -= 1
        return True


class FragileStore(Store):
    """A store whose writes are steps."""

    def __init__(self, path: Path, steps: Steps) -> None:
        self._steps = steps
        super().__init__(path)

    def _flush(self) -> None:
        self._steps.step("write")
        if self._steps.write_fails():
            raise StoreError(f"{self.path}: no space left")
        super()._flush()
        self._steps.step("written")

    def lose(self) -> None:
        """The process is gone: what is not on the disk is lost."""
        self._close_database()


class StraightOutbox(Outbox):
    """Jeedom takes measures at once, into `history` by (equipment, command); before and after it has them are steps."""

    def __init__(self, clock: ManualClock, steps: Steps) -> None:
        super().__init__(clock)
        self._steps = steps
        self.history_of: dict[tuple[str, str], dict[str, Any]] = {}

    def history(
        self, equipment: str, series: Mapping[str, Sequence[Point]], given_up: Callable[[], bool] = lambda: False
    ) -> Delivery:
        self._steps.step("hand over")
        for command, points in series.items():
            self.history_of.setdefault((equipment, command), {}).update(points)
        self._steps.step("not acknowledged")
        delivery = Delivery(0)
        delivery.acknowledge(0)
        return delivery


class Life:
    """One connection of a backend; its jobs are done one after the other when they are due, each life in turn.

    `client` names the attribute of the device, and the method of that, through which every request goes.
    """

    def __init__(
        self, folder: Path, clock: ManualClock, connection: Connection, client: tuple[str, str], steps: Steps
    ) -> None:
        self.folder, self.clock, self.connection, self.client, self.steps = folder, clock, connection, client, steps
        self.outbox = StraightOutbox(clock, steps)
        self.lives = 0
        self.failed: list[Exception] = []
        self._begin()

    @property
    def history(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What Jeedom has: points by (equipment, command)."""
        return self.outbox.history_of

    def _begin(self) -> None:
        self.lives += 1
        catalogue = CONTRACT.catalogues[self.connection.backend]
        kind = device_class(self.connection.backend)
        assert kind is not None
        self.store = FragileStore(self.folder / "store.sqlite", self.steps)
        texts = Texts(CORE / "i18n")
        shared = Services(self.clock, self.outbox, self.store, Masker(), texts, Board(self.clock))
        self.runner = Runner(self.connection, kind, catalogue, shared)
        self.runner.publisher.adopt(self.connection)
        self.runner.freshness.adopt(self.connection)
        object.__setattr__(self.runner.context, "pause", self._pause)  # it is frozen
        self.device: Any = self.runner.device
        self._watch_requests()
        self._started = False

    def _watch_requests(self) -> None:
        owner, name = self.client
        client = getattr(self.device, owner)
        request = getattr(client, name)

        def stepping(*arguments: Any, **more: Any) -> Any:
            self.steps.step("ask")
            answer = request(*arguments, **more)
            self.steps.step("answered")
            return answer

        setattr(client, name, stepping)

    def _pause(self, seconds: float) -> bool:
        self.clock.advance(seconds)
        return True

    def attempt(self, work: Callable[[], object]) -> None:
        """Does some work as the worker would; if it was killed, the next life begins."""
        try:
            work()
        except Killed:
            self.store.lose()
            self._begin()
        except Exception as error:
            self.failed.append(error)

    def live(self, seconds: float) -> None:
        """Does what is due until so much time has passed."""
        end = self.clock.time() + seconds
        while True:
            if not self._started:
                life = self.lives
                self.attempt(self._start)
                if self.lives == life and not self._started:
                    self.clock.advance(60.0)  # the start has failed
                continue
            job = min(self.runner.worker._jobs, key=lambda each: each.due)
            wait = job.due - self.clock.monotonic()
            if self.clock.time() + wait > end:
                self.clock.advance(max(0.0, end - self.clock.time()))
                return
            self.clock.advance(max(0.0, wait))
            job.due += job.period
            before, failures, life = job.due, len(self.failed), self.lives
            self.attempt(job.function)
            if self.lives == life and len(self.failed) > failures:
                pause = self.runner._job_failed(job, self.failed[-1])
                if pause is not None and job.due == before:
                    job.due = self.clock.monotonic() + pause
            job.due = max(job.due, self.clock.monotonic() + 0.001)

    def _start(self) -> None:
        self.device.start()
        self._started = True

    def close(self) -> None:
        """The last life ends in order."""
        self.device.stop()
        self.outbox.close()
        self.store.close()


Lived = Callable[[Path, Steps], Any]
"""Lives a connection's story in a folder and returns what is wrong in Jeedom afterwards; empty if nothing is."""


def wrong_after_kills(lived: Lived, folder: Path, count: int, stride: int) -> dict[str, Any]:
    """What is wrong, by the step at which the process was killed (every `stride` of `count`); empty if nothing is."""
    wrong = {}
    for kill_at in range(0, count, stride):
        steps = Steps(kill_at)
        if found := lived(folder / str(kill_at), steps):
            wrong[f"{kill_at} {steps.done[-1]}"] = found
    return wrong


def wrong_after_failures(lived: Lived, folder: Path, count: int, stride: int, fails: int) -> dict[str, Any]:
    """The same by the step from which the store failed `fails` times, and the steps after it until a kill."""
    wrong = {}
    for fail_from in range(0, count, 2 * stride):
        for after in (None, 3, 11) if FULL else (3,):
            steps = Steps(None if after is None else fail_from + after, fail_from, fails)
            if found := lived(folder / f"{fail_from} {after}", steps):
                wrong[f"{fail_from} {after}"] = found
    return wrong
