"""What the daemon offers to all connections; whoever builds a part hands it only what it needs of this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

from jeedom_bridge.clock import Clock
from jeedom_bridge.logs import Masker
from jeedom_bridge.outbox import Outbox
from jeedom_bridge.plain import MAX_SENTENCE_CHARS, plain
from jeedom_bridge.store import Store

from ..devices.base import Neighbour
from ..readings import Board
from ..texts import Texts

Nearby = Callable[[str], Sequence[Neighbour]]
"""Who answers on the local network, by backend. Takes some seconds."""


def _no_pause() -> float:
    return 0.0


@dataclass(frozen=True)
class Services:
    """Made once, complete; `quiet_period()` gives the seconds during which nothing new can leave for Jeedom.

    Without `nearby`, nobody is found on the local network.
    """

    clock: Clock
    outbox: Outbox
    store: Store
    masker: Masker
    texts: Texts
    board: Board
    quiet_period: Callable[[], float] = _no_pause
    nearby: Nearby | None = None

    def outgoing(self, text: str) -> str:
        """A sentence that leaves the daemon: without secrets, and without markup that a vendor may have put into it."""
        return plain(self.masker.mask(text), MAX_SENTENCE_CHARS)
