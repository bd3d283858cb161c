"""The websocket of a stream: opened once, read message by message, with limits on size and time.

The library does framing and handshake; the socket is our own, since the library reads without limit: a frame announced
as 2^40 bytes, or an endless header or refusal, would be buffered until memory is full.
"""

from __future__ import annotations

import logging
import select
import socket
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import websocket
from websocket import ABNF

_LOG = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 15.0
"""Timeout of each wait while connecting, upgrade included, in seconds."""
READ_TIMEOUT_S = 60.0
"""Timeout of each later wait, also to send, in seconds. The stream session closes a silent socket earlier."""
MAX_HEAD_BYTES = 256 * 1024
"""Bytes before the first frame: the answer to the upgrade, or the page of a refusal."""
MAX_MESSAGE_BYTES = 2 * 1024 * 1024
"""Bytes of one message with all its fragments. The largest seen is a replay of about 100 kB."""
PIECE_COST_BYTES = 64
"""Bytes counted in addition for each fragment and each read: their minimum cost in memory and work."""
CHUNK_BYTES = 16384
MAX_CONTROL_BYTES = 125

# We log ends ourselves; the library would log each ordinary end as an error.
logging.getLogger("websocket").setLevel(logging.CRITICAL)


class TooLong(Exception):
    """The server sent more than `limit` bytes without completing a message."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} bytes without an end")
        self.limit = limit


class UpgradeRefused(Exception):
    """The server answered the upgrade with a status other than 101. Header names are in lower case."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.headers = headers


class LimitedSocket:
    """A buffered socket that counts what it returns.

    Raises TooLong once `used` exceeds `limit`; the reader resets `used` after each complete message.
    """

    def __init__(self, sock: socket.socket, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._sock = sock
        self._rest = b""
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def recv(self, size: int) -> bytes:
        """Returns 1 to `size` bytes. Raises TooLong, OSError, or WebSocketConnectionClosedException at the end."""
        if not self._rest:
            self._rest = self._sock.recv(CHUNK_BYTES)
            self.used += PIECE_COST_BYTES
            if not self._rest:
                raise websocket.WebSocketConnectionClosedException("the server has closed the connection")
        data, self._rest = self._rest[:size], self._rest[size:]
        self.used += len(data)
        if self.used > self.limit:
            raise TooLong(self.limit)
        return data

    def more(self) -> bool:
        """True if there is data to read without waiting. TLS returns one record at a time."""
        if self._rest or (isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()):
            return True
        return bool(self._poll.poll(0))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Channel:
    """A websocket. `open`, `read` and `close` belong to one thread; `send` and `abort` may be called by any."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url
        self._headers = dict(headers)
        self._raw: socket.socket | None = None
        self._aborted = False
        # Skipping validation: the library checks each byte in Python, a third of the cost of an observation.
        self._socket: Any = websocket.WebSocket(enable_multithread=True, skip_utf8_validation=True)
        self._limited: LimitedSocket | None = None

    def open(self) -> None:
        """Connects and upgrades; follows no redirect, which would send the token to another host.

        Raises UpgradeRefused, TooLong, websocket.WebSocketException, OSError, and ValueError if the URL is not valid.
        """
        limited = self._limited = LimitedSocket(self._connected(), MAX_HEAD_BYTES)
        try:
            self._socket.connect(self._url, socket=limited, header=self._headers, redirect_limit=0)
        except websocket.WebSocketBadStatusException as error:
            raise UpgradeRefused(error.status_code, _lowered(error.resp_headers)) from error
        except websocket.WebSocketException as error:
            self._look_at_status(error)
            raise
        self._look_at_status(None)
        limited.settimeout(READ_TIMEOUT_S)
        limited.limit, limited.used = MAX_MESSAGE_BYTES, 0
        # Direct: the library checks the timeout twice for each of the three reads of a frame.
        self._socket.frame_buffer.recv = limited.recv

    def read(self) -> str | None:
        """Returns the next complete message; None if the server closes the stream.

        Raises TooLong, WebSocketException, OSError, or UnicodeDecodeError if the text is not UTF-8.
        """
        limited = self._limited
        assert limited is not None
        parts: list[bytes] = []
        begun = False
        while True:
            before = limited.used
            frame = self._socket.recv_frame()
            code = frame.opcode
            if code in (ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY, ABNF.OPCODE_CONT):
                if begun != (code == ABNF.OPCODE_CONT):
                    raise websocket.WebSocketProtocolException("a fragment out of order")
                begun = True
                limited.used += PIECE_COST_BYTES
                if frame.data:
                    parts.append(frame.data)
                if frame.fin:
                    limited.used = 0
                    return b"".join(parts).decode()
                continue
            if len(frame.data) > MAX_CONTROL_BYTES:
                raise websocket.WebSocketProtocolException("a control frame is too long")
            if code == ABNF.OPCODE_CLOSE:
                self._answer_close()
                return None
            if code == ABNF.OPCODE_PING:
                self._socket.pong(frame.data)
            limited.used = before  # control frames are not buffered: a stream may consist of pings alone

    def more(self) -> bool:
        """True if there is data to read without waiting."""
        return self._limited is not None and self._limited.more()

    def send(self, text: str) -> None:
        """Sends a text message. Raises WebSocketException or OSError."""
        self._socket.send(text)

    def abort(self) -> None:
        """Interrupts a thread that is reading or writing; closing alone would not."""
        self._aborted = True
        raw = self._raw
        if raw is not None:
            try:
                # Not SSLSocket.shutdown, which first turns off TLS for a thread that is writing.
                socket.socket.shutdown(raw, socket.SHUT_RDWR)
            except (OSError, ValueError):
                return  # already closed

    def close(self) -> None:
        """Closes the connection without a close frame."""
        self._socket.shutdown()
        if self._raw is not None:
            self._raw.close()

    def _connected(self) -> socket.socket:
        parts = urlsplit(self._url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise ValueError("not the URL of a websocket")
        secure = parts.scheme == "wss"
        port = parts.port or (443 if secure else 80)
        # Our own connection: the library would use the proxy of the environment.
        raw = self._raw = socket.create_connection((parts.hostname, port), CONNECT_TIMEOUT_S)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            context = ssl.create_default_context()
            raw = self._raw = context.wrap_socket(raw, server_hostname=parts.hostname, do_handshake_on_connect=False)
        if self._aborted:
            raise ConnectionAbortedError("ended while it was opened")
        if isinstance(raw, ssl.SSLSocket):
            raw.do_handshake()
        return raw

    def _look_at_status(self, cause: Exception | None) -> None:
        status = self._socket.getstatus()
        if status is not None and status != 101:
            raise UpgradeRefused(status, _lowered(self._socket.getheaders())) from cause

    def _answer_close(self) -> None:
        try:
            self._socket.send_close()
        except (websocket.WebSocketException, OSError) as error:
            _LOG.debug("the end could not be confirmed: %s", error)


def _lowered(headers: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in (headers or {}).items()}
