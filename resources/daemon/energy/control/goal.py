"""The goal of a charge point: what is still to be charged, the plan for it, and whether it can be met.

Pure. `now` is Unix time, `monotonic` seconds of a clock that never steps. Energies in kWh, powers in kW.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import tzinfo

from ..planner import SLOT_S, Plan
from ..ports import Sentence
from ..sharing.charger import Window
from ..sharing.words import clock_time, duration, figure
from . import risk
from .risk import Risk, Wanted
from .settings import FREE, OFF, PointSettings, PointState
from .tariffs import Ahead

PACE_S = 600.0
"""Over so long the power that a charge really takes is learnt, while a plan wants it."""
REPLAN_SHARE = 0.1
"""A change of that power by so much makes another plan."""
LEAST_KW = 0.1
ABSENT_S = 60
"""Between two plans for a car that is away: what is lost meanwhile is lost."""
LEVEL_OLD_S, BEFORE_PLUGGED_S = 7200.0, 1800.0
"""A car's charge state is believed for so long; and as long as it is plugged in, if it is no older than so before."""
LEVEL_SURE_S = 600.0
UNKNOWN, FRESH, STALE = "unknown", "fresh", "stale"


@dataclass(frozen=True)
class Can:
    """What the charger can do now. `power`: kW at its limit; `trouble`: what keeps it from charging, or ''."""

    power: float
    plugged: bool
    drawn: float
    trouble: str = ""


