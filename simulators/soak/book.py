"""The house's book after a soak, read from its file, beside what the plant's meters have counted meanwhile."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

SLOT_S = 300
MEASURED_S = 240.0
"""Seconds of an interval that a meter must have measured for it to count: it then stands for the whole."""
SLACK_WH = 15.0
"""Wh by which two meters that are not read in the same second may contradict each other in one interval."""
PARTS = {
    "i": ("net-consumption", 0), "e": ("net-consumption", 1), "p": ("production", 0), "c": ("storage", 1),
    "d": ("storage", 0),
}  # fmt: skip
"""By column of the book: the meter of the plant, and which of its energies (`Register.energies`)."""


class Row(NamedTuple):
    """One interval: Wh by column (absent: not measured), and whether anything in it is an estimate."""

    start: int
    energy: dict[str, float]
    estimated: bool

    @property
    def house(self) -> float:
        """Wh that the house used, where all is known."""
        known = self.energy
        return known["i"] - known["e"] + known["p"] - known["c"] + known["d"]


def rows(folder: Path) -> list[Row]:
    """All intervals of the book in a daemon's data folder; none if there is no book."""
    with tempfile.TemporaryDirectory() as place:
        for each in folder.glob("house.sqlite*"):
            shutil.copy2(each, place)
        path = Path(place, "house.sqlite")
        if not path.exists():
            return []
        with closing(sqlite3.connect(path)) as database:
            database.row_factory = sqlite3.Row
            return [_row(each) for each in database.execute("SELECT * FROM interval ORDER BY start")]


def _row(found: sqlite3.Row) -> Row:
    marks = int(found["marks"])
    energy = {
        name: float(found[name]) * (1.0 if marks >> (8 + bit) & 1 else max(SLOT_S / found["s" + name], 1.0))
        for bit, name in enumerate(PARTS)
        if found[name] is not None and (found["s" + name] >= MEASURED_S or marks >> (8 + bit) & 1)
    }
    return Row(int(found["start"]), energy, marks != 0)


def complete(found: list[Row]) -> list[Row]:
    """Those in which every column is known."""
    return [each for each in found if len(each.energy) == len(PARTS)]


def contradictions(found: list[Row]) -> list[str]:
    """Rows that do not balance: a negative energy, or a house that gives more than it gets."""
    wrong = []
    for each in found:
        wrong += [f"{each.start} {name}: {energy:.1f} Wh" for name, energy in each.energy.items() if energy < -0.01]
        if len(each.energy) == len(PARTS) and each.house < -SLACK_WH:
            wrong.append(f"{each.start}: the house used {each.house:.1f} Wh, of {each.energy}")
    return wrong


def counted(plant: Any, start: int, seconds: int = SLOT_S) -> dict[str, float]:
    """What the meters of the plant counted in a span of whole minutes, by column, in Wh."""
    before, after = plant.at(start), plant.at(start + seconds)
    return {
        name: sum(late[part] - early[part] for late, early in zip(after[meter], before[meter]))
        for name, (meter, part) in PARTS.items()
    }
