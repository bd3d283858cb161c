"""One connection to the SignalR hub: opened once, used, and thrown away.

The library's transport is used without its hub and without its reconnection: a connection object that is started
a second time stays silent for ever while its pings flow. Records are read here, so that a damaged or unknown one
costs only itself, and so that no token stands in an invocation or a log line.
"""

from __future__ import annotations

import json
import logging
import select
import socket
import ssl
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any, Callable

import websocket
from signalrcore.messages.invocation_message import InvocationMessage
from signalrcore.messages.ping_message import PingMessage
from signalrcore.protocol.json_hub_protocol import JsonHubProtocol
from signalrcore.transport.websockets.websocket_transport import WebsocketTransport

from jeedom_bridge.http import Response
from jeedom_bridge.json_reader import loads

from ..base import DeviceError, Unreachable
from .client import USER_AGENT, status_error
from .mapping import PRIVATE

_LOG = logging.getLogger(__name__)
_WIRE = logging.getLogger("signalr")
"""Every record, pings included. Not one of our own loggers: its lines show with extended debug only."""

SEPARATOR = "\x1e"
IO_LIMIT = 15.0
"""Seconds for the connection, the upgrade, or half a frame."""
READ_LIMIT = 120.0
CHUNK = 16384
MAX_REST = 1_000_000
"""Characters of a record that does not end."""

# Ours tells what happens; the library would write tracebacks of ordinary ends, and every record twice.
logging.getLogger("SignalRCoreClient").setLevel(logging.CRITICAL)
logging.getLogger("websocket").setLevel(logging.CRITICAL)

Record = Mapping[str, Any]


class Records:
    """Splits what arrives into records: a frame may hold several, and a part of one."""

    def __init__(self) -> None:
        self._rest = ""
        self.damaged = 0

    def feed(self, text: str) -> list[Record]:
        """The whole records that this text completes; what is no JSON object is counted and left out."""
        *whole, self._rest = (self._rest + text).split(SEPARATOR)
        if len(self._rest) > MAX_REST:
            self._rest = ""
            self.damaged += 1
        found: list[Record] = []
        for part in whole:
            try:
                record = loads(part) if part.strip() else {}
            except ValueError:
                record = None
            if isinstance(record, dict):
                found.append(record)
            else:
                self.damaged += 1
        return found


class _Reader:
    """Reads frame after frame. The library's own way makes and ends a selector, and reads thrice, for each.

    `on_read()` each time that all there is has been read.
    """

    def __init__(self, app: Any, on_read: Callable[[], None]) -> None:
        self._app = app
        self._on_read = on_read

    def read(self, _sock: Any, frame: Callable[[], Any], _check: Callable[[], Any]) -> None:
        """Until the end. Silence is the link's business, which shuts the socket long before the limit here."""
        # A limit all the same: without one a TLS socket stays locked while it reads, and nothing can be sent.
        self._app.sock.settimeout(READ_LIMIT)
        buffer = self._app.sock.frame_buffer
        buffer.recv = received = _Buffered(buffer.recv, self._app.sock.sock)
        while self._app.keep_running and frame():
            if not received.more():
                self._on_read()
        if self._app.sock is not None:
            self._app.sock.shutdown()  # when we end it ourselves, the library does not


class _Buffered:
    """Reads as much as there is, and hands it out in pieces."""

    def __init__(self, receive: Callable[[int], bytes], sock: socket.socket) -> None:
        self._receive = receive
        self._sock = sock
        self._rest = b""
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def __call__(self, size: int) -> bytes:
        data = self._rest or self._receive(CHUNK)
        self._rest = data[size:]
        return data[:size]

    def more(self) -> bool:
        """Whether there is something to read without waiting. TLS hands out one record at a time."""
        if self._rest or (isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()):
            return True
        return bool(self._poll.poll(0))


