"""One connection to the SignalR hub, used once.

Only the library's messages and protocol are used, not its hub, transport or reconnection: a connection object that is
started a second time stays silent while its pings flow. Records are parsed here, so that a damaged or unknown one is
skipped alone, and no token gets into an invocation or a log line.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Mapping
from typing import Any, Callable

import websocket
from signalrcore.messages.invocation_message import InvocationMessage
from signalrcore.messages.ping_message import PingMessage
from signalrcore.protocol.json_hub_protocol import JsonHubProtocol

from jeedom_bridge.http import Response
from jeedom_bridge.json_reader import loads

from ...base import DeviceError, Unreachable
from ..client import USER_AGENT, status_error
from ..mapping import PRIVATE
from .channel import Channel, TooLong, UpgradeRefused

_LOG = logging.getLogger(__name__)
_RECORD_LOG = logging.getLogger("signalr")
"""Logs every record, pings included. Named like a library's logger: shown with extended debug only."""

PROTOCOL = JsonHubProtocol()
SEPARATOR = PROTOCOL.record_separator
MAX_RECORD_CHARS = 1_000_000
"""Longest record in characters."""

# We log records ourselves; the library would log each one again.
logging.getLogger("SignalRCoreClient").setLevel(logging.CRITICAL)

Record = Mapping[str, Any]


class Records:
    """Splits messages into records: a message may hold several, and part of one."""

    def __init__(self) -> None:
        self._parts: list[str] = []  # joined once: joining at each message would be quadratic
        self._size = 0
        self.damaged = 0

    def feed(self, text: str) -> list[Record]:
        """Returns the records completed by this text; counts and skips those that are not JSON objects."""
        head, *others = text.split(SEPARATOR)
        self._keep(head)
        if not others:
            return []
        whole = ["".join(self._parts), *others[:-1]]
        self._parts, self._size = [], 0
        self._keep(others[-1])
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

    def _keep(self, part: str) -> None:
        if not part:
            return
        self._parts.append(part)
        self._size += len(part)
        if self._size > MAX_RECORD_CHARS:
            self._parts, self._size = [], 0
            self.damaged += 1


class Stream:
    """One stream. Its own thread calls `on_open` after the handshake, `on_record`, and `on_end(error)` once.

    It calls `on_read()` whenever all available data has been read; data that arrives meanwhile is read together.
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
        self.token = token
        self.open = False
        self.records = Records()
        self._channel = Channel(url, headers)
        self._tell_open, self._tell_record, self._tell_end = on_open, on_record, on_end
        self._tell_read = on_read
        self._ended = threading.Lock()
        self._closing = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Connects in a thread of its own; the callbacks report the outcome."""
        self._thread = threading.Thread(target=self._run, name="easee stream", daemon=True)
        self._thread.start()

    def subscribe(self, serial: str, number: str) -> None:
        """Subscribes to all values of a charger, starting with the present ones."""
        self._invoke(number, "SubscribeWithCurrentState", [serial, True])

    def unsubscribe(self, serial: str, number: str) -> None:
        """Ends a subscription."""
        self._invoke(number, "Unsubscribe", [serial])

    def ping(self) -> None:
        """Sends a ping: the server closes a stream that is silent for 30 s."""
        self.send(PingMessage())

    def close(self, limit: float = 2.0) -> None:
        """Closes it; waits `limit` seconds for its thread. No callback is made after this."""
        self._closing = True
        self._ended.acquire(blocking=False)
        self._channel.abort()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(limit)

    def send(self, message: Any) -> None:
        """Sends a message; a failure is reported by `on_end`."""
        text = json.dumps(_content(message), separators=(",", ":")) + SEPARATOR
        _RECORD_LOG.debug("sent %s", text)
        try:
            self._channel.send(text)
        except (websocket.WebSocketException, OSError) as error:
            self._end(error)

    def _invoke(self, number: str, target: str, arguments: list[Any]) -> None:
        self.send(InvocationMessage(number, target, arguments, headers={}))

    # In the stream's own thread.

    def _run(self) -> None:
        channel = self._channel
        try:
            channel.open()
            self.send(PROTOCOL.handshake_message())
            while not self._closing:
                text = channel.read()
                if text is None:
                    break
                self.take(text)
                if not channel.more():
                    self._tell_read()
            self._end(None)
        except Exception as error:  # whatever it is, the session must learn of the end
            self._end(error)
        finally:
            channel.close()

    def take(self, text: str) -> None:
        """Handles the records that a message completes."""
        for record in self.records.feed(text):
            if self._closing:
                return
            if _RECORD_LOG.isEnabledFor(logging.DEBUG):
                _RECORD_LOG.debug("received %s", _shown(record))
            try:
                self._take(record)
            except Exception:
                _LOG.exception("a record of the stream could not be used")

    def _take(self, record: Record) -> None:
        if not self.open:
            if record.get("error"):
                _LOG.debug("stream: handshake: %s", str(record["error"])[:200])
                self._end(Unreachable("Easee refuse d'ouvrir le flux, nouvel essai automatique"))
                return
            self.open = True
            self._tell_open(self)
            if "type" not in record:
                return
        if record.get("type") == 7:
            _LOG.debug("stream: closed: %s", str(record.get("error") or "")[:200])
            self._end(Unreachable("Easee a fermé le flux, nouvel essai automatique"))
            return
        self._tell_record(self, record)

    def _end(self, error: Exception | None) -> None:
        if not self._ended.acquire(blocking=False):
            return  # already reported, or closed by us
        self._closing = True
        self._channel.abort()
        self._tell_end(self, _reason(error))


def _reason(error: Exception | None) -> DeviceError:
    if isinstance(error, DeviceError):
        return error
    if isinstance(error, UpgradeRefused):
        return status_error(Response(error.status, dict(error.headers), b""), "flux")
    if isinstance(error, TooLong):
        return Unreachable(
            "Le flux Easee a été coupé : plus de {size} ko reçus d'un message sans fin", size=error.limit // 1024
        )
    if isinstance(error, (websocket.WebSocketTimeoutException, socket.timeout)):
        return Unreachable("Le flux Easee ne répond plus")
    if error is None or isinstance(error, websocket.WebSocketConnectionClosedException):
        return Unreachable("Easee a fermé le flux sans prévenir")
    words = getattr(error, "strerror", None) or type(error).__name__
    return Unreachable("Le flux Easee est interrompu", error=words)


def _content(message: Any) -> dict[str, Any]:
    """Converts a message of the library to JSON content, without headers: they could hold a token."""
    if isinstance(message, InvocationMessage):
        content: dict[str, Any] = {"type": 1}
        if message.invocation_id is not None:
            content["invocationId"] = message.invocation_id
        return {**content, "target": message.target, "arguments": message.arguments}
    if isinstance(message, PingMessage):
        return {"type": 6}
    return {"protocol": message.protocol, "version": message.version}


def _shown(record: Record) -> str:
    """Formats a record for the log, without personal data."""
    text = json.dumps(record, ensure_ascii=False)
    arguments = record.get("arguments")
    if isinstance(arguments, list):
        private = [each for each in arguments if isinstance(each, dict) and each.get("id") in PRIVATE]
        if private or any(isinstance(each, list) for each in arguments):
            numbers = ", ".join(str(each.get("id")) for each in private)
            return f"{record.get('target')} (observation {numbers}, not shown)"
    return text[:2000]
