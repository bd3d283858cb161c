"""The time that stands still does not pass over a thread that the machine has not got round to."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from tests.easee.standing import StandingClock


def test_a_thread_that_was_notified_no_longer_sleeps(clock: StandingClock):
    met = threading.Condition()
    named: Future[int] = Future()

    def wait() -> None:
        with met:
            named.set_result(threading.get_ident())
            while not over.is_set():
                clock.wait(met, 60.0)

    over = threading.Event()
    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    sleeper = named.result(30)
    with met:  # held by the thread until it waits
        assert clock.sleeps(sleeper)
        over.set()
        met.notify_all()
        assert not clock.sleeps(sleeper)  # it cannot have got the lock yet
    thread.join(30)
    assert not clock.sleeps(sleeper)
