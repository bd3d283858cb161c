"""The loads of one connection: Jeedom is asked for the state that each is wanted in until it says that it ran."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Callable

from jeedom_bridge.clock import Clock, moment
from jeedom_bridge.worker import Job, Worker

from ..devices.base import LevelState, Memory
from ..energy.levels import Level

MAX_PAUSE_S = 3600.0
"""Longest time between two looks at what is not proved."""
MAX_ABSENT = 100
"""Levels kept of equipment that the connection no longer has: it may be enabled again."""
_KEY = "levels"


class Loads:
    """Keeps levels over restarts and sends them as `trigger` events. Only in the connection's own thread.

    `send(event, merge)` hands an event to the outbox, where it takes the place of one that still waits.
    """

    def __init__(
        self, memory: Memory, clock: Clock, worker: Worker, send: Callable[[Mapping[str, Any], object], None]
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._worker = worker
        self._send = send
        self._levels: dict[str, Level] = {}
        self._present: Collection[str] = ()
        self._job: Job | None = None

    def restore(self) -> None:
        """Takes what was kept; nothing is asked for before `adopt`."""
        kept = self._memory.get(_KEY)
        if isinstance(kept, Mapping):
            self._levels = {str(identifier): Level.restore(each) for identifier, each in kept.items()}

    def adopt(self, present: Collection[str]) -> None:
        """Takes the ids of the equipment that Jeedom has enabled; of others it would run no command."""
        self._present = present
        self._ask_soon(0.0)

    def want(self, equipment: str, state: str, value: Any, lifetime: float | None) -> None:
        """See Context.want."""
        level = self._levels.setdefault(equipment, Level())
        if level.want(state, value, lifetime, self._clock.time()):
            # Kept first: a command that runs twice after a crash does no harm, one that is forgotten may.
            self._keep()
            self._ask()

    def ran(self, equipment: str, state: str, number: int) -> bool:
        """Takes a proof; True when it tells something new."""
        level = self._levels.get(equipment)
        if level is None or not level.ran(state, number):
            return False
        self._keep()
        self._ask()
        return True

    def state(self, equipment: str) -> LevelState:
        """See Context.level."""
        level = self._levels.get(equipment) or Level()
        return LevelState(level.wanted, level.proved, level.pending, level.since)

    def _ask(self) -> None:
        now = self._clock.monotonic()
        pauses = []
        for equipment in self._present:
            level = self._levels.get(equipment)
            if level is None or not level.pending:
                continue
            if level.due(now) == 0.0:
                level.asked(now)
                self._send(self._request(equipment, level), ("level", equipment))
            pauses.append(level.due(now) or 0.0)
        if pauses:
            self._ask_soon(min(pauses))

    def _ask_soon(self, seconds: float) -> None:
        if self._job is not None:
            self._job.run_in(seconds)
        elif any(level.pending for level in self._levels.values()):
            self._job = self._worker.every("levels", MAX_PAUSE_S, self._ask, first=seconds)

    def _request(self, equipment: str, level: Level) -> dict[str, Any]:
        request = {
            "event": "trigger",
            "level": True,
            "equipment": equipment,
            "name": level.wanted,
            "number": level.number,
            "at": moment(level.since),
        }
        if level.value is not None:
            request["value"] = level.value
        if level.lifetime is not None:
            request["expires"] = moment(self._clock.time() + level.lifetime)
        return request

    def _keep(self) -> None:
        absent = [identifier for identifier in self._levels if identifier not in self._present]
        absent.sort(key=lambda identifier: self._levels[identifier].since)
        for identifier in absent[: max(0, len(absent) - MAX_ABSENT)]:
            del self._levels[identifier]
        self._memory.keep(_KEY, {identifier: level.state() for identifier, level in self._levels.items()})


def proofs(acknowledgement: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """(equipment, name, number) of the commands that Jeedom has run since it told last."""
    told = acknowledgement.get("triggered")
    for each in told if isinstance(told, list) else ():
        if isinstance(each, Mapping):
            equipment, name, number = each.get("equipment"), each.get("name"), each.get("number")
            if isinstance(equipment, str) and isinstance(name, str) and type(number) is int:
                yield equipment, name, number
