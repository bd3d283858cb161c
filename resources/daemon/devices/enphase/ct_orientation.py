"""A production transformer that is mounted the wrong way round: the user is told, the values stay the gateway's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..base import Context

DAYLIGHT_HOURS = range(10, 16)
"""Local hours at which panels give something on any day."""
REVERSED_W = -50.0
"""W that inverters never draw by themselves."""
CONFIRM_S = 600.0
"""Seconds until it is believed."""


class CtOrientation:
    """Looks at the production power of each poll."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._since: float | None = None

    def look(self, facts: Mapping[str, Any], now: float) -> None:
        """Takes the facts of a poll; tells once, until production has been seen the right way round."""
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
