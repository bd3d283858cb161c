"""The WES as a server: HTTP with basic authentication, rendered pages, CGI actions, FTP, control.

Faults beside the common ones (`simulators/faults.py`) and those of `FtpServer`:

| kind | value | effect |
|---|---|---|
| `cut` | bytes | the connection ends there, as if that were all |
| `stall` | bytes | nothing follows them, then the connection ends |
| `latin1` | | a name with an accent stands in the page, in Latin-1 |
| `ampersand` | | a name with a bare `&` |
| `comma` | | numbers with a decimal comma |
| `lower` | | states as `on` and `off` |
| `entities` | | a document type with nested entities |
| `external` | path | an entity that names a file |
| `without` | section | the page lacks it |
| `tic_lost` | number | no frames from that TIC |
| `tic_zero` | number | that TIC shows zeros, but its meter's number and contract |
| `index_digit` | number | the indexes of that TIC have a digit too many |
| `probe_lost` | number | that probe gives 0.0 |
| `probe_85` | number | that probe gives its power-on value |
| `supply_lost` | | no mains voltage, no real power |
| `reboot` | seconds | both ports closed so long |
| `restart_index` | clamp | its index begins again at 0, once |
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Optional, Protocol

from simulators.control import Action, control_server
from simulators.faults import Fault, FaultBox, Healthy, spoiled
from simulators.report import reshaped
from simulators.server import LoopbackServer, Request, Response
from simulators.service import Service
from simulators.wes import old, templates
from simulators.wes.box import Box
from simulators.wes.ftp import FtpServer
from simulators.wes.losses import LOSSES, lossy
from simulators.wes.render import render

REFUSAL = "<html><head><title>Server Error</title></head><body><h1>{status}</h1><i>{text}</i></body></html>"
PAGES = {"/": "Accueil", "/INDEX.HTM": "Accueil", "/INFOCFG.HTM": "Configuration"}
PAGES.update(dict.fromkeys(("/TICVAL.HTM", "/PULSES.HTM", "/PCEVAL.HTM", "/TMP.HTM", "/RELAIS.HTM"), "Valeurs"))
ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE data [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 10) for c in range(ord("b"), ord("j")))
    + b"]>"
)
PIECE = 700


class Moving(Protocol):
    """Advances a box: `Life` or `Stir`."""

    def update(self) -> None: ...


class WesServer(Service):
    """A WES on loopback; `with` starts and stops it.

    `pause`: seconds in all that the pieces of a page are held back. `max_sessions`: more requests at a time
    are dropped. `action_delay`: seconds until an action takes effect. `ftp_on`: whether FTP is switched on.
    `life`: moves the box on at each request.
    """

    def __init__(
        self,
        box: Optional[Box] = None,
        *,
        port: int = 0,
        ftp_port: int = 0,
        control_port: int = 0,
        account: tuple[str, str] = ("admin", "wes"),
        reader: tuple[str, str] = ("user", "user"),
        ftp_account: tuple[str, str] = ("adminftp", "wesftp"),
        ftp_on: bool = True,
        pause: float = 0.0,
        max_sessions: int = 4,
        action_delay: float = 0.0,
        life: Optional[Moving] = None,
    ) -> None:
        self.box = box or Box()
        self.account = account
        self.reader = reader
        self.pause = pause
        self.max_sessions = max_sessions
        self.action_delay = action_delay
        self.ftp_on = ftp_on
        self.life = life
        self.files: dict[str, bytes] = {"DATA.CGX": templates.standard()}
        self.ftp = FtpServer(self.files, dict([ftp_account]), ftp_port)
        self.faults = FaultBox(*_SPOILERS, "cut", "stall", "entities", "external", "without", *LOSSES)
        self.server = LoopbackServer(self._answer, port=port, name="wes", server_header="Keil-EWEB/2.1")
        actions: dict[str, Action] = {
            "GET /state": lambda fields: self.state(),
            "POST /set": self._set,
            "POST /fault": lambda fields: self.fault(**fields) and None,
            "POST /clear": lambda fields: self.clear(),
        }
        self.control = control_server(actions, control_port)

    # ---- addresses and observation

    def state(self) -> dict[str, Any]:
        """The requests received, and the files on the card."""
        return {
            "requests": len(self.requests),
            "connections": self.server.connections,
            "maxInFlight": self.server.max_in_flight,
            "bytesSent": self.server.bytes_sent,
            "files": {name: len(data) for name, data in self.files.items()},
            "ftpSessions": self.ftp.sessions,
            "faults": self.faults.described(),
        }

    # ---- control

    def _set(self, fields: dict[str, Any]) -> None:
        for path, value in fields.items():
            self.box.set(path, value)

    def fault(self, kind: str, path: str = "*", value: Any = None, count: Optional[int] = None) -> Optional[Fault]:
        """Puts a fault in force; those of FTP as `ftp_<kind>`. Raises ValueError for an unknown kind."""
        if kind.startswith("ftp_"):
            self.ftp.fault(kind[4:], value)
        elif kind == "reboot":
            self.reboot(float(value or 20.0))
        elif kind == "restart_index":
            self.box.set(f"clamps.{int(value or 1) - 1}.index", 0.0)
        else:
            return self.faults.add(kind, path, value, count)
        return None

    def clear(self) -> None:
        """Ends all faults."""
        self.faults.clear()
        self.ftp.clear()
        self.server.resume()

    def reboot(self, seconds: float) -> None:
        """Goes away and comes back."""
        self.server.suspend(seconds)
        if self.ftp_on:
            self.ftp.stop()
            timer = threading.Timer(seconds, self.ftp.start)
            timer.daemon = True
            timer.start()

    def old_firmware(self) -> None:
        """Becomes a box of 2017: its own standard page, no uploaded one."""
        self.box.firmware = "V0.61D"
        self.files.clear()
        self.files["DATA.CGX"] = b""

    def start(self) -> None:
        """Listen."""
        super().start()
        if self.ftp_on:
            self.ftp.start()

    def close(self) -> None:
        """Stop for good."""
        super().close()
        self.ftp.close()

    # ---- HTTP

    def _answer(self, request: Request) -> Response:
        with self.server.lock:
            busy = self.server.in_flight > self.max_sessions
        if busy:
            return Response(how="drop")
        who = self._who(request)
        if who is None:
            refusal = _page("Unauthorized", 401)
            refusal.headers.append(("WWW-Authenticate", 'Basic realm= "serveur WES"'))
            return refusal
        met = self.faults.take(request.path)
        return spoiled(met, lambda: self._healthy(request, who), lambda f, healthy: self._own(f, healthy, request, who))

    def _who(self, request: Request) -> Optional[str]:
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        try:
            pair = base64.b64decode(text, validate=True).decode("latin-1")
        except ValueError:
            return None
        if kind != "Basic":
            return None
        return {":".join(self.account): "admin", ":".join(self.reader): "reader"}.get(pair)

    def _healthy(self, request: Request, who: str, box: Optional[Box] = None) -> Response:
        path = request.path.upper()
        if path in ("/RL.CGI", "/AJAX.CGX"):
            return self._act(request, who)
        if path == "/INFOCFG.HTM" and who != "admin":
            return _page("Forbidden", 403)
        if path in PAGES:
            return _page(PAGES[path], 200)
        template = self.files.get(path[1:]) if path.endswith(".CGX") else None
        if template is None:
            return _page("Not Found", 404)
        if self.life is not None:
            self.life.update()
        pieces = render(box or self.box, template) if template else iter([old.page(box or self.box)])
        return Response(200, content_type="text/xml", stream=self._paced(b"".join(pieces)))

    def _paced(self, body: bytes) -> Iterator[bytes]:
        pieces = [body[at : at + PIECE] for at in range(0, len(body), PIECE)] if self.pause else [body]
        for piece in pieces:
            if self.pause:
                self.server.closing.wait(self.pause / len(pieces))
            yield piece

    def _act(self, request: Request, who: str) -> Response:
        if "reset" in request.query:
            self.reboot(2.0)
            return Response(how="drop")
        if who == "admin":
            for key, value in request.query.items():
                self._order(key, value)
        return _page("Ok", 200)

    def _order(self, key: str, value: str) -> None:
        found = re.fullmatch(r"(f?)(rl|vs)(\d*)", key)
        if key == "alarme" and value in ("ON", "OFF"):
            arguments: tuple[Any, ...] = ("alarm", 0, value == "ON")
        elif found and found.group(1) and value.isdecimal():
            arguments = (_KINDS[found.group(2)], int(value), None)
        elif found and found.group(3) and value in ("ON", "OFF"):
            arguments = (_KINDS[found.group(2)], int(found.group(3)), value == "ON")
        else:
            return
        if self.action_delay:
            timer = threading.Timer(self.action_delay, self.box.switch, arguments)
            timer.daemon = True
            timer.start()
        else:
            self.box.switch(*arguments)

    # ---- faults

    def _own(self, fault: Fault, healthy: Healthy, request: Request, who: str) -> Optional[Response]:
        if fault.kind in LOSSES:
            return self._healthy(request, who, lossy(self.box, fault.kind, int(fault.value or 1) - 1))
        answer = healthy()
        if answer.stream is None or fault.kind not in ("cut", "stall", *_OWN, *_SPOILERS):
            return None
        body = b"".join(answer.stream)
        if fault.kind in ("cut", "stall"):
            part = body[: int(fault.value if fault.value is not None else len(body) // 2)]
            return replace(answer, stream=_then_wait(part, fault) if fault.kind == "stall" else iter([part]))
        return replace(answer, stream=self._paced(_spoil(fault, body)))


_KINDS = {"rl": "relay", "vs": "switch"}
_SPOILERS = ("latin1", "ampersand", "comma", "lower")
# `comma`, `lower`: seen in values that users of other clients have collected (2026-11), not in a recorded page.
_OWN = ("entities", "external", "without", "shape")


def _spoil(fault: Fault, body: bytes) -> bytes:
    if fault.kind == "latin1":
        return body.replace(b"</firmware>", b"</firmware><nom>T\xe9l\xe9info salon</nom>", 1)
    if fault.kind == "ampersand":
        return body.replace(b"</firmware>", b"</firmware><nom>Pompe & ballon</nom>", 1)
    if fault.kind == "comma":
        return re.sub(rb">(-?\d+)\.(\d+)<", rb">\1,\2<", body)
    if fault.kind == "lower":
        return re.sub(rb">(ON|OFF)<", lambda found: found.group(0).lower(), body)
    if fault.kind == "without":
        section = re.escape(str(fault.value)).encode()
        return re.sub(b"<" + section + b">.*?</" + section + b">", b"", body, count=1, flags=re.S)
    if fault.kind == "shape":
        return _reshaped(body, fault.value)
    bare = re.sub(rb"^<\?xml[^>]*\?>\s*", b"", body)
    if fault.kind == "entities":
        return ENTITIES + bare.replace(b"<firmware>", b"<firmware>&i;", 1)
    entity = b'<!DOCTYPE data [<!ENTITY x SYSTEM "file://%s">]>' % str(fault.value or "/etc/hostname").encode()
    return entity + bare.replace(b"<firmware>", b"<firmware>&x;", 1)


def _reshaped(body: bytes, shape: Mapping[str, str]) -> bytes:
    """The page with the sections and elements of a shape: texts of one level, as the firmware writes them."""
    sections: dict[str, dict[str, str]] = {}
    for tag, content in re.findall(rb"<([A-Za-z]\w*)>(.*?)</\1>", re.sub(rb"</?data>", b"", body), re.S):
        found = re.findall(rb"<([A-Za-z]\w*)>(.*?)</\1>", content, re.S)
        sections[tag.decode()] = {name.decode(): text.decode("latin-1") for name, text in found}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<data>"]
    for tag, elements in reshaped(sections, shape).items():
        # "+" leads the second of two elements of one name.
        rows = (f"<{name.lstrip('+')}>{text}</{name.lstrip('+')}>" for name, text in elements.items())
        lines += [f"<{tag}>", *rows, f"</{tag}>"]
    return "\n".join([*lines, "</data>"]).encode("latin-1")


def _then_wait(part: bytes, fault: Fault) -> Iterator[bytes]:
    yield part
    fault.cleared.wait(60)


def _page(text: str, status: int) -> Response:
    body = REFUSAL.format(status=status, text=text).encode()
    return Response(status, content_type="text/html", stream=iter([body]))
