"""A service that tells limits up to two minutes late: no echo of ours is a user's act, and no act of his is lost.

The charger executes what arrives in that order. Its service tells the changes in that order, each later by its own lag;
some of ours it never tells. Every five minutes its newest state is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from jeenergied.energy.control.wishes import EXECUTED_S, LATEST_S, SEEN_S, Wish

from tests.fire import FULL

from .test_pilot import Sent

AMPS = st.sampled_from([0, 6, 7, 10, 16])
DELAY_S, LOOK_S, READ_S, END_S = 2, 5, 300, 1000


@dataclass
class Cloud:
    """`lags`: seconds by which each change is told late, in turn; `lost`: places of ours that are never told.

    `skew`: seconds that the clock of its dates is ahead of ours.
    """

    lags: list[int]
    lost: frozenset[int] = frozenset()
    skew: int = 0
    amps: int = 6
    now: int = 0
    set_at: int = -1000
    sent: list[tuple[int, int]] = field(default_factory=list)
    told: list[tuple[int, int, int]] = field(default_factory=list)
    """(when, A, when that was set)"""

    def begin(self, equipment: str, capability: str, value: Optional[float] = None) -> Sent:
        self.sent.append((self.now, int(value or 0)))
        return Sent()

    def want(self, load: str, state: str) -> None: ...

    def hurry(self, equipment: str, period_s: float) -> None: ...

    def set(self, amps: int, lost: bool = False) -> None:
        if amps == self.amps:
            return
        self.amps, self.set_at = amps, self.now
        if not lost:
            at = self.now + self.lags[len(self.told) % len(self.lags)]
            self.told.append((max(at, self.told[-1][0] if self.told else 0), amps, self.now))

    def step(self, now: int) -> list[tuple[int, float]]:
        """(A, age by its dates) of what it tells now."""
        self.now = now
        for place, (at, amps) in enumerate(self.sent):
            if at + DELAY_S == now:
                self.set(amps, place in self.lost)
        found = [(amps, since) for at, amps, since in self.told if at == now]
        if now % READ_S == 0 and not any(at > now for at, _, _ in self.told):
            found.append((self.amps, self.set_at))
        return [(amps, max(0.0, float(now - since - self.skew))) for amps, since in found]


def lived(cloud: Cloud, orders: list[tuple[int, int]], user: Optional[tuple[int, int]] = None) -> Optional[int]:
    """Plays; returns the second in which somebody else's act was found. `orders`: (second, A) that the rules want."""
    wish, wanted, shown = Wish("c"), 6, 6
    wish.adopt(6)
    heard: list[tuple[int, float]] = []
    for now in range(END_S):
        wanted = next((amps for at, amps in orders if at == now), wanted)
        cloud.now = now
        if user is not None and user[0] == now:
            cloud.set(user[1])
        heard = [(amps, age + 1) for amps, age in heard] + cloud.step(now)
        if now % LOOK_S:
            continue
        foreign = False
        for amps, age in heard or [(shown, 0.0)]:
            shown = amps
            foreign = wish.hear(float(now), amps, age) or foreign
        heard = []
        if foreign or (wish.fulfilled(wanted) and shown != wanted):
            return now
        wish.follow(float(now), wanted, shown, cloud)
    return None


ORDERS = st.lists(st.tuples(st.integers(10, 60), AMPS), min_size=1, max_size=6).map(
    lambda steps: [(sum(pause for pause, _ in steps[: n + 1]), amps) for n, (_, amps) in enumerate(steps)]
)
LAGS = st.lists(st.integers(0, 120), min_size=1, max_size=6)
LOST = st.frozensets(st.integers(0, 8), max_size=3)
EXAMPLES = 5000 if FULL else 150


@settings(max_examples=EXAMPLES, deadline=None, derandomize=not FULL)
@given(ORDERS, LAGS, LOST, st.sampled_from([-60, -10, 0, 10, 60]))
@example([(10, 16), (40, 6), (70, 10), (100, 6)], [60], frozenset(), 0)
@example([(10, 0), (20, 6)], [119], frozenset(), 60)
@example([(10, 0), (20, 0), (30, 0), (40, 6), (50, 0)], [39], frozenset(), 60)
def test_an_echo_of_ours_is_nobodys_act_however_late(
    orders: list[tuple[int, int]], lags: list[int], lost: frozenset[int], skew: int
) -> None:
    # With clocks that differ by more than a command takes, an order must show which echo is which.
    cloud = Cloud(lags, lost if abs(skew) <= 10 else frozenset(), skew)
    assert lived(cloud, orders) is None, cloud.sent


@settings(max_examples=EXAMPLES, deadline=None, derandomize=not FULL)
@given(ORDERS, LAGS, LOST, st.integers(0, 500), AMPS)
@example([(10, 16), (40, 6)], [0], frozenset(), 200, 16)
@example([(10, 16), (40, 6)], [40], frozenset({0}), 80, 16)
def test_what_somebody_sets_is_found_and_not_overwritten(
    orders: list[tuple[int, int]], lags: list[int], lost: frozenset[int], at: int, amps: int
) -> None:
    cloud = Cloud(lags, lost)
    found = lived(cloud, orders, (at, amps))
    acts = [(when, since) for when, told, since in cloud.told if (told, since) == (amps, at)]
    assume(acts)  # else it was so already
    arrived = acts[0][0]
    before = [told for _, told, since in cloud.told if since < at]
    assume((before or [6])[-1] != amps)  # else it was so already as far as it was ever told
    # The same as ours of a moment before cannot be told from its echo, nor the same as one of minutes before that the
    # next of ours has overwritten before it was told.
    same = any(mine == amps and when < at for when, mine in cloud.sent)
    assume(not (same and any(at - DELAY_S <= when <= arrived + LOOK_S for when, _ in cloud.sent)))
    assume(not any(mine == amps and at - EXECUTED_S - LOOK_S <= when <= arrived + LOOK_S for when, mine in cloud.sent))
    assert found is not None, cloud
    assert found <= max(arrived, *(when for when, _ in cloud.sent or [(0, 0)])) + SEEN_S + LATEST_S + 2 * LOOK_S
    assert not [each for each in cloud.sent if arrived + LOOK_S < each[0] <= found], cloud
