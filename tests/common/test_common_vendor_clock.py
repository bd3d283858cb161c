"""A vendor's clock, while this machine's is stepped."""

from __future__ import annotations

import pytest
from jeenergied.devices.common.vendor_clock import VendorClock, date_of

from jeedom_bridge.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_780_000_000.0)


def test_before_it_has_told_the_time_it_is_this_machines(clock):
    theirs = VendorClock(clock)
    clock.advance(10)
    assert theirs.now() == 1_780_000_010.0


@pytest.mark.parametrize("step", [-86_400.0, -1.0, 7200.0])
def test_a_step_of_this_machines_clock_does_not_move_it(clock, step):
    theirs = VendorClock(clock)
    theirs.note(1_780_000_500.0)
    clock.advance(60)
    clock.step(step)
    assert theirs.now() == 1_780_000_560.0
    # What was measured 30 s ago there was 30 s ago here as well; what they date ahead is of now.
    assert theirs.local(1_780_000_530.0) == clock.time() - 30
    assert theirs.local(1_780_000_990.0) == clock.time()


def test_an_answer_without_a_date_leaves_it_and_another_device_ends_it(clock):
    theirs = VendorClock(clock)
    theirs.note(date_of("Thu, 28 May 2026 20:00:00 GMT"))
    known = theirs.now()
    theirs.note(date_of("yesterday"))
    assert theirs.now() == known == 1_779_998_400.0
    theirs.forget()
    assert theirs.now() == clock.time()
