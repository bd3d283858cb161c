"""The token of one account: obtained once at a time, kept over restarts, and won by a login as seldom as possible.

"Token" is whatever opens a service for a while: a pair of OAuth tokens, a signed text, a session's cookies. A backend
derives from `TokenKeeper` and says how a token is obtained and what its refusals mean; when that is done, by whom and
how often is decided here, for all backends alike:

- One renewal at a time in the whole daemon, also between a form's test and the running connection. Whoever comes second
  finds the new token.
- A new token is written before it is used. Where each renewal voids the token before it (`must_be_durable`), it is not
  used unless it was written.
- A token belongs to the credentials that won it (`Owner`): others are tried, not covered by an old token.
- A token that has just been obtained and is refused all the same would not be better after another login.
- Refusals are kept in a book (`refusals`), so that a restart is no reason for one more login, and grow in length. The
  user who asks has a real try, except where the vendor itself has told how long to wait.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from jeedom_bridge.clock import Clock

from ..base import DeviceError, Memory
from .numbers import finite
from .refusals import Policy, Refusal, Refusals, Scope

_LOG = logging.getLogger(__name__)

SETTLE_S = 600.0
"""Seconds after which a new token is no longer called fresh."""
RETRY_S = 300.0
"""Seconds between two tries to renew a token that is still good."""
ROUNDS = 20_000

_LOCKS: dict[str, threading.RLock] = {}
_LOCKS_GUARD = threading.Lock()


class Owner:
    """Names credentials without holding them: slow to compute, salted per connection."""

    def __init__(self, memory: Memory, *credentials: str) -> None:
        self._memory = memory
        self._credentials = credentials
        self._mark = ""

    @property
    def mark(self) -> str:
        """The same for the same credentials of this connection, also after a restart."""
        if not self._mark:
            salt = str(self._memory.get("salt") or "")
            if not salt:
                salt = secrets.token_hex(16)
                self._memory.keep("salt", salt)
            text = "\0".join(self._credentials).encode()
            self._mark = hashlib.pbkdf2_hmac("sha256", text, salt.encode(), ROUNDS).hex()
        return self._mark


@dataclass(frozen=True)
class Token:
    """`data`: what the backend needs of it, as JSON. Times in Unix time; `expires` is None if nobody knows."""

    data: Mapping[str, Any] = field(repr=False)
    obtained: float
    expires: float | None = None


@dataclass(frozen=True)
class Judgement:
    """What an error of `obtain` means: how far it reaches, a short code for it, and what the vendor asked to wait."""

    scope: Scope
    reason: str
    wait_s: float | None = None


class Ended(Exception):
    """Raised by `refresh` if the vendor does not renew this token any more: only a login helps."""


class TokenKeeper(ABC):
    """Thread-safe. Every method that may ask the vendor raises DeviceError."""

    policies: ClassVar[Mapping[Scope, Policy]]
    """For each scope that `judge` names."""
    must_be_durable: ClassVar[bool] = False
    proved_by_use: ClassVar[bool] = False
    """Whether a new token ends the refusals before it only once it has worked (`proved`)."""

    def __init__(self, memory: Memory, clock: Clock, owner: Owner, name: str = "token") -> None:
        """`name`: key in `memory`, for an account that has several tokens."""
        self.owner = owner
        self.book = Refusals(memory, clock, self.policies, f"{name}Refusals")
        self._memory = memory
        self._clock = clock
        self._name = name
        self._not_before = float("-inf")
        self._aged: tuple[float, float, float] | None = None
        self._ended: float | None = None

    # What a backend says.

    @abstractmethod
    def obtain(self, asked: bool) -> Token:
        """Asks the vendor for a token by a login. `asked`: the user waits for it."""

    def refresh(self, old: Token, refused: bool) -> Token | None:
        """Asks the vendor to renew a token without a login; None if there is no such way. Raises Ended.

        `refused`: the service has refused this token before its end.
        """
        return None

    @abstractmethod
    def judge(self, error: DeviceError) -> Judgement | None:
        """What an error of `obtain` means; None if it says nothing about the account (no network, say)."""

    @abstractmethod
    def told(self, refusal: Refusal) -> DeviceError:
        """What the user reads while a refusal forbids the next login."""

    def binding(self, refusal: Refusal) -> bool:
        """Whether a refusal also holds back the user who asks for a try."""
        return False

    def early_s(self, token: Token) -> float:
        """Seconds before its end from which a token is renewed that is still good."""
        return 60.0

    # What its clients ask for.

    def current(self, asked: bool = False) -> Token:
        """A token that should be good, obtained or renewed if need be."""
        with self._lock:
            token = self.kept()
            if token is None or self.left(token) <= 0:
                return self._renew(token, False, asked)
            return self._early(token)

    def replaced(self, refused: Token, asked: bool = False) -> Token | None:
        """Another token than one that was refused; None if that is fresh, so that another would be refused as well."""
        with self._lock:
            token = self.kept()
            if token is not None and token.obtained != refused.obtained:
                return token  # somebody else was faster
            if token is not None and self.fresh(token):
                return None
            return self._renew(token, True, asked)

    def renew_before(self, seconds: float) -> None:
        """Renews a token without a login once it has less than `seconds` left; a failure costs nothing.

        For a job of its own, so that nobody waits for it.
        """
        with self._lock:
            token = self.kept()
            if token is None or self.left(token) > seconds or self._clock.monotonic() < self._not_before:
                return
            self._not_before = self._clock.monotonic() + RETRY_S
            try:
                self._refreshed(token, False)
            except DeviceError as error:
                _LOG.debug("the token is not renewed yet: %s", error)

    def anew(self, asked: bool) -> Token:
        """A token won by a login, whatever is kept."""
        with self._lock:
            return self._obtain(asked)

    def fresh(self, token: Token) -> bool:
        """Whether a token was obtained just now."""
        return self.age(token) < SETTLE_S

    def proved(self) -> None:
        """A token has worked: no refusal stands any more."""
        for scope in self.policies:
            if self.book.standing(scope, self.owner.mark) is not None:
                self.book.over(scope, self.owner.mark)

    def kept(self) -> Token | None:
        """The token of these credentials, without asking anybody."""
        record = self._memory.get(self._name)
        if not isinstance(record, Mapping) or record.get("of") != self.owner.mark:
            return None
        obtained, expires, data = finite(record.get("obtained")), finite(record.get("expires")), record.get("data")
        if obtained is None or not isinstance(data, Mapping):
            return None
        return Token(dict(data), obtained, expires)

    def store(self, token: Token) -> None:
        """Keeps a token as that of these credentials. Raises StoreError if it must be durable and is not."""
        self._seen(token)
        record = {"of": self.owner.mark, "data": dict(token.data), "obtained": token.obtained, "expires": token.expires}
        if self.must_be_durable:
            self._memory.put(self._name, record)
        elif record != self._memory.get(self._name):
            self._memory.keep(self._name, record)

    def forget(self) -> None:
        """The next request begins with a new token."""
        self._memory.delete(self._name)

    def forbidden(self, asked: bool = False) -> DeviceError | None:
        """What forbids a login now, with the `retry` of the next try; None if nothing does."""
        found: DeviceError | None = None
        for scope in self.policies:
            refusal = self.book.standing(scope, self.owner.mark)
            rest = self.book.wait_s(scope, self.owner.mark)
            if refusal is not None and rest > 0 and (not asked or self.binding(refusal)):
                error = self.told(refusal)
                error.retry = rest
                found = error if found is None or rest > (found.retry or 0.0) else found
        return found

    # Ages, by a clock that is never stepped once the token was seen.

    def age(self, token: Token) -> float:
        """Seconds since the token was obtained."""
        return max(0.0, self._clock.monotonic() - self._seen(token)[1])

    def left(self, token: Token) -> float:
        """Seconds that the token is still good for; infinite if nobody knows."""
        return self._seen(token)[2] - self._clock.monotonic()

    def _seen(self, token: Token) -> tuple[float, float, float]:
        """(obtained as Unix time, obtained and end by the monotonic clock)."""
        if self._aged is None or self._aged[0] != token.obtained:
            now, wall = self._clock.monotonic(), self._clock.time()
            age = wall - token.obtained
            end = float("inf") if token.expires is None else now + token.expires - wall
            if age < 0:  # the clock was stepped back: nobody knows how old it is
                age, end = SETTLE_S, float("inf") if token.expires is None else now
            self._aged = (token.obtained, now - age, end)
        return self._aged

    # Obtaining.

    @property
    def _lock(self) -> threading.RLock:
        with _LOCKS_GUARD:
            return _LOCKS.setdefault(f"{self._name} {self.owner.mark}", threading.RLock())

    def _early(self, token: Token) -> Token:
        """Renews a token that nears its end; a failure costs nothing as long as it is good."""
        if self.left(token) > self.early_s(token) or self._clock.monotonic() < self._not_before:
            return token
        self._not_before = self._clock.monotonic() + RETRY_S
        try:
            return self._renew(token, False, False)
        except DeviceError as error:
            _LOG.debug("the token is not renewed yet: %s", error)
            return token

    def _renew(self, old: Token | None, refused: bool, asked: bool) -> Token:
        token = None if old is None else self._refreshed(old, refused)
        return self._obtain(asked) if token is None else token

    def _refreshed(self, old: Token, refused: bool) -> Token | None:
        if self._ended == old.obtained:
            return None
        try:
            token = self.refresh(old, refused)
        except Ended as error:
            _LOG.info("%s: another login when this token ends", error)
            self._ended = old.obtained
            return None
        if token is not None:
            self.store(token)
        return token

    def _obtain(self, asked: bool) -> Token:
        error = self.forbidden(asked)
        if error is not None:
            raise error
        try:
            token = self.obtain(asked)
        except DeviceError as refused:
            judgement = self.judge(refused)
            if judgement is not None:
                noted = self.book.note(judgement.scope, self.owner.mark, judgement.reason, judgement.wait_s)
                refused.retry = noted.until - noted.last
            raise
        self.store(token)
        if not self.proved_by_use:
            self.proved()
        return token
