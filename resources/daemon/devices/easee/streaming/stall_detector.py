"""Detects a stalled stream: connected, with pings, but without data of a product.

An idle charger may send nothing for a quarter of an hour, so silence alone proves nothing: after a while its state is
requested by REST. If it agrees with the known values, the product is only quiet; if not, the stream is stalled.
Jeedom's own heartbeat restarts the daemon after 15 minutes: a stall is found well before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..product import Product

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
class _Subscribed:
    subscribed: float
    looked: float = float("-inf")
    quiet_factor: float = 1.0
    suspected: float | None = None
    absent: bool = False
    again: bool = False


class StallDetector:
    """Times are monotonic seconds. Not thread-safe: callers hold the fleet's lock."""

    def __init__(self) -> None:
        self._products: dict[str, _Subscribed] = {}
        self._reconnected: list[float] = []

    def subscribed(self, serial: str, now: float) -> None:
        """Records an answered subscription. A repeated one does not bring the next check forward."""
        before = self._products.get(serial)
        repeated = before is not None and before.again
        self._products[serial] = _Subscribed(now, before.looked if before is not None and repeated else float("-inf"))

    def since(self, serial: str) -> float:
        """Time at which its subscription was answered."""
        kept = self._products.get(serial)
        return kept.subscribed if kept is not None else float("-inf")

    def answered(self, product: Product) -> bool:
        """True if the stream has sent a record of it since its subscription."""
        return product.heard is not None and product.heard >= self.since(product.serial)

    def clear(self) -> None:
        """Forgets all subscriptions: the stream has ended."""
        self._products.clear()

    def to_look_at(self, products: Iterable[Product], now: float) -> Product | None:
        """Returns a product whose state should be requested now, or None."""
        for product in products:
            kept = self._products.get(product.serial)
            if kept is not None and kept.suspected is None and now >= self._next_look(kept, product):
                return product
        return None

    def looked(self, product: Product, differs: bool, now: float) -> None:
        """Records a request of its state. `differs`: the stream should have sent a value of it."""
        kept = self._products.get(product.serial)
        if kept is None:
            return
        unanswered = product.heard is None or product.heard < kept.subscribed
        if differs or (unanswered and not kept.absent):
            kept.suspected = now
        elif kept.looked > (product.heard or 0.0):
            kept.quiet_factor *= QUIET_GROWTH
        else:
            kept.quiet_factor = 1.0
        kept.looked, kept.absent = now, False

    def absent(self, serial: str, now: float) -> None:
        """Records that the account does not have this product: checked again in an hour."""
        kept = self._products.setdefault(serial, _Subscribed(now))
        kept.looked, kept.absent, kept.suspected = now, True, None

    def is_absent(self, serial: str) -> bool:
        """True if the account did not have this product at the last check."""
        kept = self._products.get(serial)
        return kept is not None and kept.absent

    def stalled(self, products: Iterable[Product], now: float) -> tuple[str, bool] | None:
        """Returns (serial number of a product that proves the stream stalled, whether to reconnect), or None.

        False: after too many reconnections the subscription is repeated instead, which costs the service little.
        """
        for product in products:
            kept = self._products.get(product.serial)
            if kept is None or kept.suspected is None:
                continue
            if product.heard is not None and product.heard > max(kept.suspected, kept.subscribed):
                kept.suspected = None
            elif now - kept.suspected >= SUSPICION_S:
                kept.suspected = None
                self._reconnected = [at for at in self._reconnected if now - at < 3600.0]
                kept.again = len(self._reconnected) >= MAX_RECONNECTIONS_PER_HOUR
                if not kept.again:
                    self._reconnected.append(now)
                return product.serial, not kept.again
        return None

    def pending(self) -> bool:
        """True while a suspicion is open."""
        return any(kept.suspected is not None for kept in self._products.values())

    def _next_look(self, kept: _Subscribed, product: Product) -> float:
        if kept.absent:
            return kept.looked + ABSENT_RETRY_S
        if product.heard is None or product.heard < kept.subscribed:
            # Not before the replay had its time, then as rarely as for any quiet product.
            return max(kept.subscribed + REPLAY_START_S, kept.looked + IDLE_QUIET_S)
        if product.silent:
            return max(product.heard, kept.looked) + SILENT_QUIET_S  # known to be off: the stream reports its return
        limit = CHARGING_QUIET_S if product.charging else IDLE_QUIET_S
        return max(product.heard, kept.looked) + min(limit * kept.quiet_factor, MAX_QUIET_S)
