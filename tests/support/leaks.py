"""Every way in which a program, its libraries or Python itself may bring a secret into a log."""

from __future__ import annotations

import base64
import html
import json
import logging
import threading
import warnings
from typing import Any, Callable
from urllib.parse import quote, quote_plus, urlencode

Way = Callable[[logging.Logger, int, str], None]


class _Thing:
    """An object whose text holds a secret."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __repr__(self) -> str:
        return f"<Thing secret {self.secret} of {len(self.secret)}>"


def _raised(secret: str, depth: int = 0) -> None:
    # The secret is also a local variable and an argument of each frame.
    if depth:
        _raised(secret, depth - 1)
    raise ValueError(f"cannot use {secret}")


def _caught(log: logging.Logger, level: int, secret: str) -> None:
    try:
        _raised(secret, 3)
    except ValueError:
        log.log(level, "failed", exc_info=True)


def _chained(log: logging.Logger, level: int, secret: str) -> None:
    try:
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise RuntimeError({"while": [secret]}) from error
    except RuntimeError as error:
        log.log(level, "failed with %s", error, exc_info=error)


def _in_thread(log: logging.Logger, level: int, secret: str) -> None:
    thread = threading.Thread(target=_raised, args=(secret, 1))
    thread.start()
    thread.join()


def _warned(log: logging.Logger, level: int, secret: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"insecure request with {secret}", stacklevel=1)


def _faulty(log: logging.Logger, level: int, secret: str) -> None:
    log.log(level, "%d pieces of %s", secret, secret)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _say(form: Callable[[str], Any], words: str = "got %s here") -> Way:
    return lambda log, level, secret: log.log(level, words, form(secret))


WAYS: dict[str, Way] = {
    "message": lambda log, level, secret: log.log(level, f"before {secret} after"),  # noqa: G004
    "argument": _say(str),
    "representation": _say(str, "got %r here"),
    "dictionary": _say(lambda s: {"x": s, "y": {"z": [s, (s,)]}}),
    "named": lambda log, level, secret: log.log(level, "%(a)s", {"a": secret}),
    "split": lambda log, level, secret: log.log(level, "%s%s", secret[: len(secret) // 2], secret[len(secret) // 2 :]),
    "split in three": lambda log, level, secret: log.log(level, "<%s%s%s>", secret[:3], secret[3:7], secret[7:]),
    "object": _say(_Thing),
    "objects": _say(lambda s: [_Thing(s), {"deep": _Thing(s)}]),
    "bytes": _say(lambda s: s.encode()),
    "lines": _say(lambda s: f"first\n{s}\nlast"),
    "long line": _say(lambda s: "x " * 3000 + s + " y" * 3000),
    "url": _say(lambda s: quote(s, safe="")),
    "url path": _say(lambda s: f"/a/{quote(s)}/b"),
    "url query": _say(lambda s: f"GET /x?{urlencode({'q': s, 'n': 1})} HTTP/1.1"),
    "url form": _say(lambda s: f"a=1&b={quote_plus(s)}&c=2"),
    "url twice": _say(lambda s: f"/login?next={quote('/x?q=' + quote(s, safe=''), safe='')}"),
    "user info": _say(lambda s: f"https://user:{quote(s, safe='')}@vendor.test/path"),
    "json": _say(lambda s: json.dumps({"x": s})),
    "json utf-8": _say(lambda s: json.dumps({"x": s}, ensure_ascii=False)),
    "json in json": _say(lambda s: json.dumps({"payload": json.dumps({"x": s})})),
    "json of php": _say(lambda s: json.dumps({"x": s}).replace("/", "\\/")),
    "json bytes": _say(lambda s: json.dumps({"x": s}).encode()),
    "json url": _say(lambda s: "payload=" + quote_plus(json.dumps({"x": s}))),
    "base64": _say(_base64),
    "base64 url": _say(lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("=")),
    "base64 in the middle": _say(lambda s: _base64(f"user:{s}:x")),
    "base64 json": _say(lambda s: _base64(json.dumps({"a": 1, "x": s}))),
    "basic": _say(lambda s: f"Authorization: Basic {_base64('me:' + s)}"),
    "bearer": _say(lambda s: f"Authorization: Bearer {s}"),
    "headers": _say(lambda s: {"Authorization": f"Bearer {s}", "X-Token": s, "Cookie": f"a={s}; b={s}"}),
    "cookie": _say(lambda s: f"Set-Cookie: session={quote(s)}; Path=/; HttpOnly"),
    "key": _say(lambda s: f"password={quote(s)}"),
    "html": _say(lambda s: f'<input name="x" value="{html.escape(s)}">'),
    "xml": _say(lambda s: f"<password>{html.escape(s, quote=False)}</password>"),
    "exception": _caught,
    "chained exception": _chained,
    "exception of a thread": _in_thread,
    "stack": lambda log, level, secret: log.log(level, "at %s", secret, stack_info=True),
    "warning of python": _warned,
    "faulty call": _faulty,
}

LOGGERS = ["jeenergied.devices.lab", "jeedom_bridge.http", "urllib3.connectionpool", "SignalRCoreClient", "websocket"]
LOGGERS += ["requests", "asyncio", "root"]
"""Our own, and those of the libraries in use."""


def leak(secret: str, way: str, logger: str, level: int) -> None:
    """Brings a secret into the log."""
    WAYS[way](logging.getLogger(None if logger == "root" else logger), level, secret)
