"""Notices chargers that the stream has gone silent about: the connection stands, the pings flow, no data comes.

An idle charger may say nothing for a quarter of an hour, so silence alone proves nothing: after a while the state
is read once by REST. When it agrees with what is known, the charger is only quiet; when it does not, the stream
is stalled. Jeedom's own heartbeat restarts the daemon after 15 minutes: all of this is over well before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..charger import Charger

REPLAY_START_S = 10.0
"""Seconds after a subscription within which its replay must have begun."""
CHARGING_QUIET_S, IDLE_QUIET_S, MAX_QUIET_S, SILENT_QUIET_S = 240.0, 420.0, 600.0, 1800.0
QUIET_GROWTH = 1.5
SUSPICION_S = 10.0
"""Seconds that the stream gets to tell what REST has told already."""
ABSENT_RETRY_S = 3600.0
MAX_RECONNECTIONS_PER_HOUR = 3
"""Reconnections of a stalled stream: one that stalls again and again is not mended by more of them."""


@dataclass
class _Charger:
    subscribed: float
    looked: float = float("-inf")
    patience: float = 1.0
    suspected: float | None = None
    absent: bool = False
    again: bool = False


class StallDetector:
    """Times are monotonic seconds. Not thread-safe: the device holds its lock."""

    def __init__(self) -> None:
        self._chargers: dict[str, _Charger] = {}
        self._reconnected: list[float] = []

    def subscribed(self, serial: str, now: float) -> None:
        """A subscription was answered. One that only repeats another is no reason to look soon."""
        before = self._chargers.get(serial)
        repeated = before is not None and before.again
        self._chargers[serial] = _Charger(now, before.looked if before is not None and repeated else float("-inf"))

    def since(self, serial: str) -> float:
        """When its subscription was answered."""
        kept = self._chargers.get(serial)
        return kept.subscribed if kept is not None else float("-inf")

    def answered(self, charger: Charger) -> bool:
        """Whether the stream has brought anything of it since its subscription."""
        return charger.heard is not None and charger.heard >= self.since(charger.serial)

    def clear(self) -> None:
        """The stream has ended."""
        self._chargers.clear()

    def to_look_at(self, chargers: Iterable[Charger], now: float) -> Charger | None:
        """The charger whose state should be read now, if any."""
        for charger in chargers:
            kept = self._chargers.get(charger.serial)
            if kept is not None and kept.suspected is None and now >= self._next_look(kept, charger):
                return charger
        return None

    def looked(self, charger: Charger, differs: bool, now: float) -> None:
        """Its state was read (or could not be)."""
        kept = self._chargers.get(charger.serial)
        if kept is None:
            return
        unanswered = charger.heard is None or charger.heard < kept.subscribed
        if differs or (unanswered and not kept.absent):
            kept.suspected = now
        elif kept.looked > (charger.heard or 0.0):
            kept.patience *= QUIET_GROWTH
        else:
            kept.patience = 1.0
        kept.looked, kept.absent = now, False

    def absent(self, serial: str, now: float) -> None:
        """The account does not see that charger: asked again in an hour."""
        kept = self._chargers.setdefault(serial, _Charger(now))
        kept.looked, kept.absent, kept.suspected = now, True, None

    def is_absent(self, serial: str) -> bool:
        """Whether the account did not see that charger at the last look."""
        kept = self._chargers.get(serial)
        return kept is not None and kept.absent

    def stalled(self, chargers: Iterable[Charger], now: float) -> tuple[str, bool] | None:
        """The serial of a charger that proves the stream stalled, if any, and whether to reconnect is not overdone.

        When it is, asking for the charger once more on the stream that stands costs the service next to nothing.
        """
        for charger in chargers:
            kept = self._chargers.get(charger.serial)
            if kept is None or kept.suspected is None:
                continue
            if charger.heard is not None and charger.heard > max(kept.suspected, kept.subscribed):
                kept.suspected = None
            elif now - kept.suspected >= SUSPICION_S:
                kept.suspected = None
                self._reconnected = [at for at in self._reconnected if now - at < 3600.0]
                kept.again = len(self._reconnected) >= MAX_RECONNECTIONS_PER_HOUR
                if not kept.again:
                    self._reconnected.append(now)
                return charger.serial, not kept.again
        return None

    def pending(self) -> bool:
        """Whether a suspicion is to be settled within seconds."""
        return any(kept.suspected is not None for kept in self._chargers.values())

    def _next_look(self, kept: _Charger, charger: Charger) -> float:
        if kept.absent:
            return kept.looked + ABSENT_RETRY_S
        if charger.heard is None or charger.heard < kept.subscribed:
            # Never before the replay had its time, and then as rarely as of any quiet charger.
            return max(kept.subscribed + REPLAY_START_S, kept.looked + IDLE_QUIET_S)
        if charger.silent:
            return (
                max(charger.heard, kept.looked) + SILENT_QUIET_S
            )  # it is known to be off: the stream tells when it is back
        limit = CHARGING_QUIET_S if charger.charging else IDLE_QUIET_S
        return max(charger.heard, kept.looked) + min(limit * kept.patience, MAX_QUIET_S)
