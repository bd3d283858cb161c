"""What has been handed over of each line: marks, recent slots, and what of the past is still to be read.

Everything here is durable state and arithmetic on it, without I/O. The mark of a scale is the label of the newest slot
that Jeedom has acknowledged; it never passes the newest slot received, and errors do not move it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..common.numbers import finite
from . import time_slots
from .mapping import Slots

DAY_S = 86400
OVERLAP = 6 * 3600
"""Every reading goes back so far behind the mark: two uploads."""
DEEP = 7 * DAY_S
"""Once a day, and while slots are missing, a reading goes back so far."""


@dataclass
class Counter:
    """One command: the slots from `since` on are its own; those of `[next, until)` are still to be read.

    `floor`: no earlier slot may ever be sent (another scale was collected before). `off`: where it was switched off.
    """

    scale: str
    since: int
    next: int | None = None
    until: int = 0
    floor: int = 0
    off: int | None = None


@dataclass
class Track:
    """One scale of one line.

    `slots`: the values of the last days as Jeedom has them, in the order of `types`. `searched`: how far behind the
    mark nothing was found, which is looked at again once a day only.
    """

    mark: int | None = None
    types: list[str] = field(default_factory=list)
    slots: Slots = field(default_factory=dict)
    deep: int = 0
    searched: int = 0

    def adopt(self, types: list[str]) -> None:
        """Other columns than before: what is known of the old ones says nothing about the new."""
        if self.types != types:
            self.types, self.slots = types, {}

    def changed(self, found: Slots) -> list[int]:
        """The labels whose values Jeedom does not have."""
        return [label for label, values in found.items() if self.slots.get(label) != values]

    def commit(self, found: Slots, deep: int) -> None:
        """Jeedom has these slots; `deep`: when the reading was a deep one, else 0."""
        self.slots.update(found)
        if found:
            newest = max(found)
            self.mark = newest if self.mark is None else max(self.mark, newest)
        if self.mark is not None:
            oldest = self.mark - DEEP - 2 * DAY_S
            self.slots = {label: values for label, values in self.slots.items() if label >= oldest}
        self.deep = max(self.deep, deep)

    def missing(self, scale: str) -> int | None:
        """The first slot missing among those of the last days, by its label."""
        if self.mark is None or scale == "1day" or not self.slots:
            return None
        step = time_slots.STEPS[scale]
        first = max(min(self.slots), self.mark - DEEP)
        absent = [label for label in range(self.mark, first, -step) if label not in self.slots]
        return min(absent, default=None)

    def begin(self, scale: str, now: int, zone: str) -> tuple[int, int]:
        """Where the next reading begins (a local midnight), and when it was deep (0: it is not)."""
        assert self.mark is not None
        deep = now if now - self.deep >= DAY_S else 0
        back = self.mark - (DEEP if deep else OVERLAP)
        if not deep:
            back = max(back, self.searched - DEEP)
        gap = self.missing(scale)
        if gap is not None:
            back = min(back, gap - time_slots.STEPS[scale])
        return time_slots.midnight(back, zone), deep


@dataclass
class Index:
    """The running sum of a line's energy, in Wh, from the first measure that was read; it never falls.

    `counted`: what the sum holds of the slots of the last days, by label, so that a slot that grows or is corrected
    counts once. `floor`: no slot that begins earlier is counted any more. `end`: where the newest slot ends.
    """

    wh: float = 0.0
    shown: float = 0.0
    scale: str = ""
    floor: int = 0
    end: int = 0
    counted: dict[int, float] = field(default_factory=dict)

    def add(self, scale: str, energies: Mapping[int, float]) -> None:
        """Takes the energies of slots, by label; known ones count by their difference."""
        if scale != self.scale:
            self.scale, self.counted, self.floor = scale, {}, max(self.floor, self.end)
        half = time_slots.STEPS[scale] // 2
        slack = 3600 if scale == "1day" else 0  # a day's label is noon, 11 to 13 hours after its start
        if not self.end and energies:
            # A deeper reading, a day later, must not add days at once to what is drawn as consumption.
            self.floor = max(self.floor, min(energies) - half)
        for label, energy in energies.items():
            if label - half + slack < self.floor:
                continue
            self.wh += energy - self.counted.get(label, 0.0)
            self.counted[label] = energy
            self.end = max(self.end, label + half)
        oldest = self.end - DEEP - 2 * DAY_S
        for label in [each for each in self.counted if each < oldest]:
            del self.counted[label]
            self.floor = max(self.floor, label + half)
        self.wh = round(self.wh, 3)
        self.shown = max(self.shown, self.wh)


@dataclass
class LineState:
    """All that is remembered of one line; `owner`: the equipment of Jeedom whose history it tells of.

    `absent`: Unix time of the first list of homes that lacked it, None while it is there.
    """

    counters: dict[str, Counter] = field(default_factory=dict)
    tracks: dict[str, Track] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    owner: str = ""
    absent: float | None = None
    index: Index = field(default_factory=Index)

    def track(self, scale: str) -> Track:
        """The track of a scale, begun when there is none."""
        return self.tracks.setdefault(scale, Track())

    def adopt(self, wanted: Mapping[str, str], off: Iterable[str], since: int, direct: int) -> list[str]:
        """Takes over what is to be collected (`wanted`: scale by logicalId); returns those whose scale has changed.

        `since`: how far back a new counter goes. `direct`: a track without a mark is read from there on at once, what
        lies before follows in slices.
        """
        for gone in [each for each in self.counters if each not in wanted and each not in off]:
            del self.counters[gone]
        changed = []
        for name, scale in wanted.items():
            counter = self.counters.get(name)
            if counter is None:
                self.counters[name] = self._new(scale, since, direct)
            elif counter.scale != scale:
                changed.append(name)
                self.counters[name] = self._rescaled(counter, scale, direct)
            elif counter.off is not None:
                self._fill(counter, counter.off, direct)
                counter.off = None
        for name in off:
            counter = self.counters.get(name)
            if counter is not None and counter.off is None:
                counter.off = self._end(counter.scale) or counter.since
        active = {counter.scale for counter in self.counters.values()}
        self.tracks = {scale: track for scale, track in self.tracks.items() if scale in active}
        return changed

    def again(self, since: int) -> None:
        """What is collected is to be read once more from `since` on."""
        for counter in self.active().values():
            begin = max(since, counter.floor)
            counter.since = min(counter.since, begin)
            self._fill(counter, min(begin, counter.next if counter.next is not None else begin), begin)

    def active(self, scale: str | None = None) -> dict[str, Counter]:
        """The counters that are collected, of one scale or all."""
        return {name: each for name, each in self.counters.items() if each.off is None and scale in (None, each.scale)}

    def behind(self) -> dict[str, Counter]:
        """The counters of which a part of the past is still to be read."""
        return {name: each for name, each in self.active().items() if each.next is not None}

    def _end(self, scale: str) -> int | None:
        """Where the newest slot of a scale ends."""
        mark = self.track(scale).mark
        return None if mark is None else mark + time_slots.STEPS[scale] // 2

    def _new(self, scale: str, since: int, direct: int) -> Counter:
        counter = Counter(scale, since)
        self._fill(counter, since, direct)
        return counter

    def _rescaled(self, counter: Counter, scale: str, direct: int) -> Counter:
        # From the last full step on: the past keeps its own scale, mixing them would count energy twice.
        floor = self._end(counter.scale) or counter.since
        fresh = Counter(scale, floor, floor=floor)
        self._fill(fresh, floor, direct)
        return fresh

    def _fill(self, counter: Counter, begin: int, direct: int) -> None:
        """Has `[begin, what the next ordinary reading covers)` read in slices."""
        until = self._end(counter.scale)
        until = direct if until is None else until
        if begin < until:
            counter.next, counter.until = begin, max(until, counter.until if counter.next is not None else 0)

    # As JSON.

    def collected(self) -> Any:
        """What `adopt` may change, to see whether it has."""
        return {name: dict(vars(each)) for name, each in self.counters.items()}, list(self.tracks)

    def stored(self) -> dict[str, Any]:
        """For the store."""
        return {
            "counters": {name: dict(vars(each)) for name, each in self.counters.items()},
            "tracks": {
                scale: {**vars(t), "types": list(t.types), "slots": [[k, v] for k, v in t.slots.items()]}
                for scale, t in self.tracks.items()
            },
            "told": list(self.told),
            "owner": self.owner,
            "absent": self.absent,
            "index": {**vars(self.index), "counted": [[k, v] for k, v in self.index.counted.items()]},
        }

    @classmethod
    def of(cls, stored: Any) -> LineState:
        """What `stored` has written; a fresh state for anything else."""
        try:
            return cls(
                {name: Counter(**each) for name, each in stored["counters"].items()},
                {
                    scale: Track(**{**t, "slots": {int(label): values for label, values in t["slots"]}})
                    for scale, t in stored["tracks"].items()
                    if scale in time_slots.STEPS
                },
                [str(each) for each in stored["told"]],
                str(stored["owner"]),
                finite(stored.get("absent")),
                _index(stored.get("index")),
            )
        except (TypeError, KeyError, ValueError, AttributeError):
            return cls()


def _index(stored: Any) -> Index:
    try:
        return Index(**{**stored, "counted": {int(label): float(energy) for label, energy in stored["counted"]}})
    except (TypeError, KeyError, ValueError):
        return Index()
