"""How many requests may leave: Netatmo allows a user 50 in 10 s and 500 an hour, over all his programs."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from ..base import Context, RateLimited
from ..common.refusals import Policy, Refusals, Scope

_LOG = logging.getLogger(__name__)

BURST = 30
BURST_SECONDS = 10.0
HOURLY = {"import": 200, "poll": 300, "user": 400}
"""Requests within an hour after which this kind of work waits: the more it is awaited, the later."""
PAUSES_S = (600.0, 1200.0, 2400.0, 3600.0)
"""After the first, second, ... refusal in a row of a request beyond the quota, unless the service says how long."""
QUOTA = "quota"


class Budget:
    """Counts requests by the minute, over restarts; blocks everything while the service wants to be left alone."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # In the memory: a test of the form beside the running connection is refused for both.
        policies = {Scope.CREDENTIAL: Policy(PAUSES_S)}
        self._refusals = Refusals(context.memory, context.clock, policies, "quota")
        kept = context.memory.get("requests")
        self._minutes: dict[int, int] = _minutes(kept)
        self._recent: deque[float] = deque()

    def hour(self) -> int:
        """Requests of the last hour, told by the minute."""
        now = int(self._context.clock.time() // 60)
        self._minutes = {m: n for m, n in self._minutes.items() if now - 60 <= m <= now + 1}
        return sum(self._minutes.values())

    def left(self, purpose: str) -> int:
        """How many requests this kind of work may still make now."""
        return 0 if self.blocked() else max(0, HOURLY[purpose] - self.hour())

    def blocked(self) -> float:
        """Seconds for which the service wants to be left alone."""
        return self._refusals.wait_s(Scope.CREDENTIAL, QUOTA)

    def take(self, purpose: str) -> None:
        """Before each request: counts it, waits for room within 10 s. Raises RateLimited."""
        rest = self.blocked()
        if rest:
            raise RateLimited(
                "Netatmo a refusé une requête de trop : prochaine requête dans {minutes} min",
                retry=rest,
                minutes=max(1, round(rest / 60)),
            )
        count = self.hour()
        if count >= HOURLY[purpose]:
            raise RateLimited(
                "{count} requêtes à Netatmo en une heure, la limite est proche : la suite attend quelques minutes",
                retry=300.0,
                count=count,
            )
        while not self._room():
            if not self._context.pause(BURST_SECONDS / 5):
                raise RateLimited("La connexion vient d'être arrêtée", retry=60.0)
        self._recent.append(self._context.clock.monotonic())
        minute = int(self._context.clock.time() // 60)
        self._minutes[minute] = self._minutes.get(minute, 0) + 1
        self._context.count("requests")

    def _room(self) -> bool:
        now = self._context.clock.monotonic()
        while self._recent and now - self._recent[0] >= BURST_SECONDS:
            self._recent.popleft()
        return len(self._recent) < BURST

    def refused(self, told: float | None) -> float:
        """The service refused a request beyond its quota: returns the pause in seconds, `told` by it or growing."""
        self._context.count("refusals")
        self._refusals.note(Scope.CREDENTIAL, QUOTA, "code 26", told)
        pause = self.blocked()
        _LOG.warning("Netatmo refuses requests for now, all calls wait %.0f s", pause)
        return pause

    def accepted(self) -> None:
        """A request went through."""
        self._refusals.over(Scope.CREDENTIAL, QUOTA)

    def keep(self) -> None:
        """Remembers the counts over a restart, with those of a test that ran beside."""
        for minute, count in _minutes(self._context.memory.get("requests")).items():
            self._minutes[minute] = max(count, self._minutes.get(minute, 0))
        self.hour()
        self._context.memory.keep("requests", {str(minute): count for minute, count in self._minutes.items()})


def _minutes(kept: Any) -> dict[int, int]:
    if not isinstance(kept, dict):
        return {}
    return {int(m): n for m, n in kept.items() if str(m).isdigit() and isinstance(n, int) and n > 0}
