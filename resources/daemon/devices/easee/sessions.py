"""Which figures belong to the session of the car that is plugged in, and which to the car before; pure.

The service goes on sending the figure of the former session after a new car has come, with its old date, and the record
of a session's end may come late. Dates decide: of the newest plug-in that was seen, or of the record of a session's
start. All dates are Unix time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jeedom_bridge.json_reader import loads

from ..common.numbers import finite
from .mapping import DISCONNECTED, PLUGGED, moment, number

START_SLACK_S = 60.0
"""Seconds by which a session may have begun, by its own record, before the plug-in that was seen."""


@dataclass(frozen=True)
class Session:
    """The meter's figures at the begin or end of a charging session, kWh; `identity`: RFID, never to be shown."""

    lifetime: float | None
    energy: float | None
    identity: str | None
    number: str = ""
    start: float | None = None
    stop: float | None = None


def session(text: str) -> Session | None:
    """Observation 129 or 223."""
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
    """What is known of one charger's sessions. `state` and `restore` carry it over a restart."""

    def __init__(self) -> None:
        self.begun = float("-inf")
        """Figures of an older date belong to a former session."""
        self._free_at: float | None = None
        self._number = ""

    def mode(self, before: Any, mode: Any, at: float) -> bool:
        """The operation mode is `mode` since `at`; whether that is a new session."""
        if mode == DISCONNECTED:
            self._free_at = at
            return False
        if mode not in PLUGGED or self._free_at is None:
            return False
        # After a restart it is only known that the car came after the charger was last seen without one.
        begun = at if before == DISCONNECTED else self._free_at + 0.001
        self._free_at = None
        if begun <= self.begun:
            return False
        self.begun, self._number = begun, ""
        return True

    def started(self, record: Session, at: float) -> None:
        """The record of a session's start, dated `at`."""
        start = record.start if record.start is not None and record.start <= at else at
        self.begun = max(self.begun, start - START_SLACK_S)
        self._number = record.number

    def holds(self, record: Session, at: float) -> bool:
        """Whether a session's end, told at `at`, is of the newest session."""
        if record.number and record.number == self._number:
            return True
        if record.start is not None and record.start < self.begun - START_SLACK_S:
            return False
        if record.stop is not None:
            return record.stop >= self.begun
        return at >= self.begun and not (record.number and self._number)

    def state(self) -> dict[str, Any]:
        """What survives a restart, as JSON."""
        begun = self.begun if self.begun > float("-inf") else None
        return {"begun": begun, "freeAt": self._free_at, "number": self._number}

    def restore(self, kept: Any) -> None:
        """Takes over what `state` returned; anything else leaves it as it is."""
        if not isinstance(kept, Mapping):
            return
        begun = finite(kept.get("begun"))
        self.begun = self.begun if begun is None else begun
        self._free_at = finite(kept.get("freeAt"))
        self._number = str(kept.get("number") or "")
