"""Tells figures of the present charging session from those of the previous one; pure.

After a new car is plugged in, the service still sends the figure of the previous session, with its old date, and the
record of a session's end may be late. Dates decide: of the newest plug-in, or of the record of a session's start. All
dates are Unix time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jeedom_bridge.json_reader import loads

from ..common.numbers import finite
from .mapping import DISCONNECTED, PLUGGED, moment, number

START_SLACK_S = 60.0
"""Seconds by which a session's own start may precede the observed plug-in."""


@dataclass(frozen=True)
class Session:
    """The meter's figures in kWh at start or end of a charging session; `identity`: RFID, never logged."""

    lifetime: float | None
    energy: float | None
    identity: str | None
    number: str = ""
    start: float | None = None
    stop: float | None = None


def session(text: str) -> Session | None:
    """Parses observation 129 or 223; None if it is not valid."""
    try:
        record = loads(text)
    except ValueError:
        return None
    if not isinstance(record, dict):
        return None
    identity, name = record.get("Auth"), record.get("Id")
    meter = record.get("MeterValueStop", record.get("MeterValue"))
    return Session(
        number(meter),
        number(record.get("EnergyKwh")),
        str(identity) if identity else None,
        str(name)[:40] if isinstance(name, (int, str)) and not isinstance(name, bool) else "",
        moment(record.get("Start")),
        moment(record.get("Stop")),
    )


class Sessions:
    """The sessions of one charger; persisted by `state` and `restore`."""

    def __init__(self) -> None:
        self.begun = float("-inf")
        """Start of the present session: older figures belong to a previous one."""
        self._free_at: float | None = None
        self._number = ""

    def mode(self, before: Any, mode: Any, at: float) -> bool:
        """Takes the operation mode since `at`; True if a new session starts."""
        if mode == DISCONNECTED:
            self._free_at = at
            return False
        if mode not in PLUGGED or self._free_at is None:
            return False
        # After a restart it is only known that the car came after the charger was last free.
        begun = at if before == DISCONNECTED else self._free_at + 0.001
        self._free_at = None
        if begun <= self.begun:
            return False
        self.begun, self._number = begun, ""
        return True

    def started(self, record: Session, at: float) -> None:
        """Takes the record of a session's start, dated `at`."""
        start = record.start if record.start is not None and record.start <= at else at
        self.begun = max(self.begun, start - START_SLACK_S)
        self._number = record.number

    def holds(self, record: Session, at: float) -> bool:
        """True if the record of a session's end, dated `at`, belongs to the present session."""
        if record.number and record.number == self._number:
            return True
        if record.start is not None and record.start < self.begun - START_SLACK_S:
            return False
        if record.stop is not None:
            return record.stop >= self.begun
        return at >= self.begun and not (record.number and self._number)

    def state(self) -> dict[str, Any]:
        """State to persist, as JSON."""
        begun = self.begun if self.begun > float("-inf") else None
        return {"begun": begun, "freeAt": self._free_at, "number": self._number}

    def restore(self, kept: Any) -> None:
        """Restores what `state` returned; ignores anything else."""
        if not isinstance(kept, Mapping):
            return
        begun = finite(kept.get("begun"))
        self.begun = self.begun if begun is None else begun
        self._free_at = finite(kept.get("freeAt"))
        self._number = str(kept.get("number") or "")
