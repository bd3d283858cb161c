"""The days read of one energy of one home, persisted, so that sums and deliveries need no request."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from ...base import Memory
from .. import mapping

KEPT_DELAYS = 30


class Archive:
    """The days of one energy of one home in the connection's memory: one entry a month, exact figures as texts."""

    def __init__(self, memory: Memory, energy: str, home: str) -> None:
        self._memory = memory
        self._name = f"{energy}.{home}"

    def _get(self, what: str, default: Any) -> Any:
        return self._memory.get(f"{what}.{self._name}", default)

    def months(self) -> list[str]:
        """Months with data, `YYYY-MM`, oldest first."""
        return list(self._get("months", []))

    def days(self, years: Collection[int] | None = None) -> mapping.Days:
        """Returns all days, or those of some years."""
        months = [month for month in self.months() if years is None or int(month[:4]) in years]
        return {day: facts for month in months for day, facts in self._month(month).items()}

    def last_days(self) -> mapping.Days:
        """Returns the days of the last two months with data."""
        return {day: facts for month in self.months()[-2:] for day, facts in self._month(month).items()}

    def facts(self) -> list[str]:
        """Names of all facts seen so far."""
        return list(self._get("facts", []))

    def _month(self, month: str) -> mapping.Days:
        return {date.fromisoformat(f"{month}-{number}"): _exact(facts) for number, facts in self._stored(month).items()}

    def _stored(self, month: str) -> Mapping[str, Mapping[str, str]]:
        """Returns the days of a month as they are kept: by day of the month, figures as texts."""
        stored: Mapping[str, Mapping[str, str]] = self._get(f"days.{month}", {})
        return stored

    def day(self, day: date) -> mapping.Day | None:
        """Returns one day, or None."""
        facts = self._stored(f"{day:%Y-%m}").get(f"{day:%d}")
        return None if facts is None else _exact(facts)

    def newest(self) -> date | None:
        """Returns the last day with a consumption, or None."""
        for month in reversed(self.months()):
            known = [number for number, facts in self._stored(month).items() if "kwh" in facts]
            if known:
                return date.fromisoformat(f"{month}-{max(known)}")
        return None

    def recent(self, fact: str, since: date) -> bool:
        """True if a fact was seen on `since` or later."""
        first = since.isoformat()
        months = [month for month in self.months() if month >= first[:7]]
        return any(
            fact in facts
            for month in months
            for number, facts in self._stored(month).items()
            if f"{month}-{number}" >= first
        )

    def take(self, found: Mapping[date, mapping.Day], today: date) -> list[date]:
        """Merges days; returns those that are new or changed. Durable on return."""
        by_month: dict[str, dict[date, mapping.Day]] = {}
        for day, facts in found.items():
            by_month.setdefault(f"{day:%Y-%m}", {})[day] = facts
        changed: list[date] = []
        arrived: list[date] = []
        for month, days in by_month.items():
            kept = self._month(month)
            news = {}
            for day, facts in days.items():
                before = kept.get(day, {})
                after = mapping.merged(before, facts)
                if after != before:
                    news[day] = after
                    if "kwh" in after and "kwh" not in before:
                        arrived.append(day)
            changed += news
            self._write(month, {**kept, **news}, bool(news))
        self._note(arrived, today)
        return sorted(changed)

    def _write(self, month: str, days: mapping.Days, changed: bool) -> None:
        if changed:
            stored = {f"{day:%d}": {name: str(value) for name, value in days[day].items()} for day in sorted(days)}
            self._memory.put(f"days.{month}.{self._name}", stored)
        # Also without changes: a previous write may have failed after the days, which are then in memory only.
        months = self.months()
        if days and month not in months:
            self._memory.put(f"months.{self._name}", sorted([*months, month]))
        seen = {name for facts in days.values() for name in facts}
        if not seen <= set(self.facts()):
            self._memory.put(f"facts.{self._name}", sorted(seen | set(self.facts())))

    # Delay of the site.

    def _note(self, arrived: list[date], today: date) -> None:
        late = [(today - day).days for day in arrived if (today - day).days <= KEPT_DELAYS]
        if len(late) == 1:  # several at once come from an import or outage, not from the usual delay
            self._memory.keep(f"delays.{self._name}", [*self._get("delays", []), *late][-KEPT_DELAYS:])

    def delay(self) -> float | None:
        """Mean days between a day and its arrival, over the last KEPT_DELAYS; None if unknown."""
        delays = self._get("delays", [])
        return round(sum(delays) / len(delays), 1) if delays else None

    def usual(self) -> int:
        """Days after which a day is expected: 1, unless all recent ones came later."""
        delays = self._get("delays", [])[-7:]
        return max(1, min(delays)) if len(delays) >= 5 else 1

    # Import of older months.

    @property
    def progress(self) -> dict[str, Any]:
        """Progress of the import: `next` month, `done`, months `read`, consecutive `empty` ones."""
        return dict(self._get("import", {}))

    def keep_progress(self, progress: Mapping[str, Any]) -> None:
        """Persists the progress, so that no month is requested twice."""
        self._memory.put(f"import.{self._name}", dict(progress))

    @property
    def known(self) -> bool:
        """True if it was requested before."""
        return bool(self._get("asked", False))

    def note_asked(self) -> None:
        """Records that it was requested: it takes part in the daily round."""
        if not self.known:
            self._memory.keep(f"asked.{self._name}", True)


def _exact(facts: Mapping[str, str]) -> mapping.Day:
    return {name: Decimal(text) for name, text in facts.items()}
