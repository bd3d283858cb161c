"""Shows spoilt answers to a backend and judges what becomes of each: an error in words, or values that may leave.

An `Endpoint` is one address of one vendor: good answers, and what asks for one. `run` spoils them. A case fails when
anything but the backend's own errors comes out, when it takes longer than `LIMIT`, when a value is not of its
command's type or beyond its bounds, when it does not come from the answer, or when the error says nothing.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import logging
import math
import re
import signal
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from functools import cache, lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Optional
from unittest import mock

import requests
import urllib3
from jeenergied.devices.base import Connection, DeviceError, Equipment
from requests.adapters import HTTPAdapter

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.contract import Catalogue, Contract, Row
from jeedom_bridge.http import new_session
from jeedom_bridge.templates import fill
from tests.support.mutations import Answer, Mutator

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = Contract(ROOT / "core" / "contract")
LIMIT, WALL_LIMIT = 5.0, 60.0
"""Seconds that one case may take: of the processor, since the machine may be busy, and at all, since it may wait."""
LONGEST_ERROR = 700
_INSIDE = re.compile(r"Traceback|object at 0x|NoneType|not subscriptable|unhashable|\bargument of type\b|<class ")


@dataclass
class Seen:
    """What came out of a case: values of commands as they leave, and texts (names, keys) of what was found.

    `error`: what was told of a part that failed while others went on.
    """

    values: list[tuple[Row, Any]] = field(default_factory=list)
    points: list[tuple[Row, str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    error: Optional[DeviceError] = None


@dataclass
class Endpoint:
    """One address. `ask` has the backend read an answer; `explain` names what of it cannot come from that answer."""

    backend: str
    name: str
    samples: Sequence[Answer]
    ask: Callable[[Answer], Seen]
    explain: Callable[[Answer, Seen], Iterable[str]] = lambda answer, seen: ()


@dataclass
class Result:
    """The figures of one endpoint; `failures`: what went wrong, each with the number of its case."""

    endpoint: Endpoint
    cases: int = 0
    refused: int = 0
    taken: int = 0
    values: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)


class TooSlow(BaseException):
    """A case went on and on."""


def run(endpoint: Endpoint, cases: int, seed: object = 0) -> Result:
    """Shows the endpoint that many spoilt answers, always the same ones for a seed."""
    result = Result(endpoint)
    for sample in endpoint.samples:
        complaint = _case(endpoint, sample, Result(endpoint))
        assert complaint is None, f"a good answer: {complaint}"
    for number in range(cases):
        mutator = Mutator(f"{seed} {endpoint.backend} {endpoint.name} {number}")
        complaint = _case(endpoint, mutator.answer(mutator.dice.choice(endpoint.samples)), result)
        if complaint is not None:
            result.failures.append(f"{endpoint.backend} {endpoint.name}, case {number}: {complaint}")
    return result


def _case(endpoint: Endpoint, answer: Answer, result: Result) -> Optional[str]:
    result.cases += 1
    begun = time.process_time()
    try:
        with _limited(), _logged() as logged:
            seen = endpoint.ask(answer)
    except DeviceError as error:
        result.refused += 1
        return _unclear(error)
    except TooSlow:
        return f"no end within {LIMIT:g} s of the processor or {WALL_LIMIT:g} s: {answer.body[:200]!r}"
    except Exception as error:
        place = "".join(traceback.format_tb(error.__traceback__)[-2:])
        return f"{error!r:.300} {place}"
    finally:
        result.slowest = max(result.slowest, time.process_time() - begun)
    unclear = _unclear(seen.error) if seen.error is not None else None
    result.refused += seen.error is not None
    result.taken += seen.error is None
    result.values += len(seen.values) + len(seen.points)
    wrong = logged + [odd for row, value in seen.values if (odd := _odd(row, value))]
    wrong += [odd for row, _, value in seen.points if (odd := _odd(row, value))]
    wrong += [*endpoint.explain(answer, seen), *([unclear] if unclear else [])]
    return f"{wrong[:3]} in {answer.body[:300]!r}" if wrong else None


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def over(*_: object) -> None:
        raise TooSlow

    before = [signal.signal(each, over) for each in (signal.SIGPROF, signal.SIGALRM)]
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    signal.setitimer(signal.ITIMER_REAL, WALL_LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for each, handler in zip((signal.SIGPROF, signal.SIGALRM), before):
            signal.signal(each, handler)


@contextlib.contextmanager
def _logged() -> Iterator[list[str]]:
    """What is logged as an error of the program: exceptions that somebody caught."""
    found: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append("".join(traceback.format_exception(*record.exc_info)) if record.exc_info else str(record.msg))

    handler, root = Collector(logging.ERROR), logging.getLogger()
    root.addHandler(handler)
    try:
        yield found
    finally:
        root.removeHandler(handler)


@lru_cache(maxsize=1)
def _known_texts() -> frozenset[str]:
    sections = json.loads((ROOT / "core" / "i18n" / "en_US.json").read_text(encoding="utf-8"))
    return frozenset(text for section in sections.values() for text in section)


def _unclear(error: DeviceError) -> Optional[str]:
    """What is wrong with the words of an error."""
    text = str(error)
    if error.template not in _known_texts() and error.template != "{words}":
        return f"an error that has no translation: {error.template!r}"
    if len(text) > LONGEST_ERROR or _INSIDE.search(text):
        return f"an error that does not speak to the user: {text[:300]!r}"
    if error.retry is not None and not 0 <= error.retry <= 7 * 86400:
        return f"a pause of {error.retry} s"
    json.dumps({"message": text, "retry": error.retry}, allow_nan=False)
    return None


def _odd(row: Row, value: Any) -> Optional[str]:
    """What is wrong with a value of a command."""
    kind, low, high = row.data["subType"], row.data.get("min"), row.data.get("max")
    if kind == "numeric":
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        good = good and (low is None or value >= low) and (high is None or value <= high)
    elif kind == "binary":
        good = isinstance(value, bool)
    else:
        good = isinstance(value, str) and len(value) <= 500
        good = good and ("map" not in row.data or value in row.data["map"].values())
    return None if good else f"{row.logical_id} = {value!r:.80}"


# Where values come from.

_NUMBER = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")


def numbers_in(*bodies: bytes) -> list[float]:
    """Every number that stands in an answer, in whatever form and encoding."""
    parts = [part for body in bodies for part in _NUMBER.findall(body) + _NUMBER.findall(body.replace(b"\0", b""))]
    found = {float(part) for part in parts}
    return [each for each in found if math.isfinite(each)]


def stands_in(row: Row, value: float, numbers: Iterable[float]) -> bool:
    """Whether a value is one of the numbers, as the row scales and rounds."""
    step = 0.5000001 * 10 ** -int(row.data.get("precision", 3))
    scale = float(row.data.get("scale", 1))
    return any(abs(number * scale - value) <= step + abs(value) * 1e-12 for number in numbers)


def is_sum(value: float, figures: Sequence[float]) -> bool:
    """Whether a value is one of the figures or what some of them make together, up to rounding."""
    near = 0.006 + abs(value) * 1e-6
    if abs(value) < 1e-9:  # a part that is there and zero; or a negative one, which the specification shows as zero
        return any(each <= near for each in figures)
    some = figures[:14]
    return any(
        abs(value - math.fsum(parts)) <= near
        for size in range(1, len(some) + 1)
        for parts in itertools.combinations(figures if size == 1 else some, size)
    )


# What stands around a backend.


class Canned(HTTPAdapter):
    """Answers requests of a session from a function, over no socket."""

    def __init__(self, answer: Callable[[requests.PreparedRequest], Answer]) -> None:
        super().__init__()
        self._answer = answer

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        answer = self._answer(request)
        head = Message()
        for name, value in answer.headers.items():
            head[name] = value
        raw = urllib3.HTTPResponse(
            io.BytesIO(answer.body), dict(answer.headers), answer.status, preload_content=False, decode_content=False
        )
        raw._original_response = SimpleNamespace(msg=head, isclosed=lambda: True, close=lambda: None)  # type: ignore
        return self.build_response(request, raw)


def canned_session(answer: Callable[[requests.PreparedRequest], Answer]) -> requests.Session:
    """A session as the bridge makes it, whose answers are made here."""
    session = new_session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, Canned(answer))
    return session


class Memory(dict[str, Any]):
    """A store that forgets; what cannot be written to the real one fails here as well."""

    def put(self, key: str, value: Any) -> None:
        self[key] = json.loads(json.dumps(value))

    keep = put

    def delete(self, key: str) -> None:
        self.pop(key, None)


class Delivered:
    """Jeedom took it at once."""

    delivered = ended = True

    def wait(self, timeout: Optional[float] = None) -> bool:
        return True


class Witness:
    """The core's side of a device: notes what is published, as values of commands."""

    timezone = "Europe/Paris"
    stopping = False

    def __init__(self, catalogue: Catalogue, now: float) -> None:
        self.catalogue = catalogue
        self.clock = ManualClock(now)
        self.memory = Memory()
        self.unsaved = Memory()
        self.shared_memory = Memory()
        self.seen = Seen()
        self.kinds: dict[str, Optional[str]] = {}

    def adopt(self, connection: Connection) -> Connection:
        """Learns of which type each equipment is."""
        self.kinds = {each.id: each.type for each in connection.equipment}
        self.kinds[connection.id] = None
        return connection

    def publish(self, equipment: str, facts: Mapping[str, Any], at: Optional[float] = None) -> None:
        by_source = rows_by_source(self.catalogue.backend, self.kinds[equipment])
        found = [
            (row, value)
            for name, raw in facts.items()
            for row in by_source.get(name, ())
            if not row.dated and (value := row.value(raw)) is not None
        ]
        json.dumps([value for _, value in found], allow_nan=False)
        self.seen.values += found

    def history(self, equipment: str, series: Mapping[str, Sequence[tuple[str, Any]]]) -> Delivered:
        rows = rows_by_id(self.catalogue.backend, self.kinds[equipment])
        json.dumps(list(series.values()), allow_nan=False)
        self.seen.points += [(rows[name], at, value) for name, points in series.items() for at, value in points]
        return Delivered()

    def translate(self, template: str, **values: object) -> str:
        return fill(template, values)

    def every(self, name: str, period: float, job: Callable[[], None], first: float = 0.0) -> Any:
        return mock.Mock()

    def pause(self, seconds: float) -> bool:
        return True

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments, **named: None


@cache
def rows_by_source(backend: str, kind: Optional[str]) -> dict[str, list[Row]]:
    """The rows of a type of equipment by the fact that they show."""
    found: dict[str, list[Row]] = {}
    for row in CONTRACT.catalogues[backend].all_rows(kind):
        if row.source and row.data["type"] == "info":
            found.setdefault(row.source, []).append(row)
    return found


@cache
def rows_by_id(backend: str, kind: Optional[str]) -> dict[str, Row]:
    """The rows of a type of equipment by logicalId."""
    return {row.logical_id: row for row in CONTRACT.catalogues[backend].all_rows(kind)}


def every_command(backend: str, kind: Optional[str]) -> dict[str, dict[str, Any]]:
    """The commands of a type of equipment as Jeedom sends them, all of them."""
    return {name: {} for name in rows_by_id(backend, kind)}


def equipment(backend: str, kind: str, key: str, config: Optional[Mapping[str, Any]] = None) -> Equipment:
    """An equipment with every command."""
    return Equipment(f"{kind} {key}", kind, key, f"{kind} {key}", config or {}, every_command(backend, kind))
