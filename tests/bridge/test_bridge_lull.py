"""How long sources may let values gather, since none could leave."""

from __future__ import annotations

import time

import pytest

from jeedom_bridge.callback import MAX_QUIET_S
from jeedom_bridge.clock import ManualClock
from tests.support import callback_server as answers
from tests.support.callback_rig import Make
from tests.support.callback_server import CallbackServer
from tests.support.waiting import until


def test_there_is_none_while_a_value_would_leave_at_once(make: Make, server: CallbackServer) -> None:
    rig = make(ManualClock(), cycle=0.2)
    assert rig.callback.quiet_period() == 0
    rig.outbox.values("1", {"power": 1})
    until(lambda: rig.callback.sent)
    assert isinstance(rig.clock, ManualClock)
    rig.clock.advance(0.21)
    until(lambda: rig.callback.quiet_period() == 0)


def test_it_lasts_as_long_as_the_pause_after_a_callback(make: Make, server: CallbackServer) -> None:
    rig = make(ManualClock(), cycle=0.2)
    rig.outbox.values("1", {"power": 1})
    until(lambda: rig.callback.sent)
    assert 0.19 < rig.callback.quiet_period() < 0.2


def test_it_lasts_while_a_request_is_under_way(make: Make, server: CallbackServer) -> None:
    server.script = [answers.silence()]
    rig = make(cycle=0.2)
    rig.outbox.values("1", {"power": 1})
    server.wait_for(lambda: server.requests)
    assert 0.19 < rig.callback.quiet_period() < 0.2


def test_an_outage_does_not_prolong_it(make: Make, server: CallbackServer) -> None:
    server.answer = answers.text("no", status=500)
    rig = make(ManualClock(), cycle=0.2)
    rig.outbox.values("1", {"power": 1})
    for _ in range(4):
        rig.next_request()
    assert rig.pause() > 2
    assert rig.callback.quiet_period() <= MAX_QUIET_S


@pytest.mark.alone
def test_values_that_keep_coming_leave_at_each_end_of_the_cycle(make: Make, server: CallbackServer) -> None:
    rig = make(cycle=0.1)
    begun = time.monotonic()
    number = 0
    while time.monotonic() - begun < 1.0:
        number += 1
        rig.outbox.values("1", {"power": number})
        time.sleep(0.02)
    server.wait_for(lambda: server.value("1", "power") == number)
    assert 5 <= server.count <= 12
    time.sleep(0.15)
    sent = time.monotonic()
    rig.outbox.values("1", {"power": -1})
    server.wait_for(lambda: server.value("1", "power") == -1)
    assert server.requests[-1].at - sent < 0.05
