"""What is sent is kept first: after a crash between the two nobody's act is taken for somebody else's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from ..ports import Acts, Attempt

NOT_URGENT = (
    "charged_wh", "session_wh", "since_level_wh", "paced_kw", "ran_s", "taken_over_until", "stopped_at", "shown",
    "orders", "circuit_until",
)  # fmt: skip
"""Counters that grow with every sample, and what is known again once the charger tells it."""


class KeptFirst:
    """The way to act of one house. `keep` makes durable what is about to be sent; it raises nothing."""

    def __init__(self, acts: Acts, keep: Callable[[], None]) -> None:
        self._acts = acts
        self._keep = keep

    def begin(self, equipment: str, capability: str, value: float | None = None) -> Attempt:
        """See Acts."""
        self._keep()
        return self._acts.begin(equipment, capability, value)

    def want(self, load: str, state: str) -> None:
        """See Acts."""
        self._keep()
        self._acts.want(load, state)

    def hurry(self, equipment: str, period_s: float) -> None:
        """See Acts."""
        self._acts.hurry(equipment, period_s)


def essence(state: object) -> object:
    """What of a kept state is written at once when it changes."""
    if not isinstance(state, Mapping):
        return None
    return {name: value for name, value in state.items() if name not in NOT_URGENT}
