"""How often a WES gets a password that it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from jeenergied.devices.base import Connection

from jeedom_bridge.clock import ManualClock
from simulators.wes.life import Life, furnished
from simulators.wes.server import WesServer
from tests.soak.together import Together
from tests.support.documented import agrees
from tests.wes.rig import item

BEGIN = 1_772_535_600.0
DAY = 86400.0
DAYS = 2
"""What is hourly is so from the first hour on."""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def test_logins_of_a_month(tmp_path: Path, stack: ExitStack) -> None:
    clock = ManualClock(BEGIN)
    box = furnished()
    wes = stack.enter_context(WesServer(box, life=Life(box, clock.time)))
    life = Together(tmp_path, clock)
    stack.callback(life.close)
    config = {"host": "127.0.0.1", "port": wes.port, "user": "admin", "password": "other", "pollInterval": 30}
    config["jeedomCgx"] = False
    member = item("teleinfo", 1, {"tarification": "BBRH", "ticMeasure": "consumption"}, **config)
    life.add(Connection("wes", "wes", "wes", config, {"state": {}}, (member,)))
    life.live(DAYS * DAY)
    assert life.states("wes")[-1] == "authentication_failed"
    assert len(set(life.words())) == 1  # the heartbeat repeats it
    assert agrees("WES", "wrong password", len(wes.requests) * 30 / DAYS), len(wes.requests)
