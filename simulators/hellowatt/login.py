"""The site's login: token, form, verdicts, lock after failures, sessions that end."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Optional
from urllib.parse import urlsplit

from simulators.clock import Clock
from simulators.hellowatt.homes import Home
from simulators.hellowatt.pages import FORBIDDEN, SHELL, login_page
from simulators.server import Request, Response

WRONG = "L’adresse e-mail ou le mot de passe sont incorrects."
TOO_MANY = "Trop de tentatives de connexion échouées. Veuillez réessayer ultérieurement."
MISSING = "Ce champ est obligatoire."
LOCK_AFTER = 5
LOCK_WINDOW = 300.0  # s
PERSONS = "/mon-compte/me-connecter"
"""Where the form with its inputs was seen (hellodump, end of 2023)."""


@dataclass
class Customer:
    """An account; `state`: `active`, `inactive` or `unconfirmed`. `listed`: stands for its list of homes."""

    email: str
    password: str
    homes: list[Home]
    state: str = "active"
    failures: list[float] = field(default_factory=list)
    listed: Any = None


@dataclass
class _Session:
    customer: Customer
    began: float
    requests: int = 0


class Logins:
    """Tokens and sessions of the site. `lifetime` (s) and `session_requests` end a session.

    `page`: what GET of the login address gives. Nobody has published it: three public clients of 2026 (zotot, elmo,
    hellowatt_hass) take the cookie `csrftoken` whatever comes, elmo with any status below 400. So it may be the
    application's `shell`, the library's `form`, a `redirect` to the page for persons, `json`, or a status as `405`.
    `token_at`: the addresses whose answers set the cookie; GET `/api/user` does as well (zotot).
    """

    def __init__(self, customers: list[Customer], clock: Clock) -> None:
        self.customers = {each.email.lower(): each for each in customers}
        self.clock = clock
        self.lifetime = 14 * 86400.0
        self.session_requests: Optional[int] = None
        self.page = "shell"
        self.token_at = ("login", "user")
        self.attempts = 0
        self.secrets: set[str] = set()
        self._tokens: set[str] = set()
        self._sessions: dict[str, _Session] = {}

    def expire(self) -> None:
        """Ends every session."""
        self._sessions.clear()

    def customer(self, request: Request) -> Optional[Customer]:
        """Whose session a request carries."""
        session = self._sessions.get(request.cookies().get("sessionid", ""))
        if session is None:
            return None
        session.requests += 1
        old = self.clock() - session.began > self.lifetime
        if old or (self.session_requests is not None and session.requests > self.session_requests):
            return None
        return session.customer

    def with_token(self, request: Request, response: Response) -> Response:
        """A browser without a token gets one."""
        if request.cookies().get("csrftoken") not in self._tokens:
            self._set_token(response)
        return response

    def _set_token(self, response: Response) -> str:
        token = secrets.token_urlsafe(24)[:32]
        self._tokens.add(token)
        self.secrets.add(token)
        attributes = "Path=/; Max-Age=31449600; SameSite=Lax"
        response.headers.append(("Set-Cookie", f"csrftoken={token}; {attributes}"))
        return token

    def get(self, request: Request) -> Response:
        """Returns the page at the login path."""
        if self.page == "form" and "login" in self.token_at:
            return self.form(request)
        made = {
            "form": lambda: Response.of_html(login_page("x" * 64)),
            "shell": lambda: Response.of_html(SHELL),
            "redirect": lambda: Response(302, b"", "text/html", [("Location", PERSONS)]),
            "json": lambda: Response.of_json({"form": _form(None, None, [], {}), "html": ""}),
        }.get(self.page, lambda: Response.of_html("", int(self.page)))()
        return self.with_token(request, made) if "login" in self.token_at else made

    def form(self, request: Request, without: str = "", extra: str = "") -> Response:
        """The page with the form; its token is another text than the cookie, as there."""
        response = Response.of_html("")
        token = request.cookies().get("csrftoken", "")
        if token not in self._tokens:
            token = self._set_token(response)
        masked = token + secrets.token_urlsafe(24)[:32]
        self.secrets.add(masked)
        response.body = login_page(masked, without, extra).encode()
        return response

    def post(self, request: Request) -> Response:
        """A login."""
        self.attempts += 1
        if not self._trusted(request):
            return Response.of_html(FORBIDDEN, 403)
        xhr = request.headers.get("X-Requested-With") == "XMLHttpRequest"
        body = {}
        if request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            body = request.form()
        email, password = body.get("login", ""), body.get("password", "")
        missing = {name: [MISSING] for name, value in (("login", email), ("password", password)) if not value}
        if missing:
            return self._refused(xhr, email, password, [], missing)
        customer = self.customers.get(email.strip().lower())
        now = self.clock()
        recent = [at for at in customer.failures if now - at < LOCK_WINDOW] if customer else []
        if len(recent) >= LOCK_AFTER:
            return self._refused(xhr, email, password, [TOO_MANY])
        if customer is None or customer.password != password:
            if customer is not None:
                customer.failures = [*recent, now]
            return self._refused(xhr, email, password, [WRONG])
        return self._accepted(customer, xhr, email, password)

    def _trusted(self, request: Request) -> bool:
        cookie = request.cookies().get("csrftoken", "")
        shown = request.headers.get("X-CSRFToken") or request.form().get("csrfmiddlewaretoken", "")
        if cookie not in self._tokens or shown[:32] != cookie:
            return False
        host = request.headers.get("Host", "")
        origin, referer = request.headers.get("Origin"), request.headers.get("Referer", "")
        return urlsplit(origin if origin else referer).netloc == host

    def _accepted(self, customer: Customer, xhr: bool, email: str, password: str) -> Response:
        places = {"inactive": "/accounts/inactive/", "unconfirmed": "/accounts/confirm-email/"}
        location = places.get(customer.state, "/login/redirect/")
        # The site sends the form back with the password in it.
        value: dict[str, Any] = {"location": location, "form": _form(email, password, [], {}), "html": ""}
        response = Response.of_json(value) if xhr else Response(302, b"", "text/html", [("Location", location)])
        if customer.state == "active":
            self._set_token(response)
            key = secrets.token_hex(16)
            self.secrets.add(key)
            self._sessions[key] = _Session(customer, self.clock())
            response.headers.append(("Set-Cookie", f"sessionid={key}; Path=/; HttpOnly; SameSite=Lax"))
        return response

    @staticmethod
    def _refused(
        xhr: bool, email: str, password: str, errors: list[str], fields: Optional[dict[str, list[str]]] = None
    ) -> Response:
        if not xhr:
            return Response.of_html(login_page("x" * 64))
        return Response.of_json({"form": _form(email, password, errors, fields or {}), "html": ""}, 400)


def _form(
    email: Optional[str], password: Optional[str], errors: list[str], own: dict[str, list[str]]
) -> dict[str, Any]:
    fields = {
        name: {"label": name, "value": value, "help_text": "", "errors": own.get(name, []), "widget": {"attrs": {}}}
        for name, value in (("login", email), ("password", password))
    }
    return {"fields": fields, "field_order": ["login", "password"], "errors": errors}
