"""The SignalR hub: negotiation, websocket, handshake, JSON records, pings; and what can go wrong with each.

Faults of `faults` on the paths `/negotiate` and `/upgrade` are those of every HTTP simulator. The rest is switches:

| attribute | effect |
|---|---|
| `stalled` | observations and responses no longer leave, pings do |
| `mute` | nothing leaves at all, the connection stands |
| `handshake` | `normal`, `glued` (data in the same frame), `error`, `none` |
| `chop` | each record leaves in several texts of so many characters (0: whole) |
| `glue` | the records of a replay leave in one text |
| `shuffle` | a replay comes backwards, with duplicates and older values of everything in between |
| `refused` | serials whose subscription is answered with an error |
| `deaf` | serials whose subscription is not answered at all |
"""

from __future__ import annotations

import json
import logging
import secrets
import socket
import struct
import threading
import time
from collections.abc import Mapping
from http.client import parse_headers
from typing import Any, BinaryIO, Callable, Optional, Union
from urllib.parse import parse_qs, urlsplit

from simulators.clock import Clock
from simulators.easee.accounts import Account, Accounts
from simulators.easee.charger import Charger
from simulators.easee.equalizer import Equalizer
from simulators.easee.product import Observed
from simulators.easee.websocket import CLOSE, TEXT, Ended, ServerSocket, accept_key, frame
from simulators.faults import FaultBox, spoiled
from simulators.server import HOST, Response

SEPARATOR = "\x1e"
PATH = "/hubs/chargers"
log = logging.getLogger(__name__)
Product = Union[Charger, Equalizer]


