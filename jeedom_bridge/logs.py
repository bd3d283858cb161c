"""Jeedom's log format, masking of secrets, noise filter, and level switching at run time."""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import os
import re
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import TextIO
from urllib.parse import quote, quote_plus

from .plain import one_line

_LOG = logging.getLogger(__name__)

NOTICE = 25
NONE = 1000
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": NOTICE,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": NONE,
}
MASK = "********"
INDEX_CHARS = 8
"""Values are indexed by so many first characters; shorter ones are masked as whole words only."""
MIN_MASKED_CHARS = 4
"""Values under this length are masked only where a key, a header or URL user info names them."""

# A line is masked while every thread waits: no pattern may look at a long text more than a few times. So a name
# is looked for from its first character only, and what may follow it is bounded.
_START = r"(?<![\w-])"
_KEY = (
    rf"{_START}[\w-]*(?:passw(?:or)?d|passwd|pwd|mot_?de_?passe|secret|token|api_?key|session_?id|cookie|csrf|"
    r"credential)[\w-]{0,40}"
)
_JWT = re.compile(r"eyJ[\w-]{5,400}\.[\w-]{5,}(?:\.[\w-]*)?")
"""Three base64url segments of which the first two are JSON objects."""
_KEY_WORDS = ("passw", "pwd", "passe", "secret", "token", "api", "session", "cookie", "csrf", "credential")
_PATTERNS = [
    # Before the key rule, whose value would end at the blank between the scheme and its secret.
    (("bearer", "basic"), re.compile(r"(?i)\b(bearer|basic)(\s+|%20|\+)[\w.~+/=%-]{3,}"), rf"\1\2{MASK}"),
    # User info in a URL.
    (("://",), re.compile(r"(?<=://)[^\s/@'\"<>]+(?=@)"), MASK),
    # Cookie headers: the whole line or string, names of cookies included.
    (
        ("cookie",),
        re.compile(r"(?i)\b((?:set-)?cookie['\"]?\s{0,9}[:=]\s{0,9})(?:(['\"])(?:(?!\2)[^\r\n])+|[^'\"\s][^\r\n]*)"),
        rf"\1\2{MASK}",
    ),
    # key=value, "key": "value", 'key': 'value', key: value; quotes may be escaped by an outer JSON.
    (
        _KEY_WORDS,
        re.compile(
            rf"(?i)({_KEY}(?:\\?['\"]|%22)?\]?\s{{0,9}}(?:[=:]|%3[AD]|=>)\s{{0,9}})"
            r"(\\?['\"])((?:(?!\2)(?:\\.|[^\\\r\n]))+)\2"
        ),
        rf"\1\2{MASK}\2",
    ),
    (
        _KEY_WORDS,
        re.compile(
            rf"(?i)({_KEY}(?:\]|%5D)?(?:\s{{0,9}}=\s{{0,9}}|:\s{{0,9}}|%3D))(?!\s|\\?['\"]|\*{{8}})[^\s&;,'\"<>)}}\]]+"
        ),
        rf"\1{MASK}",
    ),
    (_KEY_WORDS, re.compile(rf"(?i)(<{_KEY}>)[^<]+"), rf"\1{MASK}"),
]
"""Words of which one stands, in lower case, in all that the pattern finds in ASCII; the pattern; its replacement."""
_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_NAMES = re.compile(r"(?i)(?:user|login|mail|e-?mail|serial|pin|pass|pwd|secret|token|key|id)[\w-]*$")


def _forms(value: str) -> set[str]:
    """The value as it can stand in a text: plain, URL-encoded, JSON-escaped, in base64 at any alignment."""
    plain = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    forms = {html.escape(value), html.escape(value, quote=False)}
    for text in (*plain, *(text.replace("/", "\\/") for text in plain)):  # the latter is PHP's way
        raw = text.encode("utf-8", "surrogatepass")
        forms |= {text, json.dumps(text)[1:-1], repr(text)[1:-1], repr(raw)[2:-1], *_base64_forms(raw)}
        urls = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
        forms |= urls | {_ESCAPE.sub(lambda hexa: hexa[0].lower(), form) for form in urls}
        forms |= {quote(form, safe="") for form in urls}
    return {form for form in forms if len(form) >= INDEX_CHARS}


