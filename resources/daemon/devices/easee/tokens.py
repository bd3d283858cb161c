"""One account's tokens: renewed before they end, kept over restarts, and won by a login as seldom as possible."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Callable

from ..base import AuthenticationFailed, Context, DeviceError, RateLimited, VendorError
from ..common.refusals import Policy, Refusals, Scope
from .client import Cloud, Forbidden, TokenRefused, Tokens, wrong_login

_LOG = logging.getLogger(__name__)

RENEW_AT = 0.45
"""The part of a token's life after which it is renewed: before half of it."""
LEAST_PAUSE_S = 60.0
"""Between two logins, also for a user who presses a button."""
DAY = 86400.0
POLICIES = {
    # Login or password are wrong: only the user can mend that, and a service that is asked too often locks accounts.
    Scope.CREDENTIAL: Policy((3600.0, 4 * 3600.0, DAY)),
    # The service cannot answer a login now.
    Scope.REQUEST: Policy((60.0, 120.0, 300.0, 900.0, 3600.0)),
    # The gateway lets no login through: perhaps the block of a day from the last request.
    Scope.ADDRESS: Policy((300.0, 900.0, 3600.0, DAY + 900.0)),
}
LOGIN = "login"


class TokenKeeper:
    """Thread-safe. `guarded(request, kind)` sends a request within the account's budget and outside its pauses."""

    def __init__(
        self,
        config: Mapping[str, Any],
        context: Context,
        cloud: Callable[[], Cloud],
        guarded: Callable[[Callable[[], Tokens], str], Tokens],
    ) -> None:
        self._config = config
        self._context = context
        self._clock = context.clock
        self._cloud = cloud
        self._guarded = guarded
        self._lock = threading.RLock()
        self._book = Refusals(context.memory, context.clock, POLICIES, "logins")
        self._tokens: Tokens | None = None
        self._got = 0.0
        self._from_login = True
        self._try_refresh_at = 0.0
        self._last_login: float | None = None
        self._restored = False
        self._compared = False

    def token(self) -> str:
        """A token that is still good for a while. Raises DeviceError."""
        with self._lock:
            self._restore()
            if self._tokens is not None and self._age() < self._tokens.lifetime - self._margin():
                return self._tokens.access
            return self._renewed().access

    def renew(self, refused: str) -> str:
        """Another token than the refused one. Raises DeviceError."""
        with self._lock:
            self._restore()
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
                self._refresh(self._tokens)
            except TokenRefused as error:
                # The access token is still good: a login can wait for its end.
                _LOG.info("%s: another login when this token ends", error)
                self._tokens = replace(self._tokens, refresh="")
                self._try_refresh_at = float("inf")
            except DeviceError as error:
                _LOG.debug("the token is not renewed yet: %s", error)

    def login(self) -> None:
        """Checks user and password for the user by a real login, unless one has just succeeded.

        What was refused before is tried again, a minute after the last try.
        """
        with self._lock:
            self._restore()
            since = None if self._last_login is None else self._clock.monotonic() - self._last_login
            if self._tokens is not None and self._from_login and since is not None and since < LEAST_PAUSE_S:
                return
            self._log_in(asked=True)

    def _age(self) -> float:
        return self._clock.monotonic() - self._got

    def _margin(self) -> float:
        lifetime = self._tokens.lifetime if self._tokens else 0.0
        return min(max(60.0, lifetime / 10), lifetime / 2)

    def _renewed(self) -> Tokens:
        if self._tokens is not None and self._tokens.refresh:
            try:
                return self._refresh(self._tokens)
            except TokenRefused as error:
                _LOG.info("%s: logging in again", error)
                self._tokens = None
        return self._log_in()

    def _refresh(self, old: Tokens) -> Tokens:
        tokens = self._guarded(lambda: self._cloud().refresh(old.access, old.refresh), "refresh_token")
        self._context.count("tokensRenewed")
        return self._adopt(tokens, login=False)

    def _log_in(self, asked: bool = False) -> Tokens:
        user, password = str(self._config.get("user", "")), str(self._config.get("password", ""))
        if not user or not password:
            raise AuthenticationFailed("L'identifiant et le mot de passe du compte Easee ne sont pas renseignés")
        self._hold_back(asked)
        before, self._last_login = self._last_login, self._clock.monotonic()
        try:
            tokens = self._guarded(lambda: self._cloud().login(user, password), LOGIN)
        except AuthenticationFailed as error:
            error.retry = self._note(Scope.CREDENTIAL)
            raise
        except RateLimited:
            self._last_login = before  # a pause of the address: nothing was said about the account
            raise
        except Forbidden as error:
            error.retry = self._note(Scope.ADDRESS)
            raise
        except VendorError as error:
            error.retry = self._note(Scope.REQUEST)
            raise
        except DeviceError as error:
            if "status" in error.values:
                error.retry = self._note(Scope.REQUEST)
            raise
        for scope in POLICIES:
            self._book.over(scope, LOGIN)
        self._context.memory.delete("refused")
        self._context.count("logins")
        return self._adopt(tokens, login=True)

    def _note(self, scope: Scope) -> float:
        salt = secrets.token_hex(16)
        self._context.memory.keep("refused", {"salt": salt, "owner": self._owner(salt)})
        refusal = self._book.note(scope, LOGIN, scope.value)
        return refusal.until - self._clock.time()

    def _hold_back(self, asked: bool) -> None:
        """Raises DeviceError while a login makes no sense; for a user who asks, only within a minute of the last."""
        if not self._compared:
            self._compared = True
            if not self._is_mine(self._context.memory.get("refused")):
                for scope in POLICIES:
                    self._book.over(scope, LOGIN)  # another login or password than the refused one
        rest = max(self._book.wait_s(scope, LOGIN) for scope in POLICIES)
        if self._last_login is not None:
            least = self._last_login + LEAST_PAUSE_S - self._clock.monotonic()
            rest = least if asked else max(rest, least)
        elif asked:
            rest = 0.0
        if rest <= 0:
            return
        if self._book.wait_s(Scope.CREDENTIAL, LOGIN) > 0:
            error = wrong_login(str(self._config.get("user", "")))
            error.retry = rest
            raise error
        if asked:
            raise RateLimited("Prochain essai de connexion à Easee possible dans {n} s", n=int(rest) + 1, retry=rest)
        raise RateLimited("La prochaine connexion au compte Easee doit attendre un peu", retry=rest)

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
        if self._restored:
            return
        self._restored = True
        kept = self._context.memory.get("tokens")
        if not self._is_mine(kept):
            return
        try:
            tokens = Tokens(str(kept["access"]), str(kept["refresh"]), float(kept["lifetime"]))
            age = tokens.lifetime - (float(kept["expires"]) - self._clock.time())
        except (KeyError, TypeError, ValueError):
            return  # an older form of the store
        self._context.hide(tokens.access, tokens.refresh)
        self._tokens, self._from_login = tokens, False
        # A clock that was stepped back must not make a token young again.
        self._got = self._clock.monotonic() - (age if age >= 0 else tokens.lifetime)

    def _is_mine(self, kept: Any) -> bool:
        try:
            return bool(kept) and secrets.compare_digest(kept["owner"], self._owner(kept["salt"]))
        except (KeyError, TypeError, ValueError):
            return False

    def _owner(self, salt: str) -> str:
        text = f"{self._config.get('user', '')}\0{self._config.get('password', '')}".encode()
        return hashlib.pbkdf2_hmac("sha256", text, bytes.fromhex(salt), 20_000).hex()
