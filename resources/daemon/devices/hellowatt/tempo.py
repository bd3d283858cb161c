"""The Tempo colours of today and tomorrow, from a public service that is asked a few times a day."""

from __future__ import annotations

import logging
import random
from datetime import date, datetime, timedelta
from typing import Any

from jeedom_bridge.http import HttpError, fetch, new_session

from ..base import Context
from . import mapping
from .client import AGENT, retry_after

_LOG = logging.getLogger(__name__)

PATH = "/api/jourTempo/{day}"
HOUR = 3600.0
PUBLISHED = (11, 5)
"""When the colour of the next day is out, as a rule."""
SPREAD = 1500
"""Seconds by which installations differ."""
PER_DAY = 24
"""Requests of one day at most."""
KEEP = 8
MONTH = 31 * 86400.0


class Tempo:
    """Knows the colours, and when to ask for one that is not known."""

    def __init__(self, context: Context, base: str) -> None:
        self._context = context
        self._base = base
        self._session = new_session()
        self._session.headers.update({"User-Agent": AGENT, "Accept": "application/json"})

    def close(self) -> None:
        """Ends the connection."""
        self._session.close()

    def now(self) -> datetime:
        """The time in Paris."""
        return datetime.fromtimestamp(self._context.clock.time(), mapping.PARIS)

    def known(self, day: date) -> int | None:
        """The code of a day's colour; of yesterday's tomorrow without asking again."""
        code = self._state().get("colors", {}).get(day.isoformat())
        return code if code in mapping.COLORS else None

    def facts(self) -> dict[str, str]:
        """What is published: `inconnue` is a colour as well."""
        today = self.now().date()
        names = {"tempo.today": today, "tempo.tomorrow": today + timedelta(days=1)}
        return {name: mapping.COLORS.get(self.known(day) or 0, mapping.UNKNOWN) for name, day in names.items()}

    def due(self) -> float:
        """Seconds until the next question makes sense."""
        if not self._base:
            return MONTH
        now = self.now()
        waits = [float(self._state().get("next", 0.0)) - now.timestamp()]
        out = datetime.combine(now.date(), datetime.min.time(), mapping.PARIS) + timedelta(
            hours=PUBLISHED[0], minutes=PUBLISHED[1], seconds=self._offset()
        )
        if self.known(now.date()) is not None:
            if self.known(now.date() + timedelta(days=1)) is not None:
                out += timedelta(days=1)
            waits.append(out.timestamp() - now.timestamp())
        # A clock that was set back must not stop it for long.
        return min(max(0.0, *waits), 86400.0)

    def ask(self) -> None:
        """Asks for what is not known and due. A failure is told in the log only; the next hour tries again."""
        now = self.now()
        state = self._state()
        days = [now.date()] if self.known(now.date()) is None else []
        if self.known(now.date() + timedelta(days=1)) is None and (now.hour, now.minute) >= PUBLISHED:
            days.append(now.date() + timedelta(days=1))
        state["next"] = now.timestamp() + HOUR
        if state.get("day") != now.date().isoformat():
            state.update(day=now.date().isoformat(), asked=0)
        for day in days:
            if state["asked"] >= PER_DAY:
                break
            state["asked"] += 1
            code, wait = self._ask(day, now)
            if code is not None:
                state["colors"] = {**state.get("colors", {}), day.isoformat(): code}
            if wait is not None:
                state["next"] = now.timestamp() + max(HOUR, min(wait, 86400.0))
                break
        oldest = (now.date() - timedelta(days=KEEP)).isoformat()
        state["colors"] = {day: code for day, code in state.get("colors", {}).items() if day >= oldest}
        self._context.memory.keep("tempo", state)

    def _ask(self, day: date, now: datetime) -> tuple[int | None, float | None]:
        self._context.count("tempoRequests")
        try:
            url = self._base + PATH.format(day=day.isoformat())
            answer = fetch(self._session, "GET", url, connect=10.0, read=20.0, deadline=30.0, max_bytes=65536)
            if answer.status == 200:
                return mapping.tempo_color(answer.json(), day), None
            _LOG.info("the source of Tempo colours answers %s", answer.status)
            return None, retry_after(answer, now.timestamp()) or HOUR
        except (HttpError, ValueError) as error:
            _LOG.info("the source of Tempo colours gives nothing usable: %s", error)
            return None, HOUR

    def _state(self) -> dict[str, Any]:
        return dict(self._context.memory.get("tempo") or {})

    def _offset(self) -> int:
        offset = self._context.memory.get("tempoOffset")
        if not isinstance(offset, int):
            offset = random.randrange(SPREAD)
            self._context.memory.keep("tempoOffset", offset)
        return offset
