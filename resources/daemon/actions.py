"""Carries out an action: one way for the user's click, a scenario and a rule.

An `Order` names an equipment and either a command of its catalogue, or a capability (`does`) and a value. The `Outcome`
says whether the device has proved that it obeyed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Callable, Protocol

from jeedom_bridge.contract import Catalogue, Row
from jeedom_bridge.listener import CommandError
from jeedom_bridge.store import StoreError

from .devices.base import Connection, Device, DeviceError, Equipment
from .texts import Texts

_LOG = logging.getLogger(__name__)

REFRESH = "refresh"
"""The command that every equipment has: it reads the device and changes nothing."""


class Result(Enum):
    """How an action ended."""

    PROVED = "proved"
    """The device itself has shown that it obeyed."""
    ACCEPTED = "accepted"
    """The vendor has taken it; what the device does with it is seen by its readings."""
    REFUSED = "refused"
    """It was not done; the outcome says why."""
    UNKNOWN = "unknown"
    """It was begun, and no answer came in time: it may have been done."""


@dataclass(frozen=True)
class Order:
    """What is to be done by which equipment (an eqLogic id); made by `by_command` or `by_capability`."""

    equipment: str
    command: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    capability: str = ""
    value: float | None = None

    @classmethod
    def by_command(cls, equipment: str, command: str, options: Mapping[str, Any] | None = None) -> Order:
        """By the logicalId of an action, with Jeedom's options (`{"slider": 16}`)."""
        return cls(equipment, command=command, options=options or {})

    @classmethod
    def by_capability(cls, equipment: str, capability: str, value: float | None = None) -> Order:
        """By a word of `does` in quantities.json ("charger.current"), with a value in its unit if it takes one."""
        return cls(equipment, capability=capability, value=value)


@dataclass(frozen=True)
class Outcome:
    """How an order ended.

    `code` (of the socket's errors) and `message` (for the user, in his language) are "" if it was done. `retry_s`:
    seconds until another try makes sense, if that is known.
    """

    result: Result
    code: str = ""
    message: str = ""
    retry_s: float | None = None

    @property
    def done(self) -> bool:
        """True if the device or its vendor has taken the order."""
        return self.result in (Result.PROVED, Result.ACCEPTED)


class Owner(Protocol):
    """The running connection of an equipment, as far as actions need it."""

    device: Device
    catalogue: Catalogue

    @property
    def connection(self) -> Connection:
        """As Jeedom wants it now."""
        ...

    def call(self, task: Callable[[], Any]) -> Future[Any]:
        """Runs a task in the connection's own thread."""
        ...

    def call_aside(self, task: Callable[[], Any]) -> Future[Any]:
        """Runs a task at once, in a thread of its own."""
        ...

    def refresh(self) -> bool:
        """Reads the device; True. Raises DeviceError."""
        ...

    def report_failure(self, name: str, future: Future[Any]) -> None:
        """Reports the failure of a task that nobody waits for any more."""
        ...


class Action:
    """An order under way. `explain` makes an outcome of what has stopped it."""

    def __init__(self, future: Future[bool | None], explain: Callable[[BaseException], Outcome]) -> None:
        self._future = future
        self._explain = explain

    @property
    def over(self) -> bool:
        """True if the outcome is there: `outcome` does not wait."""
        return self._future.done()

    def outcome(self, timeout_s: float | None = None) -> Outcome:
        """Waits for the outcome. Raises TimeoutError after `timeout_s`; the action goes on."""
        try:
            return Outcome(Result.PROVED if self._future.result(timeout_s) else Result.ACCEPTED)
        except (Exception, CancelledError) as error:
            if isinstance(error, FutureTimeout) and not self._future.done():
                raise TimeoutError from None
            return self._explain(error)

    def give_up(self) -> bool:
        """Sees to it that the action does not begin any more; False if it has begun, or is over."""
        return self._future.cancel()

    def when_over(self, callback: Callable[[Outcome], None]) -> None:
        """Calls back with the outcome, at once if it is there, else in the thread that brings it."""
        self._future.add_done_callback(lambda _: callback(self.outcome()))

    def leave(self, report: Callable[[Future[bool | None]], None]) -> None:
        """Nobody waits any more: what becomes of it is for `report`."""
        report(self._future)


