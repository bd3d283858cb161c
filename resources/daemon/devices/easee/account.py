"""One account: sends its requests within a budget, and decides what a refusal means for the next ones.

A status alone does not show how far a refusal reaches. A gateway's 403 on one path concerns that path; if another path
is refused too before any request succeeds, this machine's address is blocked. The stream's host has locked out
addresses that the rest of the service still served: it has a pause of its own, longer than the others. Refusals of the
address are shared by all accounts of this machine and persisted.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Callable, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jeedom_bridge.http import Response

from ..base import AuthenticationFailed, Context, DeviceError, Moment, RateLimited, Refused, vendor_url
from ..common.rate_limit import RateLimit, Window
from ..common.refusals import Policy, Refusals, Scope
from ..common.vendor_clock import VendorClock, date_of
from .client import DAY_S, Blocked, Cloud, Forbidden, TokenRefused
from .tokens import TokenKeeper

_LOG = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")

WINDOW_S = 300.0
REQUESTS_PER_WINDOW = 90
"""Requests of all accounts per `WINDOW_S` seconds; beyond 100 to 500 the service blocks an address for a day."""
REQUESTS_FOR_ACTIONS = 25
"""Requests among these that are reserved for the user's actions."""
MARGIN_S = 900.0
"""Seconds added to a block of hours "from the last request": another one may have been in flight."""
EVIDENCE_S = 900.0
"""Seconds within which two paths must be refused to conclude that the address is blocked."""
POLICIES = {
    # If the service does not say how long: from the fourth refusal on, the block is assumed to last a day.
    Scope.ADDRESS: Policy((300.0, 900.0, 3600.0, DAY_S + MARGIN_S), margin_s=5.0),
    Scope.REQUEST: Policy((900.0, 3600.0, 4 * 3600.0, DAY_S + MARGIN_S), margin_s=60.0),
}
FIVE_MINUTES = "five minutes"
ADDRESS, STREAM = "address", "stream"
WAIT_GIVEN, WAIT_UNKNOWN, TWO_PATHS_REFUSED = "told", "limit", "gateway"
"""Why an address is paused: the service said for how long; it did not say; two refused paths imply it."""


class HeldBack(RateLimited):
    """The request was not sent: a pause or the budget forbids it. Starts no further pause."""


