"""Plans the next round: daily at an individual time, then at growing intervals until the day has arrived."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from ...base import Context
from .. import mapping

HOUR_S = 3600.0
SPREAD_S = 3000
"""Seconds over which installations spread their requests."""
RETRY_HOURS = (1.0, 2.0, 3.0, 4.0)
"""Hours between consecutive tries of a day."""
MAX_WAIT_S = 8 * 24 * HOUR_S
"""Longest wait in seconds: longer ones come from a stepped clock, since a refusal lasts a week at most."""


class Schedule:
    """The next round, persisted: a restart neither repeats nor skips it."""

    def __init__(self, context: Context, start_hour: int) -> None:
        self._context = context
        self._hour = start_hour

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._context.clock.time(), mapping.PARIS)

    def _state(self) -> dict[str, Any]:
        return dict(self._context.memory.get("schedule") or {})

    def wait(self) -> float:
        """Seconds until the next round; 0 if due. A stepped clock does not block it."""
        rest = float(self._state().get("next", 0.0)) - self._context.clock.time()
        return rest if 0 < rest <= MAX_WAIT_S else 0.0

    def at_once(self) -> None:
        """Makes the next round due now."""
        self._keep(next=0.0)

    def settled(self) -> None:
        """Plans the next round for tomorrow: the expected day is complete."""
        self._keep(next=self._start(1), attempt=0)

    def again(self, least: float = 0.0) -> None:
        """Plans a retry later today, after `least` seconds or more, or tomorrow: data is missing."""
        now = self._now()
        today = now.date().isoformat()
        state = self._state()
        attempt = int(state.get("attempt", 0)) if state.get("day") == today else 0
        begin = self._start(0)
        gap = RETRY_HOURS[min(attempt, len(RETRY_HOURS) - 1)] * HOUR_S * random.uniform(0.9, 1.1)
        at = now.timestamp() + max(gap, least)
        if at < begin and least <= 0:
            at, attempt = begin, -1
        if datetime.fromtimestamp(at, mapping.PARIS).date() != now.date():
            at = max(self._start(1), now.timestamp() + least)
        self._keep(next=at, attempt=attempt + 1, day=today)

    def after(self, seconds: float) -> None:
        """Plans the next round after a pause in seconds; does not count as a try."""
        self._keep(next=self._context.clock.time() + seconds + random.uniform(1.0, 60.0))

    def tomorrow(self) -> None:
        """Plans the next round for tomorrow."""
        self._keep(next=self._start(1), attempt=0)

    def _start(self, days: int) -> float:
        day = self._now().date() + timedelta(days=days)
        begin = datetime.combine(day, datetime.min.time(), mapping.PARIS).replace(hour=self._hour)
        return begin.timestamp() + self._offset()

    def _offset(self) -> int:
        offset = self._context.memory.get("offset")
        if not isinstance(offset, int):
            offset = random.randrange(SPREAD_S)
            self._context.memory.keep("offset", offset)
        return offset

    def _keep(self, **changes: Any) -> None:
        self._context.memory.keep("schedule", {**self._state(), **changes})