class Actions:
    """Finds who carries out an order, and has it done. Thread-safe; no outcome is an exception.

    `owner(equipment)` gives the running connection of an equipment, or raises CommandError; `outgoing(text)` is what
    may leave the daemon of a text.
    """

    def __init__(
        self, owner: Callable[[str], tuple[Owner, Equipment]], texts: Texts, outgoing: Callable[[str], str]
    ) -> None:
        self._owner = owner
        self._texts = texts
        self._outgoing = outgoing

    def act(self, order: Order, limit_s: float) -> Outcome:
        """Carries out an order and waits for its outcome, at most `limit_s` seconds.

        What has not begun by then never will. A refresh that takes longer is accepted, and goes on.
        """
        action, owner = self._begin(order)
        try:
            return action.outcome(limit_s)
        except TimeoutError:
            if order.command == REFRESH and owner is not None:
                action.leave(lambda future: owner.report_failure(REFRESH, future))
                return Outcome(Result.ACCEPTED)
            text = self._texts("Pas de réponse en {seconds} s", seconds=int(limit_s))
            return Outcome(Result.REFUSED if action.give_up() else Result.UNKNOWN, "timeout", text)

    def begin(self, order: Order) -> Action:
        """Begins to carry out an order, and does not wait."""
        return self._begin(order)[0]

    def capabilities(self, equipment: str) -> dict[str, Row]:
        """The actions that an equipment can carry out now, by the words of `does`; empty if it is not running."""
        try:
            owner, found = self._owner(equipment)
        except CommandError:
            return {}
        return _capable(owner, found)

    def hurry(self, equipment: str, period_s: float) -> None:
        """Has the system of an equipment read at least every `period_s` for some minutes, if it is running."""
        try:
            owner, _ = self._owner(equipment)
        except CommandError:
            return
        owner.call(lambda: owner.device.hurry(period_s))

    def _begin(self, order: Order) -> tuple[Action, Owner | None]:
        owner: Owner | None = None
        try:
            owner, equipment = self._owner(order.equipment)
            return Action(self._given(owner, equipment, order), self._explain), owner
        except Exception as error:  # nobody there, no such action, or no more threads on this machine
            failed: Future[bool | None] = Future()
            failed.set_exception(error)
            return Action(failed, self._explain), owner

    def _given(self, owner: Owner, equipment: Equipment, order: Order) -> Future[bool | None]:
        if order.command == REFRESH:
            return owner.call(owner.refresh)
        command, options = self._resolved(owner, equipment, order)
        device = owner.device
        begin = owner.call_aside if device.acts_aside else owner.call
        return begin(lambda: device.act(equipment, command, options))

    def _resolved(self, owner: Owner, equipment: Equipment, order: Order) -> tuple[str, dict[str, Any]]:
        """The command and options of an order. Raises CommandError `unknown_action`."""
        if order.capability:
            row = _capable(owner, equipment).get(order.capability)
            if row is None:
                text = self._texts("Cet équipement ne sait pas faire cela : {capability}", capability=order.capability)
                raise CommandError("unknown_action", text)
            return row.logical_id, {} if order.value is None else {row.data["subType"]: order.value}
        rows = {row.logical_id: row.data for row in owner.catalogue.all_rows(equipment.type or None)}
        if rows.get(order.command, {}).get("type") != "action":
            text = self._texts("Commande inconnue pour cet équipement : {command}", command=order.command[:64])
            raise CommandError("unknown_action", text)
        return order.command, dict(order.options)

    def _explain(self, error: BaseException) -> Outcome:
        if isinstance(error, CancelledError):
            text = self._texts("La connexion vient d'être arrêtée")
            return Outcome(Result.REFUSED, "unknown_connection", text)
        if isinstance(error, CommandError):
            return Outcome(Result.REFUSED, error.code, str(error))
        if isinstance(error, DeviceError):
            text = self._outgoing(self._texts(error.template, **error.values))
            # A time-out says that nothing was heard, not that nothing was done.
            result = Result.UNKNOWN if error.code == "timeout" else Result.REFUSED
            return Outcome(result, error.code, text, error.retry)
        mistake = error if isinstance(error, Exception) else RuntimeError(repr(error))
        if not isinstance(error, StoreError):
            _LOG.error("an action failed", exc_info=error)
        return Outcome(Result.UNKNOWN, "internal", self._outgoing(self._texts.mistake(mistake)))


def _capable(owner: Owner, equipment: Equipment) -> dict[str, Row]:
    rows = owner.catalogue.rows(equipment.type or None, equipment.config, owner.connection.config)
    return {row.data["does"]: row for row in rows if "does" in row.data}
