"""The one reader for JSON that a peer has sent: no text, however made, can hold the program or grow within it.

Python's own reader takes `NaN` and `Infinity`, turns `1e999` into an infinite float, and converts an integer in a time
that grows with the square of its digits: a million of them hold every thread for seconds (before Python 3.9.14, or
where that limit is switched off). What is nested too deeply would exhaust the stack of whoever walks it later.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

MAX_DEPTH = 64
"""Arrays and objects within each other."""
MAX_DIGITS = 400
"""Characters of one number; the longest float has about 330 before its point."""


def loads(text: str | bytes) -> Any:
    """The value of a JSON text (bytes: UTF-8, -16 or -32). Raises ValueError if it is not JSON or beyond the limits."""
    try:
        value = json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
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


def _measure(value: Any) -> None:
    level: list[Any] = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = [part for whole in level for part in _parts(whole) if isinstance(part, (dict, list))]
    if level:
        raise ValueError("nested too deeply")


def _parts(whole: Any) -> Iterable[Any]:
    return whole.values() if isinstance(whole, dict) else whole
