"""Easee: REST answers of the cloud, and the frames of its stream."""

from __future__ import annotations

import json
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import requests
from jeenergied.devices.base import Connection
from jeenergied.devices.easee import actions
from jeenergied.devices.easee.client import Cloud, parsed
from jeenergied.devices.easee.device import Device
from jeenergied.devices.easee.streaming.stream import Stream

from simulators.clock import SimulatedClock
from simulators.easee.charger import Charger as Simulated
from tests.support.fuzz import (
    CONTRACT,
    Canned,
    Endpoint,
    Seen,
    Witness,
    canned_session,
    equipment,
    numbers_in,
    stands_in,
)
from tests.support.mutations import Answer, answer_of
from tests.support.mutations import parsed as parsed_json
from tests.support.recorded import answers

NOW = 1.8e9
SERIAL = "EH000001"
TOKENS = {"accessToken": "a" * 40, "refreshToken": "r" * 40, "expiresIn": 3600, "tokenType": "Bearer"}
RESPONSE = {"serialNumber": SERIAL, "id": 48, "wasAccepted": True, "resultCode": 0, "ticks": 639054504000000000}
TICKET = {"device": SERIAL, "commandId": 48, "ticks": 639054504000000000}
SITE = {"id": 7, "circuits": [{"id": 2, "siteId": 7, "chargers": [{"id": SERIAL, "name": "x"}]}]}
LIST = [{"id": SERIAL, "name": "Garage", "color": 4}, {"id": "EH000002", "name": None, "color": 2}]
DERIVED = {"status", "plugged", "paused", "cableState", "online", "error"}


