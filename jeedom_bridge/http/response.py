"""A whole answer, and what is read in its head or put into a request's."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from ..json_reader import loads

_DAY_S = 86400.0


@dataclass(frozen=True)
class Response:
    """A whole answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are shown as replacement characters."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is none, or beyond the limits of `json_reader`."""
        return loads(self.body)


Answer = Response


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine only, by its name."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def sendable(text: Any) -> str:
    """A vendor's token, when it can stand in a header, a form or an address; '' for any other."""
    return text if isinstance(text, str) and text.isascii() and text.isprintable() else ""


def retry_after(headers: Mapping[str, str], now: float, most: float = _DAY_S) -> float | None:
    """Seconds that a peer asks to wait (Retry-After, RFC 9110 section 10.2.3), from 0 to `most`.

    The header holds seconds or a date; `now` is Unix time. `headers`: names in lower case, as of `Response`. None
    without the header, or if it makes no sense.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), most) if len(text) < 16 else most
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # "-0000": a time whose zone is not told, UTC all the same (RFC 9110 section 5.6.7)
            moment = moment.replace(tzinfo=timezone.utc)
        return min(max(0.0, moment.timestamp() - now), most)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
