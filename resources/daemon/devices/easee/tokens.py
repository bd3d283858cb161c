"""The tokens of one account: renewed before they expire, persisted, and obtained by a login as rarely as possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, ClassVar

from ..base import AuthenticationFailed, Context, DeviceError, RateLimited, VendorError
from ..common import tokens
from ..common.refusals import Policy, Refusal, Scope
from ..common.tokens import Ended, Judgement, Owner, Token
from .client import Cloud, Forbidden, TokenRefused, Tokens, wrong_login

RENEW_AT_SHARE = 0.45
"""Share of a token's lifetime after which it is renewed."""
MIN_LOGIN_PAUSE_S = 60.0
"""Shortest time between two logins in seconds, also on behalf of the user."""
DAY_S = 86400.0
LOGIN = "login"


class TokenKeeper(tokens.TokenKeeper):
    """Thread-safe. `guarded(request, kind)` sends a request if the account's budget and pauses allow it."""

    policies: ClassVar[Mapping[Scope, Policy]] = {
        # Wrong credentials: only the user can correct them, and too many logins lock an account.
        Scope.CREDENTIAL: Policy((3600.0, 4 * 3600.0, DAY_S)),
        # The service cannot answer a login now.
        Scope.REQUEST: Policy((60.0, 120.0, 300.0, 900.0, 3600.0)),
        # The gateway refuses logins: perhaps it blocks the address for a day from the last request.
        Scope.ADDRESS: Policy((300.0, 900.0, 3600.0, DAY_S + 900.0)),
    }

    def __init__(
        self,
        config: Mapping[str, Any],
        context: Context,
        cloud: Callable[[], Cloud],
        guarded: Callable[[Callable[[], Tokens], str], Tokens],
    ) -> None:
        self._user, self._password = str(config.get("user", "")), str(config.get("password", ""))
        owner = Owner(context.memory, self._user, self._password)
        super().__init__(context.memory, context.clock, owner, "tokens")
        self._context = context
        self._cloud = cloud
        self._guarded = guarded
        self._last_login: float | None = None
        self._hidden: float | None = None

    def token(self) -> str:
        """Returns a token that is valid for a while. Raises DeviceError."""
        return str(self.current().data["access"])

    def renew(self, refused: str) -> str:
        """Returns another token than `refused`. Raises DeviceError."""
        kept = self.kept()
        mine = kept is not None and kept.data["access"] == refused
        another = self.replaced(kept if kept is not None and mine else Token({}, float("-inf")))
        return str(another.data["access"]) if another is not None else refused

    def keep_fresh(self) -> None:
        """Renews a token near half of its lifetime; a failure does not matter while it is valid."""
        kept = self.kept()
        if kept is not None:
            self.renew_before((1 - RENEW_AT_SHARE) * _lifetime(kept))

    def login(self) -> None:
        """Checks user and password by a real login on behalf of the user, unless one has just succeeded.

        Refused credentials are tried again, a minute after the last try. Raises DeviceError.
        """
        kept = self.kept()
        if kept is None or not kept.data.get("login") or self._pause_left_s() <= 0:
            self.anew(asked=True)

    # Called by the common keeper.

    def obtain(self, asked: bool) -> Token:
        before, self._last_login = self._last_login, self._clock.monotonic()
        try:
            pair = self._guarded(lambda: self._cloud().login(self._user, self._password), LOGIN)
        except RateLimited:
            self._last_login = before  # a pause of the address says nothing about the account
            raise
        self._context.count("logins")
        return self._made(pair, login=True)

    def refresh(self, old: Token, refused: bool) -> Token | None:
        if not old.data.get("refresh"):
            return None
        if refused and not old.data.get("login") and self.age(old) < MIN_LOGIN_PAUSE_S:
            return None  # just renewed and still refused: only a login helps
        access, refresh = str(old.data["access"]), str(old.data["refresh"])
        try:
            pair = self._guarded(lambda: self._cloud().refresh(access, refresh), "refresh_token")
        except TokenRefused as error:
            raise Ended(str(error)) from error
        self._context.count("tokensRenewed")
        return self._made(pair, login=False)

    def judge(self, error: DeviceError) -> Judgement | None:
        scope: Scope | None = None
        if isinstance(error, AuthenticationFailed):
            scope = Scope.CREDENTIAL
        elif isinstance(error, Forbidden):
            scope = Scope.ADDRESS
        elif not isinstance(error, RateLimited) and (isinstance(error, VendorError) or "status" in error.values):
            scope = Scope.REQUEST
        return None if scope is None else Judgement(scope, scope.value)

    def told(self, refusal: Refusal) -> DeviceError:
        if refusal.scope is Scope.CREDENTIAL:
            return wrong_login(self._user)
        return RateLimited("La prochaine connexion au compte Easee doit attendre un peu")

    def forbidden(self, asked: bool = False) -> DeviceError | None:
        """Returns the error that forbids a login, or None. `asked`: for the user only the last minute counts."""
        if not self._user or not self._password:
            return AuthenticationFailed("L'identifiant et le mot de passe du compte Easee ne sont pas renseignés")
        error, least = super().forbidden(asked), self._pause_left_s()
        if least <= 0 or (error is not None and (error.retry or 0.0) >= least):
            return error
        if self.book.wait_s(Scope.CREDENTIAL, self.owner.mark) > 0:
            error = wrong_login(self._user)
        elif asked:
            error = RateLimited("Prochain essai de connexion à Easee possible dans {n} s", n=int(least) + 1)
        else:
            error = RateLimited("La prochaine connexion au compte Easee doit attendre un peu")
        error.retry = least
        return error

    def fresh(self, token: Token) -> bool:
        """Always False: a refused token is renewed once, whatever its age; then the account gives up."""
        return False

    def early_s(self, token: Token) -> float:
        lifetime = _lifetime(token)
        return min(max(60.0, lifetime / 10), lifetime / 2)

    def kept(self) -> Token | None:
        token = super().kept()
        if token is not None and self._hidden != token.obtained:
            self._hidden = token.obtained
            self._context.mask(str(token.data.get("access")), str(token.data.get("refresh")))
        return token

    def _pause_left_s(self) -> float:
        if self._last_login is None:
            return 0.0
        return self._last_login + MIN_LOGIN_PAUSE_S - self._clock.monotonic()

    def _made(self, pair: Tokens, login: bool) -> Token:
        self._context.mask(pair.access, pair.refresh)
        now = self._clock.time()
        return Token({"access": pair.access, "refresh": pair.refresh, "login": login}, now, now + pair.lifetime)


def _lifetime(token: Token) -> float:
    return token.expires - token.obtained if token.expires is not None else 0.0
