"""A charger as the cloud sees it: numbered observations, and a small physical model behind them.

A living charger sends a burst of measurements (`PULSE`) about every 15 minutes, whether they have changed or not
(evcc-io/evcc 28077 and 28362, March 2026); one that has lost its power sends nothing more, and nothing else tells.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Callable, Optional

from simulators.clock import Clock

BOOLEAN, DOUBLE, INTEGER, STRING = 2, 3, 4, 6
OFFLINE, DISCONNECTED, WAITING, CHARGING, COMPLETED, ERROR, READY = range(7)
VOLTS = 230.0
PULSE = (132, 150, 190, 194, 195, 196)
"""Observations that a charger sends periodically."""
PULSE_S = 900.0

KINDS = {
    **dict.fromkeys((30, 31, 35, 37, 41, 42, 43, 44, 68, 102, 103, 116, 250), BOOLEAN),
    **dict.fromkeys((21, 38, 45, 46, 50, 51, 52, 80, 96, 109, 110, 119, 130, 132, 136, 141, 150, 156, 219), INTEGER),
    **dict.fromkeys((129, 157, 223), STRING),
}
IDLE: Mapping[int, Any] = {
    21: 1,
    22: 40.0,
    30: False,
    31: True,
    38: 2,
    42: False,
    46: 23,
    47: 32.0,
    48: 32.0,
    80: 331,
    96: 50,
    102: False,
    103: False,
    109: DISCONNECTED,
    110: 0,
    111: 40.0,
    112: 40.0,
    113: 40.0,
    114: 0.0,
    119: 0,
    120: 0.0,
    121: 0.0,
    122: 0.0,
    124: 5120.7,
    130: -85,
    132: -61,
    141: 1,
    150: 24,
    156: 3,
    157: "unknown to everybody",
    182: 0.01,
    183: 0.01,
    184: 0.01,
    185: 0.01,
    190: 1.2,
    194: 231.4,
    195: 232.0,
    196: 230.1,
    197: 400.2,
    198: 401.0,
    199: 399.8,
    250: True,
}


@dataclass(frozen=True)
class Observed:
    """One observation in the format of the stream."""

    id: int
    data_type: int
    value: str
    at: float

    def record(self, serial: str) -> dict[str, Any]:
        """As the argument of `ProductUpdate`."""
        return {
            "mid": serial,
            "dataType": self.data_type,
            "id": self.id,
            "timestamp": stamp(self.at),
            "value": self.value,
        }

    def answer(self, typed: bool) -> dict[str, Any]:
        """As an element of the answer for its observations, with a value of a JSON type or as text."""
        value: Any = self.value
        if typed and self.data_type == BOOLEAN:
            value = self.value == "1"
        elif typed and self.data_type == INTEGER:
            value = int(self.value)
        elif typed and self.data_type == DOUBLE:
            value = float(self.value)
        return {"id": self.id, "value": value, "dataType": self.data_type, "timestamp": stamp(self.at)}


def stamp(at: float) -> str:
    """Epoch seconds as the service writes them."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Charger:
    """One charger. `tell(charger, observed)` is called for each change while it is online. Thread-safe.

    `command_mode`: `normal`, `early` (the response comes before the HTTP answer), `readback` (no response, only
    the observation), `never`, `lost` (neither response nor effect nor result), `rejected`, `expired`.
    """

    def __init__(
        self,
        serial: str,
        name: str = "",
        *,
        clock: Clock,
        wall: Optional[Clock] = None,
        color: int = 4,
        phases: int = 3,
    ) -> None:
        """`clock`: what charging goes by; `wall`: what its dates are of, if that is another."""
        self.serial = serial
        self.name = name or f"Charger {serial}"
        self.color = color
        self.phases = phases
        self.clock = clock
        self.wall = wall or clock
        self.command_mode = "normal"
        self.command_delay = 0.3
        self.online = True
        self.car_amps = 16.0
        self.battery = 1e9
        self.site, self.circuit = 70000, 80000
        self.tell: Callable[[Charger, Observed], None] = lambda charger, observed: None
        self.lock = threading.RLock()
        began = self.wall() - 3600.0
        self.observed = {each: _observed(each, value, began) for each, value in IDLE.items()}
        self.pulsed = self.wall() - PULSE_S / 3
        for each in PULSE:
            self.observed[each] = replace(self.observed[each], at=self.pulsed)

    def get(self, observation: int) -> Any:
        """The value of an observation, as a Python value."""
        observed = self.observed[observation]
        if observed.data_type == BOOLEAN:
            return observed.value == "1"
        return observed.value if observed.data_type == STRING else float(observed.value)

    def set(self, observation: int, value: Any, at: Optional[float] = None) -> None:
        """Sets a value; sends it if it differs."""
        with self.lock:
            observed = _observed(observation, value, self.wall() if at is None else at)
            before = self.observed.get(observation)
            if before is not None and before.value == observed.value:
                return
            self.observed[observation] = observed
        if self.online:
            self.tell(self, observed)

    def pulse_in(self) -> float:
        """Seconds until its next burst."""
        return self.pulsed + PULSE_S - self.wall()

    def pulse(self) -> None:
        """Sends its burst, if it lives."""
        with self.lock:
            self.pulsed = now = self.wall()
            if not self.online:
                return
            again = [replace(self.observed[each], at=now) for each in PULSE]
            self.observed.update({each.id: each for each in again})
        for each in again:
            self.tell(self, each)

    # What happens at the charger.

    def plug(self, amps: float = 16.0, battery: float = 1e9) -> None:
        """A car comes; it takes up to `amps` and is full after `battery` kWh."""
        self.car_amps, self.battery = amps, battery
        self.set(103, True)
        self.set(48, 32.0)
        self.set(96, 0)
        self.set(109, READY)
        self.settle()

    def unplug(self) -> None:
        """It leaves."""
        self.set(109, DISCONNECTED)
        self.set(103, self.get(30))
        self.set(96, 50)
        self.settle()

    def settle(self) -> None:
        """Updates mode, power and currents from the plugged car, its limits and requests."""
        mode = self.get(109)
        limit = min(self.get(48), self.get(111), self.get(47), self.car_amps)
        allowed = self.get(48) >= 6 and self.get(111) >= 6 and self.get(31)
        if mode in (WAITING, CHARGING, READY):
            mode = CHARGING if allowed else WAITING
            self.set(109, mode)
        amps = limit if mode == CHARGING else 0.0
        self.set(110, 30 if mode == CHARGING else 0)
        self.set(114, amps)
        for phase in range(3):
            self.set(183 + phase, amps if phase < self.phases and amps else 0.01)
        self.set(120, round(amps * VOLTS * self.phases / 1000, 3))

    def pass_time(self, seconds: float) -> None:
        """Continues a session for `seconds`."""
        if self.get(109) != CHARGING:
            return
        energy = self.get(120) * seconds / 3600
        self.set(121, round(self.get(121) + energy, 4))
        self.set(124, round(self.get(124) + energy, 4))
        for phase in range(3):
            wobble = ((self.clock() * (phase + 3)) % 7 - 3) / 10
            self.set(194 + phase, round(VOLTS + phase + wobble, 2))
        if self.get(121) >= self.battery:
            self.set(109, COMPLETED)
            self.settle()

    def go_offline(self, told: bool = True) -> None:
        """The cloud loses it: values stay as they were."""
        if told:
            self.set(250, False)
        self.online = False

    def die(self, ago: float = 0.0) -> None:
        """Cuts its power `ago` seconds ago: the service does not know, its last figures stay."""
        self.online = False
        with self.lock:
            for each, observed in list(self.observed.items()):
                self.observed[each] = replace(observed, at=min(observed.at, self.wall() - ago))

    def come_back(self) -> None:
        """It is there again."""
        self.online = True
        self.set(250, False) if self.get(250) else None
        self.set(250, True)

    def obey(self, name: str, body: Any) -> list[int]:
        """Does what a command or a change of settings says; the command ids that it has."""
        fields = body if isinstance(body, dict) else {}
        if name == "pause_charging":
            return self._limit(0.0, reason=52)
        if name == "resume_charging":
            return self._limit(32.0, reason=0)
        if name == "lock_state":
            return self._lock(fields.get("state") is True)
        if name == "settings":
            return [number for field, value in fields.items() for number in self._change(field, value)]
        if name == "dynamicCurrent":
            for phase in range(3):
                self.set(111 + phase, float(fields.get(f"phase{phase + 1}", 0)))
            self.settle()
            return [22]
        return {"start_charging": [25], "stop_charging": [26], "reboot": [1]}.get(name, [0])

    def _limit(self, amps: float, reason: Optional[int] = None) -> list[int]:
        self.set(96, reason if reason is not None else (52 if amps < 6 else 0))
        self.set(48, amps)
        self.settle()
        return [48]

    def _lock(self, locked: bool) -> list[int]:
        self.set(30, locked)
        self.set(103, locked or self.get(109) != DISCONNECTED)
        return [30]

    def _change(self, field: str, value: Any) -> list[int]:
        if field == "dynamicChargerCurrent":
            return self._limit(float(value))
        if field == "smartCharging":
            self.set(102, bool(value))
            return [11]
        if field == "lockCablePermanently":
            return self._lock(bool(value))
        return []


def _observed(observation: int, value: Any, at: float) -> Observed:
    kind = KINDS.get(observation, DOUBLE)
    if kind == BOOLEAN:
        return Observed(observation, kind, "1" if value else "0", at)
    if kind == INTEGER:
        return Observed(observation, kind, str(int(value)), at)
    return Observed(observation, kind, str(value), at)
