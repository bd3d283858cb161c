"""How often the user may ask for a round of his own."""

from __future__ import annotations

import logging

from ..base import Context, Refused
from .budget import Budget

_LOG = logging.getLogger(__name__)

GAP = 900.0
PER_DAY = 6


class Refreshes:
    """Counts them, durable."""

    def __init__(self, context: Context, budget: Budget) -> None:
        self._context = context
        self._budget = budget

    def take(self) -> None:
        """One more. Raises Refused, which says when the next one is possible."""
        now = self._context.clock.time()
        day = self._budget.now().date().isoformat()
        kept = self._context.memory.get("refreshes") or {}
        n = int(kept.get("n", 0)) if kept.get("day") == day else 0
        rest = float(kept.get("last", 0.0)) + GAP - now
        if 0 < rest <= GAP:
            _LOG.info("a refresh was asked too early")
            raise Refused(_EARLY, time=self._budget.hour(rest), minutes=int(GAP / 60))
        if n >= PER_DAY:
            _LOG.info("a refresh was asked once too often")
            raise Refused("Déjà {n} rafraîchissements aujourd'hui : le prochain est possible demain", n=PER_DAY)
        self._context.memory.keep("refreshes", {"day": day, "n": n + 1, "last": now})


_EARLY = "helloWatt vient d'être interrogé (au plus une fois en {minutes} min) : rafraîchissement possible à {time}"
