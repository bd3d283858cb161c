"""Who drives by a gateway's meters gets their readings often, for as long as he asks."""

from __future__ import annotations

from jeenergied.actions import Actions

from jeedom_bridge.clock import ManualClock
from simulators.enphase import EnphaseGateway
from tests.support.clocks import noon

from .harness import READINGS, house


def test_who_drives_gets_readings_every_five_seconds_until_he_asks_no_more(bench, opened):
    clock = ManualClock(noon())
    gateway = opened(EnphaseGateway(house(), clock=clock.time))
    running = bench(gateway, clock=clock, pollInterval=60).start()
    running.advance(120, 10)
    actions = Actions(running.supervisor.owner, running.shared.texts, running.shared.outgoing)
    before = running.asked(READINGS)
    for _ in range(5):
        actions.hurry("2", 5.0)
        running.settle()
        running.advance(60, 5)
    assert 55 <= running.asked(READINGS) - before <= 62
    running.advance(240, 5)  # nobody asks again
    before = running.asked(READINGS)
    running.advance(600, 5)
    assert running.asked(READINGS) - before == 10
