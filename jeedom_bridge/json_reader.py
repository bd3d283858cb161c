"""The one reader for JSON that a peer has sent: no text, however made, can hold the program or grow within it.

Python's own reader takes `NaN` and `Infinity`, turns `1e999` into an infinite float, and converts an integer in a time
that grows with the square of its digits: a million of them hold every thread for seconds (before Python 3.9.14, or
where that limit is switched off). What is nested too deeply would exhaust the stack of whoever walks it later.
"""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 64
"""Arrays and objects within each other."""
MAX_DIGITS = 400
"""Characters of one number; the longest float has about 330 before its point."""
_SHAPE = bytes(0x30 if each in b"0123456789" else 0x65 if each in b"eE" else 0x20 for each in range(256))
_WITHOUT = b"+-.\0"
_ODD = (b"0" * 200, b"0e000")
"""Without one of them no number is too long or too large: fewer than 200 digits, times less than 1e100."""


def loads(text: str | bytes) -> Any:
    """The value of a JSON text (bytes: UTF-8, -16 or -32). Raises ValueError if it is not JSON or beyond the limits."""
    if isinstance(text, str):
        raw = text.encode("utf-8", "surrogatepass")
    else:
        raw, text = text, text.decode(json.detect_encoding(text), "surrogatepass")
    # A look at each number by Python costs as much as all the rest: only where one of them may be odd.
    shape = raw.translate(_SHAPE, _WITHOUT)
    reader = _CAREFUL if any(each in shape for each in _ODD) else _USUAL
    try:
        value = reader.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _measure(value)
    return value


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError("a number with too many digits")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits) if len(digits) <= MAX_DIGITS else math.inf
    if not math.isfinite(number):
        raise ValueError("a number beyond what a float can hold")
    return number


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_USUAL = json.JSONDecoder(parse_constant=_constant)
_CAREFUL = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant)


def _measure(value: Any) -> None:
    level: list[Any] = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        level = [
            part
            for whole in level
            for part in (whole.values() if isinstance(whole, dict) else whole)
            if isinstance(part, (dict, list))
        ]
        if not level:
            return
    raise ValueError("nested too deeply")
