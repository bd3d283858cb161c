"""Enphase: the gateway's pages as recorded (else as simulated), and the cloud that gives tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any, Optional
from unittest import mock
from urllib.parse import parse_qsl

import requests
from jeenergied.devices.base import Connection, DeviceError, Equipment
from jeenergied.devices.enphase.device import Device
from jeenergied.devices.enphase.gateway.client import Gateway
from jeenergied.devices.enphase.tokens import token

from jeedom_bridge.contract import Row
from simulators.enphase import answers
from simulators.enphase.day import DaySource
from simulators.enphase.plant import Plant
from simulators.enphase.storage import Storage
from tests.enphase.oracle import Oracle
from tests.enphase.oracle_more import storage_of
from tests.enphase.pure import CATALOGUE, EVERYTHING, PAGES
from tests.support.fuzz import Canned, Endpoint, Seen, Witness, canned_session, every_command
from tests.support.mutations import Answer, answer_of, parsed
from tests.support.recorded import gateways

Docs = Mapping[str, Any]
OF_INVERTERS = ("api_v1_production_inverters", "ivp_pdm_device_data")
ALL = tuple(PAGES.values())


def recordings() -> list[dict[str, Any]]:
    """The parsed pages of every twin and every recorded gateway, and of two that are simulated."""
    from tests.enphase.test_recorded import FOLDERS, docs_of

    return [*(dict(docs_of(folder)) for folder in FOLDERS), simulated(1, None), simulated(3, Storage())]


def simulated(phases: int, storage: Optional[Storage]) -> dict[str, Any]:
    """The parsed pages of a gateway at noon."""
    now = 1_750_000_000.0
    source = DaySource(Plant(lambda: now, phases=phases, storage=storage, hour=12.0))
    docs: dict[str, Any] = {"software": "D8.2.4345", "imeter": "true", "time": str(int(now))}
    for path, name in PAGES.items():
        plain, _, query = path.partition("?")
        found = source.answer(plain, dict(parse_qsl(query)), now)
        content = parsed(found.body) if found is not None and found.status == 200 else None
        if content is not None:
            docs[name] = content
    return docs


class World:
    """A gateway with the pages of a recording, one of them replaced, and a connection that reads it twice."""

    def __init__(self, docs: Docs, page: str, answer: Answer) -> None:
        self.answers = {name: answer_of(docs[name]) for name in ALL if name in docs}
        self.answers[page] = answer
        self.docs = dict(docs)
        self.context = Witness(CATALOGUE, float(docs["time"]))

    def run(self, serials: Iterable[str]) -> Seen:
        """What is published in two rounds. Raises the last error when nothing is."""
        members = [Equipment("2", "combined", "x", "", {}, every_command("enphase", "combined"))]
        members += [Equipment(each, "inverter", each, "", {}, every_command("enphase", "inverter")) for each in serials]
        config = {"host": "gateway", "tokenMode": "manual", **EVERYTHING}
        context: Any = self.context
        device = Device(context.adopt(Connection("1", "enphase", "", config, {}, tuple(members))), context)
        device._gateway = device._endpoints.gateway = self.gateway()
        found = {name: str(self.docs[name]) for name in ("software", "imeter", "time")}
        device._know({"sn": "1", **found})
        device._tokens = mock.Mock()
        device._sign_in = mock.Mock(return_value=None)  # type: ignore[method-assign]
        device._use_token = lambda: None  # type: ignore[method-assign]
        device._adopt()
        aside = (device._poll_totals, device._poll_batteries, device._poll_inverter_days, device._poll_inverters)
        for _ in range(2):  # a page that disappoints is replaced by another one at the next poll
            try:
                device._read_main()
            except DeviceError as error:
                self.context.seen.error = error
                continue
            for poll in aside:
                try:
                    poll()
                except DeviceError as error:
                    self.context.seen.error = error
            if self.context.seen.error is None:
                break
        return self.context.seen

    def gateway(self) -> Gateway:
        """A client whose certificate is in order."""
        gateway = Gateway("gateway", 443)
        gateway._pinned = "00"
        gateway._token = "token"
        gateway._session.mount("https://", Canned(self._answer))
        return gateway

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        path = str(request.path_url)
        if path == "/auth/check_jwt":
            return Answer(b"<h2>Valid token.</h2>")
        return self.answers.get(PAGES.get(path, path), Answer(b"", 404))


def told(seen: Seen) -> dict[str, Any]:
    """The last value of each command of the gateway."""
    return {row.logical_id: value for row, value in seen.values}


def near(row: Row, value: float, wanted: float) -> bool:
    return abs(value - wanted) <= 0.5 * 10 ** -int(row.data.get("precision", 3)) + 1e-9 + abs(wanted) * 1e-12


def page_endpoint(name: str, every: list[dict[str, Any]]) -> Endpoint:
    """One page of the gateway: the other pages stay as they were recorded."""
    having = [docs for docs in every if name in docs]
    samples = [answer_of(docs[name], **{"x-recording": str(n)}) for n, docs in enumerate(having)]

    def docs_of(answer: Answer) -> dict[str, Any]:
        return having[int(answer.headers["x-recording"])]

    def ask(answer: Answer) -> Seen:
        docs = docs_of(answer)
        serials = Oracle(docs, True).inverters(float(docs["time"])) if name in OF_INVERTERS else ()
        return World(docs, name, answer).run(serials)

    def explain(answer: Answer, seen: Seen) -> Iterable[str]:
        good = answer.status == 200 and "content-encoding" not in answer.headers
        docs, content = docs_of(answer), parsed(answer.body) if good else None
        known = [{**docs, name: content}] if content is not None else []
        if content is None or not standard(content):  # as if the page were not there, or as it was before
            known += [docs, {key: value for key, value in docs.items() if key != name}]
        yield from unexplained(seen, known)

    return Endpoint("enphase", name, samples, ask, explain)


def standard(content: Any) -> bool:
    """Whether a strict reader takes it: numbers that a float holds, and not too deep."""
    try:
        json.dumps(content, allow_nan=False)
        return max((abs(float(each)) for each in numbers(content)), default=0.0) < float("inf")
    except (ValueError, OverflowError, RecursionError):
        return False


def numbers(content: Any) -> Iterable[float]:
    """All numbers within a document."""
    if isinstance(content, (dict, list)):
        for part in content.values() if isinstance(content, dict) else content:
            yield from numbers(part)
    elif isinstance(content, (int, float)):
        yield content


def unexplained(seen: Seen, known: list[dict[str, Any]]) -> Iterable[str]:
    """Values that the rules of the specification do not give for these pages."""
    wanted: dict[str, list[float]] = {}
    for docs in known:
        for name, value in Oracle(docs, True).combined().items():
            wanted.setdefault(name, []).append(value)
        for name, values in storage_of(docs).items():
            wanted.setdefault(name, []).extend(values)
        for inverter in Oracle(docs, True).inverters(float(docs["time"])).values():
            for name, value in inverter.items():
                wanted.setdefault(name, []).append(value)
    for row, value in seen.values:
        name = row.logical_id
        rules = wanted.get(name, [])
        if name in CHECKED and not any(near(row, value, each) for each in rules):
            yield f"{name} = {value!r}, not {rules[:6]}"
        if "pwrFactor" in name and not -1 <= value <= 1:
            yield f"{name} = {value!r}"
        if "Today" in name and "Net" not in name and value < 0:
            yield f"{name} = {value!r}"


CHECKED: set[str] = set()


def info() -> Endpoint:
    """Who the gateway is: XML, asked without a token."""
    made = answers.info("122300000001", "D8.2.4345", True, 1_750_000_000.0).encode()
    samples = [answer_of(made), *(answer_of((folder / "info").read_bytes()) for folder in gateways())]

    def ask(answer: Answer) -> Seen:
        world = World({"time": 0}, "/info", answer)
        return Seen(texts=list(world.gateway().info().values()))

    def explain(answer: Answer, seen: Seen) -> Iterable[str]:
        text = answer.body.decode("utf-8", "replace") + answer.body.decode("latin-1")
        for each in seen.texts:
            if "&" not in text and "".join(each.split()) not in "".join(text.split()):
                yield f"{each!r} is nowhere in the page"

    return Endpoint("enphase", "info", samples, ask, explain)


def jwt(**claims: Any) -> str:
    parts = [json.dumps(each).encode() for each in ({"alg": "ES256"}, claims)] + [b"signature"]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


PASTED = jwt(aud="122233334444", iss="Entrez", exp=1_900_000_000, iat=1_870_000_000, jti="x", username="a@b")


def cloud(name: str, samples: list[Answer], at: str) -> Endpoint:
    """The way to a token, one of its answers spoilt; what comes out must be a token as pasted."""
    good = {
        "login": answer_of({"session_id": "0123456789abcdef", "message": "success"}),
        "tokens": Answer(PASTED.encode()),
    }

    def ask(answer: Answer) -> Seen:
        def reply(request: requests.PreparedRequest) -> Answer:
            asked = "login" if "login.json" in str(request.url) else "tokens"
            return answer if asked == at else good[asked]

        text = token.obtain(canned_session(reply), "https://login", "https://token", "a@b", "c", "122233334444")
        found = token.Token.parse(text)
        assert found.renewal() <= found.expires or found.expires <= found.issued
        return Seen(texts=[found.audience])

    return Endpoint("enphase", name, samples, ask)


def claims() -> Endpoint:
    """A token whose inner part is spoilt."""

    def ask(answer: Answer) -> Seen:
        middle = base64.urlsafe_b64encode(answer.body).decode().rstrip("=")
        return Seen(texts=[token.Token.parse(f"e30.{middle}.c2ln").audience])

    good = {"aud": "122233334444", "exp": 1_900_000_000, "iat": 1_870_000_000, "enphaseUser": "owner"}
    return Endpoint("enphase", "claims of a token", [answer_of(good)], ask)


def endpoints() -> list[Endpoint]:
    every = recordings()
    for docs in every:
        CHECKED.update(Oracle(docs, True).combined(), storage_of(docs))
        for values in Oracle(docs, True).inverters(float(docs["time"])).values():
            CHECKED.update(values)
    found = [page_endpoint(name, every) for name in ALL if any(name in docs for docs in every)]
    found.append(info())
    login = [answer_of({"session_id": "0123456789abcdef", "manager_token": "x", "is_consumer": True})]
    return [
        *found,
        cloud("login.json", login, "login"),
        cloud("tokens", [Answer(PASTED.encode()), answer_of({"token": PASTED})], "tokens"),
        claims(),
    ]
