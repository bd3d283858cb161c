"""Spoils answers: JSON by its structure, XML and HTML by their elements, anything by its bytes, and what carries it."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Optional

Path = tuple[Any, ...]

JUNK: list[Any] = [
    None, True, False, "", " ", "x", "12.5", "3,5", "1_0", "0x10", "NaN", "-Infinity", "²", "é" * 60, "x" * 400,
    "\x00", "\ud800", "{x}", "%s", "http://[", "<b>1</b>", "2026-13-45T99:99:99Z", "9" * 40, "1e999", "enabled",
    0, -1, 1, 3, 2.5, -0.0, 1e300, -1e300, 10**12, 10**18, 10**30, -(10**30), 10**400, -(10**400), 2**63,
    float("nan"), float("inf"), float("-inf"), [], {}, [[]], [{}], {"a": None}, [None], [1, 2], {"id": []},
]  # fmt: skip
"""What stands where something else is expected."""
TEXTS = ["", "ND", "nan", "-", "--1", "1e5", "1 2", "9" * 40, "0x1F", "1,5", "²", "é", "&#0;", "&lt;", "&", "<", "]]>"]
TEXTS += [
    "<![CDATA[5",
    "<x>7</x>",
    "-0",
    "+3",
    "1.",
    ".5",
    "1_000",
    "338.25 l",
    "\x00",
    "x" * 300,
    "٣",
    "127.9",
    "85.0",
]
PAGE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Bad gateway 502</body></html>"
WHOLE = [
    b"", b" ", b"null", b"true", b"0", b'"text"', b"[]", b"{}", b"[[]]", b"{", b"NaN", b"\x00", b"\xff\xfe", PAGE,
    b"[" * 30_000, b'{"a":' * 20_000, b"<a>" * 20_000, b"9" * 6000, b"<?xml version='1.0'?><data/>",
    b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><data><info><firmware>&b;</firmware></info></data>',
    b'{"error":"x"}', b'{"error":{"code":3}}', b'{"message":"Forbidden"}', b'{"detail":"{0} %s \\ud800"}',
]  # fmt: skip
"""Another answer altogether."""
STATUSES = (100, 201, 202, 204, 206, 301, 302, 307, 400, 401, 403, 404, 405, 406, 408, 418, 422, 429, 500, 502, 503)
STATUSES += (504, 599)
HEADERS = {
    "retry-after": [
        "5",
        "soon",
        "-1",
        "9" * 30,
        "²",
        "1e9",
        "Wed, 21 Oct 2099 07:28:00 GMT",
        "Mon, 99 Foo 0 0:0:0 +9999",
    ],
    "location": [
        "/",
        "//x",
        "http://[",
        "https://127.0.0.1:99999/",
        "accounts/login/",
        "/login/redirect/",
        "\\\\",
        "?",
    ],
    "content-type": ["text/html", "application/json; charset=utf-16", "x" * 200, ""],
    "content-encoding": ["gzip", "br", "deflate", "identity, gzip", "²"],
    "set-cookie": ["sessionid=; Path=/", "csrftoken=x; Expires=never", "=;=;", "a=b" * 50],
}


@dataclass(frozen=True)
class Answer:
    """A whole answer of HTTP."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_of(content: Any, **headers: str) -> Answer:
    """A good answer: JSON for what is no bytes."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(body, 200, headers)


class Mutator:
    """Changes answers by chance, each time from the seed alone."""

    def __init__(self, seed: object) -> None:
        self.dice = random.Random(str(seed))

    def answer(self, good: Answer) -> Answer:
        """The same answer, spoilt: mostly its content, at times its status, its headers, or all of it."""
        what = self.dice.random()
        if what < 0.06:
            return replace(good, body=self.dice.choice(WHOLE))
        if what < 0.12:
            return self._carried(good)
        return replace(good, body=self.body(good.body))

    def body(self, body: bytes) -> bytes:
        """A spoilt body, by its structure if it has one, else by its bytes."""
        if self.dice.random() < 0.2:
            return self.raw(body)
        if body.lstrip()[:1] == b"<":
            return self.marked_up(body)
        try:
            document = json.loads(body)
        except ValueError:
            return self.raw(body)
        try:
            return json.dumps(self.document(document)).encode()
        except (ValueError, RecursionError):  # too long a number, or too deep for the writer
            return self.raw(body)

    def document(self, document: Any) -> Any:
        """A copy with one to eight parts replaced, removed, renamed, added, doubled, shuffled or nested."""
        document = deepcopy(document)
        for _ in range(self.dice.choice((1, 1, 1, 2, 4, 8))):
            path = self.dice.choice(list(_places(document)))
            if path:
                self._change(_at(document, path[:-1]), path[-1])
            elif self.dice.random() < 0.1:
                document = deepcopy(self.dice.choice(JUNK))
        return document

    def _change(self, parent: Any, key: Any) -> None:
        what = self.dice.randrange(8)
        if what == 0:
            del parent[key]
        elif what == 1 and isinstance(parent, dict):
            parent[self.dice.choice(["", "x", f"{key} ", str(key).upper(), "id", "value"])] = parent.pop(key)
        elif what == 1:
            self.dice.shuffle(parent)
        elif what == 2 and isinstance(parent, dict):
            parent[self.dice.choice(list(parent))] = deepcopy(self.dice.choice(list(parent.values())))
        elif what == 2:
            parent.append(deepcopy(self.dice.choice(parent)))
        elif what == 3:
            parent[key] = self._similar(parent[key])
        elif what == 4:
            parent[key] = [parent[key]] if self.dice.random() < 0.5 else {str(key): parent[key]}
        else:
            parent[key] = deepcopy(self.dice.choice(JUNK))

    def _similar(self, value: Any) -> Any:
        """Another value of the same kind, or the same value as another kind."""
        if isinstance(value, bool) or value is None:
            return self.dice.choice(["true", 1, 0, "", not value])
        if isinstance(value, (int, float)):
            return self.dice.choice(
                [-value, value * 1000, value // 7, str(value)[:99], bool(value), [value], value + 7]
            )
        if isinstance(value, str):
            return self.dice.choice([value.upper(), value[1:], value * 3, value + "\u2028", value[::-1], [value]])
        return self.dice.choice([list(value), len(value), str(value)[:200]])

    def marked_up(self, body: bytes) -> bytes:
        """XML or HTML with one to eight elements emptied, filled anew, removed, renamed, doubled or opened."""
        for _ in range(self.dice.choice((1, 1, 1, 2, 4, 8))):
            found = list(re.finditer(rb"<([\w.+-]+)([^<>]*)>([^<>]*)(</\1>)?", body))
            if not found:
                return self.raw(body)
            element = self.dice.choice(found)
            start, end = element.span()
            tag, text = element[1], element[3]
            fresh = self.dice.choice(TEXTS).encode()
            filled = b"<" + tag + element[2] + b">" + fresh + (element[4] or b"")
            body = body[:start] + self.dice.choice([
                *[filled] * 5,
                b"<" + tag + element[2] + b">" + self.raw(text) + (element[4] or b""),
                b"",
                element[0] * 2,
                b"<" + tag + b"x>" + text + b"</" + tag + b"x>",
                b"<" + tag + b" a='1'><!-- " + text + b" -->" + (element[4] or b""),
                b"<" + tag + b">" + text,
                b"<?" + tag + b" " + text + b"?>" + element[0],
                element[0].upper(),
            ]) + body[end:]  # fmt: skip
        return body

    def raw(self, body: bytes) -> bytes:
        """Bytes cut, flipped, removed, doubled, in another order, with other digits or in another encoding."""
        data = bytearray(body)
        for _ in range(self.dice.choice((1, 1, 2, 5, 30))):
            at = self.dice.randrange(len(data) + 1)
            what = self.dice.randrange(8)
            if what == 0 and data:
                data[at % len(data)] = self.dice.randrange(256)
            elif what == 1:
                del data[at : at + self.dice.randrange(1, 200)]
            elif what == 2:
                data[at:at] = data[at : at + self.dice.randrange(1, 300)]
            elif what == 3:
                data[at:at] = self.dice.choice(TEXTS).encode("utf-8", "surrogatepass")
            elif what in (4, 5):
                self._digit(data)
            elif what == 6 and self.dice.random() < 0.4:
                del data[at:]
            elif what == 7 and self.dice.random() < 0.2:
                return self._encoded(bytes(data))
        return bytes(data)

    def _digit(self, data: bytearray) -> None:
        digits = [place for place, byte in enumerate(data) if 48 <= byte <= 57]
        if digits:
            data[self.dice.choice(digits)] = ord(self.dice.choice("0123456789-.eE+ ,"))

    def _encoded(self, body: bytes) -> bytes:
        text = body.decode("utf-8", "replace")
        return self.dice.choice([
            text.encode("utf-16"),
            text.encode("utf-8-sig"),
            text.encode("latin-1", "replace"),
            text.encode("utf-7", "replace"),
            text.encode("utf-32-le"),
            gzip.compress(body, 1),
        ])  # fmt: skip

    def _carried(self, good: Answer) -> Answer:
        headers = dict(good.headers)
        for _ in range(self.dice.randrange(3)):
            name = self.dice.choice(sorted(HEADERS))
            headers[name] = self.dice.choice(HEADERS[name])
        status = self.dice.choice(STATUSES) if self.dice.random() < 0.8 else good.status
        body = self.dice.choice([good.body, self.body(good.body), self.dice.choice(WHOLE)])
        return Answer(body, status, headers)


def parsed(body: bytes) -> Optional[Any]:
    """The JSON of a body, as any reader of it would have it; None for none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _places(value: Any, path: Path = ()) -> list[Path]:
    found = [path]
    if isinstance(value, dict):
        found += [each for key, part in value.items() for each in _places(part, (*path, key))]
    elif isinstance(value, list):
        found += [each for key, part in enumerate(value) for each in _places(part, (*path, key))]
    return found


def _at(document: Any, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document
