"""What chargers draw at the moment of the grid's reading, although they tell it earlier or later. Pure.

A meter in the house is read every few seconds, a charger's power comes by its maker's cloud some seconds after it has
changed. The plain difference of the two takes a car that has followed its set-point for another load of the house, or
for more sun: a charge would swing for ever between two currents. So whatever can be explained by a car on its way from
one set-point to the next is no change of the house. Powers in W, times in seconds of a clock that never steps.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..limits import LEAST_A

FOLLOW_S = 20.0
"""By then a charger tells what it draws since a set-point, unless it was seen to be later, and a car has begun with
what it is offered."""
MARGIN_S = 6.0
"""A charger that was seen to be later than that is waited for so much longer than it took."""
LATEST_S = 60.0
"""What a charger tells later than this does not tell how late it is: its car may have changed by itself."""
LAGS = 3
"""So many of the newest delays say how late a charger is."""
MOST_ORDERS = 12
"""So many at most are given within LATEST_S."""
UNDATED_S = 3.0
"""A meter's figure is so much older than its date says: it is a mean, or was read before it was answered."""
NEAR_A = 0.6
"""A car draws its set-point less about so much."""


@dataclass(frozen=True)
class Draw:
    """A charger's. `told`: W that it says it draws; `amps`: its set-point; `ampere`: W of one A on all its phases."""

    told: float
    amps: int
    ampere: float

    @property
    def allowed(self) -> float:
        """W that its set-point lets it draw."""
        return self.amps * self.ampere

    @property
    def waits(self) -> bool:
        """Whether it is offered a current that its car has not begun to take."""
        return self.told < LEAST_A / 2 * self.ampere and self.amps >= LEAST_A


@dataclass
class _Charger:
    """What it may be drawing: what it has told since the grid's reading, and its set-points of the last seconds."""

    amps: int
    told: deque[tuple[float, float]] = field(default_factory=deque)
    orders: deque[tuple[float, float]] = field(default_factory=deque)
    before: float = 0.0
    """What it had told when it was given the newest order: the news of that may have come with the order itself."""
    moved: bool = False
    unseen: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=MOST_ORDERS))
    """The orders that it has not told to follow yet: when each was given, W."""
    lags: deque[float] = field(default_factory=lambda: deque(maxlen=LAGS))
    """Seconds from an order until it told that it follows."""
    most_a: float = math.inf
    """What its car takes at most, as far as it was offered more and did not take it (A)."""

    @property
    def follow_s(self) -> float:
        """By then it tells what it draws since a set-point."""
        return max(FOLLOW_S, max(self.lags, default=0.0) + MARGIN_S)

    def bounds(self, now: float, grid_at: float, draw: Draw) -> tuple[float, float]:
        """The least and the most W that it may have drawn at `grid_at`."""
        near = NEAR_A * draw.ampere
        previous = self.told[-1][1] if self.told else draw.told
        if not self.told or self.told[-1][1] != draw.told:
            self.told.append((now, draw.told))
            self._learn(now, draw.told, near)
        while len(self.told) > 1 and self.told[1][0] <= grid_at - UNDATED_S:
            self.told.popleft()
        if draw.amps != self.amps:
            # A lower set-point lets no car draw more than it does, and a higher one no more than its car can take.
            most = self.most_a * draw.ampere if draw.amps > self.amps else draw.told
            self.orders.append((now, min(draw.allowed, max(most, draw.told))))
            self.unseen.append((now, draw.allowed))
            self.amps, self.before, self.moved = draw.amps, previous, False
        self.moved = self.moved or abs(draw.told - self.before) > near
        followed = self.moved and self._has_followed(draw, near)
        if draw.told > self.most_a * draw.ampere + near:
            self.most_a = math.inf
        while self.orders and (self.orders[0][0] <= now - self.follow_s or followed):
            self.orders.popleft()
            if not (self.orders or followed or draw.waits) and draw.told < draw.allowed - near:
                self.most_a = draw.told / draw.ampere
        values = [watts for _, watts in (*self.told, *self.orders)]
        return min(values), max(values)

    def _learn(self, now: float, told: float, near: float) -> None:
        """How late it is: orders are followed in their turn, but its service may leave some out."""
        while self.unseen and self.unseen[0][0] < now - LATEST_S:
            self.unseen.popleft()
        followed = next((place for place, each in enumerate(self.unseen) if abs(each[1] - told) <= near), None)
        if followed is not None:
            self.lags.append(now - self.unseen[followed][0])
            for _ in range(followed + 1):
                self.unseen.popleft()

    def _has_followed(self, draw: Draw, near: float) -> bool:
        """Whether it tells what its newest set-point lets it draw; after a lower one also less."""
        less = draw.told >= draw.allowed - near or draw.allowed < self.before
        return draw.told <= draw.allowed + near and less


@dataclass
class Draws:
    """Of all chargers of a house."""

    _chargers: dict[str, _Charger] = field(default_factory=dict)
    _house: float | None = None
    """W of the house without its cars, sun and battery included, as last known."""
    _begun_at: float | None = None
    """Since when a car seems to have begun that does not say so."""

    def step(self, now: float, net: float, age: float, draws: Mapping[str, Draw]) -> dict[str, float]:
        """Takes a sample; returns W of each charger.

        `net`: W that the house draws from grid and battery; `age`: how old that is.
        """
        self._chargers = {name: each for name, each in self._chargers.items() if name in draws}
        low: dict[str, float] = {}
        high: dict[str, float] = {}
        told = {name: each.told for name, each in draws.items()}
        for name, each in draws.items():
            charger = self._chargers.setdefault(name, _Charger(each.amps))
            low[name], high[name] = charger.bounds(now, now - age, each)
            if each.waits:
                high[name] = max(high[name], each.allowed)
        if self._house is None:
            self._house = net - sum(told.values())
        least, most = sum(low.values()), sum(high.values())
        drawn = min(max(net - self._house, least), most)
        begun = any(each.waits and not self._chargers[name].orders for name, each in draws.items())
        hidden = drawn - sum(told.values()) > min((each.ampere for each in draws.values()), default=0.0)
        if not (begun and hidden):
            self._begun_at = None
        elif self._begun_at is None:
            self._begun_at = now
        elif now - self._begun_at > FOLLOW_S:
            self._house, self._begun_at = net - sum(told.values()), None
            return told  # no car: another load of the house
        self._house = net - drawn
        share = (drawn - least) / (most - least) if most > least else 0.0
        return {name: low[name] + share * (high[name] - low[name]) for name in draws}
