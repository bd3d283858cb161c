"""One meter of the house: from its counter and its power to energies by interval.

Pure. Energies in Wh, powers in W, moments in Unix time. The counter decides how much, the power only where within the
time between two changes of the counter. What the power has integrated since the last change is provisional: it is
there at once, and taken back when the counter tells. A meter without a counter has nothing but its power.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .cells import COLUMNS, SLOT_S, Cells, slices
from .growth import Growth

SLOW_S = 5400.0
"""A counter that has been read but has not changed for longer has not grown: some are updated once an hour."""
GAP_S = 600.0
"""Growth over a longer time without a reading is placed by estimate."""
COVERED = 0.8
"""Share of a time that the power must have been known for to place all of the growth by it."""
MOST_REST = 1.5
"""How far the growth of a time without power may be above the mean, where the power of most of it is known."""
LAG_S = 600.0
"""What a counter lacks beside the power may come for so long; then it is taken at its word."""
LONGEST_GAP_S = 366 * 86400.0
"""After a longer time without a reading a counter begins anew: nobody can tell when what it has grown was used."""
SILENT_POWERS, DARK_SHARE = 3, 0.2
"""A counter was silent, not just slower, for so many powers in a row; and has grown by less than this share of them."""
OPEN_S = 6.0
"""Seconds that may be missing of an interval that is still called measured."""
BACK_S = 300.0
"""A reading that is older than the last one by more shows that a clock was set back."""


@dataclass
class Meter:
    """`column`: what it fills. `growth`: its counter; None if it has only a power. `daily`: it begins anew each day."""

    column: str
    cells: Cells
    growth: Growth | None = None
    daily: bool = False
    trace: dict[int, list[float]] = field(default_factory=dict)
    """Provisional [Wh, seconds] by interval, integrated since the counter has last changed."""
    unread: dict[int, list[float]] = field(default_factory=dict)
    """What of the trace came since the counter was last read."""
    dark: dict[int, list[float]] = field(default_factory=dict)
    """What of the trace came while the counter was silent, until it is seen whether it has counted that."""
    lit_at: float | None = None
    """When it was read again."""
    pool: float = 0.0
    """Wh that have grown and are not placed yet."""
    changed_at: float | None = None
    read_at: float | None = None
    last_power: tuple[float, float] | None = None
    """(Unix time, W)"""
    _unread_powers: int = 0
    _is_live: bool = False
    """Whether the counter was read since the start: its moments are those of the clock of now."""

    def power(self, watts: float, at: float, limit_s: float) -> None:
        """Takes the power of a moment (>= 0). A longer time than `limit_s` since the last one is not known."""
        watts = max(watts, 0.0)
        before, self.last_power = self.last_power, (at, watts)
        if before is None or not 0 < at - before[0] <= limit_s:
            return
        mean = (before[1] + watts) / 2
        self._unread_powers += 1
        # What the counter has told already is placed, also where the power was not told meanwhile.
        counted_at = before[0] if self.growth is None else max(before[0], self.changed_at or before[0])
        for slot, seconds in slices(counted_at, at):
            energy = mean * seconds / 3600
            if self.growth is None:
                self.cells.add(self.column, slot, energy, seconds)
            elif self.growth.last is not None:
                for parts in (self.trace, self.unread):
                    part = parts.setdefault(slot, [0.0, 0.0])
                    part[0] += energy
                    part[1] += seconds
                self.cells.add(self.column, slot, energy)

    def count(self, index: float, at: float, midnight: float) -> bool:
        """Takes a reading of the counter (Wh). False while it is in quarantine: the user has to decide."""
        growth = self.growth
        if growth is None:
            return True
        self._is_live = True
        if self.read_at is not None and at < self.read_at:
            if self.read_at - at <= BACK_S:
                return True  # an older copy of what is known
            self._set_back(at)
        if self.read_at is not None and at - self.read_at > LONGEST_GAP_S:
            growth.last = None
        known = growth.last is not None
        grown = growth.read(index / 1000, at, midnight if self.daily else None, self._expected(at) / 1000)
        if grown is None:
            return False
        if not known or self.read_at is None or self.changed_at is None:
            self.begin(at)
            return True
        unread, begun = self.unread, growth.begun
        if begun is not None:
            self._settle(begun)
        elif self._was_dark(1000 * grown, at):
            self.dark, self.lit_at = self.unread, at
        if at > self.read_at:  # else it is the same reading, looked at again
            self.unread, self._unread_powers = {}, 0
        self.pool += 1000 * grown
        if grown > 0 and not self._lags(at):
            grown, self.pool = self.pool / 1000, 0.0
            first = self.changed_at if self.trace else self.read_at
            if 1000 * grown > self._plausible(at - first):
                first = self.changed_at
            if begun is not None:
                first = max(first, begun)  # a figure of the day: its growth is of today
            self._place(1000 * grown, first, at)
        elif grown == 0 and at - self.changed_at > SLOW_S:
            self._give_up(at - SLOW_S)
        since = self.read_at
        if begun is not None and (begun == at or at - since > GAP_S):
            since = max(since, begun)
            self._leave_open(self.read_at, since, unread)
        estimated = at - self.read_at > GAP_S
        for slot, seconds in slices(since, at):
            self.cells.add(self.column, slot, 0.0, seconds, estimated)
        self.read_at = at
        return True

    def _settle(self, before: float) -> None:
        """The counter has begun anew: what the power told before stays, as its growth says nothing of that."""
        self.trace = {slot: part for slot, part in self.trace.items() if slot >= before}
        self.changed_at = max(self.changed_at or before, before)
        self.pool = 0.0
        self.dark, self.lit_at = {}, None

    def _leave_open(self, begin: float, end: float, powers: dict[int, list[float]]) -> None:
        """What was counted in a time is not known: where the power does not tell it, neither is the interval."""
        for slot, seconds in slices(begin, end):
            told = powers.get(slot, (0.0, 0.0))[1]
            self.cells.add(self.column, slot, 0.0, told if seconds - told <= OPEN_S else -SLOT_S, True)

    def _was_dark(self, grown: float, at: float) -> bool:
        """Whether the power was reported again and again, far above `grown`, while the counter was silent."""
        if self.column not in COLUMNS or self._unread_powers < SILENT_POWERS or not (self.read_at or at) < at:
            return False
        known_s = sum(part[1] for part in self.unread.values())
        return known_s >= COVERED * (at - (self.read_at or at)) and grown < DARK_SHARE * _energy(self.unread)

    def _lags(self, at: float) -> bool:
        """Whether the counter tells far less than the power, as an older copy of it does: it catches up in a moment.

        If it does not, and lacks what the power told while it was silent and nothing else, it has fallen meanwhile and
        has passed its former index again: what it counted then is not known, but by the power.
        """
        traced = _energy(self.trace)
        if self.pool >= COVERED * traced:
            return False
        if at - max(self.changed_at or at, self.lit_at or 0.0) < LAG_S:
            return True
        if self.lit_at is not None and self.pool >= COVERED * (traced - _energy(self.dark)):
            for slot, (energy, seconds) in self.dark.items():
                part = self.trace.get(slot, [0.0, 0.0])
                self.trace[slot] = [max(part[0] - energy, 0.0), max(part[1] - seconds, 0.0)]
                self.cells.add(self.column, slot, 0.0, estimated=True)
            self.changed_at = self.lit_at
        return False

    def _plausible(self, seconds: float) -> float:
        """Wh that the meter can count in a time."""
        assert self.growth is not None
        return 1000 * self.growth.most_kw * max(seconds, 0.0) / 3600

    def _expected(self, at: float) -> float:
        """Wh by which a counter that is seldom updated may have grown, beside what its greatest power allows."""
        assert self.growth is not None
        traced = _energy(self.trace)
        if traced > 0:
            return 1.5 * traced + 500.0
        if self.column in COLUMNS or self.changed_at is None:
            return 0.0
        return self._plausible(min(at - self.changed_at, SLOW_S))

    def _set_back(self, at: float) -> None:
        """The clock was set back: what has been placed stays, growth is counted from this moment on."""
        assert self.growth is not None
        self.growth.at = at - BACK_S
        pool = self.pool
        self.begin(at)
        self.pool = pool

    def begin(self, at: float) -> None:
        """Counts from a moment on; what has been placed stays as it is."""
        self.changed_at = self.read_at = at
        self.pool = 0.0
        self._forget()

    def _forget(self) -> None:
        self.trace, self.unread, self._unread_powers = {}, {}, 0
        self.dark, self.lit_at = {}, None

    def shift(self, seconds: float) -> None:
        """The clock was stepped by so much: what it has skipped is no time in which anything was measured."""
        if self.last_power is not None:
            self.last_power = (self.last_power[0] + seconds, self.last_power[1])
        if self._is_live and self.growth is not None and self.read_at is not None and self.changed_at is not None:
            self.read_at += seconds
            self.changed_at += seconds
            self.lit_at = None if self.lit_at is None else self.lit_at + seconds
            self.growth.at += seconds

    def _place(self, energy: float, begin: float, end: float) -> None:
        """Places growth between two moments: by the power where that is known, else evenly over the rest."""
        traced = _energy(self.trace)
        covered = sum(part[1] for part in self.trace.values())
        for slot, part in self.trace.items():
            self.cells.add(self.column, slot, -part[0])
        whole = end - begin
        if COVERED * traced <= energy <= traced:
            told = energy  # the power explains all of it
        elif covered >= COVERED * whole:
            open_share = max(whole - covered, 0.0) / whole if whole > 0 else 0.0
            told = energy - min(max(energy - traced, 0.0), MOST_REST * energy * open_share)
        else:
            told = traced if traced < energy else energy * covered / whole
        if traced > 0:
            for slot, part in self.trace.items():
                self.cells.add(self.column, slot, part[0] * told / traced)
        else:
            told = 0.0
        if energy > told:
            self._place_rest(energy - told, begin, end)
        self._forget()
        self.changed_at = end

    def _place_rest(self, energy: float, begin: float, end: float) -> None:
        spans = [(slot, seconds - self.trace.get(slot, (0.0, 0.0))[1]) for slot, seconds in slices(begin, end)]
        free = [(slot, seconds) for slot, seconds in spans if seconds > 1e-6]
        if not free:
            free = list(slices(begin, end)) or [(next(slices(end - 1, end))[0], 1.0)]
        total = sum(seconds for _, seconds in free)
        for slot, seconds in free:
            self.cells.add(self.column, slot, energy * seconds / total)

    def _give_up(self, before: float) -> None:
        """The counter was read and has not grown: what the power told of that time was nothing."""
        for slot in [each for each in self.trace if each < before - 300]:
            energy = self.trace.pop(slot)[0]
            if energy:
                self.cells.add(self.column, slot, -energy)
        self.changed_at = max(self.changed_at or before, before)

    def drop(self) -> None:
        """Takes back what the power told since the counter has last changed: the counter has been read and is right."""
        for slot, part in self.trace.items():
            self.cells.add(self.column, slot, -part[0])
        self._forget()

    def state(self) -> dict[str, Any]:
        """What is kept over a restart, in the same step as the intervals."""
        return {
            "growth": self.growth.state() if self.growth is not None else None,
            "changed": self.changed_at,
            "read": self.read_at,
            "pool": self.pool,
            "trace": {str(slot): part for slot, part in self.trace.items()},
            "dark": {str(slot): part for slot, part in self.dark.items()},
            "lit": self.lit_at,
        }

    def restore(self, state: Any) -> None:
        """Takes over what `state` gave; what is not of that form is left out."""
        if not isinstance(state, dict) or self.growth is None:
            return
        self.growth.restore(state.get("growth"))
        if self.growth.last is None:
            return
        try:
            self.trace = _parts(state["trace"])
            self.changed_at, self.read_at = float(state["changed"]), float(state["read"])
            self.pool = float(state["pool"])
            if state.get("lit") is not None and set(state["dark"]) <= set(state["trace"]):
                self.dark, self.lit_at = _parts(state["dark"]), float(state["lit"])
        except (KeyError, TypeError, ValueError):
            self.pool, self.trace, self.changed_at, self.read_at = 0.0, {}, self.growth.at, self.growth.at


def _energy(parts: dict[int, list[float]]) -> float:
    return sum(part[0] for part in parts.values())


def _parts(kept: Any) -> dict[int, list[float]]:
    return {int(slot): [float(energy), float(seconds)] for slot, (energy, seconds) in dict(kept).items()}
