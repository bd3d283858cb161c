"""A furnished WES and its life: power moves, indexes grow, midnight begins a new day, a Tempo contract changes."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Callable, Optional
from zoneinfo import ZoneInfo

from simulators.clock import Clock
from simulators.wes.box import PERIODS, Box, Clamp, Counter, Probe, Tic

COLORS = ("BLEU", "BLANC", "ROUGE")
PRICE = 0.2  # € per kWh
GAIN = 0.13


def furnished(cards: int = 1) -> Box:
    """A house: Tempo contract, a producer's meter, a cold and a hot counter, two clamps, three probes, a relay card."""
    box = Box(cards)
    box.voltage = 234
    box.tics[0] = Tic(
        adco="031976543210", option="BBR", subscribed=45, period="H. Pleine BLEU", power=1840, current=[8, 0, 0, 0],
        voltage=[233, 0, 0], max_current=[41, 0, 0, 0], tomorrow="Jour BLANC",
        indexes={"BBRHCJB": 12345678, "BBRHPJB": 23456789, "BBRHCJW": 1234567, "BBRHPJW": 2345678,
                 "BBRHCJR": 345678, "BBRHPJR": 12345},
        energy={"j": 11.482, "m": 302.115, "a": 4120.902}, cost={"j": 2.31, "m": 60.77, "a": 811.40}, name="Maison",
    )  # fmt: skip
    box.tics[1] = Tic(
        adco="049812345678", option="BASE", subscribed=30, period="Toutes les Heures", injected_power=2310,
        current=[10, 0, 0, 0], voltage=[236, 0, 0], max_current=[18, 0, 0, 0], indexes={"BASE": 4821}, producer=1,
        injection=7654321, energy={"j": 14.205, "m": 211.480, "a": 1875.330},
        cost={"j": 1.83, "m": 27.28, "a": 241.92},
    )  # fmt: skip
    box.counters[0] = Counter(
        1353, 842.311, 0.25, 463.75, {"j": 338.25, "m": 8.73, "a": 61.02}, {"j": 1.49, "m": 38.41, "a": 268.50}, "Eau"
    )
    box.counters[1] = Counter(
        412, 15320.412, 6.87, 9120.0, {"j": 2710.0, "m": 142.30, "a": 1832.44}, {"j": 0.55, "m": 28.90, "a": 371.60}
    )
    box.clamps[0] = Clamp(
        4.12, 948, 905, 2813.447, enabled=1, energy={"j": 5.31, "m": 142.08, "a": 611.90},
        cost={"j": 1.07, "m": 28.60, "a": 122.40}, maximum={"j": 11.80, "m": 15.20, "a": 21.40}, name="Ballon & co",
    )  # fmt: skip
    box.clamps[1] = Clamp(
        9.77, 2306, 2290, 0.112, 1932.080, 1, 1, energy={"j": 0.0, "m": 0.01, "a": 0.11},
        cost={"j": 0.0, "m": 0.0, "a": 0.02}, injected={"j": 12.40, "m": 180.55, "a": 932.10},
        gain={"j": 1.61, "m": 23.50, "a": 121.20}, maximum={"j": 10.20, "m": 11.90, "a": 12.30},
    )  # fmt: skip
    for place, (value, name) in enumerate(((19.4, "Salon"), (-3.1, "Dehors"), (55.2, ""))):
        box.probes[place] = Probe(value, f"28FF4A1C0216{place:02X}7B", name)
    box.relays[1] = True
    if cards:
        box.relays[103] = True
    box.inputs[0] = 1
    box.analogs[0] = 3.27
    box.switches[1] = box.switches[16] = 1
    box.variables[:2] = [21.5, -4.0]
    return box


