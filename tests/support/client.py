"""A plain client of the daemon's socket."""

from __future__ import annotations

import json
import socket
from types import TracebackType
from typing import Any, Optional

KEY = "0123456789abcdefTESTKEY"


class Peer:
    """One connection that stays open; messages and answers are lines."""

    def __init__(self, port: int, key: str = KEY, timeout: float = 30.0) -> None:
        self.key = key
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self.socket.makefile("rb")

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._lines.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self.socket.sendall(data)

    def read(self) -> Optional[dict[str, Any]]:
        """The next answer; None when the daemon has closed the connection."""
        try:
            line = self._lines.readline()
        except ConnectionResetError:
            return None
        return json.loads(line) if line else None

    def ask(self, cmd: str, **fields: Any) -> dict[str, Any]:
        """Sends one message and returns its answer."""
        self.send(message(cmd, self.key, **fields))
        answer = self.read()
        assert answer is not None, "closed without an answer"
        return answer


def message(cmd: str, key: str = KEY, **fields: Any) -> bytes:
    """One message as a line."""
    return json.dumps({"apikey": key, "cmd": cmd, **fields}).encode() + b"\n"


def ask(port: int, cmd: str, key: str = KEY, timeout: float = 30.0, **fields: Any) -> dict[str, Any]:
    """One message on a connection of its own, as PHP does: write without newline, close, read."""
    with Peer(port, key, timeout) as peer:
        peer.send(message(cmd, key, **fields)[:-1])
        peer.socket.shutdown(socket.SHUT_WR)
        answer = peer.read()
        assert answer is not None, "closed without an answer"
        return answer


def code(answer: dict[str, Any]) -> str:
    """The code of a refusal, which says in words what it is."""
    assert not answer["ok"], answer
    assert answer["error"]["message"]
    found: str = answer["error"]["code"]
    return found
