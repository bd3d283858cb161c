"""Limits of requests to the site: requests, logins and refreshes per day, pauses, and blocks after a 429."""

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
"""Pause between two requests in seconds, plus a random part as long."""
LOGINS_PER_DAY = 3
"""Automatic logins in a day."""
USER_LOGINS_PER_DAY = 5
"""Further logins in a day that the user causes."""
REQUESTS_FOR_DAYS = 12
"""Requests of a day that the import leaves to the daily figures."""
REFRESHES_PER_DAY = 6
"""Rounds in a day that the user may request."""
REFRESH_GAP_S = 900.0
"""Shortest time between two such rounds, in seconds."""
MIN_BLOCK_S = 60.0
HOUR_S = 3600.0
POLICIES = {Scope.ADDRESS: Policy((HOUR_S, 2 * HOUR_S, 4 * HOUR_S, 24 * HOUR_S))}
"""Pauses after a 429 that does not say how long to wait."""


class Budget:
    """Counts requests by the day in Paris; persisted."""

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
        """Seconds until a request is allowed after a 429; 0 if allowed."""
        return self._limit.paused()

    def check(self) -> None:
        """Raises Limited or OverBudget if a request is not allowed now."""
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
        """Requests left today."""
        return self._limit.left("request")

    def spare(self) -> int:
        """Requests left today for the import."""
        return self._limit.left("import")

    def spend(self) -> bool:
        """Waits for the pause and counts a request, before it is sent. False if the connection is stopping."""
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
        """Starts the pause, after each request."""
        self._last = self._context.clock.monotonic()

    def passed(self) -> None:
        """Clears a 429: the site has answered."""
        self._limit.passed()

    def check_login(self, asked: bool) -> None:
        """Raises TooManyLogins if a login is not allowed. `asked`: on behalf of the user."""
        held = self._limit.held("test" if asked else "login")
        if held is not None and held.window:
            raise TooManyLogins(
                "{n} connexions au compte helloWatt ont déjà été faites aujourd'hui : la prochaine demain",
                n=held.count,
                retry=held.wait_s,
            )

    def note_login(self, asked: bool) -> None:
        """Counts a login, before the credentials are sent."""
        self._limit.add("test" if asked else "login")
        self._context.count("logins")

    def take_refresh(self) -> None:
        """Counts a round requested by the user. Raises Refused with the time of the next one if too early."""
        held = self._limit.take("refresh")
        if held is not None:
            raise self._too_early(held)

    def _too_early(self, held: Held) -> Refused:
        _LOG.info("a refresh was asked for too early")
        if held.window == "refreshes":
            return Refused("Déjà {n} rafraîchissements aujourd'hui : le prochain est possible demain", n=held.count)
        return Refused(_EARLY, time=self.hour(held.wait_s), minutes=int(REFRESH_GAP_S / 60))

    def block(self, seconds: float | None) -> float:
        """Blocks requests after a 429 for `seconds` (default: growing from an hour); returns the seconds."""
        return self._limit.pause("429", None if seconds is None else max(seconds, MIN_BLOCK_S))

    def hour(self, seconds: float) -> str:
        """Formats the time `seconds` from now for the user; with the date if not today."""
        now = self.now()
        then = now + timedelta(seconds=seconds)
        return f"{then:%H:%M}" if then.date() == now.date() else Moment(then, "%d/%m %H:%M")


_EARLY = "helloWatt vient d'être interrogé (au plus une fois en {minutes} min) : rafraîchissement possible à {time}"
