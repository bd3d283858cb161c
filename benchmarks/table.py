"""The table of figures that a benchmark prints."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

Row = tuple[str, str, str]


class Bench:
    """Collects rows: what, measured, comparable."""

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self.rows: list[Row] = []

    def seconds(self, full: float) -> float:
        """How long something is measured."""
        return max(5.0, full / 4) if self.quick else full

    def count(self, full: int) -> int:
        """How often something is measured."""
        return max(10, full // 4) if self.quick else full

    def row(self, what: str, measured: str, comparable: str = "") -> None:
        """Adds and prints one."""
        self.rows.append((what, measured, comparable))
        print(f"  {what}: {measured}" + (f"   [{comparable}]" if comparable else ""), flush=True)

    def table(self) -> str:
        """All rows, aligned."""
        rows = [("figure", "measured", "existing plugins"), *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([lines[0], "-|-".join("-" * width for width in widths), *lines[1:]])

    def markdown(self) -> str:
        """The same for a document."""
        rows = [("figure", "measured", "existing plugins"), ("---", "---", "---"), *self.rows]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def spread(seconds: Sequence[float]) -> str:
    """Median, 95th percentile and maximum, in ms."""
    ordered = sorted(seconds)
    last = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"median {statistics.median(ordered) * 1e3:.1f}, p95 {last * 1e3:.1f}, max {ordered[-1] * 1e3:.1f} ms"