def _base64_forms(raw: bytes) -> set[str]:
    forms = set()
    for shift in range(3):
        # Whatever stands before and after shares the outermost characters: leave those out.
        padded = base64.b64encode(b"\0" * shift + raw).decode()
        start = (0, 2, 3)[shift]
        inner = padded[start:].rstrip("=")
        inner = inner[:-1] if (shift + len(raw)) % 3 else inner
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return forms


class Masker:
    """Knows the secrets and takes them out of a text. Safe to use from any thread."""

    MAX_RENEWED = 200
    """How many of the values that are renewed again and again (tokens, cookies) are remembered."""

    def __init__(self) -> None:
        self.enabled = True
        self._lock = threading.Lock()
        self._lasting: dict[str, set[str]] = {}
        self._renewed: dict[str, set[str]] = {}
        self._stale = False
        self._long: dict[str, list[str]] = {}
        """Every form of every longer value, the longest first, by its first INDEX_CHARS characters."""
        self._short: re.Pattern[str] | None = None

    def register(self, *values: object) -> None:
        """Registers settings that must never be seen; None, blanks and known values are ignored."""
        self._add(self._lasting, values, None)

    def register_renewed(self, *values: object) -> None:
        """Registers tokens and cookies as they are received; the oldest are forgotten: years would fill the memory."""
        self._add(self._renewed, values, self.MAX_RENEWED)

    def _add(self, known: dict[str, set[str]], values: tuple[object, ...], limit: int | None) -> None:
        texts = (str(value).strip() for value in values if value is not None and not isinstance(value, bool))
        with self._lock:
            for text in filter(None, texts):
                forms = known.pop(text, None)
                self._stale |= forms is None
                # To the end, known or not: what is still in use is not the oldest.
                known[text] = forms or (_forms(text) if len(text) >= INDEX_CHARS else set())
            while limit is not None and len(known) > limit:
                del known[next(iter(known))]

    def _refresh(self) -> None:
        """Builds the index when a text is first to be masked: a hundred connections register one after the other."""
        with self._lock:
            if not self._stale:
                return
            everything = {**self._lasting, **self._renewed}
            found: dict[str, list[str]] = {}
            for form in sorted({f for forms in everything.values() for f in forms}, key=len, reverse=True):
                found.setdefault(form[:INDEX_CHARS], []).append(form)
            self._long = found
            short = sorted((text for text in everything if len(text) < INDEX_CHARS), key=len, reverse=True)
            self._short = _short_pattern(short) if short else None
            self._stale = False

    def mask(self, text: str) -> str:
        """The text with every known or suspected secret replaced by ********."""
        if not self.enabled:
            return text
        if self._stale:
            self._refresh()
        # First of all: a serial number that is known, within its content, would hide the look of a token.
        text = _JWT.sub(MASK, text)
        text = self._without_long(text)
        if self._short is not None:
            text = self._short.sub(_mask_short, text)
        # Most lines have none of the words, and finding that out costs a tenth of looking for the patterns. Beyond
        # ASCII other letters count as the same: "ſ" is an "s".
        lower = text.lower() if text.isascii() else ""
        for words, pattern, replacement in _PATTERNS:
            if not lower or any(word in lower for word in words):
                text = pattern.sub(replacement, text)
        return text

    def _without_long(self, text: str) -> str:
        """Every known form replaced; those that overlap by one mask.

        One look at each place of the text, however many forms there are: thousands, with a hundred accounts.
        """
        long = self._long
        parts: list[str] = []
        done = 0
        for start in [n for n in range(len(text) - INDEX_CHARS + 1) if text[n : n + INDEX_CHARS] in long]:
            form = next(
                (form for form in long[text[start : start + INDEX_CHARS]] if text.startswith(form, start)), None
            )
            if form is None:
                continue
            if start >= done:
                parts += (text[done:start], MASK)
            done = max(done, start + len(form))
        return "".join((*parts, text[done:])) if parts else text


def _short_pattern(values: list[str]) -> re.Pattern[str]:
    any_value = "|".join(map(re.escape, values))
    named = rf"{_START}([\w-]+)(\\?['\"]?\s{{0,9}}(?:=|:|=>)\s{{0,9}}\\?['\"]?)({any_value})(?!\w)"
    words = "|".join(re.escape(value) for value in values if len(value) >= MIN_MASKED_CHARS)
    return re.compile(rf"{named}|(?<!\w)({words})(?!\w)" if words else named)


