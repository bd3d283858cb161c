"""Every kind of source that fills a column of the book, with everything that befalls it: a known column is true.

Each column's power stays between two bounds: an interval that counts as known must hold an energy between them. Faults
are a source that is silent, one of a tariff's indexes that is, a counter that begins anew; besides, kills and clocks.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from jeenergied.energy.ledger.cells import COLUMNS
from jeenergied.energy.live import Paces
from jeenergied.energy.ports import Reading, Source

from tests.fire import FULL

from .house import Kept

NOON = 1_796_065_200.0
STEP_S = 10
BOUNDS_W = {
    "i": (800.0, 1600.0),
    "e": (500.0, 1000.0),
    "p": (2000.0, 4000.0),
    "c": (800.0, 1200.0),
    "d": (600.0, 900.0),
}
"""Of each column; a power changes every minute. The grid draws in one minute and feeds in in the next, as the battery.
"""
EQUIPMENT = dict(zip(COLUMNS, "11233"))
PAIRS = {"i": "e", "d": "c"}
"""Two columns with one power, whose sign tells them apart."""
FLOWS = {"i": 0, "e": 1, "c": 1, "d": 0}
"""In which of two minutes a column flows at all."""
ENERGY = {
    "i": ("grid.import", "meter.energy"),
    "e": ("grid.export",),
    "p": ("solar.energy",),
    "c": ("battery.charged",),
    "d": ("battery.discharged",),
}
POWER = {"i": "grid.power", "e": "grid.power", "p": "solar.power", "c": "battery.power", "d": "battery.power"}
KINDS = ("counter", "counter and power", "today", "today and power", "parts", "power")


class Meters:
    """Five columns, each filled by a kind of source; `kinds` by column."""

    def __init__(self, folder: Path, kinds: dict[str, str], dice: random.Random) -> None:
        self.kinds, self.dice = kinds, dice
        self.watts = dict.fromkeys(COLUMNS, 0.0)
        self.index: dict[Source, float] = {}
        self.column: dict[Source, str] = {}
        self.read: dict[Source, tuple[float, int]] = {}
        self.silent: dict[Source, int] = {}
        """Until which second a source tells nothing."""
        self.second, self.ahead = 0, 0.0
        for column in COLUMNS:
            for source in self._sources(column, EQUIPMENT[column]):
                self.column[source] = column
                if source.per != "now":
                    self.index[source] = 5_000_000.0 if source.per == "counter" else 20_000.0
        self.kept = Kept(folder / "house.sqlite", sources=tuple(self.column))
        self.paces = Paces()

    def _sources(self, column: str, equipment: str) -> Iterable[Source]:
        kind, name = self.kinds[column], ENERGY[column][-1]
        if kind == "parts":
            yield from (Source(equipment, f"{column}{part}", name, "counter", part) for part in ("hp", "hc"))
        elif kind != "power":
            name = ENERGY[column][0] if kind.startswith("today") else name
            yield Source(equipment, f"{column}energy", name, "today" if kind.startswith("today") else "counter")
        power = kind if column == "p" else kind + self.kinds[PAIRS[column]] if column in PAIRS else ""
        if "power" in power:
            yield Source(equipment, f"{column}power", POWER[column])

    def live(self, seconds: int) -> None:
        """Reads all that is not silent every ten seconds; the book is written every five minutes."""
        for _ in range(0, seconds, STEP_S):
            if self.second % 60 == 0:
                minute = self.second // 60 % 2
                now = {column for column in COLUMNS if FLOWS.get(column, minute) == minute}
                self.watts = {each: self.dice.uniform(*BOUNDS_W[each]) if each in now else 0.0 for each in COLUMNS}
            self.second += STEP_S
            first = self.second // 1800 % 2 == 0  # which tariff it is
            for source, column in self.column.items():
                if source.per != "now" and source.part != ("hp" if first else "hc"):
                    self.index[source] += self.watts[column] * STEP_S / 3600
                if self.silent.get(source, 0) <= self.second:
                    self.read[source] = (self._shown(source, column), self.second)
                elif source.part:
                    self.read.pop(source, None)  # its backend says that it is not known
            now = NOON + self.second + self.ahead
            readings = {s.key: Reading(s, value, NOON + at + self.ahead) for s, (value, at) in self.read.items()}
            self.kept.ledger.look(readings, self.paces, now, 50.0 + self.second)
            if self.second % 300 == 0:
                self.kept.ledger.flush(now)

    def _shown(self, source: Source, column: str) -> float:
        if source.per != "now":
            return float(int(self.index[source]))
        return self.watts[column] - self.watts.get(PAIRS.get(column, ""), 0.0)

    def kill(self) -> None:
        """The daemon is killed and starts again; nothing is known of a source until it is read."""
        self.kept.restart()
        self.paces = Paces()
        self.read = {}

    def fault(self) -> None:
        """One of chance."""
        kind = self.dice.choice(("silent", "silent", "device", "fall", "kill", "clock"))
        source = self.dice.choice(list(self.column))
        alone = any(self.kinds[each] == "power" and EQUIPMENT[each] == source.equipment for each in COLUMNS)
        # What a power without a counter has been meanwhile nobody can tell.
        until = self.second + self.dice.choice((20,) if alone else (20, 60, 200, 1000))
        if kind == "silent":
            self.silent[source] = until
        elif kind == "device":
            self.silent.update({each: until for each in self.column if each.equipment == source.equipment})
        elif kind == "fall" and self.index.get(source, 0.0) > 1e6:  # once: it could pass for what it was before
            self.index[source] = 0.0
            if self.dice.random() < 0.5:  # its backend does not believe that at once
                self.silent[source] = self.second + 900
        elif kind == "kill":
            self.kill()
        elif kind == "clock":
            self.ahead = self.dice.choice((-1, 1)) * self.dice.uniform(600.0, 7200.0)
            self.live(self.dice.choice((10, 30, 60)))
            self.ahead = 0.0

    def wrong(self) -> list[str]:
        """Known columns of intervals that are over which hold what cannot be."""
        self.kept.ledger.flush(NOON + self.second)
        found = []
        for row in self.kept.book.intervals(0, 1e12):
            for column in COLUMNS:
                energy, share = row.known(column), (0.1, 0.9) if column in FLOWS else (0.94, 1.06)
                least, most = BOUNDS_W[column]
                if energy is None or not 300 <= row.start - NOON <= self.second - 300:
                    if energy is not None and not NOON <= row.start <= NOON + self.second and energy:
                        found.append(f"{row.start - NOON:.0f} {column}: {energy:.1f} Wh at another time")
                elif not least / 12 * share[0] - 2 <= energy <= most / 12 * share[1] + 2:
                    found.append(f"{row.start - NOON:.0f} {column} ({self.kinds[column]}): {energy:.1f} Wh")
        return found


@pytest.mark.parametrize("seed", range(2000 if FULL else 8))
def test_a_column_that_is_known_is_true_whatever_befalls_its_source(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    kinds = {column: dice.choice(KINDS) for column in COLUMNS}
    meters = Meters(tmp_path, kinds, dice)
    meters.live(dice.randrange(600, 900, STEP_S))
    for _ in range(dice.randint(1, 5)):
        meters.fault()
        meters.live(dice.choice((30, 300, 700)))
    meters.live(1500)
    assert meters.wrong() == []
