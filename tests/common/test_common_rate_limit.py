"""Windows of requests by purpose, and the pause that a service asks for, over restarts and beside each other."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from jeenergied.devices.common.rate_limit import PARTS, RateLimit, Window
from jeenergied.devices.common.refusals import Policy, Refusals, Scope
from test_common_refusals import Kept

from jeedom_bridge.clock import ManualClock

PARIS = ZoneInfo("Europe/Paris")
HOUR = Window("hour", {"import": 20, "poll": 30, "user": 40}, 3600.0)
DAY = Window("day", {"poll": 3}, zone=PARIS)
POLICY = {Scope.ADDRESS: Policy((600.0, 1200.0, 3600.0))}


def limit(memory: Kept, clock: ManualClock, *windows: Window, **more: float) -> RateLimit:
    refusals = Refusals(memory, clock, POLICY)
    return RateLimit(memory, clock, windows or (HOUR,), refusals, **more)  # type: ignore[arg-type]


def test_what_matters_more_waits_last() -> None:
    clock, memory = ManualClock(), Kept()
    limited = limit(memory, clock)
    sent = [purpose for purpose in ("import", "poll", "user") for _ in range(50) if limited.take(purpose) is None]
    assert [sent.count(each) for each in ("import", "poll", "user")] == [20, 10, 10]
    held = limited.held("user")
    assert held is not None
    assert (held.window, held.count) == ("hour", 40)
    clock.advance(held.wait_s)
    assert limited.take("user") is None


@pytest.mark.parametrize("step", [7.0, 45.0, 61.0])
def test_no_rolling_window_ever_holds_more_than_it_may(step: float) -> None:
    """Whatever the rhythm: in no 3600 s more than 40 leave, and nearly as many do."""
    clock, memory = ManualClock(), Kept()
    limited = limit(memory, clock)
    sent: deque[float] = deque()
    most = total = 0
    for _ in range(int(6 * 3600 / step)):
        if limited.take("user") is None:
            sent.append(clock.time())
            total += 1
        while sent and clock.time() - sent[0] >= 3600:
            sent.popleft()
        most = max(most, len(sent))
        clock.advance(step)
    assert most <= 40
    assert total >= 6 * 40 * PARTS / (PARTS + 2) - 40


def test_a_restart_and_a_test_beside_count_together() -> None:
    clock, memory = ManualClock(), Kept()
    running, beside = limit(memory, clock), limit(memory, clock)
    for _ in range(10):
        assert running.take("user") is None
        assert beside.take("user") is None
    assert limit(memory, clock).used("hour") == 20
    assert limit(memory, clock).left("import") == 0


def test_threads_of_two_objects_lose_no_count() -> None:
    clock, memory = ManualClock(), Kept()
    both = [limit(memory, clock), limit(memory, clock)]
    threads = [
        threading.Thread(target=lambda limited=each: [limited.take("user") for _ in range(5)])  # type: ignore[misc]
        for each in both * 5
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert limit(memory, clock).used("hour") == 40  # of 50


def test_counts_that_are_written_seldom_are_written_at_the_end() -> None:
    clock, memory = ManualClock(), Kept()
    running = limit(memory, clock, HOUR, write_every_s=60.0)
    for _ in range(10):
        running.take("user")
    assert limit(memory, clock).used("hour") == 0
    clock.advance(61)
    running.take("user")
    assert limit(memory, clock).used("hour") == 11
    running.take("user")
    running.keep()
    assert limit(memory, clock).used("hour") == 12


def test_a_day_ends_at_midnight_there() -> None:
    clock, memory = ManualClock(datetime(2026, 3, 28, 22, 30, tzinfo=PARIS).timestamp()), Kept()
    limited = limit(memory, clock, DAY)
    for _ in range(3):
        assert limited.take("poll") is None
    held = limited.held("poll")
    assert held is not None
    assert held.wait_s == 5400
    assert limited.held("other") is None
    clock.advance(5400)
    assert limited.left("poll") == 3


def test_a_pause_that_is_asked_for_outlives_a_restart_and_grows_without_a_word() -> None:
    clock, memory = ManualClock(), Kept()
    assert limit(memory, clock).pause("429", 90.0) == 90
    for limited in (limit(memory, clock), limit(memory, clock)):
        held = limited.take("user")
        assert held is not None
        assert (held.window, held.wait_s) == ("", 90)
        assert limited.left("user") == 0
    clock.advance(90)
    limited = limit(memory, clock)
    assert limited.take("user") is None
    assert [limited.pause("429") for _ in range(3)] == [1200, 3600, 3600]
    limited.passed()  # an answer that was under way proves nothing while the pause lasts
    assert limited.paused() == 3600
    clock.advance(3600)
    limited.passed()
    assert limited.pause("429") == 600


def test_a_clock_that_was_stepped_holds_nothing_up() -> None:
    clock, memory = ManualClock(), Kept()
    limited = limit(memory, clock)
    for _ in range(40):
        limited.take("user")
    clock.step(-86400.0 * 30)
    assert limited.take("user") is None
    clock.step(86400.0 * 60)
    assert limited.used("hour") == 0


@pytest.mark.parametrize("kept", [None, [], {"hour": 5}, {"hour": {"x": 1, "5": "y"}}, {"hour": {"-1": 3}}])
def test_what_cannot_be_understood_counts_as_nothing(kept: object) -> None:
    clock, memory = ManualClock(), Kept(requests=kept)
    assert limit(memory, clock).used("hour") == 0