class Goal:
    """See above. `state` is what is kept of the charge point."""

    def __init__(self, state: PointState) -> None:
        self.state = state
        self.risk = Risk(state)
        self._made: Plan | None = None
        self.window: Window | None = None
        self.next: Window | None = None
        self.missing: float | None = None
        self.cause = ""
        self._planned: tuple[object, ...] = ()
        self._at: float | None = None
        self._lost_since: float | None = None

    # What the user wants.

    def set(self, kwh: float | None, at: tuple[int, int] | None, percent: float | None) -> None:
        """Another energy, hour or share of the car's battery; an energy takes the place of a share, and the reverse."""
        state = self.state
        if kwh is not None:
            state.goal_kwh, state.goal_percent, state.charged_wh = float(kwh), 0.0, 0.0
        if percent is not None:
            state.goal_percent, state.goal_kwh, state.charged_wh = float(percent), 0.0, 0.0
        if at is not None:
            state.goal_time = f"{at[0]:02d}:{at[1]:02d}"
        state.goal_done, state.paced_kw = False, 0.0
        self.risk.forget()
        self.replan()

    def replan(self) -> None:
        """What the plan was made of has changed."""
        self._made, self._planned = None, ()

    @property
    def plan(self) -> Plan | None:
        """Of the car that is there; None without one."""
        return self._made if self.state.plugged else None

    def by(self, now: float, settings: PointSettings, zone: tzinfo) -> float | None:
        """The next hour of the goal; None without a goal."""
        share = self.state.goal_percent > 0 and not settings.capacity
        return None if share else self.state.next_hour(now, settings.days, zone)

    # The car.

    def see_level(self, level: tuple[float, float] | None) -> None:
        """Takes the car's charge state: (%, Unix time of the data)."""
        state = self.state
        if level is None or not 0 <= level[0] <= 100:
            return
        if level[0] != state.level:
            state.level, state.since_level_wh = level[0], 0.0
        state.level_at = max(state.level_at, level[1]) if level[0] == state.level else level[1]

    def count(self, wh: float) -> None:
        """Energy that was charged."""
        self.state.charged_wh += wh
        self.state.since_level_wh += wh

    def plugged_in(self, now: float) -> None:
        """A car is there: what was charged before is in its charge state, or in another car."""
        self.state.plugged_at, self.state.since_level_wh, self.state.paced_kw = now, 0.0, 0.0

    def level_is(self, now: float) -> str:
        """Whether the car's charge state is known: fresh, stale or unknown."""
        state = self.state
        if state.level is None:
            return UNKNOWN
        here = state.plugged and 0 < state.plugged_at - BEFORE_PLUGGED_S <= state.level_at
        return FRESH if here or now - state.level_at <= LEVEL_OLD_S else STALE

    def level(self, settings: PointSettings) -> float | None:
        """%: the last one told, and what was charged since."""
        state = self.state
        if state.level is None or not settings.capacity:
            return state.level
        return min(100.0, state.level + state.since_level_wh / 10 / settings.capacity)

    def need(self, settings: PointSettings) -> float:
        """kWh that are still to be charged. Of a car whose charge state was never told, all of the share."""
        state = self.state
        if not (state.goal_percent > 0 and settings.capacity):
            return state.goal_kwh - state.charged_wh / 1000
        level = self.level(settings)
        if level is None:
            return state.goal_percent / 100 * settings.capacity - state.charged_wh / 1000
        return (state.goal_percent - level) / 100 * settings.capacity

    # A sample.

    def step(
        self, now: float, monotonic: float, settings: PointSettings, can: Can | None, ahead: Ahead, zone: tzinfo
    ) -> bool:
        """Whether the goal's plan wants a charge now. `can`: None if nobody wants one, or nothing is known."""
        state = self.state
        seconds = 0.0 if self._at is None else max(0.0, monotonic - self._at)
        self._at = monotonic
        hour = self.by(now, settings, zone)
        self._turn(hour, now, settings, zone)
        self.missing, self.cause = None, ""
        if hour is None or can is None:
            self.replan()
            if state.mode in (FREE, OFF):
                self.risk.forget()
            return False
        need = self.need(settings)
        if need <= 0:
            state.goal_done = True
        elif can.plugged and state.goal_percent > 0:
            state.goal_done = False  # the car knows better than what was counted
        if not state.goal_done:
            self._plan(now, seconds, settings, can, ahead, zone, max(need, 0.0), hour)
        else:
            self.replan()
        wanted = self._wanted(settings, hour)
        cause = self.cause if can.plugged else risk.ABSENT
        self.risk.look(wanted, self.missing or 0.0, cause, state.goal_done, monotonic, settings.name, zone)
        self._watch_level(now, monotonic, settings, can)
        return can.plugged and self._made is not None and self._made.runs(now)

    def _turn(self, hour: float | None, now: float, settings: PointSettings, zone: tzinfo) -> None:
        """Another goal begins when its hour has passed."""
        state = self.state
        if hour is None:
            state.goal_hour = 0.0
            self.risk.forget()
        elif hour != state.goal_hour:
            if state.goal_hour:
                passed = self._wanted(settings, state.goal_hour)
                self.risk.passed(passed, now, state.goal_done, settings.name, zone)
                state.charged_wh, state.goal_done, state.paced_kw = 0.0, False, 0.0
            state.goal_hour = hour
            self.replan()

    def _wanted(self, settings: PointSettings, by: float) -> Wanted:
        state = self.state
        charged = (self.level(settings) or 0.0) if state.goal_percent > 0 else state.charged_wh / 1000
        return Wanted(state.goal_kwh, state.goal_percent, by, charged)

    def _plan(
        self,
        now: float,
        seconds: float,
        settings: PointSettings,
        can: Can,
        ahead: Ahead,
        zone: tzinfo,
        need: float,
        by: float,
    ) -> None:
        power = self._paced(now, seconds, can)
        known, every = self._planned, SLOT_S if can.plugged else ABSENT_S
        if not known or known[:3] != (now // every, by, can.plugged) or not _near(power, known[3]):
            self._planned = (now // every, by, can.plugged, power)
            self._made = ahead.plan(need, now, by, power, settings.red_peak)
            blocks = [(begin, end) for begin, end in self._made.blocks() if end > now]
            self.next = Window(clock_time(blocks[0][0], zone), ahead.price(blocks[0][0])) if blocks else None
            self.window = Window(clock_time(blocks[0][1], zone), ahead.price(now)) if blocks else None
        plan = self._made
        if plan is None:
            return
        self.missing = plan.missing
        if plan.at_risk:
            self.cause = can.trouble or (risk.CONSENT if plan.with_consent is not None else risk.TIME)

    def _paced(self, now: float, seconds: float, can: Can) -> float:
        """kW that can be counted on: what the limit allows, or what has come of it while the plan wanted it."""
        state = self.state
        if can.plugged and self._made is not None and self._made.runs(now):
            paced = state.paced_kw or can.power
            state.paced_kw = max(LEAST_KW, paced + (can.drawn / 1000 - paced) * (1 - math.exp(-seconds / PACE_S)))
        return min(can.power, state.paced_kw or can.power)

    def _watch_level(self, now: float, monotonic: float, settings: PointSettings, can: Can) -> None:
        """One message when the car's charge state is wanted and not known, one when it is known again."""
        state, level = self.state, self.level(settings)
        lost = can.plugged and state.goal_percent > 0 and bool(settings.capacity) and self.level_is(now) != FRESH
        if not state.goal_percent:
            state.level_lost = False
        if not lost:
            self._lost_since = None
            if state.level_lost and level is not None and self.level_is(now) == FRESH:
                state.level_lost = False
                why = "La charge de la voiture de « {name} » est à nouveau connue : {percent} %"
                self.risk.notices.append(("info", Sentence(why, name=settings.name, percent=figure(level))))
            return
        if self._lost_since is None:
            self._lost_since = monotonic
        if state.level_lost or monotonic - self._lost_since < LEVEL_SURE_S:
            return
        state.level_lost = True
        if state.level is None:
            why = "La charge de la voiture de « {name} » n'est pas connue : l'objectif compte les kWh à partir de 0 %"
            self.risk.notices.append(("warning", Sentence(why, name=settings.name)))
            return
        why = (
            "La charge de la voiture de « {name} » date de {since} : l'objectif compte les kWh à partir de {percent} %."
            " Vérifiez la commande choisie dans les réglages de la borne."
        )
        since = duration(now - state.level_at)
        self.risk.notices.append(
            ("warning", Sentence(why, name=settings.name, since=since, percent=figure(state.level)))
        )

    # What it reports.

    @property
    def advice(self) -> Sentence | None:
        """What would help a goal at risk."""
        if self._made is None or not self._made.at_risk or self.state.goal_done:
            return None
        return risk.ADVICE[self.cause if self.state.plugged and self.cause else risk.ABSENT]

    @property
    def shown(self) -> str:
        """How it does: none, reached, waiting (no car, or a mode that does not charge), planned, atRisk."""
        state = self.state
        if not state.goal_hour:
            return "none"
        if state.goal_done:
            return "reached"
        if self._made is not None and self._made.at_risk:
            return "atRisk"
        return "waiting" if self.plan is None else "planned"


def _near(power: float, planned: object) -> bool:
    return isinstance(planned, float) and abs(power - planned) <= REPLAN_SHARE * planned
