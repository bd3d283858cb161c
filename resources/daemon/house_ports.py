"""The ports of `energy` on the side of the daemon: what the house reads and says, by the device of its connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from .devices.base import Connection, Context, Equipment
from .energy.figures import PAST
from .energy.ports import Delivers, Measure, Reading, Value

HOME = "home"
"""The type of equipment that has the commands."""


class Owner(Protocol):
    """The device of the house's connection, as far as its ports need it."""

    connection: Connection
    context: Context

    def readings(self) -> Iterable[Reading]:
        """All readings but the house's own."""
        ...

    def measures(self) -> list[Measure]:
        """The dated energies that came since the last call."""
        ...


class Ports:
    """What the house asks for, by its device."""

    def __init__(self, device: Owner) -> None:
        self._device = device

    def _home(self) -> Equipment | None:
        return next(iter(self._device.connection.of_type(HOME)), None)

    def newest(self) -> Iterable[Reading]:
        return self._device.readings()

    def measures(self) -> Iterable[Measure]:
        return self._device.measures()

    def values(self, facts: Mapping[str, Value | None], at: float) -> None:
        home = self._home()
        if home is not None:
            self._device.context.publish(home.id, facts, at)

    def dated(self, series: Mapping[str, list[tuple[str, Value]]]) -> Delivers:
        home = self._home()
        catalogue = self._device.context.catalogue
        rows = {row.source: row.logical_id for row in catalogue.all_rows(HOME) if row.dated}
        commands = {}
        for fact, points in series.items():
            command = rows.get(f"{PAST}.{fact}")
            if command is not None and home is not None and command in home.commands:
                commands[command] = points
        if home is None or not commands:
            return _Done()
        return self._device.context.history(home.id, commands)

    def translate(self, template: str, **values: object) -> str:
        return self._device.context.translate(template, **values)

    def message(self, level: str, template: str, **values: object) -> None:
        self._device.context.message(level, template, **values)


class _Done:
    """A delivery of nothing: Jeedom has none of these commands."""

    ended = True
    delivered = True
