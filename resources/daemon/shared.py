"""What all connections of a daemon share."""

from __future__ import annotations

from typing import Callable

from jeedom_bridge.clock import Clock
from jeedom_bridge.logs import Masker
from jeedom_bridge.outbox import Outbox
from jeedom_bridge.plain import LONGEST_SENTENCE, plain
from jeedom_bridge.store import Store

from .readings import Board
from .texts import Texts


class Shared:
    """What all connections of a daemon share."""

    def __init__(self, clock: Clock, outbox: Outbox, store: Store, masker: Masker, texts: Texts) -> None:
        self.clock = clock
        self.outbox = outbox
        self.store = store
        self.masker = masker
        self.texts = texts
        self.board = Board(clock)
        self.timezone = "Europe/Paris"
        self.lull: Callable[[], float] = lambda: 0.0

    def outgoing(self, text: str) -> str:
        """A sentence that leaves the daemon: without secrets, and without markup that a vendor may have put into it."""
        return plain(self.masker.mask(text), LONGEST_SENTENCE)
