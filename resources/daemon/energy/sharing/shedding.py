"""Which load gives way first, and which comes back first. Pure; powers in W, times in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..switching import SwitchedLoad

ORDER, TURN, GAP = "order", "turn", "gap"
"""Loads give way in `order`, the last first; in `turn`, who has been on for longest; by `gap`, the warmest room first.

The gap is what a room lacks of its set temperature. A load without a thermostat counts as one that lacks nothing.
"""
TURN_S = 1200.0
"""In turn, a load is off for no longer than so while another one could be."""


class Ranking:
    """Of loads, by the way that the user has chosen (`how`)."""

    def __init__(self, loads: Mapping[str, SwitchedLoad], order: Sequence[str], how: str) -> None:
        self._loads = loads
        self._order = order
        self._how = how

    def key(self, name: str) -> tuple[float, ...]:
        """Who has the least comes back first, and gives way last."""
        load = self._loads[name]
        turn = load.since if load.shed else -load.since
        chosen = {TURN: turn, GAP: -load.gap}.get(self._how, 0.0)
        return (chosen, float(self._order.index(name)))

    def shed_before(self, name: str) -> list[str]:
        """The loads that have given way and come back before this one."""
        mine = self.key(name)
        return [each for each, load in self._loads.items() if load.shed and each != name and self.key(each) < mine]

    def relieved(self, now: float) -> list[str]:
        """A load that is switched off so that one which has been off for long may come back."""
        off = [name for name, each in self._loads.items() if each.shed and now - each.since >= TURN_S]
        if self._how != TURN or not off:
            return []
        waits = min(off, key=self.key)
        on = [
            name
            for name, each in self._loads.items()
            if each.on
            and not each.settings.critical
            and each.settings.power >= self._loads[waits].settings.power
            and now - each.since >= max(each.settings.least_on_s, TURN_S)
        ]
        if not on:
            return []
        name = max(on, key=self.key)
        self._loads[name].give_way(now)
        return [name]

    def shed(self, now: float, excess: float, all_at_once: bool) -> list[str]:
        """Switches loads off until `excess` W are gone; one at a time unless it must be all at once."""
        gone = []
        candidates = sorted(
            (name for name in self._order if name in self._loads),
            key=lambda name: (not self._loads[name].settings.critical, *self.key(name)),
            reverse=True,
        )
        for name in candidates:
            if excess <= 0:
                break
            if self._loads[name].give_way(now):
                excess -= self._loads[name].settings.power
                gone.append(name)
                if not all_at_once:
                    break
        return gone
