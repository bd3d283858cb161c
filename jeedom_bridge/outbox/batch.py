"""One request's worth of events, and what a value may be."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any, Union

Value = Union[float, int, str, bool]
Point = tuple[str, Value]
"""(ISO 8601 with offset, value)."""

MAX_POINTS = 500
"""Values, events and dated points in one request."""
MAX_BYTES = 256_000
"""Size of one request, in characters of JSON."""

as_json = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


@dataclass
class Batch:
    """One request's worth. `parts` are the events, as JSON texts, in the order of the wire.

    `owners` has what each part was made from; the queues find their own among them.
    """

    sequence: int
    parts: list[str] = field(default_factory=list)
    owners: list[object] = field(default_factory=list)
    points: int = 0
    size: int = 0

    def add(self, part: str, points: int, owner: object) -> None:
        """Appends one event with so many points; `owner` is informed if Jeedom rejects it."""
        self.parts.append(part)
        self.owners.append(owner)
        self.points += points
        self.size += len(part) + 2

    def fits(self, size: int) -> bool:
        """True if so many characters more may be added; what is too big for any request goes alone."""
        return not self.parts or self.size + size <= MAX_BYTES


def check(value: Any) -> None:
    """Raises TypeError or ValueError if a value is neither a finite number, nor a text, nor a boolean, nor None.

    It would be too late when the request is made.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"not a value: {value!r}")
    elif value is not None and not isinstance(value, (int, str)):
        raise TypeError(f"not a value: {value!r}")


def size_of(value: Value) -> int:
    """How many characters a value takes in a request, with its punctuation, at most."""
    return 8 + (len(json.dumps(value)) if isinstance(value, str) else 24)
