"""All controlled consumers together: limits first, then who gets the sun, in the order that the user has chosen.

Pure: a sample of the house goes in, decisions come out. What a decision says is carried out elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .charging import CHOSEN_S, OWN_S, ChargePoint
from .limits import ALL_AT_ONCE_S, LEAST_A, Headroom, TripClock, UsualRoom, phase_limits
from .ports import Sentence
from .sharing import circuits
from .sharing.charger import NOW, OFF, ChargerReading, ChargerSample, ChargerSettings, Decision
from .sharing.draws import Draw, Draws
from .sharing.house import SHARE, HouseReading, HouseSettings
from .sharing.shedding import Ranking
from .sharing.words import duration, figure
from .surplus import surplus
from .switching import LoadSettings, SwitchedLoad

OLD_S, STALE_S, BLIND_S = 15.0, 60.0, 300.0
"""Age of the grid's reading from which nothing is raised, chargers fall back, solar charging ends."""
COUNTED_S = 120.0
"""A charger that cannot be reached may still draw, or begin again, what it drew last: so long it is reckoned with."""
SWAP_S = 1800.0
"""Chargers that cannot all have their least take turns of so long."""


@dataclass(frozen=True)
class _Last:
    """When a charger was last reached, what the others had of the sun (W), and VA of each phase with what it drew."""

    at: float
    free: float
    with_it: Sequence[float]


@dataclass(frozen=True)
class Switch:
    """A load is to be on or off."""

    on: bool
    why: str


