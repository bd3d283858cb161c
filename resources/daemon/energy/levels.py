"""Levels: what a load is wanted to be, what it is proved to be, and when to ask for it again.

"Switch off now" is an edge: lost once, it is lost for good, and the load stays on. A level is a wanted state that is
asked for again, after growing pauses, until there is proof that the command for it ran; then no more, so that a load
which somebody switches by hand afterwards is left alone.

Pure: the time is handed in. `wall` is Unix time, `now` a clock that never goes back, both in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union

Value = Union[float, int, str, bool]

FIRST_PAUSE_S = 2.0
"""By then Jeedom has run a command, as a rule, and says so when it is asked again: the state shown is not late."""
LONGEST_PAUSE_S = 60.0
GREATEST_NUMBER = 2**53
"""Beyond it JSON readers no longer tell neighbours apart."""


@dataclass
class Level:
    """One load. States are names: those of the commands that bring the load there; "" means none, or not known."""

    wanted: str = ""
    proved: str = ""
    """The state that the newest command known to have run has brought about."""
    number: int = 0
    """Of the wish: an old proof must not prove a newer wish. It grows for ever, also after a lost memory."""
    proved_number: int = 0
    since: float = 0.0
    """Unix time of the wish."""
    value: Value | None = None
    """What the command may make use of."""
    lifetime: float | None = None
    """Seconds within which a request must be carried out, or not at all; None: however late."""
    _pause: float = field(default=FIRST_PAUSE_S, compare=False)
    _next: float = field(default=-math.inf, compare=False)

    @property
    def pending(self) -> bool:
        """Whether the wish is not proved yet."""
        return self.wanted != "" and self.number > self.proved_number

    def want(self, state: str, value: Value | None, lifetime: float | None, wall: float) -> bool:
        """Takes a wish; False when it is the one that holds already."""
        if state == self.wanted:
            return False
        # It follows the clock, so that the numbers of a memory that was lost are not used a second time.
        self.number = min(max(self.number + 1, int(wall)), GREATEST_NUMBER)
        self.wanted, self.since, self.value, self.lifetime = state, wall, value, lifetime
        self._pause, self._next = FIRST_PAUSE_S, -math.inf
        return True

    def due(self, now: float) -> float | None:
        """Seconds until the wish is to be asked for (again), at least 0; None when there is nothing to ask for."""
        return max(0.0, self._next - now) if self.pending else None

    def asked(self, now: float) -> None:
        """The wish has been asked for: the next time is after a pause, which grows."""
        self._next = now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_S)

    def ran(self, state: str, number: int) -> bool:
        """Takes the proof that the command for `state` ran for wish `number`; True when that is news."""
        if not self.proved_number < number < GREATEST_NUMBER:
            return False
        self.proved, self.proved_number = state, number
        if number > self.number and self.wanted:
            # A wish from before this memory was lost: whoever compares numbers would take ours for an old one.
            self.number = number + 1
            self._pause, self._next = FIRST_PAUSE_S, -math.inf
        return True

    def state(self) -> dict[str, Any]:
        """What survives a restart, as JSON takes it."""
        return {
            "wanted": self.wanted,
            "proved": self.proved,
            "number": self.number,
            "provedNumber": self.proved_number,
            "since": self.since,
            "value": self.value,
            "lifetime": self.lifetime,
        }

    @classmethod
    def restore(cls, kept: Any) -> Level:
        """From `state()`. What is not proved in it is due at once; what cannot be read is a level without a wish."""
        if not isinstance(kept, Mapping):
            return cls()
        try:
            level = cls(
                str(kept["wanted"]),
                str(kept["proved"]),
                int(kept["number"]),
                int(kept["provedNumber"]),
                float(kept["since"]),
                kept["value"],
                None if kept["lifetime"] is None else float(kept["lifetime"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            return cls()
        return level
