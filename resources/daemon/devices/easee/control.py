"""Carries out an action of the user: sends it, and waits for the charger's own answer."""

from __future__ import annotations

import logging
import threading
from typing import Any, Callable

from ..base import Context, DeviceError, Refused, Unreachable
from ..common.endpoints import Endpoints
from . import mapping
from .account import Account
from .actions import (
    ASK_RESULT_AT_S,
    CONFIRM_TIMEOUT_S,
    Action,
    Confirmations,
    InFlightActions,
    NotConfirmed,
    QueuedCommand,
    queued_commands,
)
from .charger import Charger
from .client import Forbidden, NotThere, parsed
from .rest_reader import RestReader, segment

_LOG = logging.getLogger(__name__)


ANY_CHARGER = "any"
"""An action is sent to single chargers, at the user's pace: one that answers shows that its endpoint is there."""


class Control:
    """Thread-safe: actions run in threads of their own."""

    def __init__(
        self,
        account: Account,
        reader: RestReader,
        context: Context,
        lock: threading.RLock,
        read: Callable[[Charger], object],
    ) -> None:
        """`lock` guards the chargers; `read(charger)` requests its values and logs failures."""
        self._account = account
        self._reader = reader
        self._context = context
        self._clock = context.clock
        self._lock = lock
        self._read_quietly = read
        self.confirmations = Confirmations(context.clock)
        self._endpoints = Endpoints(context.memory, context.clock)
        self._in_flight = InFlightActions(context.clock)

    def act(self, charger: Charger, command: str, action: Action, amps: int | None) -> bool:
        """True once the charger has obeyed; False if the service alone has taken it. Raises DeviceError."""
        if charger.offline:
            raise Refused("Le chargeur {serial} est hors ligne : la commande n'est pas envoyée", serial=charger.serial)
        return self._in_flight.run(
            charger.serial,
            (command, amps),
            lambda: self._carry_out(charger, action, amps),
            lambda: action.proof is None or self._proven(charger, action, amps, 0.0, by_state=True),
        )

    def _carry_out(self, charger: Charger, action: Action, amps: int | None) -> bool:
        begun = self._clock.monotonic()
        serial = charger.serial
        if action.one_phase:
            self._check_phases(charger)
        base = self._reader.circuit(serial) if action.circuit else f"/api/chargers/{segment(serial)}"
        self._account.tokens.token()
        if self._clock.monotonic() - begun > CONFIRM_TIMEOUT_S / 2:
            # The user gives up before the charger can answer: a late action is worse than none.
            raise Unreachable("Le service Easee est trop lent : la commande n'est pas envoyée")
        self._context.count("actions")
        sent = self._clock.monotonic()
        try:
            answer = self._send(base, action, amps)
        except Refused as error:
            found = self._reader.find_circuit(serial) if action.circuit and not isinstance(error, Forbidden) else base
            if found == base:
                raise
            answer = self._send(found, action, amps)  # the charger has been moved to another circuit
        waiting = queued_commands(answer, serial)
        if not waiting:
            return False
        self._confirm(charger, action, amps, waiting, sent, begun + CONFIRM_TIMEOUT_S)
        return True

    def _check_phases(self, charger: Charger) -> None:
        """Raises Refused if a circuit of one phase would harm this charger or another one."""
        with self._lock:
            obstacle = mapping.phase_obstacle(charger.values)
        if obstacle != "none":
            raise Refused(
                "Le chargeur {serial} n'est pas sur un réseau TN triphasé avec le mode de phases automatique : ses "
                "phases ne sont pas changées",
                serial=charger.serial,
            )
        if not self._reader.alone(charger.serial):
            raise Refused(
                "D'autres bornes sont sur le circuit du chargeur {serial} : ses phases ne sont pas changées",
                serial=charger.serial,
            )

    def _send(self, base: str, action: Action, amps: int | None) -> Any:
        """Sends an action; reports once an endpoint that has answered for no charger for a day. Raises DeviceError."""
        try:
            answer = self._account.call("POST", base + action.path, action.body(amps), read=10.0, urgent=True)
        except NotThere as error:
            if self._endpoints.gone(action.path, ANY_CHARGER, [ANY_CHARGER]):
                self._context.message(
                    "warning",
                    "Depuis plus d'un jour, Easee ne connaît plus une commande, pour aucun chargeur : le service a "
                    "sans doute changé. Les valeurs et les autres commandes continuent ; installez la prochaine mise à "
                    "jour du plugin",
                )
            if self._endpoints.is_gone(action.path):
                raise NotThere(
                    "Easee n'offre plus cette commande, pour aucun chargeur : installez la prochaine mise à jour du "
                    "plugin"
                ) from error
            raise
        self._endpoints.answered(action.path, ANY_CHARGER)
        return parsed(answer)

    def _confirm(
        self, charger: Charger, action: Action, amps: int | None, waiting: list[QueuedCommand], sent: float, end: float
    ) -> None:
        """Waits for the charger's answer, or for the observation that proves the action. Raises DeviceError."""

        def answered() -> bool:
            for ticket in list(waiting):
                response = self.confirmations.find(ticket)
                if response is not None:
                    self._judge(charger, response.accepted, response.code)
                    waiting.remove(ticket)
            return not waiting or self._proven(charger, action, amps, sent)

        for ask_at in (*ASK_RESULT_AT_S, float("inf")):
            moment = min(sent + ask_at, end)
            if self.confirmations.wait(answered, moment - self._clock.monotonic()):
                return
            if moment >= end:
                break
            self._ask(charger, waiting)
            if answered():
                return
        self._read_quietly(charger)
        if not self._proven(charger, action, amps, sent, by_state=True):
            self._context.count("actionsNotConfirmed")
            raise NotConfirmed(
                "Le chargeur {serial} n'a pas confirmé la commande en {seconds} s : délai dépassé",
                serial=charger.serial,
                seconds=int(CONFIRM_TIMEOUT_S),
            )

    def _proven(self, charger: Charger, action: Action, amps: int | None, sent: float, by_state: bool = False) -> bool:
        if action.proof is None:
            return False
        with self._lock:
            known = [(each, charger.values.get(each[0])) for each in (action.proof, action.also) if each is not None]
            fresh = by_state or any(charger.received(each[0]) > sent for each, _ in known)
            told = known[0][1] is not None and fresh
            return told and all(value is None or holds(value, amps) for (_, holds), value in known)

    def _judge(self, charger: Charger, accepted: bool, code: int) -> None:
        if accepted:
            return
        self._context.count("actionsRefused")
        if code == 2:
            raise Refused(
                "Le chargeur {serial} n'a pas répondu au service Easee : il est sans doute hors ligne",
                serial=charger.serial,
            )
        raise Refused("Le chargeur {serial} a refusé la commande", serial=charger.serial, code=code)

    def _ask(self, charger: Charger, waiting: list[QueuedCommand]) -> None:
        """Requests the results of queued commands; removes those that have one."""
        for ticket in list(waiting):
            try:
                content = parsed(self._account.call("GET", ticket.path, read=3.0, urgent=True))
            except DeviceError as error:
                _LOG.debug("result of command %s: %s", ticket.command, error)  # 404: no result yet
                continue
            if isinstance(content, dict) and "wasAccepted" in content:
                self._judge(charger, *mapping.outcome(content))
                waiting.remove(ticket)