def _mask_short(match: re.Match[str]) -> str:
    if match[1] is None:
        return MASK
    if _NAMES.search(match[1]):
        return match[1] + match[2] + MASK
    return match[1] + match[2] + (MASK if len(match[3]) >= MIN_MASKED_CHARS else match[3])


class _Formatter(logging.Formatter):
    """Jeedom's line; masks the finished text, so that arguments, exceptions and tracebacks are in it."""

    def __init__(self, masker: Masker) -> None:
        super().__init__()
        self._masker = masker

    def format(self, record: logging.LogRecord) -> str:
        try:
            text = one_line(record.getMessage())
        except Exception as error:  # a third party's faulty call must not silence the log
            text = f"{record.msg!r} (arguments not shown: {error})"
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        if record.stack_info:
            text = f"{text}\n{record.stack_info}"
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        return f"[{stamp}][{record.levelname}] {self._masker.mask(text)}"


class Logs:
    """Sets up the root logger as Jeedom wants it, and changes it while the daemon runs.

    The lines of third-party libraries below WARNING show only with `extended`: they are many (stream pings,
    connection pools) and tell a user nothing. `own` names the loggers that are not third-party.
    """

    def __init__(self, masker: Masker, own: tuple[str, ...], stream: TextIO | None = None) -> None:
        self.masker = masker
        self.extended = False
        self._own = own
        logging.addLevelName(NOTICE, "NOTICE")
        self._handler = logging.StreamHandler(_lossless(stream or sys.stdout))
        self._handler.setFormatter(_Formatter(masker))
        self._handler.addFilter(self._quiet)
        root = logging.getLogger()
        for handler in list(root.handlers):
            root.removeHandler(handler)
        root.addHandler(self._handler)
        logging.captureWarnings(True)
        # What Python prints by itself on standard error is not masked, and Jeedom keeps that beside the log.
        logging.raiseExceptions = False
        self._hooks = sys.excepthook, threading.excepthook
        sys.excepthook = _uncaught
        threading.excepthook = lambda lost: _uncaught(lost.exc_type, lost.exc_value, lost.exc_traceback)

    def write_to(self, stream: TextIO | LogFile) -> None:
        """Writes there from now on."""
        self._handler.setStream(stream)  # type: ignore[arg-type]

    def close(self) -> None:
        """Removes the handler."""
        logging.getLogger().removeHandler(self._handler)
        sys.excepthook, threading.excepthook = self._hooks

    @property
    def level(self) -> str:
        """The level in force, by Jeedom's name."""
        number = logging.getLogger().level
        return next((name for name, value in LEVELS.items() if value == number), "none")

    def set(
        self,
        level: str | None = None,
        extended: bool | None = None,
        unsecure: bool | None = None,
    ) -> None:
        """Switches what is given, at once. Raises KeyError for a level that Jeedom does not have."""
        if level is not None:
            logging.getLogger().setLevel(LEVELS[level])
        if extended is not None:
            self.extended = extended
        if unsecure is not None:
            self.masker.enabled = not unsecure

    def _quiet(self, record: logging.LogRecord) -> bool:
        if self.extended or record.levelno >= logging.WARNING:
            return True
        return record.name.split(".", 1)[0] in self._own


class LogFile(io.TextIOBase):
    """A log that is opened again once it was removed or replaced, as Jeedom does with logs while daemons write.

    Every line goes out at once and whole; the file is appended to, so that others may shorten it.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError if the file cannot be opened."""
        self._path = path
        self._descriptor = self._open()

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o664)

    def write(self, text: str) -> int:
        """Appends the text. Raises OSError if the disk does not take it."""
        if not self._is_current():
            try:
                opened = self._open()
            except OSError:
                pass  # tried again at the next line
            else:
                os.close(self._descriptor)
                self._descriptor = opened
        data = text.encode("utf-8", "backslashreplace")
        while data:
            data = data[os.write(self._descriptor, data) :]
        return len(text)

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._descriptor))
        except OSError:
            return False

    def close(self) -> None:
        """Closes the file."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is None or issubclass(kind, (SystemExit, KeyboardInterrupt)):
        return
    _LOG.critical("an exception that nobody caught", exc_info=(kind, error, trace))


def _lossless(stream: TextIO) -> TextIO:
    # A character that the terminal or file cannot show must not cost the line.
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace", line_buffering=True)
    return stream
