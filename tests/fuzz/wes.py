"""WES: the pages of the box and what carries them."""

from __future__ import annotations

import html
import socket
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from jeenergied.devices.base import Connection
from jeenergied.devices.wes import cgx, http_get, tariff
from jeenergied.devices.wes.device import Device

from jeedom_bridge.contract import Row
from simulators.wes import templates
from simulators.wes.life import furnished
from simulators.wes.render import render
from tests.support.fuzz import CONTRACT, Endpoint, Seen, Witness, equipment, numbers_in, rows_by_source, stands_in
from tests.support.mutations import Answer, answer_of
from tests.support.recorded import answers

NOW = 1_700_000_000.0
LIMITS = http_get.Limits(1.0, 1.0, 2.0, 256 * 1024)
COUNTS = {"teleinfo": 3, "compteur": 6, "pince": 4, "sonde": 30, "bouton": 2, "relais": 2}
COUNTS.update({"switch": 24, "analogique": 4, "variable": 8})
PULSES = rows_by_source("wes", "compteur")["INDEX"]
JITTER = float(tariff.rules()["counters"]["compteur"]["jitter"])
"""A step back of a counter of pulses that is rounding: it goes on showing the index of before."""
OWN_SAY = {"status", "cgxupdate", "PRODUCTEUR", "PERIODE", "COULEUR", "COULEUR_DEMAIN", "PTECRAW"}
"""Facts that say something of the page, not out of it."""


def body_of(template: bytes) -> bytes:
    return b"".join(render(furnished(), template))


def page(content: bytes) -> Answer:
    return answer_of(content, **{"Content-Length": str(len(content))})


OWN = body_of(cgx.content(cgx.OWN_FILE))
NAMES = body_of(cgx.content(cgx.NAMES_FILE))
STANDARD = [body_of(templates.standard())]
STANDARD += [each.encode() for each in answers("wes", "data_V0.61D_2017.xml")]


class Box:
    """A device whose connection is a pair of sockets: what a page is asked for, is in the other end."""

    def __init__(self, own: bool) -> None:
        self.context = Witness(CONTRACT.catalogues["wes"], NOW)
        members = [equipment("wes", kind, str(n)) for kind, count in COUNTS.items() for n in range(1, count + 1)]
        config = {"host": "127.0.0.1", "user": "a", "password": "b", "jeedomCgx": own, "pollInterval": 1}
        connection = self.context.adopt(Connection("1", "wes", "Wes", config, {}, tuple(members)))
        context: Any = self.context
        self.device = Device(connection, context)
        self.device._changed_facts.adopt(connection)
        self.pages: dict[str, bytes] = {}
        self.device._wes._fetch = self._fetch  # type: ignore[method-assign]

    def _fetch(self, path: str) -> tuple[int, bytes]:
        near, far = socket.socketpair()
        with closing(near), closing(far):
            far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            far.sendall(self.pages.get(path, b"HTTP/1.1 404 Not Found\r\n\r\n"))
            far.shutdown(socket.SHUT_WR)
            return http_get._receive(near, LIMITS, float("inf"))

    def poll(self) -> Seen:
        self.context.seen = Seen()
        self.device.refresh()
        return self.context.seen

    def discover(self) -> Seen:
        found = self.device.discover()
        return Seen(texts=[text for each in found for text in (each.name, each.key, *map(str, each.config.values()))])


def framed(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in answer.headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + answer.body


def explain(answer: Answer, seen: Seen) -> Iterable[str]:
    numbers = numbers_in(answer.body, answer.body.replace(b",", b"."))
    numbers += [each / 1000 for each in numbers]  # firmware 0.61 counts in Wh
    text = answer.body.decode("utf-8", "replace") + answer.body.decode("cp1252", "replace")
    text = html.unescape(text)
    yield from (f"{row.logical_id}: {value!r}" for row, value in seen.values if "\ufffd" in str(value))
    for row, value in seen.values:
        if row.source in OWN_SAY or row.data["subType"] == "binary" or "map" in row.data:
            continue
        if isinstance(value, str) and _bare(value) not in _bare(text):
            yield f"{row.logical_id}: {value!r} is nowhere in the page"
        if not isinstance(value, str) and not stands_in(row, value, numbers) and not _rounded(row, value, numbers):
            yield f"{row.logical_id}: {value!r} is nowhere in the page"


def _rounded(row: Row, value: float, numbers: Iterable[float]) -> bool:
    """Whether a counter of pulses shows the index of before, which the page is just below."""
    scale = float(row.data.get("scale", 1))
    return row in PULSES and any(number * scale <= value <= (number + JITTER) * scale for number in numbers)


def _bare(text: str) -> str:
    """Without blanks and control characters, with the brackets that stand for those of markup."""
    return "".join(each for each in text if each.isprintable() and each != " ").translate({60: 0x2039, 62: 0x203A})


def endpoints() -> list[Endpoint]:
    ours, standard = Box(True), Box(False)

    def poll(box: Box, path: str, answer: Answer) -> Seen:
        box.pages = {path: framed(answer)}
        return box.poll()

    def wired(answer: Answer) -> Seen:
        ours.pages = {"jeenergie.cgx": answer.body}
        return ours.poll()

    def names(answer: Answer) -> Seen:
        ours.pages = {"jeenergie.cgx": framed(page(OWN)), "jeenames.cgx": framed(answer)}
        return ours.discover()

    own, plain = [page(OWN)], [page(each) for each in STANDARD]
    head = Answer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(OWN) + OWN)
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(OWN), OWN)
    return [
        Endpoint("wes", "JEENERGIE.CGX", own, lambda answer: poll(ours, "jeenergie.cgx", answer), explain),
        Endpoint("wes", "DATA.CGX", plain, lambda answer: poll(standard, "data.cgx", answer), explain),
        Endpoint("wes", "JEENAMES.CGX", [page(NAMES)], names),
        Endpoint("wes", "the bytes of HTTP", [head, Answer(chunks)], wired, explain),
    ]
