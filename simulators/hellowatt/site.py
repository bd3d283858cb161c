"""The site as one server on loopback.

Faults beside the common ones:

| kind | value | what the client sees |
|---|---|---|
| `rate_limited` | Retry-After (s), a date, or null | 429 |
| `maintenance` | 200 or 503 | the page of a maintenance |
| `renamed` | `[name, other]` | the answer with a JSON field renamed |
| `no_input` | input's name | the login form without that input |
| `captcha` | | the login form with a test for persons |
| `interstitial` | | 403 and the page of a firewall that wants to see a browser |
| `no_cookie` | | a login page (or verdict) that sets no cookie |
| `double` | | the JSON inside a JSON string |
| `next` | | a list that goes on on another page |
| `ongoing` | | `isFetchOngoing` true |
| `no_data` | | no rows, and the site's own error |
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Callable, NamedTuple, Optional

from simulators.clock import Clock
from simulators.control import control_server
from simulators.faults import Fault, FaultBox, Healthy, spoiled
from simulators.hellowatt.homes import PARIS, Home
from simulators.hellowatt.login import PERSONS, Customer, Logins
from simulators.hellowatt.pages import CAPTCHA, FORBIDDEN, INTERSTITIAL, MAINTENANCE
from simulators.server import LoopbackServer, Request, Response
from simulators.service import Service

DETAIL = "Informations d'authentification non fournies."
VERSIONS = ("1.48", "1.54")
ENERGIES = {"sge_measures": "electricity", "adict_measures": "gas"}
OWN = ("rate_limited", "maintenance", "renamed", "no_input", "captcha", "interstitial", "no_cookie", "double", "next")
OWN = (*OWN, "ongoing")

__all__ = ["Customer", "HelloWattSite", "Home", "Visit"]


class Visit(NamedTuple):
    """One request by the site's own clock."""

    at: float
    method: str
    path: str
    status: int


