"""How much may be asked of the site: pauses, a day's requests and logins, and the end of a 429, all durable."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from ..base import Context
from .errors import Limited, OverBudget, TooManyLogins
from .mapping import PARIS

PAUSE = 0.5
"""Seconds between two requests, plus as much again by chance."""
LOGINS = 3
"""Logins of its own accord on one day."""
TESTS = 5
"""Logins that the user asks for on one day, beside those."""
RESERVE = 12
"""Requests of a day that the import leaves to the daily figures."""
_LOGINS = {True: ("tests", TESTS), False: ("logins", LOGINS)}
LONGEST = 86400.0
DEFAULT_WAIT = 3600.0


class Budget:
    """Counts what is asked, by the day in Paris. A restart of the daemon forgets nothing."""

    def __init__(self, context: Context, per_day: int) -> None:
        self._context = context
        self._per_day = per_day
        self._last = float("-inf")

    def now(self) -> datetime:
        """The time in Paris."""
        return datetime.fromtimestamp(self._context.clock.time(), PARIS)

    def _today(self) -> dict[str, Any]:
        day = self.now().date().isoformat()
        spent = self._context.memory.get("spent") or {}
        return spent if spent.get("day") == day else {"day": day, "requests": 0, "logins": 0, "tests": 0}

    def _seconds_to_midnight(self) -> float:
        now = self.now()
        tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), PARIS)
        return tomorrow.timestamp() - now.timestamp()

    def blocked(self) -> float:
        """Seconds until the site may be asked again after a 429; 0 when it may."""
        rest = float(self._context.memory.get("until", 0.0)) - self._context.clock.time()
        # A clock that was set back must not make a wait of years.
        return rest if 0 < rest <= LONGEST else 0.0

    def check(self) -> None:
        """Raises what forbids a request now."""
        rest = self.blocked()
        if rest:
            raise Limited(
                "helloWatt a demandé d'attendre (trop de requêtes) : aucune requête avant {time}",
                time=self.hour(rest),
                retry=rest,
            )
        if self.left() <= 0:
            rest = self._seconds_to_midnight()
            raise OverBudget(
                "Les {n} requêtes permises par jour ont été faites : les prochaines demain", n=self._per_day, retry=rest
            )

    def left(self) -> int:
        """Requests that today still has."""
        return self._per_day - int(self._today()["requests"])

    def spare(self) -> int:
        """Requests that an import may still use today."""
        return self.left() - RESERVE

    def spend(self) -> bool:
        """Before each request: waits its turn and counts it. False when the connection is to end."""
        self.check()
        clock = self._context.clock
        rest = self._last + PAUSE + random.uniform(0, PAUSE) - clock.monotonic()
        if rest > 0 and not self._context.pause(rest):
            return False
        self._last = clock.monotonic()
        self._add("requests")
        self._context.count("requests")
        return True

    def finished(self) -> None:
        """After each request: the pause counts from its end."""
        self._last = self._context.clock.monotonic()

    def check_login(self, asked_for: bool) -> None:
        """Before a login begins. Raises TooManyLogins; `asked_for`: the user waits for it."""
        name, limit = _LOGINS[asked_for]
        if int(self._today().get(name, 0)) >= limit:
            raise TooManyLogins(
                "{n} connexions au compte helloWatt ont déjà été faites aujourd'hui : la prochaine demain",
                n=limit,
                retry=self._seconds_to_midnight(),
            )

    def note_login(self, asked_for: bool) -> None:
        """Before e-mail and password leave."""
        self._add(_LOGINS[asked_for][0])
        self._context.count("logins")

    def _add(self, name: str) -> None:
        today = self._today()
        today[name] = int(today.get(name, 0)) + 1
        self._context.memory.keep("spent", today)

    def block(self, seconds: float | None) -> float:
        """The site answered 429: nothing until `seconds` (default an hour) have passed, whatever happens here."""
        wait = min(max(seconds if seconds is not None else DEFAULT_WAIT, 60.0), LONGEST)
        self._context.memory.keep("until", self._context.clock.time() + wait)
        return wait

    def hour(self, seconds: float) -> str:
        """The time of day so many seconds from now, as the user reads it; with the day when it is not today's."""
        now = self.now()
        then = now + timedelta(seconds=seconds)
        return then.strftime("%H:%M" if then.date() == now.date() else "%d/%m %H:%M")
