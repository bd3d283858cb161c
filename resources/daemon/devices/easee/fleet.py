"""The chargers of one account: publishes their values with their own dates, and persists sessions and meters."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from ..base import Connection, Context, Refused
from ..common.vendor_clock import VendorClock
from . import mapping
from .charger import NEVER, Charger
from .rest_reader import silence

PERSIST_PERIOD_S = 600.0
"""Shortest time between two writes of a charger's meter, in seconds."""


class Fleet:
    """Thread-safe by `lock`, which callers hold while they use a charger."""

    def __init__(self, context: Context, table: mapping.Table, time: VendorClock) -> None:
        self.lock = threading.RLock()
        self._context = context
        self._clock = context.clock
        self._table = table
        self._time = time
        self._chargers: dict[str, Charger] = {}
        self._equipment: dict[str, list[str]] = {}
        self._unseen: set[str] = set()
        self._kept: dict[str, tuple[float, object, object]] = {}

    def adopt(self, connection: Connection) -> list[str]:
        """Sets the chargers of the desired state; known ones keep their values. Returns their serial numbers."""
        equipment: dict[str, list[str]] = {}
        for each in connection.of_type("charger"):
            equipment.setdefault(each.key.strip(), []).append(each.id)
        equipment.pop("", None)
        with self.lock:
            self._chargers = {serial: self._chargers.get(serial) or self._restored(serial) for serial in equipment}
            new = [charger for s, charger in self._chargers.items() if equipment[s] != self._equipment.get(s)]
            self._equipment = equipment
            for charger in new:
                self.publish(charger, set(charger.values))
        return list(equipment)

    def get(self, serial: str) -> Charger | None:
        """Returns the charger with this serial number, or None."""
        return self._chargers.get(serial)

    def all(self) -> list[Charger]:
        """Returns all chargers."""
        with self.lock:
            return list(self._chargers.values())

    def observe(self, record: mapping.Observation) -> bool:
        """Takes a record of the stream; True if it changed a value."""
        with self.lock:
            charger = self._chargers.get(record.serial)
            if charger is None:
                return False
            dropped = charger.dropped
            changed = charger.observe(record, self._clock.monotonic(), self._time.now())
            self.publish(charger, changed)
            if record.id not in changed and record.at is not None:
                self._confirm(charger, charger.confirmed(record), record.at)
            self._keep(charger)
        self.seen(charger)
        self._context.online()
        self._context.count("observations")
        if charger.dropped != dropped:
            self._context.count("observationsTooOld")
        return bool(changed)

    def take(self, charger: Charger, found: Sequence[mapping.Observation], asked: float) -> bool:
        """Takes an answer to a request of `asked` (monotonic); True if the stream should have sent a value of it."""
        with self.lock:
            differs = charger.differs(found, asked)
            self.publish(charger, charger.take(found, asked, self._clock.monotonic(), self._time.now()))
            self._keep(charger)
        self.seen(charger)
        return differs

    def judge(self, charger: Charger, settled: bool) -> None:
        """Publishes that a charger has become silent, or is no longer."""
        with self.lock:
            self.publish(charger, charger.judge(self._time.now(), settled))

    def confirm_lasting(self) -> None:
        """Confirms values that are sent on change only, as of the charger's last sign of life."""
        for charger in self.all():
            if charger.judged and not charger.away:
                self._confirm(charger, self._table.lasting, charger.newest)

    def publish(self, charger: Charger, changed: set[int]) -> None:
        """Publishes the facts that changed, each with its own date."""
        for at, facts in charger.facts(changed).items() if changed else ():
            for equipment in self._equipment.get(charger.serial, ()):
                self._context.publish(equipment, facts, None if at == NEVER else self._time.local(at))

    def _confirm(self, charger: Charger, facts: set[str] | frozenset[str], at: float) -> None:
        for equipment in self._equipment.get(charger.serial, ()) if facts and at > NEVER else ():
            self._context.confirm(equipment, facts, self._time.local(at))

    def missing(self, charger: Charger) -> None:
        """Reports that the account does not have this charger."""
        self._unseen.add(charger.serial)
        told = Refused(
            "Le compte Easee ne voit pas le chargeur {serial} : vérifiez son numéro de série et son compte",
            serial=charger.serial,
        )
        for equipment in self._equipment.get(charger.serial, ()):
            self._context.report_equipment_error(equipment, told)

    def is_missing(self, charger: Charger) -> bool:
        """True if the account did not have it at the last check."""
        return charger.serial in self._unseen

    def seen(self, charger: Charger) -> None:
        """Ends the report of a missing charger: data has arrived."""
        if charger.serial in self._unseen:
            self._unseen.discard(charger.serial)
            for equipment in self._equipment.get(charger.serial, ()):
                self._context.report_equipment_error(equipment, None)

    # Persistence.

    def _restored(self, serial: str) -> Charger:
        charger = Charger(serial, self._table, silence(self._context))
        kept = self._context.memory.get(f"charger.{serial}")
        if isinstance(kept, Mapping):
            charger.sessions.restore(kept.get("sessions"))
            charger.meter.restore(kept.get("meter"))
        return charger

    def _keep(self, charger: Charger, now: bool = False) -> None:
        """Persists sessions at once and the meter periodically; reports restarts of the meter."""
        for before, after in charger.restarts:
            self._context.message(
                "warning",
                "Le compteur du chargeur {serial} repart de {after} kWh (il était à {before} kWh) : "
                "a-t-il été remplacé ou réinitialisé ?",
                serial=charger.serial,
                before=f"{before:g}",
                after=f"{after:g}",
            )
        charger.restarts.clear()
        sessions, meter = charger.sessions.state(), charger.meter.state()
        at, kept_sessions, kept_meter = self._kept.get(charger.serial, (NEVER, None, None))
        clock = self._clock.monotonic()
        if sessions != kept_sessions or (meter != kept_meter and (now or clock - at >= PERSIST_PERIOD_S)):
            self._kept[charger.serial] = (clock, sessions, meter)
            self._context.memory.keep(f"charger.{charger.serial}", {"sessions": sessions, "meter": meter})

    def keep(self) -> None:
        """Persists all chargers."""
        for charger in self.all():
            self._keep(charger, now=True)
