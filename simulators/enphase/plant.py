"""The plant behind a simulated gateway: powers at an instant and energies integrated over all time.

Powers are constant between two points of a grid (one second apart, or more when the clock leaps), so the
energy registers are their exact integral. Signs: production + when producing; net + import, - export;
storage + discharge, - charge; total = net + production, as the gateway defines it.
"""

from __future__ import annotations

import pickle
import threading
from bisect import bisect_right
from dataclasses import astuple, dataclass
from typing import Any, Optional

from simulators.clock import Clock
from simulators.enphase.inverters import Inverter, Inverters
from simulators.enphase.noise import noise
from simulators.enphase.storage import AcBatteries, Storage
from simulators.enphase.weather import House, LocalDay, Sun, zone

METERS = ("production", "net-consumption", "total-consumption", "storage")
STANDBY = 2.0  # W per phase that the inverters draw at night
KEPT_MINUTES = 40 * 1_440  # of snapshots
_SHARED = ("_minutes", "_snapshots")
Snapshot = dict[str, list[tuple[float, ...]]]
"""For each meter, `Register.energies` of each phase; `house` holds one tuple of one energy per phase."""
_MORNINGS: dict[tuple[Any, ...], tuple[bytes, list[float], list[Snapshot]]] = {}
"""Plants at their beginning, by settings and moment."""


@dataclass
class Register:
    """One phase of one meter: its power now and its energies (Wh, varh, VAh) since the start."""

    watts: float = 0.0
    vars: float = 0.0
    delivered: float = 0.0
    received: float = 0.0
    apparent: float = 0.0
    lag: float = 0.0
    lead: float = 0.0

    def add(self, hours: float) -> None:
        """Let the present power flow for that long."""
        energy = self.watts * hours
        if energy >= 0.0:
            self.delivered += energy
        else:
            self.received -= energy
        reactive = self.vars * hours
        if reactive >= 0.0:
            self.lag += reactive
        else:
            self.lead -= reactive
        self.apparent += (energy * energy + reactive * reactive) ** 0.5

    def energies(self) -> tuple[float, ...]:
        """`delivered, received, apparent, lag, lead`."""
        return (self.delivered, self.received, self.apparent, self.lag, self.lead)


def retired_inverter(number: int, place: int) -> Inverter:
    """One that gives nothing: every other one has reported once, in September 2018, the others never."""
    seen = {"reported_at": 1_536_668_599, "watts": 13, "most": 13} if number % 2 == 0 else {}
    return Inverter(str(121_600_000_102 + number), 0.0, 0, place, **seen)


