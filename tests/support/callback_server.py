"""A recording stand-in for Jeedom's callback address, on a real port, that can fail in every way.

Smaller and quicker than `simulators/jeedom`: it keeps what arrives and lets a test write each answer itself.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Callable, Optional

from simulators.forms import fields
from tests.support.waiting import PATIENCE_S


@dataclass(frozen=True)
class Received:
    """One request: `at` is `time.monotonic()` when it had arrived whole."""

    at: float
    path: str
    headers: dict[str, str]
    form: dict[str, str]
    size: int

    @property
    def payload(self) -> dict[str, Any]:
        """The payload of the contract."""
        found: dict[str, Any] = json.loads(self.form["payload"])
        return found

    @property
    def events(self) -> list[dict[str, Any]]:
        """Its events."""
        events: list[dict[str, Any]] = self.payload["events"]
        return events


Answer = Callable[["CallbackServer", Received, socket.socket], None]


class CallbackServer:
    """Answers with `answer` (default: an acknowledgement); `script` holds answers for the next requests.

    `requests` is what arrived, `applied` the events as Jeedom would have applied them: once per (boot, sequence).
    """

    def __init__(self, answer: Optional[Answer] = None, keep: bool = True) -> None:
        self.answer: Answer = answer or acknowledge()
        self.script: list[Answer] = []
        self.requests: list[Received] = []
        self.applied: list[dict[str, Any]] = []
        self.repeats = 0
        self.count = 0
        self.connections = 0
        self.changed = threading.Condition()
        self.release = threading.Event()
        self._keep = keep
        self._last: tuple[str, int] = ("", 0)
        self._listener: Optional[socket.socket] = None
        self._open: set[socket.socket] = set()
        self.port = 0

    @property
    def url(self) -> str:
        """Where the daemon is to post."""
        return f"http://127.0.0.1:{self.port}/core/api/jeeApi.php"

    def __enter__(self) -> CallbackServer:
        self.listen()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.release.set()
        self.leave()

    def listen(self) -> None:
        """Opens the port (the same as before)."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="double", daemon=True).start()

    def leave(self) -> None:
        """Closes the port and every connection: nobody is there."""
        listener, self._listener = self._listener, None
        if listener is not None:
            _shut(listener)
            listener.close()
        with self.changed:
            peers = list(self._open)
        for peer in peers:
            _shut(peer)

    def wait_for(self, probe: Callable[[], Any], timeout: float = 5.0) -> Any:
        """What `probe` returns once it is true, looked at after each request."""
        timeout = max(timeout, PATIENCE_S)
        with self.changed:
            if not self.changed.wait_for(probe, timeout):
                raise AssertionError(f"not received within {timeout:g} s; events: {self.applied[-20:]}")
            return probe()

    def wait_events(self, kind: str, count: int = 1, timeout: float = 5.0) -> list[dict[str, Any]]:
        """The applied events of a kind, once there are `count` of them."""
        self.wait_for(lambda: len(self.of(kind)) >= count, timeout)
        return self.of(kind)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The applied events of a kind."""
        return [event for event in self.applied if event["event"] == kind]

    def value(self, equipment: str, command: str) -> Any:
        """The newest value of a command, or None."""
        found = None
        for event in self.of("values"):
            if event["equipment"] == equipment and command in event["values"]:
                found = event["values"][command]
        return found

    def apply(self, received: Received) -> bool:
        """What `event()` does with a payload; False for a repeat."""
        payload = received.payload
        with self.changed:
            identity = (payload["boot"], payload["sequence"])
            if identity == self._last:
                self.repeats += 1
                return False
            self._last = identity
            if self._keep:
                self.applied += payload["events"]
            self.changed.notify_all()
            return True

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(peer,), name="double peer", daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with self.changed:
            self._open.add(peer)
            self.connections += 1
        try:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            received = _receive(peer)
            with self.changed:
                self.count += 1
                if self._keep:
                    self.requests.append(received)
                answer = self.script.pop(0) if self.script else self.answer
                self.changed.notify_all()
            answer(self, received, peer)
        except (OSError, ValueError, IndexError):
            return  # the daemon has gone
        finally:
            with self.changed:
                self._open.discard(peer)
            peer.close()


def _receive(peer: socket.socket) -> Received:
    data = bytearray()
    while b"\r\n\r\n" not in data:
        chunk = peer.recv(65536)
        if not chunk:
            raise ConnectionResetError
        data += chunk
    head, _, body = bytes(data).partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = int(headers.get("content-length", "0"))
    while len(body) < length:
        chunk = peer.recv(65536)
        if not chunk:
            raise ConnectionResetError
        body += chunk
    return Received(time.monotonic(), lines[0].split(" ")[1], headers, fields(body), length)


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster


def http(body: bytes, status: int = 200, headers: str = "", length: Optional[int] = None) -> bytes:
    """The bytes of an HTTP answer; `length` may lie."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status} X\r\nContent-Length: {size}\r\nConnection: close\r\n{headers}\r\n".encode() + body


def acknowledge(**fields: Any) -> Answer:
    """Applies and acknowledges; `fields` are added to the acknowledgement."""

    def answer(server: CallbackServer, received: Received, peer: socket.socket) -> None:
        server.apply(received)
        peer.sendall(http(json.dumps({"ok": True, **fields}).encode()))

    return answer


def raw(data: bytes, applied: bool = False) -> Answer:
    """Sends these bytes; `applied` when Jeedom did its work all the same."""

    def answer(server: CallbackServer, received: Received, peer: socket.socket) -> None:
        if applied:
            server.apply(received)
        peer.sendall(data)

    return answer


def text(body: str, status: int = 200, applied: bool = False) -> Answer:
    """A whole answer that is no acknowledgement."""
    return raw(http(body.encode(), status), applied)


def silence(seconds: float = 60.0, applied: bool = False) -> Answer:
    """Says nothing for `seconds`, or until the server is released, then closes."""

    def answer(server: CallbackServer, received: Received, peer: socket.socket) -> None:
        if applied:
            server.apply(received)
        server.release.wait(seconds)

    return answer


def held(event: threading.Event, **fields: Any) -> Answer:
    """Acknowledges once `event` is set."""

    def answer(server: CallbackServer, received: Received, peer: socket.socket) -> None:
        event.wait(30)
        acknowledge(**fields)(server, received, peer)

    return answer


def late(seconds: float, **fields: Any) -> Answer:
    """Applies at once, acknowledges after `seconds`."""

    def answer(server: CallbackServer, received: Received, peer: socket.socket) -> None:
        server.apply(received)
        server.release.wait(seconds)
        peer.sendall(http(json.dumps({"ok": True, **fields}).encode()))

    return answer


def endless(piece: bytes = b"x" * 65536, head: Optional[bytes] = None, pause: float = 0.0) -> Answer:
    """A body (or whatever follows `head`) that never ends."""

    def answer(server: CallbackServer, received: Received, peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" if head is None else head)
        while not server.release.wait(pause):
            peer.sendall(piece)

    return answer
