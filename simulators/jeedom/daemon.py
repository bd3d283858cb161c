"""A client of the daemon's socket: newline-ended JSON over TCP, one connection per message."""

from __future__ import annotations

import json
import socket
from itertools import count
from typing import Any

LIMITS = {
    "configure": 5.0, "forget": 5.0, "test": 60.0, "discover": 60.0, "refresh": 30.0, "action": 25.0,
    "run": 300.0, "log": 5.0, "status": 5.0, "backup": 5.0, "shutdown": 5.0,
}  # fmt: skip
EXTRA = 5.0  # s that Jeedom waits longer than the daemon's own limit


class DaemonUnreachable(Exception):
    """Nobody answers there, or not in time, or not in JSON."""


class DaemonRefusal(Exception):
    """The daemon answered with an error: `code` and `message` of the contract."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class DaemonSocket:
    """Sends messages to the daemon that listens on `port` of this machine."""

    def __init__(self, port: int, apikey: str) -> None:
        self.port = port
        self.apikey = apikey
        self._ids = count(1)

    def ask(self, command: str, /, **fields: Any) -> dict[str, Any]:
        """The result of `command`. Raises DaemonRefusal and DaemonUnreachable."""
        identity = next(self._ids)
        message = {"apikey": self.apikey, "cmd": command, "id": identity, **fields}
        timeout = LIMITS.get(command, 5.0) + EXTRA
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout) as peer:
                peer.sendall(json.dumps(message, ensure_ascii=False).encode() + b"\n")
                with peer.makefile("rb") as lines:
                    line = lines.readline()
            answer = json.loads(line)
        except (OSError, ValueError) as error:
            raise DaemonUnreachable(f"{command}: {error or 'no answer'}") from error
        if answer.get("id") != identity:
            raise DaemonUnreachable(f"{command}: the answer is for another message")
        if answer.get("ok") is not True:
            problem = answer.get("error") or {}
            raise DaemonRefusal(str(problem.get("code")), str(problem.get("message")))
        return dict(answer.get("result") or {})
