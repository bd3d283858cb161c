"""Each cloud service must show a certificate that the machine trusts, for its own name; else nothing is sent."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from cryptography import x509
from jeenergied.devices.base import DeviceError, Unreachable
from jeenergied.devices.easee.client import Cloud
from jeenergied.devices.easee.streaming.stream import Stream
from jeenergied.devices.econetatmo.client import Service
from jeenergied.devices.enphase.gateway.client import cloud_session
from jeenergied.devices.enphase.tokens import token
from jeenergied.devices.hellowatt.colors.services import ColorService, OpenData
from jeenergied.devices.hellowatt.colors.tempo import Tempo
from jeenergied.devices.hellowatt.site.client import Site

from jeedom_bridge.clock import SystemClock
from simulators.server import LoopbackServer, Response
from tests.support.certificates import certificate
from tests.support.waiting import until


class Memory(dict):  # type: ignore[type-arg]
    """A connection's memory."""

    def put(self, key: str, value: Any) -> None:
        self[key] = value

    keep = put

    def delete(self, key: str) -> None:
        self.pop(key, None)


class Context:
    """As much of the core as a client needs."""

    clock = SystemClock()

    def __init__(self) -> None:
        self.memory = Memory()

    def mask(self, *values: object) -> None:
        """Nothing is logged here."""

    def count(self, counter: str) -> None:
        """Nobody looks."""

    def pause(self, seconds: float) -> bool:
        return False


class Budget:
    """Without limit."""

    def spend(self) -> bool:
        return True

    def finished(self) -> None:
        """Nothing to count."""

    def passed(self) -> None:
        """Nothing stood."""


@pytest.fixture(params=["self-signed", "wrong host name"])
def server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    """With a certificate for its name that nobody trusts, or a trusted one for another name."""
    wrong = request.param == "wrong host name"
    names: list[x509.GeneralName] = [x509.DNSName("elsewhere.example")]
    if not wrong:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    public, both = certificate(tmp_path, *names)
    if wrong:
        # requests asks certifi, the stream OpenSSL's own store.
        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(public))
        monkeypatch.setenv("SSL_CERT_FILE", str(public))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    with LoopbackServer(lambda _: Response.of_json({}), tls=context) as running:
        yield running


CALLS: dict[str, Callable[[str], object]] = {
    "easee login": lambda url: Cloud(url, url).login("me", "secret-word"),
    "easee data": lambda url: Cloud(url, url).call("GET", "/api", "secret-word"),
    "easee negotiation": lambda url: Cloud(url, url).negotiate("secret-word"),
    "econetatmo token": lambda url: Service(url).token({"refresh_token": "secret-word"}),
    "econetatmo data": lambda url: Service(url).ask("homesdata", "secret-word", {}),
    "enphase account": lambda url: token.obtain(cloud_session(), url, url, "me", "secret-word", "1"),
    "hellowatt site": lambda url: Site(url, Context(), Budget()).send("GET", "homes"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("call", CALLS)
def test_a_service_without_a_sound_certificate_is_sent_nothing(server: LoopbackServer, call: str) -> None:
    with pytest.raises(Unreachable, match=r"(?i)certificate"):
        CALLS[call](server.url)
    assert list(server.requests) == []


def colors(url: str) -> None:
    """Asks both sources of Tempo colours there."""
    context: Any = Context()
    Tempo(context, [ColorService(context, url), OpenData(context, url)]).ask()


def test_the_public_colours_ask_nobody_else(server: LoopbackServer) -> None:
    colors(server.url)
    assert list(server.requests) == []


def test_the_stream_is_not_opened_without_a_sound_certificate(server: LoopbackServer) -> None:
    ended: list[DeviceError] = []
    opened: list[object] = []
    url = f"wss{server.url[5:]}/hub"
    stream = Stream(url, "secret-word", "", opened.append, lambda *_: None, lambda _, error: ended.append(error))
    stream.start()
    until(lambda: ended, 10)
    assert opened == []
    assert list(server.requests) == []
