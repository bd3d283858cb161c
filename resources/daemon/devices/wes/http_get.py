"""One GET on one connection, for the web server of a WES: without length, the body ends when it closes.

Smaller than an HTTP library on purpose: a poll each second must cost next to nothing, and one deadline covers every
wait, that for the header included.
"""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass

from jeedom_bridge.http.errors import (
    BadAnswer,
    BrokenOff,
    ClosedUnanswered,
    DeadlineExceeded,
    ReadTimeout,
    TooLong,
    classified,
)

MAX_HEAD_BYTES = 16 * 1024
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,9})[ \t]*\r?$", re.I | re.M)
_CHUNKED = re.compile(rb"^transfer-encoding:[ \t]*chunked[ \t]*\r?$", re.I | re.M)
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)\b")


@dataclass(frozen=True)
class Limits:
    """Timeouts in seconds to connect, without a byte, and in total; `size`: bytes of the body."""

    connect: float
    read: float
    total: float
    size: int


@dataclass
class _Answer:
    """An answer while it is received."""

    data: bytearray
    body_at: int = 0
    status: int = 0
    length: int | None = None
    chunked: bool = False

    def add(self, chunk: bytes, limits: Limits) -> bool:
        """Takes more bytes; True if the answer is known to be complete. Raises TooLong or BadAnswer."""
        self.data += chunk
        if not self.body_at:
            self._head()
        size = len(self.data) - self.body_at
        if size > (limits.size if self.body_at else MAX_HEAD_BYTES):
            raise TooLong(f"an answer of more than {limits.size // 1024} kB")
        if not self.body_at:
            return False
        if self.chunked:
            return self.data.endswith(b"\r\n0\r\n\r\n")
        return self.length is not None and size >= self.length

    def _head(self) -> None:
        end = _HEAD_END.search(self.data)
        if end is None:
            return
        head = bytes(self.data[: end.start()])
        status = _STATUS.match(head)
        if status is None:
            raise BadAnswer("no HTTP answer")
        length = _LENGTH.search(head)
        self.status, self.body_at = int(status.group(1)), end.end()
        self.length = int(length.group(1)) if length else None
        self.chunked = _CHUNKED.search(head) is not None

    def body(self) -> bytes:
        """Returns the body received so far."""
        data = bytes(self.data[self.body_at :])
        if self.chunked:
            return _dechunked(data)
        return data if self.length is None else data[: self.length]


def get(host: str, port: int, path: str, headers: str, limits: Limits) -> tuple[int, bytes]:
    """Returns (status, body) at `path`; `headers`: lines with line ends. Raises HttpError."""
    end = time.monotonic() + limits.total
    sent = False
    try:
        with socket.create_connection((host, port), min(limits.connect, limits.total)) as sock:
            name = f"[{host}]" if ":" in host else host
            where = name if port == 80 else f"{name}:{port}"
            request = f"GET /{path} HTTP/1.1\r\nHost: {where}\r\n{headers}Connection: close\r\n\r\n"
            raw = request.encode("ascii")
            sent = True
            sock.sendall(raw)
            return _receive(sock, limits, end)
    except (OSError, UnicodeError) as error:
        raise classified(error, sent=sent, connect=limits.connect, read=limits.read) from error


def _receive(sock: socket.socket, limits: Limits, end: float) -> tuple[int, bytes]:
    answer = _Answer(bytearray())
    while True:
        rest = end - time.monotonic()
        if rest <= 0:
            raise DeadlineExceeded(f"the answer did not end within {limits.total:g} s")
        sock.settimeout(min(limits.read, rest))
        try:
            chunk = sock.recv(65536)
        except socket.timeout:
            if limits.read > rest:
                continue
            raise ReadTimeout(f"nothing within {limits.read:g} s") from None
        except ConnectionResetError:
            # Some firmware closes like this; the end of the page shows whether it is complete.
            if answer.body_at and (answer.length is not None or answer.chunked):
                raise BrokenOff("the answer breaks off") from None
            if not answer.body_at:
                raise
            return answer.status, answer.body()
        if chunk and not answer.add(chunk, limits):
            continue
        if not answer.status:
            raise ClosedUnanswered("closed without an answer")
        return answer.status, answer.body()


def _dechunked(data: bytes) -> bytes:
    body = bytearray()
    while True:
        line, _, data = data.partition(b"\r\n")
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            return bytes(body)
        if size <= 0:
            return bytes(body)
        body += data[:size]
        data = data[size + 2 :]
