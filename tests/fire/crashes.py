"""Killed at any moment: no token and no watermark lost, no measure lost or doubled.

`python -m tests.fire.crashes [KILLS] [SEED]`
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jeedom_bridge.store import Store
from tests.support import callback_server as answers
from tests.support.backends.lab.measures import measure
from tests.support.callback_server import Answer
from tests.support.process import DaemonProcess, Lab

CONNECTIONS = ("1", "2")


@dataclass
class Report:
    """What came of it."""

    kills: int = 0
    tokens: int = 0
    measures: int = 0
    again: int = 0
    problems: list[str] = field(default_factory=list)
    duration: float = 0.0
    ages: list[float] = field(default_factory=list)

    def lines(self) -> list[str]:
        """For people."""
        lines = [
            f"{self.kills} times killed, {min(self.ages):.2f} to {max(self.ages):.2f} s after the start, "
            f"in {self.duration:.0f} s",
            f"{self.tokens} tokens renewed, none lost",
            f"{self.measures} measures in Jeedom, none missing, each once; {self.again} were sent again and overwrote "
            "themselves",
        ]
        return (lines if not self.problems else lines[:1]) + [f"PROBLEM: {each}" for each in self.problems]


class Crashes:
    """One daemon after the other with the same store, and a Jeedom that is slow."""

    def __init__(self, lab: Lab, seed: int) -> None:
        self.lab = lab
        self.random = random.Random(seed)
        self.report = Report()
        self.kept: dict[tuple[str, str], int] = {}

    def run(self, kills: int) -> Report:
        """Kills `kills` times, and looks each time at what is left."""
        begun = time.monotonic()
        for number in range(kills):
            self.lab.server.answer = self._slow()
            daemon = self._start(number)
            age = self.random.uniform(0.0, 0.8)
            time.sleep(age)
            daemon.kill()
            self.report.ages.append(age)
            self.report.kills += 1
            time.sleep(0.05)  # what it told before the end arrives
            self._look(daemon, number)
            if self.report.problems:
                break
        self._end(kills)
        self.report.duration = time.monotonic() - begun
        return self.report

    def _slow(self) -> Answer:
        choice = self.random.random()
        if choice < 0.4:
            return answers.late(self.random.uniform(0.0, 0.2))
        if choice < 0.6:
            return answers.silence(0.3, applied=True)
        if choice < 0.7:
            return answers.silence(0.3, applied=False)
        if choice < 0.8:
            return answers.text("no", 500, applied=True)
        return answers.acknowledge()

    def _start(self, number: int) -> DaemonProcess:
        daemon = self.lab.launch(
            "--cycle", "0", name="crash", loglevel="error", environment={"LAB_LIMIT": "0.2"}
        ).ready()
        connections = [
            self.lab.connection(each, pollInterval=0.05, tokens=True, measures=120, values=5) for each in CONNECTIONS
        ]
        daemon.configure(*connections, revision=number + 1)
        return daemon

    def _look(self, daemon: DaemonProcess, number: int) -> None:
        """The store is sound, and holds at least what the vendor and Jeedom were told to be kept."""
        notes = self.lab.reports.notes
        for identifier in CONNECTIONS:
            for name in ("token", "mark"):
                told = [n["number"] for n in notes if n["what"] == name and n["id"] == identifier]
                self.kept[(identifier, name)] = max([self.kept.get((identifier, name), 0), *told])
        self.report.tokens += sum(n["what"] == "token" for n in notes)
        self.lab.reports.clear()
        store = Store(daemon.datadir / "store.sqlite")
        if store.damage:
            self.report.problems.append(f"after kill {number}: {store.damage}")
        rows = self._rows()
        for (identifier, name), least in self.kept.items():
            kept = store.get(identifier, name, 0)
            if kept < least:
                self.report.problems.append(f"after kill {number}: {identifier}.{name} is {kept}, was {least}")
            if name == "mark":
                missing = [n for n in range(kept) if measure(n)[0] not in rows.get(f"{identifier}0", {})]
                if missing:
                    self.report.problems.append(
                        f"after kill {number}: watermark {kept}, but {missing[:5]} are not in Jeedom"
                    )
        store.close()

    def _rows(self) -> dict[str, dict[str, Any]]:
        """Jeedom's history: one row per equipment and date."""
        rows: dict[str, dict[str, Any]] = {}
        self.report.again = 0
        for event in self.lab.server.of("history"):
            kept = rows.setdefault(event["equipment"], {})
            for at, value in event["points"]:
                if at in kept:
                    self.report.again += 1
                    if kept[at] != value:
                        self.report.problems.append(f"{at} was {kept[at]}, is {value}")
                kept[at] = value
        return rows

    def _end(self, kills: int) -> None:
        """Left alone, it catches up: the measures in Jeedom have no gap and no other date."""
        self.lab.server.answer = answers.acknowledge()
        daemon = self._start(kills)
        self.lab.reports.wait("mark", 4, timeout=20)
        daemon.stop()
        rows = self._rows()
        for identifier in CONNECTIONS:
            found = rows[f"{identifier}0"]
            expected = dict(measure(n) for n in range(len(found)))
            if found != expected:
                self.report.problems.append(f"connection {identifier}: gaps or strange measures")
            self.report.measures += len(found)
        boots: dict[str, list[int]] = {}
        for received in self.lab.server.requests:
            boots.setdefault(received.payload["boot"], []).append(received.payload["sequence"])
        if any(sorted(each) != each for each in boots.values()):
            self.report.problems.append("a sequence went backwards")


if __name__ == "__main__":
    arguments = [*sys.argv[1:], *["200", "1"][len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory)) as laboratory:
        found = Crashes(laboratory, int(arguments[1])).run(int(arguments[0]))
    print("\n".join(found.lines()))
    sys.exit(bool(found.problems))
