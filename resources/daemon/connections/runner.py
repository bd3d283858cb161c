"""One connection under guard: its thread, the life of its device, and what other threads may ask of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait
from datetime import datetime, time
from typing import Any, Callable
from zoneinfo import ZoneInfo

from jeedom_bridge.clock import moment
from jeedom_bridge.contract import Catalogue
from jeedom_bridge.worker import Job, Worker, in_thread

from ..devices.base import Connection, Device, DeviceError
from .context import DeviceContext, Memories
from .equipment import FRESHNESS, EquipmentHealth
from .freshness import Freshness
from .health import PERIODS_ONLINE, Health
from .loads import Loads
from .publisher import Publisher
from .relocation import Relocation
from .reports import Reports
from .services import Services

_LOG = logging.getLogger(__name__)

HEARTBEAT_S = 300.0
"""Seconds after which what Jeedom has is sent again, so that it sees life, and has what it may have lost."""
RETRY_S = 3600.0
"""Seconds until a start or a change that failed by a mistake of ours is tried again."""
KEEP_FRESHNESS_S = 3600.0
LAST_REQUEST_S = 120.0
"""The longest that a stopped connection is waited for. Each of its calls has a limit; the longest is 90 s."""
WATCH_S = 30.0
"""Seconds between two looks at who has become silent."""
OVERDUE_WATCH_S = 600.0
"""Seconds between two looks at whether a failure has lasted longer than the connection's grace; a failure sets the next
one to the end of that grace, so that a healthy connection wakes nobody for it."""
MIN_GRACE_S = 30.0
"""Online means that data came within so many seconds at least, else within PERIODS_ONLINE of the user's intervals."""
AWAITING_THE_USER = ("authentication_failed", "untrusted")
"""States that end when the user has put something right."""


def grace_of(device_class: type[Device], connection: Connection, local: time) -> float:
    """Seconds that a working connection may fail before that is reported: no longer than it may be called online.

    `local`: the time of day; in the daily pause of such systems the whole of their grace counts.
    """
    period = connection.config.get("pollInterval")
    if not isinstance(period, (int, float)) or in_daily_pause(device_class, local):
        return device_class.grace
    return min(device_class.grace, max(MIN_GRACE_S, PERIODS_ONLINE * period))


def in_daily_pause(device_class: type[Device], local: time) -> bool:
    """True at a time of day at which all systems of that kind pause: only a try that fails says then that it lasts."""
    pause = device_class.daily_pause
    return pause is not None and pause[0] <= local < pause[1]