class _App(websocket.WebSocketApp):  # type: ignore[misc]
    """Follows no redirect: the library would take the token along to any host, and unencrypted."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "sock" and value is not None:
            value.connect = partial(value.connect, redirect_limit=0)
        super().__setattr__(name, value)


class Stream(WebsocketTransport):  # type: ignore[misc]
    """`on_open()` after the handshake, `on_record(record)`, `on_end(error)` once; from the stream's own thread.

    `on_read()` is called there each time that all there is has been read; what comes while it lasts is read together.
    """

    def __init__(
        self,
        url: str,
        token: str,
        cookies: str,
        on_open: Callable[[Stream], None],
        on_record: Callable[[Stream, Record], None],
        on_end: Callable[[Stream, DeviceError], None],
        on_read: Callable[[], None] = lambda: None,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT}
        if cookies:
            headers["Cookie"] = cookies
        super().__init__(url=url, headers=headers, skip_negotiation=True, verify_ssl=True, protocol=JsonHubProtocol())
        self.token = token
        self.open = False
        self.records = Records()
        self._tell_open, self._tell_record, self._tell_end = on_open, on_record, on_end
        self._tell_read = on_read
        self._ended = threading.Lock()
        self._closing = False

    def start(self) -> None:
        """Connects in a thread of its own; what becomes of it is told by the callbacks."""
        # The only way to give the library a limit: without one a connection can hang for ever.
        websocket.setdefaulttimeout(IO_LIMIT)
        self._ws = app = _App(
            self.url,
            header=self.headers,
            on_open=self.on_open,
            on_message=self.on_message,
            on_error=self.on_socket_error,
            on_close=self.on_close,
        )
        self._thread = threading.Thread(
            target=app.run_forever,
            # The library would look at each byte in Python, a third of an observation's cost, and decode afterwards.
            kwargs={"dispatcher": _Reader(app, self._tell_read), "skip_utf8_validation": True},
            name="easee stream",
            daemon=True,
        )
        self._thread.start()

    def subscribe(self, serial: str, number: str) -> None:
        """Asks for all values of a charger, now and from now on."""
        self._invoke(number, "SubscribeWithCurrentState", [serial, True])

    def unsubscribe(self, serial: str, number: str) -> None:
        """Ends that."""
        self._invoke(number, "Unsubscribe", [serial])

    def ping(self) -> None:
        """Keeps the server from closing: it does after 30 s without a word."""
        self.send(PingMessage())

    def close(self, limit: float = 2.0) -> None:
        """Ends it without a word; waits for its thread for `limit` s. No callback comes after this."""
        self._closing = True
        self._ended.acquire(blocking=False)
        app = self._ws
        if app is not None:
            app.keep_running = False
            _shut(app)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(limit)

    def send(self, message: Any) -> None:
        """Sends one message. A failure is told by `on_end`."""
        text = json.dumps(_content(message), separators=(",", ":")) + SEPARATOR
        _WIRE.debug("sent %s", text)
        try:
            self._ws.send(text)
        except (websocket.WebSocketException, OSError, AttributeError) as error:
            self._end(error)

    def _invoke(self, number: str, target: str, arguments: list[Any]) -> None:
        self.send(InvocationMessage(number, target, arguments, headers={}))

    # What the library calls, in its thread.

    def on_open(self, app: Any) -> None:
        if self._closing:
            _shut(app)
            return
        answer = app.sock.handshake_response
        if answer.status != 101:
            self._end(status_error(Response(int(answer.status), {}, b""), "flux"))
            return
        # Pings are sent from another thread than answers to the server's own.
        app.sock.lock = threading.Lock()
        self.send(self.protocol.handshake_message())

    def on_message(self, app: Any, raw: Any) -> None:
        if self._closing:
            return
        text = raw if isinstance(raw, str) else bytes(raw).decode("utf-8", "replace")
        for record in self.records.feed(text):
            if _WIRE.isEnabledFor(logging.DEBUG):
                _WIRE.debug("received %s", _shown(record))
            try:
                self._take(record)
            except Exception:
                _LOG.exception("a record of the stream could not be used")

    def _take(self, record: Record) -> None:
        if not self.open:
            if record.get("error"):
                words = str(record["error"])[:200]
                self._end(Unreachable("Easee refuse le protocole du flux : {reason}", reason=words))
                return
            self.open = True
            self._tell_open(self)
            if "type" not in record:
                return
        if record.get("type") == 7:
            words = str(record.get("error") or "")[:200]
            self._end(Unreachable("Easee a fermé le flux ({reason})", reason=words or "sans raison"))
            return
        self._tell_record(self, record)

    def on_socket_error(self, app: Any, error: Any) -> None:
        self._end(error)

    def on_close(self, app: Any, code: Any, words: Any) -> None:
        self._end(None)
        if app.sock is not None:
            app.sock.shutdown()  # after a close frame the library leaves the socket open

    def _end(self, error: Any) -> None:
        if not self._ended.acquire(blocking=False):
            return  # the library tells some ends twice
        self._closing = True
        app = self._ws
        if app is not None:
            app.keep_running = False
            _shut(app)
        self._tell_end(self, _reason(error))


def _shut(app: Any) -> None:
    """Wakes a thread that reads or writes; closing alone does not."""
    inner = getattr(app.sock, "sock", None)
    if inner is not None:
        try:
            inner.shutdown(socket.SHUT_RDWR)
        except (OSError, ValueError):
            return  # it was closed before


def _reason(error: Any) -> DeviceError:
    if isinstance(error, DeviceError):
        return error
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        headers = {
            str(name).lower(): str(value) for name, value in (getattr(error, "resp_headers", None) or {}).items()
        }
        found = status_error(Response(status, headers, b""), "flux")
        if isinstance(found, DeviceError):
            return found
    if isinstance(error, (websocket.WebSocketTimeoutException, socket.timeout)):
        return Unreachable("Le flux Easee ne répond plus")
    if error is None or isinstance(error, websocket.WebSocketConnectionClosedException):
        return Unreachable("Easee a fermé le flux sans prévenir")
    words = getattr(error, "strerror", None) or type(error).__name__
    return Unreachable("Le flux Easee est interrompu ({error})", error=words)


def _content(message: Any) -> dict[str, Any]:
    """A message of the library as the wire wants it, without headers: a token has no place there."""
    if isinstance(message, InvocationMessage):
        content: dict[str, Any] = {"type": 1}
        if message.invocation_id is not None:
            content["invocationId"] = message.invocation_id
        return {**content, "target": message.target, "arguments": message.arguments}
    if isinstance(message, PingMessage):
        return {"type": 6}
    return {"protocol": message.protocol, "version": message.version}


def _shown(record: Record) -> str:
    """A record for the log, without what belongs to a person."""
    text = json.dumps(record, ensure_ascii=False)
    arguments = record.get("arguments")
    if isinstance(arguments, list):
        private = [each for each in arguments if isinstance(each, dict) and each.get("id") in PRIVATE]
        if private or any(isinstance(each, list) for each in arguments):
            numbers = ", ".join(str(each.get("id")) for each in private)
            return f"{record.get('target')} (observation {numbers}, not shown)"
    return text[:2000]
