"""Tempo colours of today, of tomorrow and in force: keeps the known ones, and decides when to ask which service."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from ...base import Context
from ...common.refusals import Policy, Refusals, Scope
from .. import mapping
from .services import NotTold, TempoService

_LOG = logging.getLogger(__name__)

HOUR_S = 3600.0
DAY_S = 86400.0
MONTH_S = 31 * DAY_S
PUBLISHED_S = 11 * HOUR_S + 300.0
"""Seconds after midnight from which tomorrow's colour is requested: it is usually published from 10:30 to 11."""
SETTLED_S = 12 * HOUR_S + 300.0
"""Seconds after midnight from which it no longer changes; one read earlier is requested again."""
NEXT_COLOR_S = 6 * HOUR_S
"""Seconds after midnight at which a colour starts: it is in force from 6:00 to 6:00."""
SPREAD_S = 1500
"""Seconds over which installations spread their requests."""
REQUESTS_PER_DAY = 24
"""Highest number of requests in a day."""
KEPT_DAYS = 8
POLICIES = {
    Scope.ADDRESS: Policy((HOUR_S, 2 * HOUR_S, 4 * HOUR_S, 8 * HOUR_S, DAY_S), tell_after=4, tell_after_s=DAY_S)
}


class Tempo:
    """Persists the colours; asks its services in order for those that are unknown or may still change."""

    def __init__(self, context: Context, sources: list[TempoService]) -> None:
        self._context = context
        self._services = sources
        self._refusals = Refusals(context.memory, context.clock, POLICIES, "tempoRefusals")

    def close(self) -> None:
        """Closes the connections."""
        for source in self._services:
            source.close()

    def now(self) -> datetime:
        """The time in Paris."""
        return datetime.fromtimestamp(self._context.clock.time(), mapping.PARIS)

    # Known colours.

    def known(self, day: date) -> int | None:
        """Returns the colour code of a day, or None. Sends no request."""
        return self._entry(day)[0]

    def facts(self) -> dict[str, str]:
        """Returns the facts to publish; an unknown colour is `inconnue`."""
        now = self.now()
        names = {"tempo.now": _in_force(now), "tempo.today": now.date(), "tempo.tomorrow": _next(now.date())}
        return {
            name: mapping.COLOR_NAMES.get(self.known(day) or 0, mapping.UNKNOWN_COLOR) for name, day in names.items()
        }

    def _entry(self, day: date) -> tuple[int | None, float]:
        """Returns (code or None, Unix time of reading)."""
        kept = self._state().get("colors", {}).get(day.isoformat())
        if isinstance(kept, int):  # persisted by an earlier version, without a time
            kept = [kept, 0.0]
        if not isinstance(kept, list) or len(kept) != 2 or kept[0] not in mapping.COLOR_NAMES:
            return None, 0.0
        return kept[0], float(kept[1])

    def _settled(self, day: date) -> bool:
        """True if a day's colour was read after it could no longer change."""
        code, at = self._entry(day)
        return code is not None and at >= _moment(day - timedelta(days=1), SETTLED_S)

    # Requests.

    def due(self) -> float:
        """Seconds until the next request."""
        if not self._services:
            return MONTH_S
        now = self.now().timestamp()
        if self._wanted():
            return min(max(0.0, float(self._state().get("next", 0.0)) - now), DAY_S)
        today, offset = self.now().date(), self._offset()
        marks = [_moment(today, PUBLISHED_S + offset), _moment(today, SETTLED_S + offset), _moment(_next(today), 0.0)]
        return min(mark - now for mark in marks if mark > now)

    def _wanted(self) -> list[date]:
        """Returns the days whose colour should be requested now."""
        now = self.now()
        today, tomorrow = now.date(), _next(now.date())
        days = [day for day in {_in_force(now): None, today: None} if self.known(day) is None]
        if today not in days and not self._settled(today):
            days.append(today)
        from_s = PUBLISHED_S if self.known(tomorrow) is None else SETTLED_S
        if not self._settled(tomorrow) and now.timestamp() >= _moment(today, from_s + self._offset()):
            days.append(tomorrow)
        return sorted(days)

    def ask(self) -> None:
        """Requests wanted colours from one service after the other until known; logs failures."""
        now = self.now()
        state = self._state()
        if state.get("day") != now.date().isoformat():
            state.update(day=now.date().isoformat(), asked=0)
        found: dict[date, int] = {}
        for source in self._services:
            missing = [day for day in self._wanted() if day not in found]
            if missing and int(state.get("asked", 0)) < REQUESTS_PER_DAY and not self._pause(source):
                state["asked"] = int(state.get("asked", 0)) + 1
                found.update(self._ask(source, missing, now.date()))
        self._keep(state, found, now)

    def _pause(self, source: TempoService) -> float:
        return self._refusals.wait_s(Scope.ADDRESS, source.key)

    def _ask(self, source: TempoService, days: list[date], today: date) -> dict[date, int]:
        try:
            found = source.ask(days)
            late = self.now().timestamp() >= _moment(today, SETTLED_S)
            if not found and (today in days or late):
                raise NotTold("the colour is unknown there")
        except NotTold as error:
            _LOG.info("the source of Tempo colours %s gives nothing usable: %s", source.name, error)
            self._refused(source, error)
            return {}
        if found and self._refusals.over(Scope.ADDRESS, source.key) is not None:
            _LOG.info("the source of Tempo colours %s answers again", source.name)
        return found

    def _refused(self, source: TempoService, error: NotTold) -> None:
        wait_s = None if error.wait_s is None else min(max(error.wait_s, HOUR_S), DAY_S)
        refusal = self._refusals.note(Scope.ADDRESS, source.key, str(error)[:80], wait_s)
        if not self._refusals.to_tell(refusal):
            return
        _LOG.warning("the Tempo source %s has given nothing usable for a day: %s", source.name, error)
        standing = [self._refusals.standing(Scope.ADDRESS, each.key) for each in self._services]
        if all(each is not None and each.told for each in standing):
            names = ", ".join(each.name for each in self._services)
            self._context.message("warning", _SILENT, names=names)

    def _keep(self, state: dict[str, Any], found: Mapping[date, int], now: datetime) -> None:
        colors = dict(state.get("colors", {}))
        for day, code in found.items():
            before = self.known(day)
            if before is not None and before != code:
                _LOG.info("the Tempo colour of %s has changed from %s to %s", day, before, code)
            colors[day.isoformat()] = [code, now.timestamp()]
        oldest = (now.date() - timedelta(days=KEPT_DAYS)).isoformat()
        state["colors"] = {day: entry for day, entry in colors.items() if day >= oldest}
        pauses = [self._pause(source) for source in self._services]
        state["next"] = now.timestamp() + max(HOUR_S, min(pauses, default=HOUR_S))
        self._context.memory.keep("tempo", state)

    def _state(self) -> dict[str, Any]:
        return dict(self._context.memory.get("tempo") or {})

    def _offset(self) -> int:
        offset = self._context.memory.get("tempoOffset")
        if not isinstance(offset, int):
            offset = random.randrange(SPREAD_S)
            self._context.memory.keep("tempoOffset", offset)
        return offset


def _next(day: date) -> date:
    return day + timedelta(days=1)


def _in_force(now: datetime) -> date:
    """Returns the day whose colour is in force at a time in Paris."""
    clock = timedelta(hours=now.hour, minutes=now.minute, seconds=now.second)
    return now.date() if clock.total_seconds() >= NEXT_COLOR_S else now.date() - timedelta(days=1)


def _moment(day: date, seconds: float) -> float:
    """Unix time of a wall-clock time in Paris, given in seconds after midnight."""
    wall = datetime.combine(day, datetime.min.time()) + timedelta(seconds=seconds)
    return wall.replace(tzinfo=mapping.PARIS).timestamp()


_SILENT = (
    "Les couleurs Tempo ne sont plus connues depuis un jour : {names} ne les donne plus. Si cela dure, choisissez une "
    "autre source dans la connexion, ou « Aucune »."
)
