"""Requests that reach a simulator without the machine's network: the same bytes, handed over in memory.

Client and simulator stay whole: what one of them writes the other one parses, faults of answers, waits and dropped
connections included. What is left out is the kernel's sockets and a thread for each connection, which are half of what
a request costs: for tests that let a service be asked thousands of times to see days pass. Of TLS what a client sees of
it stays, the certificate. Handshakes that fail, answers without an end and those that stall in their midst are for
sockets alone.
"""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, Optional

from urllib3 import connection as https
from urllib3.util import connection

from simulators.server import LoopbackServer, Response, _Peer

Talk = Callable[["_Server"], object]
"""Reads requests from a connection and answers them."""

_QUIET, _ = os.pipe()
"""What a client looks at to know whether a kept connection was closed: it was not."""
_ENDED, _end = os.pipe()
"""It was."""
os.close(_end)
_STEP_S = 0.005
_ANSWERING: dict[tuple[str, int], Callable[[_Client], Optional[Talk]]] = {}
"""By address: who answers there now; None if nobody does."""


@contextmanager
def in_process(server: LoopbackServer, certificate: Optional[Callable[[], bytes]] = None) -> Iterator[None]:
    """Connections of urllib3 and of the standard library to this server are in memory while it listens.

    One with TLS says with which `certificate` (DER), and is reached so by urllib3 alone.
    """
    address = (server.host, server.port)

    def answering(client: _Client) -> Optional[Talk]:
        moved = (server.host, server.port) != address
        if moved or not server.listening or (server.tls is None) != (certificate is None):
            return None
        if certificate is not None:
            if not client.can_show:
                return None
            client.certificate = certificate()
        with server.lock:
            server.connections += 1
            server.tls_connections += certificate is not None
            server._open.add(client)  # type: ignore[arg-type]
        client.on_close = lambda: _closed(server, client)
        return lambda peer: _PeerInMemory(peer, (server.host, 0), server)  # type: ignore[arg-type]

    with at_address(*address, answering):
        yield


@contextmanager
def at_address(host: str, port: int, answering: Callable[[_Client], Optional[Talk]]) -> Iterator[None]:
    """Connections of both to this address are in memory, whenever somebody is `answering`."""
    _ANSWERING[host, port] = answering
    try:
        yield
    finally:
        _ANSWERING.pop((host, port), None)


def _in_memory_first(dial: Callable[..., Any], can_show: bool) -> Callable[..., Any]:
    def connected(address: tuple[str, int], *arguments: Any, **more: Any) -> Any:
        answering = _ANSWERING.get(address)
        if answering is not None:
            client = _Client()
            client.can_show = can_show
            talk = answering(client)
            if talk is not None:
                client.talk = talk
                return client
        return dial(address, *arguments, **more)

    return connected


for _module in (connection, socket):
    _module.create_connection = _in_memory_first(  # type: ignore[attr-defined]
        _module.create_connection, can_show=_module is connection
    )


def _unless_in_memory(secure: Callable[..., Any]) -> Callable[..., Any]:
    def secured(sock: Any, *arguments: Any, **more: Any) -> Any:
        return sock if isinstance(sock, _Client) else secure(sock, *arguments, **more)

    return secured


https.ssl_wrap_socket = _unless_in_memory(https.ssl_wrap_socket)


def _closed(server: LoopbackServer, client: _Client) -> None:
    with server.lock:
        server._open.discard(client)  # type: ignore[arg-type]


class _Client(socket.socket):
    """The client's end: as much of a socket as http.client and urllib3 use. It is answered when it begins to read.

    The socket below is never connected: a client that ends it by the class's own method finds it closed.
    """

    talk: Talk
    can_show = False
    """Whether who dials looks at a certificate and encrypts nothing."""
    certificate = b""

    def __init__(self) -> None:
        super().__init__()
        self.on_close: Callable[[], None] = lambda: None
        self._sent = bytearray()
        self._answer: Optional[io.BytesIO] = None
        self._timeout: Optional[float] = None
        self._limit = float("inf")
        self._dropped = self._has_waited = False

    def __enter__(self) -> _Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sendall(self, data: bytes) -> None:
        if self._dropped:
            raise ConnectionResetError("the other side has closed the connection")
        self._sent += data

    def makefile(self, *_: Any) -> io.BytesIO:  # type: ignore[override]
        peer = _Server(bytes(self._sent), self.is_given_up)
        self._sent.clear()
        self._limit = float("inf") if self._timeout is None else time.monotonic() + self._timeout
        self._has_waited = False
        self.talk(peer)
        if self._has_waited and not peer.answer:
            raise socket.timeout("timed out")
        return io.BytesIO(bytes(peer.answer))

    def recv(self, size: int) -> bytes:
        if self._answer is None or self._sent:
            self._answer = self.makefile()
        return self._answer.read(size)

    def is_given_up(self) -> bool:
        """Whether the connection was cut, or the client has waited for as long as it would."""
        self._has_waited = time.monotonic() > self._limit
        return self._dropped or self._has_waited

    def fileno(self) -> int:
        return _ENDED if self._dropped else _QUIET

    def settimeout(self, seconds: Optional[float]) -> None:
        self._timeout = seconds

    def getpeercert(self, binary_form: bool = False) -> bytes:
        return self.certificate

    def setsockopt(self, *_: int) -> None: ...

    def shutdown(self, how: int) -> None:
        """Of either side."""
        self._dropped = True

    def close(self) -> None:
        super().close()
        self.on_close()


class _Server:
    """The simulator's end: what the client has sent, and what it is answered."""

    def __init__(self, request: bytes, is_given_up: Callable[[], bool]) -> None:
        self._request = request
        self.is_given_up = is_given_up
        self.answer = bytearray()

    def sendall(self, data: bytes) -> None:
        self.answer += data

    def makefile(self, *_: Any) -> io.BytesIO:
        return io.BytesIO(self._request)

    def settimeout(self, seconds: Optional[float]) -> None: ...


class _PeerInMemory(_Peer):
    def _wait(self, response: Response) -> None:
        end, peer = time.monotonic() + response.delay, self.connection
        cancel = response.cancel or self.owner.closing
        while response.delay > 0 and time.monotonic() < end and not cancel.wait(_STEP_S):
            if peer.is_given_up():  # type: ignore[attr-defined]
                response.how = "drop"
                return
