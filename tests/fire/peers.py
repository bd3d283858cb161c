"""Hostile peers of the socket: whatever they send, each gets its error or is closed, and nobody else notices.

`python -m tests.fire.peers [MESSAGES] [SEED] [LOGLEVEL]`
"""

from __future__ import annotations

import random
import socket
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from tests.support.client import KEY, Peer, ask, message
from tests.support.process import DaemonProcess, Lab, check
from tests.support.waiting import until

COMMANDS = ["configure", "forget", "test", "discover", "refresh", "action", "run", "log", "status", "nothing"]
SCALARS: list[Any] = [None, True, False, 0, -1, 1, 10**18, 1.5, 1e308, "", "5", "x" * 300, "é\u2028\U0001f600", "\x00"]
ODD_NUMBERS = [b"1e999", b"-1e999", b"9" * 300, b"9" * 5000, b"0." + b"1" * 5000, b"NaN", b"-Infinity", b"1e-999"]
REVISION = 10**350
"""Of the configuration that is to survive: beyond every number that the generator makes."""


class Generator:
    """Makes messages, seeded: the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._kinds: list[tuple[int, Callable[[], bytes]]] = [
            (10, self.not_json),
            (10, self.wrong_utf8),
            (10, self.random_bytes),
            (10, self.wrong_key),
            (15, self.missing_fields),
            (25, self.wrong_types),
            (15, self.unknown_ids),
            (5, self.deep),
            (10, self.huge_numbers),
            (5, self.big),
            (10, self.valid),
        ]

    def any(self) -> tuple[str, bytes]:
        """A message of any kind, with the name of its kind."""
        kind = self.random.choices([k for _, k in self._kinds], [w for w, _ in self._kinds])[0]
        return kind.__name__, kind()

    def value(self, depth: int = 0) -> Any:
        """Any JSON value."""
        choice = self.random.random()
        if depth > 3 or choice < 0.6:
            return self.random.choice(SCALARS)
        if choice < 0.8:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return {str(self.random.choice(SCALARS)): self.value(depth + 1) for _ in range(self.random.randrange(4))}

    def fields(self) -> dict[str, Any]:
        """The fields of some command, sound."""
        connection = {"id": "77", "backend": "nothing", "name": "x", "config": {}, "equipment": []}
        return {
            "revision": 0,
            "settings": {"timezone": "Europe/Paris", "language": "fr_FR"},
            "connections": [connection],
            "connection": connection,
            "equipment": "77",
            "command": "x",
            "operation": "x",
            "options": {},
            "level": "info",
        }

    def not_json(self) -> bytes:
        """Text that is none, or JSON with a byte too many or too few."""
        data = bytearray(message("status")[:-1])
        for _ in range(self.random.randrange(1, 4)):
            place = self.random.randrange(len(data))
            if self.random.random() < 0.5:
                del data[place]
            else:
                data.insert(place, self.random.choice(b'{}[],:"\\x'))
        return bytes(data)

    def wrong_utf8(self) -> bytes:
        """Bytes that are no UTF-8, within sound JSON."""
        bad = self.random.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe9"])
        return b'{"apikey": "' + KEY.encode() + b'", "cmd": "' + bad + b'"}'

    def random_bytes(self) -> bytes:
        """Noise without a newline."""
        return self.random.randbytes(self.random.randrange(1, 2000)).replace(b"\n", b"") or b"\x00"

    def wrong_key(self) -> bytes:
        """A sound message of a stranger."""
        key = self.random.choice([KEY[:-1], KEY + "x", "", KEY.lower(), "x" * 10_000, "\u00e9", KEY[1:]])
        return message(self.random.choice(COMMANDS), key=key, **self.fields())[:-1]

    def missing_fields(self) -> bytes:
        """A command without what it needs."""
        fields = {k: v for k, v in self.fields().items() if self.random.random() < 0.4}
        return message(self.random.choice(COMMANDS[:7]), **fields)[:-1]

    def wrong_types(self) -> bytes:
        """Fields that are anything."""
        fields = {k: self.value() if self.random.random() < 0.5 else v for k, v in self.fields().items()}
        fields.pop("level")
        fields["id"] = self.value()
        command: Any = self.random.choice([*COMMANDS[:8], self.value()])
        return message(command, **fields)[:-1]

    def unknown_ids(self) -> bytes:
        """Equipment and connections that are not there."""
        fields = {**self.fields(), "connection": self.random.choice(["77", "x" * 64, "../1", "é"])}
        return message(self.random.choice(["discover", "refresh", "action", "run", "forget"]), **fields)[:-1]

    def deep(self) -> bytes:
        """Nested beyond reason, closed or not."""
        depth = self.random.choice([50, 500, 5_000, 100_000])
        opening, closing = self.random.choice([(b"[", b"]"), (b'{"a":', b"}")])
        head = message("action", equipment="77", command="x")[:-2] + b', "options": {"a":'
        return head + opening * depth + b"1" + closing * (depth if self.random.random() < 0.7 else 0) + b"}}"

    def huge_numbers(self) -> bytes:
        """Numbers that no program likes."""
        number = self.random.choice(ODD_NUMBERS)
        field_ = self.random.choice([b"revision", b"id", b"options", b"connection"])
        return message("configure", connections=[])[:-2] + b', "' + field_ + b'": ' + number + b"}"

    def big(self) -> bytes:
        """Up to the limit, and beyond it."""
        size = self.random.choice([100_000, 1_000_000, 1_048_576, 1_100_000])
        if self.random.random() < 0.05:
            size = 10 * 1024 * 1024
        return message("action", equipment="77", command="x", options={"message": "y" * size})[:-1]

    def valid(self) -> bytes:
        """What a friend sends."""
        return message("status", id=self.random.randrange(1000))[:-1]


@dataclass
class Report:
    """What came of it. Times in seconds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    slowest_other: float = 0.0
    slowest_new: float = 0.0
    others: int = 0
    refused_new: int = 0
    before: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)
    duration: float = 0.0

    def lines(self) -> list[str]:
        """For people."""
        total = sum(self.outcomes.values())
        lines = [f"{total} messages in {self.duration:.0f} s"]
        lines += [f"  {count:6} {name}" for name, count in sorted(self.outcomes.items())]
        lines.append(f"others on an open connection: {self.others} asked, slowest {self.slowest_other * 1000:.0f} ms")
        lines.append(
            f"others on a new connection: slowest {self.slowest_new * 1000:.0f} ms, "
            f"closed while all 64 places were taken: {self.refused_new}"
        )
        for name, value in self.before.items():
            lines.append(f"{name}: {value:g} before, {self.after[name]:g} after")
        return lines + [f"PROBLEM: {each}" for each in self.problems]


