"""Why a call has failed is a class, found by the types and numbers of what the layers below raise, never by a text."""

from __future__ import annotations

import errno
import inspect
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from cryptography import x509
from requests.adapters import HTTPAdapter

from jeedom_bridge.http import Address, fetch, new_session
from jeedom_bridge.http import errors as http_errors
from jeedom_bridge.http.errors import HttpError, classified
from tests.support.certificates import certificate

TREE = {name: kind for name, kind in vars(http_errors).items() if inspect.isclass(kind) and issubclass(kind, HttpError)}
Answer = Callable[[socket.socket], None]


def request(stream: socket.socket) -> bytes:
    """All of a request, or what comes in its place: a peer that closes before it has read all resets the connection."""
    data = b""
    while True:
        chunk = stream.recv(65536)
        data += chunk
        if not chunk or not data.startswith((b"GET ", b"POST ")):
            return data
        if data.endswith(b"\r\n\r\na=1" if data.startswith(b"POST ") else b"\r\n\r\n"):
            return data


class Peers:
    """Servers that do with each connection what a test says; `heard` is what they were sent."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.tls = tls
        self.heard: list[bytes] = []
        self._listeners: list[socket.socket] = []

    def serve(self, answer: Optional[Answer], tls: bool = False) -> int:
        """The port of a server that waits for a request, then does `answer`, then closes."""
        listener = socket.create_server(("127.0.0.1", 0))
        self._listeners.append(listener)

        def run() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=attend, args=(peer,), daemon=True).start()

        def attend(peer: socket.socket) -> None:
            with suppress(OSError), peer:
                stream = self.tls.wrap_socket(peer, server_side=True) if tls else peer
                self.heard.append(request(stream))
                if answer is not None:
                    answer(stream)
                stream.close()

        threading.Thread(target=run, daemon=True).start()
        return int(listener.getsockname()[1])

    def close(self) -> None:
        """Closes all."""
        for each in self._listeners:
            each.close()


@pytest.fixture
def peers(tmp_path: Path) -> Iterator[Peers]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path, x509.DNSName("elsewhere.example"))[1])
    made = Peers(context)
    yield made
    made.close()


def says(*parts: bytes, pause: float = 0.0) -> Answer:
    def answer(stream: socket.socket) -> None:
        for part in parts:
            stream.sendall(part)
            time.sleep(pause)

    return answer


def resets(first: bytes = b"") -> Answer:
    def answer(stream: socket.socket) -> None:
        stream.sendall(first)
        time.sleep(0.05)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return answer


def sleeps(stream: socket.socket) -> None:
    time.sleep(3)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
LIMITS: dict[str, Any] = {"connect": 10.0, "read": 10.0, "deadline": 20.0, "max_bytes": 1000}
"""Those that nothing meets here, however busy the machine is; each test shortens the one that it is about."""


Call = Callable[..., HttpError]


def by_requests(url: str, **more: Any) -> HttpError:
    with pytest.raises(HttpError) as caught:
        fetch(new_session(), "GET", url, **{**LIMITS, **more})
    return caught.value


def by_standard_library(url: str, **limits: float) -> HttpError:
    with pytest.raises(HttpError) as caught:
        Address(url, {}).post(b"a=1", **{**LIMITS, **limits})
    return caught.value


@pytest.fixture(params=[by_requests, by_standard_library])
def call(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setattr(
        "jeedom_bridge.http.address.is_loopback", lambda url: False
    )  # certificates are checked here too
    made: Call = request.param
    return made


ANSWERS: dict[str, tuple[Optional[Answer], type[HttpError]]] = {
    "closed": (None, http_errors.ClosedUnanswered),
    "reset": (resets(), http_errors.ClosedUnanswered),
    "cut in the body": (says(HEAD + b"x" * 50), http_errors.BrokenOff),
    "reset in the body": (resets(HEAD + b"x" * 50), http_errors.BrokenOff),
    "silent": (sleeps, http_errors.ReadTimeout),
    "silent in the body": (lambda stream: (stream.sendall(HEAD), sleeps(stream))[1], http_errors.ReadTimeout),
    "drop by drop": (says(b"H", b"T", b"T", b"P", b"/", b"1", pause=0.3), http_errors.DeadlineExceeded),
    "a body drop by drop": (says(HEAD, *[b"x"] * 9, pause=0.3), http_errors.DeadlineExceeded),
    "not HTTP": (says(b"220 FTP ready\r\n\r\n"), http_errors.BadAnswer),
    "too long": (says(HEAD.replace(b"100", b"5000") + b"x" * 5000), http_errors.TooLong),
}


SHORTER = {
    http_errors.ReadTimeout: {"read": 0.4},
    http_errors.DeadlineExceeded: {"deadline": 0.8},
}


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("name", ANSWERS)
def test_each_way_an_answer_fails_has_its_class(
    peers: Peers, call: Call, name: str, tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, wanted = ANSWERS[name]
    more: dict[str, Any] = dict(SHORTER.get(wanted, {}))
    if tls:
        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", "")
        monkeypatch.setattr("jeedom_bridge.http.address.is_loopback", lambda url: True)
        if call is by_requests:
            more["verify"] = False
    error = call(f"http{'s' if tls else ''}://127.0.0.1:{peers.serve(answer, tls)}/x", **more)
    assert type(error) is wanted
    assert error.sent
    assert (error.kind, str(error)) == (wanted.kind, error.detail)


def test_nobody_at_the_port(call: Call) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = call(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert (type(error), error.kind, error.sent) == (http_errors.PortClosed, "connect", False)


def test_a_name_that_is_not_there(call: Call) -> None:
    error = call("http://no-such-host.invalid/")
    assert (type(error), error.kind, error.sent) == (http_errors.NameNotFound, "connect", False)


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (errno.EHOSTUNREACH, http_errors.HostUnreachable),
        (errno.ENETUNREACH, http_errors.HostUnreachable),
        (errno.ECONNREFUSED, http_errors.PortClosed),
        (errno.ETIMEDOUT, http_errors.ConnectTimeout),
        (errno.EMFILE, http_errors.ConnectFailed),
    ],
)
def test_the_number_counts_not_the_words(
    call: Call, monkeypatch: pytest.MonkeyPatch, number: int, wanted: type[HttpError]
) -> None:
    """The system speaks the user's language, and libraries reword at each version."""

    def refuse(*arguments: Any, **more: Any) -> socket.socket:
        raise OSError(number, "Der Dienst ist timed out, refused oder within reach")

    monkeypatch.setattr("urllib3.util.connection.create_connection", refuse)
    monkeypatch.setattr("socket.create_connection", refuse)
    error = call("http://127.0.0.1:1/")
    assert (type(error), error.sent) == (wanted, False)


