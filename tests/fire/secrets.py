"""Secrets on every way into the log: none may be seen, at any level.

`python -m tests.fire.secrets [LINES] [SEED]`
"""

from __future__ import annotations

import base64
import binascii
import html
import logging
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from jeedom_bridge.logs import LEVELS, Logs, Masker
from tests.support.leaks import LOGGERS, WAYS, leak

GRAM = 8
"""So many characters of a secret in a row are a leak."""
SECRETS = {
    "password": "S3cr&t/p@ss=w+rd é%42",
    "plain password": "correcthorsebattery",
    "quotes": "quo\"te'back\\slash<tag>",
    "russian": "пароль-очень-секретный",
    "emoji": "\U0001f511key\U0001f511of-the-house",
    "e-mail": "someone.private@example.org",
    "serial": "122399887766",
    "refresh token": "5f3c9a|0b7e44d1a2c3e4f5a6b7c8d9e0f1a2b3",
    "base64 token": "q83vEjRWeJq83vEjRWeJ+/q83vEjRWeJ0==",
    "jwt": "eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiIxMjIzOTk4ODc3NjYifQ.MEUCIQDx4Zr7Yt5Kq2mV9wLbN8cJ",
    "long token": "".join(random.Random(5).choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789_-", k=1800)),
    "eight": "Zk29xQpL",
}


class Detector:
    """Finds secrets in a text, also in disguise."""

    def __init__(self, secrets: list[str]) -> None:
        self.grams = {secret[n : n + GRAM] for secret in secrets for n in range(max(1, len(secret) - GRAM + 1))}

    def finds(self, text: str) -> str | None:
        """The part of a secret that stands in the text, or None."""
        for disguise in self._readings(text):
            for place in range(len(disguise) - GRAM + 1):
                if disguise[place : place + GRAM] in self.grams:
                    return disguise[place : place + GRAM]
        return None

    def _readings(self, text: str) -> Iterator[str]:
        yield from _unquoted(text)
        for piece in re.findall(r"[\w+/-]{10,}", text):
            for start in range(4):
                yield from _unquoted(_decoded(piece[start:]))


def _unquoted(text: str) -> Iterator[str]:
    """The text, and what it says once its escapes are undone."""
    yield text
    if "%" in text:
        text = unquote_plus(text)
        yield text
        text = unquote_plus(text)
        yield text
    if "&" in text:
        yield html.unescape(text)
    if "\\" in text:
        for _ in range(3):
            text = re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-f]{2}|.)", _unescaped, text)
            yield text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            yield text.encode("latin-1", "replace").decode("utf-8", "replace")


def _unescaped(match: re.Match[str]) -> str:
    escape = match[1]
    if escape[0] in "ux" and len(escape) > 1:
        return chr(int(escape[1:], 16))
    return escape


def _decoded(piece: str) -> str:
    data = piece.replace("-", "+").replace("_", "/")
    data = data[:-1] if len(data) % 4 == 1 else data
    data += "=" * (-len(data) % 4)
    try:
        return base64.b64decode(data).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


class _Stream:
    """Looks at what is written instead of keeping it."""

    def __init__(self) -> None:
        self.last: list[str] = []

    def write(self, text: str) -> int:
        self.last.append(text)
        return len(text)

    def flush(self) -> None:
        return None


@dataclass
class Report:
    """What came of it."""

    lines: int = 0
    held_back: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    leaks: list[str] = field(default_factory=list)
    shown: int = 0
    hidden: list[str] = field(default_factory=list)
    masking: float = 0.0
    duration: float = 0.0

    def text(self) -> list[str]:
        """For people."""
        result = [
            f"{self.lines} log calls written ({self.held_back} held back by level and noise filter), "
            f"{len(self.ways)} ways, {len(SECRETS)} secrets, in {self.duration:.0f} s",
            f"{len(self.leaks)} with a part of a secret",
            f"with --unsecurelog: {self.shown} shown, {len(self.hidden)} not",
            f"a call took {self.masking * 1e6:.0f} us in the mean",
        ]
        return (
            result
            + [f"LEAK: {each[:300]}" for each in self.leaks[:20]]
            + [f"HIDDEN: {each[:300]}" for each in self.hidden[:20]]
        )


def pour(lines: int, seed: int, every_way: bool = True) -> Report:
    """Writes until `lines` log calls were written, every way, level and setting among them."""
    generator = random.Random(seed)
    stream, masker, report = _Stream(), Masker(), Report()
    logs = Logs(masker, ("jeenergied", "jeedom_bridge"), stream)  # type: ignore[arg-type]
    handlers = logging.getLogger().handlers
    kept = list(handlers)
    handlers[:] = kept[-1:]
    for name, secret in SECRETS.items():
        (masker.register_renewed if "token" in name else masker.register)(secret)
    detector = Detector(list(SECRETS.values()))
    combinations = [(way, secret) for way in WAYS for secret in SECRETS.values()]
    begun, spent = time.monotonic(), 0.0
    number = 0
    try:
        while report.lines < lines:
            way, secret = combinations[number % len(combinations)] if every_way else generator.choice(combinations)
            number += 1
            unsecure = number % 50 == 0
            logs.set(generator.choice(list(LEVELS)), generator.random() < 0.5, unsecure)
            logger = generator.choice(LOGGERS)
            level = generator.choice([10, 20, 25, 30, 40, 50])
            stream.last = []
            at = time.perf_counter()
            leak(secret, way, logger, level)
            spent += time.perf_counter() - at
            written = "".join(stream.last)
            if not written:
                report.held_back += 1
                continue
            report.lines += 1
            report.ways[way] += 1
            found = detector.finds(written)
            if unsecure:
                report.shown += found is not None
                if found is None and way != "faulty call":  # that one cannot show its arguments
                    report.hidden.append(f"{way}: {written!r}")
            elif found is not None:
                report.leaks.append(f"{way}: {found!r} in {written!r}")
    finally:
        handlers[:] = kept
        logs.close()
    report.masking = spent / number
    report.duration = time.monotonic() - begun
    return report


if __name__ == "__main__":
    arguments = [*sys.argv[1:], *["100000", "1"][len(sys.argv) - 1 :]]
    found = pour(int(arguments[0]), int(arguments[1]))
    print("\n".join(found.text()))
    sys.exit(bool(found.leaks or found.hidden))
