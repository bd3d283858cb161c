"""A plain HTTP client on a real socket for the simulators' tests, and the recorded folders when they are there."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any, NamedTuple, Optional
from urllib.parse import urlencode, urlsplit

import pytest

from simulators import twins
from simulators.jeedom import JeedomStandIn
from tests.support.recorded import GATEWAYS, RECORDED
from tests.support.standin import CATALOGUE, COMMON, KEY, Daemon


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One kept-alive connection to `url`; no check of certificates."""

    def __init__(self, url: str, token: str = "", timeout: float = 5.0) -> None:
        parts = urlsplit(url)
        if parts.scheme == "https":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=timeout, context=context
            )
        else:
            self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, body: Optional[str] = None, **headers: str) -> Reply:
        self.connection.request(method, path, body, {**self.headers, **headers})
        answer = self.connection.getresponse()
        return Reply(answer.status, dict(answer.getheaders()), answer.read())

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, **headers)

    def post(self, path: str, value: Any = None, form: Optional[dict[str, str]] = None, **headers: str) -> Reply:
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            return self.ask("POST", path, urlencode(form), **headers)
        return self.ask("POST", path, json.dumps(value), **{"Content-Type": "application/json", **headers})

    def close(self) -> None:
        self.connection.close()


@pytest.fixture
def client():
    """Opens clients and closes them after the test."""
    opened: list[Client] = []

    def connect(url: str, token: str = "", timeout: float = 5.0) -> Client:
        opened.append(Client(url, token, timeout))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.fixture(params=["twins", "recorded"])
def recorded(request):
    """The folder of a gateway by the name of its twin: the twin, or what was recorded; skipped where that is absent."""
    if request.param == "recorded" and not (RECORDED / "enphase").is_dir():
        pytest.skip("no recorded answers here")
    places = {twin: RECORDED / "enphase" / name for name, twin in GATEWAYS.items()}
    return places.__getitem__ if request.param == "recorded" else twins.gateway


@pytest.fixture
def contract(tmp_path):
    folder = tmp_path / "contract"
    (folder / "catalogue").mkdir(parents=True)
    (folder / "catalogue" / "demo.json").write_text(json.dumps(CATALOGUE))
    (folder / "common.json").write_text(json.dumps(COMMON))
    return folder


@pytest.fixture
def jeedom(contract):
    with JeedomStandIn(apikey=KEY, contract=contract) as running:
        yield running


@pytest.fixture
def meter(jeedom):
    return jeedom.add_equipment(jeedom.add_connection("demo", {}), "meter", "7")


@pytest.fixture
def daemon():
    one = Daemon()
    yield one
    one.server.shutdown()
    one.server.server_close()
