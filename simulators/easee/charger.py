"""A charger as the cloud sees it: numbered observations, and a small physical model behind them.

A living charger sends a burst of measurements (`PULSE`) about every 15 minutes, whether they have changed or not
(evcc-io/evcc 28077 and 28362, March 2026); one that has lost its power sends nothing more, and nothing else tells.

What it does with limits, each with its source:
- every dynamic limit is lost at a restart, and the charger's own also when a car is plugged in; the lowest of all
  limits holds (developer.easee.com/docs/current-limits-and-control, read November 2026);
- a car that is plugged in begins by itself, at the full current (evcc-io/evcc 32626, 2026);
- a charge that begins at less than 7 A waits for about five minutes (evcc-io/evcc 29395, 30417, 30774, 2026);
- `resume_charging` lifts the limit to 32 A before any wish (log in evcc-io/evcc 15061, 2024);
- a limit of 6 A or more begins a paused charge, whoever sends it (evcc-io/evcc 32626, 2026);
- a limit of the circuit holds for `timeToLive` minutes, then `offlineMaxCircuitCurrent` does; whole amperes, rounded
  down (developer.easee.com/docs/load-balancing, read November 2026);
- 0 A on two phases of the circuit makes a charge of one phase, and the charger's own answer are the three limits, a
  second later (developer.easee.com/docs/current-limits-and-control; log in evcc-io/evcc 12773, March 2024); without an
  end these are 40 A on a Home after a restart (the same page);
- to change phases it opens its relays by itself: no current for some seconds (logs in evcc-io/evcc 3991, July 2022, and
  12825, March 2024; 29349, April 2026, calls the time not deterministic), then it begins again, at 7 A or more at
  once, at 6 A not until another limit comes (evcc-io/evcc 29395, April 2026, and 30418, June 2026);
- some stay on one phase until the charge is paused, by the car or by their firmware, which spares its relays
  (evcc-io/evcc 13839, 15063 and 23715, 2024 and 2025; support.easee.com 14607272585361, read November 2026);
- on an IT grid the third terminal carries the return: 0 A there ends the charge (evcc-io/evcc 28411, March 2026);
- the energy of its life (124) comes once an hour, just after the full hour (evcc-io/evcc 20594, April 2025;
  nordicopen/easee_hass 174, March 2022); that of the session (121) comes while it charges (evcc-io/evcc 20659).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from simulators.clock import Clock
from simulators.easee.product import BOOLEAN, INTEGER, PULSE_S, STRING, Product

OFFLINE, DISCONNECTED, WAITING, CHARGING, COMPLETED, ERROR, READY = range(7)
VOLTS = 230.0
PULSE = (132, 150, 190, 194, 195, 196)
"""Observations that a charger sends periodically."""
LEAST_A, AT_ONCE_A, FULL_A, RATED_A = 6.0, 7.0, 32.0, 40.0
"""No charge below; begins at once from; without a limit of ours: of the charger, of the circuit."""
WAITS_S = 300.0
SWITCHES_S = 20.0
"""Without current while it changes phases."""
LOCKED_TO_ONE, LOCKED_TO_THREE = 1, 3
"""Of 38; 2 is automatic."""
IT_GRIDS = (4, 5)
HOUR_S, TOLD_AFTER_HOUR_S = 3600.0, 120.0

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
    50: 16,
    51: 16,
    52: 16,
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


class Charger(Product):
    """One charger. `tell(charger, observed)` is called for each change while it is online. Thread-safe.

    `command_mode`: `normal`, `early` (the response comes before the HTTP answer), `readback` (no response, only
    the observation), `never`, `lost` (neither response nor effect nor result), `rejected`, `expired`.
    """

    kinds = KINDS
    pulse_of = PULSE

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
        super().__init__(serial, name or f"Charger {serial}", wall or clock)
        self.color = color
        self.phases = phases
        self.clock = clock
        self.command_mode = "normal"
        self.command_delay = 0.3
        self.car_amps = 16.0
        self.car_phases = 3
        self.needs_pause = False
        """Whether a charge of one phase stays one until it is paused."""
        self.battery = 1e9
        self.site, self.circuit = 70000, 80000
        self.expires: Optional[float] = None
        """When (of `clock`) the limit of the circuit ends."""
        self._begins: Optional[float] = None
        """When (of `clock`) a charge that has to wait begins."""
        self._in_use = 0
        """Phases of the charge under way."""
        self._kept_to_one = False
        self._closes: Optional[float] = None
        """When (of `clock`) its relays close again after a change of phases."""
        self._has_switched = False
        self._life = IDLE[124]
        self._hour = self.wall() // HOUR_S
        began = self.wall() - 3600.0
        self.observed = {each: self.observe(each, value, began) for each, value in IDLE.items()}
        self.pulsed = self.wall() - PULSE_S / 3
        for each in PULSE:
            self.observed[each] = replace(self.observed[each], at=self.pulsed)

    def pulse_in(self) -> float:
        """Seconds until its next burst."""
        return self.pulsed + PULSE_S - self.wall()

    # What happens at the charger.

    def plug(self, amps: float = 16.0, battery: float = 1e9) -> None:
        """A car comes; it takes up to `amps` and is full after `battery` kWh. The charger's dynamic limit is lost."""
        self.car_amps, self.battery = amps, battery
        self.set(103, True)
        self.set(48, self.get(47))
        self.set(96, 0)
        self.set(109, READY)
        self.settle()

    def restart(self) -> None:
        """It boots, or its power comes back: no dynamic limit is left, and the car begins again by itself."""
        self.expires = None
        self.set(96, 50 if self.get(109) == DISCONNECTED else 0)
        self.set(48, self.get(47))
        for phase in range(3):
            self.set(111 + phase, RATED_A)
        self.settle()

    def unplug(self) -> None:
        """It leaves."""
        self.set(109, DISCONNECTED)
        self.set(103, self.get(30))
        self.set(96, 50)
        self.settle()

    def settle(self) -> None:
        """Updates mode, power and currents from the plugged car, its limits and requests."""
        mode, phases = self.get(109), self._usable()
        offered = self._offered(phases)
        allowed = phases > 0 and offered >= LEAST_A and self.get(31)
        if not allowed or mode == DISCONNECTED:
            self._kept_to_one = self._has_switched = False
            self._closes = self._begins = None
        if mode == CHARGING and allowed and phases != self._in_use:
            self._closes, self._has_switched, mode = self.clock() + SWITCHES_S, True, WAITING
        if self._closes is not None and self.clock() >= self._closes:
            self._closes = None
        if mode in (WAITING, CHARGING, READY):
            begins = self._closes is None and (mode == CHARGING or (allowed and self._may_begin(offered)))
            mode = CHARGING if allowed and begins else WAITING
        self.set(109, mode)
        if mode == CHARGING:
            self._in_use, self._begins, self._has_switched = phases, None, False
            self._kept_to_one = self.needs_pause and phases == 1
        amps = min(offered, self.car_amps) if mode == CHARGING else 0.0
        used = min(phases, self.car_phases) if mode == CHARGING else 0
        self.set(110, {0: 0, 1: 10}.get(phases if mode == CHARGING else 0, 30))
        self.set(114, amps)
        for phase in range(3):
            self.set(183 + phase, amps if phase < used else 0.01)
        self.set(120, round(amps * VOLTS * used / 1000, 3))

    def _usable(self) -> int:
        """Phases that the circuit, the installation and its own settings let it use: all of them, or one."""
        opened = [self.get(111 + phase) >= LEAST_A for phase in range(3)]
        mode = self.get(38)
        if self.get(21) in IT_GRIDS:
            return 1 if opened[0] and opened[2] else 0
        if self.phases == 3 and all(opened) and mode != LOCKED_TO_ONE and not self._kept_to_one:
            return 3
        return 1 if opened[0] and not (self.phases == 3 and mode == LOCKED_TO_THREE) else 0

    def _offered(self, phases: int) -> float:
        """A of each phase that all limits leave."""
        return float(min(self.get(48), self.get(47), *(self.get(111 + phase) for phase in range(max(phases, 1)))))

    def wakes_in(self) -> float:
        """Seconds until a limit ends or a charge begins."""
        ahead = [each - self.clock() for each in (self.expires, self._begins, self._closes) if each is not None]
        return max(0.0, min(ahead, default=math.inf))

    def _may_begin(self, offered: float) -> bool:
        """Whether a charge begins now: with little it waits."""
        if offered >= AT_ONCE_A:
            return True
        if self._has_switched:
            return False
        if self._begins is None:
            self._begins = self.clock() + WAITS_S
        return self.clock() >= self._begins

    def pass_time(self, seconds: float) -> None:
        """Continues a session for `seconds`."""
        now = self.clock()
        if self.expires is not None and now >= self.expires:
            self.expires = None
            for phase in range(3):
                self.set(111 + phase, float(self.get(50 + phase)))
            self.settle()
        if any(each is not None and now >= each for each in (self._begins, self._closes)):
            self.settle()
        self._tell_life()
        if self.get(109) != CHARGING:
            return
        energy = self.get(120) * seconds / 3600
        self.set(121, round(self.get(121) + energy, 4))
        self._life += energy
        for phase in range(3):
            wobble = ((self.clock() * (phase + 3)) % 7 - 3) / 10
            self.set(194 + phase, round(VOLTS + phase + wobble, 2))
        if self.get(121) >= self.battery:
            self.set(109, COMPLETED)
            self.settle()

    def _tell_life(self) -> None:
        """The energy of its life, as of the full hour."""
        hour = (self.wall() - TOLD_AFTER_HOUR_S) // HOUR_S
        if hour > self._hour:
            self._hour = hour
            self.set(124, round(self._life, 4))

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
            return self._limit(FULL_A, reason=0)
        if name == "lock_state":
            return self._lock(fields.get("state") is True)
        if name == "settings":
            return [number for field, value in fields.items() for number in self._change(field, value)]
        if name == "dynamicCurrent":
            minutes = fields.get("timeToLive")
            self.expires = self.clock() + 60.0 * float(minutes) if minutes else None
            for phase in range(3):
                self.set(111 + phase, float(math.floor(float(fields.get(f"phase{phase + 1}", 0)))))
            self.settle()
            return [22]
        if name == "reboot":
            self.restart()
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
