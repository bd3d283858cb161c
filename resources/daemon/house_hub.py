"""What all of the daemon shares of the house: values of other plugins' commands, and the house that runs.

The house itself is loaded with its first connection: without one it would be a tenth of the daemon's memory in vain.
"""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Optional, Protocol

from jeedom_bridge.contract import finite

from .actions import Actions
from .devices import device_class as backend_class
from .devices.base import Connection, Device
from .readings import Board, Value

_LOG = logging.getLogger(__name__)

BACKEND = "house"
MOST_SOURCES = 500
BOOK, OWNER = "house.sqlite", "house.owner"
"""The book, and the id of the connection that it belongs to."""


class RunningHouse(Protocol):
    """A house that runs, as the socket asks it; all but `take_past` in its connection's own thread."""

    connection: Connection

    def roles(self) -> list[dict[str, Any]]:
        """Who takes which part, and why."""
        ...

    def now(self) -> dict[str, Any]:
        """The powers of now."""
        ...

    def balance(self, first: str | None, last: str | None, per: str) -> dict[str, Any]:
        """The balance of local days (ISO), both included."""
        ...

    def journal(self, since: str, limit: int, equipment: str = "") -> list[dict[str, Any]]:
        """What was decided, of one equipment or of all."""
        ...

    def outlook(self, equipment: str) -> dict[str, Any]:
        """What the page of a charge point shows."""
        ...

    def back_up(self) -> None:
        """Puts a whole copy of the book beside it."""
        ...

    def take_past(self, page: Mapping[str, Any]) -> None:
        """Takes a page of Jeedom's history. From any thread."""
        ...


class HouseHub:
    """Thread-safe. `folder`: of the daemon's data; `contract`: core/contract."""

    def __init__(self, board: Board, folder: Path, contract: Path) -> None:
        self.board = board
        self.folder = folder
        self.contract = contract
        self.name_of: Callable[[str], str] = lambda equipment: equipment
        self.actions: Actions | None = None
        self._lock = threading.Lock()
        self._foreign: dict[str, tuple[Value, float]] = {}
        self.factor_of: Callable[[str, str], float] = lambda equipment, command: 1.0
        """What values of a command of an equipment in Jeedom are multiplied by for the unit of their quantity."""
        self._running: Optional[RunningHouse] = None
        self._listeners: list[Callable[[], None]] = []
        self._forgotten: set[str] = set()

    def device_class(self, backend: str) -> type[Device] | None:
        """The class that runs connections of a backend: the house's has this hub; None if there is no such backend."""
        if backend != BACKEND:
            return backend_class(backend)
        made: type[Device] = importlib.import_module(".house", __package__).HouseDevice
        return type("HouseDevice", (made,), {"_hub": self})

    # The socket.

    def take(self, values: Sequence[Mapping[str, Any]], now: float) -> None:
        """Values of other plugins' commands: {"source", "value", "at"}; `now`: Unix time. Numbers only."""
        with self._lock:
            for each in values:
                number = finite(each["value"])
                at = min(_moment(each.get("at"), now), now)
                known = self._foreign.get(str(each["source"]))
                if number is None or (known is not None and at < known[1]):
                    continue
                if known is not None or len(self._foreign) < MOST_SOURCES:
                    self._foreign[str(each["source"])] = (number, at)
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def take_past(self, page: Mapping[str, Any]) -> None:
        """A page of Jeedom's history, for the house that runs."""
        running = self._running
        if running is not None:
            running.take_past(page)

    def foreign(self, command: str) -> tuple[Value, float] | None:
        """The newest value of another plugin's command, and its date."""
        with self._lock:
            return self._foreign.get(command)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls `listener` with news of other plugins' commands; returns what ends that."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                self._listeners = [each for each in self._listeners if each is not listener]

        return end

    def forget(self, connection: str) -> None:
        """A connection was removed: if it was the house, its book goes, at once or when the house has ended."""
        self._forgotten.add(connection)
        running = self._running
        if running is not None and running.connection.id == connection:
            return  # it still writes; `ended` follows
        owner = self.folder / OWNER
        try:
            if owner.is_file() and owner.read_text("utf-8") == connection:
                self._erase()
        except OSError as error:
            _LOG.error("the book of the house stays: %s", error)

    def ended(self, connection: str) -> None:
        """The house of a connection writes nothing more."""
        if connection in self._forgotten:
            self._erase()

    def _erase(self) -> None:
        for path in (*self.folder.glob(f"{BOOK}*"), *self.folder.glob("house.copy.sqlite*"), self.folder / OWNER):
            path.unlink(missing_ok=True)

    @property
    def running(self) -> RunningHouse | None:
        """The house that runs now."""
        return self._running

    def runs(self, device: RunningHouse | None) -> None:
        """Another house runs, or none."""
        self._running = device


def _moment(text: Any, now: float) -> float:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return now