class Life:
    """Moves a box on with a clock; `update` brings it to now. `shown`: the clock of its page, by default the same.

    `grid`, `solar`: W of the house that its meters measure (the grid + draws); without them they live by themselves.
    """

    def __init__(
        self,
        box: Box,
        clock: Clock,
        timezone: str = "Europe/Paris",
        shown: Optional[Clock] = None,
        grid: Optional[Callable[[], float]] = None,
        solar: Optional[Callable[[], float]] = None,
    ) -> None:
        self.box = box
        self.clock = clock
        self.shown = shown or clock
        self.zone = ZoneInfo(timezone)
        self._last: Optional[datetime] = None
        self._grid, self._solar = grid, solar
        self._rest: dict[int, float] = {}
        """Wh of each meter that its index, in whole ones, does not show yet."""

    def update(self) -> None:
        """Updates all values to now."""
        now = datetime.fromtimestamp(self.clock(), self.zone)
        with self.box.lock:
            before, self._last = self._last or now, now
            hours = max(0.0, (now - before).total_seconds() / 3600)
            face = datetime.fromtimestamp(self.shown(), self.zone)
            self.box.date, self.box.time = (face.day, face.month, face.year), (face.hour, face.minute)
            self._begin_periods(before, now)
            for place, tic in enumerate(self.box.tics):
                if tic.adco:
                    self._tic(tic, now, hours, place)
            for place, counter in enumerate(self.box.counters):
                if counter.index:
                    self._counter(counter, now, hours, place)
            for place, clamp in enumerate(self.box.clamps):
                if clamp.enabled:
                    self._clamp(clamp, now, hours, place)
            for place, probe in enumerate(self.box.probes):
                if probe.rom:
                    probe.value = round(18 + 8 * place + 3 * _wave(now, 24, place), 1)

    def _begin_periods(self, before: datetime, now: datetime) -> None:
        ended = [before.date() != now.date(), before.month != now.month, before.year != now.year]
        for letter, over in zip(PERIODS, ended):
            if not over:
                continue
            for tic in self.box.tics:
                tic.energy[letter] = tic.cost[letter] = 0.0
            for counter in self.box.counters:
                if letter == "j":
                    counter.yesterday, counter.pulses = counter.amount["j"], 0
                counter.amount[letter] = counter.cost[letter] = 0.0
            for clamp in self.box.clamps:
                for sums in (clamp.energy, clamp.cost, clamp.injected, clamp.gain, clamp.maximum):
                    sums[letter] = 0.0

    def _tic(self, tic: Tic, now: datetime, hours: float, place: int) -> None:
        measured = self._solar if tic.producer else self._grid
        if measured is None:
            watts = round(1500 + 900 * _wave(now, 1.5, place) + 400 * _wave(now, 0.07, place + 2))
        else:
            watts = max(0, round(measured()))
        kwh = watts * hours / 1000
        whole, self._rest[place] = divmod(self._rest.get(place, 0.0) + kwh * 1000, 1.0)
        if tic.producer:
            tic.injected_power = watts
            tic.injection += int(whole)
        else:
            tic.power = watts
            self._tempo(tic, now, int(whole))
        tic.current[0] = round(watts / 230)
        tic.voltage[0] = round(233 + 3 * _wave(now, 0.4, place))
        for letter in PERIODS:
            tic.energy[letter] += kwh
            tic.cost[letter] += kwh * (GAIN if tic.producer else PRICE)

    def _tempo(self, tic: Tic, now: datetime, watt_hours: int) -> None:
        off_peak = now.hour < 6 or now.hour >= 22
        color = COLORS[now.timetuple().tm_yday % 3]
        tomorrow = COLORS[(now.timetuple().tm_yday + 1) % 3]
        # A meter never announces blue (hekmon/linkytic #12): it says nothing then.
        known = (now.hour >= 20 or now.hour < 6) and tomorrow != "BLEU"
        if tic.standard:
            # The words of the frames as they are: whether a WES changes them is not known. Two blanks stand in a real
            # one ("HC  ROUGE", hekmon/linkytic PR 19, 2025), one in others ("HP BLEU", Zlinky_TIC #167).
            tic.option = "TEMPO"
            tic.period = f"HC  {color}" if off_peak else f"HP {color}"
            tic.tomorrow = tomorrow if known else "----"
        else:
            tic.period = f"H. {'Creuse' if off_peak else 'Pleine'} {color}"
            tic.tomorrow = f"Jour {tomorrow}" if known else "pas connue !"
        name = f"BBRH{'C' if off_peak else 'P'}J{'BWR'[COLORS.index(color)]}"
        tic.indexes[name] = tic.indexes.get(name, 0) + watt_hours

    def _counter(self, counter: Counter, now: datetime, hours: float, place: int) -> None:
        counter.flow = round(5 + 5 * _wave(now, 0.5, place), 2)
        amount = counter.flow * hours * 60
        counter.index += amount
        counter.pulses += round(amount * 4)
        for letter in PERIODS:
            counter.amount[letter] += amount if letter == "j" else amount / 1000
            counter.cost[letter] += amount * 0.004

    def _clamp(self, clamp: Clamp, now: datetime, hours: float, place: int) -> None:
        clamp.current = round(6 + 4 * _wave(now, 1.0, place + 1), 2)
        clamp.apparent = round(clamp.current * self.box.voltage)
        clamp.real = round(clamp.apparent * 0.95)
        kwh = clamp.real * hours / 1000
        if clamp.injecting:
            clamp.injection += kwh
        else:
            clamp.index += kwh
        sums, money = (clamp.injected, clamp.gain) if clamp.injecting else (clamp.energy, clamp.cost)
        for letter in PERIODS:
            sums[letter] += kwh
            money[letter] += kwh * (GAIN if clamp.injecting else PRICE)
            clamp.maximum[letter] = max(clamp.maximum[letter], clamp.current)


def _wave(now: datetime, period_hours: float, phase: float) -> float:
    return math.sin(now.timestamp() / (period_hours * 3600) * 2 * math.pi + phase)
