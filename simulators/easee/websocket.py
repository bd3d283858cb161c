"""The server's side of a websocket (RFC 6455), by hand: so that it can also be wrong in every way."""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
import threading
from typing import BinaryIO, Optional

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
MAX_FRAME = 1_000_000


def accept_key(key: str) -> str:
    """The answer to a client's `Sec-WebSocket-Key`."""
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def frame(opcode: int, payload: bytes, final: bool = True) -> bytes:
    """One frame as a server sends it: not masked."""
    head = bytes([(0x80 if final else 0) | opcode])
    size = len(payload)
    if size < 126:
        head += bytes([size])
    elif size < 65536:
        head += struct.pack("!BH", 126, size)
    else:
        head += struct.pack("!BQ", 127, size)
    return head + payload


class Ended(Exception):
    """The client has gone, or speaks nonsense."""


class ServerSocket:
    """An upgraded connection. Writing is safe from any thread."""

    def __init__(self, sock: socket.socket, reader: BinaryIO) -> None:
        self.sock = sock
        self._reader = reader
        self._lock = threading.Lock()

    def read(self) -> Optional[str]:
        """The next text; None when the client closes in order. Raises Ended, and TimeoutError after a silence."""
        text = b""
        while True:
            opcode, final, payload = self._frame()
            if opcode == CLOSE:
                return None
            if opcode == PING:
                self.write(PONG, payload)
            elif opcode != PONG:
                text += payload
                if final:
                    return text.decode("utf-8", "replace")

    def write(self, opcode: int, payload: bytes, final: bool = True) -> None:
        """One frame. Raises Ended."""
        self.write_raw(frame(opcode, payload, final))

    def write_raw(self, data: bytes) -> None:
        """Bytes as they are. Raises Ended."""
        try:
            with self._lock:
                self.sock.sendall(data)
        except OSError as error:
            raise Ended(str(error)) from error

    def _frame(self) -> tuple[int, bool, bytes]:
        first, second = self._bytes(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._bytes(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._bytes(8))
        if not second & 0x80:
            raise Ended("a client must mask")
        if size > MAX_FRAME:
            raise Ended("a frame beyond reason")
        mask = self._bytes(4)
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self._bytes(size)))
        return first & 0x0F, bool(first & 0x80), payload

    def _bytes(self, count: int) -> bytes:
        try:
            data = self._reader.read(count)
        except (ValueError, ConnectionError) as error:
            raise Ended(str(error)) from error
        if len(data) < count:
            raise Ended("closed")
        return data
