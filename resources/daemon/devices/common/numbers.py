"""Finite numbers out of what a peer sent."""

from __future__ import annotations

import math
from typing import Any


def finite(value: Any) -> float | None:
    """Converts a JSON number, or text that holds one (with decimal point or comma), to a finite float.

    None for anything else: booleans, empty text, NaN, infinity, numbers too large for a float.
    """
    if type(value) is float:  # most of them are
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        value = value.strip().replace(",", ".", 1)
        if not value or len(value) > 40 or "_" in value or not value.isascii():
            return None
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
