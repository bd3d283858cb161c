"""The Easee cloud as a whole: REST, the hub, accounts, chargers, time that passes, and a control endpoint.

Faults of `fault()` are those of every HTTP simulator (`simulators/faults.py`), on paths of the REST service, and:

| kind | value | effect |
|---|---|---|
| `limited` | seconds or null | 429, with `Retry-After` when a value is given |
| `firewall` | | 403 with the firewall's body |
| `nulls` | | the healthy answer with every field null |
| `too_many` | | 403 with the words of a block in JSON (evcc-io/evcc 3835, July 2022) |
| `limiter` | | 302 to the page of a rate limiter (that there is such a redirect is reported, its address is made up) |

`block(seconds)` blocks the address as the service does: 429 with the page that users were shown (Newan/ioBroker.easee
73, February 2024), for so long *from the last request*, whatever it is, the stream's included. `firewall` on one path
is what users saw on 13 September 2024: `/settings` refused, everything else fine (evcc-io/evcc 16077).

On the paths `/negotiate` and `/upgrade` a fault is the hub's.

What this service believes of the real one, and since when:

- `GET /api/chargers/{id}/state` is switched off since 1 September 2026: 404 without a body, or 400 with the words below
  (public reports of that week: Newan/ioBroker.easee 157 and 159, nordicopen/pyeasee 138; vendor's announcement on
  developer.easee.com/reference/getchargerstate). `state_endpoint` is `404` or `400`.
- Its place is `GET /state/{serial}/observations?ids=109,120` (no `/api`), without a limit of ids that anybody reported:
  `{"observations": [{"id", "value", "dataType", "timestamp"}]}`, each with its own date. Values are of JSON types in
  most reports and texts in others: `typed` says which. An id that the charger never sent is left out. Unverified: what
  it answers for somebody else's charger (here 404).
- `GET /api/chargers` has no Equalizers; `GET /api/accounts/products` has the sites with the products that the user put
  into the app, Equalizers among them (nordicopen/easee_hass 282, 2023); its lists may be null.
- `GET /api/equalizers/{id}/config` has `maxAllocatedCurrent` (A), and it and `/state` answer 403 to many accounts
  (nordicopen/pyeasee, read on 30 November 2026): `open_to_all` is what they do here.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from typing import Any, Callable, Optional

from simulators.clock import Clock
from simulators.control import control_server
from simulators.easee.accounts import Account, Accounts
from simulators.easee.charger import DISCONNECTED, Charger
from simulators.easee.equalizer import Equalizer
from simulators.easee.hub import Hub, Product
from simulators.easee.product import stamp
from simulators.faults import Fault, FaultBox, Healthy, spoiled
from simulators.server import LoopbackServer, Request, Response
from simulators.service import Service

EPOCH = 621_355_968_000_000_000
"""1970 in steps of 100 ns since the year 1."""
STEP = 0.5
BLOCKED = """<html><body><h1>Too many requests from third party system detected.</h1>
<p>Your IP is temporary blocked for 24 hours from the last request received. Easee portal and app will work as normal
but any third party integration will fail.</p></body></html>"""


class EaseeCloud(Service):
    """The service on loopback; `with` starts and stops it. `life`: charging sessions evolve by themselves.

    `clock` is what charging goes by, `wall` what dates, tokens and blocks go by. Without `alone` nothing happens by
    itself: who moves the clocks calls `beat` and `hub.ping`.
    """

    def __init__(
        self,
        accounts: Iterable[Account],
        *,
        clock: Clock = time.time,
        wall: Clock = time.time,
        port: int = 0,
        hub_port: int = 0,
        control_port: int = 0,
        token_lifetime: float = 3600.0,
        life: bool = True,
        alone: bool = True,
    ) -> None:
        known = list(accounts)
        self.clock, self.wall = clock, wall
        self.accounts = Accounts(known, wall, token_lifetime)
        self.chargers = {s: Charger(s, clock=clock, wall=wall) for account in known for s in account.serials}
        self.equalizers = {s: Equalizer(s, clock=clock, wall=wall) for account in known for s in account.equalizers}
        self.products: dict[str, Product] = {**self.chargers, **self.equalizers}
        self.hub = Hub(self.accounts, self.products, hub_port, self.gate, wall)
        for product in self.products.values():
            product.tell = self.hub.observed
        self.faults = FaultBox("limited", "firewall", "nulls", "too_many", "limiter")
        self.state_endpoint = 404
        self.typed = self.open_to_all = True
        self.commands: list[tuple[str, str, Any]] = []
        self.results: dict[tuple[str, int, int], dict[str, Any]] = {}
        self._obeying: list[tuple[float, Callable[[], None]]] = []
        self.server = LoopbackServer(self._answer, port=port, name="easee", date=wall)
        self._block = self._blocked_until = 0.0
        self.control = control_server(
            {
                "GET /state": lambda _: self.state(),
                "POST /set": self._set,
                "POST /fault": lambda fields: self.fault(**fields).described(),
                "POST /stream": self._stream,
                "POST /block": lambda fields: self.block(float(fields.get("seconds", 86400.0))),
                "POST /clear": lambda _: self.clear(),
            },
            control_port,
        )
        self._life, self._alone = life, alone
        self._before = clock()
        if not alone:
            self.hub.ping_interval = None
        self._ticks = 0
        self._closing = threading.Event()

    # ---- addresses and observation

    @property
    def stream_url(self) -> str:
        """Value for the setting `streamUrl`."""
        return self.hub.url

    def asked(self, path: str) -> int:
        """How many requests contained `path`."""
        return sum(path in seen.path for seen in list(self.requests))

    def state(self) -> dict[str, Any]:
        """Counters, and what each charger does."""
        values = {s: {str(i): o.value for i, o in p.observed.items()} for s, p in self.products.items()}
        return {
            "logins": self.accounts.logins,
            "refreshes": self.accounts.refreshes,
            "streams": self.hub.streams,
            "negotiations": len(self.hub.negotiations),
            "requests": len(self.requests),
            "faults": self.faults.described() + self.hub.faults.described(),
            "chargers": {serial: values[serial] for serial in self.chargers},
            "equalizers": {serial: values[serial] for serial in self.equalizers},
        }

    # ---- faults

    def fault(self, kind: str, path: str = "*", value: Any = None, count: Optional[int] = None) -> Fault:
        """Put a fault in force. Raises ValueError for an unknown kind."""
        box = self.hub.faults if path in ("/negotiate", "/upgrade") else self.faults
        return box.add(kind, path, value, count)

    def block(self, seconds: float = 86400.0) -> None:
        """The address is blocked for so long from its last request, which is now."""
        self._block, self._blocked_until = seconds, self.wall() + seconds

    def gate(self) -> Optional[Response]:
        """Answer to a request while the address is blocked."""
        if self.wall() >= self._blocked_until:
            return None
        self._blocked_until = self.wall() + self._block
        return Response.of_html(BLOCKED, 429)

    def clear(self) -> None:
        """End all faults and switches."""
        self._blocked_until = 0.0
        self.state_endpoint, self.typed, self.open_to_all = 404, True, True
        self.faults.clear()
        self.hub.faults.clear()
        self.accounts.refuse_refresh = False
        self.hub.stalled = self.hub.mute = self.hub.glue = self.hub.shuffle = False
        self.hub.handshake, self.hub.chop = "normal", 0
        self.hub.refused.clear()
        self.hub.deaf.clear()

    # ---- life

    def start(self) -> None:
        """Listen."""
        super().start()
        self.hub.start()
        if self._alone:
            threading.Thread(target=self._live, name="easee life", daemon=True).start()

    def close(self) -> None:
        """Stop for good."""
        self._closing.set()
        self.clear()
        self.hub.close()
        super().close()

    def beat(self) -> None:
        """Advances the chargers since the last call."""
        now = self.clock()
        for charger in self.chargers.values():
            if self._life:
                charger.pass_time(now - self._before)
            if charger.pulse_in() <= 0:
                charger.pulse()
        for equalizer in self.equalizers.values():
            equalizer.pass_time(now - self._before)
        self._before = now
        for each in [each for each in self._obeying if each[0] <= now]:
            self._obeying.remove(each)
            each[1]()

    def next_beat(self) -> float:
        """Seconds until something happens at a charger."""
        pulses = [min(charger.pulse_in(), charger.wakes_in()) for charger in self.chargers.values()]
        pulses += [equalizer.pulse_in() for equalizer in self.equalizers.values() if equalizer.online]
        return min([*pulses, *(due - self.clock() for due, _ in self._obeying)])

    def _live(self) -> None:
        while not self._closing.wait(STEP):
            self.beat()

    # ---- control

    def _set(self, fields: dict[str, Any]) -> dict[str, Any]:
        """`serial` with `plug`, `unplug`, `offline`, `online`, `die`, `restart`, `values`, `command_mode`,
        `command_delay`, or of an Equalizer with `draw` (kW), `offline`, `online`;
        or `token_lifetime`, `revoke`, `refuse_refresh`, `account` {user, password, serials}."""
        if fields.get("serial") in self.equalizers:
            equalizer = self.equalizers[fields["serial"]]
            if "draw" in fields:
                equalizer.draw(float(fields["draw"]))
            for name, step in {"offline": equalizer.go_offline, "online": equalizer.come_back}.items():
                if fields.get(name):
                    step()
        elif "serial" in fields:
            self._set_charger(self.chargers[fields["serial"]], fields)
        if "account" in fields:
            account = fields["account"]
            self.accounts.change(Account(account["user"], account["password"], tuple(account["serials"])))
        self.accounts.lifetime = float(fields.get("token_lifetime", self.accounts.lifetime))
        self.accounts.refuse_refresh = bool(fields.get("refuse_refresh", self.accounts.refuse_refresh))
        if fields.get("revoke"):
            self.accounts.revoke()
        return self.state()

    def _set_charger(self, charger: Charger, fields: dict[str, Any]) -> None:
        steps: dict[str, Callable[[], None]] = {
            "plug": charger.plug,
            "unplug": charger.unplug,
            "offline": charger.go_offline,
            "online": charger.come_back,
            "die": charger.die,
            "restart": charger.restart,
        }
        for name, step in steps.items():
            if fields.get(name):
                step()
        for observation, value in fields.get("values", {}).items():
            charger.set(int(observation), value)
        charger.command_mode = fields.get("command_mode", charger.command_mode)
        charger.command_delay = float(fields.get("command_delay", charger.command_delay))

    def _stream(self, fields: dict[str, Any]) -> dict[str, Any]:
        """`end` (see Hub.end_streams), or the hub's switches by name."""
        for name in ("stalled", "mute", "glue", "shuffle", "handshake", "chop", "ping_interval"):
            if name in fields:
                setattr(self.hub, name, fields[name])
        if "end" in fields:
            self.hub.end_streams(fields["end"])
        return self.state()

    # ---- REST

    def _answer(self, request: Request) -> Response:
        met = self.faults.take(request.path)
        return self.gate() or spoiled(met, lambda: self._healthy(request), _own_fault)

    def _healthy(self, request: Request) -> Response:
        if request.path == "/api/accounts/login":
            return self._login(_fields(request))
        if request.path == "/api/accounts/refresh_token":
            fields = _fields(request)
            answer = self.accounts.refresh(fields.get("accessToken"), fields.get("refreshToken"))
            return Response.of_json(answer) if answer else _problem(401, "Unauthorized", 104)
        account = self.accounts.of(request.headers.get("Authorization", ""))
        if account is None:
            return Response(401, b"", None)
        steps = request.path.strip("/").split("/")
        if steps == ["api", "chargers"]:
            return Response.of_json([self._described(self.chargers[s]) for s in account.serials])
        if steps[:2] == ["api", "chargers"] and len(steps) >= 3:
            charger = self.chargers.get(steps[2]) if steps[2] in account.serials else None
            return self._charger(request, charger, steps[3:]) if charger else _problem(404, "Charger not found")
        if steps == ["api", "accounts", "products"]:
            return Response.of_json(self._products(account))
        if steps[:2] == ["api", "equalizers"] and len(steps) == 4 and request.method == "GET":
            return self._equalizer(self.equalizers.get(steps[2]) if steps[2] in account.equalizers else None, steps[3])
        if steps[:1] == ["state"] and steps[2:] == ["observations"] and request.method == "GET":
            return self._observations(request, steps[1] if account.sees(steps[1]) else "")
        if steps[:2] == ["api", "sites"] and len(steps) == 6:
            return self._circuit(request, account, int(steps[4]), steps[5])
        if steps[:2] == ["api", "commands"] and len(steps) == 5:
            result = self.results.get((steps[2], int(steps[3]), int(steps[4])))
            return Response.of_json(result) if result else _problem(404, "Not found")
        return _problem(404, "Not found")

    def _login(self, fields: dict[str, Any]) -> Response:
        answer = self.accounts.log_in(fields.get("userName"), fields.get("password"))
        if answer is None:
            return _problem(400, "Username or password is invalid", 100)
        return Response.of_json(answer)

    def _charger(self, request: Request, charger: Charger, steps: list[str]) -> Response:
        if request.method == "GET" and not steps:
            return Response.of_json(self._described(charger))
        if request.method == "GET" and steps == ["state"]:
            if self.state_endpoint == 400:
                return _problem(400, "One or more validation errors occurred.")
            return Response(404, b"", None)
        if request.method == "GET" and steps == ["site"]:
            return Response.of_json(self._site(charger))
        if request.method == "POST" and steps[:1] == ["commands"] and len(steps) == 2:
            return self._command(charger, steps[1], _fields(request), single=True)
        if request.method == "POST" and steps == ["settings"]:
            return self._command(charger, "settings", _fields(request), single=False)
        return _problem(404, "Not found")

    def _observations(self, request: Request, serial: str) -> Response:
        product = self.products.get(serial)
        if product is None:
            return _problem(404, "Not found")
        try:
            wanted = [int(each) for each in request.query.get("ids", "").split(",")]
        except ValueError:
            return _problem(400, "One or more validation errors occurred.")
        with product.lock:
            found = [product.observed[each] for each in wanted if each in product.observed]
        return Response.of_json({"observations": [each.answer(self.typed) for each in found]})

    def _products(self, account: Account) -> list[dict[str, Any]]:
        if not account.serials and not account.equalizers:
            return []
        chargers = [self._described(self.chargers[s]) for s in account.serials]
        circuits = [{"id": 80000, "siteId": 70000, "chargers": chargers}] if chargers else None
        equalizers = [
            {"id": s, "name": self.equalizers[s].name, "siteId": 70000, "circuitId": 80000} for s in account.equalizers
        ]
        return [{"id": 70000, "name": "Home", "circuits": circuits, "equalizers": equalizers or None}]

    def _equalizer(self, equalizer: Optional[Equalizer], what: str) -> Response:
        if equalizer is None:
            return _problem(404, "Equalizer not found")
        if what != "config" or not self.open_to_all:
            return _problem(403, "No access to this equalizer", 300)
        return Response.of_json({"id": equalizer.serial, "maxAllocatedCurrent": equalizer.allocated})

    def _circuit(self, request: Request, account: Account, circuit: int, what: str) -> Response:
        mine = (self.chargers[s] for s in account.serials)
        charger = next((each for each in mine if each.circuit == circuit), None)
        if charger is None or what != "dynamicCurrent" or request.method != "POST":
            return _problem(403, "No access to this circuit", 300)
        return self._command(charger, what, _fields(request), single=True)

    def _described(self, charger: Charger) -> dict[str, Any]:
        return {
            "id": charger.serial,
            "name": charger.name,
            "color": charger.color,
            "createdOn": "2024-03-06T08:52:52.512105",
            "updatedOn": "2025-07-03T17:34:35.390791",
            "backPlate": {"id": "0011223344", "masterBackPlateId": "0011223344"},
            "levelOfAccess": 1,
            "productCode": 1,
            "userRole": 1,
        }

    def _site(self, charger: Charger) -> dict[str, Any]:
        circuit = {
            "id": charger.circuit,
            "siteId": charger.site,
            "panelName": "1",
            "ratedCurrent": 32.0,
            "chargers": [self._described(each) for each in self._on_circuit(charger)],
        }
        return {"id": charger.site, "name": "Home", "ratedCurrent": 40.0, "circuits": [circuit], "equalizers": []}

    def _on_circuit(self, charger: Charger) -> list[Charger]:
        """It and the others on its circuit."""
        return [each for each in self.chargers.values() if each.circuit == charger.circuit]

    # ---- commands

    def _command(self, charger: Charger, name: str, body: dict[str, Any], single: bool) -> Response:
        self.commands.append((charger.serial, name, body))
        mode = charger.command_mode
        if mode == "nothing":
            return Response.of_json([], 202)
        self._ticks = max(self._ticks + 1, EPOCH + int(time.time() * 1e7))
        number = 48 if "current" in json.dumps(body).lower() or name.endswith("charging") else 30
        ticket = {"device": charger.serial, "commandId": number, "ticks": self._ticks}
        if mode == "early":
            self._finish(charger, name, body, ticket)
        else:
            self._later(charger.command_delay, lambda: self._finish(charger, name, body, ticket))
        return Response.of_json(ticket if single else [ticket], 202)

    def _later(self, seconds: float, task: Callable[[], None]) -> None:
        if not self._alone:
            self._obeying.append((self.clock() + seconds, task))
            return
        timer = threading.Timer(seconds, task)
        timer.daemon = True
        timer.start()

    def _finish(self, charger: Charger, name: str, body: dict[str, Any], ticket: dict[str, Any]) -> None:
        mode = charger.command_mode
        if mode == "lost" or self._closing.is_set():
            return
        code = {"expired": 2, "rejected": 4}.get(mode, 0)
        if code == 0:
            for each in self._on_circuit(charger) if name == "dynamicCurrent" else [charger]:
                each.obey(name, body)
        key = (ticket["device"], ticket["commandId"], ticket["ticks"])
        if mode not in ("never", "readback"):
            self.results[key] = {"wasAccepted": code == 0, "resultCode": code}
            self.hub.invoke(charger.serial, "CommandResponse", self._response(ticket, code))

    def _response(self, ticket: dict[str, Any], code: int) -> dict[str, Any]:
        return {
            "serialNumber": ticket["device"],
            "id": ticket["commandId"],
            "timestamp": stamp(self.wall()),
            "deliveredAt": stamp(self.wall()),
            "wasAccepted": code == 0,
            "resultCode": code,
            "comment": None,
            "ticks": ticket["ticks"],
        }

    def plugged(self, serial: str) -> bool:
        """True if a car is at that charger."""
        return bool(self.chargers[serial].get(109) != DISCONNECTED)


def _fields(request: Request) -> dict[str, Any]:
    try:
        fields = request.json()
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _problem(status: int, title: str, code: Optional[int] = None) -> Response:
    return Response.of_json(
        {"errorCode": code, "errorCodeName": None, "type": None, "title": title, "status": status, "detail": None},
        status,
    )


def _own_fault(fault: Fault, healthy: Healthy) -> Optional[Response]:
    if fault.kind == "limited":
        response = _problem(429, "Too many requests")
        if fault.value is not None:
            response.headers.append(("Retry-After", str(fault.value)))
        return response
    if fault.kind == "firewall":
        return Response.of_json({"message": "Forbidden"}, 403)
    if fault.kind == "too_many":
        words = "Too many requests, please check your error handling and backoff logic. Your IP is registered in our "
        return Response.of_json({"message": words + "systems and is now blocked, to undo please contact support."}, 403)
    if fault.kind == "limiter":
        return Response(302, b"", None, [("Location", "https://ratelimit.easee.com/too-many-requests")])
    if fault.kind == "nulls":
        response = healthy()
        content = json.loads(response.body)
        if isinstance(content, dict):
            response.body = json.dumps(dict.fromkeys(content)).encode()
        return response
    return None
