"""Delivers points to Jeedom's history: sends those that differ from the acknowledged ones."""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jeedom_bridge.contract import Row

from ...base import Context, Equipment
from .. import mapping

_LOG = logging.getLogger(__name__)

MAX_WAIT_S = 60.0
"""Seconds of real time to wait for Jeedom's acknowledgement of a month."""

Points = dict[str, dict[date, Any]]


class Acknowledged:
    """The points acknowledged by Jeedom, by equipment and month. A point sent twice is one row there."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def rows(self, equipment: Equipment, config: Any) -> list[Row]:
        """Returns the dated rows of an equipment."""
        found = self._context.catalogue.rows(equipment.type, equipment.config, config)
        return [row for row in found if row.dated]

    def reconcile(self, equipment: Equipment, points: Points) -> bool:
        """Sends unacknowledged points, newest month first. False if Jeedom did not acknowledge all of them."""
        months: dict[str, dict[str, dict[str, Any]]] = {}
        for name, by_day in points.items():
            if name in equipment.commands:
                for day, value in by_day.items():
                    written = day.isoformat()  # thousands a day: much faster than formats of dates
                    months.setdefault(written[:7], {}).setdefault(name, {})[written[8:]] = value
        return all(self._send_month(equipment, month, months[month]) for month in sorted(months, reverse=True))

    def _send_month(self, equipment: Equipment, month: str, wanted: dict[str, dict[str, Any]]) -> bool:
        key = f"sent.{equipment.id}.{month}"
        sent: dict[str, dict[str, Any]] = self._context.memory.get(key, {})
        news = {}
        for name, by_day in wanted.items():
            had = sent.get(name, {})
            fresh = {day: value for day, value in by_day.items() if day not in had or had[day] != value}
            if fresh:
                news[name] = [(self._stamp(month, day), fresh[day]) for day in sorted(fresh)]
        if not news:
            return True
        delivery = self._context.history(equipment.id, news)
        for _ in range(int(MAX_WAIT_S / 0.2)):
            if delivery.wait(0.2) or delivery.ended or self._context.stopping:
                break
        if not delivery.delivered:
            _LOG.debug("Jeedom has not taken the points of %s of %s yet", month, equipment.name)
            return False
        self._context.count("points", sum(len(each) for each in news.values()))
        kept = {name: days for name, days in sent.items() if name in equipment.commands}
        for name, by_day in wanted.items():
            kept[name] = {**kept.get(name, {}), **by_day}
        self._context.memory.keep(key, kept)  # if lost, the points are sent once more
        return True

    def _stamp(self, month: str, day: str) -> str:
        try:
            zone = ZoneInfo(self._context.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            zone = mapping.PARIS
        return datetime.fromisoformat(f"{month}-{day}T00:00:00").replace(tzinfo=zone).isoformat()

    def forget(self, equipment: Equipment, points: Points) -> None:
        """Forgets acknowledgements: the next reconciliation sends these points again."""
        for month in {f"{day:%Y-%m}" for by_day in points.values() for day in by_day}:
            self._context.memory.delete(f"sent.{equipment.id}.{month}")

    def prune(self, equipment: Equipment, points: Points) -> None:
        """Forgets commands that Jeedom no longer has: one that is created again gets its whole history."""
        for month in {f"{day:%Y-%m}" for by_day in points.values() for day in by_day}:
            key = f"sent.{equipment.id}.{month}"
            sent: dict[str, Any] = self._context.memory.get(key, {})
            kept = {name: days for name, days in sent.items() if name in equipment.commands}
            if len(kept) != len(sent):
                self._context.memory.keep(key, kept)
