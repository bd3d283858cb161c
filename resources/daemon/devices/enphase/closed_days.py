"""Delivers the final figures of past days, dated 23:59:59, so that an outage over midnight loses nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

from jeedom_bridge.outbox import Delivery, Point

from ..base import Connection, Context, Equipment
from .values.counters import midnight
from .values.mapping import Facts

_LOG = logging.getLogger(__name__)

RESEND_S = 600.0
"""Seconds until figures that Jeedom did not acknowledge are sent again."""
KEPT_DAYS = 8
DAY_FIGURE_SUFFIXES = ("todayEnergy", "Today")
"""Endings of the facts that are one day's figure."""


class ClosedDays:
    """Keeps the figures until Jeedom has acknowledged them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        kept = context.memory.get("endedDays")
        self._waiting: dict[str, Facts] = dict(kept) if isinstance(kept, dict) else {}
        self._under_way: dict[str, Facts] = {}
        self._deliveries: list[Delivery] = []
        self._not_before = float("-inf")

    def add(self, ended: Mapping[str, Facts]) -> None:
        """Adds past days: facts by ISO date."""
        if not ended:
            return
        for day, facts in ended.items():
            figures = {name: value for name, value in facts.items() if name.endswith(DAY_FIGURE_SUFFIXES)}
            self._waiting[day] = {**self._waiting.get(day, {}), **figures}
        newest = max(self._waiting)
        oldest = (date.fromisoformat(newest) - timedelta(days=KEPT_DAYS)).isoformat()
        self._waiting = {day: facts for day, facts in self._waiting.items() if day >= oldest}
        self._not_before = float("-inf")
        self._keep()

    def send(self, connection: Connection, members: Sequence[Equipment], zone: tzinfo) -> None:
        """Sends waiting figures; costs little when there are none."""
        if self._deliveries:
            if not all(each.ended for each in self._deliveries):
                return
            self._settle(all(each.delivered for each in self._deliveries))
        now = self._context.clock.monotonic()
        if not self._waiting or not members or now < self._not_before:
            return
        self._under_way = {day: dict(facts) for day, facts in self._waiting.items()}
        self._not_before = now + RESEND_S
        for equipment in members:
            series = self._series(equipment, connection, zone)
            if series:
                self._deliveries.append(self._context.history(equipment.id, series))
        if not self._deliveries:
            self._settle(True)  # Jeedom has no command for these figures

    def _series(self, equipment: Equipment, connection: Connection, zone: tzinfo) -> dict[str, list[Point]]:
        series: dict[str, list[Point]] = {}
        for row in self._context.catalogue.rows(equipment.type, equipment.config, connection.config):
            if row.source is None or row.logical_id not in equipment.commands:
                continue
            points: list[Point] = []
            for day, facts in sorted(self._under_way.items()):
                value = row.value(facts.get(row.source))
                if value is not None:
                    points.append((last_second(day, zone), value))
            if points:
                series[row.logical_id] = points
        return series

    def _settle(self, delivered: bool) -> None:
        self._deliveries = []
        if delivered:
            # Figures that were added meanwhile keep waiting.
            self._waiting = {d: facts for d, facts in self._waiting.items() if facts != self._under_way.get(d)}
            self._keep()
        else:
            _LOG.info("the figures of %s are sent again later", ", ".join(sorted(self._under_way)))
        self._under_way = {}

    def _keep(self) -> None:
        self._context.memory.keep("endedDays", self._waiting)


def last_second(day: str, zone: tzinfo) -> str:
    """Returns the last second of a local day as ISO 8601."""
    end = midnight(date.fromisoformat(day) + timedelta(days=1), zone) - 1
    return datetime.fromtimestamp(end, zone).isoformat(timespec="seconds")