class HelloWattSite(Service):
    """The site; `with` starts and stops it. `slash`: API addresses want a slash at their end.

    `lost`: how the API speaks without a session: `403`, `401`, `redirect`, `page`, or a 403 that does not say so:
    `403-html`, `403-empty`, `403-csrf`, `403-permission` (a public fork of 2026, jackmc2/hellowatt_hass, logs in again
    after any 403; Django ends all sessions when the password is changed). `forbidden`: parts of API addresses that this
    account may not read, whatever its session. `refuse_versions`: only plain JSON. `passing`: faults by chance.
    """

    def __init__(
        self,
        customers: Iterable[Customer],
        *,
        port: int = 0,
        control_port: int = 0,
        clock: Clock = time.time,
        slash: bool = False,
        lost: str = "403",
        refuse_versions: bool = False,
    ) -> None:
        self.clock = clock
        self.logins = Logins(list(customers), clock)
        self.slash = slash
        self.lost = lost
        self.refuse_versions = refuse_versions
        self.forbidden: tuple[str, ...] = ()
        self.passing: Callable[[Request], list[Fault]] = lambda _request: []
        self.visits: list[Visit] = []
        self.faults = FaultBox(*OWN, "no_data")
        self.server = LoopbackServer(self._answer, port=port, name="hellowatt", server_header="nginx")
        actions = {
            "GET /state": lambda _: {"visits": len(self.visits), "faults": self.faults.described()},
            "POST /fault": lambda fields: self.fault(**fields).described(),
            "POST /clear": lambda _: self.clear(),
            "POST /expire": lambda _: self.logins.expire(),
        }
        self.control = control_server(actions, control_port)

    @property
    def customers(self) -> list[Customer]:
        """The accounts."""
        return list(self.logins.customers.values())

    def asked(self, part: str = "", method: str = "") -> list[Visit]:
        """The requests whose path holds `part`."""
        return [visit for visit in list(self.visits) if part in visit.path and method in ("", visit.method)]

    # ---- answers

    def _answer(self, request: Request) -> Response:
        met = self.faults.take(request.path) or self.passing(request)
        response = spoiled(met, lambda: self._healthy(request), lambda fault, ok: self._spoil(request, fault, ok))
        self.visits.append(Visit(self.clock(), request.method, request.path, response.status))
        return response

    def _spoil(self, request: Request, fault: Fault, healthy: Healthy) -> Optional[Response]:
        if fault.kind == "rate_limited":
            response = Response.of_html("<html><body><h1>429 Too Many Requests</h1></body></html>", 429)
            if fault.value is not None:
                response.headers.append(("Retry-After", str(fault.value)))
            return response
        if fault.kind == "maintenance":
            return Response.of_html(MAINTENANCE, int(fault.value or 200))
        if fault.kind in ("no_input", "captcha") and request.method == "POST":
            return healthy()
        if fault.kind == "no_input":
            return self.logins.form(request, without=str(fault.value))
        if fault.kind == "captcha":
            return self.logins.form(request, extra=CAPTCHA)
        if fault.kind == "interstitial":
            return Response.of_html(INTERSTITIAL, 403)
        if fault.kind == "no_cookie":
            response = healthy()
            response.headers = [each for each in response.headers if each[0] != "Set-Cookie"]
            return response
        if fault.kind in OWN or fault.kind == "no_data":
            return self._rewritten(fault, healthy())
        return None

    @staticmethod
    def _rewritten(fault: Fault, response: Response) -> Response:
        if response.status != 200 or response.content_type != "application/json":
            return response
        text = response.body.decode()
        if fault.kind == "renamed":
            response.body = text.replace(f'"{fault.value[0]}"', f'"{fault.value[1]}"').encode()
        elif fault.kind == "double":
            response.body = json.dumps(text).encode()
        elif isinstance(value := json.loads(text), dict):
            if fault.kind == "next":
                value["next"] = "/api/more?page=2"
            elif fault.kind == "ongoing":
                value["isFetchOngoing"] = True
            elif fault.kind == "no_data":
                value = {"values": [], "error": {"identifier": "no_data", "message": "Aucune donnée disponible."}}
            response.body = json.dumps(value).encode()
        return response

    def _healthy(self, request: Request) -> Response:
        if request.path == "/accounts/login/":
            return self.logins.post(request) if request.method == "POST" else self.logins.get(request)
        if request.path == PERSONS:
            return self.logins.form(request)
        if request.path.startswith("/api/"):
            answer = self._api(request)
            known = request.path.rstrip("/") != "/api/user" or "user" in self.logins.token_at
            return self.logins.with_token(request, answer) if known else answer
        return Response.of_html("<h1>404 Not Found</h1>", 404)

    def _api(self, request: Request) -> Response:
        path = request.path
        if self.slash and not path.endswith("/"):
            return Response(301, b"", "text/html", [("Location", f"{path}/?{request.target.partition('?')[2]}")])
        version = re.search(r"version=([\w.]+)", request.headers.get("Accept", ""))
        if version and (self.refuse_versions or version.group(1) not in VERSIONS):
            return Response.of_json({"detail": "Version non valide dans l'en-tête « Accept »."}, 406)
        customer = self.logins.customer(request)
        if customer is None:
            return self._no_session()
        path = path.rstrip("/")
        if path == "/api/user":
            return Response.of_json({"id": 1, "email": customer.email})
        if any(part in path for part in self.forbidden):
            return Response.of_json({"detail": "Vous n'avez pas la permission d'effectuer cette action."}, 403)
        if path == "/api/homes":
            return Response.of_json(customer.listed or [home.described() for home in customer.homes])
        match = re.fullmatch(r"/api/homes/(\d+)/(contracts|(sge_measures|adict_measures)/conso_daily)", path)
        home = next((each for each in customer.homes if match and str(each.id) == match.group(1)), None)
        if match is None or home is None:
            return Response.of_json({"detail": "Pas trouvé."}, 404)
        if match.group(2) == "contracts":
            return Response.of_json(home.contracts())
        return self._daily(request, home, ENERGIES[match.group(3)])

    def _no_session(self) -> Response:
        if self.lost == "redirect":
            return Response(302, b"", "text/html", [("Location", "/accounts/login/?next=/api/homes")])
        if self.lost == "page":
            return self.logins.form(Request("GET", "/", "/", {}, {}, b""))
        if self.lost == "403-html":
            return Response.of_html(FORBIDDEN, 403)
        if self.lost == "403-empty":
            return Response(403, b"", "text/html")
        detail = {
            "403-csrf": "CSRF Failed: CSRF token incorrect.",
            "403-permission": "Vous n'avez pas la permission d'effectuer cette action.",
        }.get(self.lost, DETAIL)
        return Response.of_json({"detail": detail}, int(self.lost[:3]))

    def _daily(self, request: Request, home: Home, energy: str) -> Response:
        if (energy == "gas" and not home.pce) or (energy == "electricity" and not home.pdl):
            return Response.of_html("<html><body><h1>Server Error (500)</h1></body></html>", 500)
        try:
            first, end = (datetime.fromisoformat(request.query[name]) for name in ("startDate", "endDate"))
            if first.tzinfo is None or end.tzinfo is None:
                raise ValueError
        except (KeyError, ValueError):
            return Response.of_json({"detail": "Dates invalides."}, 400)
        begin, last = first.astimezone(PARIS).date(), end.astimezone(PARIS).date()
        return Response.of_json(home.series(energy, begin, last, self.clock()))
