"""The actions of a charger, and how each one is confirmed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Callable

from jeedom_bridge.clock import Clock
from jeedom_bridge.contract import Row

from ..base import DeviceError, Refused
from . import mapping
from .mapping import CommandResponse

CONFIRM_TIMEOUT_S = 20.0
"""Seconds within which a charger must confirm an action; on a mobile network it may sleep."""
ASK_RESULT_AT_S = (2.0, 5.0, 10.0, 15.0)
"""Seconds after the request at which the service is asked for the result."""
MAX_RESPONSES, RESPONSE_MAX_AGE_S = 50, 60.0
GUARD_MINUTES = 5
"""After so many the circuit falls to its offlineMaxCircuitCurrent (developer.easee.com/docs/load-balancing)."""
SAME_REQUEST_S = 2.0
"""Seconds within which a repeated click is the same request."""

Value = Any


class NotConfirmed(DeviceError):
    """The charger did not answer in time; whether it obeyed is unknown."""

    code = "timeout"


@dataclass(frozen=True)
class Action:
    """`path` below charger or circuit; `body` of the request; `proof`: (observation, predicate) that confirms it."""

    path: str
    body: Callable[[Value], Any] = lambda _: None
    proof: tuple[int, Callable[[Any, Value], bool]] | None = None
    circuit: bool = False
    one_phase: bool = False
    """Whether it leaves a circuit one phase: only where that harms nobody."""
    also: tuple[int, Callable[[Any, Value], bool]] | None = None
    """What else must hold, if it is known: limits of a circuit's first phase stay as they are when phases change."""


def _equal(observed: Any, wanted: Value) -> bool:
    return bool(abs(float(observed) - float(wanted)) < 0.5)


ACTIONS: Mapping[str, Action] = {
    "pause_ON": Action(
        "/commands/pause_charging", proof=(mapping.DYNAMIC_CHARGER, lambda limit, _: limit < mapping.MIN_CHARGING_A)
    ),
    "pause_OFF": Action(
        "/commands/resume_charging", proof=(mapping.DYNAMIC_CHARGER, lambda limit, _: limit >= mapping.MIN_CHARGING_A)
    ),
    "cable_lock": Action(
        "/commands/lock_state", lambda _: {"state": True}, (mapping.LOCKED_FOR_GOOD, lambda locked, _: locked is True)
    ),
    "cable_unlock": Action(
        "/commands/lock_state", lambda _: {"state": False}, (mapping.LOCKED_FOR_GOOD, lambda locked, _: locked is False)
    ),
    "start_charging": Action("/commands/start_charging"),
    "stop_charging": Action("/commands/stop_charging"),
    "override_schedule": Action("/commands/override_schedule"),
    "smartCharging_ON": Action(
        "/settings", lambda _: {"smartCharging": True}, (mapping.SMART, lambda smart, _: smart is True)
    ),
    "smartCharging_OFF": Action(
        "/settings", lambda _: {"smartCharging": False}, (mapping.SMART, lambda smart, _: smart is False)
    ),
    "setDynamicChargerCurrent": Action(
        "/settings", lambda amps: {"dynamicChargerCurrent": amps}, (mapping.DYNAMIC_CHARGER, _equal)
    ),
    "setDynamicCircuitCurrent": Action(
        "/dynamicCurrent",
        lambda amps: {"phase1": amps, "phase2": amps, "phase3": amps},
        (mapping.CIRCUIT_LIMITS[0], _equal),
        circuit=True,
        also=(mapping.CIRCUIT_LIMITS[2], _equal),
    ),
    "guardCircuit": Action(
        "/dynamicCurrent",
        lambda amps: {"phase1": amps, "phase2": amps, "phase3": amps, "timeToLive": GUARD_MINUTES},
        (mapping.CIRCUIT_LIMITS[0], _equal),
        circuit=True,
        also=(mapping.CIRCUIT_LIMITS[2], _equal),
    ),
    "oneCircuitPhase": Action(
        "/dynamicCurrent",
        lambda amps: {"phase1": amps, "phase2": 0, "phase3": 0, "timeToLive": GUARD_MINUTES},
        (mapping.CIRCUIT_LIMITS[0], _equal),
        circuit=True,
        one_phase=True,
        also=(mapping.CIRCUIT_LIMITS[2], lambda limit, _: limit < mapping.MIN_CHARGING_A),
    ),
}


