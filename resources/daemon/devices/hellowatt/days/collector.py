"""Reading days: the round of the day, the import of all that is older, and a second look at old months."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from ...base import Context, DeviceError, Equipment
from .. import mapping
from ..site.account import Account
from ..site.budget import Budget
from ..site.errors import STOPPING_ERRORS, SiteDown
from .archive import Archive
from .new_days import NewDays

_LOG = logging.getLogger(__name__)

EMPTY_MONTHS_TO_END = 3
"""Months without anything, one after the other, after which there is nothing older."""
MONTHS_PER_PASS = 12
"""Months that one pass of the import reads of one energy."""
RECHECK_DAYS = 7
"""Days from one second look at an older month to the next."""
INJECTION_DAYS = 20
"""Days for which a home that has injected is expected to do it again."""
USUAL_MONTHS = 36
"""Months that the import of an account has, as a rule; only its progress is told by it."""


def month_before(day: date, months: int = 1) -> date:
    """The first of the month so many months before a day's."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


class Collector:
    """Fills the archives of a connection's equipment."""

    def __init__(self, context: Context, account: Account, budget: Budget, config: Mapping[str, Any]) -> None:
        self._context = context
        self._account = account
        self._budget = budget
        self._oldest = int(config.get("historyMonths", 120))
        self._told: list[Equipment] = []
        self.new_days = NewDays(context)

    def archive(self, equipment: Equipment) -> Archive:
        """What is known of an equipment."""
        return Archive(self._context.memory, equipment.type, equipment.key)

    # The round of the day.

    def satisfied(self, equipment: Equipment) -> bool:
        """Whether the day that can be expected is there, with all that this home has."""
        archive = self.archive(equipment)
        awaited = self._account.today() - timedelta(days=archive.usual())
        injects = archive.recent("injection", awaited - timedelta(days=INJECTION_DAYS))
        return mapping.complete(archive.day(awaited), injects)

    def stopped(self, equipment: Equipment) -> bool:
        """Whether no new days come any more: it is then asked once a day."""
        return self.new_days.stopped(equipment, self.archive(equipment).newest())

    def tell(self, equipment: Equipment) -> None:
        """Reports whether new days come."""
        self.new_days.tell(equipment, self.archive(equipment).newest())

    def read(self, equipment: Equipment) -> list[date]:
        """The last two months in one request, and now and then an older one; which days are new or corrected."""
        archive = self.archive(equipment)
        today = self._account.today()
        first, last = month_before(today), today - timedelta(days=1)
        changed = self._take(equipment, archive, first, last)[0]
        archive.note_asked()
        return changed + self._look_again(equipment, archive, first)

    def _take(self, equipment: Equipment, archive: Archive, first: date, last: date) -> tuple[list[date], bool, bool]:
        """The changed days; whether there was anything; whether the site is still fetching the rest."""
        found = self._account.daily(equipment.type, equipment.key, first, last, bool(archive.months()))
        if found.error:
            _LOG.info("helloWatt says of %s: %s", equipment.type, found.error)
        if last >= self._account.today() - timedelta(days=1):
            self.new_days.note(equipment, found.says)
        today = self._account.today()
        return archive.take(found.days, today), bool(found.days), found.ongoing

    def _look_again(self, equipment: Equipment, archive: Archive, before: date) -> list[date]:
        """Once a week one older month is read again, each in its turn: services correct the past."""
        progress = archive.progress
        today = self._account.today()
        months = [month for month in archive.months() if month < f"{before:%Y-%m}"]
        due = str(progress.get("looked", "")) <= (today - timedelta(days=RECHECK_DAYS)).isoformat()
        if not progress.get("done") or not months or not due or self._budget.spare() <= 0:
            return []
        turn = str(progress.get("turn", ""))
        month = max((each for each in months if each < turn), default=months[-1])
        first = date.fromisoformat(f"{month}-01")
        last = month_before(first, -1) - timedelta(days=1)
        changed = self._take(equipment, archive, first, last)[0]
        archive.keep_progress({**archive.progress, "turn": month, "looked": today.isoformat()})
        return changed

    # The import.

    def importing(self, equipment: Equipment) -> bool:
        """Whether there are months that were not read yet."""
        return not self.archive(equipment).progress.get("done") and self._oldest > 0

    def restart_import(self, equipment: Equipment) -> None:
        """All months are read again."""
        archive = self.archive(equipment)
        kept = {name: value for name, value in archive.progress.items() if name in ("turn", "looked")}
        archive.keep_progress({**kept, "again": True})

    def import_pass(self, equipment: Equipment) -> bool:
        """Up to a year of months, newest first, each kept as it comes. True when something was read.

        What stops it leaves off where it was; the next pass goes on there.
        """
        archive = self.archive(equipment)
        news = False
        for _ in range(MONTHS_PER_PASS):
            if self._context.stopping or self._budget.spare() <= 0 or not self.importing(equipment):
                break
            news = self._import_month(equipment, archive) or news
        return news

    def _import_month(self, equipment: Equipment, archive: Archive) -> bool:
        progress = archive.progress
        today = self._account.today()
        default = month_before(today, 2)
        first = date.fromisoformat(progress["next"]) if progress.get("next") else default
        last = month_before(first, -1) - timedelta(days=1)
        tries = int(progress.get("tries", 0)) + 1
        try:
            _, any_day, ongoing = self._take(equipment, archive, first, last)
        except SiteDown as error:
            # What lies before a contract may be an error for the site; three times is its last word.
            if error.values.get("status") != 500 or not archive.months():
                raise
            any_day, ongoing = False, True
        if ongoing and tries < EMPTY_MONTHS_TO_END:
            # The site has not fetched that month itself yet; the next pass asks again.
            archive.keep_progress({**progress, "next": first.isoformat(), "tries": tries})
            raise _Later
        read = int(progress.get("read", 0)) + 1
        empty = 0 if any_day else int(progress.get("empty", 0)) + 1
        limit = month_before(today, self._oldest)
        done = empty >= EMPTY_MONTHS_TO_END or month_before(first) < limit
        progress = {**progress, "next": month_before(first).isoformat(), "read": read, "empty": empty, "done": done}
        progress.pop("tries", None)
        archive.keep_progress(progress)
        self._tell(equipment, read, first, done)
        return any_day

    def _tell(self, equipment: Equipment, read: int, month: date, done: bool) -> None:
        if done:
            text = "{name} : historique récupéré, {n} mois demandés"
        else:
            text = "{name} : historique de {month} (mois {n})"
        self._context.progress(
            "importHistory", self.percent(), text, name=equipment.name, n=read, month=f"{month:%m/%Y}"
        )

    def percent(self) -> float:
        """How far the import of all energies is; 100 when nothing is left."""
        shares = [self._share(each) for each in self._told]
        return 100.0 * sum(shares) / len(shares) if shares else 100.0

    def _share(self, equipment: Equipment) -> float:
        read = int(self.archive(equipment).progress.get("read", 0))
        return min(0.99, read / (USUAL_MONTHS + EMPTY_MONTHS_TO_END)) if self.importing(equipment) else 1.0

    def import_all(self, wanted: list[Equipment]) -> tuple[list[Equipment], DeviceError | None]:
        """A pass over these energies, as far as they are not done; which have news, and what stopped it."""
        self._told = wanted
        news: list[Equipment] = []
        failure: DeviceError | None = None
        for equipment in wanted:
            if not self.importing(equipment) or self._context.stopping:
                continue
            try:
                if self.import_pass(equipment):
                    news.append(equipment)
            except _Later:
                news.append(equipment)
            except DeviceError as error:
                news.append(equipment)
                failure = error
                _LOG.info("the import of %s goes on later: %s", equipment.name, error)
                if isinstance(error, STOPPING_ERRORS):
                    break
        return news, failure


class _Later(Exception):
    """A month that the site is still fetching."""
