"""One thread per connection: periodic jobs without drift or overlap, tasks at once, stop within a second."""

from __future__ import annotations

import logging
import math
import random
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Callable

from .clock import Clock

_LOG = logging.getLogger(__name__)


class Backoff:
    """Growing pauses: `first`, twice that, ... up to `limit` seconds, each varied by a quarter either way."""

    def __init__(self, first: float, limit: float) -> None:
        self._first = first
        self._limit = limit
        self.failures = 0

    def next(self) -> float:
        """The pause in seconds after one more failure."""
        pause = min(self._limit, self._first * 2 ** min(self.failures, 30))
        self.failures += 1
        return float(min(self._limit, pause * random.uniform(0.75, 1.25)))

    def reset(self) -> None:
        """Starts again with the first pause, after a success."""
        self.failures = 0


class Job:
    """A function that runs every `period` seconds (`Worker.every`) or until it succeeds (`Worker.post`)."""

    def __init__(
        self, worker: Worker, name: str, period: float, function: Callable[[], None], once: bool = False
    ) -> None:
        self.name = name
        self.function = function
        self.once = once
        self._worker = worker
        self._period = period
        self.due = 0.0

    @property
    def period(self) -> float:
        """Seconds from one run to the next."""
        return self._period

    def reschedule(self, period: float) -> None:
        """Changes the period; the next run is at most one new period away."""
        self._worker.reschedule(self, period)

    def run_in(self, seconds: float) -> None:
        """Sets the next run; the fixed rate goes on from there."""
        self._worker.run_in(self, seconds)


class Worker:
    """A thread that runs jobs and tasks one at a time.

    A job that takes longer than its period is not run twice in a row: the runs it missed are left out and the
    rhythm stays. Exceptions of jobs go to `on_error(job, exception)`; what that returns, in seconds, is the
    pause before the job's next run (None: the usual one). Exceptions of tasks go to their future; those of tasks
    that nobody waits for (`post`) go to `on_error` as well.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        on_error: Callable[[Job, Exception], float | None],
    ) -> None:
        self._clock = clock
        self._on_error = on_error
        self._changed = threading.Condition()
        self._jobs: list[Job] = []
        self._tasks: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def every(
        self, name: str, period: float, function: Callable[[], None], first: float = 0.0, jitter: float = 0.0
    ) -> Job:
        """Runs `function` every `period` s, the first time in `first` s plus up to `jitter` s by chance."""
        job = Job(self, name, period, function)
        with self._changed:
            job.due = self._clock.monotonic() + first + random.uniform(0, jitter)
            self._jobs.append(job)
            self._changed.notify_all()
        return job

    def post(self, name: str, task: Callable[[], None], retry: float | None) -> None:
        """Runs a task that nobody waits for, in its turn among those of `submit`.

        An exception goes to `on_error`, as a job's; the task is then tried again after the pause which that returns
        (None: `retry` s); with `retry` None it is not. A newer task of the same name replaces one that waits for that.
        """
        job = Job(self, name, math.inf if retry is None else retry, task, once=True)
        with self._changed:
            self._jobs = [each for each in self._jobs if not (each.once and each.name == name)]
        self.submit(lambda: self._run_job(job))

    def drop(self, jobs: Sequence[Job]) -> None:
        """Removes jobs."""
        with self._changed:
            self._jobs = [job for job in self._jobs if job not in jobs]

    def reschedule(self, job: Job, period: float) -> None:
        """See Job.reschedule."""
        with self._changed:
            job._period = period
            job.due = min(job.due, self._clock.monotonic() + period)
            self._changed.notify_all()

    def run_in(self, job: Job, seconds: float) -> None:
        """See Job.run_in."""
        with self._changed:
            job.due = self._clock.monotonic() + seconds
            self._changed.notify_all()

    def submit(self, task: Callable[[], Any]) -> Future[Any]:
        """Runs `task` as soon as the thread is free, before any job. After `stop` the future is cancelled."""
        future: Future[Any] = Future()
        with self._changed:
            if self._stopping:
                future.cancel()
            else:
                self._tasks.append((future, task))
                self._changed.notify_all()
        return future

    @property
    def stopping(self) -> bool:
        """True once the thread is asked to end: long jobs check it between steps."""
        return self._stopping

    def pause(self, seconds: float) -> bool:
        """Waits inside a job; False at once when the thread is to end."""
        end = self._clock.monotonic() + seconds
        with self._changed:
            while not self._stopping:
                rest = end - self._clock.monotonic()
                if rest <= 0:
                    return True
                self._clock.wait(self._changed, rest)
        return False

    def stop(self) -> None:
        """Asks the thread to end; tasks that wait are cancelled. Does not wait."""
        with self._changed:
            self._stopping = True
            tasks = list(self._tasks)
            self._tasks.clear()
            self._changed.notify_all()
        for future, _ in tasks:
            future.cancel()

    def join(self, timeout: float | None) -> bool:
        """Whether the thread has ended within `timeout` s (None: however long it takes)."""
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                now = self._clock.monotonic()
                job = min(self._jobs, key=lambda each: each.due, default=None)
                task = self._tasks.popleft() if self._tasks else None
                if task is None and (job is None or job.due > now):
                    self._clock.wait(self._changed, None if job is None else job.due - now)
                    continue
                if task is None and job is not None and job.once:
                    self._jobs.remove(job)
                elif task is None and job is not None:
                    missed = int((now - job.due) / job.period) if job.period > 0 else 0
                    job.due += (missed + 1) * job.period
            if task is not None:
                self._run_task(*task)
            elif job is not None:
                self._run_job(job)

    def _run_task(self, future: Future[Any], task: Callable[[], Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(task())
        except BaseException as error:
            future.set_exception(_ordinary(error))

    def _run_job(self, job: Job) -> None:
        try:
            job.function()
        except BaseException as caught:
            error = _ordinary(caught)
            pause = None
            if not self._stopping:
                try:
                    pause = self._on_error(job, error)
                except Exception:
                    _LOG.exception("handling a failure of %s", job.name)
            if job.once:
                self._again(job, pause)
            elif pause is not None:
                self.run_in(job, pause)

    def _again(self, job: Job, pause: float | None) -> None:
        if job.period < math.inf:
            with self._changed:
                job.due = self._clock.monotonic() + (job.period if pause is None else pause)
                self._jobs.append(job)


def in_thread(name: str, task: Callable[[], Any]) -> Future[Any]:
    """Runs a task at once, in a thread of its own. Raises RuntimeError if the system has no more threads."""
    future: Future[Any] = Future()

    def run() -> None:
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(task())
            except BaseException as error:
                future.set_exception(_ordinary(error))

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def _ordinary(error: BaseException) -> Exception:
    """A library that calls sys.exit must not silence its connection, nor whoever asked for a task."""
    if isinstance(error, Exception):
        return error
    wrapped = RuntimeError(f"{type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped
