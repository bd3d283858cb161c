"""What is posted to again and again: its address, its certificate, and how the ways to fail are told apart."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from jeedom_bridge.http import Address, HttpError, Response
from simulators.server import LoopbackServer
from simulators.server import Response as Answer
from tests.support import callback_server as answers
from tests.support.callback_server import CallbackServer
from tests.support.certificates import certificate

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def post(url: str, **limits: Any) -> Response:
    wanted = {"connect": 2.0, "read": 2.0, "deadline": 2.0, "max_bytes": 10_000, **limits}
    return Address(url, FORM).post(b"a=1", **wanted)


def failure(url: str, **limits: Any) -> HttpError:
    with pytest.raises(HttpError) as caught:
        post(url, **limits)
    return caught.value


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[LoopbackServer]:
    """With a certificate that nobody trusts, for another name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path, x509.DNSName("elsewhere.example"))[1])
    with LoopbackServer(lambda _: Answer.of_json({"ok": True}), tls=context) as running:
        yield running


def test_the_certificate_of_this_machine_is_not_checked(secured: LoopbackServer) -> None:
    assert post(f"{secured.url}/core/api?x=1").json() == {"ok": True}
    assert [(each.method, each.path) for each in secured.requests] == [("POST", "/core/api?x=1")]


def test_the_certificate_of_another_machine_is(secured: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jeedom_bridge.http.address.is_loopback", lambda url: False)
    error = failure(secured.url)
    assert error.kind == "tls"
    assert "certificate" in error.detail.lower()
    assert list(secured.requests) == []


def test_an_account_in_the_address_is_sent_as_a_header() -> None:
    seen = []
    with LoopbackServer(lambda request: seen.append(request.headers["Authorization"]) or Answer.of_json({})) as server:
        post(server.url.replace("://", "://me:a%20word@"))
    assert seen == ["Basic bWU6YSB3b3Jk"]


@pytest.mark.parametrize("url", ["", "localhost/x", "ftp://127.0.0.1/", "http:///x"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        Address(url, FORM)


def test_nobody_there_is_told_apart_from_an_end_without_an_answer() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert failure(f"http://127.0.0.1:{port}/").kind == "connect"
        assert failure("http://no-such-host.invalid/").kind == "connect"
    with LoopbackServer(lambda _: Answer(how="drop")) as server:
        assert failure(server.url).kind == "protocol"


def test_silence_ends_at_the_limit(server: CallbackServer) -> None:
    server.script = [answers.silence()]
    error = failure(server.url, read=0.2)
    assert (error.kind, error.detail) == ("timeout", "no answer within 0.2 s")


def test_an_answer_that_is_no_http_is_not_shown(server: CallbackServer) -> None:
    server.script = [answers.raw(b"secret-word\r\n\r\n")]
    error = failure(server.url)
    assert error.kind == "protocol"
    assert "secret-word" not in error.detail


def test_too_long_an_answer_is_cut() -> None:
    with LoopbackServer(lambda _: Answer.of_text("x" * 20_000)) as server:
        assert failure(server.url).kind == "size"