def resources(daemon: DaemonProcess) -> dict[str, float]:
    """What must not grow."""
    return {
        "resident MiB": round(daemon.rss(), 1),
        "threads": daemon.threads(),
        "descriptors": daemon.descriptors(),
    }


class Attack:
    """Sends hostile messages while two friends go on asking."""

    def __init__(self, daemon: DaemonProcess, seed: int) -> None:
        self.daemon = daemon
        self.generate = Generator(seed)
        self.report = Report()
        self._stop = threading.Event()
        self._crowded = threading.Event()
        self._lingering: list[socket.socket] = []

    def run(self, messages: int, bursts: int) -> Report:
        """`messages` messages, and `bursts` times 200 connections at once."""
        for _ in range(100):  # what is made once (caches, threads of the log) is made now
            self.send_one()
        self.report = Report(before=resources(self.daemon))
        friends = [threading.Thread(target=each) for each in (self._ask_on, self._ask_anew)]
        for each in friends:
            each.start()
        begun = time.monotonic()
        every = max(1, messages // (bursts or 1))
        for number in range(messages):
            self.send_one()
            if bursts and number % every == every // 2:
                self.burst()
            if number % 500 == 250:
                self.linger()
        self._stop.set()
        for each in friends:
            each.join(20)
        self._closed()
        self.report.duration = time.monotonic() - begun
        until(lambda: self.daemon.threads() <= self.report.before["threads"], 15, "the end of all peers' threads")
        # A request to Jeedom may be under way: it has a descriptor of its own.
        end = time.monotonic() + 5
        while self.daemon.descriptors() > self.report.before["descriptors"] and time.monotonic() < end:
            time.sleep(0.05)
        self.report.after = resources(self.daemon)
        return self.report

    def send_one(self) -> None:
        """One message on a connection of its own, some of them two or three."""
        kinds, data = [], b""
        for _ in range(self.generate.random.choice((1, 1, 1, 2, 3))):
            kind, one = self.generate.any()
            kinds.append(kind)
            data += one + b"\n"
        manner = self.generate.random.random()
        try:
            with Peer(self.daemon.port, timeout=20) as peer:
                if manner < 0.05:
                    # Reset in the middle of it.
                    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    peer.send(data[: self.generate.random.randrange(1, len(data) + 1)])
                    self.report.outcomes["reset by the peer"] += len(kinds)
                    return
                self._send(peer, data)
                self._read(peer, kinds)
        except socket.timeout:  # not a TimeoutError before Python 3.10
            self.report.problems.append(f"no answer and not closed: {kinds} {data[:200]!r}")

    def _send(self, peer: Peer, data: bytes) -> None:
        try:
            peer.send(data)
            peer.socket.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            return  # cut in the middle, as the too long ones are

    def _read(self, peer: Peer, kinds: list[str]) -> None:
        for kind in kinds:
            answer = peer.read()
            if answer is None:
                self.report.outcomes[f"{kind}: closed"] += 1
                continue
            check("socket", answer, "answer")
            code = "ok" if answer["ok"] else answer["error"]["code"]
            if code == "internal":
                self.report.problems.append(f"internal: {kind} {answer}")
            self.report.outcomes[f"{kind}: {code}"] += 1

    def burst(self) -> None:
        """200 connections at once, that say half of something or nothing."""
        self._crowded.set()
        peers = []
        for number in range(200):
            peer = socket.create_connection(("127.0.0.1", self.daemon.port), 5)
            peers.append(peer)
            try:
                peer.sendall((b"", b'{"apikey": "', message("status"))[number % 3])
            except OSError:
                continue  # closed already: the 65th and later
        time.sleep(0.2)
        for peer in peers:
            peer.close()
        until(lambda: self._welcome(), 5, "a free place")
        self._crowded.clear()
        self.report.outcomes["connections of a burst"] += len(peers)

    def _welcome(self) -> bool:
        try:
            return bool(ask(self.daemon.port, "status")["ok"])
        except (OSError, AssertionError):
            return False

    def linger(self) -> None:
        """Half a message, then silence."""
        peer = socket.create_connection(("127.0.0.1", self.daemon.port), 5)
        peer.sendall(message("status")[:20])
        peer.settimeout(15)
        self._lingering.append(peer)
        if len(self._lingering) > 20:
            self._await_end(self._lingering.pop(0))

    def _await_end(self, peer: socket.socket) -> None:
        try:
            if peer.recv(1000):
                self.report.problems.append("half a message was answered")
        except socket.timeout:  # not a TimeoutError before Python 3.10
            self.report.problems.append("a silent peer was not closed")
        except ConnectionResetError:
            pass  # closed is closed
        peer.close()
        self.report.outcomes["half a message, then silence: closed"] += 1

    def _closed(self) -> None:
        while self._lingering:
            self._await_end(self._lingering.pop())

    def _ask_on(self) -> None:
        with self.daemon.peer() as peer:
            while not self._stop.wait(0.05):
                begun = time.monotonic()
                peer.ask("status")
                self.report.slowest_other = max(self.report.slowest_other, time.monotonic() - begun)
                self.report.others += 1

    def _ask_anew(self) -> None:
        while not self._stop.wait(0.05):
            crowded = self._crowded.is_set()
            begun = time.monotonic()
            try:
                ask(self.daemon.port, "status")
            except (OSError, AssertionError) as error:
                if crowded or self._crowded.is_set():
                    self.report.refused_new += 1
                else:
                    self.report.problems.append(f"a friend was turned away: {error}")
                continue
            self.report.slowest_new = max(self.report.slowest_new, time.monotonic() - begun)


def attack(lab: Lab, messages: int, bursts: int, seed: int, loglevel: str = "info", silence: float = 10.0) -> Report:
    """Starts a daemon with a working connection, attacks it, and looks at it afterwards.

    `silence`: seconds after which a silent peer is closed.
    """
    daemon = lab.daemon(loglevel=loglevel, environment={"LAB_SILENCE": str(silence)})
    daemon.configure(lab.connection("1", pollInterval=0.5), revision=REVISION)
    lab.reports.wait("poll", 3)
    report = Attack(daemon, seed).run(messages, bursts)
    polls = len(lab.reports.of("poll"))
    lab.reports.wait("poll", polls + 2)
    if daemon.result("status")["connections"]["1"]["state"] != "online":
        report.problems.append("the connection is no longer online")
    if daemon.errors:
        report.problems.append(f"on standard error: {daemon.errors[:500]}")
    if "[ERROR]" in daemon.log:
        report.problems.append("in the log: " + daemon.log[daemon.log.index("[ERROR]") :][:1500])
    if daemon.stop() != 0:
        report.problems.append("it did not end in order")
    return report


if __name__ == "__main__":
    arguments = [*sys.argv[1:], *["20000", "1", "info"][len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory)) as laboratory:
        found = attack(laboratory, int(arguments[0]), 10, int(arguments[1]), arguments[2])
    print("\n".join(found.lines()))
    sys.exit(bool(found.problems))
