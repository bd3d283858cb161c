"""Systems on the network are found by what their catalogues say: over real sockets, on the loopback interface."""

from __future__ import annotations

import http.server
import ipaddress
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from resources.daemon.nearby import sweep
from resources.daemon.nearby.finder import Finder, Nearby
from simulators.nearby.responder import Responder

GATEWAY = {"mdns": "_enphase-envoy._tcp.local.", "serial": "serialnum", "fills": "host"}
BOX = {"realm": "serveur WES", "path": "/", "port": 80, "fills": "host"}
PROPERTIES = {"serialnum": "122300000001", "protovers": "8.2.4401"}


@contextmanager
def web_server(address: str, realm: str, port: int = 0) -> Iterator[socketserver.ThreadingTCPServer]:
    """A server that asks for a password; `seen` holds what was asked of it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers.get("Authorization")))
            self.send_response(401)
            self.send_header("WWW-Authenticate", f'Basic realm= "{realm}"')
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    seen: list[tuple[str, str | None]] = []
    server = socketserver.ThreadingTCPServer((address, port), Handler)
    server.seen = seen  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def test_a_gateway_is_found_by_its_service_with_its_serial_number() -> None:
    with Responder(GATEWAY["mdns"], "envoy", "192.168.1.40", 443, PROPERTIES) as device:
        found = Finder({"solar": GATEWAY}, interface="127.0.0.1", listen=1.5).search()
    # Tests that run at the same time hear each other.
    found = [each for each in found if each.serial == "122300000001"]
    assert found == [Nearby("solar", "192.168.1.40", "122300000001", {"host": "192.168.1.40"})]
    assert device.asked >= 1


def test_another_service_is_not_taken_for_it() -> None:
    # A name of its own: tests that run at the same time hear each other.
    wanted = {**GATEWAY, "mdns": "_other-envoy._tcp.local."}
    with Responder("_printer._tcp.local.", "laser", "192.168.1.9", 515, {}):
        assert Finder({"solar": wanted}, interface="127.0.0.1", listen=1.5).search() == []


def test_a_box_is_found_by_the_realm_of_its_password_and_asked_once_without_one() -> None:
    with web_server("127.0.0.7", "Serveur WES v2") as box:
        port = box.server_address[1]
        with web_server("127.0.0.8", "router", port) as other:
            found = Finder({"box": BOX}, interface="127.0.0.1", port=port, listen=0.1).search()
    assert found == [Nearby("box", "127.0.0.7", config={"host": "127.0.0.7"})]
    assert box.seen == other.seen == [("/", None)]  # type: ignore[attr-defined]


def test_one_backend_is_searched_alone() -> None:
    with web_server("127.0.0.7", "Serveur WES") as box:
        quiet = {**GATEWAY, "mdns": "_quiet-envoy._tcp.local."}
        finder = Finder({"solar": quiet, "box": BOX}, interface="127.0.0.1", port=box.server_address[1], listen=0.1)
        assert finder.search("solar") == []
        assert box.seen == []  # type: ignore[attr-defined]


def test_a_host_that_never_ends_its_answer_holds_nobody() -> None:
    with socket.create_server(("127.0.0.9", 0)) as silent:
        silent.listen()
        assert sweep.ask_for_password(["127.0.0.9"], silent.getsockname()[1], "/", "WES") == []


@pytest.mark.parametrize(
    ("own", "count"),
    [
        (["192.168.1.12/24"], 253),
        (["10.0.0.5/8"], 253),
        (["192.168.1.13/30"], 1),
        (["192.168.1.12/24", "192.168.1.13/24"], 252),
        (["127.0.0.1/8"], 0),
        (["169.254.3.4/16"], 0),
        (["8.8.8.8/24"], 0),
        (["192.0.2.2/24"], 0),
        (["nonsense", ""], 0),
    ],
)
def test_a_network_of_ones_own_is_asked_and_254_addresses_at_most(own: list[str], count: int) -> None:
    asked = sweep.hosts(own)
    assert len(asked) == count
    assert all(ipaddress.ip_address(each).is_private for each in asked)


def test_a_search_from_one_address_asks_nothing_but_its_network() -> None:
    asked = sweep.hosts(["127.0.0.1/8", "192.168.1.12/24"], only="127.0.0.1")
    assert {each.rpartition(".")[0] for each in asked} == {"127.0.0"}


def test_without_its_library_nothing_is_found_and_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("resources.daemon.nearby.finder.PROGRAM", "/nowhere/mdns.py")
    assert Finder({"solar": GATEWAY, "box": BOX}).search() == []
    assert "the local network cannot be searched" in caplog.text
