"""How much may be asked of the site: a day's requests, logins and refreshes, pauses, and the end of a 429."""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta

from ...base import Context, Moment, Refused
from ...common.rate_limit import Held, RateLimit, Window
from ...common.refusals import Policy, Refusals, Scope
from ..mapping import PARIS
from .errors import Limited, OverBudget, TooManyLogins

_LOG = logging.getLogger(__name__)

PAUSE_S = 0.5
"""Between two requests, plus as much again by chance."""
LOGINS_PER_DAY = 3
"""Logins of its own accord on one day."""
USER_LOGINS_PER_DAY = 5
"""Logins that the user asks for on one day, beside those."""
REQUESTS_FOR_DAYS = 12
"""Requests of a day that the import leaves to the daily figures."""
REFRESHES_PER_DAY = 6
"""Rounds that the user may ask for on one day."""
REFRESH_GAP_S = 900.0
"""Seconds between two of them."""
MIN_BLOCK_S = 60.0
HOUR_S = 3600.0
POLICIES = {Scope.ADDRESS: Policy((HOUR_S, 2 * HOUR_S, 4 * HOUR_S, 24 * HOUR_S))}
"""How long the site is left alone after a 429 that does not say how long."""


class Budget:
    """Counts what is asked, by the day in Paris. A restart of the daemon forgets nothing."""

    def __init__(self, context: Context, per_day: int) -> None:
        self._context = context
        self._per_day = per_day
        self._last = float("-inf")
        windows = (
            Window("day", {"request": per_day, "import": per_day - REQUESTS_FOR_DAYS}, zone=PARIS),
            Window("logins", {"login": LOGINS_PER_DAY}, zone=PARIS),
            Window("tests", {"test": USER_LOGINS_PER_DAY}, zone=PARIS),
            Window("refreshes", {"refresh": REFRESHES_PER_DAY}, zone=PARIS),
            Window("gap", {"refresh": 1}, REFRESH_GAP_S),
        )
        refusals = Refusals(context.memory, context.clock, POLICIES, "requestRefusals")
        self._limit = RateLimit(context.memory, context.clock, windows, refusals)

    def now(self) -> datetime:
        """The time in Paris."""
        return datetime.fromtimestamp(self._context.clock.time(), PARIS)

    def blocked(self) -> float:
        """Seconds until the site may be asked again after a 429; 0 when it may."""
        return self._limit.paused()

    def check(self) -> None:
        """Raises what forbids a request now."""
        held = self._limit.held("request")
        if held is None:
            return
        if not held.window:
            raise Limited(
                "helloWatt a demandé d'attendre (trop de requêtes) : aucune requête avant {time}",
                time=self.hour(held.wait_s),
                retry=held.wait_s,
            )
        raise OverBudget(
            "Les {n} requêtes permises par jour ont été faites : les prochaines demain",
            n=self._per_day,
            retry=held.wait_s,
        )

    def left(self) -> int:
        """Requests that today still has."""
        return self._limit.left("request")

    def spare(self) -> int:
        """Requests that an import may still use today."""
        return self._limit.left("import")

    def spend(self) -> bool:
        """Before each request: waits its turn and counts it. False when the connection is to end."""
        self.check()
        clock = self._context.clock
        rest = self._last + PAUSE_S + random.uniform(0, PAUSE_S) - clock.monotonic()
        if rest > 0 and not self._context.pause(rest):
            return False
        self._last = clock.monotonic()
        self._limit.add("request")
        self._context.count("requests")
        return True

    def finished(self) -> None:
        """After each request: the pause counts from its end."""
        self._last = self._context.clock.monotonic()

    def passed(self) -> None:
        """The site has answered: a 429 that stood is over."""
        self._limit.passed()

    def check_login(self, asked: bool) -> None:
        """Before a login begins. Raises TooManyLogins; `asked`: the user waits for it."""
        held = self._limit.held("test" if asked else "login")
        if held is not None and held.window:
            raise TooManyLogins(
                "{n} connexions au compte helloWatt ont déjà été faites aujourd'hui : la prochaine demain",
                n=held.count,
                retry=held.wait_s,
            )

    def note_login(self, asked: bool) -> None:
        """Before e-mail and password leave."""
        self._limit.add("test" if asked else "login")
        self._context.count("logins")

    def take_refresh(self) -> None:
        """One more round for the user. Raises Refused, which says when the next one is possible."""
        held = self._limit.take("refresh")
        if held is not None:
            raise self._too_early(held)

    def _too_early(self, held: Held) -> Refused:
        _LOG.info("a refresh was asked for too early")
        if held.window == "refreshes":
            return Refused("Déjà {n} rafraîchissements aujourd'hui : le prochain est possible demain", n=held.count)
        return Refused(_EARLY, time=self.hour(held.wait_s), minutes=int(REFRESH_GAP_S / 60))

    def block(self, seconds: float | None) -> float:
        """The site answered 429: nothing until `seconds` (default: growing from an hour) have passed."""
        return self._limit.pause("429", None if seconds is None else max(seconds, MIN_BLOCK_S))

    def hour(self, seconds: float) -> str:
        """The time of day so many seconds from now, as the user reads it; with the day when it is not today's."""
        now = self.now()
        then = now + timedelta(seconds=seconds)
        return f"{then:%H:%M}" if then.date() == now.date() else Moment(then, "%d/%m %H:%M")


_EARLY = "helloWatt vient d'être interrogé (au plus une fois en {minutes} min) : rafraîchissement possible à {time}"
