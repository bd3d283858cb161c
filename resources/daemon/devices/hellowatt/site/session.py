"""The account's session: opened when needed, and once more if it may have ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, TypeVar

from ...base import Context, DeviceError
from ...common.refusals import Policy, Refusals, Scope
from ...common.tokens import Token
from .client import SessionLost, Site
from .errors import LoginUnconfirmed
from .login import DAY_S, Login

T = TypeVar("T")
POLICIES = {Scope.REQUEST: Policy((DAY_S,))}
"""A path that refuses a working session may cause one login a day."""


class Session:
    """The session in use. `asked_for` is set while a user waits for the answer."""

    def __init__(self, site: Site, context: Context, user: str, password: str) -> None:
        self.site = site
        self.asked_for = False
        self.login = Login(site, context, user, password)
        self._refusals = Refusals(context.memory, context.clock, POLICIES)
        self._used: Token | None = None

    @property
    def mark(self) -> str:
        """Identifies these credentials without containing them."""
        return self.login.owner.mark

    @property
    def kept(self) -> bool:
        """True if there is a session opened with these credentials."""
        return self.login.kept() is not None

    def check(self) -> None:
        """Raises the error that forbids a login."""
        self.login.check(self.asked_for)

    def with_session(self, ask: Callable[[], T], endpoint: str) -> T:
        """Returns the result of `ask`. If the session may be lost, opens another one and asks again.

        Raises the error of the second refusal, or of the first one if a new login is not worth it.
        """
        token = self._current()
        try:
            return self._answered(ask(), endpoint)
        except SessionLost as lost:
            refused_today = not self.asked_for and self._refusals.wait_s(Scope.REQUEST, endpoint) > 0
            another = None if refused_today else self.login.replaced(token, self.asked_for)
            if another is None:
                raise self._counted(lost.counts_as, endpoint) from None
        self._use(another)
        try:
            return self._answered(ask(), endpoint)
        except SessionLost as lost:
            raise self._counted(lost.counts_as, endpoint) from None

    def _current(self) -> Token:
        kept = self.login.kept()
        if kept is None:
            self.check()
        token = self.login.current(self.asked_for) if kept is None else kept
        self._use(token)
        return token

    def _use(self, token: Token) -> None:
        if self._used is None or self._used.obtained != token.obtained:
            self.site.use_cookies({name: str(value) for name, value in token.data.items()})
        self._used = token

    def _answered(self, answer: T, endpoint: str) -> T:
        self._refusals.over(Scope.REQUEST, endpoint)
        self.login.proved()
        return answer

    def _counted(self, error: DeviceError, endpoint: str) -> DeviceError:
        """Records a refusal that a new session does not change; returns the error to report."""
        if isinstance(error, LoginUnconfirmed):
            self.login.shows_nothing()
            self.login.forget()
        elif not self._refusals.wait_s(Scope.REQUEST, endpoint):
            try:
                self.site.homes()
            except DeviceError:
                self.login.shows_nothing()
            else:
                self._refusals.note(Scope.REQUEST, endpoint, "403")
        return error

    def keep(self) -> None:
        """Persists cookies that the site has renewed."""
        cookies = self.site.cookies()
        if self._used is not None and cookies and cookies != self._used.data and self.kept:
            self._used = replace(self._used, data=cookies)
            self.login.store(self._used)
