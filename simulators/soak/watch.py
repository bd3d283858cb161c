"""Looks on while a house is soaked: power above the subscription, starts and stops of the car, lines of the logs."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from simulators.soak.house import OBSERVED_LIMIT, SUBSCRIBED_KVA, House

LOOK_S = 0.25
ANSWER_S = 45.0
"""Seconds without any fault after which a chain is whole again: the longest first pause between two tries."""
DEAD_TIME_S = 20.0
"""Seconds that a charge above the subscription may last in a whole chain: readings, the order, the car."""
CAUSED_S = 90.0
"""Seconds after a fault during which a line of level error may be its consequence."""
MATCH_S = 75.0
"""Seconds between what a charger did and the decision for it: an order may be repeated until it is proved."""
LONG_S = 420.0
LEAST_A = 6.0
ERROR = re.compile(r"\[(ERROR|CRITICAL)\]")
AMPS = re.compile(r"^(\d+) A × ")


class Change(NamedTuple):
    """A limit that began or ended a charge: when (monotonic s; Unix time of the daemon's clock), from and to (A)."""

    at: float
    told: float
    before: float
    after: float


@dataclass
class Log:
    """A log that is read while it grows; one that is begun anew is read from its beginning."""

    path: Path
    at: int = 0

    @classmethod
    def from_now(cls, path: Path) -> Log:
        """Only what is written from now on."""
        return cls(path, path.stat().st_size if path.exists() else 0)

    def lines(self) -> list[str]:
        """What is new, whole lines only."""
        try:
            with self.path.open("rb") as file:
                file.seek(0, 2)
                if file.tell() < self.at:
                    self.at = 0
                file.seek(self.at)
                text, whole, _ = file.read().rpartition(b"\n")
        except OSError:
            return []
        self.at += len(text) + len(whole)
        return text.decode("utf-8", "replace").splitlines()


@dataclass
class Watch:
    """`offset`: seconds by which the daemon's clock is ahead. `journal`: asks for the newest decisions."""

    house: House
    logs: list[Log]
    journal: Callable[[], list[dict[str, Any]]]
    offset: float = 0.0
    look_s: float = LOOK_S
    dead_time_s: float = DEAD_TIME_S
    looks: int = 0
    over_s: float = 0.0
    over_whole_s: float = 0.0
    most_watts: float = 0.0
    changes: list[Change] = field(default_factory=list)
    decisions: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    uncaused: list[str] = field(default_factory=list)
    charged: float = 0.0
    """Wh."""
    _faulty: bool = False
    healthy_since: float = field(default_factory=time.monotonic)
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._threads = [
            threading.Thread(target=self._look, daemon=True),
            threading.Thread(target=self._ask, daemon=True),
        ]
        for each in self._threads:
            each.start()

    def __str__(self) -> str:
        return (
            f"{self.charged:.0f} Wh charged, {len(self.changes)} starts and stops, {len(self.decisions)} decisions, "
            f"above the subscription {self.over_s:.0f} s and in a whole chain {self.over_whole_s:.1f} s, "
            f"{len(self.errors)} errors, without a fault {self.uncaused}"
        )

    @property
    def is_long(self) -> bool:
        """Whether there was time for a car to start and stop."""
        return time.monotonic() - self._began > LONG_S

    def fault(self, begins: bool) -> None:
        """A fault begins, or all have ended."""
        self._faulty = begins
        self.healthy_since = time.monotonic()

    def close(self) -> None:
        """Ends it."""
        self._over.set()
        for each in self._threads:
            each.join()

    def _look(self) -> None:
        limit, before = float(self.house.charger.get(OBSERVED_LIMIT)), time.monotonic()
        over_since: Optional[float] = None
        while not self._over.wait(self.look_s):
            now, grid = time.monotonic(), self.house.truth.grid()
            passed, before = now - before, now
            self.charged += self.house.truth.drawn() * passed / 3600
            if grid > 1000 * SUBSCRIBED_KVA:
                over_since = over_since or now
                self.over_s += passed
                self.most_watts = max(self.most_watts, grid)
                if not self._faulty:
                    whole = max(over_since, self.healthy_since + ANSWER_S)
                    self.over_whole_s = max(self.over_whole_s, now - whole)
            else:
                over_since = None
            wanted = float(self.house.charger.get(OBSERVED_LIMIT))
            if (wanted >= LEAST_A) != (limit >= LEAST_A):
                self.changes.append(Change(now, time.time() + self.offset, limit, wanted))
            limit = wanted
            self.looks += 1
            for line in (line for log in self.logs for line in log.lines() if ERROR.search(line)):
                self.errors.append(line)
                if not self._faulty and now - self.healthy_since > CAUSED_S:
                    self.uncaused.append(line)

    def _ask(self) -> None:
        while not self._over.wait(10.0):
            self.read()

    def read(self) -> list[str]:
        """Takes the newest decisions; those known before that are not in the journal any more, in words."""
        found = self.journal()
        if not found:
            return []
        keys = {(str(each["at"]), str(each["decision"]), str(each["why"])): each for each in found}
        oldest = min(str(each["at"]) for each in found)
        lost = [" ".join(key) for key in self.decisions if key[0] >= oldest and key not in keys]
        self.decisions.update(keys)
        return lost
