"""How many requests may leave: Netatmo allows a user 50 in 10 s and 500 an hour, over all his programs."""

from __future__ import annotations

import logging

from ..base import Context, RateLimited
from ..common.rate_limit import RateLimit, Window
from ..common.refusals import Policy, Refusals, Scope

_LOG = logging.getLogger(__name__)

HOUR_WINDOW = Window("hour", {"import": 200, "poll": 300, "user": 400}, 3600.0)
"""Requests within an hour after which this kind of work waits: the more it is awaited, the later."""
BURST_WINDOW = Window("burst", dict.fromkeys(HOUR_WINDOW.most, 30), 10.0)
POLICIES = {Scope.CREDENTIAL: Policy((600.0, 1200.0, 2400.0, 3600.0))}
"""After a request beyond the quota, unless the service says how long."""
WRITE_EVERY_S = 60.0


class Budget:
    """Counts requests over restarts; blocks everything while the service wants to be left alone."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # In the memory: a test of the form beside the running connection is refused for both.
        refusals = Refusals(context.memory, context.clock, POLICIES, "quota")
        self._limit = RateLimit(
            context.memory,
            context.clock,
            (HOUR_WINDOW, BURST_WINDOW),
            refusals,
            scope=Scope.CREDENTIAL,
            write_every_s=WRITE_EVERY_S,
        )

    def hour(self) -> int:
        """Requests of the last hour, told by the minute."""
        return self._limit.used(HOUR_WINDOW.name)

    def left(self, purpose: str) -> int:
        """How many requests this kind of work may still make within the hour."""
        return 0 if self.blocked() else max(0, HOUR_WINDOW.most[purpose] - self.hour())

    def blocked(self) -> float:
        """Seconds for which the service wants to be left alone."""
        return self._limit.paused()

    def take(self, purpose: str) -> None:
        """Before each request: counts it, waits for room within 10 s. Raises RateLimited."""
        while (held := self._limit.take(purpose)) is not None:
            if held.window == HOUR_WINDOW.name:
                raise RateLimited(
                    "{count} requêtes à Netatmo en une heure, la limite est proche : la suite attend quelques minutes",
                    retry=300.0,
                    count=held.count,
                )
            if not held.window:
                raise RateLimited(
                    "La limite de requêtes de Netatmo est atteinte : prochaine requête dans {minutes} min",
                    retry=held.wait_s,
                    minutes=max(1, round(held.wait_s / 60)),
                )
            if not self._context.pause(held.wait_s):
                raise RateLimited("La connexion vient d'être arrêtée", retry=60.0)
        self._context.count("requests")

    def refused(self, told: float | None) -> float:
        """The service refused a request beyond its quota: returns the pause in seconds, `told` by it or growing."""
        self._context.count("refusals")
        pause = self._limit.pause("code 26", told)
        _LOG.warning("Netatmo refuses requests for now, all calls wait %.0f s", pause)
        return pause

    def accepted(self) -> None:
        """A request went through."""
        self._limit.passed()

    def keep(self) -> None:
        """Remembers the counts over a restart, with those of a test that ran beside."""
        self._limit.keep()
