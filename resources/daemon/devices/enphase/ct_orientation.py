"""Warns of a production transformer that is mounted the wrong way round; values are published unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..base import Context

DAYLIGHT_HOURS = range(10, 16)
"""Local hours at which panels produce on any day."""
REVERSED_W = -50.0
"""W: inverters never draw that much by themselves."""
CONFIRM_S = 600.0
"""Seconds of negative production until the user is warned."""


class CtOrientation:
    """Checks the production power of each poll."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._since: float | None = None

    def look(self, facts: Mapping[str, Any], now: float) -> None:
        """Checks the facts of a poll; warns once, and again only after production was positive."""
        power = facts.get("production.power")
        if power is None:
            return
        if (
            power >= REVERSED_W
            or datetime.fromtimestamp(now, ZoneInfo(self._context.timezone)).hour not in DAYLIGHT_HOURS
        ):
            self._since = None
            if power > -REVERSED_W:
                self._context.memory.delete("backwards")
            return
        if self._since is None or self._since > now:
            self._since = now
        if now - self._since >= CONFIRM_S and not self._context.memory.get("backwards"):
            self._context.memory.keep("backwards", True)
            self._context.message("warning", _BACKWARDS, power=round(power))


_BACKWARDS = (
    "La production est négative depuis dix minutes en plein jour ({power} W) : le transformateur de production de la "
    "passerelle est sans doute monté à l'envers"
)
