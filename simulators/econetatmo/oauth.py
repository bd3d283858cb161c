"""The token endpoint: three grants, of which `password` is refused, and a rotation that voids both former tokens."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from simulators.clock import Clock

CODE_LIFETIME = 300.0


class GrantError(Exception):
    """An error of the token endpoint: its word is the message."""


@dataclass
class Issued:
    """One pair of tokens."""

    access: str
    refresh: str
    expires: float
    scope: tuple[str, ...] = ("read_magellan",)


@dataclass
class Authority:
    """Who may sign in, and the pair in force. Safe to use from any thread through its lock."""

    clock: Clock
    client_id: str
    client_secret: str
    lifetime: float = 10800.0
    user: str = field(default_factory=lambda: secrets.token_hex(12))
    legacy_password: bool = False
    rotations: int = 0
    used_after_voiding: int = 0
    current: Optional[Issued] = None
    voided: set[str] = field(default_factory=set)
    issued: list[str] = field(default_factory=list)
    codes: dict[str, tuple[float, str]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def generate(self, scope: tuple[str, ...] = ("read_magellan",)) -> Issued:
        """A new pair, as the developer page gives it; the former one is void."""
        with self.lock:
            self.revoke()
            made = [f"{self.user}|{secrets.token_hex(16)}" for _ in range(2)]
            self.issued += made
            self.current = Issued(made[0], made[1], self.clock() + self.lifetime, scope)
            return self.current

    def revoke(self) -> None:
        """No pair is good any more."""
        with self.lock:
            if self.current is not None:
                self.voided |= {self.current.access, self.current.refresh}
            self.current = None

    def code(self, redirect_uri: str) -> str:
        """A code as the consent page gives it."""
        with self.lock:
            made = secrets.token_hex(16)
            self.codes[made] = (self.clock() + CODE_LIFETIME, redirect_uri)
            return made

    def grant(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer to a token request. Raises GrantError."""
        with self.lock:
            if not form.get("grant_type"):
                raise GrantError("invalid_request")
            # The application is judged before the token, which a wrong secret does not use up: RFC 6749, section 5.2,
            # and netatmo-api-python #85 ("invalid_client" with a token that was good afterwards, 21 August 2024).
            if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
                raise GrantError("invalid_client")
            return self._answer(self._granted(form))

    def _granted(self, form: Mapping[str, str]) -> Issued:
        kind = form["grant_type"]
        if kind == "refresh_token":
            if "scope" in form:
                raise GrantError("invalid_request")
            token = form.get("refresh_token", "")
            if token in self.voided:
                self.used_after_voiding += 1
            if self.current is None or token != self.current.refresh:
                raise GrantError("invalid_grant")
            self.rotations += 1
            return self.generate(self.current.scope)
        if kind == "authorization_code":
            expires, redirect = self.codes.pop(form.get("code", ""), (0.0, ""))
            if expires < self.clock() or redirect != form.get("redirect_uri"):
                raise GrantError("invalid_grant")
            return self.generate()
        if kind == "password" and self.legacy_password:
            return self.generate()
        raise GrantError("invalid_grant" if kind == "password" else "unsupported_grant_type")

    def _answer(self, issued: Issued) -> dict[str, Any]:
        return {
            "access_token": issued.access,
            "refresh_token": issued.refresh,
            "scope": list(issued.scope),
            "expires_in": int(self.lifetime),
            "expire_in": int(self.lifetime),
        }

    def check(self, token: str) -> int:
        """0 for a good access token, else the code of the data API."""
        with self.lock:
            if not token:
                return 1
            if self.current is None or token != self.current.access:
                self.used_after_voiding += token in self.voided
                return 2
            if self.clock() >= self.current.expires:
                return 3
            return 0 if "read_magellan" in self.current.scope else 13
