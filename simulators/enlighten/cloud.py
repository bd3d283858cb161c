"""The two cloud services that give a gateway token: Enlighten (login) and Entrez (tokens).

| request | answer |
|---|---|
| `POST /login/login.json`, form `user[email]`, `user[password]` | session, or 401, or no session (second factor) |
| `POST /tokens`, JSON `session_id`, `serial_num`, `username` | the bare token, or 401 (session), 403 (serial) |
| `GET /entrez-auth-token?serial_num=`, session cookie | `generation_time`, `token`, `expires_at` |

A customer who is `blocked` gets `{"isBlocked": true}` and no session (batpred, pull request 4235, autumn 2026: nobody
has recorded one). With `wall_after`, more logins than that within a day, good or bad, end at the site's own page with
status 200 until a day has passed without one: reported for up to a day (2025 and 2026); the number is not known.

Faults beside the common ones: `not_jwt` (200 and a sentence) and `rate_limited` (429, `Retry-After` =
value, default 900 s).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Callable, Optional

from simulators.clock import Clock
from simulators.control import control_server
from simulators.enlighten.key import INSTALLER_LIFETIME, OWNER_LIFETIME, EntrezKey
from simulators.faults import Fault, FaultBox, Healthy, spoiled
from simulators.server import LoopbackServer, Request, Response
from simulators.service import Service

DAY_S = 86_400.0
SESSION_COOKIE = "_enlighten_4_session"
SIGN_IN_PAGE = "<!DOCTYPE html><html><head><title>Enlighten</title></head><body>Please sign in.</body></html>"


@dataclass
class Account:
    """A customer: `serials` are the gateways it may ask tokens for; `role` owner or installer."""

    email: str
    password: str
    serials: tuple[str, ...]
    role: str = "owner"
    second_factor: bool = False
    blocked: bool = False


class EnlightenCloud(Service):
    """The services as one server. `token_lifetime` (s) replaces the lifetime that goes with the role."""

    def __init__(
        self,
        key: EntrezKey,
        accounts: Iterable[Account],
        *,
        port: int = 0,
        control_port: int = 0,
        clock: Clock = time.time,
        token_lifetime: Optional[float] = None,
        wall_after: Optional[int] = None,
    ) -> None:
        self.key = key
        self.accounts = {account.email.lower(): account for account in accounts}
        self.clock = clock
        self.token_lifetime = token_lifetime
        self.wall_after = wall_after
        self._login_times: list[float] = []
        self.faults = FaultBox("not_jwt", "rate_limited")
        self.tokens: list[str] = []
        self._sessions: dict[str, Account] = {}
        self._routes: dict[str, Callable[[Request], Response]] = {
            "POST /login/login.json": self._login,
            "POST /tokens": self._token,
            "GET /entrez-auth-token": self._token_for_session,
        }
        self.server = LoopbackServer(self._answer, port=port, name="enlighten", server_header="nginx")
        self.control = control_server(
            {
                "GET /state": lambda _: self.state(),
                "POST /set": self._set,
                "POST /fault": lambda fields: self.fault(**fields).described(),
                "POST /clear": lambda _: self.clear(),
            },
            control_port,
        )

    @property
    def logins(self) -> int:
        """Number of tried logins."""
        return sum(seen.path.startswith("/login/") for seen in self.requests)

    def state(self) -> dict[str, Any]:
        """Counters and faults."""
        return {
            "logins": self.logins,
            "tokens": len(self.tokens),
            "requests": [list(seen) for seen in self.requests],
            "faults": self.faults.described(),
        }

    def _set(self, fields: dict[str, Any]) -> dict[str, Any]:
        if "token_lifetime" in fields:
            self.token_lifetime = fields["token_lifetime"]
        for change in fields.get("accounts", ()):
            account = Account(**{**change, "serials": tuple(change.get("serials", ()))})
            self.accounts[account.email.lower()] = account
        return self.state()

    def _answer(self, request: Request) -> Response:
        return spoiled(self.faults.take(request.path), lambda: self._healthy(request), _own_fault)

    def _healthy(self, request: Request) -> Response:
        route = self._routes.get(f"{request.method} {request.path}")
        return route(request) if route else Response.of_html("<h1>404 Not Found</h1>", 404)

    def _walled(self) -> bool:
        """Counts a login; whether there were too many within a day of each other."""
        now = self.clock()
        recent = [each for each in self._login_times if now - each < DAY_S]
        self._login_times = [*recent, now]
        return self.wall_after is not None and len(self._login_times) > self.wall_after

    def _login(self, request: Request) -> Response:
        if self._walled():
            return Response.of_html(SIGN_IN_PAGE)
        form = request.form()
        account = self.accounts.get(form.get("user[email]", "").lower())
        if account is None or not secrets.compare_digest(
            account.password.encode(), form.get("user[password]", "").encode()
        ):
            return Response.of_json({"message": "Invalid Email or Password"}, 401)
        if account.blocked:
            return Response.of_json({"success": False, "isBlocked": True})
        if account.second_factor:
            response = Response.of_json({"success": True, "isBlocked": False})
            response.headers.append(("Set-Cookie", f"login_otp_nonce={secrets.token_hex(16)}; path=/; HttpOnly"))
            return response
        session = secrets.token_hex(16)
        self._sessions[session] = account
        response = Response.of_json(
            {
                "message": "success",
                "session_id": session,
                "manager_token": self.key.issue(
                    "manager", now=self.clock(), lifetime=3600, role=account.role, username=account.email
                ),
                "is_consumer": account.role == "owner",
                "system_id": "1234567",
                "redirect_url": "",
            }
        )
        response.headers.append(("Set-Cookie", f"{SESSION_COOKIE}={session}; path=/; HttpOnly"))
        return response

    def _issue(self, account: Account, serial: str) -> str:
        lifetime = self.token_lifetime
        if lifetime is None:
            lifetime = OWNER_LIFETIME if account.role == "owner" else INSTALLER_LIFETIME
        token = self.key.issue(serial, now=self.clock(), lifetime=lifetime, role=account.role, username=account.email)
        self.tokens.append(token)
        return token

    def _token(self, request: Request) -> Response:
        try:
            fields = request.json()
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            return Response.of_text("Bad Request", 400)
        account = self._sessions.get(str(fields.get("session_id")))
        if account is None or str(fields.get("username", "")).lower() != account.email.lower():
            return Response.of_json({"message": "Unauthorized"}, 401)
        serial = str(fields.get("serial_num"))
        if serial not in account.serials:
            return Response.of_json({"message": "Forbidden"}, 403)
        return Response.of_text(self._issue(account, serial))

    def _token_for_session(self, request: Request) -> Response:
        account = self._sessions.get(request.cookies().get(SESSION_COOKIE, ""))
        if account is None:
            return Response(302, SIGN_IN_PAGE.encode(), "text/html", [("Location", f"{self.url}/login")])
        serial = request.query.get("serial_num", "")
        if serial not in account.serials:
            return Response.of_json({"message": "Forbidden"}, 403)
        token = self._issue(account, serial)
        claims = self.key.claims(token)
        return Response.of_json({"generation_time": claims["iat"], "token": token, "expires_at": claims["exp"]})


def _own_fault(fault: Fault, _healthy: Healthy) -> Optional[Response]:
    if fault.kind == "not_jwt":
        return Response.of_text(fault.value or "Service temporarily unavailable, please try again later.")
    if fault.kind == "rate_limited":
        response = Response.of_json({"message": "Too Many Requests"}, 429)
        response.headers.append(("Retry-After", str(fault.value or 900)))
        return response
    return None
