"""Levels, as the plugin carries them out: the command that the user chose runs in the background, once per number.

From the core of 31 March 2026 (`utils::executeAsync`, `jeeCron.php`): a background task is a process of its own that
starts a moment later; when Jeedom is stopped meanwhile it is gone and nothing starts it again. What has run is kept in
the database until an acknowledgement has told it, and told again when the daemon asks for the same number once more.
"""

from __future__ import annotations

import threading
from typing import Any, Callable, NamedTuple, Optional

from simulators.clock import Clock
from simulators.jeedom.database import Database


class Execution(NamedTuple):
    """A command of the house that was run: by Jeedom's clock, "#id#", and for which wish."""

    at: float
    command: str
    equipment: str
    name: str
    number: int


class Levels:
    """The newest level of each equipment.

    `delay` (real s): how long a background task takes to start. `broken`: chosen commands that fail. `running`: whether
    Jeedom runs at the moment; tasks that should start or end while it does not are lost.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.delay = 0.02
        self.broken: set[str] = set()
        self.running: Callable[[], bool] = lambda: True
        self.accepted: Callable[[dict[str, Any]], None] = lambda event: None
        """Called with each level that was taken, before its command runs."""
        self.executed: list[Execution] = []
        self.failed: list[Execution] = []
        self._at_work: set[tuple[str, int]] = set()

    def state(self, on: str, off: str) -> Optional[bool]:
        """Whether a load is on whose commands are these; None when neither has been run."""
        last = next((one.command for one in reversed(self.executed) if one.command in (on, off)), None)
        return None if last is None else last == on

    def take(self, event: dict[str, Any], command: Optional[str], expires: Optional[float]) -> None:
        """A level that the daemon asks for. `expires`: epoch s."""
        equipment, number = event["equipment"], event["number"]
        with self.database.lock:
            levels = self.database.kept("levels", {})
            known = levels.get(equipment, {"number": 0, "ran": False})
            if number > known["number"]:
                known = {"name": event["name"], "number": number, "ran": False}
            known["told"] = False
            if number == known["number"]:
                known.update(command=command, expires=expires)
            levels[equipment] = known
            self.database.keep("levels", levels)
        self.accepted(event)
        if not known["ran"]:
            timer = threading.Timer(self.delay, self._run, (equipment,))
            timer.daemon = True
            timer.start()

    def untold(self) -> list[dict[str, Any]]:
        """What has run since the last report."""
        found = []
        with self.database.lock:
            levels = self.database.kept("levels", {})
            for equipment, level in levels.items():
                if level["ran"] and not level["told"]:
                    level["told"] = True
                    found.append({"equipment": equipment, "name": level["name"], "number": level["number"]})
            if found:
                self.database.keep("levels", levels)
        return found

    def _run(self, equipment: str) -> None:
        with self.database.lock:
            level = self.database.kept("levels", {}).get(equipment)
            known = self.database.equipment(equipment)
            if level is None or level["ran"] or known is None or not known["enabled"] or not self.running():
                return
            work = (equipment, level["number"])
            late = level["expires"] is not None and level["expires"] < self.clock()
            if late or work in self._at_work:
                return
            self._at_work.add(work)
        try:
            self._execute(equipment, level)
        finally:
            with self.database.lock:
                self._at_work.discard(work)

    def _execute(self, equipment: str, level: dict[str, Any]) -> None:
        done = Execution(self.clock(), level["command"] or "", equipment, level["name"], level["number"])
        if level["command"] in self.broken:
            self.failed.append(done)
            return
        if level["command"]:  # where none was chosen nothing is left to do
            self.executed.append(done)
        with self.database.lock:
            levels = self.database.kept("levels", {})
            if self.running() and levels[equipment]["number"] == level["number"]:
                levels[equipment]["ran"] = True
                self.database.keep("levels", levels)
