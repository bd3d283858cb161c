"""Faults that a test or a user asks a simulator for, and the ones that every HTTP simulator knows.

| kind | value | what the client sees |
|---|---|---|
| `latency` | seconds | the answer comes later; adds to any other fault |
| `status` | HTTP status | that status, with the simulator's own page for it |
| `html` | text or null | 200 and a page where data was expected |
| `garbage` | text or null | 200 and a body that is no JSON and no XML |
| `truncated` | | the whole length announced, half of it sent, connection closed |
| `drop` | | connection closed without an answer |
| `hang` | seconds or null | no answer, then the connection closes |
| `redirect` | address or null | 302 |
| `shape` | keys and types | the JSON answer with these (`simulators/report.py`) |

A fault holds until `clear`, or for `count` requests whose path starts with `path` (`*` in it: anything; `$` at its
end: nothing may follow).
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Optional

from simulators.report import reshaped
from simulators.server import Response

HANG_LIMIT = 3600.0  # s
COMMON = ("latency", "status", "html", "garbage", "truncated", "drop", "hang", "redirect", "shape")
PAGE = "<!DOCTYPE html><html><head><title>Simulator</title></head><body><h1>Not what you asked</h1></body></html>"
GARBAGE = '{"production": [{"wNow": 12,, \x00\ufffd <<<'


@dataclass(eq=False)
class Fault:
    """One fault. `count`: how many requests are left, `None` for all. `cleared` is set when it ends."""

    kind: str
    path: str = "*"
    value: Any = None
    count: Optional[int] = None
    cleared: threading.Event = field(default_factory=threading.Event)

    def matches(self, path: str) -> bool:
        """Whether a request of `path` meets it: its own path is the beginning; "*" is anything, a last "$" the end."""
        if not {"*", "$"} & set(self.path):
            return path.startswith(self.path)
        return re.match(re.escape(self.path).replace(r"\*", ".*").replace(r"\$", r"\Z"), path) is not None

    def described(self) -> dict[str, Any]:
        """As JSON."""
        return {"kind": self.kind, "path": self.path, "value": self.value, "count": self.count}


class Passing:
    """A part of all answers, `rate`, meets one of `kinds` (kind, value) by chance.

    `paths`: only requests whose path starts so; "" for all. `asked` counts requests by path, `met` what they met.
    """

    def __init__(self, rate: float, kinds: Sequence[tuple[str, Any]], seed: int, paths: str = "") -> None:
        self.rate, self.kinds, self.paths = rate, list(kinds), paths
        self.asked: Counter[str] = Counter()
        self.met: Counter[str] = Counter()
        self._chance = random.Random(seed)

    def __call__(self, path: str) -> list[Fault]:
        """The fault of a request, if any."""
        self.asked[path] += 1
        if not path.startswith(self.paths) or self._chance.random() >= self.rate:
            return []
        kind, value = self._chance.choice(self.kinds)
        self.met[f"{kind} {value}"] += 1
        return [Fault(kind, path, value)]


class FaultBox:
    """The faults in force; `own` names the kinds that the simulator adds. Safe to use from any thread."""

    def __init__(self, *own: str) -> None:
        self.kinds = (*COMMON, *own)
        self.passing: Callable[[str], list[Fault]] = lambda _path: []
        """What becomes of a request that meets none: faults by chance (`Passing`)."""
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, kind: str, path: str = "*", value: Any = None, count: Optional[int] = None) -> Fault:
        """Put a fault in force. Raises ValueError for an unknown kind."""
        if kind not in self.kinds:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join(self.kinds)}")
        fault = Fault(kind, path, value, count)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self, kind: Optional[str] = None) -> None:
        """End all faults, or those of one kind; answers they hold back leave at once."""
        with self._lock:
            gone = [fault for fault in self._faults if kind in (None, fault.kind)]
            self._faults = [fault for fault in self._faults if fault not in gone]
        for fault in gone:
            fault.cleared.set()

    def take(self, path: str) -> list[Fault]:
        """The faults that a request of `path` meets: all its delays, and the first of the others.

        Counts one off each of them, so that faults with a count follow each other in the order given.
        """
        with self._lock:
            matching = [fault for fault in self._faults if fault.matches(path)]
            met = [fault for fault in matching if fault.kind == "latency"]
            met += [fault for fault in matching if fault.kind != "latency"][:1]
            for fault in met:
                if fault.count is not None:
                    fault.count -= 1
            self._faults = [fault for fault in self._faults if fault.count is None or fault.count > 0]
        return met or self.passing(path)

    def described(self) -> list[dict[str, Any]]:
        """What is in force, as JSON."""
        with self._lock:
            return [fault.described() for fault in self._faults]


Healthy = Callable[[], Response]
"""What makes the answer that would be given without the fault."""

Own = Callable[[Fault, Healthy], Optional[Response]]
"""A simulator's own kinds: the answer under such a fault, or None for any other kind."""


def common(fault: Fault, healthy: Healthy) -> Response:
    """The answer under one of the kinds of this module."""
    if fault.kind == "status":
        return Response.of_html(f"<html><body><h1>{fault.value}</h1></body></html>", int(fault.value))
    if fault.kind == "html":
        return Response.of_html(fault.value or PAGE)
    if fault.kind == "garbage":
        return Response(200, (fault.value or GARBAGE).encode())
    if fault.kind == "truncated":
        return replace(healthy(), how="truncated", chunked=False)
    if fault.kind == "hang":
        return Response(how="hang", delay=float(fault.value or HANG_LIMIT), cancel=fault.cleared)
    if fault.kind == "shape":
        answer = healthy()
        try:
            return replace(answer, body=json.dumps(reshaped(json.loads(answer.body), fault.value)).encode())
        except ValueError:
            return answer  # a page, or XML
    if fault.kind == "redirect":
        return Response(302, b"", "text/html", [("Location", fault.value or "/home")])
    return Response(how="drop")


def spoiled(met: list[Fault], healthy: Healthy, own: Own) -> Response:
    """The answer under the faults that a request met (`FaultBox.take`)."""
    late = [fault for fault in met if fault.kind == "latency"]
    others = [fault for fault in met if fault.kind != "latency"]
    response = healthy() if not others else own(others[0], healthy) or common(others[0], healthy)
    if late:
        response.delay += sum(float(fault.value) for fault in late)
        response.cancel = response.cancel or late[0].cleared
    return response
