"""The contract of the callback, as the plugin's `event()` keeps it: apply, acknowledge, never apply twice."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, Optional
from zoneinfo import ZoneInfo

from simulators.clock import Clock
from simulators.jeedom.catalogue import Catalogues
from simulators.jeedom.database import Database
from simulators.jeedom.levels import Levels

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")
OWN_DATE_AGE_S = 60.0  # s after which a value's own time becomes its date
STATES = (
    *("connecting", "online", "waiting", "unreachable", "authentication_failed", "untrusted", "error", "no_data"),
    "stopped",
)


class Rejected(ValueError):
    """An event that cannot be applied, and why."""


class Callback:
    """Applies payloads to a database.

    `complaints` collects what the daemon did that the contract does not allow; `create` is called with an
    equipment id and the logicalIds that data exists for.
    """

    def __init__(self, database: Database, catalogues: Catalogues, timezone: str, clock: Clock) -> None:
        self.database = database
        self.catalogues = catalogues
        self.zone = ZoneInfo(timezone)
        self.clock = clock
        self.log_level = "info"
        self.complaints: list[str] = []
        self.repeats = 0
        self.states: dict[str, dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []
        self.progress: dict[str, dict[str, Any]] = {}
        self.triggers: list[dict[str, Any]] = []
        self.levels = Levels(database, clock)
        self.daemon_state: Optional[str] = None
        self.daemon_version = ""
        self.create: Callable[[str, list[str]], None] = lambda equipment, commands: None
        self.lost = False
        self._unknown: set[str] = set()
        self._unknown_commands: dict[str, list[str]] = {}

    def apply(self, payload: Any, reject: Optional[str] = None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The acknowledgement of a payload, and its applied events (none for a repeat).

        `reject`: reason to reject every event with (a fault). Raises ValueError for what is no payload.
        """
        boot, sequence, events = self._checked(payload)
        with self.database.lock:
            last = self.database.kept("last", [None, 0, {}])
            if [boot, sequence] == last[:2]:
                self.repeats += 1
                return {**last[2], "log": self.log_level}, []
            if boot == last[0] and sequence <= last[1]:
                self.complaints.append(f"sequence {sequence} after {last[1]}")
            with self.database.transaction():
                acknowledgement, applied = self._apply_all(boot, sequence, events, reject)
                # A repeat may hold fewer events: places of rejected ones would name others.
                again = {key: value for key, value in acknowledgement.items() if key != "rejected"}
                self.database.keep("last", [boot, sequence, again])
        return {**acknowledgement, "log": self.log_level}, applied

    def local(self, moment: datetime) -> str:
        """A moment as Jeedom's local date."""
        return moment.astimezone(self.zone).isoformat(" ", "seconds")[:19]

    def _checked(self, payload: Any) -> tuple[str, int, list[Any]]:
        if not isinstance(payload, dict):
            raise TypeError("the payload is no object")
        boot, sequence, events = payload.get("boot"), payload.get("sequence"), payload.get("events")
        if not isinstance(boot, str) or len(boot) < 8 or not isinstance(sequence, int) or sequence < 1:
            raise ValueError("boot and sequence are wrong")
        if not isinstance(events, list) or not events:
            raise ValueError("there are no events")
        self.moment(payload.get("sentAt"))
        return boot, sequence, events

    def _apply_all(
        self, boot: str, sequence: int, events: list[Any], reject: Optional[str]
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        self._unknown, self._unknown_commands = set(), {}
        rejected, applied = [], []
        for place, event in enumerate(events):
            try:
                if reject:
                    raise Rejected(reject)
                with self.database.transaction("event"):
                    self._apply(event)
                    self.database.record(boot, sequence, place, event)
                applied.append(event)
            except (KeyError, TypeError, ValueError, sqlite3.Error) as error:
                message = f"{type(error).__name__}: {error}"
                rejected.append({"event": place, "message": message})
                if not reject:
                    self.complaints.append(message)
        acknowledgement: dict[str, Any] = {"ok": True}
        if self._unknown:
            acknowledgement["unknown"] = sorted(self._unknown)
        if self._unknown_commands:
            acknowledgement["unknownCommands"] = self._unknown_commands
        if rejected:
            acknowledgement["rejected"] = rejected
        triggered = self.levels.untold()
        if triggered:
            acknowledgement["triggered"] = triggered
        if self.lost and any(event["event"] == "values" and not event.get("again") for event in applied):
            acknowledgement["lost"] = True
            self.lost = False
        return acknowledgement, applied

    def _apply(self, event: dict[str, Any]) -> None:
        handler = getattr(self, f"_on_{event['event']}", None)
        if handler is None:
            raise Rejected(f"unknown event {event['event']!r}")
        handler(event)

    def _known(self, identity: str) -> bool:
        """Whether it exists and is enabled; what is not is named in the acknowledgement."""
        equipment = self.database.equipment(identity)
        if equipment is None or not equipment["enabled"]:
            self._unknown.add(identity)
            return False
        return True

    # ---- one method per event

    def _on_daemon(self, event: dict[str, Any]) -> None:
        if event["state"] not in ("started", "stopping"):
            raise Rejected(f"daemon state {event['state']!r}")
        self.daemon_state, self.daemon_version = event["state"], event["version"]

    def _on_values(self, event: dict[str, Any]) -> None:
        at = self.moment(event["at"])
        if not event["values"]:
            raise Rejected("values without a value")
        if not self._known(event["equipment"]):
            return
        old = self.clock() - at.timestamp() > OWN_DATE_AGE_S
        again = event.get("again", False)
        if again not in (True, False):
            raise Rejected(f"again is {again!r}")
        date = self.local(at) if old or again else self.local(datetime.fromtimestamp(self.clock(), self.zone))
        commands = self.database.commands(event["equipment"])
        current = self.database.current(event["equipment"])
        for logical_id, value in event["values"].items():
            command = commands.get(logical_id)
            if command is None or command["row"]["type"] != "info":
                self._unknown_commands.setdefault(event["equipment"], []).append(logical_id)
                continue
            value = formatted(command["row"], value)
            before, since = current.get(logical_id, (None, ""))
            if before == value or (old and date < since) or (again and date <= since):
                continue  # as the core: an unchanged value leaves no trace; an old one replaces no newer one
            self.database.put_current(command["id"], value, date)
            if command["row"].get("history") and not again:
                self.database.put_history(command["id"], date, value)

    def _on_history(self, event: dict[str, Any]) -> None:
        points = [(self.local(self.moment(at)), value) for at, value in event["points"]]
        if not points:
            raise Rejected("history without a point")
        if not self._known(event["equipment"]):
            return
        command = self.database.commands(event["equipment"]).get(event["command"])
        if command is None:
            self._unknown_commands.setdefault(event["equipment"], []).append(event["command"])
            return
        row = command["row"]
        self.database.put_points(command["id"], [(date, formatted(row, value)) for date, value in points])
        newest = max(points)
        current = self.database.current(event["equipment"]).get(event["command"])
        # As Jeedom does it: a newer date, or a corrected value of the same date.
        if current is None or newest[0] > current[1] or (newest[0] == current[1] and newest[1] != current[0]):
            self.database.put_current(command["id"], formatted(command["row"], newest[1]), newest[0])

    def _on_connection(self, event: dict[str, Any]) -> None:
        if event["state"] not in STATES:
            raise Rejected(f"connection state {event['state']!r}")
        if event["state"] == "waiting":
            self.moment(event["until"])
        identity = event.get("equipment") or event["connection"]
        if not self._known(identity):
            return
        before = self.states.get(identity, {})
        since = before["since"] if before.get("state") == event["state"] else self.clock()
        self.states[identity] = {**event, "since": since}
        command = self.database.commands(identity).get("state")
        if command is not None:
            text = self.catalogues.common.get("states", {}).get(event["state"], event["state"])
            if self.database.current(identity).get("state", (None,))[0] != text:
                self.database.put_current(command["id"], text, self.local(datetime.now(self.zone)))

    def _on_available(self, event: dict[str, Any]) -> None:
        if not self._known(event["equipment"]):
            return
        if not event["commands"]:
            raise Rejected("available without a command")
        self.create(event["equipment"], list(event["commands"]))

    def _on_progress(self, event: dict[str, Any]) -> None:
        if not 0 <= event["percent"] <= 100:
            raise Rejected(f"{event['percent']} percent")
        self.progress[event["connection"]] = event

    def _on_trigger(self, event: dict[str, Any]) -> None:
        if not self._known(event["equipment"]):
            return
        self.moment(event["at"])
        level = "level" in event
        expires = None if level and "expires" not in event else self.moment(event["expires"]).timestamp()
        equipment = self.database.equipment(event["equipment"]) or {"config": {}}
        chosen = equipment["config"].get(event["name"])
        expired = expires is not None and expires < self.clock()
        self.triggers.append({**event, "expired": expired, "command": chosen})
        if level:
            if event["level"] is not True or type(event["number"]) is not int or event["number"] < 1:
                raise Rejected(f"level {event['level']!r} with number {event['number']!r}")
            self.levels.take(event, chosen, expires)

    def _on_past(self, event: dict[str, Any]) -> None:
        if not (isinstance(event["begin"], int) and isinstance(event["end"], int) and event["begin"] <= event["end"]):
            raise Rejected("a span without an end")
        if "source" not in event and not (self._known(event["equipment"]) and event["command"]):
            raise Rejected("nobody's history")

    def _on_message(self, event: dict[str, Any]) -> None:
        self.messages.append({"level": event["level"], "text": event["text"], "at": self.clock()})

    @staticmethod
    def moment(text: Any) -> datetime:
        """A moment of the contract: ISO 8601 with an offset. Raises Rejected for any other text."""
        if not isinstance(text, str):
            raise Rejected(f"{text!r} is no moment with an offset")
        return _moment(text)


@lru_cache(maxsize=20_000)
def _moment(text: str) -> datetime:
    """Measures of several commands have the same moments."""
    if not MOMENT.fullmatch(text):
        raise Rejected(f"{text!r} is no moment with an offset")
    return datetime.fromisoformat(_six_digits(text))


def _six_digits(text: str) -> str:
    """Python 3.9 and 3.10 read fractions of 3 or 6 digits only."""
    if "." not in text:
        return text
    return re.sub(r"\.(\d+)", lambda found: "." + (found.group(1) + "000000")[:6], text)


def formatted(row: dict[str, Any], value: Any) -> Any:
    """A value as Jeedom keeps it for such a command. Raises Rejected for one of another kind."""
    kind = row["subType"]
    if kind == "binary":
        if value not in (True, False, 0, 1):
            raise Rejected(f"{row['logicalId']}: {value!r} is not binary")
        return int(value)
    if kind == "numeric":
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise Rejected(f"{row['logicalId']}: {value!r} is not a number")
        return value
    if not isinstance(value, (str, int, float)):
        raise Rejected(f"{row['logicalId']}: {value!r} is no text")
    return str(value)
