"""One thread per connection: jobs without drift or overlap, tasks at once, a quick end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any, Callable, Optional

import pytest

from jeedom_bridge.clock import Clock, ManualClock, SystemClock
from jeedom_bridge.worker import Backoff, Job, Worker
from tests.support.waiting import until

Make = Callable[..., Worker]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make(clock: ManualClock) -> Iterator[Make]:
    made: list[Worker] = []

    def begin(
        own: Optional[Clock] = None, on_error: Callable[[Job, Exception], Optional[float]] = lambda *_: None
    ) -> Worker:
        worker = Worker("test", own or clock, on_error)
        made.append(worker)
        worker.start()
        return worker

    yield begin
    for each in made:
        each.stop()
        assert each.join(30)


def pass_time(worker: Worker, clock: ManualClock, seconds: float) -> None:
    """Moves from wake to wake, and lets the thread do its work each time."""
    end = clock.monotonic() + seconds
    while True:
        worker.submit(lambda: None).result(30)  # it has seen what came before
        until(lambda: clock.sleepers == 1 and (clock.next_wake is None or clock.next_wake > 0))
        wake = clock.next_wake
        if wake is None or clock.monotonic() + wake > end + 1e-9:
            clock.advance(max(0.0, end - clock.monotonic()))
            return
        clock.advance(wake + 1e-9)


class TestJobs:
    def test_a_job_runs_at_once_and_then_every_period(self, make: Make, clock: ManualClock) -> None:
        runs: list[float] = []
        begun = clock.monotonic()
        worker = make()
        worker.every("job", 10.0, lambda: runs.append(round(clock.monotonic() - begun, 3)))
        pass_time(worker, clock, 35)
        assert runs == [0, 10, 20, 30]

    def test_the_time_that_a_job_takes_is_no_drift(self, make: Make, clock: ManualClock) -> None:
        runs: list[float] = []
        begun = clock.monotonic()

        def job() -> None:
            runs.append(round(clock.monotonic() - begun, 3))
            clock.advance(3.0)

        worker = make()
        worker.every("job", 10.0, job)
        until(lambda: runs)
        pass_time(worker, clock, 3600)
        assert runs[:4] == [0, 10, 20, 30]
        assert runs[-1] % 10 == 0
        assert len(runs) >= 360

    def test_of_missed_runs_one_is_made_late_and_the_rhythm_stays(self, make: Make, clock: ManualClock) -> None:
        runs: list[float] = []
        begun = clock.monotonic()

        def job() -> None:
            runs.append(round(clock.monotonic() - begun, 3))
            if len(runs) == 2:
                clock.advance(34.0)

        worker = make()
        worker.every("job", 10.0, job)
        until(lambda: runs)
        pass_time(worker, clock, 75)
        assert runs[:6] == [0, 10, 44, 50, 60, 70]

    def test_jobs_of_one_worker_never_overlap(self, make: Make) -> None:
        worker = make(SystemClock())
        inside = threading.Lock()
        overlaps: list[str] = []
        done = {"a": 0, "b": 0, "task": 0}

        def work(name: str) -> None:
            if not inside.acquire(blocking=False):
                overlaps.append(name)
                return
            time.sleep(0.002)
            done[name] += 1
            inside.release()

        worker.every("a", 0.003, lambda: work("a"))
        worker.every("b", 0.005, lambda: work("b"))
        futures = [worker.submit(lambda: work("task")) for _ in range(20)]
        for each in futures:
            each.result(30)
        until(lambda: min(done.values()) > 10)
        assert overlaps == []

    def test_a_job_that_is_always_late_does_not_starve_another(self, make: Make) -> None:
        worker = make(SystemClock())
        slow, quick = threading.Event(), threading.Semaphore(0)
        worker.every("slow", 0.01, lambda: (time.sleep(0.03), slow.set()))
        worker.every("quick", 0.01, quick.release)
        for _ in range(5):
            assert quick.acquire(timeout=5)
        assert slow.is_set()

    def test_the_first_run_can_be_put_off_and_varied(self, make: Make, clock: ManualClock) -> None:
        worker = make()
        jobs = [worker.every("job", 100.0, lambda: None, first=50.0, jitter=20.0) for _ in range(50)]
        dues = [job.due - clock.monotonic() for job in jobs]
        assert all(50 <= due <= 70 for due in dues)
        assert len({round(due, 6) for due in dues}) > 10

    def test_another_period_takes_effect_at_once(self, make: Make, clock: ManualClock) -> None:
        runs: list[float] = []
        begun = clock.monotonic()
        worker = make()
        job = worker.every("job", 3600.0, lambda: runs.append(round(clock.monotonic() - begun, 3)))
        pass_time(worker, clock, 5)
        job.reschedule(10.0)
        assert job.period == 10.0
        pass_time(worker, clock, 25)
        assert runs == [0, 15, 25]

    def test_the_next_run_can_be_brought_forward(self, make: Make, clock: ManualClock) -> None:
        runs: list[float] = []
        begun = clock.monotonic()
        worker = make()
        job = worker.every("job", 100.0, lambda: runs.append(round(clock.monotonic() - begun, 3)))
        pass_time(worker, clock, 5)
        job.run_in(2.0)
        pass_time(worker, clock, 110)
        assert runs == [0, 7, 107]

    def test_a_dropped_job_runs_no_more(self, make: Make, clock: ManualClock) -> None:
        runs: list[str] = []
        worker = make()
        first = worker.every("first", 10.0, lambda: runs.append("first"))
        worker.every("second", 10.0, lambda: runs.append("second"))
        pass_time(worker, clock, 5)
        worker.drop([first])
        pass_time(worker, clock, 10)
        assert runs == ["first", "second", "second"]

    def test_a_job_may_drop_itself_and_add_others(self, make: Make, clock: ManualClock) -> None:
        runs: list[str] = []
        worker = make()

        def start() -> None:
            runs.append("start")
            worker.drop([job])
            worker.every("poll", 10.0, lambda: runs.append("poll"))

        job = worker.every("start", 10.0, start)
        pass_time(worker, clock, 25)
        assert runs == ["start", "poll", "poll", "poll"]

    def test_a_stepped_wall_clock_changes_nothing(self, make: Make, clock: ManualClock) -> None:
        runs: list[float] = []
        worker = make()
        worker.every("job", 10.0, lambda: runs.append(clock.monotonic()))
        for step in (3600, -3600, 365 * 86400, -365 * 86400):
            pass_time(worker, clock, 10)
            clock.step(step)
        pass_time(worker, clock, 5)
        assert [round(b - a, 3) for a, b in zip(runs, runs[1:])] == [10.0] * 4

    def test_the_system_clock_keeps_the_rhythm_too(self, make: Make) -> None:
        runs: list[float] = []
        enough = threading.Event()

        def job() -> None:
            runs.append(time.monotonic())
            time.sleep(0.01)
            if len(runs) == 21:
                enough.set()

        make(SystemClock()).every("job", 0.05, job)
        assert enough.wait(10)
        assert abs((runs[20] - runs[0]) - 1.0) < 0.1


class TestErrors:
    def test_an_exception_is_handed_on_and_the_next_run_comes(self, make: Make, clock: ManualClock) -> None:
        errors: list[str] = []

        def fail() -> None:
            raise ValueError(f"run {len(errors)}")

        worker = make(on_error=lambda job, error: errors.append(f"{job.name}: {error}"))
        worker.every("job", 10.0, fail)
        pass_time(worker, clock, 25)
        assert errors == ["job: run 0", "job: run 1", "job: run 2"]

    def test_the_handler_may_put_the_next_run_off(self, make: Make, clock: ManualClock) -> None:
        runs: list[float] = []
        begun = clock.monotonic()

        def fail() -> None:
            runs.append(round(clock.monotonic() - begun, 3))
            raise ValueError

        worker = make(on_error=lambda *_: 60.0)
        worker.every("job", 10.0, fail)
        pass_time(worker, clock, 125)
        assert runs == [0, 60, 120]

    def test_a_handler_that_fails_does_not_end_the_thread(self, make: Make, clock: ManualClock) -> None:
        runs: list[int] = []

        def fail() -> None:
            runs.append(1)
            raise ValueError

        def handler(_job: Job, _error: Exception) -> Optional[float]:
            raise RuntimeError("in the handler")

        worker = make(on_error=handler)
        worker.every("job", 10.0, fail)
        pass_time(worker, clock, 25)
        assert len(runs) == 3

    def test_a_job_that_wants_to_exit_does_not_end_the_thread(self, make: Make, clock: ManualClock) -> None:
        """A library that calls sys.exit must not silence its connection."""
        runs: list[int] = []
        errors: list[Exception] = []

        def leave() -> None:
            runs.append(1)
            raise SystemExit(1)

        worker = make(on_error=lambda _job, error: errors.append(error))
        worker.every("job", 10.0, leave)
        pass_time(worker, clock, 25)
        assert len(runs) == len(errors) == 3
        with pytest.raises(RuntimeError, match="SystemExit"):
            worker.submit(leave).result(30)
        assert worker.submit(lambda: 5).result(30) == 5


class TestTasks:
    def test_a_task_runs_at_once_and_hands_back_its_result(self, make: Make) -> None:
        worker = make()
        worker.every("job", 3600.0, lambda: None)
        assert worker.submit(lambda: threading.current_thread().name).result(30) == "test"

    def test_its_exception_goes_to_whoever_asked(self, make: Make) -> None:
        errors: list[Exception] = []
        worker = make(on_error=lambda _job, error: errors.append(error))
        future = worker.submit(lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            future.result(30)
        assert errors == []

    def test_it_goes_before_the_jobs_that_are_due(self, make: Make) -> None:
        order: list[str] = []
        worker = make()
        gate = threading.Event()
        worker.submit(lambda: gate.wait(5))
        worker.every("job", 10.0, lambda: order.append("job"))
        future = worker.submit(lambda: order.append("task"))
        gate.set()
        future.result(30)
        until(lambda: len(order) == 2)
        assert order == ["task", "job"]

    def test_a_task_given_up_is_not_run(self, make: Make) -> None:
        worker = make()
        gate = threading.Event()
        ran: list[int] = []
        worker.submit(lambda: gate.wait(5))
        late = worker.submit(lambda: ran.append(1))
        assert late.cancel()
        gate.set()
        worker.submit(lambda: None).result(30)
        assert ran == []

    @pytest.mark.alone
    def test_messages_reach_a_waiting_thread_in_milliseconds(self, make: Make) -> None:
        worker = make(SystemClock())
        taken = []
        for _ in range(200):
            begun = time.perf_counter()
            taken.append(worker.submit(time.perf_counter).result(30) - begun)
        assert sorted(taken)[100] < 0.005


class TestStop:
    def test_it_ends_at_once(self, make: Make) -> None:
        worker = make(SystemClock())
        worker.every("job", 3600.0, lambda: None)
        worker.stop()
        assert worker.join(30)

    def test_a_job_that_pauses_is_woken(self, make: Make) -> None:
        worker = make(SystemClock())
        results: list[bool] = []
        worker.every("job", 3600.0, lambda: results.append(worker.pause(3600)))
        time.sleep(0.05)
        worker.stop()
        assert worker.join(30)
        assert results == [False]

    def test_a_pause_ends_when_its_time_is_over(self, make: Make, clock: ManualClock) -> None:
        worker = make()
        future = worker.submit(lambda: worker.pause(30))
        until(lambda: clock.next_wake == 30)
        clock.advance(29)
        assert not future.done()
        clock.advance(1)
        assert future.result(30) is True

    def test_tasks_that_wait_are_cancelled_and_later_ones_too(self, make: Make) -> None:
        worker = make()
        gate, entered = threading.Event(), threading.Event()
        running = worker.submit(lambda: (entered.set(), gate.wait(5)))
        assert entered.wait(5)
        waiting = worker.submit(lambda: None)
        worker.stop()
        later = worker.submit(lambda: None)
        for each in (waiting, later):
            with pytest.raises(CancelledError):
                each.result(30)
        assert not worker.join(0.05)
        gate.set()
        assert running.result(30)
        assert worker.join(30)

    def test_no_error_is_told_of_a_job_that_was_stopped(self, make: Make) -> None:
        errors: list[Any] = []
        worker = make(on_error=lambda *each: errors.append(each))
        entered, gate = threading.Event(), threading.Event()

        def job() -> None:
            entered.set()
            gate.wait(5)
            raise OSError("the session was closed under me")

        worker.every("job", 10.0, job)
        assert entered.wait(5)
        worker.stop()
        gate.set()
        assert worker.join(30)
        assert errors == []

    def test_a_worker_may_stop_itself(self, make: Make) -> None:
        worker = make()
        worker.submit(lambda: (worker.stop(), worker.join(30))).result(30)
        assert worker.join(30)


class TestBackoff:
    def test_pauses_double_up_to_the_limit(self) -> None:
        backoff = Backoff(2.0, 60.0)
        for number in range(2000):
            middle = min(60.0, 2.0 * 2 ** min(number, 10))
            assert 0.75 * middle <= backoff.next() <= min(60.0, 1.25 * middle)
        backoff.reset()
        assert backoff.next() <= 2.5