def amperes(row: Row, options: Mapping[str, Any]) -> int | None:
    """Returns the current in A set by a slider; None if the action has none. Raises Refused if out of range."""
    if row.data["subType"] != "slider":
        return None
    least, most = int(row.data["min"]), int(row.data["max"])
    try:
        amps = float(str(options.get("slider", "")).replace(",", "."))
        whole = int(amps)
    except (ValueError, OverflowError) as error:
        raise Refused("Indiquez un courant en ampères, de {least} à {most}", least=least, most=most) from error
    if not least <= amps <= most:
        raise Refused("{amps} A est hors limites : de {least} à {most} A", amps=f"{amps:g}", least=least, most=most)
    if 0 < amps < mapping.MIN_CHARGING_A:
        raise Refused("{amps} A ne permet aucune charge : choisissez 0, ou 6 A et plus", amps=f"{amps:g}")
    return whole


@dataclass(frozen=True)
class QueuedCommand:
    """A command that the service has queued for a charger. `ticks` exceeds the precision of a float."""

    serial: str
    command: int
    ticks: int

    @property
    def path(self) -> str:
        """Path of its result."""
        return f"/api/commands/{self.serial}/{self.command}/{self.ticks}"


def queued_commands(answer: Any, serial: str) -> list[QueuedCommand]:
    """Returns the commands queued by an answer; empty if done at once, or nothing to change."""
    found = []
    for entry in answer if isinstance(answer, list) else [answer]:
        if not isinstance(entry, dict):
            continue
        ticks, command = entry.get("ticks"), entry.get("commandId")
        if isinstance(ticks, int) and not isinstance(ticks, bool) and ticks > 0 and isinstance(command, int):
            device = entry.get("device")
            found.append(
                QueuedCommand(device if isinstance(device, str) and device.isalnum() else serial, command, ticks)
            )
    return found


class Confirmations:
    """Collects the chargers' answers, including early ones. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self.changed = threading.Condition()
        self._clock = clock
        self._responses: OrderedDict[tuple[str, int], tuple[float, CommandResponse]] = OrderedDict()
        self._waiting = 0

    def note(self, response: CommandResponse) -> None:
        """Adds an answer."""
        with self.changed:
            self._responses[response.serial, response.ticks] = (self._clock.monotonic(), response)
            while len(self._responses) > MAX_RESPONSES:
                self._responses.popitem(last=False)
            self.changed.notify_all()

    def news(self) -> None:
        """Wakes waiting actions: the state of a charger has changed."""
        if self._waiting:
            with self.changed:
                self.changed.notify_all()

    def find(self, ticket: QueuedCommand) -> CommandResponse | None:
        """Returns the answer to a command if it came within RESPONSE_MAX_AGE_S, else None."""
        with self.changed:
            at, response = self._responses.get((ticket.serial, ticket.ticks), (0.0, None))
            return response if response is not None and self._clock.monotonic() - at <= RESPONSE_MAX_AGE_S else None

    def wait(self, probe: Callable[[], Any], seconds: float) -> Any:
        """Waits until `probe()` is true, at most `seconds`; returns its last result."""
        end = self._clock.monotonic() + seconds
        with self.changed:
            self._waiting += 1
            try:
                while True:
                    found, rest = probe(), end - self._clock.monotonic()
                    if found or rest <= 0:
                        return found
                    self._clock.wait(self.changed, min(rest, 0.5))
            finally:
                self._waiting -= 1


class InFlightActions:
    """Runs equal requests that overlap as one action. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[str, tuple[Hashable, Future[bool], float | None]] = {}

    def run(self, charger: str, request: Hashable, action: Callable[[], bool], holds: Callable[[], bool]) -> bool:
        """Carries out `action`, or shares the outcome of the same wish that is under way or was just fulfilled.

        `holds`: whether what was fulfilled still is; a car that is plugged in makes a charger forget its limit.
        """
        with self._lock:
            before = self._last.get(charger)
            if before is not None and before[0] == request and self._counts(before, holds):
                future, mine = before[1], False
            else:
                future, mine = Future(), True
                self._last[charger] = (request, future, None)
        if not mine:
            return future.result(CONFIRM_TIMEOUT_S + 5.0)
        try:
            proved = action()
        except BaseException as error:
            future.set_exception(error)
            raise
        else:
            future.set_result(proved)
            return proved
        finally:
            self._settle(charger, request, future)

    def _counts(self, before: tuple[Hashable, Future[bool], float | None], holds: Callable[[], bool]) -> bool:
        _, future, ended = before
        if ended is None:
            return True
        return self._clock.monotonic() - ended < SAME_REQUEST_S and future.exception() is None and holds()

    def _settle(self, charger: str, request: Hashable, future: Future[bool]) -> None:
        with self._lock:
            if self._last.get(charger, (None, None, None))[1] is future:
                self._last[charger] = (request, future, self._clock.monotonic())