class Plant:
    """Panels, house, storage and meters, moved by `clock`. Safe to use from any thread.

    `retired`: inverters that were replaced and are still listed, never heard of or for years (reports of 2024 and 2025:
    Home Assistant core, issues 142015 and 137796).

    `hour`: the hour of the day (0..24) that sun and house begin with, whatever the clock says, and `sky_speed`
    how fast they go through the day from there: a gateway whose times are right can shine at night.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 1,
        phases: int = 1,
        inverters: int = 12,
        peak: float = 366.0,
        storage: Optional[Storage] = None,
        acb: Optional[AcBatteries] = None,
        timezone: str = "Europe/Paris",
        cloudiness: float = 0.35,
        base_load: float = 240.0,
        first_serial: int = 122_300_000_101,
        retired: int = 0,
        hour: Optional[float] = None,
        sky_speed: float = 1.0,
    ) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.seed = seed
        self.phases = phases
        self.timezone = timezone
        self.storage = storage
        self.acb = acb
        self.acb_watts = 0.0
        self.sun = Sun(seed, cloudiness=cloudiness)
        self.house = House(seed, phases, base_load)
        units = [Inverter(str(first_serial + n), peak, n % phases, n) for n in range(inverters)]
        units += [retired_inverter(n, inverters + n) for n in range(retired)]
        self.inverters = Inverters(units)
        self.day = LocalDay(zone(timezone))
        self.meters = {meter: [Register() for _ in range(phases)] for meter in METERS}
        self.volts = [230.0] * phases
        self.consumed = [0.0] * phases
        self.house_watts = [0.0] * phases
        self.overrides: dict[str, Any] = {}
        self._minutes: list[float] = []
        self._snapshots: list[Snapshot] = []
        now = clock()
        of_day = self.day.seconds(now)
        self._sky_day = LocalDay(zone(timezone))
        self._sky_begin = now
        self._sky_shift = 0.0 if hour is None else hour * 3_600 - of_day
        self._sky_speed = sky_speed
        self.time = self.first = self.day.start  # the day so far is made up from its beginning
        settings = (seed, phases, inverters, peak, timezone, cloudiness, base_load, first_serial, hour, sky_speed)
        morning = (*settings, None if storage is None else astuple(storage), now)
        if morning in _MORNINGS:
            self._take_over(_MORNINGS[morning])
        else:
            self._keep_minute()
            self.advance()
            if self.time == now:  # else the clock runs by itself, and no other plant begins at this moment
                _MORNINGS[morning] = self._kept()
        self.started = self.time
        self._at_start = self.snapshot()

    def _kept(self) -> tuple[bytes, list[float], list[Snapshot]]:
        """All that the day so far has made of it; snapshots are never changed, so that plants can share them."""
        own = {name: part for name, part in vars(self).items() if name not in ("clock", "lock", *_SHARED)}
        return pickle.dumps(own), list(self._minutes), list(self._snapshots)

    def _take_over(self, kept: tuple[bytes, list[float], list[Snapshot]]) -> None:
        """Goes on from where a plant with the same settings has begun: to make up half a day takes 0.1 s."""
        storage = self.storage
        vars(self).update(pickle.loads(kept[0]))
        self._minutes, self._snapshots = list(kept[1]), list(kept[2])
        if storage is not None and self.storage is not None:
            vars(storage).update(vars(self.storage))  # whoever handed it over looks at it
            self.storage = storage

    def set(self, values: dict[str, Any]) -> None:
        """Hold values from now on; `None` lets one go.

        `production`, `consumption` (W), `storage` and `acb` (W, + discharge), `voltage` (V): one number for the
        whole house (shared by the phases; voltage: each phase) or a list per phase. `soc` (%) sets the battery
        once. `inverters`: `{serial: factor}` weakens single inverters.
        """
        known = {"production", "consumption", "storage", "acb", "voltage", "soc", "inverters"}
        if not set(values) <= known:
            raise ValueError(f"known values: {sorted(known)}")
        with self.lock:
            self.advance()
            for name, value in values.items():
                if name == "inverters":
                    self.inverters.weaken(value)
                elif name == "soc":
                    if self.storage is None:
                        raise ValueError("there is no storage")
                    self.storage.energy = self.storage.capacity * float(value) / 100.0
                elif value is None:
                    self.overrides.pop(name, None)
                else:
                    self.overrides[name] = self._per_phase(value, each=name == "voltage")
            self._feel(self.time)

    def _per_phase(self, value: Any, each: bool) -> list[float]:
        if isinstance(value, (list, tuple)):
            if len(value) != self.phases:
                raise ValueError(f"{self.phases} values are expected")
            return [float(one) for one in value]
        return [float(value) / (1 if each else self.phases)] * self.phases

    def advance(self) -> None:
        """Integrate up to the clock's time."""
        with self.lock:
            now = self.clock()
            gap = now - self.time
            step = 1.0 if gap <= 10 else 10.0 if gap <= 600 else 60.0
            while self.time < now:
                after = min(now, (self.time // step + 1.0) * step)
                self._feel(self.time)
                self._flow(after)
            self._feel(now)

    def _feel(self, when: float) -> None:
        """Set the powers of the second that holds `when`."""
        when = float(int(when))
        sky = when + self._sky_shift + (when - self._sky_begin) * (self._sky_speed - 1.0)
        of_day = self._sky_day.seconds(sky)
        produced = self.overrides.get("production")
        if produced is None:
            share = self.sun.share(sky, of_day)
            produced = self.inverters.watts(share, self.phases) if share else [-STANDBY] * self.phases
        used = self.overrides.get("consumption") or self.house.watts(sky, of_day, self._sky_day.number)
        stored = self.overrides.get("storage")
        if stored is None:
            wish = (sum(used) - sum(produced)) / self.phases
            stored = [wish] * self.phases
        stored = [0.0] * self.phases if self.storage is None else self.storage.allowed(stored)
        self.house_watts = used
        beside = [0.0] * self.phases if self.acb is None else self.overrides.get("acb") or [0.0] * self.phases
        self.acb_watts = sum(beside)
        net = [u - p - s - b for u, p, s, b in zip(used, produced, stored, beside)]
        for phase in range(self.phases):
            p, n, s = produced[phase], net[phase], stored[phase]
            self._put("production", phase, p, 0.06 * p + 14.0)
            self._put("net-consumption", phase, n, 0.05 * used[phase] - 0.06 * p - 30.0)
            self._put("total-consumption", phase, n + p, 0.05 * used[phase] - 16.0)
            self._put("storage", phase, s, 3.0)
            self.volts[phase] = 231.0 + 3.0 * noise(self.seed + 40 + phase, int(when / 4)) - n / 1_600
        self.volts = list(self.overrides.get("voltage") or self.volts)

    def _put(self, meter: str, phase: int, watts: float, reactive: float) -> None:
        register = self.meters[meter][phase]
        register.watts, register.vars = watts, reactive

    def _flow(self, after: float) -> None:
        """Let the present powers flow until `after`."""
        seconds = after - self.time
        hours = seconds / 3_600
        for registers in self.meters.values():
            for register in registers:
                register.add(hours)
        for phase, watts in enumerate(self.house_watts):
            self.consumed[phase] += watts * hours
        if self.storage is not None:
            self.storage.flow(sum(r.watts for r in self.meters["storage"]), hours)
        if self.acb is not None:
            self.acb.flow(self.acb_watts, hours)
        produced = sum(max(0.0, register.watts) for register in self.meters["production"])
        self.time = after
        self.day.seconds(after)
        self.inverters.flow(produced * seconds, after, self.day.number)
        if after % 60 == 0:
            self._keep_minute()

    def _keep_minute(self) -> None:
        self._minutes.append(self.time)
        self._snapshots.append(self.snapshot())
        del self._minutes[:-KEPT_MINUTES], self._snapshots[:-KEPT_MINUTES]

    def snapshot(self) -> Snapshot:
        """All energies at the time reached."""
        taken = {meter: [r.energies() for r in registers] for meter, registers in self.meters.items()}
        taken["house"] = [(energy,) for energy in self.consumed]
        return taken

    def at(self, when: float) -> Snapshot:
        """The energies at the last whole minute up to `when` (epoch s); never before the first day."""
        return self._snapshots[max(0, bisect_right(self._minutes, when) - 1)]

    def truth(self, since: Optional[float] = None) -> dict[str, float]:
        """Exact energies (Wh) from `since` (epoch s, a whole minute; default: the start) to now.

        `produced`, `standby`, `imported`, `exported`, `consumed` (house), `total` (as the gateway counts
        consumption), `charged`, `discharged`, each alone and with the phase's number after it; `from` and
        `to` in epoch seconds.
        """
        with self.lock:
            self.advance()
            base = self._at_start if since is None else self.at(since)
            now = self.snapshot()
            result = {"from": self.started if since is None else since, "to": self.time}
            for name, meter, part in TRUTH:
                shares = [_of(part, n) - _of(part, b) for n, b in zip(now[meter], base[meter])]
                result[name] = sum(shares)
                result.update({f"{name}{phase}": share for phase, share in enumerate(shares, 1)})
            return result


BALANCE = -1  # delivered minus received
TRUTH = (
    ("produced", "production", 0),
    ("standby", "production", 1),
    ("imported", "net-consumption", 0),
    ("exported", "net-consumption", 1),
    ("consumed", "house", 0),
    ("total", "total-consumption", BALANCE),
    ("discharged", "storage", 0),
    ("charged", "storage", 1),
)


def _of(part: int, energies: tuple[float, ...]) -> float:
    return energies[0] - energies[1] if part == BALANCE else energies[part]
