"""Requests that reach a simulator without the machine's network: the same bytes, handed over in memory.

Client and simulator stay whole: what one of them writes the other one parses, faults of answers included. What is left
out is the kernel's sockets and a thread for each connection, which are half of what a request costs: for tests that let
a service be asked thousands of times to see days pass. What belongs to the wire (timeouts, TLS, cut connections) stays
with tests that use sockets.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, Optional

from urllib3.util import connection

from simulators.server import LoopbackServer, Response, _Peer

Talk = Callable[["_Server"], object]
"""Reads requests from a connection and answers them."""

_NEVER_READABLE, _ = os.pipe()
"""What a client looks at to know whether a kept connection was closed."""
_TALKS: dict[tuple[str, int], Callable[[], Optional[Talk]]] = {}
"""By address: who answers there now; None if nobody does."""


@contextmanager
def in_process(server: LoopbackServer) -> Iterator[None]:
    """Connections of urllib3 to this server are in memory while it listens without TLS."""

    def answering() -> Optional[Talk]:
        if not server.listening or server.tls is not None:
            return None
        server.connections += 1
        return lambda peer: _PromptPeer(peer, (server.host, 0), server)  # type: ignore[arg-type]

    with at_address(server.host, server.port, answering):
        yield


@contextmanager
def at_address(host: str, port: int, answering: Callable[[], Optional[Talk]]) -> Iterator[None]:
    """Connections of urllib3 to this address are in memory, whenever somebody is `answering`."""
    if connection.create_connection is not _connected:
        connection.create_connection = _connected  # type: ignore[assignment]
    _TALKS[host, port] = answering
    try:
        yield
    finally:
        _TALKS.pop((host, port), None)


_DIAL: Callable[..., Any] = connection.create_connection


def _connected(address: tuple[str, int], *arguments: Any, **more: Any) -> Any:
    answering = _TALKS.get(address)
    talk = answering() if answering is not None else None
    return _DIAL(address, *arguments, **more) if talk is None else _Client(talk)


class _Client:
    """The client's end: as much of a socket as http.client and urllib3 use. It is answered when it begins to read."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._sent = bytearray()

    def sendall(self, data: bytes) -> None:
        self._sent += data

    def makefile(self, *_: Any) -> io.BytesIO:
        peer = _Server(bytes(self._sent))
        self._sent.clear()
        self._talk(peer)
        return io.BytesIO(bytes(peer.answer))

    def fileno(self) -> int:
        return _NEVER_READABLE

    def settimeout(self, seconds: Optional[float]) -> None: ...

    def shutdown(self, how: int) -> None: ...

    def close(self) -> None: ...


class _Server:
    """The simulator's end: what the client has sent, and what it is answered."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.answer = bytearray()

    def sendall(self, data: bytes) -> None:
        self.answer += data

    def makefile(self, *_: Any) -> io.BytesIO:
        return io.BytesIO(self._request)

    def settimeout(self, seconds: Optional[float]) -> None: ...


class _PromptPeer(_Peer):
    def _wait(self, response: Response) -> None:
        if response.delay > 0:
            raise AssertionError("an answer that comes late is a matter of sockets: test it without in_process")
