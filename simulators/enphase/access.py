"""Who may ask a gateway: bearer tokens and the sessions that `check_jwt` opens."""

from __future__ import annotations

import secrets
import string
import threading
from dataclasses import dataclass
from typing import Optional

from simulators.clock import Clock
from simulators.enlighten.key import EntrezKey
from simulators.server import Request

SESSION_LIFETIME = 600.0  # s after its last use
LETTERS = string.ascii_letters + string.digits


@dataclass
class Session:
    """A signed-in client: until when (gateway clock), and the end of the token that opened it."""

    until: float
    token_end: float
    role: str


class Access:
    """Checks tokens for gateway `serial` by the gateway's `clock`. A session never outlives its token."""

    def __init__(self, key: EntrezKey, serial: str, clock: Clock) -> None:
        self.key = key
        self.serial = serial
        self.clock = clock
        self.refused: list[str] = []
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def bearer(self, request: Request) -> Optional[Session]:
        """A session to open for the request's bearer token, or None (the reason goes to `refused`)."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        now = self.clock()
        try:
            if scheme != "Bearer":
                raise ValueError("no bearer token")
            claims = self.key.claims(token)
            if claims.get("aud") != self.serial:
                raise ValueError("the token is for another gateway")
            if not now < float(claims["exp"]):
                raise ValueError("the token is over")
            if float(claims["iat"]) > now + 60:
                raise ValueError("the token is from the future")
        except (ValueError, KeyError, TypeError) as error:
            self.refused.append(str(error))
            return None
        return Session(now + SESSION_LIFETIME, float(claims["exp"]), str(claims.get("enphaseUser")))

    def session(self, request: Request) -> Optional[Session]:
        """The live session of the request's cookie; using it prolongs it."""
        name = request.cookies().get("sessionId", "")
        now = self.clock()
        with self._lock:
            session = self._sessions.get(name)
            if session is None:
                return None
            if now >= min(session.until, session.token_end):
                del self._sessions[name]
                return None
            session.until = now + SESSION_LIFETIME
            return session

    def open(self, session: Session) -> tuple[str, str]:
        """Keep a session; returns the header that hands its cookie out."""
        name = "".join(secrets.choice(LETTERS) for _ in range(32))
        with self._lock:
            self._sessions[name] = session
        return ("Set-Cookie", f"sessionId={name}; Secure; HttpOnly; path=/")

    def end_sessions(self) -> None:
        """Forget all sessions, as a reboot does."""
        with self._lock:
            self._sessions.clear()
