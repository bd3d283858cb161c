"""Reads days: the daily round, the import of older months, and a periodic recheck of old months."""

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
"""Consecutive empty months after which the import ends."""
MONTHS_PER_PASS = 12
"""Months of one energy that one pass of the import reads."""
RECHECK_DAYS = 7
"""Days between two rechecks of an older month."""
INJECTION_DAYS = 20
"""Days within which an injection makes another one expected."""
USUAL_MONTHS = 36
"""Usual number of months of an account, for the progress of the import only."""


def month_before(day: date, months: int = 1) -> date:
    """Returns the first day of the month `months` before that of `day`."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


class Collector:
    """Fills the archives of a connection's equipment."""

    def __init__(self, context: Context, account: Account, budget: Budget, config: Mapping[str, Any]) -> None:
        self._context = context
        self._account = account
        self._budget = budget
        self._oldest = int(config.get("historyMonths", 120))
        self._wanted: list[Equipment] = []
        self.new_days = NewDays(context)

    def archive(self, equipment: Equipment) -> Archive:
        """Returns the archive of an equipment."""
        return Archive(self._context.memory, equipment.type, equipment.key)

    # The daily round.

    def satisfied(self, equipment: Equipment) -> bool:
        """True if the expected day is complete."""
        archive = self.archive(equipment)
        awaited = self._account.today() - timedelta(days=archive.usual())
        injects = archive.recent("injection", awaited - timedelta(days=INJECTION_DAYS))
        return mapping.complete(archive.day(awaited), injects)

    def stopped(self, equipment: Equipment) -> bool:
        """True if new days no longer arrive: it is then requested once a day."""
        return self.new_days.stopped(equipment, self.archive(equipment).newest())

    def tell(self, equipment: Equipment) -> None:
        """Reports whether new days arrive."""
        self.new_days.tell(equipment, self.archive(equipment).newest())

    def read(self, equipment: Equipment) -> list[date]:
        """Reads the last two months in one request, and weekly an older one; returns new or corrected days."""
        archive = self.archive(equipment)
        today = self._account.today()
        first, last = month_before(today), today - timedelta(days=1)
        changed = self._take(equipment, archive, first, last)[0]
        archive.note_asked()
        return changed + self._look_again(equipment, archive, first)

    def _take(self, equipment: Equipment, archive: Archive, first: date, last: date) -> tuple[list[date], bool, bool]:
        """Returns (changed days, whether there was any day, whether the site is still fetching)."""
        found = self._account.daily(equipment.type, equipment.key, first, last, bool(archive.months()))
        if found.error:
            _LOG.info("helloWatt says of %s: %s", equipment.type, found.error)
        if last >= self._account.today() - timedelta(days=1):
            self.new_days.note(equipment, found.says)
        today = self._account.today()
        return archive.take(found.days, today), bool(found.days), found.ongoing

    def _look_again(self, equipment: Equipment, archive: Archive, before: date) -> list[date]:
        """Reads one older month again each week, in turn: services correct past figures."""
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

    # Import.

    def importing(self, equipment: Equipment) -> bool:
        """True if there are months left to read."""
        return not self.archive(equipment).progress.get("done") and self._oldest > 0

    def restart_import(self, equipment: Equipment) -> None:
        """Restarts the import of all months."""
        archive = self.archive(equipment)
        kept = {name: value for name, value in archive.progress.items() if name in ("turn", "looked")}
        archive.keep_progress({**kept, "again": True})

    def import_pass(self, equipment: Equipment) -> bool:
        """Reads up to MONTHS_PER_PASS months, newest first, each persisted at once; True if there was any day.

        After an error the next pass continues with the same month. Raises DeviceError.
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
            # Months before a contract may be an error 500; after three tries they count as empty.
            if error.values.get("status") != 500 or not archive.months():
                raise
            any_day, ongoing = False, True
        if ongoing and tries < EMPTY_MONTHS_TO_END:
            # The site is still fetching that month: the next pass asks again.
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
            text = "{name} : historique récupéré, {n:mois demandé|mois demandés}"
        else:
            text = "{name} : historique de {month} (mois {n})"
        self._context.progress(
            "importHistory", self.percent(), text, name=equipment.name, n=read, month=f"{month:%m/%Y}"
        )

    def percent(self) -> float:
        """Progress of the import of all energies in percent; 100 if nothing is left."""
        shares = [self._share(each) for each in self._wanted]
        return 100.0 * sum(shares) / len(shares) if shares else 100.0

    def _share(self, equipment: Equipment) -> float:
        read = int(self.archive(equipment).progress.get("read", 0))
        return min(0.99, read / (USUAL_MONTHS + EMPTY_MONTHS_TO_END)) if self.importing(equipment) else 1.0

    def import_all(self, wanted: list[Equipment]) -> tuple[list[Equipment], DeviceError | None]:
        """Runs a pass over unfinished equipment; returns (those with new days, the error that stopped it or None)."""
        self._wanted = wanted
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
    """The site is still fetching a month."""
