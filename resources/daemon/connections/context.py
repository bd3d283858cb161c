"""What a device sees of the daemon: the `Context` of devices/base.py, each call handed to the part that does it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Callable

from jeedom_bridge.clock import Clock, moment
from jeedom_bridge.contract import Catalogue
from jeedom_bridge.logs import LEVELS
from jeedom_bridge.outbox import Delivery, Point
from jeedom_bridge.store import Store
from jeedom_bridge.worker import Job, Worker

from ..devices.base import DeviceError, LevelState
from .equipment import EquipmentHealth
from .freshness import Freshness
from .health import Health
from .loads import Loads
from .memory import StoreMemory
from .publisher import Publisher
from .reports import Reports
from .services import Services

_LOG = logging.getLogger(__name__)

UNSAVED = "new"
"""The id under which Jeedom sends a connection that it has not saved yet."""


class Memories:
    """The parts of the store that a connection writes."""

    def __init__(self, store: Store, identifier: str, backend: str) -> None:
        self.own = StoreMemory(store, identifier)
        self.unsaved = StoreMemory(store, UNSAVED)
        self.shared = StoreMemory(store, f"backend:{backend}")

    def close(self) -> None:
        """Writes nothing more, whatever is under way."""
        for memory in (self.own, self.unsaved, self.shared):
            memory.close()


@dataclass(eq=False)
class DeviceContext:
    """See `Context` of devices/base.py for what each method promises."""

    services: Services
    catalogue: Catalogue
    memories: Memories
    reports: Reports
    health: Health
    troubles: EquipmentHealth
    publisher: Publisher
    freshness: Freshness
    worker: Worker
    loads: Loads

    @property
    def clock(self) -> Clock:
        return self.services.clock

    @property
    def memory(self) -> StoreMemory:
        return self.memories.own

    @property
    def draft_memory(self) -> StoreMemory:
        return self.memories.unsaved

    @property
    def shared_memory(self) -> StoreMemory:
        return self.memories.shared

    @property
    def timezone(self) -> str:
        return self.services.texts.timezone

    def translate(self, template: str, **values: object) -> str:
        return self.services.texts(template, **values)

    def describe(self, error: DeviceError) -> str:
        return self.health.describe(error)

    def every(self, name: str, period: float, job: Callable[[], None], first: float = 0.0) -> Job:
        return self.worker.every(name, period, job, first)

    def online(self) -> None:
        self.health.works()

    def publish(self, equipment: str, facts: Mapping[str, Any], at: float | None = None) -> None:
        if self.reports.open:
            self.freshness.seen(equipment, (name for name, raw in facts.items() if raw is not None), at)
            self.publisher.facts(equipment, facts, at)

    def confirm(self, equipment: str, facts: Iterable[str] | None = None, at: float | None = None) -> None:
        if self.reports.open:
            self.freshness.seen(equipment, self.publisher.confirm(equipment, facts, at), at)

    def history(self, equipment: str, series: Mapping[str, Sequence[Point]]) -> Delivery:
        for command, points in series.items():
            if points:
                newest = max(datetime.fromisoformat(at).timestamp() for at, _ in points)
                self.freshness.seen(equipment, (command,), newest)
        if self.reports.open:
            self.publisher.history(equipment, series)
        return self.services.outbox.history(equipment, series, lambda: not self.reports.open)

    def report_equipment_error(self, equipment: str, error: DeviceError | None) -> None:
        self.troubles.trouble(equipment, error)

    def message(self, level: str, template: str, **values: object) -> None:
        text = self.reports.said = self.translate(template, **values)
        connection = self.reports.connection
        if connection.name:
            text = self.translate("{name} : {text}", name=connection.name, text=text)
        _LOG.log(LEVELS.get(level, logging.INFO), "%s", text)
        event = {"event": "message", "level": level, "text": self.reports.outgoing(text), "connection": connection.id}
        self.reports.event(event)

    def progress(self, operation: str, percent: float, template: str, **values: object) -> None:
        self.reports.progress(operation, percent, self.translate(template, **values))

    def trigger(self, equipment: str, name: str, value: Any, expires: float) -> None:
        now = self.clock.time()
        event = {"event": "trigger", "equipment": equipment, "name": name, "value": value}
        self.reports.event({**event, "at": moment(now), "expires": moment(now + expires)})

    def ask_past(self, wanted: Mapping[str, Any]) -> None:
        self.reports.event({"event": "past", **wanted}, ("past",))

    def want(self, equipment: str, name: str, value: Any = None, lifetime: float | None = None) -> None:
        self.loads.want(equipment, name, value, lifetime)

    def level(self, equipment: str) -> LevelState:
        return self.loads.state(equipment)

    def mask(self, *values: object) -> None:
        self.services.masker.register_renewed(*values)

    def count(self, counter: str, by: int = 1) -> None:
        self.health.count(counter, by)

    @property
    def stopping(self) -> bool:
        return self.worker.stopping

    def pause(self, seconds: float) -> bool:
        return self.worker.pause(seconds)

    def quiet_period(self) -> float:
        return self.services.quiet_period()
