"""The house's pilot: readings go to the rules, what they decide goes out, is reported and kept.

No thread and no input or output of its own: `step` is called by whoever owns it, one at a time. `now` is Unix time,
`monotonic` seconds of a clock that never steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Callable

from ..balance import Charge
from ..keeping.first import KeptFirst, essence
from ..live import Pace
from ..manager import OLD_S, STALE_S, Manager
from ..ports import Acts, Kept, Publishes, Reading, Value
from ..sharing.charger import BATTERY, GRID, MODES, Decision
from ..sharing.house import HouseReading, HouseSettings
from ..topology import Role
from .inputs import View
from .journal import Journal, seen_of
from .load import Load
from .meters import Meters
from .point import Point
from .settings import FREE, LOAD_MODES, HouseLimits, LoadConfig, LoadState, PointSettings, PointState
from .tariffs import Ahead
from .troubles import Troubles
from .wishes import TELL_AFTER

KEY = "control"
CHARGE_EVERY_S = 60.0
KEEP_EVERY_S = 60.0
TELL = ("takenOver", "unreachable", "noDemand", "limited", "off")
"""States that the journal names when they begin, whether a set-point came with them or not."""
LEARN_WITHIN_S = 15.0
SILENT_S = 120.0
"""The user gets a message when the grid's meter has been silent for so long; a start of the daemon is no trouble."""


@dataclass(frozen=True)
class Given:
    """What the house knows beside the readings. `subscribed`: VA, None if it is not known."""

    roles: Sequence[Role]
    subscribed: float | None
    charge: Callable[[str, float], Charge | None]
    gaps: Mapping[str, float] = field(default_factory=dict)
    """K that the room of a load lacks of its set temperature, by load; who is not known is left out."""
    levels: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """(% of its car's battery, Unix time of the data) by charge point, where a command tells it."""
    passed: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    """(A, Unix time of the data) of the limits that each charger has shown since the last sample, in order."""


