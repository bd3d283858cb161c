"""One connection under guard: its thread, its device, its state, and what goes wrong in it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from datetime import datetime
from typing import Any, Callable
from zoneinfo import ZoneInfo

from jeedom_bridge.clock import moment
from jeedom_bridge.contract import Catalogue
from jeedom_bridge.logs import LEVELS
from jeedom_bridge.outbox import Delivery, Point
from jeedom_bridge.store import StoreError
from jeedom_bridge.worker import Backoff, Job, Worker, in_thread

from .devices.base import AuthenticationFailed, Connection, Device, DeviceError, LevelState, NoData
from .freshness import Freshness, Silence
from .loads import Loads
from .memory import StoreMemory
from .publish import Publisher
from .remembered import REPORTED, WORKED, mark, reported
from .shared import Shared

_LOG = logging.getLogger(__name__)

HEARTBEAT = 300.0
"""Seconds after which what Jeedom has is sent again, so that it sees life."""
HOUR = 3600.0
LAST_REQUEST_S = 120.0
"""The longest that a stopped connection is waited for. Each of its calls has a limit; the longest is 90 s."""
WATCH_S = 30.0
"""Seconds between two looks at who has become silent."""
FRESHNESS = "freshness"
"""The key of the memory under which ages are kept over a restart."""
UNSAVED = "new"
"""The id under which Jeedom sends a connection that it has not saved yet."""


class Runner:
    """Runs one connection; is the `Context` of its device.

    With `silent`, nothing but progress is sent to Jeedom: for tests of connections that are not saved yet.
    """

    def __init__(
        self,
        connection: Connection,
        device_class: type[Device],
        catalogue: Catalogue,
        shared: Shared,
        predecessors: Sequence[Runner] = (),
        silent: bool = False,
    ) -> None:
        """`predecessors`: stopped runners of the same connection, oldest first, whose threads have not ended yet."""
        self.clock = shared.clock
        self.catalogue = catalogue
        self.connection = connection
        self.memory = StoreMemory(shared.store, connection.id)
        self.unsaved = StoreMemory(shared.store, UNSAVED)
        self.shared_memory = StoreMemory(shared.store, f"backend:{connection.backend}")
        self.counters: dict[str, int] = {}
        self.state = "connecting"
        self.since = shared.clock.time()
        self.last_update: float | None = None
        self.last_error: str | None = None
        self._shared = shared
        self._predecessors = predecessors
        self._silent = silent
        self._ended = False
        self._lock = threading.RLock()
        self._reported: tuple[str, str] | None = None
        self._troubles: dict[str, tuple[str, str, str] | None] = {}
        self._silences: dict[str, dict[str, NoData]] = {}
        self._shown: dict[str, tuple[str, str, str] | None] = reported(self.memory.get(REPORTED))
        self._resumed = False
        self._settings = mark(connection.config)
        self._worked = self.memory.get(WORKED) == self._settings
        self._failing_since: float | None = None
        self._until: float | None = None
        self._backoff = Backoff(2.0, 60.0)
        self._refused: list[Job] = []
        self._mistake: str | None = None
        self._publisher = Publisher(catalogue, shared.outbox, shared.clock, shared.texts, shared.board)
        ages = predecessors[-1].freshness.state() if predecessors else self.memory.get(FRESHNESS)
        self.freshness: Freshness = Freshness(catalogue, shared.clock, ages)
        self.device = device_class(connection, self)
        self.worker = Worker(f"connection-{connection.id}", shared.clock, self._job_failed)
        self._loads = Loads(self.memory, shared.clock, self.worker, self._emit)
        self._asides: set[Future[Any]] = set()
        self._freeing = threading.Lock()
        self._freed = False
        self._begun = self._device_started = self._changed_before_start = False
        self.failed_update = False
        """Whether the device may lack what `connection` says: the next desired state is taken over, equal or not."""

    # The life of it, as the supervisor drives it.

    def start(self) -> None:
        """Starts the thread; what the device needs is done there."""
        self._publisher.adopt(self.connection)
        self.freshness.adopt(self.connection)
        self._tell("connecting", "", "")
        self.worker.post("start", self._start, HOUR)
        self.worker.every("heartbeat", HEARTBEAT, self._heartbeat, first=HEARTBEAT, jitter=HEARTBEAT / 10)
        self.worker.every("freshness", WATCH_S, self._watch, first=WATCH_S)
        self.worker.every("keep freshness", HOUR, self._keep_freshness, first=HOUR)
        self.worker.start()

    def update(self, connection: Connection) -> None:
        """Other equipment, commands or names with the same settings: nothing is interrupted."""
        self.failed_update = True
        self._publisher.adopt(connection)
        self.freshness.adopt(connection)
        self.failed_update = False
        self.connection = connection
        self.worker.post("update", self._update_device, HOUR)

    def publish_again(self) -> None:
        """Publishes all that is known once more: Jeedom has refused some of it, and may know better now."""
        self._publisher.adopt(self.connection)

    def stop(self) -> None:
        """Ends without waiting for a call that hangs; nothing of it reaches Jeedom any more."""
        with self._lock:
            self._ended = True
        self._publisher.close()
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
                self._keep_freshness()
                try:
                    self.device.stop()
                except Exception:
                    _LOG.exception("stopping %s", self._label)
        return ended

    def call(self, task: Callable[[], Any]) -> Future[Any]:
        """Runs something in the connection's thread, between its own requests."""
        return self.worker.submit(task)

    def report_failure(self, name: str, future: Future[Any]) -> None:
        """Nobody waits for this call any more: if it fails, that is reported like the failure of a job."""

        def ended(done: Future[Any]) -> None:
            error = None if done.cancelled() else done.exception()
            if isinstance(error, Exception) and not self.worker.stopping:
                self._job_failed(Job(self.worker, name, HOUR, lambda: None, once=True), error)

        future.add_done_callback(ended)

    def call_aside(self, task: Callable[[], Any]) -> Future[Any]:
        """Runs something at once, in a thread of its own. After `stop` the future is cancelled."""
        with self._lock:
            if self._ended:
                cancelled: Future[Any] = Future()
                cancelled.cancel()
                return cancelled
            future = in_thread("question", task)
            self._asides = {each for each in self._asides if not each.done()} | {future}
        return future

    def refresh(self) -> bool:
        """Reads at once, for the user; True. An account that is refused is the connection's state from then on."""
        try:
            self.device.refresh()
        except AuthenticationFailed as error:
            text = self.words(error)
            if self._reported != (error.code, text):
                _LOG.error("%s: %s", self._label, text)
            self.last_error = text
            self._tell(error.state, error.code, text)
            raise
        self.proved()
        return True

    def ran(self, equipment: str, name: str, number: int) -> None:
        """Jeedom has run the command of a level."""
        self.worker.post("ran", lambda: self._ran(equipment, name, number), None)

    def _ran(self, equipment: str, name: str, number: int) -> None:
        if self._loads.ran(equipment, name, number):
            self.device.switched(equipment)

    def proved(self) -> None:
        """The account was found good: what a refusal has put off for long is done now."""
        with self._lock:
            refused, self._refused = self._refused, []
        for job in refused:
            job.run_in(0.0)

    def forget_outbox(self) -> None:
        """What waits for Jeedom of a connection that it no longer has."""
        for identifier in (self.connection.id, *(each.id for each in self.connection.equipment)):
            self._shared.outbox.forget(identifier)

    def close_memory(self) -> None:
        """Writes nothing more, whatever is under way."""
        for memory in (self.memory, self.unsaved, self.shared_memory):
            memory.close()

    def status(self) -> dict[str, Any]:
        """For the `status` command."""
        oldest = self.freshness.oldest()
        with self._lock:
            return {
                "state": self.state,
                "since": moment(self.since),
                "lastUpdate": moment(self.last_update) if self.last_update else None,
                "lastError": self._shared.outgoing(self.last_error) if self.last_error else None,
                "oldest": {"equipment": oldest[0], "at": moment(oldest[1])} if oldest else None,
                "counters": dict(self.counters),
            }

    def _start(self) -> None:
        for each in self._predecessors:
            # One life at a time: the last request of the one before may have renewed a token.
            if not each.finish(LAST_REQUEST_S):
                _LOG.warning("%s: a request of before hangs: what it brings is left out", self._label)
            each.close_memory()
        self._predecessors = ()
        if self.worker.stopping:
            return
        if not self._begun:
            self._begun = True
            self._loads.restore()
            self._loads.adopt(self.connection.equipment_ids)
        self.device.start()
        self._device_started = True
        if self._changed_before_start:
            self._update_device()

    def _update_device(self) -> None:
        self._loads.adopt(self.connection.equipment_ids)
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
        self._publisher.refresh(HEARTBEAT)
        with self._lock:
            self._tell(self.state, *(self._reported or ("", "")), again=True)

    def _watch(self) -> None:
        """Reports who has become silent, and who is back."""
        if not self._resumed:
            self._resumed = True
            for each in self.freshness.silent():  # reported before the daemon was restarted
                self._silences.setdefault(each.equipment, {})[each.says] = self._no_data(each)
        changes = self.freshness.check(connected=self.state == "online")
        for change in changes:
            silences = self._silences.setdefault(change.equipment, {})
            if change.over:
                silences.pop(change.says, None)
                _LOG.info("%s: %s: data again", self._label, self._name(change.equipment))
            else:
                silences[change.says] = self._no_data(change)
            self._show(change.equipment)
        if changes:
            self._keep_freshness()

    def _no_data(self, silence: Silence) -> NoData:
        says = self.say(silence.says)
        if silence.since is None:
            return NoData("Aucune donnée reçue : {says}", says=says)
        when = datetime.fromtimestamp(silence.since, ZoneInfo(self.timezone)).strftime("%d/%m/%Y %H:%M")
        return NoData("Aucune donnée depuis le {when} : {says}", when=when, says=says)

    def _keep_freshness(self) -> None:
        if not self._silent:
            self.memory.keep(FRESHNESS, self.freshness.state())

    # What goes wrong.

    def _job_failed(self, job: Job, error: Exception) -> float | None:
        pause = self._backoff.next()
        if isinstance(error, DeviceError):
            code, text = error.code, self.words(error)
            if isinstance(error, AuthenticationFailed):
                pause = HOUR
                with self._lock:
                    self._refused = [*(each for each in self._refused if each is not job), job]
            if error.retry is not None:
                pause = error.retry
            state = error.state
        else:
            code, state = "internal", "error"
            text = self._shared.texts.mistake(error)
            if job.name == "update":
                # No mistake of ours passes by itself, and data that come meanwhile would have it told anew each time.
                pause = HOUR
        now = self.clock.monotonic()
        with self._lock:
            if self._failing_since is None:
                self._failing_since = now
            calm = self.state in ("online", "waiting") or (self._worked and self.state == "connecting")
            patient = calm and now - self._failing_since < self.device.grace
            news = self._reported != (code, text)
        self.last_error = text
        if patient and state in ("unreachable", "error"):
            if code == "internal" and self._mistake != text:
                self._mistake = text  # nothing that passes by itself: where it happened is wanted
                _LOG.error("%s: %s", self._label, text, exc_info=None if isinstance(error, StoreError) else error)
            _LOG.debug("%s: %s (not reported yet)", self._label, text)
            return min(pause, job.period)
        if news:
            # A disk that is full is no mistake of ours: where it was noticed tells nobody anything.
            internal = not isinstance(error, (DeviceError, StoreError))
            _LOG.error("%s: %s", self._label, text, exc_info=error if internal else None)
        else:
            _LOG.debug("%s: still: %s (%s)", self._label, text, job.name)
        self._tell(state, code, text, until=self.clock.time() + pause if state == "waiting" else None)
        return pause

    @property
    def _label(self) -> str:
        return f"{self.connection.backend} {self.connection.name or self.connection.id}"

    def _tell(self, state: str, code: str, text: str, until: float | None = None, again: bool = False) -> None:
        with self._lock:  # until the outbox has it: of two threads the later one tells the state that holds
            if self._ended or (not again and self.state == state and self._reported == (code, text)):
                return
            if self.state != state:
                self.state, self.since = state, self.clock.time()
            if not self._silent:
                self._shared.board.report_state(self.connection.id, state)
            self._reported = (code, text)
            self._until = self._until if again else until
            event: dict[str, Any] = {"event": "connection", "connection": self.connection.id, "state": state}
            if state == "waiting" and self._until is not None:
                event["until"] = moment(self._until)
            if code:
                event["code"] = code
            if text:
                event["message"] = self._shared.outgoing(text)
            self._emit(event, merge=("connection", self.connection.id))

    def _emit(self, event: Mapping[str, Any], merge: object = None) -> None:
        with self._lock:  # nothing once `stop` has returned
            if not self._silent and not self._ended:
                self._shared.outbox.event(event, merge)

    # What a device may ask (Context).

    @property
    def timezone(self) -> str:
        return self._shared.timezone

    def say(self, template: str, **values: object) -> str:
        return self._shared.texts(template, **values)

    def words(self, error: DeviceError) -> str:
        return self.say(error.template, **error.values)

    def every(self, name: str, period: float, job: Callable[[], None], first: float = 0.0) -> Job:
        return self.worker.every(name, period, job, first)

    def online(self) -> None:
        with self._lock:
            self.last_update = self.clock.time()
            if self.state == "online" and self._failing_since is None:
                return
            self._backoff.reset()
            told = self.state != "online"
            self._failing_since = None
            self.last_error = None
            if told:
                _LOG.info("%s is online", self._label)
                self._tell("online", "", "")
                if not self._silent and self.memory.get(WORKED) != self._settings:
                    self.memory.keep(WORKED, self._settings)

    def publish(self, equipment: str, facts: Mapping[str, Any], at: float | None = None) -> None:
        if not self._silent and not self._ended:
            self.freshness.seen(equipment, (name for name, raw in facts.items() if raw is not None), at)
            self._publisher.facts(equipment, facts, at)

    def confirm(self, equipment: str, facts: Iterable[str] | None = None, at: float | None = None) -> None:
        if not self._silent and not self._ended:
            self.freshness.seen(equipment, self._publisher.confirm(equipment, facts, at), at)

    def history(self, equipment: str, series: Mapping[str, Sequence[Point]]) -> Delivery:
        for command, points in series.items():
            if points:
                self.freshness.seen(
                    equipment, (command,), max(datetime.fromisoformat(at).timestamp() for at, _ in points)
                )
        if not self._silent and not self._ended:
            self._publisher.history(equipment, series)
        return self._shared.outbox.history(equipment, series, lambda: self._silent or self._ended)

    def trouble(self, equipment: str, error: DeviceError | None) -> None:
        with self._lock:
            self._troubles[equipment] = (error.state, error.code, self.words(error)) if error is not None else None
        self._show(equipment)

    def _show(self, equipment: str) -> None:
        """Reports an equipment's own state when it has changed: its trouble, else its silence, else that it works."""
        with self._lock:
            silent = list(self._silences.get(equipment, {}).values())
            shown = self._troubles.get(equipment)
            if not self._silent and not self._ended:
                # What has only become silent is told by its age, of each quantity by its own.
                self._shared.board.report_state(equipment, shown[0] if shown else "online")
            label = self._label
            if shown is None and silent:
                label = f"{label}: {self._name(equipment)}"
                shown = (silent[0].state, silent[0].code, " ".join(self.words(each) for each in silent))
            if self._shown.get(equipment) == shown:
                return
            self._shown[equipment] = shown
            if not self._silent:
                self.memory.keep(REPORTED, {each: list(state) for each, state in self._shown.items() if state})
            event = {"event": "connection", "connection": self.connection.id, "equipment": equipment}
            if shown is None:
                event["state"] = "online"
            else:
                state, code, text = shown
                _LOG.error("%s: %s", label, text)
                event.update(state=state, code=code, message=self._shared.outgoing(text))
            self._emit(event, merge=("connection", self.connection.id, equipment))

    def _name(self, equipment: str) -> str:
        found = self.connection.find(equipment)
        return found.name or found.key if found is not None else equipment

    def message(self, level: str, template: str, **values: object) -> None:
        text = self.say(template, **values)
        if self.connection.name:
            text = self.say("{name} : {text}", name=self.connection.name, text=text)
        _LOG.log(LEVELS.get(level, logging.INFO), "%s", text)
        event = {
            "event": "message",
            "level": level,
            "text": self._shared.outgoing(text),
            "connection": self.connection.id,
        }
        self._emit(event)

    def progress(self, operation: str, percent: float, template: str, **values: object) -> None:
        event = {
            "event": "progress",
            "connection": self.connection.id,
            "operation": operation,
            "percent": max(0, min(100, round(percent, 1))),
            "text": self._shared.outgoing(self.say(template, **values)),
        }
        # Also of a connection that is not saved as it stands in the form: whoever pressed the button waits for it.
        with self._lock:
            if not self._ended:
                self._shared.outbox.event(event, merge=("progress", self.connection.id, operation))

    def trigger(self, equipment: str, name: str, value: Any, expires: float) -> None:
        now = self.clock.time()
        event = {"event": "trigger", "equipment": equipment, "name": name, "value": value}
        self._emit({**event, "at": moment(now), "expires": moment(now + expires)})

    def want(self, equipment: str, name: str, value: Any = None, lifetime: float | None = None) -> None:
        self._loads.want(equipment, name, value, lifetime)

    def level(self, equipment: str) -> LevelState:
        return self._loads.state(equipment)

    def hide(self, *values: object) -> None:
        self._shared.masker.register_renewed(*values)

    def count(self, counter: str, by: int = 1) -> None:
        with self._lock:
            self.counters[counter] = self.counters.get(counter, 0) + by

    @property
    def stopping(self) -> bool:
        return self.worker.stopping

    def pause(self, seconds: float) -> bool:
        return self.worker.pause(seconds)

    def lull(self) -> float:
        return self._shared.lull()
