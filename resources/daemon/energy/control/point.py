"""One charge point: its mode and goal, its charger's readings, its set-point on the way, and what it reports.

No thread and no input or output of its own. `now` is Unix time, `monotonic` seconds of a clock that never steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import tzinfo

from ..balance import Charge
from ..charging import OBSERVED_S, ChargePoint
from ..planner import EFFICIENCY, Plan
from ..ports import Acts, Sentence, Value
from ..sharing.charger import ChargerReading, ChargerSettings, Window
from ..sharing.net import Net
from ..sharing.words import clock_time, duration, figure
from . import risk
from .goal import FRESH, LEAST_KW, Can, Goal
from .inputs import ChargerNow
from .settings import FREE, LEAST_A, MOST_A, MOST_KWH, OFF, USUAL_V, PointSettings, PointState, time_of_day
from .tariffs import Ahead
from .wishes import Wish

ECONOMIC, NOW = "economic", "now"
NEW_SESSION_WH = 50.0
SILENT_S = 120.0
"""A charger that has told nothing for so long since the daemon's start is out of reach."""
RESTART_TOLD_S = 900.0
"""After a power cut a charger's state may arrive so late (evcc-io/evcc 13303)."""


class Point:
    """See above. `rules`: those of its charger, shared with the manager."""

    def __init__(self, settings: PointSettings, state: PointState, house_phases: int) -> None:
        self.settings = settings
        self.state = state
        self.wish = Wish(settings.charger)
        self.net = Net(settings.charger, state)
        self.guard = self.net.guard
        self.seen: ChargerNow | None = None
        self.theirs: int | None = None
        """A limit that somebody else has set since the last step, also if ours has overwritten it meanwhile."""
        self.adopted = self._is_chosen = False
        self.goal = Goal(state)
        self._learnt_phases: int | None = None
        self._back_at, self._now, self._monotonic = -math.inf, 0.0, 0.0
        self._met: float | None = None
        self._window: Window | None = None
        self.room_kw = math.inf  # what the limits usually leave to it
        self.net.house_phases = house_phases
        self.rules = ChargePoint(self._charger_settings())

    @property
    def driven(self) -> bool:
        """Whether the rules act on it now."""
        return self.adopted and self.state.mode != FREE

    def _charger_settings(self) -> ChargerSettings:
        phases, switching = 1, self.net.may_switch(self.settings, self.seen, getattr(self, "rules", None))
        if self.net.house_phases == 3:
            phases = 3 if switching else self.settings.phases or self._learnt_phases or 3
        told = self.seen.circuit_most if self.seen is not None else None
        bounds = [each for each in (self.settings.circuit_a, told) if each is not None and each >= LEAST_A]
        shared, bound = self.settings.circuit, min(bounds, default=None)
        return ChargerSettings(self.state.mode, phases, self.most, switching, shared, bound, self.settings.most_grid)

    @property
    def most(self) -> int:
        """A that nothing may exceed: the charger's, its circuit's, the user's."""
        told = self.seen.most if self.seen is not None else None
        return min(each for each in (self.settings.max_a, told, MOST_A) if each is not None)

    # What is seen.

    def look(
        self,
        found: ChargerNow | None,
        now: float,
        monotonic: float,
        level: tuple[float, float] | None = None,
        passed: Iterable[tuple[int, float]] = (),
    ) -> None:
        """Takes what the charger tells, and the car's charge state: (%, Unix time).

        `passed`: (A, Unix time of the data) of the limits that it has shown since the last look, in order.
        """
        self._now, self._monotonic = now, monotonic
        if self._met is None:
            self._met = monotonic
        before, self.seen = self.seen, found
        self.goal.see_level(level)
        if found is None:
            return
        if self.adopted and found.reachable and found.plugged:
            for told, at in [*passed, *([] if found.told is None else [(found.told, found.told_at)])]:
                if self.wish.hear(monotonic, told, max(0.0, now - at)):
                    self.theirs = told
            if self.wish.inherits and self.wish.seen and self.theirs is None:
                self.rules.amps = self.wish.sent or 0  # sent before the daemon's start, shown since
        self._learnt_phases = found.phases or self._learnt_phases
        settings = self._charger_settings()
        if settings != self.rules.settings:
            self.rules.settings = settings
            if self.rules.amps == 0:
                self.rules.__post_init__()
        if before is not None and found.reachable and not before.reachable:
            self._back_at = monotonic
            self._lose(monotonic)
        rules, here = self.rules, found.reachable and found.plugged and self.adopted
        if here and rules.settings.switching and self.net.is_theirs(before, found, monotonic):
            rules.take_over(monotonic, rules.amps)
        new_session = self._count(found)
        if self.adopted and found.told != self.rules.amps and (new_session or self._has_restarted(found, monotonic)):
            self._lose(monotonic)  # nobody has set that: it is what the charger falls back to
        if self.adopted and found.plugged and not self.state.plugged:
            self._lose(monotonic)  # what was set before is lost when a car is plugged in
            self.goal.plugged_in(now)
        if self.adopted:
            self.state.plugged = found.plugged
        elif self.state.mode != FREE and found.told is not None and found.reachable:
            self._adopt(found, found.told, now, monotonic)

    def _adopt(self, found: ChargerNow, told: int, now: float, monotonic: float) -> None:
        """What is observed is adopted. After a restart a limit that we have not set is a take-over."""
        state, rules = self.state, self.rules
        opened = found.opened if self.settings.switching else None
        rules.restart(monotonic, told, opened or rules.phases)
        self.net.recall(rules, now, monotonic)
        if found.drawn > LEAST_A / 2 * USUAL_V:
            rules.observed.since = monotonic - OBSERVED_S  # no start of ours: 6 A will do
        if self._is_chosen:
            rules.quiet_until, rules.chosen_at = -math.inf, monotonic
        rules.stopped_at = monotonic - (now - state.stopped_at) if state.stopped_at else -math.inf
        if found.plugged and state.plugged and not self._is_chosen:
            if state.taken_over_until > now:
                rules.take_over(monotonic, told)
                rules.taken_over_until = monotonic + state.taken_over_until - now
            elif state.amps is not None and told not in (state.amps, state.shown, *(amps for _, amps in state.orders)):
                rules.take_over(monotonic, told)
            if self.net.adopt(rules, opened, now):
                rules.take_over(monotonic, told)
        self.wish.adopt(told)
        self.wish.inherit(monotonic, [(max(0.0, now - at), int(amps)) for at, amps in state.orders])
        if found.plugged and not state.plugged and state.amps is not None:
            self._lose(monotonic)
        if not found.plugged:
            rules.amps = 0
        elif not state.plugged:
            self.goal.plugged_in(now)
        state.plugged = found.plugged
        self.adopted = True

    def _lose(self, monotonic: float) -> None:
        """The charger has lost its limit, whoever has set it."""
        self.wish.forget(monotonic)
        self.theirs = None

    def _has_restarted(self, found: ChargerNow, monotonic: float) -> bool:
        """Whether it shows its own maximum shortly after it was away: a restart loses every limit."""
        own = found.own_most if found.own_most is not None else MOST_A
        return found.told is not None and found.told >= own and monotonic - self._back_at <= RESTART_TOLD_S

    def _count(self, found: ChargerNow) -> bool:
        """Adds the energy towards the goal, from the session's own counter; True if that has begun anew."""
        if found.session_wh is None:
            return False
        before = self.state.session_wh
        self.state.session_wh = found.session_wh
        if before is None:
            return False
        grown = found.session_wh - before
        self.goal.count(grown if grown >= 0 else found.session_wh)
        return grown <= -NEW_SESSION_WH

    def reading(self, must_run: bool) -> ChargerReading | None:
        """For the manager; None while it is not driven."""
        found = self.seen
        if not self.driven or found is None:
            return None
        # A limit that differs is somebody else's once the charger has shown ours, or if it never was ours.
        told = found.told if self.wish.fulfilled(self.rules.amps) else None
        runs = must_run and found.plugged
        return ChargerReading(
            found.plugged,
            found.drawn,
            told if self.theirs is None else self.theirs,
            found.reachable,
            self.settings.on_phase,
            runs,
            self._window if runs else None,
            self.theirs is not None,
            *((found.opened, found.phases) if self.rules.settings.switching else ()),
        )

    def decided(self, taken_over: bool, monotonic: float) -> None:
        """The rules have looked; `taken_over`: they have just found that somebody else has set its limit."""
        if taken_over and self.seen is not None and self.seen.told is not None:
            self.wish.adopt(self.seen.told)
        if monotonic >= self.rules.quiet_until:
            self.theirs = None

    def drawn_a(self, voltage: float) -> float:
        """A that it draws on each of its phases."""
        found = self.seen
        return 0.0 if found is None else math.ceil(found.drawn / voltage / (found.phases or 1))

    # What the user wants.

    def choose(self, mode: str, monotonic: float) -> None:
        """Another mode. A charger that is no longer driven gets back what it was lowered to."""
        amps = self.rules.amps if self.adopted else self.state.amps
        theirs = self.rules.taken_over_until > monotonic or self.state.taken_over_until > self._now
        leaves = mode == FREE and self.state.mode != FREE
        self.state.owes = leaves and amps is not None and amps < self.most and not theirs
        if leaves:
            self.adopted = False
        elif self.state.mode == FREE:
            self.adopted = False
            self.rules = ChargePoint(self._charger_settings())
            self.net.recall(self.rules, self._now, monotonic)
            self.state.amps, self.state.shown, self.state.orders, self.state.taken_over_until = None, None, [], 0.0
        self.state.mode = mode
        self.rules.settings = self._charger_settings()
        self.rules.chosen_at = monotonic
        self.rules.why = self.chosen  # until the rules have something to say
        self.release()
        self._is_chosen, found = True, self.seen
        if mode != FREE and not self.adopted and found is not None and found.told is not None and found.reachable:
            self._adopt(found, found.told, self._now, monotonic)

    def give_back(self, monotonic: float, acts: Acts) -> None:
        """A charger that is no longer driven is given all that it may take, until it has shown it."""
        found, state = self.seen, self.state
        if not state.owes or found is None or not found.reachable:
            return
        theirs = found.told is not None and self.wish.hear(monotonic, found.told, max(0.0, self._now - found.told_at))
        if not found.plugged or theirs or self.wish.fulfilled(self.most):
            state.owes = False
        else:
            self.wish.follow(monotonic, self.most, found.told, acts)

    def release(self) -> None:
        """The rules act again."""
        self.rules.taken_over_until = self.rules.quiet_until = -math.inf
        self.theirs = None
        self.state.taken_over_until = 0.0

    # Goals and cheap hours.

    def must_run(self, now: float, ahead: Ahead, zone: tzinfo) -> bool:
        """Whether a goal's plan, or cheap hours in the economic mode, want it to charge now."""
        state, goal = self.state, self.goal
        if goal.step(now, self._monotonic, self.settings, self._can(), ahead, zone):
            self._window = goal.window
            return True
        runs = state.mode == ECONOMIC and not state.goal_hour and ahead.cheap(now)
        self._window = Window(clock_time(ahead.cheap_until(now), zone), ahead.price(now)) if runs else None
        return runs

    def _can(self) -> Can | None:
        """What can be charged now; None if nothing is wanted, or nothing is known yet."""
        found, state, rules = self.seen, self.state, self.rules
        if state.mode in (FREE, OFF):
            return None
        power = min(EFFICIENCY * self.most * USUAL_V * rules.settings.phases / 1000, max(self.room_kw, LEAST_KW))
        if found is None:
            waits = self._met is None or self._monotonic - self._met < SILENT_S
            return None if waits else Can(power, state.plugged, 0.0, risk.UNREACHABLE)
        if not self.adopted or not found.reachable:
            return Can(power, found.plugged, 0.0, risk.UNREACHABLE)
        known = {"takenOver": risk.TAKEN, "noDemand": risk.NO_DEMAND, "limited": risk.LIMITED}
        trouble = risk.REFUSED if self.wish.lost else known.get(rules.state, "")
        return Can(power, found.plugged, found.drawn, trouble)

    def set_goal(self, kwh: float | None, hour: str | None, percent: float | None) -> bool:
        """Another goal; False if it makes no sense."""
        at = time_of_day(hour) if hour is not None else None
        wrong = (kwh is not None and not 0 <= kwh <= MOST_KWH) or (percent is not None and not 0 <= percent <= 100)
        if wrong or (hour is not None and at is None) or (percent and not self.settings.capacity):
            return False
        self.goal.set(kwh, at, percent)
        return True

    def protect(self, monotonic: float, acts: Acts) -> None:
        """Renews the net of its circuit while it is driven and a car is there."""
        if self.net.waits(self.settings, self.adopted):
            return
        seen, shown = self.seen if self.driven and self.state.plugged else None, self.wish.fulfilled(self.rules.amps)
        self.net.follow(self.settings, self.rules, seen, shown, self.most, self._now, monotonic, acts)

    # What it reports.

    def phases_said(self) -> Sentence:
        """What there is to say of its phases."""
        return self.net.said(self.settings, self.seen, self.rules, self._monotonic)

    @property
    def plan(self) -> Plan | None:
        """Of its goal, for the car that is there."""
        return self.goal.plan

    @property
    def goal_state(self) -> str:
        """How the goal does."""
        return self.goal.shown

    def facts(self, zone: tzinfo, charge: Charge | None) -> dict[str, Value | None]:
        """By the sources of its rows. `charge`: of the running session."""
        rules, state = self.rules, self.state
        blocks = self.plan.blocks() if self.plan is not None else []
        shares: dict[str, float | None] = dict.fromkeys(("solar", "battery", "grid"))
        if charge is not None and charge.is_known:
            shares = {name: round(100 * getattr(charge, name) / charge.energy, 1) for name in shares}
        session = self.seen.session_wh if self.seen is not None else None
        return {
            "point.mode": state.mode,
            "point.state": self.shown,
            "point.power": round(self.seen.drawn) if self.seen is not None and self.seen.reachable else None,
            "point.current": float(rules.amps) if self.driven else None,
            "point.phases": float(rules.phases) if self.driven else None,
            "point.goalEnergy": state.goal_kwh,
            "point.goalLevel": state.goal_percent if self.settings.capacity else None,
            "point.goalTime": state.goal_time,
            "point.goalState": self.goal_state,
            "point.goalMissing": None if self.goal.missing is None else round(self.goal.missing, 1),
            "point.carLevel": self.goal.level(self.settings) if self.goal.level_is(self._now) == FRESH else None,
            "point.planStart": clock_time(blocks[0][0], zone) if blocks else "-",
            "point.planEnd": clock_time(blocks[-1][1], zone) if blocks else "-",
            "point.sessionEnergy": None if session is None else session / 1000,
            "point.solarShare": shares["solar"],
            "point.batteryShare": shares["battery"],
            "point.gridShare": shares["grid"],
            "point.sessionCost": None if charge is None or not charge.is_known else round(charge.effective, 3),
        }

    @property
    def shown(self) -> str:
        """The state as Jeedom gets it."""
        if self.state.mode == FREE:
            return "free"
        if not self.adopted or (self.seen is not None and not self.seen.reachable):
            return "unreachable"
        return self.rules.state if self.rules.state != "absent" or not self.state.plugged else "waiting"

    @property
    def chosen(self) -> Sentence:
        """Why a mode begins: the user has chosen it."""
        return Sentence("Mode choisi ; limite en ce moment : {amps} A", amps=self._told_a)

    @property
    def _told_a(self) -> int:
        """A that the charger shows, else those that are wanted."""
        told = self.seen.told if self.seen is not None else None
        return self.rules.amps if told is None else told

    def why(self, zone: tzinfo) -> str:
        """One sentence."""
        rules, told = self.rules, None if self.seen is None else self.seen.told
        if self.state.mode == FREE:
            if told is None:
                return Sentence("Personne ne pilote cette borne : choisissez un mode")
            return Sentence("Personne ne pilote cette borne, à {amps} A : choisissez un mode", amps=told)
        if not self.adopted:
            since = duration(self._monotonic - (self._met if self._met is not None else self._monotonic))
            return Sentence("La borne ne dit pas sa limite depuis {since} : le pilotage attend", since=since)
        if self.wish.lost:
            why = "La borne n'obéit pas à {amps} A après {count} essais ; nouvel essai dans {wait}"
            wait = duration(self.wish.rest(self._monotonic))
            return Sentence(why, amps=rules.amps, count=self.wish.failures, wait=wait)
        if rules.state == "takenOver" and rules.taken_over_until > self._monotonic:
            until = clock_time(self._now + rules.taken_over_until - self._monotonic, zone)
            why = "Repris en main à {amps} A jusqu'à {until} : le pilotage attend"
            return Sentence(why, amps=rules.amps, until=until)
        waits = self._waits_for()
        return rules.why if waits is None else waits

    def _waits_for(self) -> Sentence | None:
        """That it waits for the hours of its plan."""
        plan, first = self.plan, self.goal.next
        if plan is None or first is None or plan.at_risk or self.rules.amps or plan.runs(self._now):
            return None
        if first.price is None:
            return Sentence("Attend {hour} pour charger {kwh} kWh", hour=first.until, kwh=figure(plan.energy))
        return Sentence("Attend {hour} pour charger à {price} €/kWh", hour=first.until, price=figure(first.price, 4))

    def keep(self, now: float, monotonic: float) -> PointState:
        """What is to be kept."""
        state, rules = self.state, self.rules
        state.guard_a = self.guard.amps
        if self.driven:
            state.amps, state.shown = rules.amps, self.wish.shown
            state.orders = [[round(now - age, 1), amps] for age, amps in self.wish.on_its_way(monotonic)]
            self.net.keep(rules, now, monotonic)
            rest = rules.taken_over_until - monotonic
            state.taken_over_until = now + rest if rest > 0 else 0.0
            state.stopped_at = now - (monotonic - rules.stopped_at) if rules.stopped_at > -math.inf else 0.0
        return state