class Pilot:
    """Drives what the user has put under rules. `publish(equipment, facts, at)` tells Jeedom."""

    def __init__(
        self,
        kept: Kept,
        acts: Acts,
        told: Publishes,
        ahead: Ahead,
        zone: tzinfo,
        publish: Callable[[str, Mapping[str, Value | None], float], None],
    ) -> None:
        self._kept = kept
        self._acts = KeptFirst(acts, self._keep_states)
        self._told = told
        self._ahead = ahead
        self._zone = zone
        self._publish = publish
        self.journal = Journal(kept)
        state = kept.get(KEY)
        self._states: dict[str, Any] = dict(state) if isinstance(state, Mapping) else {}
        self.points: dict[str, Point] = {}
        self.loads: dict[str, Load] = {}
        self._limits = HouseLimits()
        self._manager: Manager | None = None
        self._built: object = None
        self._paces: dict[str, Pace] = {}
        self._charges: dict[str, Charge | None] = {}
        self._charged_at = -math.inf
        self._kept_at = -math.inf
        self._stepped: float | None = None
        self._at = (0.0, 0.0)  # Unix time and monotonic seconds of what is being done
        self._meters = Meters()
        self._fresh_at: float | None = None
        self._known_at: float | None = None  # when the grid's power was last known, or the first look; monotonic
        self._states_told: dict[str, str] = {}
        self._troubles = Troubles(told)
        self._switching: tuple[str, float, float, bool] | None = None

    def adopt(self, points: Iterable[PointSettings], loads: Iterable[LoadConfig], limits: HouseLimits) -> None:
        """Takes what Jeedom has now; what is known of those that stay, stays."""
        self._limits = limits
        known, self.points = self.points, {}
        for each in points:
            point = known.get(each.id)
            if point is None or point.settings.charger != each.charger:
                point = Point(each, PointState.restore(self._states.get(each.id)), 1)
            point.settings = each
            self.points[each.id] = point
        old, self.loads = self.loads, {}
        for config in loads:
            load = old.get(config.id)
            if load is None or load.config.relay != config.relay:
                load = Load(config, LoadState.restore(self._states.get(config.id)))
            load.config = config
            load.rules.settings = load._settings()
            self.loads[config.id] = load
        self._built = None

    @property
    def driving(self) -> bool:
        """Whether anything is under rules."""
        modes = [each.state.mode for each in self.points.values()] + [each.state.mode for each in self.loads.values()]
        return any(mode != FREE for mode in modes)

    def _needs_news(self) -> bool:
        """Whether anything driven can be there to act on: a car that is plugged in, or a load."""
        cars = (each for each in self.points.values() if each.driven and each.seen is not None and each.seen.plugged)
        return any(cars) or any(each.driven for each in self.loads.values())

    # A sample.

    def step(self, readings: Iterable[Reading], given: Given, now: float, monotonic: float) -> None:
        """Takes the readings of now, lets the rules decide, has it done and reports it."""
        newest, self._at = list(readings), (now, monotonic)
        for each in newest:
            self._paces.setdefault(each.source.key, Pace()).add(each.at)
        view = View(newest, given.roles, self._paces, now)
        seconds = 0.0 if self._stepped is None else max(0.0, monotonic - self._stepped)
        self._stepped = monotonic
        phases = view.phases()
        for point in self.points.values():
            point.net.see(phases, self._limits.subscribed(given.subscribed, phases), monotonic)
            charger = point.settings.charger
            level, passed = given.levels.get(point.settings.id), given.passed.get(charger, ())
            point.look(view.charger(charger, passed), now, monotonic, level, passed)
        for load in self.loads.values():
            load.look(view.load(load.config.relay) if load.config.relay else None, now, seconds, self._zone)
        if self.driving:
            self._decide(view, given, now, monotonic, phases)
            if self._needs_news():
                self._meters.hurry(given.roles, monotonic, self._acts)
        self._protect(monotonic)
        self._tell(given, now, monotonic)
        self._keep(now, monotonic)

    def _decide(self, view: View, given: Given, now: float, monotonic: float, phases: int) -> None:
        if self._fresh_at is None:
            self._fresh_at = monotonic
        manager = self._managed(given, phases)
        reading = self._reading(view, given.gaps, now, monotonic)
        before = {name: (each.rules.amps, each.rules.taken_over_until) for name, each in self.points.items()}
        limits = {name: each.limit(now, self._ahead) for name, each in self.loads.items() if each.driven}
        decisions = manager.step(monotonic, reading, limits)
        self._stale(reading.age, monotonic)
        for name, point in self.points.items():
            if not point.driven:
                continue
            taken = point.rules.taken_over_until > before[name][1]
            point.decided(taken, monotonic)
            point.room_kw = manager.usual.kw(point.rules.settings.phases)
            decision = decisions.get(name)
            if isinstance(decision, Decision) and decision.amps == before[name][0] and decision.amps:
                point.wish.forget()  # the same once more
            self._note(name, decision, point, reading, now)
            lost = self._carry_out(point, monotonic)
            if lost is not None and not isinstance(decision, Decision):
                self._note(name, point.rules.set_again(lost), point, reading, now)
        for name, load in self.loads.items():
            told = view.load(load.config.relay) if load.config.relay else None
            if load.driven and load.follow(monotonic, told, self._acts):
                self._note_load(name, load, reading, now)
            self._troubles.note(
                f"load:{name}",
                load.failures > 1,
                "« {name} » n'obéit pas : il n'est plus compté sur lui",
                "« {name} » obéit à nouveau",
                load.config.name,
            )
        self._learn(reading, monotonic)

    def _managed(self, given: Given, phases: int) -> Manager:
        """The manager of all that is driven, made anew when a limit or a member has changed."""
        limits, subscribed = self._limits, self._limits.subscribed(given.subscribed, phases)
        loads = [name for name, each in self.loads.items() if each.driven]
        order = sorted([*self.points, *loads], key=self._rank)
        built = (subscribed, phases, tuple(order), limits)
        if self._manager is None or built != self._built:
            house = HouseSettings(
                phases,
                subscribed,
                battery_first=limits.battery_first,
                sharing=limits.sharing,
                shedding=limits.shedding,
            )
            made = Manager(house, {}, {}, ())
            made.chargers = {name: each.rules for name, each in self.points.items()}
            made.loads = {name: self.loads[name].rules for name in loads}
            made.order = order
            old = self._manager
            if old is not None and [each.subscribed for each in old.clocks] == [
                each.subscribed for each in made.clocks
            ]:
                made.take_over(old)
            self._manager, self._built = made, built
        for name, each in self.points.items():
            self._manager.chargers[name] = each.rules
        return self._manager

    def _rank(self, name: str) -> tuple[float, str]:
        point, load = self.points.get(name), self.loads.get(name)
        rank = point.settings.rank if point is not None else load.config.rank if load is not None else 99.0
        return rank, name

    def _reading(self, view: View, gaps: Mapping[str, float], now: float, monotonic: float) -> HouseReading:
        watts, age = view.grid()
        if math.isfinite(age) or self._known_at is None:
            self._known_at = monotonic - (age if math.isfinite(age) else 0.0)
        if math.isinf(age):  # not read yet, or lost: a start of the daemon alone ends no charge
            age = max(OLD_S + 1.0, monotonic - self._known_at)
        battery, known = view.battery()
        chargers = {}
        for name, point in self.points.items():
            found = point.reading(point.must_run(now, self._ahead, self._zone))
            if found is not None:
                chargers[name] = found
        taken: dict[str, float] = {}
        for point in self.points.values():
            if not point.driven:
                circuit = point.settings.circuit
                taken[circuit] = taken.get(circuit, 0.0) + point.drawn_a(view.voltage())
        wanted = {name: load.wanted(now, self._ahead, self._zone) for name, load in self.loads.items() if load.driven}
        silent = GRID if known or age > STALE_S else BATTERY
        if not known:
            age = max(age, STALE_S)  # as with a silent meter nothing is started or raised
        apparent, volts = view.apparent(watts or 0.0), view.voltage()
        return HouseReading(
            watts or 0.0, apparent, battery, volts, age, chargers, {}, wanted, taken, gaps, silent_meter=silent
        )

    def _carry_out(self, point: Point, monotonic: float) -> int | None:
        """A at which the charger stands, if that is not what was wanted of it and it is set again."""
        found = point.seen
        if found is None or not found.plugged or not found.reachable:
            return None
        lost, urgent = point.wish.sent is None, point.rules.state in ("limited", "off")
        sent = point.wish.follow(monotonic, point.rules.amps, found.told, self._acts, urgent)
        self._troubles.note(
            f"point:{point.settings.id}",
            point.wish.lost,
            "La borne « {name} » n'obéit pas : vérifiez son état sur la page du plugin",
            "La borne « {name} » obéit à nouveau",
            point.settings.name,
        )
        return found.told if sent and lost and found.told != point.rules.amps else None

    def _protect(self, monotonic: float) -> None:
        for name, point in self.points.items():
            point.give_back(monotonic, self._acts)
            point.protect(monotonic, self._acts)
            point.net.note(self._troubles, point.settings, point.rules)
            self._troubles.note(
                f"guard:{name}",
                point.guard.failures >= TELL_AFTER,
                "Le filet du circuit de « {name} » n'est pas accepté : vérifiez les droits du compte sur le site",
                "Le filet du circuit de « {name} » est à nouveau en place",
                point.settings.name,
            )

    def _learn(self, reading: HouseReading, monotonic: float) -> None:
        """The power of a load is the step of the grid's power when it is switched."""
        pending = self._switching
        if pending is not None and monotonic - pending[1] >= LEARN_WITHIN_S:
            self._switching = None
            load = self.loads.get(pending[0])
            if load is not None and reading.age <= LEARN_WITHIN_S:
                load.learn((reading.grid - pending[2]) * (1 if pending[3] else -1))

    # What it reports.

    def _stale(self, age: float, monotonic: float) -> None:
        if age <= STALE_S or not self._needs_news():
            self._fresh_at = monotonic
        self._troubles.note(
            "grid",
            monotonic - (self._fresh_at if self._fresh_at is not None else monotonic) > SILENT_S,
            "Le pilotage attend : le compteur du réseau ne donne plus de mesure récente",
            "Le pilotage reprend : le compteur du réseau donne à nouveau des mesures",
            "",
        )

    def _note(self, name: str, decision: object, point: Point, reading: HouseReading, now: float) -> None:
        state = point.shown
        changed = state != self._states_told.get(name) and state in TELL
        self._states_told[name] = state
        if not isinstance(decision, Decision) and not changed:
            return
        word = f"{decision.amps} A × {decision.phases}" if isinstance(decision, Decision) else state
        why = decision.why if isinstance(decision, Decision) else point.why(self._zone)
        found = reading.chargers.get(name)
        inputs = {
            "mode": point.state.mode,
            **seen_of(reading),
            "drawn": None if found is None else round(found.drawn),
            "told": None if point.seen is None else point.seen.told,
            "plan": None if found is None else found.must_run,
            "phases": None if found is None else found.in_use,
        }
        self.journal.add(now, name, word, why, inputs)

    def _note_load(self, name: str, load: Load, reading: HouseReading, now: float) -> None:
        if self._stepped is not None:
            self._switching = (name, self._stepped, reading.grid, load.rules.on)
        inputs = {
            "mode": load.state.mode,
            "grid": round(reading.grid),
            "battery": round(reading.battery),
            "threshold": round(load.threshold) if math.isfinite(load.threshold) else None,
            "ran": int(load.state.ran_s),
        }
        self.journal.add(now, name, "on" if load.rules.on else "off", load.why(self._zone), inputs)

    def _tell(self, given: Given, now: float, monotonic: float) -> None:
        if monotonic - self._charged_at >= CHARGE_EVERY_S:
            self._charged_at = monotonic
            self._charges = {name: given.charge(each.settings.charger, now) for name, each in self.points.items()}
        for name, point in self.points.items():
            self._troubles.say(point.goal.risk.notices)
            said = {"point.reason": point.why(self._zone), "point.phaseSwitching": point.phases_said()}
            facts = {key: str(self._troubles.own(each)) for key, each in said.items()}
            self._publish(name, {**point.facts(self._zone, self._charges.get(name)), **facts}, now)
        for name, load in self.loads.items():
            self._publish(name, {**load.facts(), "load.reason": str(self._troubles.own(load.why(self._zone)))}, now)

    def _keep(self, now: float, monotonic: float, at_once: bool = False) -> None:
        self._at = (now, monotonic)
        states = self._found_states()
        urgent = any(essence(each) != essence(self._states.get(name)) for name, each in states.items())
        if urgent or at_once or monotonic - self._kept_at >= KEEP_EVERY_S:
            self._keep_states()
        for name, load in self.loads.items():
            load.state.on = bool(states[name]["on"])
        self.journal.keep()

    def _found_states(self) -> dict[str, Any]:
        states: dict[str, Any] = {name: each.keep(*self._at).state() for name, each in self.points.items()}
        states.update({name: each.state.state() | {"on": each.rules.on} for name, each in self.loads.items()})
        return states

    def _keep_states(self) -> None:
        """At once: before something is sent, and before a user hears that it was done."""
        before, self._states, self._kept_at = self._states, self._found_states(), self._at[1]
        if self._states != before:
            self._kept.keep(KEY, self._states)

    def stop(self, now: float, monotonic: float) -> None:
        """Keeps what is to be kept; nothing is switched by an end."""
        self._keep(now, monotonic, at_once=True)

    # What the user wants.

    def choose(self, name: str, mode: str, now: float, monotonic: float) -> bool:
        """A mode of a charge point or a load; False if there is no such mode or equipment."""
        point, load = self.points.get(name), self.loads.get(name)
        self._at = (now, monotonic)
        if point is not None and mode in (FREE, *MODES):
            point.choose(mode, monotonic)
            chosen = point.chosen
        elif load is not None and mode in LOAD_MODES:
            load.choose(mode)
            chosen = load.chosen
        else:
            return False
        self.journal.add(now, name, mode, chosen, {}, at_once=True)
        self._built = None
        self._keep_states()
        return True

    def release(self, name: str) -> bool:
        """Ends a take-over."""
        point = self.points.get(name)
        if point is not None:
            point.release()
            self._keep_states()
        return point is not None or name in self.loads

    def goal(self, name: str, kwh: float | None = None, hour: str | None = None, percent: float | None = None) -> bool:
        """The energy, the hour or the % of the car's battery of a goal; False if they make no sense."""
        point = self.points.get(name)
        if point is None or not point.set_goal(kwh, hour, percent):
            return False
        self._keep_states()
        return True
