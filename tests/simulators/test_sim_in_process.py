"""Connections in memory: what a client gets by sockets it gets without them, faults included."""

from __future__ import annotations

import socket
from contextlib import nullcontext
from typing import Any

import pytest
from jeenergied.devices.base import DeviceError
from jeenergied.devices.enphase.gateway.certificate import read
from jeenergied.devices.enphase.gateway.client import Gateway

from jeedom_bridge.http import HttpError, fetch, new_session
from simulators.enphase import EnphaseGateway
from simulators.server import LoopbackServer, Request, Response
from tests.support.in_process import in_process
from tests.support.waiting import until

FAULTS: dict[str, dict[str, Any]] = {
    "whole": {},
    "chunked": {"chunked": True},
    "truncated": {"how": "truncated"},
    "drop": {"how": "drop"},
    "late": {"delay": 0.05},
    "hang": {"how": "hang", "delay": 30.0},
    "status": {"status": 503},
    "header": {"headers": [("Set-Cookie", "a=b"), ("X-More", "é")]},
}


def asked(fault: str, close: bool) -> Any:
    """What two requests on one session bring, the second after the server has dropped its connections."""

    def answer(request: Request) -> Response:
        return Response(body=request.body + request.target.encode(), **FAULTS[fault])

    found: list[Any] = []
    read = 0.2 if fault == "hang" else 20.0
    session = new_session()
    if close:
        session.headers["Connection"] = "close"
    with LoopbackServer(answer, date=lambda: 0.0) as server, in_process(server) if IN_MEMORY else nullcontext():
        for _ in range(2):
            try:
                told = fetch(session, "POST", f"{server.url}/a?b=c", data=b"body", read=read)
                found.append((told.status, told.body, told.headers))
            except HttpError as error:
                found.append((type(error).__name__, str(error)))
            server.drop_connections()
        server.suspend()
        with pytest.raises(HttpError) as caught:
            fetch(session, "GET", server.url, read=read, deadline=60.0)
        found.append(type(caught.value).__name__)
        # By sockets a request counts when its wait has ended, which the client has not waited for.
        requests = [] if fault == "hang" else [seen[1:] for seen in server.requests]
        found.append((session.cookies.get_dict(), server.connections, requests))
    return found


IN_MEMORY = False


@pytest.mark.parametrize("close", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_client_sees_no_difference(fault: str, close: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    by_sockets = asked(fault, close)
    monkeypatch.setattr(f"{__name__}.IN_MEMORY", True)
    assert asked(fault, close) == by_sockets


def looked_at() -> Any:
    """What a client sees of a gateway: by its certificate, by that of another one, and after it has changed it."""
    found: list[Any] = []
    with EnphaseGateway() as gateway:
        server = gateway.server
        with in_process(server, lambda: gateway.certificate.der) if IN_MEMORY else nullcontext():
            client = Gateway(server.host, server.port)
            client.use_token(gateway.token())
            for pinned in (gateway.certificate.fingerprint, "0" * 64, gateway.certificate.fingerprint):
                client.pin(pinned)
                if len(found) == 2:
                    gateway.renew_certificate()
                try:
                    found.append((client.info()["sn"], client.check_token(), sorted(client._session.cookies.keys())))
                except DeviceError as error:
                    found.append((type(error).__name__, error.template))
            assert read(server.host, server.port).sha256 == gateway.certificate.fingerprint
            found.append([seen[1:] for seen in server.requests])
            # By sockets a handshake counts a moment after the client has left.
            until(lambda: server.tls_connections == 4)
            client.close()
    return found


def test_a_client_sees_the_certificate_that_it_would_see_by_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    by_sockets = looked_at()
    assert [len(each) for each in by_sockets[:3]] == [3, 2, 2], "taken, refused, refused"
    monkeypatch.setattr(f"{__name__}.IN_MEMORY", True)
    assert looked_at() == by_sockets


def test_nobody_gets_the_port_of_a_server_that_is_away_for_a_while() -> None:
    with LoopbackServer(lambda request: Response(body=b"here")) as server:
        server.suspend()
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((server.host, server.port))
        with pytest.raises(HttpError):
            fetch(new_session(), "GET", server.url)
        server.resume()
        assert fetch(new_session(), "GET", server.url).body == b"here"
