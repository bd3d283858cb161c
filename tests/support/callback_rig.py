"""A callback with its outbox and its Jeedom, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from jeedom_bridge.callback import Callback
from jeedom_bridge.clock import Clock, ManualClock
from jeedom_bridge.outbox import Outbox
from tests.support.callback_server import CallbackServer
from tests.support.waiting import until

APIKEY = "the-api-key-of-jeedom"


class Rig:
    """A callback, its outbox and its Jeedom."""

    def __init__(self, server: CallbackServer, clock: Clock, cycle: float = 0.2, url: Optional[str] = None) -> None:
        self.server = server
        self.clock = clock
        self.outbox = Outbox(clock)
        self.acknowledged: list[Mapping[str, Any]] = []
        self.callback = Callback(self.outbox, url or server.url, APIKEY, "demo", clock, cycle, self.acknowledged.append)
        self.callback.start()

    def say(self, text: str) -> None:
        self.outbox.event({"event": "message", "level": "info", "text": text})

    @property
    def said(self) -> list[str]:
        return [event["text"] for event in self.server.of("message")]

    def pause(self) -> float:
        """The pause that the callback makes now, in the manual clock's seconds."""
        assert isinstance(self.clock, ManualClock)
        clock = self.clock
        return until(lambda: max(0.0, clock.next_wake or 0.0), what="a pause")

    def next_request(self, count: Optional[int] = None) -> None:
        """Lets the pause pass and waits for the request after it."""
        assert isinstance(self.clock, ManualClock)
        wanted = self.server.count + 1
        self.clock.advance(self.pause() + 0.001)
        self.server.wait_for(lambda: self.server.count >= wanted)


Make = Callable[..., Rig]
