"""What Jeedom gets of each equipment: undated values, and dated points for its history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Callable

from ..base import Context, Equipment
from . import mapping
from .colors.tempo import Tempo
from .days.acknowledged import Acknowledged, Points
from .days.collector import Collector
from .site.account import Account

TEMPO_SEEN_DAYS = 60
"""Days within which a Tempo figure of a home implies a Tempo contract."""


class Publication:
    """Publishes values and delivers points; keeps which equipment is behind in Jeedom's history."""

    def __init__(
        self,
        context: Context,
        config: Callable[[], Mapping[str, Any]],
        account: Account,
        collector: Collector,
        tempo: Tempo,
        retry: Callable[[], None],
    ) -> None:
        """`config` returns the connection's settings; `retry` schedules `deliver_behind`."""
        self._context = context
        self._config = config
        self._account = account
        self._collector = collector
        self._acknowledged = Acknowledged(context)
        self._tempo = tempo
        self._retry = retry
        self._behind: set[str] = set()

    def mark_behind(self, equipment: Equipment) -> None:
        """Makes the next delivery compare all years of an equipment."""
        self._behind.add(equipment.id)

    def prune(self, equipment: Equipment) -> None:
        """Forgets commands that Jeedom no longer has."""
        self._acknowledged.prune(equipment, self._points(equipment, everything=True))

    def forget(self, equipment: Equipment) -> None:
        """Makes the next delivery send all points of an equipment again."""
        self._acknowledged.forget(equipment, self._points(equipment, everything=True))

    def tempo_home(self, equipment: Equipment) -> bool:
        """True if a home has a Tempo contract, by its figures or its contract."""
        since = self._account.today() - timedelta(days=TEMPO_SEEN_DAYS)
        if self._collector.archive(equipment).recent("tempoCode", since):
            return True
        return "tempo" in str(self._account.contract(equipment.key, "electricity").get("offer", "")).lower()

    def _points(self, equipment: Equipment, years: Collection[int] | None = None, everything: bool = False) -> Points:
        """Points for Jeedom's history, of some years or all; `everything`: also of commands that Jeedom lacks."""
        rows = self._acknowledged.rows(equipment, self._config())
        if not everything:
            rows = [row for row in rows if row.logical_id in equipment.commands]
        days = self._collector.archive(equipment).days(years)
        if equipment.type == "electricity" and self.tempo_home(equipment):
            today = self._account.today()
            for day in (today - timedelta(days=n) for n in range(8)):
                code = self._tempo.known(day)
                if code is not None and "tempoCode" not in days.get(day, {}) and (years is None or day.year in years):
                    days[day] = {**days.get(day, {}), "tempoCode": Decimal(code)}
        return mapping.points(rows, days)

    def deliver(self, equipment: Equipment, changed: Iterable[date] | None = None) -> None:
        """Delivers the years of the changed days (default: all); schedules a retry if Jeedom does not take them."""
        years = None if changed is None or equipment.id in self._behind else {day.year for day in changed}
        if self._acknowledged.reconcile(equipment, self._points(equipment, years)):
            self._behind.discard(equipment.id)
        else:
            self._behind.add(equipment.id)
            self._retry()

    def deliver_later(self, wanted: Iterable[Equipment]) -> None:
        """Schedules delivery of days read before a failed write: no later reading returns them as new."""
        self._behind.update(equipment.id for equipment in wanted)
        self._retry()

    def deliver_behind(self, wanted: Iterable[Equipment]) -> None:
        """Delivers those among `wanted` that are behind."""
        for equipment in wanted:
            if equipment.id in self._behind and not self._context.stopping:
                self.deliver(equipment)

    def publish(self, equipment: Equipment, more: Mapping[str, Any] | None = None) -> None:
        """Publishes the undated values, and which facts exist for commands that Jeedom does not have yet."""
        archive = self._collector.archive(equipment)
        newest = archive.newest()
        facts: dict[str, Any] = {
            "lastDay": newest.isoformat() if newest else None,
            "collected": self._context.memory.get(f"collected.{equipment.id}"),
            "week.kwh": mapping.week(archive.last_days()) if newest else None,
            "delay": archive.delay(),
        }
        contract = self._account.contract(equipment.key, equipment.type)
        facts.update({f"contract.{name}": value for name, value in contract.items()})
        if equipment.type == "electricity" and self.tempo_home(equipment):
            facts.update(self._tempo.facts())
        # The figures are delivered with their dates; here they only show that they exist.
        facts.update({f"{period}.{name}": 0 for name in archive.facts() for period in ("day", "month", "year")})
        facts.update(more or {})
        self._context.publish(equipment.id, {name: value for name, value in facts.items() if value is not None})
