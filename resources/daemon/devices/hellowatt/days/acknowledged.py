"""Brings Jeedom's history to what the archive says: sends what differs, and remembers it when Jeedom has it."""

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
"""Seconds (real ones) that Jeedom may take for a month's points."""

Points = dict[str, dict[date, Any]]


class Acknowledged:
    """What Jeedom has acknowledged of each equipment, by month. A point that is sent twice is one row there."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def rows(self, equipment: Equipment, config: Any) -> list[Row]:
        """The dated rows that this equipment can have."""
        found = self._context.catalogue.rows(equipment.type, equipment.config, config)
        return [row for row in found if row.dated]

    def reconcile(self, equipment: Equipment, points: Points) -> bool:
        """Sends what Jeedom has not, newest month first. False when it did not take all of it now."""
        months: dict[str, dict[str, dict[str, Any]]] = {}
        for name, by_day in points.items():
            if name in equipment.commands:
                for day, value in by_day.items():
                    months.setdefault(f"{day:%Y-%m}", {}).setdefault(name, {})[f"{day:%d}"] = value
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
        self._context.memory.keep(key, kept)  # forgotten, it is sent once more
        return True

    def _stamp(self, month: str, day: str) -> str:
        try:
            zone = ZoneInfo(self._context.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            zone = mapping.PARIS
        return datetime.fromisoformat(f"{month}-{day}T00:00:00").replace(tzinfo=zone).isoformat()

    def forget(self, equipment: Equipment, points: Points) -> None:
        """All is sent again at the next reconciliation."""
        for month in {f"{day:%Y-%m}" for by_day in points.values() for day in by_day}:
            self._context.memory.delete(f"sent.{equipment.id}.{month}")

    def prune(self, equipment: Equipment, points: Points) -> None:
        """A command that Jeedom no longer has is forgotten: when it comes back, it gets all of its history."""
        for month in {f"{day:%Y-%m}" for by_day in points.values() for day in by_day}:
            key = f"sent.{equipment.id}.{month}"
            sent: dict[str, Any] = self._context.memory.get(key, {})
            kept = {name: days for name, days in sent.items() if name in equipment.commands}
            if len(kept) != len(sent):
                self._context.memory.keep(key, kept)