class Account:
    """Thread-safe: the connection's thread and actions share it."""

    def __init__(self, config: Mapping[str, Any], context: Context) -> None:
        self._config = config
        self._context = context
        self._clock = context.clock
        self.time = VendorClock(context.clock)
        self._lock = threading.RLock()
        self._cloud: Cloud | None = None
        self._shown = {"requestsLast5min": 0, "requestsAllowed5min": 0}
        host = urlsplit(str(config.get("apiUrl") or "")).netloc
        most = {"usual": REQUESTS_PER_WINDOW - REQUESTS_FOR_ACTIONS, "urgent": REQUESTS_PER_WINDOW}
        windows = [Window(FIVE_MINUTES, most, WINDOW_S)]
        self._limit = RateLimit(context.shared_memory, context.clock, windows, name=f"requests {host}")
        self._book = Refusals(context.shared_memory, context.clock, POLICIES, f"refusals {host}")
        self._gateways: dict[str, float] = {}
        self._ask_again_at, self._ask_pause = float("-inf"), 30.0
        self._anyway = False
        self.tokens = TokenKeeper(config, context, lambda: self.cloud, self._guarded)

    @property
    def cloud(self) -> Cloud:
        """The service. Raises Refused if its address is not valid."""
        with self._lock:
            if self._cloud is None:
                api, stream = (vendor_url(str(self._config.get(key) or "")) for key in ("apiUrl", "streamUrl"))
                self._cloud = Cloud(api, stream, lambda header: self.time.note(date_of(header)))
                self._show("requestsAllowed5min", REQUESTS_PER_WINDOW)
            return self._cloud

    def close(self) -> None:
        """Closes the connections."""
        if self._cloud is not None:
            self._cloud.close()

    # Requests.

    def call(self, method: str, path: str, body: Any = None, read: float = 15.0, urgent: bool = False) -> Response:
        """Sends a request; renews a refused token and repeats, once. `read`: timeout in s; `urgent`: a user waits.

        Raises DeviceError.
        """
        kind = f"{method} {_kind(path)}"
        return self._with_token(
            lambda token: self._guarded(lambda: self.cloud.call(method, path, token, body, read), kind, urgent)
        )

    def negotiate(self) -> tuple[str, str, str]:
        """Returns (URL of the stream, cookies, token to open it with). Raises DeviceError."""
        rest = self._book.wait_s(Scope.REQUEST, STREAM)
        if rest > 0 and self._book.wait_s(Scope.ADDRESS, ADDRESS) <= 0:
            raise HeldBack(
                "Easee refuse le flux en direct pour cette adresse : prochain essai le {until}, "
                "les valeurs sont lues toutes les deux minutes d'ici là",
                until=self._until(self._clock.time() + rest),
                retry=rest,
            )
        url, cookies, usable = self._with_token(
            lambda token: self._guarded(lambda: self.cloud.negotiate(token), STREAM)
        )
        self._context.mask(usable, *cookies.split("; "))
        return url, cookies, usable

    def opened(self) -> None:
        """Clears refusals of the stream: it has opened."""
        self._book.over(Scope.REQUEST, STREAM)

    def _with_token(self, request: Callable[[str], _Answer]) -> _Answer:
        token = self.tokens.token()
        try:
            return request(token)
        except TokenRefused:
            token = self.tokens.renew(token)
        try:
            return request(token)
        except TokenRefused as error:
            raise AuthenticationFailed(
                "Easee refuse un jeton qui vient d'être renouvelé : le compte est-il encore actif ?"
            ) from error

    def login(self) -> None:
        """Checks user and password by a real login, on behalf of the user. See TokenKeeper.login."""
        self.ask_anyway()
        self.tokens.login()

    def ask_anyway(self) -> None:
        """Lets one request of the user through a pause that we concluded ourselves, not one that was ordered.

        Scenarios call this too: it works once a minute at first, then every 2, 4, ... up to 60 minutes.
        """
        with self._lock:
            standing = self._book.standing(Scope.ADDRESS, ADDRESS)
            now = self._clock.monotonic()
            if standing is None or standing.reason != TWO_PATHS_REFUSED or now < self._ask_again_at:
                return
            self._ask_pause = min(2 * self._ask_pause, 3600.0)
            self._ask_again_at = now + self._ask_pause
            self._anyway = True

    def heed(self, error: DeviceError, kind: str) -> DeviceError:
        """Records a refusal that concerns more than its own request; returns the error to raise, with its `retry`."""
        if isinstance(error, Blocked):
            wait = self._wait(error.asked)
            if kind == STREAM:
                self._book.note(Scope.REQUEST, STREAM, WAIT_GIVEN if wait else WAIT_UNKNOWN, wait)
            return self._rest(WAIT_GIVEN if error.asked else WAIT_UNKNOWN, wait)
        if isinstance(error, Forbidden):
            now = self._clock.monotonic()
            with self._lock:
                others = [each for each, at in self._gateways.items() if each != kind and now - at <= EVIDENCE_S]
                self._gateways[kind] = now
            if others or self._book.standing(Scope.ADDRESS, ADDRESS) is not None:
                _LOG.debug("%s is refused as %s: the address is blocked", kind, ", ".join(others) or "before")
                return self._rest(TWO_PATHS_REFUSED, None)
            if kind == STREAM:
                error.retry = self._book.note(Scope.REQUEST, STREAM, TWO_PATHS_REFUSED).until - self._clock.time()
        return error

    def _wait(self, asked: float | None) -> float | None:
        """Seconds to wait: as ordered, and longer if that did not help. None: not ordered."""
        if asked is None:
            return None
        if asked >= 3600.0:
            return asked + MARGIN_S
        standing = self._book.standing(Scope.ADDRESS, ADDRESS)
        if standing is None:
            return asked
        waits = POLICIES[Scope.ADDRESS].waits_s
        return max(asked, waits[min(standing.count, len(waits)) - 1])

    def _rest(self, reason: str, wait: float | None) -> HeldBack:
        refusal = self._book.note(Scope.ADDRESS, ADDRESS, reason, wait)
        self._context.count("pausesAsked")
        return self._resting(refusal.until - self._clock.time())

    def _guarded(self, request: Callable[[], _Answer], kind: str, urgent: bool = False) -> _Answer:
        """Sends a request if budget and pauses allow it. Raises HeldBack if not."""
        self.cloud  # noqa: B018  # raises Refused first if the URL is not valid
        self._spend(urgent or kind in ("login", "refresh_token"))
        begun, wall = self._clock.monotonic(), self._clock.time()
        try:
            answer = request()
        except DeviceError as error:
            if isinstance(error, (AuthenticationFailed, Refused, TokenRefused)) and not isinstance(error, Forbidden):
                self._passed(begun, wall)
            told = self.heed(error, kind)
            if told is error:
                raise
            raise told from error
        self._passed(begun, wall)
        return answer

    def _passed(self, begun: float, wall: float) -> None:
        """Clears refusals older than a successful request. `begun`: monotonic, `wall`: Unix time of its start."""
        with self._lock:
            self._gateways = {kind: at for kind, at in self._gateways.items() if at > begun}
            self._ask_pause = 30.0
        standing = self._book.standing(Scope.ADDRESS, ADDRESS)
        if standing is not None and standing.last <= wall:
            self._book.over(Scope.ADDRESS, ADDRESS)

    def _spend(self, urgent: bool) -> None:
        rest = self._book.wait_s(Scope.ADDRESS, ADDRESS)
        with self._lock:
            anyway, self._anyway = self._anyway, False
            if rest > 0 and not anyway:
                raise self._resting(rest)
            held = self._limit.take("urgent" if urgent else "usual")
            if held is not None:
                self._context.count("requestsHeldBack")
                raise HeldBack(
                    "Trop de requêtes vers Easee en peu de temps : la suivante attend, pour ne pas être bloqué",
                    retry=held.wait_s,
                )
            self.show_budget()
            self._context.count("requests")

    def _resting(self, rest: float) -> HeldBack:
        return HeldBack(
            "Easee refuse les requêtes de cette adresse, il y en a eu trop : rien n'est envoyé avant le {until}. "
            "Fermez les autres programmes qui interrogent Easee",
            until=self._until(self._clock.time() + rest),
            retry=rest,
        )

    def _until(self, at: float) -> Moment:
        # Rounded up, so that the same end always has the same text.
        return Moment(datetime.fromtimestamp(-(-at // 60) * 60, ZoneInfo(self._context.timezone)))

    def show_budget(self) -> None:
        """Updates the counters of the budget in `status`."""
        with self._lock:
            self._show("requestsLast5min", self._limit.used(FIVE_MINUTES))

    def _show(self, counter: str, value: int) -> None:
        self._context.count(counter, value - self._shown[counter])
        self._shown[counter] = value


def _kind(path: str) -> str:
    """Returns a path without device identifiers: settings of two chargers are one kind of request."""
    return re.sub(r"/[^/]*\d[^/]*", "/*", path.partition("?")[0])