class Runner:
    """Runs one connection. Thread-safe; `call` and what posts to the worker are done in the connection's own thread.

    With `silent`, nothing but progress is sent to Jeedom: for tests of connections that are not saved yet.
    """

    def __init__(
        self,
        connection: Connection,
        device_class: type[Device],
        catalogue: Catalogue,
        services: Services,
        predecessors: Sequence[Runner] = (),
        silent: bool = False,
    ) -> None:
        """`predecessors`: stopped runners of the same connection, oldest first, whose threads have not ended yet."""
        clock, outbox, texts, board = services.clock, services.outbox, services.texts, services.board

        def local_time() -> time:
            return datetime.fromtimestamp(clock.time(), ZoneInfo(texts.timezone)).time()

        self._device_class, self._local_time = device_class, local_time
        self._outbox, self._losses = outbox, outbox.losses
        self.catalogue = catalogue
        self.memories = Memories(services.store, connection.id, connection.backend)
        self.reports = Reports(connection, outbox, board, services.outgoing, silent)
        self.health = Health(
            self.reports, texts, clock, self.memories.own, lambda: grace_of(device_class, connection, local_time())
        )
        self.publisher = Publisher(catalogue, outbox, clock, texts, board)
        ages = predecessors[-1].freshness.state() if predecessors else self.memories.own.get(FRESHNESS)
        self.freshness: Freshness = Freshness(catalogue, clock, ages)
        self.troubles = EquipmentHealth(self.reports, texts, self.memories.own, self.freshness)
        self.worker = Worker(f"connection-{connection.id}", clock, self._job_failed)
        self.context = DeviceContext(
            services,
            catalogue,
            self.memories,
            self.reports,
            self.health,
            self.troubles,
            self.publisher,
            self.freshness,
            self.worker,
            Loads(self.memories.own, clock, self.worker, self.reports.event),
        )
        way = catalogue.data["connection"].get("nearby")
        self._relocation = Relocation(way, services.nearby, self.worker, self.reports, self.health, clock)
        self.device = device_class(connection, self.context)
        self._predecessors = predecessors
        self._lock = threading.Lock()
        self._refused: list[Job] = []
        self._asides: set[Future[Any]] = set()
        self._freeing = threading.Lock()
        self._freed = False
        self._overdue: Job | None = None
        self._begun = self._device_started = self._changed_before_start = False
        self.failed_update = False
        """Whether the device may lack what `connection` says: the next desired state is taken over, equal or not."""

    @property
    def connection(self) -> Connection:
        """As Jeedom wants it now."""
        return self.reports.connection

    # Its life, as the supervisor drives it.

    def start(self) -> None:
        """Starts the thread; what the device needs is done there."""
        self.publisher.adopt(self.connection)
        self.freshness.adopt(self.connection)
        self.health.report("connecting")
        self.worker.post("start", self._start, RETRY_S)
        self.worker.every("heartbeat", HEARTBEAT_S, self._heartbeat, first=HEARTBEAT_S, jitter=HEARTBEAT_S / 10)
        self.worker.every("freshness", WATCH_S, self._watch, first=WATCH_S)
        self._overdue = self.worker.every("overdue", OVERDUE_WATCH_S, self._look, first=OVERDUE_WATCH_S)
        self.worker.every("keep freshness", KEEP_FRESHNESS_S, self.troubles.keep, first=KEEP_FRESHNESS_S)
        self.worker.start()

    def update(self, connection: Connection) -> None:
        """Takes other equipment, commands or names with the same settings; nothing is interrupted."""
        self.failed_update = True
        self.publisher.adopt(connection)
        self.freshness.adopt(connection)
        self.failed_update = False
        self.reports.connection = connection
        self.worker.post("update", self._update_device, RETRY_S)

    def publish_again(self) -> None:
        """Publishes all that is known once more: Jeedom has refused some of it, and may know better now."""
        self.publisher.adopt(self.connection)

    def stop(self) -> None:
        """Ends without waiting for a call that hangs; nothing of it reaches Jeedom any more."""
        with self._lock:
            self.reports.end()
        self.publisher.close()
        self.worker.stop()

    def finish(self, timeout: float) -> bool:
        """After `stop`: waits for what is under way, then frees the device. False if that hangs in a call."""
        ended = self.worker.join(timeout)
        with self._lock:
            asides = set(self._asides)
        ended = not wait(asides, timeout if ended else 0.0).not_done and ended
        with self._freeing:  # once, however many wait for the end; the others go on when it is done
            if not self._freed:
                self._freed = True
                self.troubles.keep()
                try:
                    self.device.stop()
                except Exception:
                    _LOG.exception("stopping %s", self.reports.label)
        return ended

    def _start(self) -> None:
        for each in self._predecessors:
            # One life at a time: the last request of the one before may have renewed a token.
            if not each.finish(LAST_REQUEST_S):
                _LOG.warning("%s: a request of before hangs: what it brings is left out", self.reports.label)
            each.memories.close()
        self._predecessors = ()
        if self.worker.stopping:
            return
        loads = self.context.loads
        if not self._begun:
            self._begun = True
            loads.restore()
            loads.adopt(self.connection.equipment_ids)
        self.device.start()
        self._device_started = True
        if self._changed_before_start:
            self._update_device()

    def _update_device(self) -> None:
        self.context.loads.adopt(self.connection.equipment_ids)
        self.device.connection = self.connection
        self._changed_before_start = not self._device_started
        if self._device_started:
            try:
                self.device.changed()
            except BaseException:
                self.failed_update = True
                raise
            self.failed_update = False

    def _heartbeat(self) -> None:
        self.publisher.refresh(HEARTBEAT_S)
        self.health.repeat()
        if (losses := self._outbox.losses) != self._losses:
            self._losses = losses
            self.troubles.repeat()

    def _watch(self) -> None:
        self.troubles.watch(connected=self.health.state == "online")

    def _job_failed(self, job: Job, error: Exception) -> float | None:
        if isinstance(error, DeviceError) and error.state in AWAITING_THE_USER:
            with self._lock:
                self._refused = [*(each for each in self._refused if each is not job), job]
        pause = self.health.failed(error, job.name, job.period)
        self._relocation.failed(self.device, error)
        self._look()
        return pause

    def _look(self) -> None:
        rest = self.health.look(between_tries=not in_daily_pause(self._device_class, self._local_time()))
        if rest is not None and self._overdue is not None:
            self._overdue.run_in(rest)

    # What other threads ask of it.

    def call(self, task: Callable[[], Any]) -> Future[Any]:
        """Runs something in the connection's thread, between its own requests."""
        return self.worker.submit(task)

    def call_aside(self, task: Callable[[], Any]) -> Future[Any]:
        """Runs something at once, in a thread of its own. After `stop` the future is cancelled."""
        with self._lock:
            if self.reports.ended:
                cancelled: Future[Any] = Future()
                cancelled.cancel()
                return cancelled
            future = in_thread("question", task)
            self._asides = {each for each in self._asides if not each.done()} | {future}
        return future

    def report_failure(self, name: str, future: Future[Any]) -> None:
        """Nobody waits for this call any more: if it fails, that is reported like the failure of a job."""

        def ended(done: Future[Any]) -> None:
            error = None if done.cancelled() else done.exception()
            if isinstance(error, Exception) and not self.worker.stopping:
                self._job_failed(Job(self.worker, name, RETRY_S, lambda: None, once=True), error)

        future.add_done_callback(ended)

    def refresh(self) -> bool:
        """Reads at once, for the user; True. A failure is the connection's state from then on, without patience."""
        try:
            self.device.refresh()
        except DeviceError as error:
            if error.state != "waiting":
                self.health.refused(error)
            raise
        self.credentials_accepted()
        return True

    def credentials_accepted(self) -> None:
        """Runs the jobs that were postponed until the user has put something right."""
        with self._lock:
            refused, self._refused = self._refused, []
        for job in refused:
            job.run_in(0.0)

    def ran(self, equipment: str, name: str, number: int) -> None:
        """Jeedom has run the command of a level."""

        def take() -> None:
            if self.context.loads.ran(equipment, name, number):
                self.device.switched(equipment)

        self.worker.post("ran", take, None)

    def status(self) -> dict[str, Any]:
        """For the `status` command."""
        oldest = self.freshness.oldest()
        age = {"equipment": oldest[0], "at": moment(oldest[1])} if oldest else None
        return {**self.health.status(), "oldest": age}
