"""Values of the simulated plant's meters: `/ivp/meters`, its readings, and the `eim` entries.

Registers shown = a seeded history + what the plant has integrated + what `reset` took away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Optional, Union

from simulators.enphase.noise import noise
from simulators.enphase.plant import METERS, Plant, Register, Snapshot
from simulators.enphase.weather import DAY_S, LocalDay, zone

EIDS = {"production": 0x2A000100, "net-consumption": 0x2A000200, "storage": 0x2A000300}
UNKNOWN_EID = 0x3D000200  # all zeros, seen from firmware 8.3
CHANNEL = 0x40000000
QUARTER = 900  # s between two writes of the gateway's store
HISTORY = {  # lifetime energies at the start, Wh, VAh, varh: delivered, received, apparent, lag, lead
    "production": (3_183_000.0, 8_800.0, 3_576_000.0, 591_000.0, 20.0),
    "net-consumption": (3_738_000.0, 1_776_000.0, 7_252_000.0, 250.0, 3_174_000.0),
    "total-consumption": (5_145_000.0, 0.0, 7_252_000.0, 2_400.0, 2_583_000.0),
    "storage": (344_000.0, 405_000.0, 812_000.0, 11_500.0, 11_530.0),
}
DELIVERED, RECEIVED, APPARENT, LAG, LEAD = range(5)
Energies = tuple[float, ...]


@dataclass(frozen=True)
class Fitted:
    """The installed transformers: the kind of the consumption one, and whether the storage has one."""

    production: bool = True
    consumption: Optional[str] = "net-consumption"
    storage: bool = False

    def channels(self) -> list[str]:
        """The meters that exist, in the order of their index."""
        names = ["production"] if self.production else []
        names += [self.consumption] if self.consumption else []
        return names + (["storage"] if self.storage else [])


class Meters:
    """The meters of one gateway. `late_reset` (s) is how long after midnight its day counters restart."""

    def __init__(self, plant: Plant, fitted: Fitted, firmware: tuple[int, ...], late_reset: float) -> None:
        self.plant = plant
        self.fitted = fitted
        self.firmware = firmware
        self.late_reset = late_reset
        self._days = LocalDay(zone(plant.timezone))
        self._history = {
            meter: [tuple(energy / plant.phases for energy in HISTORY[meter])] * plant.phases for meter in METERS
        }

    def reset(self, meter: str = "*", value: Union[float, dict[str, float], None] = None) -> None:
        """Make the registers of `meter` (or all, `*`) jump.

        `value`: the index that delivered and received show afterwards (default 0, shared by the phases), or
        `{"step": Wh}` to add to them.
        """
        names = list(METERS) if meter == "*" else [meter]
        with self.plant.lock:
            self.plant.advance()
            for name in names:
                for phase, register in enumerate(self.plant.meters[name]):
                    old = self._history[name][phase]
                    if isinstance(value, dict):
                        step = float(value["step"]) / self.plant.phases
                        moved = (old[DELIVERED] + step, old[RECEIVED] + step)
                    else:
                        index = float(value or 0.0) / self.plant.phases
                        moved = (index - register.delivered, index - register.received)
                    self._history[name][phase] = moved + old[2:]

    def index(self, meter: str, phase: int) -> Energies:
        """The registers shown now for one phase (0..2)."""
        return _sum([self._history[meter][phase], self.plant.meters[meter][phase].energies()])

    def described(self) -> list[dict[str, Any]]:
        """`/ivp/meters`."""
        return [
            {
                "eid": self._eid(meter),
                "state": "enabled",
                "measurementType": meter,
                "phaseMode": "three",
                "phaseCount": self.plant.phases,
                "meteringStatus": "normal",
                "statusFlags": [],
            }
            for meter in self.fitted.channels()
        ]

    def readings(self) -> list[dict[str, Any]]:
        """`/ivp/meters/readings`: always three channels, with noise on those that nothing is connected to."""
        result = []
        for meter in self.fitted.channels():
            eid = self._eid(meter)
            used = [
                self._reading(eid + CHANNEL + 0x11 + p, [register], [self.index(meter, p)], [self.plant.volts[p]])
                for p, register in enumerate(self.plant.meters[meter])
            ]
            spare = [self._unused(eid + CHANNEL + 0x11 + p, p) for p in range(self.plant.phases, 3)]
            whole = self._reading(
                eid,
                self.plant.meters[meter],
                [self.index(meter, p) for p in range(self.plant.phases)],
                self.plant.volts,
            )
            result.append({**whole, "channels": used + spare})
        if result and self.firmware >= (8, 3):
            zeros = {key: 0.0 for key in result[0] if key not in ("eid", "timestamp", "channels")}
            stamp = {"timestamp": int(self.plant.time)}
            channels = [{"eid": UNKNOWN_EID + CHANNEL + 0x11 + p, **stamp, **zeros} for p in range(3)]
            result.append({"eid": UNKNOWN_EID, **stamp, **zeros, "channels": channels})
        return result

    def _eid(self, meter: str) -> int:
        return EIDS["net-consumption" if meter == "total-consumption" else meter]

    def _reading(
        self, eid: int, registers: list[Register], energies: list[Energies], volts: list[float]
    ) -> dict[str, Any]:
        watts = sum(register.watts for register in registers)
        reactive = sum(register.vars for register in registers)
        apparent = sum(_apparent(register) for register in registers)
        energy = _sum(energies)
        return {
            "eid": eid,
            "timestamp": int(self.plant.time),
            "actEnergyDlvd": round(energy[DELIVERED], 3),
            "actEnergyRcvd": round(energy[RECEIVED], 3),
            "apparentEnergy": round(energy[APPARENT], 3),
            "reactEnergyLagg": round(energy[LAG], 3),
            "reactEnergyLead": round(energy[LEAD], 3),
            "instantaneousDemand": round(watts, 3),
            "activePower": round(watts, 3),
            "apparentPower": round(apparent, 3),
            "reactivePower": round(reactive, 3),
            "pwrFactor": round(watts / apparent, 3) if apparent else 0.0,
            "voltage": round(sum(volts), 3),
            "current": round(sum(_apparent(r) / v for r, v in zip(registers, volts) if v), 3),
            "freq": self._frequency(),
        }

    def _unused(self, eid: int, phase: int) -> dict[str, Any]:
        """An open input: a few volts, no power, and kilowatt hours that nobody used."""
        flutter = noise(self.plant.seed + phase, int(self.plant.time / 5))
        fake = Register(-0.6 * flutter, 0.0)
        energies = (0.01 * phase, 5_400.0 + 4_300.0 * phase + self.plant.time % 86_400 / 9_000, 141.0, 378.4, 1.2)
        reading = self._reading(eid, [fake], [energies], [3.0 + 8.0 * flutter])
        return {**reading, "current": round(0.25 * flutter, 3)}

    def _frequency(self) -> float:
        return round(49.96 + 0.08 * noise(self.plant.seed + 50, int(self.plant.time / 3)), 3)

    # ---- entries of /production.json

    def entry(self, meter: str, details: bool) -> dict[str, Any]:
        """The `eim` entry of `production`, `net-consumption` or `total-consumption`."""
        phases = list(range(self.plant.phases))
        head = {"type": "eim", "activeCount": 1, "measurementType": meter, "readingTime": int(self.plant.time)}
        entry = {**head, **self._line(meter, phases)}
        if details:
            entry["lines"] = [self._line(meter, [phase]) for phase in phases]
        return entry

    def _line(self, meter: str, phases: list[int]) -> dict[str, Any]:
        registers = [self.plant.meters[meter][phase] for phase in phases]
        volts = [self.plant.volts[phase] for phase in phases]
        life = _sum([self.index(meter, phase) for phase in phases])
        net = meter == "net-consumption"
        watts = sum(register.watts for register in registers)
        sign = -1.0 if net and watts < 0.0 else 1.0
        apparent = sign * sum(_apparent(register) for register in registers)
        balance = life[DELIVERED] - (0.0 if meter == "production" else life[RECEIVED])
        line = {
            "wNow": round(watts, 3),
            "whLifetime": round(balance, 3),
            "varhLeadLifetime": round(life[LEAD], 3),
            "varhLagLifetime": round(life[LAG], 3),
            "vahLifetime": round(life[APPARENT], 3),
            "rmsCurrent": round(sum(sign * _apparent(r) / v for r, v in zip(registers, volts) if v), 3),
            "rmsVoltage": round(sum(volts), 3),
            "reactPwr": round(sum(register.vars for register in registers), 3),
            "apprntPwr": round(apparent, 3),
            "pwrFactor": round(watts / abs(apparent), 2) if apparent else 0.0,
        }
        return {**line, **self._day_counters(meter, phases)}

    def _day_counters(self, meter: str, phases: list[int]) -> dict[str, Any]:
        names = ("whToday", "whLastSevenDays", "vahToday", "varhLeadToday", "varhLagToday")
        if meter == "net-consumption":
            return dict.fromkeys(names, 0)  # so it is on every firmware recorded
        today = self.since_midnight(meter, phases, self.plant.snapshot())
        energy = today[DELIVERED]
        if meter == "production":
            week = self.seven_days(meter, phases)
        else:  # the store of the total is empty: only what flowed since its last write shows
            energy -= today[RECEIVED]
            before = self.since_midnight(meter, phases, self.stored())
            week = energy - before[DELIVERED] + before[RECEIVED]
        values = (energy, week, today[APPARENT], today[LEAD], today[LAG])
        return {name: round(value, 3) for name, value in zip(names, values)}

    def midnight(self) -> float:
        """When the gateway's day began (epoch s): the last local midnight, noticed late."""
        self._days.seconds(self.plant.time)
        if self.plant.time - self._days.start < self.late_reset:
            self._days.seconds(self._days.start - 1)
        return self._days.start

    def stored(self) -> Snapshot:
        """The energies that the gateway wrote to its store at the last quarter of an hour."""
        return self.plant.at(self.plant.time // QUARTER * QUARTER)

    def since_midnight(self, meter: str, phases: list[int], now: Snapshot) -> Energies:
        """Energies between the start of the gateway's day and `now`."""
        base = self.plant.at(self.midnight())
        return _sum([tuple(n - b for n, b in zip(now[meter][p], base[meter][p])) for p in phases])

    def seven_days(self, meter: str, phases: list[int]) -> float:
        """Wh of the seven days before today; days before the simulation are made up."""
        midnight = self.midnight()
        first = max(self.plant.first, midnight - 7 * DAY_S)
        end, begin = self.plant.at(midnight), self.plant.at(first)
        real = sum(end[meter][p][DELIVERED] - begin[meter][p][DELIVERED] for p in phases)
        missing = max(0.0, 7.0 - (midnight - first) / DAY_S)
        return real + missing * self.usual_day(len(phases))

    def usual_day(self, phases: int) -> float:
        """Wh that the panels of that many phases give on a made-up day."""
        return 3.1 * sum(unit.peak for unit in self.plant.inverters.units) * phases / self.plant.phases


def _apparent(register: Register) -> float:
    return math.hypot(register.watts, register.vars)


def _sum(energies: list[Energies]) -> Energies:
    return tuple(map(sum, zip(*energies)))