class Hub:
    """Serves the stream of `products`; `with` is the cloud's business."""

    def __init__(
        self,
        accounts: Accounts,
        products: Mapping[str, Product],
        port: int = 0,
        gate: Callable[[], Optional[Response]] = lambda: None,
        wall: Clock = time.time,
    ) -> None:
        self.accounts = accounts
        self.products = products
        self.port = port
        self.gate = gate
        self.faults = FaultBox()
        self.wall = wall
        self.ping_interval: Optional[float] = 15.0
        """Real seconds; None: only when `ping` is called."""
        self.client_limit = 30.0
        self.stalled = self.mute = self.glue = self.shuffle = False
        self.handshake = "normal"
        self.chop = 0
        self.refused: set[str] = set()
        self.deaf: set[str] = set()
        self.version = 1
        self.negotiations: list[tuple[float, int]] = []
        self.upgrades: list[tuple[float, int]] = []
        self.subscriptions: list[tuple[float, str]] = []
        self.received: list[str] = []
        self.changed = threading.Condition()
        self.closing = threading.Event()
        self.resets: set[socket.socket] = set()
        self._ids: dict[str, Account] = {}
        self._peers: set[Peer] = set()
        self._listener: Optional[socket.socket] = None

    @property
    def url(self) -> str:
        """Value for the setting `streamUrl`."""
        return f"http://{HOST}:{self.port}{PATH}"

    @property
    def streams(self) -> int:
        """How many clients are connected and have shaken hands."""
        with self.changed:
            return sum(peer.ready for peer in self._peers)

    def subscribed(self, serial: str) -> int:
        """How many clients are subscribed to a charger."""
        with self.changed:
            return sum(serial in peer.serials for peer in self._peers)

    def peer(self, port: int) -> Optional[Peer]:
        """The client that is connected from that port."""
        with self.changed:
            return next((peer for peer in self._peers if peer.port == port), None)

    def ports(self) -> set[int]:
        """The ports that clients are connected from."""
        with self.changed:
            return {peer.port for peer in self._peers}

    def spoke(self) -> list[float]:
        """When each client that has shaken hands was sent something last (`wall`)."""
        with self.changed:
            return [peer.spoke_at for peer in self._peers if peer.ready]

    def ping(self, before: float) -> None:
        """Pings the clients that were sent nothing since then (`wall`)."""
        with self.changed:
            peers = [peer for peer in self._peers if peer.ready and peer.spoke_at <= before]
        for peer in peers:
            peer.send_text(_PING)

    def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="hub", daemon=True).start()

    def leave(self) -> None:
        """Close the port and every connection."""
        listener, self._listener = self._listener, None
        if listener is not None:
            _shut(listener)
            listener.close()
        self.end_streams("fin")

    def close(self) -> None:
        """Stop for good."""
        self.closing.set()
        self.faults.clear()
        self.leave()

    # ---- what a test asks for

    def wait(self, condition: Any, timeout: float = 30.0) -> Any:
        """Wait until `condition()` is true, looked at after each change. Raises TimeoutError."""
        with self.changed:
            if not self.changed.wait_for(condition, timeout):
                raise TimeoutError(f"not within {timeout} s")
            return condition()

    def end_streams(self, how: str = "close") -> int:
        """End every stream: `close` (frame), `fin`, `rst`, `type7`, `type7again` (may reconnect). How many."""
        with self.changed:
            peers = list(self._peers)
        for peer in peers:
            peer.end(how)
        return len(peers)

    def send_all(self, text: str) -> None:
        """Sends a text unchanged, in one frame, to every client."""
        with self.changed:
            peers = list(self._peers)
        for peer in peers:
            peer.send_text(text)

    def observed(self, product: Product, observed: Observed) -> None:
        """A charger or an Equalizer has something to tell."""
        self.invoke(product.serial, "ProductUpdate", observed.record(product.serial))

    def invoke(self, serial: str, target: str, argument: Any) -> None:
        """An invocation for all who are subscribed to a charger."""
        if self.stalled:
            return
        with self.changed:
            peers = [peer for peer in self._peers if serial in peer.serials]
        for peer in peers:
            peer.send({"type": 1, "target": target, "arguments": [argument]})

    # ---- HTTP

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(client,), name="hub peer", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        reader = client.makefile("rb")
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.settimeout(self.client_limit)
            self.request(client, reader)
        except (OSError, ValueError, IndexError, Ended) as error:
            log.debug("hub: connection ended: %s", error)
        finally:
            if client not in self.resets:
                _shut(client)
            self.resets.discard(client)
            reader.close()
            client.close()

    def request(self, client: socket.socket, reader: BinaryIO) -> None:
        """Reads a request from `reader` and answers it to `client`; a stream goes on until it ends."""
        method, target, _ = reader.readline(8192).decode("latin-1").split()
        headers = parse_headers(reader)
        body = reader.read(int(headers.get("Content-Length") or 0))
        assert isinstance(body, bytes)
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        bearer = headers.get("Authorization", "")
        if not bearer and "access_token" in query:
            bearer = f"Bearer {query['access_token']}"
        if method == "POST" and parts.path == f"{PATH}/negotiate":
            met = self.faults.take("/negotiate")
            answer = self.gate() or spoiled(met, lambda: self._negotiate(bearer, query), _none)
            self._note(self.negotiations, answer.status)
            _respond(client, answer)
        elif method == "GET" and parts.path == PATH and headers.get("Upgrade", "").lower() == "websocket":
            account = self._admit(client, bearer, query)
            if account is not None:
                key = accept_key(headers.get("Sec-WebSocket-Key", ""))
                Peer(self, ServerSocket(client, reader), account).talk(key)
        else:
            _respond(client, Response.of_text("Not Found", 404))

    def _negotiate(self, bearer: str, query: dict[str, str]) -> Response:
        account = self.accounts.of(bearer)
        if account is None:
            return Response(401, b"", None)
        identifier = secrets.token_hex(16)
        with self.changed:
            self._ids[identifier] = account
        answer: dict[str, Any] = {"negotiateVersion": 0, "connectionId": identifier}
        if self.version == 1 and query.get("negotiateVersion") == "1":
            answer = {"negotiateVersion": 1, "connectionId": secrets.token_hex(16), "connectionToken": identifier}
        answer["availableTransports"] = [{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}]
        response = Response.of_json(answer)
        response.headers.append(("Set-Cookie", f"lb={identifier[:8]}; path=/; HttpOnly"))
        return response

    def _admit(self, client: socket.socket, bearer: str, query: dict[str, str]) -> Optional[Account]:
        def healthy() -> Response:
            with self.changed:
                owner = self._ids.pop(query.get("id", ""), None)
            if owner is None:
                return Response.of_text("No Connection with that ID", 404)
            found = self.accounts.of(bearer)
            if found is None or found.user != owner.user:
                return Response(401, b"", None)
            accounts.append(found)
            return Response(101)

        accounts: list[Account] = []
        answer = spoiled(self.faults.take("/upgrade"), healthy, _none)
        self._note(self.upgrades, answer.status)
        if accounts and answer.status == 101 and answer.how == "whole":
            return accounts[0]
        _respond(client, answer)
        return None

    def _note(self, where: list[tuple[float, int]], status: int) -> None:
        with self.changed:
            where.append((time.monotonic(), status))
            self.changed.notify_all()

    def enter(self, peer: Peer) -> None:
        """A client has connected."""
        with self.changed:
            self._peers.add(peer)
            self.changed.notify_all()

    def exit(self, peer: Peer) -> None:
        """It has gone."""
        with self.changed:
            self._peers.discard(peer)
            self.changed.notify_all()


