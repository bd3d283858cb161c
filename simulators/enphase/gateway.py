"""The IQ Gateway: HTTPS with a self-signed certificate, tokens and sessions, answers, faults, control.

Faults beside the common ones (`simulators/faults.py`):

| kind | value | effect |
|---|---|---|
| `reboot` | seconds, or `{"down", "busy", "zeros"}` (s) | port closed, then 503, then zeros; sessions are lost |
| `frozen` | | each answer stays what it was when the fault met it first |
| `zeros` | | every number is 0, apart from identities and times |
| `unloaded` | null or Wh | energies are 0, or that; powers are there: the first minutes after a boot |
| `new_store` | | the week is all that came before today: the gateway's store of days has begun anew |
| `reset_index` | null, an index, or `{"step": Wh}` | registers jump, once; `path` names the meter or `*` |
| `logout` | | all sessions end, once |
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Callable, Optional, Protocol

from simulators.clock import Clock, SimulatedClock
from simulators.control import control_server
from simulators.enlighten.key import EntrezKey
from simulators.enphase.access import Access
from simulators.enphase.certificate import Certificate
from simulators.enphase.day import DaySource
from simulators.enphase.pages import VALID, refusal
from simulators.enphase.plant import Plant
from simulators.faults import Fault, FaultBox, Healthy, spoiled
from simulators.server import HOST, LoopbackServer, Request, Response
from simulators.service import Service

V1_ENERGIES = ("wattHoursToday", "wattHoursSevenDays", "wattHoursLifetime")
ENERGIES = {"actEnergyDlvd", "actEnergyRcvd", "whLifetime", *V1_ENERGIES}
OPEN_PATHS = ("/info", "/info.xml", "/home", "/home.json")
KEPT = ("eid", "timestamp", "readingTime", "lastReportDate", "serialNumber", "devType", "activeCount", "chaneid")
DELAYS = {"/production.json": 1.1, "/production": 3.5, "/inventory.json": 2.0, "/home": 6.0, "/ivp": 0.1, "/api": 0.1}


class Source(Protocol):
    """The source of a gateway's answers: a recorded folder or the built-in day."""

    serial: str
    firmware: str

    def answer(self, path: str, query: Mapping[str, str], now: float, /) -> Optional[Response]: ...
    def set(self, values: dict[str, Any], /) -> None: ...
    def reset_index(self, meter: str, value: Any, /) -> None: ...
    def truth(self, since: Optional[float] = None, /) -> dict[str, float]: ...
    def state(self) -> dict[str, Any]: ...


