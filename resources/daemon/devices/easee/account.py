"""One account: its tokens, its budget of requests, and the pauses that the service asks for."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, Callable, TypeVar

from jeedom_bridge.http import Response

from ..base import AuthenticationFailed, Context, DeviceError, RateLimited, Unreachable, vendor_url
from .client import Cloud, TokenRefused, Tokens

_LOG = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")

WINDOW = 300.0
BUDGET = 90
"""Requests per `WINDOW` s of one account; the service blocks an address, for a day, beyond 100 to 500."""
RESERVE = 25
"""Of these, requests that are kept for the user's actions."""
RENEW_AT = 0.45
"""The part of a token's life after which it is renewed: before half of it."""
LOGIN_PAUSES = (60.0, 120.0, 300.0, 900.0, 3600.0)
LONGEST_PAUSE = 86400.0


class HeldBack(RateLimited):
    """What was not sent at all: a pause asked for before, or our own budget. It begins no other pause."""


class Account:
    """Thread-safe: the connection's thread and actions share it."""

    def __init__(self, config: Mapping[str, Any], context: Context) -> None:
        self._config = config
        self._context = context
        self._clock = context.clock
        self._lock = threading.RLock()
        self._cloud: Cloud | None = None
        self._tokens: Tokens | None = None
        self._got = 0.0
        self._from_login = True
        self._try_refresh_at = 0.0
        self._logins = 0
        self._last_login: float | None = None
        self._login_error: DeviceError | None = None
        self._sent: deque[float] = deque()
        self._shown = {"requestsLast5min": 0, "requestsAllowed5min": 0}
        self._blocked_until = 0.0
        self._blocked: RateLimited | None = None
        self._blocks = 0

    @property
    def cloud(self) -> Cloud:
        """The service. Raises Refused for an address that is none."""
        with self._lock:
            if self._cloud is None:
                urls = [vendor_url(str(self._config.get(key) or "")) for key in ("apiUrl", "streamUrl")]
                self._cloud = Cloud(*urls)
                self._restore()
                self._show("requestsAllowed5min", BUDGET)
            return self._cloud

    def close(self) -> None:
        """Ends the connections."""
        if self._cloud is not None:
            self._cloud.close()

    # Requests.

    def call(self, method: str, path: str, body: Any = None, read: float = 15.0, urgent: bool = False) -> Response:
        """One request; a refused token is renewed and the request repeated, once."""
        token = self.token()
        try:
            return self._guarded(lambda: self.cloud.call(method, path, token, body, read), urgent)
        except TokenRefused:
            token = self.renew(token)
        try:
            return self._guarded(lambda: self.cloud.call(method, path, token, body, read), urgent)
        except TokenRefused as error:
            raise self._refused_twice() from error

    def negotiate(self) -> tuple[str, str, str]:
        """The address of the stream, its cookies, and the token to open it with."""
        token = self.token()
        try:
            return self._negotiated(token)
        except TokenRefused:
            token = self.renew(token)
        try:
            return self._negotiated(token)
        except TokenRefused as error:
            raise self._refused_twice() from error

    def _negotiated(self, token: str) -> tuple[str, str, str]:
        url, cookies, usable = self._guarded(lambda: self.cloud.negotiate(token))
        self._context.hide(usable, *cookies.split("; "))
        return url, cookies, usable

    def heed(self, error: DeviceError) -> None:
        """Takes note when the service asks to wait: nothing is sent until then."""
        if not isinstance(error, RateLimited) or isinstance(error, HeldBack) or error is self._blocked:
            return
        with self._lock:
            pause = min(LONGEST_PAUSE, (error.retry or 300.0) * 2 ** min(self._blocks, 12))
            self._blocks += 1
            self._blocked, error.retry = error, pause
            self._blocked_until = self._clock.monotonic() + pause
            self._context.memory.keep("blockedUntil", self._clock.time() + pause)
        self._context.count("pausesAsked")
        _LOG.warning("%s; nothing is sent for %.0f s", error, pause)

    def _guarded(self, request: Callable[[], _Answer], urgent: bool = False) -> _Answer:
        """Sends within the budget and outside the pauses."""
        self.cloud  # noqa: B018  # an address that is none is said first
        self._spend(urgent)
        try:
            answer = request()
        except DeviceError as error:
            self.heed(error)
            raise
        if self._blocks and self._clock.monotonic() > self._blocked_until:
            self._blocks = 0
        return answer

    def _spend(self, urgent: bool) -> None:
        with self._lock:
            now = self._clock.monotonic()
            if now < self._blocked_until:
                raise HeldBack(
                    "Easee a demandé d'attendre : aucune requête n'est envoyée pour l'instant",
                    retry=self._blocked_until - now,
                )
            while self._sent and now - self._sent[0] > WINDOW:
                self._sent.popleft()
            if len(self._sent) >= (BUDGET if urgent else BUDGET - RESERVE):
                self._context.count("requestsHeldBack")
                raise HeldBack(
                    "Trop de requêtes vers Easee en peu de temps : la suivante attend, pour ne pas être bloqué",
                    retry=max(1.0, self._sent[0] + WINDOW - now),
                )
            self._sent.append(now)
            self._show("requestsLast5min", len(self._sent))
            self._context.count("requests")

    def show_budget(self) -> None:
        """Brings what `status` shows of the budget up to date."""
        with self._lock:
            now = self._clock.monotonic()
            self._show("requestsLast5min", sum(now - at <= WINDOW for at in self._sent))

    def _show(self, counter: str, value: int) -> None:
        self._context.count(counter, value - self._shown[counter])
        self._shown[counter] = value

    # Tokens.

    def token(self) -> str:
        """A token that is still good for a while. Raises DeviceError."""
        with self._lock:
            self.cloud  # noqa: B018  # restores what is stored
            if self._tokens is not None and self._age() < self._tokens.lifetime - self._margin():
                return self._tokens.access
            return self._renewed().access

    def renew(self, refused: str) -> str:
        """Another token than the refused one. Raises DeviceError."""
        with self._lock:
            if self._tokens is not None and self._tokens.access != refused:
                return self._tokens.access  # somebody else was faster
            if self._tokens is not None and not self._from_login and self._age() < 60.0:
                # Fresh from a refresh and refused all the same: only a login helps.
                self._tokens = None
            return self._renewed().access

    def keep_fresh(self) -> None:
        """Renews a token that nears half of its life; a failure costs nothing as long as it is good."""
        with self._lock:
            now = self._clock.monotonic()
            if self._tokens is None or self._age() < RENEW_AT * self._tokens.lifetime or now < self._try_refresh_at:
                return
            self._try_refresh_at = now + 300.0
            try:
                self._renewed()
            except DeviceError as error:
                _LOG.debug("the token is not renewed yet: %s", error)

    def login(self) -> None:
        """Checks user and password by a real login, unless one has just succeeded."""
        with self._lock:
            self.cloud  # noqa: B018
            recent = self._last_login is not None and self._clock.monotonic() - self._last_login < LOGIN_PAUSES[0]
            if self._tokens is None or not (recent and self._login_error is None and self._from_login):
                if not recent and isinstance(self._login_error, AuthenticationFailed):
                    self._last_login = None  # the user asks: what was refused before is tried again
                self._log_in()

    def _age(self) -> float:
        return self._clock.monotonic() - self._got

    def _margin(self) -> float:
        lifetime = self._tokens.lifetime if self._tokens else 0.0
        return min(max(60.0, lifetime / 10), lifetime / 2)

    def _renewed(self) -> Tokens:
        if self._tokens is not None and self._tokens.refresh:
            old = self._tokens
            try:
                self._adopt(self._guarded(lambda: self.cloud.refresh(old.access, old.refresh), True), login=False)
                self._context.count("tokensRenewed")
                return self._tokens
            except TokenRefused as error:
                _LOG.info("%s: logging in again", error)
                self._tokens = None
        return self._log_in()

    def _log_in(self) -> Tokens:
        now = self._clock.monotonic()
        if self._last_login is not None:
            pause = LOGIN_PAUSES[min(self._logins, len(LOGIN_PAUSES) - 1)]
            if isinstance(self._login_error, AuthenticationFailed):
                pause = LOGIN_PAUSES[-1]
            rest = self._last_login + pause - now
            if rest > 0:
                if isinstance(self._login_error, AuthenticationFailed):
                    raise self._login_error
                raise RateLimited("La prochaine connexion au compte Easee doit attendre un peu", retry=rest)
        user, password = str(self._config.get("user", "")), str(self._config.get("password", ""))
        if not user or not password:
            raise AuthenticationFailed("Le login et le mot de passe du compte Easee ne sont pas renseignés")
        try:
            tokens = self._guarded(lambda: self.cloud.login(user, password), True)
        except DeviceError as error:
            if not isinstance(error, (Unreachable, RateLimited)):
                self._last_login, self._login_error = now, error
                self._logins += 1
            raise
        self._last_login, self._login_error, self._logins = now, None, 0
        self._context.count("logins")
        return self._adopt(tokens, login=True)

    def _refused_twice(self) -> DeviceError:
        return AuthenticationFailed(
            "Easee refuse un jeton qui vient d'être renouvelé : le compte est-il encore actif ?"
        )

    # What is kept.

    def _adopt(self, tokens: Tokens, login: bool) -> Tokens:
        self._context.hide(tokens.access, tokens.refresh)
        self._tokens, self._from_login = tokens, login
        self._got = self._clock.monotonic()
        self._try_refresh_at = 0.0
        salt = secrets.token_hex(16)
        kept = {
            "access": tokens.access,
            "refresh": tokens.refresh,
            "expires": self._clock.time() + tokens.lifetime,
            "lifetime": tokens.lifetime,
            "salt": salt,
            "owner": self._owner(salt),
        }
        self._context.memory.keep("tokens", kept)
        return tokens

    def _restore(self) -> None:
        """Takes over what a former life has kept; tokens only when they belong to the same user and password."""
        until = self._context.memory.get("blockedUntil", 0)
        if isinstance(until, (int, float)):
            rest = min(until - self._clock.time(), LONGEST_PAUSE)
            if rest > 0:
                self._blocked_until = self._clock.monotonic() + rest
        kept = self._context.memory.get("tokens")
        try:
            if not kept or not secrets.compare_digest(kept["owner"], self._owner(kept["salt"])):
                return
            tokens = Tokens(str(kept["access"]), str(kept["refresh"]), float(kept["lifetime"]))
            age = tokens.lifetime - (float(kept["expires"]) - self._clock.time())
        except (KeyError, TypeError, ValueError):
            return  # an older form of the store
        self._context.hide(tokens.access, tokens.refresh)
        self._tokens, self._from_login = tokens, False
        # A clock that was stepped back must not make a token young again.
        self._got = self._clock.monotonic() - (age if age >= 0 else tokens.lifetime)

    def _owner(self, salt: str) -> str:
        text = f"{self._config.get('user', '')}\0{self._config.get('password', '')}".encode()
        return hashlib.pbkdf2_hmac("sha256", text, bytes.fromhex(salt), 20_000).hex()
