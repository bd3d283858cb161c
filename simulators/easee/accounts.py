"""Accounts and their tokens: short-lived, rotating, and refused on demand."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Optional

from simulators.clock import Clock


@dataclass(frozen=True)
class Account:
    """A user and the serials of the chargers and Equalizers that he sees."""

    user: str
    password: str
    serials: tuple[str, ...]
    equalizers: tuple[str, ...] = ()

    def sees(self, serial: str) -> bool:
        """Whether that product is among his."""
        return serial in self.serials or serial in self.equalizers


@dataclass
class _Login:
    account: Account
    access: str
    refresh: str
    expires: float


class Accounts:
    """Knows who may. `lifetime` (s) of the tokens that are issued from now on; `refuse_refresh`: only a login helps.

    `opaque`: tokens are no JWTs, so that nothing about them shows what they are.
    """

    def __init__(self, accounts: Iterable[Account], clock: Clock, lifetime: float = 3600.0) -> None:
        self.lifetime = lifetime
        self.refuse_refresh = False
        self.opaque = False
        self.logins = self.refreshes = self.failed_logins = 0
        self.issued: list[str] = []
        self._clock = clock
        self._accounts = {each.user.lower(): each for each in accounts}
        self._logins: list[_Login] = []
        self._lock = threading.Lock()

    def change(self, account: Account) -> None:
        """Adds an account, or gives it another password or other chargers."""
        with self._lock:
            self._accounts[account.user.lower()] = account
            for login in self._logins:
                if login.account.user.lower() == account.user.lower():
                    login.account = account

    def log_in(self, user: Any, password: Any) -> Optional[dict[str, Any]]:
        """The answer to a login; None for a wrong one."""
        account = self._accounts.get(str(user).lower())
        if account is None or not secrets.compare_digest(account.password.encode(), str(password).encode()):
            self.failed_logins += 1
            return None
        with self._lock:
            self.logins += 1
            login = _Login(account, "", "", 0.0)
            self._logins.append(login)
            return self._issue(login)

    def refresh(self, access: Any, refresh: Any) -> Optional[dict[str, Any]]:
        """The answer to a renewal: both tokens must be the last of their login."""
        with self._lock:
            login = next((each for each in self._logins if each.refresh == refresh and each.access == access), None)
            if login is None or self.refuse_refresh or not refresh:
                return None
            self.refreshes += 1
            return self._issue(login)

    def of(self, authorization: str) -> Optional[Account]:
        """Whose valid token stands in that header."""
        token = authorization[7:] if authorization.startswith("Bearer ") else ""
        now = self._clock()
        with self._lock:
            found = next((each for each in self._logins if each.access == token and each.expires > now), None)
        return found.account if found else None

    def revoke(self) -> None:
        """Every access token ends now."""
        with self._lock:
            for login in self._logins:
                login.expires = 0.0

    def _issue(self, login: _Login) -> dict[str, Any]:
        make = secrets.token_urlsafe if self.opaque else _token
        login.access, login.refresh = make(48), make(48)
        login.expires = self._clock() + self.lifetime
        self.issued += [login.access, login.refresh]
        return {
            "accessToken": login.access,
            "expiresIn": self.lifetime,
            "accessClaims": ["User"],
            "tokenType": "Bearer",
            "refreshToken": login.refresh,
        }


def _token(size: int) -> str:
    parts = [{"alg": "none", "typ": "JWT"}, {"jti": secrets.token_hex(size // 2)}]
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*texts, secrets.token_urlsafe(24)])
