"""What several tests of the bridge use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Optional

import pytest

from jeedom_bridge.clock import Clock, ManualClock, SystemClock
from jeedom_bridge.outbox import Outbox
from tests.support.callback_rig import Make, Rig
from tests.support.callback_server import CallbackServer


@pytest.fixture
def make(server: CallbackServer) -> Iterator[Make]:
    made: list[Rig] = []

    def begin(clock: Optional[Clock] = None, **more: Any) -> Rig:
        made.append(Rig(server, clock or SystemClock(), **more))
        return made[-1]

    yield begin
    server.release.set()
    for each in made:
        each.callback.stop(2.0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def outbox(clock: ManualClock) -> Outbox:
    return Outbox(clock)