class World:
    """A charger of an account whose cloud gives one answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.context = Witness(CONTRACT.catalogues["easee"], NOW)
        members = (equipment("easee", "charger", SERIAL),)
        config = {"user": "a@b", "password": "c", "apiUrl": "https://api", "streamUrl": "https://stream/hub"}
        connection = self.context.adopt(Connection("1", "easee", "Easee", config, {}, members))
        context: Any = self.context
        self.device = Device(connection, context)
        self.device._account.tokens.owner._mark = "mark"  # a hash would take the time
        cloud = self.device._account.cloud
        cloud._session = canned_session(self._reply)
        self.device._session._subscribe = lambda: None  # type: ignore[method-assign]
        self.device._adopt()

    def _reply(self, request: requests.PreparedRequest) -> Answer:
        if str(request.url).endswith(("/login", "/refresh_token")):
            return answer_of(TOKENS)
        return self.answer

    def state(self) -> Seen:
        self.device.refresh()
        return self.context.seen

    def chargers(self) -> Seen:
        found = self.device.discover()
        return Seen(texts=[text for each in found for text in (each.name, each.key, each.config["color"])])

    def circuit(self) -> Seen:
        return Seen(texts=[self.device._reader.circuit(SERIAL)])

    def queued_commands(self) -> Seen:
        found = actions.queued_commands(parsed(self.device._account.call("POST", "/x")), SERIAL)
        return Seen(texts=[each.path for each in found])

    def result(self) -> Seen:
        charger = self.device._fleet.get(SERIAL)
        waiting = [actions.QueuedCommand(SERIAL, 48, 639054504000000000)]
        self.device._control._ask(charger, waiting)
        return Seen(texts=[each.path for each in waiting])

    def frames(self) -> Seen:
        """The bytes of the stream in two parts, as the library hands them over."""
        link = self.device._session
        stream = Stream("wss://stream/hub", "token", "", link._opened, link._received, link._ended)
        stream._channel = SimpleNamespace(send=lambda text: None, abort=lambda: None)  # type: ignore[assignment]
        link._stream = stream
        body = self.answer.body
        for part in (body[: len(body) // 3], body[len(body) // 3 :]):
            stream.take(part.decode("utf-8", "replace"))
        if link._failure is not None:
            self.context.seen.error = link._failure
        return self.context.seen


def explain(answer: Answer, seen: Seen) -> Iterable[str]:
    numbers = numbers_in(answer.body)
    for row, value in seen.values:
        if row.source in DERIVED or row.data["subType"] != "numeric":
            continue
        live = (row.source or "").endswith("|live") or row.source in ("wifiSignal", "cellSignal")
        known = [*numbers, 0.0] if live or "121|" in (row.source or "") else numbers
        if not stands_in(row, value, known):
            yield f"{row.logical_id}: {value!r} is nowhere in the answer"


def plain(ask: Any) -> Any:
    """A call of the client alone, with a session that gives the answer."""

    def run(answer: Answer) -> Seen:
        cloud = Cloud("https://api", "https://stream/hub")
        for scheme in ("http://", "https://"):
            cloud._session.mount(scheme, Canned(lambda request: answer))
        found = ask(cloud)
        texts = list(found) if isinstance(found, tuple) else [found.refresh, found.access]
        if not isinstance(found, tuple):
            assert 1 <= found.lifetime <= 1e8
        requests.Request("GET", "https://x", headers={"Authorization": f"Bearer {texts[-1]}"}).prepare()
        return Seen(texts=texts)

    return run


def frames() -> list[Answer]:
    """What the service really sends, several records a frame."""
    charger = Simulated(SERIAL, clock=SimulatedClock(NOW, 0))
    updates = [observed.record(SERIAL) for observed in charger.observed.values()]
    meter = {"MeterValueStop": 5123.25, "EnergyKwh": 2.5, "Auth": "04A1B2C3", "Start": "2026-01-01T00:00:00Z"}
    session = {"mid": SERIAL, "dataType": 6, "id": 129, "timestamp": "2027-01-15T08:00:00Z", "value": json.dumps(meter)}
    records: list[Any] = [{}, *({"type": 1, "target": "ProductUpdate", "arguments": [each]} for each in updates)]
    records += [{"type": 1, "target": "ProductUpdate", "arguments": [session]}]
    records += [{"type": 1, "target": "CommandResponse", "arguments": [RESPONSE]}]
    records += [{"type": 3, "invocationId": "1", "result": None}, {"type": 6}, {"type": 7, "error": "bye"}]
    groups = [records[:1] + records[n : n + 6] for n in range(1, len(records), 6)]
    return [Answer("".join(json.dumps(each) + "\x1e" for each in group).encode()) for group in groups]


def observe(answer: Answer) -> Seen:
    """The records of a frame whose JSON was spoilt by its structure: the frame is put together again."""
    content = parsed_json(answer.body)
    if not isinstance(content, list):
        return World(answer).frames()
    return World(Answer("".join(json.dumps(each) + "\x1e" for each in content).encode())).frames()


def endpoints() -> list[Endpoint]:
    charger = Simulated(SERIAL, clock=SimulatedClock(NOW, 0))
    known = charger.observed.values()
    states = [answer_of({"observations": [each.answer(typed) for each in known]}) for typed in (True, False)]
    tokens = [answer_of(each) for each in [TOKENS, *answers("easee", "token.json")]]
    opened = {"negotiateVersion": 1, "connectionToken": "abc", "connectionId": "def", "availableTransports": []}
    moved = {"url": "https://stream/other?x=1", "accessToken": "b" * 40}
    way = [answer_of(opened, **{"set-cookie": "ARRAffinity=x; Path=/"}), answer_of(moved)]
    split = [[json.loads(part) for part in each.body.decode().split("\x1e") if part] for each in frames()]
    lists = [answer_of(each) for each in split]
    return [
        Endpoint("easee", "accounts/login", tokens, plain(lambda cloud: cloud.login("a", "b"))),
        Endpoint("easee", "accounts/refresh_token", tokens, plain(lambda cloud: cloud.refresh("a", "b"))),
        Endpoint("easee", "negotiate", way[:1], plain(lambda cloud: cloud.negotiate("token"))),
        Endpoint("easee", "chargers", [answer_of(LIST)], lambda answer: World(answer).chargers()),
        Endpoint("easee", "state/…/observations", states, lambda answer: World(answer).state(), explain),
        Endpoint("easee", "chargers/…/site", [answer_of(SITE)], lambda answer: World(answer).circuit()),
        Endpoint("easee", "commands", [answer_of([TICKET])], lambda answer: World(answer).queued_commands()),
        Endpoint("easee", "commands/…", [answer_of(RESPONSE)], lambda answer: World(answer).result()),
        Endpoint("easee", "stream, records", lists, observe, explain),
        Endpoint("easee", "stream, bytes", frames(), lambda answer: World(answer).frames(), explain),
    ]
