"""A sum of parts that come from different requests: without one of its parts it is not a value.

Pure: times are handed in, as Unix time in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable


class WholeSum:
    """Adds up parts that are known to exist. Remembers them over a restart by `parts`.

    The total is known only while every part is, and all are of about one age.
    """

    def __init__(self, spread_s: float, parts: Iterable[str] = ()) -> None:
        """`spread_s`: how many seconds a part may be older than the newest one. `parts`: known from before."""
        self._spread_s = spread_s
        self._values: dict[str, tuple[float, float] | None] = dict.fromkeys(parts)

    @property
    def parts(self) -> list[str]:
        """The parts that exist, to be kept."""
        return sorted(self._values)

    def put(self, part: str, value: float | None, at: float) -> None:
        """Takes a part's value of `at`. None: the part exists, its value is not known now."""
        self._values[part] = None if value is None else (value, at)

    def drop(self, part: str) -> None:
        """The part does not exist any more (the device says so; not merely that it did not answer)."""
        self._values.pop(part, None)

    def total(self) -> tuple[float, float] | None:
        """(sum, age of its oldest part as Unix time); None while a part is missing or too old beside the newest."""
        known = list(self._values.values())
        if not known or None in known:
            return None
        values = [each for each in known if each is not None]
        oldest = min(at for _, at in values)
        if max(at for _, at in values) - oldest > self._spread_s:
            return None
        return sum(value for value, _ in values), oldest
