"""Jeedom's history on its way into the book of the house: questions out by events, pages in by the socket."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Callable

from jeedom_bridge.worker import Job

from .devices.base import Connection, Context, Equipment
from .energy.device import House
from .energy.ledger.filling import Page
from .energy.ports import Source

OTHER = "source"
"""The type of equipment that is a meter of another plugin."""
KILO = 1000.0
FILL_S = 30.0
"""Between two looks at what is wanted of Jeedom's history; an answer is taken at once."""
BETWEEN_DAYS_S = 0.2
"""A day of history is written in some tenths of a second on a small machine: others want to run as well."""
MOST_PAGES = 4
"""Pages that wait; one is asked for at a time."""


class Past:
    """The filling of a house, in the thread of its connection; only `take` is called from any thread.

    `factor_of`: what values of a command of an equipment are multiplied by for the unit of their quantity.
    """

    def __init__(self, connection: Connection, context: Context, factor_of: Callable[[str, str], float]) -> None:
        self._connection = connection
        self._context = context
        self._factor_of = factor_of
        self._house: House | None = None
        self._job: Job | None = None
        self._pages: list[Mapping[str, Any]] = []
        self._lock = threading.Lock()

    def begin(self, house: House) -> None:
        """Fills the book of a house from now on."""
        self._house = house
        house.filling.ask = self._ask
        self._job = self._context.every("fill", FILL_S, self.fill)

    def end(self) -> None:
        """The house writes nothing more."""
        self._house = None

    def fill(self) -> None:
        """Takes the pages that came, and asks for the next or writes a day. Raises StoreError."""
        house = self._house
        if house is None:
            return
        with self._lock:
            pages, self._pages = self._pages, []
        for page in pages:
            told = self._page(page)
            if told is not None:
                house.filling.take(told)
        goes_on = house.fill(self._context.clock.time(), self._context.clock.monotonic())
        if self._job is not None and (goes_on or pages):
            self._job.run_in(BETWEEN_DAYS_S)

    def _ask(self, source: Source, begin: float, end: float) -> None:
        equipment = self._connection.find(source.equipment)
        named: dict[str, str] = {"equipment": source.equipment, "command": source.command}
        if equipment is not None:
            named = {"source": command_of(equipment)}
        self._context.ask_past({**named, "begin": int(begin), "end": int(end)})

    def take(self, page: Mapping[str, Any]) -> None:
        """A page as the socket brings it."""
        with self._lock:
            self._pages = [*self._pages[1 - MOST_PAGES :], page]
        if self._job is not None:
            self._job.run_in(0.0)

    def _page(self, told: Mapping[str, Any]) -> Page | None:
        """A page with its values in the unit of their quantity; None if it is of nobody."""
        if "source" in told:
            named = (each for each in self._connection.of_type(OTHER) if command_of(each) == told["source"])
            found = next(named, None)
            if found is None:
                return None
            key, factor = f"{found.id}:value", KILO if found.config.get("unit") == "kilo" else 1.0
        else:
            key = f"{told['equipment']}:{told['command']}"
            factor = self._factor_of(str(told["equipment"]), str(told["command"]))
        points = [(float(at), float(value) * factor) for at, value in told["points"]]
        after = None if told.get("next") is None else float(told["next"])
        return Page(key, float(told["begin"]), float(told["end"]), points, after, float(told["step"]))


def command_of(equipment: Equipment, key: str = "command") -> str:
    """The id of the other plugin's command that is chosen in a setting of an equipment."""
    return str(equipment.config.get(key) or "").strip("#")