def test_a_port_that_speaks_no_tls(peers: Peers, call: Call) -> None:
    error = call(f"https://127.0.0.1:{peers.serve(says(b'HTTP/1.1 400 Bad Request' + bytes(200)))}/")
    assert (type(error), error.kind, error.sent) == (http_errors.NotTls, "tls", False)


def test_a_certificate_that_nobody_vouches_for(peers: Peers, call: Call) -> None:
    error = call(f"https://127.0.0.1:{peers.serve(says(HEAD), tls=True)}/")
    assert (type(error), error.kind, error.sent) == (http_errors.CertificateRefused, "tls", False)


def test_a_handshake_that_ends(peers: Peers, call: Call) -> None:
    error = call(f"https://127.0.0.1:{peers.serve(None)}/")
    assert isinstance(error, (http_errors.TlsRefused, http_errors.ClosedUnanswered))
    assert not error.sent


def test_a_handshake_that_never_ends(peers: Peers, call: Call) -> None:
    error = call(f"https://127.0.0.1:{peers.serve(sleeps)}/", connect=0.4)
    assert (type(error), error.kind, error.sent) == (http_errors.ConnectTimeout, "timeout", False)
    assert error.detail == "no connection within 0.4 s"


def test_another_certificate_than_the_pinned_one(peers: Peers) -> None:
    class Pinned(HTTPAdapter):
        def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
            super().init_poolmanager(*arguments, assert_fingerprint="ab" * 32, **more)

        def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
            conn.cert_reqs = "CERT_NONE"

    session = new_session()
    session.mount("https://", Pinned())
    with pytest.raises(HttpError) as caught:
        fetch(session, "GET", f"https://127.0.0.1:{peers.serve(says(HEAD), tls=True)}/", **LIMITS)
    assert (type(caught.value), caught.value.kind) == (http_errors.FingerprintRefused, "tls")
    assert not caught.value.sent
    assert [each for each in peers.heard if each] == []


@pytest.mark.parametrize("url", ["http://", "http://[", "nothing", "http://a..b/", "http://127.0.0.1:99999/"])
def test_a_url_that_is_none(url: str) -> None:
    error = by_requests(url)
    assert (type(error), error.sent) == (http_errors.InvalidRequest, False)


def test_a_header_that_cannot_be_sent(peers: Peers) -> None:
    error = by_requests(f"http://127.0.0.1:{peers.serve(says(HEAD))}/", headers={"X": "a\nb"})
    assert (type(error), error.sent) == (http_errors.InvalidRequest, False)
    assert peers.heard == []


def test_a_kept_connection_that_the_peer_has_closed_is_unanswered(peers: Peers) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    def twice(stream: socket.socket) -> None:
        stream.sendall(whole)
        stream.recv(65536)

    session, url = new_session(), f"http://127.0.0.1:{peers.serve(twice)}/"
    assert fetch(session, "GET", url, **LIMITS).status == 200
    with pytest.raises(HttpError) as caught:
        fetch(session, "GET", url, **LIMITS)
    assert type(caught.value) is http_errors.ClosedUnanswered
    assert caught.value.sent


def test_what_is_classified_already_stays() -> None:
    kept = http_errors.TooLong("much")
    around = OSError("around it")
    around.__cause__ = kept
    assert classified(around, sent=True) is kept


def test_the_tree_in_the_documentation_is_the_tree() -> None:
    """Each class, below its parent, with a word on when it is raised."""
    parents: list[tuple[int, str]] = []
    found = {}
    for line in (http_errors.__doc__ or "").splitlines():
        match = re.match(r"^( {4}[│├└─ ]*)(\w+)(?:  +\S|$)", line)
        if match is None:
            continue
        depth, name = len(match.group(1)), match.group(2)
        parents = [each for each in parents if each[0] < depth]
        found[name] = parents[-1][1] if parents else None
        parents.append((depth, name))
    assert found == {name: kind.__base__.__name__ if kind is not HttpError else None for name, kind in TREE.items()}
    for name, kind in TREE.items():
        assert kind is HttpError or (kind.__doc__ or "").startswith("Raised "), name
