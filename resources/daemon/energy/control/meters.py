"""Has the meters in use read often while something is driven. Pure; times are seconds of a clock that never steps."""

from __future__ import annotations

from collections.abc import Iterable

from ..ports import Acts
from ..topology import Role

USED = ("grid.power", "grid.apparentPower", "battery.power")
PERIOD_S, AGAIN_S = 5.0, 60.0
"""How often they are to be read, and how often that is asked for: who is not asked again slows down by himself."""


class Meters:
    """See above."""

    def __init__(self) -> None:
        self._at = float("-inf")

    def hurry(self, roles: Iterable[Role], now: float, acts: Acts) -> None:
        """Asks each equipment that measures what the rules need."""
        if now - self._at < AGAIN_S:
            return
        self._at = now
        used = [each for each in roles if each.used and each.role in USED]
        sources = [source for each in used for source in (each.source, each.less) if source is not None]
        for equipment in sorted({source.equipment for source in sources}):
            acts.hurry(equipment, PERIOD_S)
