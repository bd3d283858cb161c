"""The TCP server that receives JSON messages and answers them.

A connection carries one or more messages, each ended by a newline or by the end of the stream; each is answered
with one line, in order. A peer has a thread of its own, so that no peer can hold up another one.
"""

from __future__ import annotations

import hmac
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Callable

from .json_reader import loads

_LOG = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 1024 * 1024
MAX_PEERS = 64
MAX_SILENCE_S = 10.0
"""Seconds without a byte, while a message is awaited, after which a connection is closed."""
LAST_ANSWERS_S = 1.0
"""How long an end waits for answers that are under way."""
MAX_MESSAGE_S = 30.0
"""Seconds from its first byte in which a message must be whole: a peer that drips bytes must not keep a place."""

Handler = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


class CommandError(Exception):
    """A command that cannot be done: `code` is one of the contract's, the text is for the user."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Listener:
    """Listens on loopback and hands `(cmd, message)` to `handler`; what that returns is the answer's `result`.

    The handler raises CommandError for an answer with `ok: false`; any other exception is answered `internal`
    and logged.
    """

    def __init__(self, host: str, port: int, apikey: str, handler: Handler) -> None:
        self._apikey = apikey.encode()
        self._handler = handler
        self._address = (host, port)
        self._socket: socket.socket | None = None
        self._lock = threading.Condition()
        # In the order of their coming. True once a peer has shown the api key.
        self._peers: dict[socket.socket, bool] = {}
        self._thread = threading.Thread(target=self._accept, name="listener", daemon=True)

    @property
    def port(self) -> int:
        """The port in use (the real one when 0 was asked)."""
        assert self._socket is not None
        return int(self._socket.getsockname()[1])

    def bind(self) -> None:
        """Takes the port. Raises OSError when it is not free."""
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(self._address)
            # Room for a burst: a peer that finds the queue full asks again only a second later.
            self._socket.listen(512)
        except OSError:
            self._socket.close()
            raise

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Closes the port; connections in the middle of an answer may finish it, within `LAST_ANSWERS_S`."""
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
            except OSError as error:
                _LOG.debug("closing the port: %s", error)
            self._socket.close()
        with self._lock:
            peers = list(self._peers)
        for peer in peers:
            try:
                peer.shutdown(socket.SHUT_RD)
            except OSError as error:
                _LOG.debug("closing a connection: %s", error)
        # The process may end with this call's return, and with it what has not been sent.
        with self._lock:
            self._lock.wait_for(lambda: not self._peers, LAST_ANSWERS_S)

    def _accept(self) -> None:
        assert self._socket is not None
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError as error:
                if self._socket.fileno() < 0:
                    return
                # Out of descriptors, or a peer gone already: the port itself is fine.
                _LOG.debug("accepting a connection: %s", error)
                time.sleep(0.05)
                continue
            if not self._admit(peer):
                peer.close()
                continue
            try:
                threading.Thread(target=self._serve, args=(peer,), name="peer", daemon=True).start()
            except RuntimeError as error:  # no more threads on this machine
                _LOG.warning("a connection is refused: %s", error)
                self._leave(peer)

    def _admit(self, peer: socket.socket) -> bool:
        """Takes a peer in. When all places are taken, the oldest one that has shown no key makes room.

        Otherwise any user of the machine could keep Jeedom out with a handful of idle connections.
        """
        with self._lock:
            if len(self._peers) >= MAX_PEERS:
                stranger = next((each for each, known in self._peers.items() if not known), None)
                if stranger is None:
                    return False
                del self._peers[stranger]
                self._close(stranger)
            self._peers[peer] = False
            return True

    def _close(self, peer: socket.socket) -> None:
        try:
            peer.shutdown(socket.SHUT_RDWR)  # wakes its thread, which closes it
        except OSError as error:
            _LOG.debug("closing a connection: %s", error)

    def _leave(self, peer: socket.socket) -> None:
        with self._lock:
            self._peers.pop(peer, None)
            peer.close()
            self._lock.notify_all()

    def _serve(self, peer: socket.socket) -> None:
        try:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for raw in _messages(peer):
                answer = self._answer(raw, peer)
                peer.settimeout(MAX_SILENCE_S)
                peer.sendall(answer + b"\n")
        except _TooLong:
            error = {"code": "invalid_message", "message": f"more than {MAX_MESSAGE_BYTES} bytes"}
            self._last_words(peer, {"id": None, "ok": False, "error": error})
        except OSError as error:
            _LOG.debug("a peer has gone: %s", error)
        finally:
            self._leave(peer)

    def _last_words(self, peer: socket.socket, answer: Mapping[str, Any]) -> None:
        try:
            peer.settimeout(1.0)
            peer.sendall(json.dumps(answer).encode() + b"\n")
            # Read on for a moment: closing on unread bytes resets the connection and destroys the answer.
            peer.shutdown(socket.SHUT_WR)
            end = time.monotonic() + 1.0
            while time.monotonic() < end and peer.recv(65536):
                pass
        except OSError as error:
            _LOG.debug("a peer has gone: %s", error)

    def _answer(self, raw: bytes, peer: socket.socket) -> bytes:
        identifier: Any = None
        try:
            message = _parse(raw)
            if isinstance(message.get("id"), (str, int)) and not isinstance(message["id"], bool):
                identifier = message["id"]
            key = message.get("apikey")
            given = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else b""
            if not hmac.compare_digest(given, self._apikey):
                raise CommandError("unauthorized", "wrong api key")
            with self._lock:
                if peer in self._peers:
                    self._peers[peer] = True
            command = message.get("cmd")
            if not isinstance(command, str):
                raise CommandError("invalid_message", "cmd is missing or not a string")
            result = dict(self._handler(command, message))
            # Here, so that a result that JSON cannot hold is an error with an answer.
            return json.dumps({"id": identifier, "ok": True, "result": result}, allow_nan=False).encode()
        except CommandError as error:
            failure = {"code": error.code, "message": str(error)}
        except Exception as error:
            _LOG.exception("a socket message failed")
            failure = {"code": "internal", "message": f"{type(error).__name__}: {error}"}
        return json.dumps({"id": identifier, "ok": False, "error": failure}).encode()


class _TooLong(Exception):
    pass


def _messages(peer: socket.socket) -> Iterator[bytes]:
    """The messages of one connection; ends with it, or when the peer is silent for too long."""
    buffer = bytearray()
    searched = 0
    begun: float | None = None  # when the first byte after the last message came, be it a blank
    while True:
        end = buffer.find(b"\n", searched)
        if end >= 0:
            message = bytes(buffer[:end])
            del buffer[: end + 1]
            searched = 0
            if len(message) > MAX_MESSAGE_BYTES:
                raise _TooLong
            if message.strip():
                yield message
                begun = time.monotonic() if buffer else None
            continue
        searched = len(buffer)
        if searched > MAX_MESSAGE_BYTES:
            raise _TooLong
        if begun is not None and time.monotonic() - begun > MAX_MESSAGE_S:
            return
        peer.settimeout(MAX_SILENCE_S)
        try:
            chunk = peer.recv(65536)
        except socket.timeout:
            return
        if not chunk:
            if buffer.strip():
                yield bytes(buffer)
            return
        if begun is None:
            begun = time.monotonic()
        buffer += chunk


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        message = loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise CommandError("invalid_message", "not UTF-8") from None
    except ValueError as error:
        raise CommandError("invalid_message", f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise CommandError("invalid_message", "not a JSON object")
    return message
