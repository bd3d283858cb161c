"""What one connection tells of itself: the one gate to Jeedom's events and to the board's states."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Callable

from jeedom_bridge.outbox import Outbox

from ..devices.base import Connection
from ..readings import Board


class Reports:
    """Hands events to the outbox until the connection ends. Thread-safe.

    `lock` is held by whoever changes what is reported, until the outbox has it: of two threads the later one reports
    the state that holds. With `silent`, nothing but progress leaves: for tests of connections that are not saved.
    """

    def __init__(
        self, connection: Connection, outbox: Outbox, board: Board, outgoing: Callable[[str], str], silent: bool = False
    ) -> None:
        self.connection = connection
        """As Jeedom wants it now; a change of equipment or names replaces it."""
        self.lock = threading.RLock()
        self.outgoing = outgoing
        self.silent = silent
        self.ended = False
        self.said = ""
        """The newest text for the message centre: the state that follows from the same cause is not logged again."""
        self._outbox = outbox
        self._board = board

    @property
    def label(self) -> str:
        """How the log names the connection."""
        return f"{self.connection.backend} {self.connection.name or self.connection.id}"

    @property
    def open(self) -> bool:
        """True while what the connection publishes is for Jeedom."""
        return not self.silent and not self.ended

    def name(self, equipment: str) -> str:
        """How the user calls an equipment."""
        found = self.connection.find(equipment)
        return found.name or found.key if found is not None else equipment

    def end(self) -> None:
        """Nothing leaves once this has returned."""
        with self.lock:
            self.ended = True

    def event(self, event: Mapping[str, Any], merge: object = None) -> None:
        """Sends an event; with `merge`, in place of one that waits under the same key."""
        with self.lock:
            if self.open:
                self._outbox.event(event, merge)

    def state(self, identifier: str, state: str) -> None:
        """Tells the board the state of the connection or of an equipment."""
        with self.lock:
            if self.open:
                self._board.report_state(identifier, state)

    def progress(self, operation: str, percent: float, text: str) -> None:
        """How far a long operation is, also of a connection as it stands in the form: who pressed the button waits."""
        event = {
            "event": "progress",
            "connection": self.connection.id,
            "operation": operation,
            "percent": max(0, min(100, round(percent, 1))),
            "text": self.outgoing(text),
        }
        with self.lock:
            if not self.ended:
                self._outbox.event(event, ("progress", self.connection.id, operation))

    def forget(self) -> None:
        """Drops what waits for Jeedom of the connection and its equipment."""
        for identifier in (self.connection.id, *(each.id for each in self.connection.equipment)):
            self._outbox.forget(identifier)