class Peer:
    """One client of the hub."""

    def __init__(self, hub: Hub, ws: ServerSocket, account: Account) -> None:
        self.hub = hub
        self.account = account
        self.serials: set[str] = set()
        self.ready = False
        self.port = ws.sock.getpeername()[1]
        self.told = 0
        """Characters that were sent."""
        self.busy = self.ending = self.silent = False
        """Whether a record of the client is being answered; whether `end` was called; whether its handshake was not
        answered."""
        self._ws = ws
        self._over = threading.Event()
        self._spoke = time.monotonic()
        self.spoke_at = hub.wall()

    def talk(self, key: str) -> None:
        """From the upgrade to the end."""
        head = (
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{_ACCEPT}{key}\r\n\r\n"
        )
        self._ws.write_raw(head.encode())
        self.hub.enter(self)
        threading.Thread(target=self._ping, name="hub ping", daemon=True).start()
        try:
            self._listen()
        finally:
            self._over.set()
            self.hub.exit(self)

    def _listen(self) -> None:
        rest = ""
        while (text := self._ws.read()) is not None:
            *whole, rest = (rest + text).split(SEPARATOR)
            self.busy = True
            for part in whole:
                with self.hub.changed:
                    self.hub.received.append(part)
                    del self.hub.received[:-1000]
                record = json.loads(part)
                if self.ready:
                    self._take(record)
                else:
                    self._shake_hands(record)
            self.busy = False
        self._ws.write(CLOSE, b"\x03\xe8")

    def _shake_hands(self, record: dict[str, Any]) -> None:
        kind = self.hub.handshake
        self.silent = kind == "none" or self.hub.mute
        if kind == "none":
            return
        if kind == "error" or record.get("protocol") != "json" or record.get("version") != 1:
            self.send({"error": f"Requested protocol '{record.get('protocol')}' is not available."})
            raise Ended("handshake")
        if kind == "glued":
            glued = json.dumps({"type": 1, "target": "SubscribeToMyProduct", "arguments": []})
            self.send_text(f"{{}}{SEPARATOR}{glued}{SEPARATOR}{_PING}")
        else:
            self.send({})
        with self.hub.changed:
            self.ready = True
            self.hub.changed.notify_all()

    def _take(self, record: dict[str, Any]) -> None:
        if record.get("type") != 1:
            return
        serial = str(record["arguments"][0])
        number = record.get("invocationId")
        if record.get("target") == "Unsubscribe":
            with self.hub.changed:
                self.serials.discard(serial)
                self.hub.changed.notify_all()
            self.send({"type": 3, "invocationId": number, "result": None})
        elif record.get("target") == "SubscribeWithCurrentState":
            self._subscribe(serial, number, bool(record["arguments"][1]))

    def _subscribe(self, serial: str, number: Any, replay: bool) -> None:
        hub = self.hub
        with hub.changed:
            hub.subscriptions.append((time.monotonic(), serial))
            hub.changed.notify_all()
        if serial in hub.deaf:
            return
        product = hub.products.get(serial) if self.account.sees(serial) else None
        if product is None or serial in hub.refused:
            self.send({"type": 3, "invocationId": number, "error": "You do not have access to this product"})
            return
        self.send({"type": 3, "invocationId": number, "result": None})
        with product.lock, hub.changed:
            known = list(product.observed.values())
            self.serials.add(serial)
            hub.changed.notify_all()
        if replay and not hub.stalled:
            self._replay(serial, known)

    def _replay(self, serial: str, known: list[Observed]) -> None:
        if self.hub.shuffle:
            old = [Observed(each.id, each.data_type, "7", each.at - 100.0) for each in known]
            known = [*reversed(known), *old, *known]
        records = [{"type": 1, "target": "ProductUpdate", "arguments": [observed.record(serial)]} for observed in known]
        if self.hub.glue:
            self.send_text("".join(json.dumps(record) + SEPARATOR for record in records))
            return
        for record in records:
            self.send(record)

    def send(self, record: dict[str, Any]) -> None:
        """One record."""
        self.send_text(json.dumps(record, separators=(",", ":")) + SEPARATOR)

    def send_text(self, text: str) -> None:
        """Text in one frame, or several texts that each hold a part."""
        if self.hub.mute:
            return
        with self.hub.changed:
            self.told += len(text)
        size = self.hub.chop or len(text)
        data = b"".join(_framed(text[at : at + size]) for at in range(0, len(text), size))
        try:
            self._ws.write_raw(data)
        except Ended:
            self._over.set()
        self._spoke = time.monotonic()
        self.spoke_at = self.hub.wall()

    def end(self, how: str) -> None:
        """See Hub.end_streams."""
        self.ending = True
        try:
            if how == "close":
                self._ws.write(CLOSE, b"\x03\xe9going away")
            elif how in ("type7", "type7again"):
                self.send({"type": 7, "error": "Server shutting down.", "allowReconnect": how == "type7again"})
        except Ended:
            return
        if how == "rst":
            self._ws.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.hub.resets.add(self._ws.sock)
            self._ws.sock.shutdown(socket.SHUT_RD)  # wakes the reader, whose closing then resets
        elif how == "fin":
            _shut(self._ws.sock)

    def _ping(self) -> None:
        while True:
            interval = self.hub.ping_interval
            if self._over.wait(0.5 if interval is None else min(0.5, interval / 4)):
                return
            if self.ready and interval is not None and time.monotonic() - self._spoke >= interval:
                self.send_text(_PING)


_ACCEPT = "Sec-WebSocket-Accept: "
_PING = '{"type":6}' + SEPARATOR


def _framed(text: str) -> bytes:
    return frame(TEXT, text.encode(errors="surrogateescape"))  # "\udcff" leaves as the byte 0xff


def _none(_fault: Any, _healthy: Any) -> Optional[Response]:
    return None


def _respond(client: socket.socket, answer: Response) -> None:
    if answer.delay:
        (answer.cancel or threading.Event()).wait(answer.delay)
    if answer.how in ("drop", "hang"):
        return
    lines = [f"HTTP/1.1 {answer.status} X", f"Content-Length: {len(answer.body)}", "Connection: close"]
    lines += [f"Content-Type: {answer.content_type or 'text/plain'}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    body = answer.body[: len(answer.body) // 2] if answer.how == "truncated" else answer.body
    client.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster
