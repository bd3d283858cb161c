"""Hostile answers of Jeedom: none of them stops the daemon, loses an event or makes it arrive twice.

`python -m tests.fire.answers [ANSWERS] [SEED]`
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fire.peers import resources
from tests.support import callback_server as answers
from tests.support.callback_server import Answer
from tests.support.process import Lab
from tests.support.waiting import until

LIMIT = 0.5
"""Seconds that Jeedom has for an answer here; 30 in real life, so that the 5 s of the plan are 0.1 s and 0.7 s."""


KINDS = ["status", "page", "sentence", "half", "late", "too late", "redirect", "endless", "dripping", "noise", "closed"]
KINDS += ["odd", "good", "good", "compressed", "headers", "chunks"]


class Generator:
    """Makes answers, seeded."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def any(self) -> tuple[str, Answer]:
        """An answer with the name of its kind. Half of them come after Jeedom has applied the request."""
        kind = self.random.choice(KINDS)
        return kind, getattr(self, "make_" + kind.replace(" ", "_"))(self.random.random() < 0.5)

    def make_status(self, applied: bool) -> Answer:
        """A status that is none of ours."""
        status = self.random.choice([100, 204, 301, 400, 401, 403, 404, 413, 429, 500, 502, 503, 504, 999])
        return answers.text(self.random.choice(["", '{"ok": true}', "<html>"]), status, applied)

    def make_page(self, applied: bool) -> Answer:
        """A page where an acknowledgement was expected."""
        return answers.text("<!DOCTYPE html><html><body>" + "x" * self.random.randrange(50_000), applied=applied)

    def make_sentence(self, applied: bool) -> Answer:
        """What the core says to a refused key, and to an exception."""
        return answers.text("Vous n'êtes pas autorisé à effectuer cette action", applied=applied)

    def make_half(self, applied: bool) -> Answer:
        """A part of an acknowledgement, announced as whole or not."""
        whole = json.dumps({"ok": True, "unknown": [], "log": "info"}).encode()
        part = whole[: self.random.randrange(len(whole))]
        return answers.raw(answers.http(part, length=self.random.choice([len(part), len(whole)])), applied)

    def make_late(self, applied: bool) -> Answer:
        """In time, but not at once."""
        return answers.late(LIMIT / 5)

    def make_too_late(self, applied: bool) -> Answer:
        """After the limit."""
        return answers.silence(LIMIT * 1.4, applied)

    def make_redirect(self, applied: bool) -> Answer:
        """Elsewhere, here, nowhere."""
        place = self.random.choice(["http://127.0.0.1:9/", "/core/api/jeeApi.php", "file:///etc/passwd", "", "//"])
        return answers.raw(answers.http(b"", self.random.choice([301, 302, 303, 307, 308]), f"Location: {place}\r\n"))

    def make_endless(self, applied: bool) -> Answer:
        """A body without an end."""
        return answers.endless(self.random.choice([b"x" * 65536, b'{"ok": true}', b" " * 1000]))

    def make_dripping(self, applied: bool) -> Answer:
        """Byte by byte, in the body or in the head."""
        head = self.random.choice([None, b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nX: "])
        return answers.endless(b"x", head, pause=0.05)

    def make_headers(self, applied: bool) -> Answer:
        """A head without an end."""
        piece = self.random.choice([b"X: y\r\n", b"x" * 65536, b"HTTP/1.1 100 Continue\r\n\r\n"])
        return answers.endless(piece, self.random.choice([b"", b"HTTP/1.1 200 OK\r\n"]), pause=0.001)

    def make_chunks(self, applied: bool) -> Answer:
        """Chunks that lie."""
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        lies = [b"zz\r\n", b"ffffffffffffffff\r\nx", b"-5\r\n", b"5\r\nx", b"0\r\n\r\n", b"c\r\n{1:false}\r\n0\r\n"]
        return answers.raw(head + self.random.choice(lies), applied)

    def make_noise(self, applied: bool) -> Answer:
        """What is no HTTP."""
        return answers.raw(self.random.randbytes(self.random.randrange(1, 3000)), applied)

    def make_closed(self, applied: bool) -> Answer:
        """Not a word."""
        return answers.raw(b"", applied)

    def make_odd(self, applied: bool) -> Answer:
        """An acknowledgement with odd fields."""
        odd: list[Any] = [None, 5, "x", [], {}, [None], [[]], {"a": 1}, -1, 1e308, True]
        fields = {name: self.random.choice(odd) for name in ("unknown", "unknownCommands", "rejected", "log")}
        return answers.acknowledge(**fields)

    def make_compressed(self, applied: bool) -> Answer:
        """Compression that is none, or an acknowledgement that grows."""
        kind = self.random.choice(["gzip", "deflate", "br", "zstd", "nonsense"])
        return answers.raw(answers.http(self.random.randbytes(500), headers=f"Content-Encoding: {kind}\r\n"), applied)

    def make_good(self, applied: bool) -> Answer:
        """As it should be."""
        return answers.acknowledge()


@dataclass
class Report:
    """What came of it."""

    kinds: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    events: int = 0
    repeats: int = 0
    before: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)
    duration: float = 0.0
    slowest: float = 0.0

    def lines(self) -> list[str]:
        """For people."""
        lines = [f"{sum(self.kinds.values())} answers in {self.duration:.0f} s"]
        lines += [f"  {count:6} {name}" for name, count in sorted(self.kinds.items())]
        lines.append(f"{self.events} events, each applied once; {self.repeats} repeats recognised")
        lines.append(f"slowest answer of the socket meanwhile: {self.slowest * 1000:.0f} ms")
        for name, value in self.before.items():
            lines.append(f"{name}: {value:g} before, {self.after[name]:g} after")
        return lines + [f"PROBLEM: {each}" for each in self.problems]


def torment(lab: Lab, amount: int, seed: int) -> Report:
    """Answers a daemon badly, `amount` times, while events and values come."""
    generator = Generator(seed)
    report = Report()
    daemon = lab.daemon("--cycle", "0", loglevel="info", environment={"LAB_LIMIT": str(LIMIT)})
    daemon.configure(lab.connection("1"))
    lab.server.wait_for(lambda: lab.server.value("10", "power"))
    peer = daemon.peer()
    begun = time.monotonic()
    for number in range(amount):
        if number == min(100, amount // 4):
            report.before = resources(daemon)
        kind, answer = generator.any()
        report.kinds[kind] += 1
        with lab.server.changed:
            lab.server.script.append(answer)
            seen = lab.server.count
        asked = time.monotonic()
        peer.ask("action", equipment="10", command="warn", options={"message": str(number)})
        peer.ask("action", equipment="10", command="set", options={"slider": number})
        report.slowest = max(report.slowest, time.monotonic() - asked)
        # Each message that Jeedom sends ends a pause: it shows that it is there.
        until(lambda seen=seen: lab.server.count > seen or not peer.ask("status"), 10, "a request")
    until(lambda: not lab.server.script, 10)
    until(lambda: not peer.ask("status")["result"]["outbox"], 20, "an empty outbox")
    until(lambda: daemon.threads() <= report.before["threads"] + 1, 10)
    report.after = resources(daemon)
    report.duration = time.monotonic() - begun
    told = [event["value"] for event in lab.server.of("trigger")]
    report.events, report.repeats = len(told), lab.server.repeats
    if told != [str(number) for number in range(amount)]:
        twice = [value for value, count in Counter(told).items() if count > 1]
        missing = sorted(set(map(str, range(amount))) - set(told), key=int)
        ordered = sorted(told, key=int) == told
        report.problems.append(f"events twice: {twice[:10]}, lost: {missing[:10]}, in order: {ordered}")
    if lab.server.value("10", "power") != amount - 1:
        report.problems.append(f"the newest value did not arrive: {lab.server.value('10', 'power')}")
    if daemon.errors:
        report.problems.append(f"on standard error: {daemon.errors[:500]}")
    if "[ERROR]" in daemon.log or "[CRITICAL]" in daemon.log:
        report.problems.append("in the log: " + daemon.log[daemon.log.index("R]") :][:1500])
    peer.close()
    if daemon.stop() != 0:
        report.problems.append("it did not end in order")
    return report


if __name__ == "__main__":
    arguments = [*sys.argv[1:], *["2000", "1"][len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory)) as laboratory:
        found = torment(laboratory, int(arguments[0]), int(arguments[1]))
    print("\n".join(found.lines()))
    sys.exit(bool(found.problems))
