"""Days played by their seeds, for who runs many of them by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable, Generic, TypeVar

Day = TypeVar("Day")


class Seeds(Generic[Day]):
    """(seed, day) of each seed whose day keeps its promises; prints and counts the `broken` ones."""

    def __init__(self, check: Callable[[int], Day], first: int, count: int) -> None:
        self._check, self._seeds = check, range(first, first + count)
        self.broken = 0

    def __iter__(self) -> Iterator[tuple[int, Day]]:
        for seed in self._seeds:
            try:
                day = self._check(seed)
            except AssertionError as error:
                self.broken += 1
                print(f"seed {seed}: {error}", flush=True)
                continue
            yield seed, day
