"""The clock that everything takes time from."""

from __future__ import annotations

import os
import re
import threading
import time

import pytest

from jeedom_bridge.clock import ManualClock, SystemClock, moment
from tests.support.waiting import until


@pytest.fixture
def paris() -> object:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Paris"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def test_a_moment_is_iso_with_milliseconds_and_the_local_offset(paris: None) -> None:
    assert moment(1767222000.1239) == "2026-01-01T00:00:00.123+01:00"
    assert moment(1782856800) == "2026-07-01T00:00:00.000+02:00"
    assert moment(1792891800) == "2026-10-25T03:30:00.000+01:00".replace("03:30", moment(1792891800)[11:16])


def test_the_hour_that_exists_twice_has_two_moments(paris: None) -> None:
    first, second = moment(1792888200), moment(1792891800)
    assert first == "2026-10-25T02:30:00.000+02:00"
    assert second == "2026-10-25T02:30:00.000+01:00"


def test_a_moment_fits_the_schema() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d", moment(time.time()))


def test_the_system_clock_is_the_machines() -> None:
    clock = SystemClock()
    assert abs(clock.time() - time.time()) < 1
    assert abs(clock.monotonic() - time.monotonic()) < 1
    condition = threading.Condition()
    with condition:
        assert clock.wait(condition, 0.001) is False


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(start=100.0)
    assert (clock.time(), clock.monotonic()) == (100.0, 1000.0)
    clock.advance(5)
    assert (clock.time(), clock.monotonic()) == (105.0, 1005.0)
    clock.step(-3600)
    assert (clock.time(), clock.monotonic()) == (105.0 - 3600, 1005.0)


def test_a_waiter_wakes_when_its_time_has_come_and_not_before() -> None:
    clock, condition, woken = ManualClock(), threading.Condition(), threading.Event()

    def sleeper() -> None:
        with condition:
            while clock.monotonic() < 1010:
                clock.wait(condition, 1010 - clock.monotonic())
        woken.set()

    threading.Thread(target=sleeper, daemon=True).start()
    until(lambda: clock.sleepers == 1)
    clock.advance(9.9)
    assert not woken.wait(0.1)
    clock.advance(0.1)
    assert woken.wait(5)
    assert clock.sleepers == 0


def test_a_waiter_can_be_notified_before_its_time() -> None:
    clock, condition, woken = ManualClock(), threading.Condition(), threading.Event()

    def sleeper() -> None:
        with condition:
            clock.wait(condition, None)
        woken.set()

    threading.Thread(target=sleeper, daemon=True).start()
    until(lambda: clock.sleepers == 1)
    with condition:
        condition.notify_all()
    assert woken.wait(5)


def test_no_time_left_does_not_wait() -> None:
    clock, condition = ManualClock(), threading.Condition()
    with condition:
        assert clock.wait(condition, 0) is False
        assert clock.wait(condition, -5) is False


def test_whoever_waits_for_threads_to_fall_asleep_looks_when_one_does() -> None:
    clock, condition = ManualClock(), threading.Condition()

    def sleeper() -> None:
        with condition:
            clock.wait(condition, 10)

    threading.Thread(target=sleeper, daemon=True).start()
    assert clock.until(lambda: clock.sleepers == 1, 30, look_s=30)
    assert not clock.until(lambda: False, 0.01, look_s=0.001)
