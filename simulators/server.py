"""A small HTTP/1.1 server on 127.0.0.1 that can misbehave: what every HTTP simulator is built on.

It keeps connections alive, speaks TLS with a context that can be swapped while it runs, records each
request, counts connections and requests in flight, and can cut, hold back, truncate or stream an answer.
"""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Callable, NamedTuple, Optional, TypeVar
from urllib.parse import parse_qsl, urlsplit

from simulators.forms import fields

HOST = "127.0.0.1"
HANDSHAKE_LIMIT = 10.0  # s
_MAX_LINE = 65536  # bytes
log = logging.getLogger(__name__)


class Seen(NamedTuple):
    """One request as it was received: `at` is `time.monotonic()` of its arrival, `status` 0 = no answer."""

    at: float
    method: str
    path: str
    status: int


@dataclass(frozen=True)
class Request:
    """One request. `target` is what the client asked for, `path` and `query` its two parts."""

    method: str
    target: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body read as JSON (`None` for an empty one). Raises ValueError."""
        return json.loads(self.body) if self.body else None

    def form(self) -> dict[str, str]:
        """The body read as a URL-encoded form."""
        return fields(self.body)

    def cookies(self) -> dict[str, str]:
        """The cookies that the client sent back."""
        pairs = (part.strip().partition("=") for part in self.headers.get("Cookie", "").split(";"))
        return {name: value for name, _, value in pairs if name}


@dataclass
class Response:
    """An answer and how it travels.

    `how`: `whole`, `truncated` (announces all, sends half, closes), `drop` (closes without a byte) or
    `hang` (says nothing for `delay` seconds, then closes). `delay` (s) holds a whole answer back. Both end
    early when `cancel` is set. `stream` sends its chunks until it ends or the client goes.
    """

    status: int = 200
    body: bytes = b""
    content_type: Optional[str] = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
    chunked: bool = False
    stream: Optional[Iterable[bytes]] = None
    how: str = "whole"
    delay: float = 0.0
    cancel: Optional[threading.Event] = None

    @classmethod
    def of_json(cls, value: Any, status: int = 200) -> Response:
        """An answer of JSON."""
        return cls(status, json.dumps(value, ensure_ascii=False).encode())

    @classmethod
    def of_text(cls, text: str, status: int = 200, content_type: str = "text/plain") -> Response:
        """An answer of text in UTF-8."""
        return cls(status, text.encode(), content_type)

    @classmethod
    def of_html(cls, text: str, status: int = 200) -> Response:
        """An answer of HTML."""
        return cls.of_text(text, status, "text/html")


Answer = Callable[[Request], Response]


R = TypeVar("R", bound="Running")


class Running:
    """What is started and ended by `with`."""

    def start(self) -> None:
        """Begin."""
        raise NotImplementedError

    def close(self) -> None:
        """End for good."""
        raise NotImplementedError

    def __enter__(self: R) -> R:
        self.start()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


class LoopbackServer(Running):
    """Serves `answer` from threads of its own, on 127.0.0.1 or another loopback address; `with` starts and stops it.

    `requests` holds what arrived; `connections`, `tls_connections` and `tls_failures` count since the
    start; `in_flight` and `max_in_flight` count requests received and not yet answered.
    """

    def __init__(
        self,
        answer: Answer,
        *,
        port: int = 0,
        tls: Optional[ssl.SSLContext] = None,
        name: str = "simulator",
        server_header: str = "simulator",
        idle_limit: float = 75.0,
        date: Callable[[], float] = time.time,
        host: str = HOST,
    ) -> None:
        """`date`: epoch seconds for the header `Date`."""
        self.host = host
        self.answer = answer
        self.tls = tls
        self.name = name
        self.server_header = server_header
        self.idle_limit = idle_limit
        self.date = date
        self.requests: list[Seen] = []
        self.connections = 0
        self.tls_connections = 0
        self.tls_failures = 0
        self.in_flight = 0
        self.max_in_flight = 0
        self.bytes_sent = 0
        self.lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: Optional[socket.socket] = None
        self._held: Optional[socket.socket] = None
        """Keeps the port while nobody listens."""
        self._timer: Optional[threading.Timer] = None
        self.closing = threading.Event()
        self.port = port

    @property
    def url(self) -> str:
        """The base address, without a slash at the end."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    @property
    def listening(self) -> bool:
        """Whether its port is open now."""
        return self._listener is not None

    @property
    def open_connections(self) -> int:
        """How many clients are connected now."""
        with self.lock:
            return len(self._open)

    def start(self) -> None:
        """Listen, on the port asked for or, with 0, on a free one. Raises OSError when it is taken."""
        listener = self._bound()
        self._let_go()
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name=self.name, daemon=True).start()

    def suspend(self, seconds: Optional[float] = None) -> None:
        """Close the port and every connection, for `seconds` or until `resume`; nobody else gets the port meanwhile."""
        self._stop_listening()
        self.drop_connections()
        with suppress(OSError):
            self._held = self._bound()
        if seconds is not None:
            self._timer = threading.Timer(seconds, self.resume)
            self._timer.daemon = True
            self._timer.start()

    def resume(self) -> None:
        """Listen again on the same port."""
        if self._listener is None and not self.closing.is_set():
            self.start()

    def move(self, host: str) -> None:
        """Answer at another loopback address from now on, on the same port, as after a new lease."""
        self._stop_listening()
        self._let_go()
        self.drop_connections()
        self.host = host
        self.start()

    def drop_connections(self) -> None:
        """Cut every open connection without a word."""
        with self.lock:
            handles = list(self._open)
        for handle in handles:
            _shut(handle)

    def close(self) -> None:
        """Stop for good."""
        self.closing.set()
        if self._timer is not None:
            self._timer.cancel()
        self._stop_listening()
        self._let_go()
        self.drop_connections()

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def _bound(self) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((self.host, self.port))
        except OSError:
            bound.close()
            raise
        return bound

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            _shut(listener)  # wakes the thread that accepts
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # closed by `suspend` or `close`
            threading.Thread(target=self._talk, args=(client,), name=f"{self.name} peer", daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        # The duplicate lets another thread cut the connection while TLS owns the first descriptor.
        handle = client.dup()
        with self.lock:
            self.connections += 1
            self._open.add(handle)
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = self._secured(client)
            _Peer(client, (self.host, 0), self)  # type: ignore[arg-type]
        except (OSError, ValueError) as error:
            log.debug("%s: connection ended: %s", self.name, error)
        finally:
            _shut(handle)
            with self.lock:
                self._open.discard(handle)
            handle.close()
            client.close()

    def _secured(self, client: socket.socket) -> socket.socket:
        if self.tls is None:
            return client
        client.settimeout(HANDSHAKE_LIMIT)
        try:
            secured = self.tls.wrap_socket(client, server_side=True)
        except OSError:
            with self.lock:
                self.tls_failures += 1
            raise
        with self.lock:
            self.tls_connections += 1
        return secured

    def answer_guarded(self, request: Request) -> Response:
        """Ask `answer`; a mistake in it is logged and answered with 500."""
        try:
            return self.answer(request)
        except Exception as error:
            log.exception("%s: %s %s", self.name, request.method, request.target)
            return Response.of_text(f"{type(error).__name__}: {error}", 500)


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster


class Headers(dict[str, str]):
    """The headers of a request by their names, whatever their case."""

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name.lower(), value)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a header."""
        return super().get(name.lower(), default)


class _Peer(BaseHTTPRequestHandler):
    """One connection: reads requests until it ends."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.owner: LoopbackServer = self.server  # type: ignore[assignment]
        self.timeout = self.owner.idle_limit  # type: ignore[misc]
        super().setup()

    def parse_request(self) -> bool:
        """As the standard library, whose headers are parsed as an e-mail's: they took a quarter of a request's time."""
        words = self.raw_requestline.decode("latin-1").split()
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            self.close_connection = True
            return False
        self.command, self.path, self.request_version = words
        self.requestline = " ".join(words)
        self.headers = Headers()  # type: ignore[assignment]
        while (line := self.rfile.readline(_MAX_LINE)) not in (b"\r\n", b"\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            self.headers[name.strip()] = value.strip()
        self.close_connection = self.headers.get("Connection", "").lower() == "close" or words[2] == "HTTP/1.0"
        return True

    def version_string(self) -> str:
        return self.owner.server_header

    def log_message(self, format: str, *args: Any) -> None:
        log.debug("%s: %s", self.owner.name, format % args)

    def _serve(self) -> None:
        owner = self.owner
        at = time.monotonic()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(self.command, self.path, parts.path, query, self.headers, body)  # type: ignore[arg-type]
        with owner.lock:
            owner.in_flight += 1
            owner.max_in_flight = max(owner.max_in_flight, owner.in_flight)
        response = Response(how="drop")
        try:
            response = owner.answer_guarded(request)
            self._wait(response)
        finally:
            with owner.lock:
                owner.in_flight -= 1
                status = response.status if response.how in ("whole", "truncated") else 0
                owner.requests.append(Seen(at, request.method, request.target, status))
        self._send(request, response)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve

    def _wait(self, response: Response) -> None:
        if response.delay > 0:
            (response.cancel or self.owner.closing).wait(response.delay)

    def _send(self, request: Request, response: Response) -> None:
        if response.how in ("drop", "hang") or self.owner.closing.is_set():
            self.close_connection = True
            return
        if response.how == "truncated" or response.stream is not None:
            self.close_connection = True
        data = self._head(response)
        if request.method != "HEAD":
            data += self._body(response)
        self._write(data)
        if response.stream is not None:
            self._write_all(iter(response.stream))

    def _head(self, response: Response) -> bytes:
        reason = self.responses.get(response.status, ("",))[0]
        lines = [
            f"HTTP/1.1 {response.status} {reason}",
            f"Server: {self.version_string()}",
            f"Date: {self.date_time_string(self.owner.date())}",
        ]
        if response.content_type:
            lines.append(f"Content-Type: {response.content_type}")
        if response.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif response.stream is None:
            lines.append(f"Content-Length: {len(response.body)}")
        lines.append(f"Connection: {'close' if self.close_connection else 'keep-alive'}")
        lines += [f"{name}: {value}" for name, value in response.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    @staticmethod
    def _body(response: Response) -> bytes:
        body = response.body
        if response.chunked:
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        return body[: len(body) // 2] if response.how == "truncated" else body

    def _write(self, data: bytes) -> None:
        self.wfile.write(data)
        with self.owner.lock:
            self.owner.bytes_sent += len(data)

    def _write_all(self, chunks: Iterator[bytes]) -> None:
        for chunk in chunks:
            if self.owner.closing.is_set():
                return
            self._write(chunk)
