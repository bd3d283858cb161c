"""Detects a stalled stream: connected, with pings, but without data of a charger.

An idle charger may send nothing for a quarter of an hour, so silence alone proves nothing: after a while its state is
requested by REST. If it agrees with the known values, the charger is only quiet; if not, the stream is stalled.
Jeedom's own heartbeat restarts the daemon after 15 minutes: a stall is found well before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..charger import Charger

REPLAY_START_S = 10.0
"""Seconds after a subscription within which its replay must begin."""
CHARGING_QUIET_S, IDLE_QUIET_S, MAX_QUIET_S, SILENT_QUIET_S = 240.0, 420.0, 600.0, 1800.0
QUIET_GROWTH = 1.5
SUSPICION_S = 10.0
"""Seconds that the stream gets to send what REST has already returned."""
ABSENT_RETRY_S = 3600.0
MAX_RECONNECTIONS_PER_HOUR = 3
"""Reconnections of a stalled stream per hour: more do not help one that stalls repeatedly."""


@dataclass
class _Charger:
    subscribed: float
    looked: float = float("-inf")
    quiet_factor: float = 1.0
    suspected: float | None = None
    absent: bool = False
    again: bool = False


class StallDetector:
    """Times are monotonic seconds. Not thread-safe: callers hold the fleet's lock."""

    def __init__(self) -> None:
        self._chargers: dict[str, _Charger] = {}
        self._reconnected: list[float] = []

    def subscribed(self, serial: str, now: float) -> None:
        """Records an answered subscription. A repeated one does not bring the next check forward."""
        before = self._chargers.get(serial)
        repeated = before is not None and before.again
        self._chargers[serial] = _Charger(now, before.looked if before is not None and repeated else float("-inf"))

    def since(self, serial: str) -> float:
        """Time at which its subscription was answered."""
        kept = self._chargers.get(serial)
        return kept.subscribed if kept is not None else float("-inf")

    def answered(self, charger: Charger) -> bool:
        """True if the stream has sent a record of it since its subscription."""
        return charger.heard is not None and charger.heard >= self.since(charger.serial)

    def clear(self) -> None:
        """Forgets all subscriptions: the stream has ended."""
        self._chargers.clear()

    def to_look_at(self, chargers: Iterable[Charger], now: float) -> Charger | None:
        """Returns a charger whose state should be requested now, or None."""
        for charger in chargers:
            kept = self._chargers.get(charger.serial)
            if kept is not None and kept.suspected is None and now >= self._next_look(kept, charger):
                return charger
        return None

    def looked(self, charger: Charger, differs: bool, now: float) -> None:
        """Records a request of its state. `differs`: the stream should have sent a value of it."""
        kept = self._chargers.get(charger.serial)
        if kept is None:
            return
        unanswered = charger.heard is None or charger.heard < kept.subscribed
        if differs or (unanswered and not kept.absent):
            kept.suspected = now
        elif kept.looked > (charger.heard or 0.0):
            kept.quiet_factor *= QUIET_GROWTH
        else:
            kept.quiet_factor = 1.0
        kept.looked, kept.absent = now, False

    def absent(self, serial: str, now: float) -> None:
        """Records that the account does not have this charger: checked again in an hour."""
        kept = self._chargers.setdefault(serial, _Charger(now))
        kept.looked, kept.absent, kept.suspected = now, True, None

    def is_absent(self, serial: str) -> bool:
        """True if the account did not have this charger at the last check."""
        kept = self._chargers.get(serial)
        return kept is not None and kept.absent

    def stalled(self, chargers: Iterable[Charger], now: float) -> tuple[str, bool] | None:
        """Returns (serial number of a charger that proves the stream stalled, whether to reconnect), or None.

        False: after too many reconnections the subscription is repeated instead, which costs the service little.
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
        """True while a suspicion is open."""
        return any(kept.suspected is not None for kept in self._chargers.values())

    def _next_look(self, kept: _Charger, charger: Charger) -> float:
        if kept.absent:
            return kept.looked + ABSENT_RETRY_S
        if charger.heard is None or charger.heard < kept.subscribed:
            # Not before the replay had its time, then as rarely as for any quiet charger.
            return max(kept.subscribed + REPLAY_START_S, kept.looked + IDLE_QUIET_S)
        if charger.silent:
            return max(charger.heard, kept.looked) + SILENT_QUIET_S  # known to be off: the stream reports its return
        limit = CHARGING_QUIET_S if charger.charging else IDLE_QUIET_S
        return max(charger.heard, kept.looked) + min(limit * kept.quiet_factor, MAX_QUIET_S)
