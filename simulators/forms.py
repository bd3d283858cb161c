"""URL-encoded forms, as the standard library reads them, which takes each escaped character for itself.

A callback of measures has ten thousands of them: reading these was a third of what a simulated Jeedom does.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_USUAL = tuple((f"%{ord(each):02X}".encode(), each.encode()) for each in '"{}[]:,+/&=')
"""What JSON has many of. None is a hexadecimal digit: what was no escape is none afterwards."""
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_PERCENT = b"%25"


def fields(body: bytes) -> dict[str, str]:
    """The fields of a form; the last one of a name counts."""
    parts = (part.partition(b"=") for part in body.split(b"&") if part)
    return {_decoded(name): _decoded(value) for name, _, value in parts}


def _decoded(part: bytes) -> str:
    part = part.replace(b"+", b" ")
    return (_unescaped(part) if b"%" in part else part).decode("utf-8", "replace")


def _unescaped(part: bytes) -> bytes:
    plain = part
    for escape, meant in _USUAL:
        plain = plain.replace(escape, meant)
    left = _ESCAPE.findall(plain)
    if len(left) != plain.count(b"%"):
        return unquote_to_bytes(part)  # some of them are no escapes
    for escape in sorted(set(left), key=_PERCENT.__eq__):  # that of % itself last: what it leaves is no escape
        plain = plain.replace(escape, bytes.fromhex(escape[1:].decode()))
    return plain
