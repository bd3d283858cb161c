"""The life of one Easee account: its stream, its chargers, and what the user asks of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from jeedom_bridge.contract import Row

from ..base import Connection, Context, DeviceError, Equipment, Found, Identity, Refused, Unreachable, VendorError
from ..base import Device as Base
from . import mapping
from .account import Account
from .actions import ACTIONS, ASK_AT, LIMIT, Action, Confirmations, Flights, NotConfirmed, Ticket, amperes, tickets
from .charger import Charger
from .client import NotThere, parsed
from .link import TICK, Link
from .watch import ABSENT, Watch

_LOG = logging.getLogger(__name__)

STATE_READ = 120.0
"""Seconds between two automatic readings of one charger's state."""
FALLBACK_AFTER = 120.0
FRESH = 60.0
SILENT_READS = 2
"""Chargers in a row for which nobody answers, after which the service as a whole is taken to be down."""
COLORS = {1: "black", 2: "red", 3: "blue", 4: "white", 5: "grey"}


class Device(Base):
    """One account with its chargers: one stream for all of them."""

    grace = 45.0  # streams are cut now and then, and back within seconds
    acts_aside = True

    def __init__(self, connection: Connection, context: Context) -> None:
        super().__init__(connection, context)
        self._clock = context.clock
        self._account = Account(connection.config, context)
        self._rows: dict[str, Row] = {row.logical_id: row for row in context.catalogue.all_rows("charger")}
        self._table = mapping.Table(self._rows.values())
        self._link = Link(self._account, context, self, self._wake)
        self._watch = Watch()
        self._lock = threading.RLock()
        self._chargers: dict[str, Charger] = {}
        self._equipment: dict[str, list[str]] = {}
        self._to_read: dict[str, None] = {}
        self._read_at: dict[str, float] = {}
        self._confirmations = Confirmations(context.clock)
        self._flights = Flights(context.clock)
        self._job: Any = None
        self._woken = False
        self._wake_lock = threading.Lock()
        self._fresh_at = 0.0
        self._listed: set[str] | None = None
        self._listed_at = float("-inf")
        self._unseen: set[str] = set()

    # What the core asks for.

    def start(self) -> None:
        self._account.cloud  # noqa: B018  # an address that is none is said at once
        self._adopt()
        if self._job is None:
            self._job = self.context.every("stream", TICK, self._tick)
            self.context.every("state", STATE_READ, self._fall_back, first=STATE_READ)

    def stop(self) -> None:
        self._link.close()
        self._account.close()

    def changed(self) -> None:
        self._adopt()
        self._wake()

    def refresh(self) -> None:
        failure = self._read_all()
        if failure is not None:
            raise failure

    def test(self) -> Identity:
        self._account.login()
        found = self._list()
        text = self.context.say("Connecté à Easee : {n} chargeur(s) sur ce compte", n=len(found))
        return Identity({"chargers": len(found), "serials": [each.key for each in found]}, text)

    def discover(self) -> list[Found]:
        return self._list()

    def _list(self) -> list[Found]:
        found = []
        answer = parsed(self._account.call("GET", "/api/chargers", urgent=True))
        for each in answer if isinstance(answer, list) else []:
            serial = each.get("id") if isinstance(each, dict) else None
            if isinstance(serial, str) and serial.strip():
                color = COLORS.get(each.get("color"), "white") if isinstance(each.get("color"), int) else "white"
                name = each.get("name")
                found.append(
                    Found("charger", serial, name if isinstance(name, str) and name else serial, {"color": color})
                )
        return found

    def _adopt(self) -> None:
        """Takes over the chargers of the desired state; those that stay keep their values."""
        equipment: dict[str, list[str]] = {}
        for each in self.connection.of_type("charger"):
            equipment.setdefault(each.key.strip(), []).append(each.id)
        with self._lock:
            self._chargers = {s: self._chargers.get(s) or Charger(s, self._table) for s in equipment if s}
            new = [charger for s, charger in self._chargers.items() if equipment[s] != self._equipment.get(s)]
            self._equipment = equipment
            for charger in new:
                self._publish(charger, set(charger.values))
        self._link.want(list(self._chargers))

    # The connection's own thread.

    def _wake(self) -> None:
        with self._wake_lock:
            self._woken = True
            if self._job is not None:
                self._job.run_in(0.0)

    def _tick(self) -> None:
        with self._wake_lock:
            self._woken = False
        self._account.keep_fresh()
        self._account.show_budget()
        self._link.tick()
        if self._link.live:
            if not self._chargers:
                self.context.online()
            self._read_waiting()
            self._look()
            self._keep_fresh()
        pause = min(TICK, self._link.due())
        with self._wake_lock:
            if not self._woken:
                self._job.run_in(pause)

    def _read_waiting(self) -> None:
        """After each subscription the state is read as well: not every firmware sends all of it by the stream."""
        while self._to_read and not self.context.stopping and self._link.live:
            with self._lock:
                serial = next(iter(self._to_read), None)
                if serial is None:
                    return
                del self._to_read[serial]
                charger = self._chargers.get(serial)
            if charger is not None and self._clock.monotonic() - self._read_at.get(serial, -1e9) >= STATE_READ:
                self._read_quietly(charger)

    def _look(self) -> None:
        """Reads what has been quiet for long, and reconnects when the stream proves to be stalled."""
        with self._lock:
            now = self._clock.monotonic()
            charger = self._watch.to_look_at(self._chargers.values(), now)
        if charger is not None:
            differs = self._read_quietly(charger)
            with self._lock:
                if not self._watch.is_absent(charger.serial):
                    self._watch.looked(charger, bool(differs), self._clock.monotonic())
        with self._lock:
            stalled = self._watch.stalled(self._chargers.values(), self._clock.monotonic())
        if stalled is None:
            return
        serial, reconnect = stalled
        self.context.count("stalls")
        if not reconnect:
            _LOG.info("%s: the stream brings nothing of charger %s: asking for it anew", self.connection.name, serial)
            self._link.again(serial)
        else:
            _LOG.warning(
                "%s: the stream is open but brings nothing more of charger %s: reconnecting",
                self.connection.name,
                serial,
            )
            self._watch.clear()
            self._link.drop(Unreachable("Le flux Easee est ouvert mais ne transmet plus rien : reconnexion"))

    def _keep_fresh(self) -> None:
        """Values of a quiet charger count as fresh while the stream is proven alive: Jeedom sees life."""
        now = self._clock.monotonic()
        if now - self._fresh_at < FRESH or not self._link.alive() or self._watch.pending():
            return
        self._fresh_at = now
        for serial, charger in list(self._chargers.items()):
            if charger.heard is not None and not self._watch.is_absent(serial):
                for equipment in self._equipment.get(serial, ()):
                    self.context.publish(equipment, {})

    def _fall_back(self) -> None:
        """Without a stream for some minutes: the state by REST, now and then."""
        since = self._link.down_since
        if since is None or self._clock.monotonic() - since < FALLBACK_AFTER:
            return
        failure = self._read_all()
        if failure is not None:
            _LOG.debug("reading without a stream: %s", failure)

    def _read_all(self) -> DeviceError | None:
        """Reads every charger; one that is refused is no reason to leave out the others. The first failure."""
        failure: DeviceError | None = None
        silent = 0
        for charger in self._known():
            if self.context.stopping or silent >= SILENT_READS:
                break
            try:
                self._read(charger)
                silent = 0
            except (Refused, VendorError) as error:
                failure, silent = failure or error, 0
            except Unreachable as error:
                failure, silent = failure or error, silent + 1
            except DeviceError as error:
                return error  # the account, or the address
        return failure

    def _known(self) -> list[Charger]:
        with self._lock:
            return list(self._chargers.values())

    # Reading by REST.

    def _read(self, charger: Charger) -> bool:
        """Reads and publishes a charger's values; whether they show what the stream should have told."""
        asked = self._clock.monotonic()
        self._read_at[charger.serial] = asked
        path = f"/state/{_segment(charger.serial)}/observations?ids={','.join(map(str, self._table.ids))}"
        try:
            found = mapping.answered(parsed(self._account.call("GET", path)), charger.serial)
        except Refused:
            self._look_for(charger)
            raise
        with self._lock:
            absent = self._watch.is_absent(charger.serial)
            differs = charger.differs(found, asked)
            self._publish(charger, charger.take(found, asked, self._clock.monotonic(), self._clock.time()))
        self._seen(charger)
        if absent:
            self._link.again(charger.serial)
        return differs

    def _look_for(self, charger: Charger) -> None:
        """One refused address proves nothing about a charger: the list of the account's chargers does."""
        now = self._clock.monotonic()
        if now - self._listed_at >= ABSENT:
            self._listed_at = now
            try:
                self._listed = {each.key for each in self._list()}
            except DeviceError as error:
                _LOG.debug("list of chargers: %s", error)
                self._listed = None
        if self._listed is not None and charger.serial not in self._listed:
            self._missing(charger, "not among the chargers of the account")

    def _read_quietly(self, charger: Charger) -> bool | None:
        """The same where nobody waits for it; None when it failed, which is told elsewhere when it matters."""
        try:
            return self._read(charger)
        except DeviceError as error:
            _LOG.debug("state of charger %s: %s", charger.serial, error)
            return None

    def _missing(self, charger: Charger, reason: str) -> None:
        with self._lock:
            self._watch.absent(charger.serial, self._clock.monotonic())
        _LOG.debug("charger %s: %s", charger.serial, reason)
        told = Refused(
            "Le compte Easee ne voit pas le chargeur {serial} : vérifiez son numéro de série et son compte",
            serial=charger.serial,
        )
        self._unseen.add(charger.serial)
        for equipment in self._equipment.get(charger.serial, ()):
            self.context.trouble(equipment, told)

    def _seen(self, charger: Charger) -> None:
        """Data of a charger came: the account does see it."""
        if charger.serial in self._unseen:
            self._unseen.discard(charger.serial)
            for equipment in self._equipment.get(charger.serial, ()):
                self.context.trouble(equipment, None)

    def _publish(self, charger: Charger, changed: set[int]) -> None:
        facts = charger.facts(changed) if changed else {}
        if facts:
            for equipment in self._equipment.get(charger.serial, ()):
                self.context.publish(equipment, facts)

    # What the stream brings, in its thread.

    def invoked(self, target: str, arguments: Any) -> None:
        """See link.Listener."""
        if target in ("ProductUpdate", "ChargerUpdate"):
            for record in mapping.observations(arguments):
                self._observe(record)
        elif target == "CommandResponse":
            for response in mapping.command_responses(arguments):
                self._confirmations.note(response)
        else:
            self.context.count("recordsUnknown")

    def _observe(self, record: mapping.Observation) -> None:
        with self._lock:
            charger = self._chargers.get(record.serial)
            if charger is None:
                return
            dropped = charger.dropped
            changed = charger.observe(record, self._clock.monotonic(), self._clock.time())
            self._publish(charger, changed)
        self._seen(charger)
        self.context.online()
        self.context.count("observations")
        if charger.dropped != dropped:
            self.context.count("observationsTooOld")
        if changed:
            self._confirmations.news()

    def subscribed(self, serial: str, error: str | None) -> None:
        """See link.Listener."""
        with self._lock:
            charger = self._chargers.get(serial)
            if charger is None:
                return
            self._watch.subscribed(serial, self._clock.monotonic())
            self._to_read[serial] = None
            if error is not None:
                self._missing(charger, error)
        if error is None:
            self.context.online()
        self._wake()

    # Actions, in threads of their own.

    def act(self, equipment: Equipment, command: str, options: Mapping[str, Any]) -> None:
        action = ACTIONS.get(command)
        charger = self._chargers.get(equipment.key.strip())
        if action is None or charger is None:
            super().act(equipment, command, options)
            return
        amps = amperes(self._rows[command], options)
        if charger.offline:
            raise Refused("Le chargeur {serial} est hors ligne : la commande n'est pas envoyée", serial=charger.serial)
        with self._link.attention():
            self._flights.run(charger.serial, (command, amps), lambda: self._carry_out(charger, action, amps))

    def _carry_out(self, charger: Charger, action: Action, amps: int | None) -> None:
        begun = self._clock.monotonic()
        base = self._circuit(charger) if action.circuit else f"/api/chargers/{_segment(charger.serial)}"
        self._account.token()
        if self._clock.monotonic() - begun > LIMIT / 2:
            # The user will have given up before the charger can answer: too late is worse than not at all.
            raise Unreachable("Le service Easee est trop lent : la commande n'est pas envoyée")
        self.context.count("actions")
        sent = self._clock.monotonic()
        try:
            answer = self._account.call("POST", base + action.path, action.body(amps), read=10.0, urgent=True)
        except NotThere:
            self.context.memory.delete(f"circuit.{charger.serial}")  # moved to another circuit, perhaps
            raise
        waiting = tickets(parsed(answer), charger.serial)
        if waiting:
            self._confirm(charger, action, amps, waiting, sent, begun + LIMIT)
        if not self._link.live:
            self._read_quietly(charger)

    def _confirm(
        self, charger: Charger, action: Action, amps: int | None, waiting: list[Ticket], sent: float, end: float
    ) -> None:
        """Waits for the charger's own answer, or the observation that proves it. Raises DeviceError."""

        def answered() -> bool:
            for ticket in list(waiting):
                response = self._confirmations.find(ticket)
                if response is not None:
                    self._judge(charger, response.accepted, response.code)
                    waiting.remove(ticket)
            return not waiting or self._proven(charger, action, amps, sent)

        for ask_at in (*ASK_AT, float("inf")):
            moment = min(sent + ask_at, end)
            if self._confirmations.wait(answered, moment - self._clock.monotonic()):
                return
            if moment >= end:
                break
            self._ask(charger, waiting)
            if answered():
                return
        self._read_quietly(charger)
        if not self._proven(charger, action, amps, sent, by_state=True):
            self.context.count("actionsNotConfirmed")
            raise NotConfirmed(
                "Le chargeur {serial} n'a pas confirmé la commande en {seconds} s : délai dépassé",
                serial=charger.serial,
                seconds=int(LIMIT),
            )

    def _proven(self, charger: Charger, action: Action, amps: int | None, sent: float, by_state: bool = False) -> bool:
        if action.proof is None:
            return False
        observation, holds = action.proof
        with self._lock:
            value = charger.values.get(observation)
            fresh = by_state or charger.received(observation) > sent
            return value is not None and fresh and holds(value, amps)

    def _judge(self, charger: Charger, accepted: bool, code: int) -> None:
        if accepted:
            return
        self.context.count("actionsRefused")
        if code == 2:
            raise Refused(
                "Le chargeur {serial} n'a pas répondu au service Easee : il est sans doute hors ligne",
                serial=charger.serial,
            )
        raise Refused("Le chargeur {serial} a refusé la commande (résultat {code})", serial=charger.serial, code=code)

    def _ask(self, charger: Charger, waiting: list[Ticket]) -> None:
        """Asks the service what became of a command."""
        for ticket in list(waiting):
            try:
                content = parsed(self._account.call("GET", ticket.path, read=3.0, urgent=True))
            except DeviceError as error:
                _LOG.debug("result of command %s: %s", ticket.command, error)  # 404: not known yet
                continue
            if isinstance(content, dict) and "wasAccepted" in content:
                self._judge(charger, *mapping.outcome(content))
                waiting.remove(ticket)

    def _circuit(self, charger: Charger) -> str:
        """The path of the circuit that a charger is on."""
        kept = self.context.memory.get(f"circuit.{charger.serial}")
        if isinstance(kept, str):
            return kept
        site = parsed(self._account.call("GET", f"/api/chargers/{_segment(charger.serial)}/site", urgent=True))
        path = mapping.circuit_path(site, charger.serial)
        if path is None:
            raise Refused("Le compte Easee ne voit pas le circuit du chargeur {serial}", serial=charger.serial)
        self.context.memory.keep(f"circuit.{charger.serial}", path)
        return path


def _segment(serial: str) -> str:
    """A serial as part of a path. Raises Refused."""
    if not serial.isalnum() or not serial.isascii() or len(serial) > 40:
        raise Refused("« {serial} » n'est pas un numéro de série de chargeur Easee", serial=serial[:40])
    return serial