class EnphaseGateway(Service):
    """A gateway on loopback; `with` starts and stops it.

    `source`: a `RecordedSource` or a `DaySource` (default: a day of one phase, on `clock`). `key` signs the
    tokens it accepts. `clock_offset` (s): how wrong its clock is. `denied`: path prefixes that no role of a
    customer may read (401). `cookie_paths`: prefixes that want the session cookie, not only the token.
    `cookie_always`: hand out a session with every answer to a token. `realistic_delays`: as slow as the
    real one.
    """

    def __init__(
        self,
        source: Optional[Source] = None,
        *,
        key: Optional[EntrezKey] = None,
        clock: Clock = time.time,
        clock_offset: float = 0.0,
        port: int = 0,
        control_port: int = 0,
        certificate_days: float = 365.0,
        certificate_age: float = 0.0,
        denied: Iterable[str] = ("/stream/meter",),
        cookie_paths: Iterable[str] = (),
        cookie_always: bool = False,
        realistic_delays: bool = False,
        host: str = HOST,
    ) -> None:
        self.source: Source = source or DaySource(Plant(clock))
        self.clock = clock
        self.clock_offset = clock_offset
        self.key = key or EntrezKey()
        self.access = Access(self.key, self.source.serial, self.now)
        self.denied = tuple(denied)
        self.cookie_paths = tuple(cookie_paths)
        self.cookie_always = cookie_always
        self.realistic_delays = realistic_delays
        self.faults = FaultBox("frozen", "zeros", "unloaded", "new_store")
        self._frozen: dict[Fault, dict[str, Response]] = {}
        self._busy_until = self._zeros_until = 0.0
        self.certificate = Certificate(self.source.serial, certificate_days, certificate_age)
        self.server = LoopbackServer(
            self._answer,
            port=port,
            tls=self.certificate.context(),
            name="enphase",
            server_header="openresty/1.17.8.1",
            host=host,
        )
        self.control = control_server(self._control_actions(), control_port)

    # ---- addresses and observation

    @property
    def serial(self) -> str:
        """The serial number."""
        return self.source.serial

    @property
    def tls_connections(self) -> int:
        """How many TLS connections were made."""
        return self.server.tls_connections

    @property
    def max_in_flight(self) -> int:
        """The most requests that were ever under way at the same time."""
        return self.server.max_in_flight

    def now(self) -> float:
        """The gateway's clock, epoch s."""
        return self.clock() + self.clock_offset

    def truth(self, since: Optional[float] = None) -> dict[str, float]:
        """Exact energies of the built-in day (`Plant.truth`)."""
        return self.source.truth(since)

    def state(self) -> dict[str, Any]:
        """What it serves and what was asked."""
        counts: dict[str, int] = {}
        for seen in list(self.requests):
            counts[seen.path] = counts.get(seen.path, 0) + 1
        return {
            "serial": self.serial,
            "firmware": self.source.firmware,
            "clock": self.now(),
            "requests": len(self.requests),
            "requestsByPath": counts,
            "tlsConnections": self.server.tls_connections,
            "tlsFailures": self.server.tls_failures,
            "openConnections": self.server.open_connections,
            "inFlight": self.server.in_flight,
            "maxInFlight": self.server.max_in_flight,
            "bytesSent": self.server.bytes_sent,
            "refused": list(self.access.refused[-20:]),
            "faults": self.faults.described(),
            "certificate": {
                "name": self.certificate.name,
                "fingerprint": self.certificate.fingerprint,
                "expires": self.certificate.expires,
            },
            **self.source.state(),
        }

    # ---- control

    def token(self, lifetime: float = 31_536_000, role: str = "owner", serial: Optional[str] = None) -> str:
        """A token for this gateway (or another `serial`), issued now by the gateway's clock."""
        return self.key.issue(serial or self.serial, now=self.now(), lifetime=lifetime, role=role)

    def set(self, **values: Any) -> None:
        """Hold values of the built-in day (`Plant.set`)."""
        self.source.set(values)

    def fault(self, kind: str, path: str = "*", value: Any = None, count: Optional[int] = None) -> Fault:
        """Put a fault in force. Raises ValueError for an unknown kind."""
        if kind == "reboot":
            self.reboot(value)
        elif kind == "reset_index":
            self.source.reset_index(path, value)
        elif kind == "logout":
            self.access.end_sessions()
        else:
            return self.faults.add(kind, path, value, count)
        return Fault(kind, path, value, 0)

    def clear(self) -> None:
        """End all faults."""
        self.faults.clear()
        self._frozen.clear()
        self._busy_until = self._zeros_until = 0.0
        self.server.resume()

    def reboot(self, value: Any = None) -> None:
        """Go down, come back busy, then with zeros (real seconds; one number is shared out)."""
        if not isinstance(value, dict):
            value = dict.fromkeys(("down", "busy", "zeros"), float(value or 6) / 3)
        down = float(value.get("down", 0.0))
        self._busy_until = time.monotonic() + down + float(value.get("busy", 0.0))
        self._zeros_until = self._busy_until + float(value.get("zeros", 0.0))
        self.access.end_sessions()
        # A moment later, so that a control request or a test returns before the port is gone.
        threading.Timer(0.01, self.server.suspend, (down,)).start()

    def renew_certificate(
        self, days: float = 365.0, serial: Optional[str] = None, age: float = 0.0, same_key: bool = False
    ) -> str:
        """Serve another certificate from now on and cut the open connections; returns its fingerprint.

        Whether a real gateway keeps its key when it renews its certificate is not known: both are possible here.
        """
        self.certificate = Certificate(serial or self.serial, days, age, renewed=not same_key)
        self.server.tls = self.certificate.context()
        self.server.drop_connections()
        return self.certificate.fingerprint

    def _control_actions(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        return {
            "GET /state": lambda _: self.state(),
            "GET /requests": lambda _: {"requests": [list(seen) for seen in self.requests]},
            "GET /truth": lambda fields: self.truth(float(fields["since"]) if "since" in fields else None),
            "POST /set": lambda fields: self.set(**fields),
            "POST /fault": lambda fields: self.fault(**fields).described(),
            "POST /clear": lambda _: self.clear(),
            "POST /certificate": lambda fields: {"fingerprint": self.renew_certificate(**fields)},
            "POST /token": lambda fields: {"token": self.token(**fields)},
            "POST /clock": self._move_clock,
        }

    def _move_clock(self, fields: dict[str, Any]) -> dict[str, Any]:
        """`offset` (s) makes it wrong; `epoch`, `speed`, `advance` move a simulated clock."""
        if "offset" in fields:
            self.clock_offset = float(fields["offset"])
        if {"epoch", "speed", "advance"} & set(fields):
            if not isinstance(self.clock, SimulatedClock):
                raise ValueError("this gateway runs on the real clock")
            self.clock.set(fields.get("epoch"), fields.get("speed"))
            self.clock.advance(float(fields.get("advance", 0.0)))
        return {"clock": self.now()}

    # ---- answering

    @property
    def _version(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.source.firmware.lstrip("DRM").split("."))

    def _answer(self, request: Request) -> Response:
        if time.monotonic() < self._busy_until:
            return refusal(503, self._version)
        return spoiled(
            self.faults.take(request.path),
            lambda: self._healthy(request),
            lambda fault, healthy: self._own_fault(fault, healthy, request.target),
        )

    def _own_fault(self, fault: Fault, healthy: Healthy, target: str) -> Optional[Response]:
        if fault.kind == "status":
            return refusal(int(fault.value), self._version)
        if fault.kind == "zeros":
            return _zeroed(healthy())
        if fault.kind == "unloaded":
            return _changed(healthy(), lambda part: {**part, **dict.fromkeys(ENERGIES & set(part), fault.value or 0.0)})
        if fault.kind == "new_store":
            return _changed(healthy(), _new_store)
        if fault.kind == "frozen":
            kept = self._frozen.setdefault(fault, {})
            if target not in kept:
                kept[target] = healthy()
            return replace(kept[target], headers=[])
        return None

    def _healthy(self, request: Request) -> Response:
        cookie: Optional[tuple[str, str]] = None
        if request.path not in OPEN_PATHS:
            session = self.access.session(request)
            bearer = None if session else self.access.bearer(request)
            wants_cookie = request.path.startswith(self.cookie_paths) if self.cookie_paths else False
            if session is None and (bearer is None or wants_cookie):
                return refusal(401, self._version)
            if request.path.startswith(self.denied):
                return refusal(401, self._version)
            if request.path == "/auth/check_jwt":
                bearer = bearer or self.access.bearer(request)
                if bearer is None:
                    return refusal(401, self._version)
                response = Response.of_html(VALID)
                response.headers.append(self.access.open(bearer))
                return response
            if bearer is not None and self.cookie_always:
                cookie = self.access.open(bearer)
        response = self._data(request)
        response.headers += [("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY")]
        if cookie:
            response.headers.append(cookie)
        return response

    def _data(self, request: Request) -> Response:
        found = None
        if request.method in ("GET", "HEAD"):
            found = self.source.answer(request.path, request.query, self.now())
        if found is None:
            return refusal(404, self._version)
        if self.realistic_delays:
            found.delay += next((s for prefix, s in DELAYS.items() if request.path.startswith(prefix)), 0.03)
        if time.monotonic() < self._zeros_until:
            return _zeroed(found)
        return found


def _zeroed(response: Response) -> Response:
    """The answer with every measured number at 0."""
    try:
        value = json.loads(response.body)
    except ValueError:
        return response  # a page, or XML
    return replace(response, body=json.dumps(_without_numbers(value)).encode())


def _changed(response: Response, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
    """The answer with each object changed."""

    def walked(value: Any) -> Any:
        if isinstance(value, dict):
            return change({key: walked(part) for key, part in value.items()})
        return [walked(part) for part in value] if isinstance(value, list) else value

    try:
        return replace(response, body=json.dumps(walked(json.loads(response.body))).encode())
    except ValueError:
        return response  # a page, or XML


def _new_store(part: dict[str, Any]) -> dict[str, Any]:
    """Recorded on 8.1.41, 8.2.127 and 8.2.4286: today and the week together are the lifetime, for good."""
    for today, week, life in (("whToday", "whLastSevenDays", "whLifetime"), V1_ENERGIES):
        if part.get(today) and part.get(life):
            part = {**part, week: part[life] - part[today]}
    return part


def _without_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: part if key in KEPT else _without_numbers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_numbers(part) for part in value]
    return value * 0 if isinstance(value, (int, float)) and not isinstance(value, bool) else value
