"""Netatmo Connect as one server, with a control endpoint.

| request | answer |
|---|---|
| `GET /oauth2/authorize` | 302 to `redirect_uri` with `code` and `state` |
| `POST /oauth2/token` | a pair of tokens, or `{"error": "invalid_grant"}` and the like |
| `GET` or `POST /api/homesdata`, `homestatus`, `getmeasure` | the envelope with `body`, or `error` with `code` |

Faults beside the common ones: `lost` (the token is rotated, the connection closed without an answer), `api`
(value: code, or [code, status]), `no_body` (200 without `body`), `empty` (200 and an empty list), `answer`
(200 and value as JSON), `retry_after` (429, code 26, header `Retry-After` = value), `grant` (that error of the token
endpoint), `partial` (homesdata lacks lines of that index), `piece` (one piece of getmeasure is spoilt: `no_value`,
`null_value`, `text`, `null_row`, `short_row`). `passing` spoils a part of all answers at random.

Refusals that pass on unchanged credentials, code 11 of the whole service, lists of homes without single modules, and
pieces without values are what users of other clients report (netatmo-api-python #82, #93; pyatmo #547, module.py;
bticino_intercom PR 73). Believed on 2026-11-29.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import urlencode

from simulators.clock import Clock
from simulators.control import control_server
from simulators.econetatmo import measures
from simulators.econetatmo.homes import homesdata, homestatus
from simulators.econetatmo.measures import ApiError
from simulators.econetatmo.model import Home, Model
from simulators.econetatmo.oauth import Authority, GrantError
from simulators.econetatmo.passing import Passing, with_spoilt_piece, without_line
from simulators.faults import Fault, FaultBox, Healthy, spoiled
from simulators.report import reshaped
from simulators.server import LoopbackServer, Request, Response
from simulators.service import Service

OWN_FAULTS = ("lost", "api", "no_body", "empty", "answer", "retry_after", "grant", "partial", "piece")
STATUS = {1: 401, 2: 403, 3: 403, 5: 403, 9: 404, 10: 400, 11: 429, 13: 403, 21: 400, 22: 403, 25: 400, 26: 429}


class Call(NamedTuple):
    """One data call: simulated time, method, parameters, the code it was answered with (0: none)."""

    at: float
    method: str
    form: dict[str, str]
    code: int


class NetatmoCloud(Service):
    """The service with one account. `burst`, `hourly`: its limits; `limit_status`: how a refusal looks."""

    def __init__(
        self,
        homes: Sequence[Home],
        *,
        port: int = 0,
        control_port: int = 0,
        clock: Clock = time.time,
        seed: int = 1,
        client_id: str = "5f0000000000000000000001",
        client_secret: str = "simulatedClientSecret01",
        lifetime: float = 10800.0,
        burst: int = 50,
        hourly: int = 500,
        limit_status: int = 429,
    ) -> None:
        self.clock = clock
        self.model = Model(homes, seed)
        self.authority = Authority(clock, client_id, client_secret, lifetime)
        self.burst, self.hourly, self.limit_status = burst, hourly, limit_status
        self.faults = FaultBox(*OWN_FAULTS)
        self.calls: list[Call] = []
        self.busiest = {10: 0, 3600: 0}
        self.refused = 0
        self.tokens_in_urls = 0
        self.passing: Optional[Passing] = None
        self.delays: Callable[[], tuple[float, float]] = lambda: (0.0, 0.0)
        self._recent: deque[float] = deque()
        self._running = 0
        self.server = LoopbackServer(self._answer, port=port, name="netatmo", server_header="nginx")
        self.control = control_server(
            {
                "GET /state": lambda _: self.state(),
                "POST /revoke": lambda _: self.authority.revoke(),
                "POST /generate": lambda _: {"refresh_token": self.authority.generate().refresh},
                "POST /fault": lambda fields: self.fault(**fields).described(),
                "POST /clear": lambda _: self.faults.clear(),
            },
            control_port,
        )

    def record(self, module: str, scale: str, begin: int, end: Optional[int] = None) -> dict[int, list[Any]]:
        """The service's own truth: energy and price by column, by label, of slots counted from `begin`."""
        found = self.model.find(module)
        assert found is not None
        form = {"device_id": found[1].device, "module_id": module, "scale": scale, "date_begin": str(begin)}
        form["type"] = ",".join(measures.types_of(found[1]))
        result: dict[int, list[Any]] = {}
        while True:
            window = {"date_end": str(end - 1)} if end else {}
            rows = measures.slots(self.model, {**form, **window}, self.clock(), trusted=True)
            result.update(rows)
            if len(rows) < measures.MAX_SLOTS:
                return result
            form["date_begin"] = str(rows[-1][0] + measures.STEPS[scale] // 2)

    def state(self) -> dict[str, Any]:
        """Counters and faults."""
        return {
            "rotations": self.authority.rotations,
            "usedAfterVoiding": self.authority.used_after_voiding,
            "calls": len(self.calls),
            "refused": self.refused,
            "busiest": {str(span): count for span, count in self.busiest.items()},
            "faults": self.faults.described(),
        }

    # ---- answering

    def _answer(self, request: Request) -> Response:
        if "|" in request.target or "%7C" in request.target.upper() or "token=" in request.target:
            self.tokens_in_urls += 1
        met = self.faults.take(request.path)
        passing = self.passing.fault(request.path) if self.passing is not None and not met else None
        if passing is not None:
            met = [passing]
        return spoiled(met, lambda: self._healthy(request), self._own)

    def _own(self, fault: Fault, healthy: Healthy) -> Optional[Response]:
        if fault.kind == "lost":
            healthy()
            return Response(how="drop")
        if fault.kind == "api":
            code, status = fault.value if isinstance(fault.value, list) else (fault.value, STATUS.get(fault.value, 400))
            return _error(code, status, "by a fault")
        if fault.kind == "shape":
            answer = healthy()
            told = json.loads(answer.body)
            if "body" in told:  # the envelope is the service's own
                told["body"] = reshaped(told["body"], fault.value)
            return replace(answer, body=json.dumps(told).encode())
        if fault.kind == "no_body":
            return Response.of_json({"status": "ok", "time_server": int(self.clock())})
        if fault.kind == "empty":
            return Response.of_json({"status": "ok", "time_server": int(self.clock()), "body": []})
        if fault.kind == "answer":
            return Response.of_json(fault.value)
        if fault.kind == "grant":
            return Response.of_json({"error": str(fault.value)}, 400)
        if fault.kind == "partial":
            return without_line(healthy(), f"#{fault.value}")
        if fault.kind == "piece":
            return with_spoilt_piece(healthy(), str(fault.value))
        if fault.kind == "retry_after":
            response = _error(26, 429, "Maximum api usage reached")
            response.headers.append(("Retry-After", str(fault.value)))
            return response
        return None

    def _healthy(self, request: Request) -> Response:
        if request.path == "/oauth2/authorize":
            return self._authorize(request)
        if request.path == "/oauth2/token":
            return self._token(request)
        if request.path.startswith("/api/"):
            return self._data(request)
        return Response.of_html("<h1>404</h1>", 404)

    def _authorize(self, request: Request) -> Response:
        uri, state = request.query.get("redirect_uri", ""), request.query.get("state", "")
        if request.query.get("client_id") != self.authority.client_id:
            return Response.of_html("<h1>unknown application</h1>", 400)
        back = urlencode({"state": state, "code": self.authority.code(uri)})
        return Response(302, b"", "text/html", [("Location", f"{uri}?{back}")])

    def _token(self, request: Request) -> Response:
        before, after = self.delays()
        time.sleep(before)
        try:
            response = Response.of_json(self.authority.grant(request.form()))
        except GrantError as error:
            response = Response.of_json({"error": str(error)}, 400)
        response.delay = after
        return response

    def _data(self, request: Request) -> Response:
        method = request.path[len("/api/") :]
        form = {**request.query, **(request.form() if request.method == "POST" else {})}
        header = request.headers.get("Authorization") or ""
        token = header[len("Bearer ") :] if header.startswith("Bearer ") else form.pop("access_token", "")
        with self.authority.lock:
            self._running += 1
        try:
            self._admit(token)
            body = self._body(method, form)
            code = 0
            response = Response.of_json(body)
        except ApiError as error:
            code = error.code
            response = _error(code, error.status, str(error))
        finally:
            with self.authority.lock:
                self._running -= 1
        self.calls.append(Call(self.clock(), method, form, code))
        return response

    def _admit(self, token: str) -> None:
        with self.authority.lock:
            now = self.clock()
            self._recent.append(now)
            while self._recent and now - self._recent[0] > 3600:
                self._recent.popleft()
            counts = {span: sum(now - each < span for each in self._recent) for span in self.busiest}
            self.busiest = {span: max(count, counts[span]) for span, count in self.busiest.items()}
            if counts[10] > self.burst or counts[3600] > self.hourly:
                self.refused += 1
                raise ApiError(26, self.limit_status, "User usage reached")
            if self._running > 1:
                raise ApiError(11, 429, "failed to enter concurrency limited section")
        code = self.authority.check(token)
        if code:
            raise ApiError(code, STATUS[code], "Invalid access token" if code < 3 else "Access token expired")

    def _body(self, method: str, form: dict[str, str]) -> dict[str, Any]:
        now = self.clock()
        envelope: dict[str, Any] = {"status": "ok", "time_exec": 0.05, "time_server": int(now)}
        if method == "homesdata":
            return {**envelope, "body": homesdata(self.model, now)}
        if method == "homestatus":
            return {**envelope, "body": homestatus(self.model, form.get("home_id", ""), now)}
        if method == "getmeasure":
            return {**envelope, "body": measures.answer(self.model, form, now)}
        raise ApiError(31, 404, "Method not found")


def _error(code: int, status: int, message: str) -> Response:
    return Response.of_json({"error": {"code": code, "message": message}}, status)