class Manager:
    """Keeps the rules of every consumer and steps them in order."""

    def __init__(
        self,
        house: HouseSettings,
        chargers: Mapping[str, ChargerSettings],
        loads: Mapping[str, LoadSettings],
        order: Sequence[str] = (),
    ) -> None:
        self.house = house
        self.chargers = {name: ChargePoint(settings) for name, settings in chargers.items()}
        self.loads = {name: SwitchedLoad(settings) for name, settings in loads.items()}
        names = [*self.chargers, *self.loads]
        self.order = [*(name for name in order if name in names), *(name for name in names if name not in order)]
        limits = phase_limits(house.subscribed, house.phases)
        self.headroom = Headroom(limits, 230.0)
        self.clocks = [TripClock(each.limit) for each in limits]
        self.usual = UsualRoom(limits)
        self._stepped: float | None = None
        self._last: dict[str, _Last] = {}
        self._draws, self._drawn = Draws(), dict[str, float]()

    def take_over(self, old: Manager) -> None:
        """Goes on where another manager of the same limits has ended: the meter's clock runs on."""
        self.clocks, self._stepped, self._last, self._draws = old.clocks, old._stepped, old._last, old._draws
        self.usual = old.usual

    # What happens outside.

    def set_mode(self, name: str, mode: str) -> None:
        """The user has chosen another mode: it acts with the next sample."""
        charger = self.chargers[name]
        charger.settings = replace(charger.settings, mode=mode)
        charger.taken_over_until = -math.inf

    def adopt(self, now: float, offered: Mapping[str, tuple[int, int]], on: Mapping[str, bool]) -> None:
        """After a restart: the state that is observed is the state. `offered`: {charger: (amps, phases)}."""
        for name, (amps, phases) in offered.items():
            self.chargers[name].restart(now, amps, phases)
        for name, is_on in on.items():
            load = self.loads[name]
            load.on = load.by_sun = is_on
            load.since = now

    # One sample.

    def step(self, now: float, reading: HouseReading, thresholds: Mapping[str, float]) -> dict[str, Decision | Switch]:
        """Takes a sample; returns what is to change, by consumer. `thresholds`: W from which each load may run."""
        seconds = 0.0 if self._stepped is None else max(0.0, now - self._stepped)
        self._stepped = now
        self.headroom.voltage = reading.voltage
        for clock, apparent in zip(self.clocks, reading.apparent):
            clock.add(apparent, seconds)
        for name, load in self.loads.items():
            load.gap, load.age = reading.gaps.get(name, 0.0), reading.age
        decisions: dict[str, Decision | Switch] = {}
        self._drawn = self._draw(now, reading)
        total = None
        if reading.age <= OLD_S:
            total = surplus(
                self._controlled(reading), reading.grid, reading.battery, self.house.battery_first, self.house.reserve
            )
            for last in self._lost(now, reading):
                total = min(total, last.free)
        rest = self._rest(now, reading)
        if total is not None:
            self._remember(now, reading, total, rest)
            self.usual.add(seconds, rest)
        for name in self.order:
            if name in self.chargers:
                decision: Decision | Switch | None = self._step_charger(now, name, reading, total, rest)
            else:
                decision = self._step_load(now, name, reading, total, thresholds.get(name, math.inf))
            if decision is not None:
                decisions[name] = decision
        self._shed(now, reading, rest, decisions)
        return decisions

    def _draw(self, now: float, reading: HouseReading) -> dict[str, float]:
        """W that each charger drew when the grid was read."""
        if reading.age > OLD_S:
            self._draws = Draws()
            return {}
        draws = {}
        for name, told in reading.chargers.items():
            if told.plugged and told.reachable:
                charger = self.chargers[name]
                draws[name] = Draw(told.drawn, charger.amps, reading.voltage * charger.phases)
        return self._draws.step(now, reading.grid + reading.battery, reading.age, draws)

    def _controlled(self, reading: HouseReading) -> float:
        # All that they drew when the grid was read, also what a new set-point no longer allows: the grid has it too.
        cars = sum(self._drawn.get(name, self._power(name, reading)) for name in self.chargers)
        return cars + sum(load.settings.power for load in self.loads.values() if load.on and load.by_sun)

    def _power(self, name: str, reading: HouseReading) -> float:
        """W of a charger: what it draws, but no more than it was allowed (after a lowering it has not followed yet)."""
        told = reading.chargers.get(name)
        if told is None or not told.plugged or not told.reachable:
            return 0.0
        charger = self.chargers[name]
        phases = max(charger.phases, told.in_use or 1)
        return min(self._drawn.get(name, told.drawn), charger.amps * reading.voltage * phases)

    def _rest(self, now: float, reading: HouseReading) -> list[float]:
        """VA of each phase without the chargers that can be reached."""
        rest = list(reading.apparent)
        for name, told in reading.chargers.items():
            if told.reachable:
                phases = self._phases(name, told, drawn=True)
                for phase in phases:
                    rest[phase] -= self._drawn.get(name, told.drawn) / len(phases)
        for last in self._lost(now, reading):
            rest = [max(each, then) for each, then in zip(rest, last.with_it)]
        return [max(0.0, each) for each in rest]

    def _lost(self, now: float, reading: HouseReading) -> list[_Last]:
        """What was last known of the chargers that have been out of reach for a short time."""
        lost = [name for name, told in reading.chargers.items() if not told.reachable]
        found = [self._last[name] for name in lost if name in self._last]
        return [each for each in found if now - each.at <= COUNTED_S]

    def _remember(self, now: float, reading: HouseReading, total: float, rest: Sequence[float]) -> None:
        for name, told in reading.chargers.items():
            if told.reachable:
                with_it = list(rest)
                phases = self._phases(name, told, drawn=True)
                for phase in phases:
                    with_it[phase] += self._drawn.get(name, told.drawn) / len(phases)
                self._last[name] = _Last(now, total - self._power(name, reading), with_it)

    def _phases(self, name: str, told: ChargerReading, drawn: bool = False) -> list[int]:
        """The phases (0-based) that a charge may load; with `drawn` those that it does."""
        if self.house.phases == 1:
            return [0]
        charger = self.chargers[name]
        phases = (told.in_use or charger.phases) if drawn else 3 if charger.change.under_way else charger.phases
        return [0, 1, 2] if phases == 3 else [told.on_phase - 1]

    def _cap(self, now: float, name: str, told: ChargerReading, reading: HouseReading, rest: Sequence[float]) -> int:
        """A that limits allow this charger now, beside the rest of the house and the chargers before it."""
        charger = self.chargers[name]
        room = self._room(name, reading)
        if not self.headroom.limits:
            if room >= circuits.FREE_A:
                return charger.settings.max_a
            return self.headroom.allowed(name, now, min(room, charger.settings.max_a), charger.amps)
        beside = self._beside(name, reading, rest)
        most = min(self.headroom.most(beside, self._phases(name, told)), charger.settings.max_a, room)
        chosen = now - charger.chosen_at <= CHOSEN_S
        if charger.settings.mode == NOW and (chosen or (charger.amps == 0 and self._is_first(charger))):
            return most
        paced = charger.settings.mode != NOW and not told.must_run
        return self.headroom.allowed(name, now, most, charger.amps, paced)

    def _other_cap(self, name: str, told: ChargerReading, reading: HouseReading, rest: Sequence[float]) -> int:
        """A that limits would allow on three phases instead of one, or on one instead of three."""
        charger = self.chargers[name]
        room = min(self._room(name, reading), charger.settings.max_a)
        if not (charger.settings.switching and self.headroom.limits) or reading.age > OLD_S:
            return room if reading.age <= OLD_S else 0
        phases = [told.on_phase - 1] if charger.phases == 3 else [0, 1, 2]
        return min(room, self.headroom.most(self._beside(name, reading, rest), phases))

    def _beside(self, name: str, reading: HouseReading, rest: Sequence[float]) -> list[float]:
        """VA of each phase with the chargers before this one at their limits."""
        beside = list(rest)
        for other in self.order[: self.order.index(name)]:
            before, their = self.chargers.get(other), reading.chargers.get(other)
            if before is not None and their is not None and their.plugged and their.reachable:
                for phase in self._phases(other, their):
                    beside[phase] += before.amps * reading.voltage
        return beside

    def _room(self, name: str, reading: HouseReading) -> int:
        share = self.house.sharing == SHARE
        return circuits.room(name, self.order, self.chargers, reading.chargers, reading.circuits_taken, share)

    @staticmethod
    def _is_first(charger: ChargePoint) -> bool:
        return charger.stopped_at == -math.inf

    def _step_charger(
        self, now: float, name: str, reading: HouseReading, total: float | None, rest: Sequence[float]
    ) -> Decision | None:
        charger, told = self.chargers[name], reading.chargers.get(name)
        if told is None or not self._reach(now, name, told):
            return None
        self._watch(now, charger, told)
        cap = self._cap(now, name, told, reading, rest) if reading.age <= STALE_S else self._blind_cap(rest, charger)
        if reading.age > BLIND_S and charger.settings.mode != NOW:
            cap = 0
        if reading.age > OLD_S:
            charger.stale()
            cap = min(cap, charger.amps)  # nothing begins or rises on a measurement that is old
        room = self._room(name, reading)
        silent = reading.age > STALE_S and cap <= room
        cap = min(cap, room)
        sample = ChargerSample(
            told.plugged,
            None if total is None else self._available(name, reading, total),
            told.drawn,
            reading.voltage,
            told.offered,
            cap,
            told.must_run,
            cap == room or room < LEAST_A,
            silent,
            reading.age,
            reading.silent_meter,
            figure(self.house.subscribed / 1000, 2) if self.house.subscribed and cap < charger.settings.max_a else None,
            told.window,
            told.opened,
            told.in_use,
            self._other_cap(name, told, reading, rest),
        )
        return charger.step(now, sample)

    def _reach(self, now: float, name: str, told: ChargerReading) -> bool:
        if told.reachable:
            return True
        charger = self.chargers[name]
        if charger.unreachable_since is None:
            charger.unreachable_since = now
        why, since = "La borne est injoignable depuis {since} ; dernière limite : {amps} A", charger.unreachable_since
        charger.state, charger.why = "unreachable", Sentence(why, since=duration(now - since), amps=charger.amps)
        return False

    def _watch(self, now: float, charger: ChargePoint, told: ChargerReading) -> None:
        """Whether somebody else has set the charger's limit."""
        differs = told.offered is not None and told.offered != charger.amps
        sure = told.foreign or now - charger.set_at > OWN_S
        if told.plugged and differs and sure and now >= charger.quiet_until:
            charger.take_over(now, told.offered or 0)

    def _blind_cap(self, rest: Sequence[float], charger: ChargePoint) -> int:
        """Without a fresh reading: 6 A if the house as last seen leaves them, else nothing."""
        if not self.headroom.limits:
            return min(charger.amps, LEAST_A) or charger.amps
        return LEAST_A if self.headroom.most(rest, range(len(rest))) >= LEAST_A and charger.amps else 0

    def _available(self, name: str, reading: HouseReading, total: float) -> float:
        """W for a consumer: the higher ones keep what they have, the lower ones their least."""
        place = self.order.index(name)
        if self.house.sharing == SHARE:
            return self._shared(name, reading, total)
        higher = sum(self._has(each, reading) for each in self.order[:place])
        lower = sum(self._least(each) for each in self.order[place + 1 :])
        available = total - higher - lower
        least = self._claim(name, reading)
        if available >= least:
            return available
        # Its own least goes before what lower ones have, but not before what they must keep for a while.
        held = sum(self._least(each) for each in self.order[place + 1 :] if self._is_held(each))
        return max(available, min(least, total - higher - held))

    def _shared(self, name: str, reading: HouseReading, total: float) -> float:
        """An equal share for each car that follows the sun; who cannot have its least waits, and takes its turn."""
        now = self._stepped or 0.0
        others = [each for each in self.order if not self._follows_sun(each, now, reading)]
        pool = total - sum(self._has(each, reading) for each in others if each != name)
        sharing = [each for each in self.order if each not in others]
        if name not in sharing:
            return pool
        least = max(self._claim(each, reading) for each in sharing)
        count = max(1, min(len(sharing), math.floor(pool / least + 1e-9)))
        if count < len(sharing):
            first = int(now // SWAP_S) % len(sharing)
            sharing = [*sharing[first:], *sharing[:first]][:count]
        return pool / count if name in sharing else 0.0

    def _follows_sun(self, name: str, now: float, reading: HouseReading) -> bool:
        charger, told = self.chargers.get(name), reading.chargers.get(name)
        if charger is None or told is None or not (told.plugged and told.reachable) or told.must_run:
            return False
        return (
            charger.settings.mode not in (OFF, NOW) and charger.state != "noDemand" and now >= charger.taken_over_until
        )

    def _has(self, name: str, reading: HouseReading) -> float:
        load = self.loads.get(name)
        if load is not None:
            return load.settings.power if load.on and load.by_sun else 0.0
        charger, told = self.chargers[name], reading.chargers.get(name)
        return self._power(name, reading) if charger.amps and told is not None and told.plugged else 0.0

    def _least(self, name: str) -> float:
        load = self.loads.get(name)
        if load is not None:
            return load.settings.power if load.on and load.by_sun else 0.0
        charger = self.chargers[name]
        # A car that wants nothing keeps nothing from the others.
        return LEAST_A * 230.0 * charger.phases if charger.amps and charger.state != "noDemand" else 0.0

    def _is_held(self, name: str) -> bool:
        load = self.loads.get(name)
        return load is not None and load.on and (self._stepped or 0.0) - load.since < load.settings.least_on_s

    def _claim(self, name: str, reading: HouseReading) -> float:
        load = self.loads.get(name)
        return load.settings.power if load is not None else LEAST_A * reading.voltage

    def _step_load(
        self, now: float, name: str, reading: HouseReading, total: float | None, threshold: float
    ) -> Switch | None:
        load = self.loads[name]
        available = None
        if total is not None:
            place = self.order.index(name)
            higher = sum(self._least(each) for each in self.order[:place])
            lower = sum(self._least(each) for each in self.order[place + 1 :] if self._is_held(each))
            available = total - higher - lower
        room = math.inf
        if self.headroom.limits:
            own = load.settings.power if load.on else 0.0
            room = self.headroom.limits[0].soft - reading.apparent[0] + own
            if load.shed:
                before = Ranking(self.loads, self.order, self.house.shedding).shed_before(name)
                room -= sum(self.loads[each].settings.power for each in before)
        switched = load.step(now, available, threshold, reading.loads_wanted.get(name, False), room)
        return Switch(load.on, load.why) if switched else None

    def _shed(
        self, now: float, reading: HouseReading, rest: Sequence[float], decisions: dict[str, Decision | Switch]
    ) -> None:
        """Chargers have given way already; what is still too much takes loads."""
        if not self.headroom.limits or reading.age > OLD_S:
            return
        excess = max(each - limit.soft for each, limit in zip(rest, self.headroom.limits))
        cars_off = all(charger.amps == 0 for charger in self.chargers.values())
        trip = min(
            (clock.seconds(apparent) for clock, apparent in zip(self.clocks, reading.apparent)), default=math.inf
        )
        rank = Ranking(self.loads, self.order, self.house.shedding)
        if excess <= 0:
            gone = rank.relieved(now)
        else:
            gone = rank.shed(now, excess, trip < ALL_AT_ONCE_S) if cars_off or trip < ALL_AT_ONCE_S else []
        for name in gone:
            decisions[name] = Switch(False, self.loads[name].why)
