"""A charge point under rules: which current it is offered now, on how many phases, and why.

Pure: samples come in, set-points go out. The charger is only ever offered 0 or at least 6 A, by values that wear
nothing out, and a restart of ours never starts a charge. Times are seconds of a clock that never steps; powers in W.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from .limits import LEAST_A, RESUME_AFTER_S, START_A
from .ports import Sentence
from .sharing import words
from .sharing.charger import NOW, OFF, SOLAR_MIN, ChargerSample, ChargerSettings, Decision
from .sharing.phases import Moment, PhaseChange, Wants
from .sharing.words import duration
from .surplus import GAP_S, Account, Deficit, Lasting, Sky, SurplusHistory

START_AFTER_S, CALM_START_AFTER_S = 60.0, 300.0
STARTS_BEFORE_CALM = 3
REST_S = 300.0
"""Least seconds between a stop and the next start, and between a start and the next stop."""
BOUND_REST_S = 60.0
"""The latter when the user has bounded the grid's share."""
LOWER_AFTER_S, LOWER_BY_W = 10.0, 150.0
RAISE_EVERY_S, LOWER_EVERY_S = 30.0, 10.0
DEAD_TIME_S = 5.0
"""Seconds after a set-point in which nothing but a limit is decided: the car has not followed yet."""
OBSERVED_S = 10.0
CHOSEN_S = 10.0
"""For so long after the choice of a mode a limit gives back at once."""
OWN_S = 10.0
"""A change of a charger's limit within so many seconds of ours is ours."""
QUIET_AFTER_RESTART_S = 30.0
TAKE_OVER_S = 2 * 3600.0
PASSED = ("short", "stale", "unreachable", "takenOver", "noDemand", "absent", "off")
"""States that end without a set-point: a charge that goes on says so again."""
DEMAND_S, SLOW_DEMAND_S = 120.0, 400.0
"""By then a car that is offered a current takes it, or is asked once more, or wants nothing; with less than 7 A some
chargers wait for five minutes before they begin."""
NUDGE_S = 20.0
"""A charge that has not begun with 6 A by then is offered 7 A."""


@dataclass
class ChargePoint:
    """The rules' memory of one charger."""

    settings: ChargerSettings
    amps: int = 0
    phases: int = 1
    state: str = "absent"
    why: str = ""
    history: SurplusHistory = field(default_factory=SurplusHistory)
    sky: Sky = field(default_factory=Sky)
    deficit: Deficit = field(default_factory=Deficit)
    account: Account = field(default_factory=Account)
    enough: Lasting = field(default_factory=lambda: Lasting(gap_s=GAP_S))
    low: Lasting = field(default_factory=Lasting)
    change: PhaseChange = field(default_factory=PhaseChange)
    observed: Lasting = field(default_factory=Lasting)
    set_at: float = -math.inf
    started_at: float = -math.inf
    stopped_at: float = -math.inf
    starts: deque[float] = field(default_factory=deque)
    quiet_until: float = -math.inf
    taken_over_until: float = -math.inf
    chosen_at: float = -math.inf
    """When the user chose the mode: what he wants now does not wait for what a limit has taken before."""
    run_by_plan: bool = False
    """The charge under way was begun by a plan, and ends with its window."""
    lacking: Lasting = field(default_factory=Lasting)
    """Too little sun for a start."""
    unreachable_since: float | None = None
    idle_since: float | None = None
    """Since when a current is offered and none is taken."""
    has_charged: bool = False
    asked_again: bool = False
    _repeat: bool = False
    _last: float | None = None

    def __post_init__(self) -> None:
        self.phases = self._least_phases

    @property
    def _least_phases(self) -> int:
        """On which it charges at least: three, unless it can be set to one."""
        return 3 if self.settings.phases == 3 and not self.settings.switching else 1

    @property
    def _rest_phases(self) -> int:
        """Those of a charge that has just been stopped: a circuit does not change without need."""
        return self.phases if self.settings.switching else self._least_phases

    @property
    def used(self) -> int:
        """The phases that carry the charge."""
        return self.change.odd or self.phases if self.settings.switching else self.phases

    def step(self, now: float, sample: ChargerSample) -> Decision | None:
        """Takes a sample; returns the set-point if it has changed, None if all stays as it is."""
        seconds = 0.0 if self._last is None else max(0.0, now - self._last)
        self._last = now
        self.unreachable_since = None
        if not sample.plugged:
            return self._unplugged(sample)
        before = (self.amps, self.phases)
        self.observed.update(now, sample.drawn > 0.5 * LEAST_A * sample.voltage)
        if sample.surplus is not None:
            self._follow(now, seconds, sample, sample.surplus)
        self._decide(now, sample)
        self._limit(now, sample)
        changed = (self.amps, self.phases) != before
        self._repeat = False
        self._look_for_demand(now, changed)
        return Decision(self.amps, self.phases, self.state, self.why) if changed or self._repeat else None

    def _look_for_demand(self, now: float, changed: bool) -> None:
        """A car that does not begin is asked once more; then only when the sun has been away, or it is plugged anew."""
        if self.observed.since is not None:
            self.has_charged = True
        waits = self.change.under_way or now < self.taken_over_until
        if self.amps < LEAST_A or self.observed.since is not None or waits:
            self.idle_since = None
            self.asked_again = self.asked_again and self.amps >= LEAST_A and self.observed.since is None
            return
        if self.idle_since is None or (changed and not self.has_charged and not self.asked_again):
            self.idle_since = now
        patience = DEMAND_S if self.amps >= START_A else SLOW_DEMAND_S
        if now - self.idle_since < patience or now < self.quiet_until:
            return
        if not self.has_charged and not self.asked_again:
            self.asked_again, self._repeat, self.idle_since = True, True, now
            self.why = _again(self.amps, patience)
            return
        self.state = "noDemand"
        self.why = Sentence(
            "La voiture ne demande rien à {amps} A depuis {since} : elle est pleine, ou programmée",
            amps=self.amps,
            since=duration(now - self.idle_since),
        )

    def _unplugged(self, sample: ChargerSample) -> Decision | None:
        changed = self.amps != 0
        self.amps, self.phases = 0, self._least_phases
        mode = self.settings.mode
        amps = {OFF: 0, SOLAR_MIN: LEAST_A, NOW: self.settings.max_a}.get(mode)
        needed = LEAST_A * sample.voltage * self._least_phases if amps is None else None
        self.state, self.why = "absent", words.absent(amps or 0, needed)
        for each in (self.deficit, self.account, self.enough, self.lacking, self.observed):
            each.clear()
        self.change.forget_car()
        self.idle_since, self.has_charged, self.asked_again = None, False, False
        self.taken_over_until = -math.inf
        return Decision(0, self.phases, self.state, self.why) if changed else None

    def take_over(self, now: float, amps: int) -> None:
        """Someone else has set the current (the app, Jeedom's own command, the car): hands off for a while."""
        self.amps, self.taken_over_until = amps, now + TAKE_OVER_S
        self.set_at = now
        self.change.drop()
        self.lacking.clear()

    def set_again(self, told: int) -> Decision:
        """The set-point of before, for a charger that stands at `told`: it has lost its limit, or began by itself."""
        why = Sentence("La borne était à {shown} A : réglée à {amps} A", shown=told, amps=self.amps)
        return Decision(self.amps, self.phases, self.state, why)

    def restart(self, now: float, offered: int, phases: int) -> None:
        """After a start of the daemon: what is observed is adopted; for 30 s only limits act."""
        self.amps, self.phases, self.quiet_until = offered, phases, now + QUIET_AFTER_RESTART_S
        self.history.clear()
        self.low.clear()
        self.deficit.clear()

    def stale(self) -> None:
        """The meter is silent: what was seen before no longer counts."""
        self.history.clear()
        for each in (self.enough, self.low, self.change, self.lacking):
            each.clear()

    # The sun.

    def _needed(self, sample: ChargerSample) -> float:
        return LEAST_A * sample.voltage * self.used

    def _follow(self, now: float, seconds: float, sample: ChargerSample, available: float) -> None:
        if self.change.under_way:  # what flows meanwhile says nothing of the sun
            self.history.clear()
            return
        steady = self.history.add(now, available)
        self.sky.add(now, steady)
        self._restless = self.sky.restless(now)
        # A fall that was to be expected is believed at its first sample.
        self._present = min(steady, available) if self._restless else steady
        least = LEAST_A * sample.voltage
        self.enough.update(now, steady >= least * self._least_phases)
        self.low.update(now, self.amps > 0 and self._present < self.amps * sample.voltage * self.used - LOWER_BY_W)
        self.change.look(now, steady, least, self.observed.since is not None)
        if self.amps > 0:
            self.account.add(seconds, sample.drawn, available)
            left = self.account.left(self.settings.most_grid)
            needed = self._needed(sample)
            self._short = self.deficit.add(now, seconds, needed, available, steady, self._restless, left)
        self._steady = steady

    _steady: float = 0.0
    _present: float = 0.0
    _restless: bool = False
    _short: bool = False

    def _decide(self, now: float, sample: ChargerSample) -> None:
        if now < self.taken_over_until:
            if self.settings.switching:
                self.phases = sample.opened or self.phases
            self.state, rest = "takenOver", duration(self.taken_over_until - now)
            self.why = Sentence("Repris en main à {amps} A : le pilotage attend {wait}", amps=self.amps, wait=rest)
            return
        if now < self.quiet_until:
            rest = duration(self.quiet_until - now)
            self.why = Sentence("Le démon vient de démarrer : {amps} A pendant {wait}", amps=self.amps, wait=rest)
            return
        mode = self.settings.mode
        if mode == OFF:
            self._set(now, 0, self._rest_phases, "off", Sentence("Arrêt demandé : 0 A"))
        elif self.settings.switching and self._switch(now, sample):
            return
        elif mode == NOW or sample.must_run:
            phases = self.settings.phases if not self.settings.switching else self.phases
            most = min(self.settings.max_a, sample.cap)
            if self.amps == 0 and most >= LEAST_A:
                self.run_by_plan = sample.must_run
                self._set(now, most, phases, "charging", self._at_full(most, sample))
            elif self.amps == 0 and sample.surplus is None:
                self.state, self.why = "stale", words.silent(sample, 0)
            elif self.amps == 0:
                self.state, self.why = "limited", words.suspended(sample, RESUME_AFTER_S, START_A)
            elif self.state != "limited":
                self.state, self.why = "charging", self._at_full(self.amps, sample)
        elif self.run_by_plan and self.amps > 0:
            self.run_by_plan = False
            needed, wait = round(LEAST_A * sample.voltage * self._least_phases), duration(REST_S)
            why = "Arrêt : la fenêtre prévue est finie ; reprise dès {needed} W de surplus, dans {wait} au plus tôt"
            self._stop(now, Sentence(why, needed=needed, wait=wait))
        elif sample.surplus is None:
            self.state, self.why = "stale", words.silent(sample, self.amps)
        elif now - self.set_at >= DEAD_TIME_S:
            self._solar(now, sample)

    def _at_full(self, amps: int, sample: ChargerSample) -> Sentence:
        """Why it charges with all that there is."""
        by_plan = sample.must_run and self.settings.mode != NOW
        return words.planned(amps, sample.window) if by_plan else words.at_once(amps)

    def _solar(self, now: float, sample: ChargerSample) -> None:
        minimum = self.settings.mode == SOLAR_MIN
        if self.amps == 0:
            if minimum:
                self._set(now, LEAST_A, self._least_phases, "charging", Sentence("Solaire + minimum : au moins 6 A"))
            else:
                self._maybe_start(now, sample)
            return
        rest = BOUND_REST_S if self.deficit.bound else REST_S
        if not minimum and self._short and now - self.started_at >= rest:
            missing, since = self._needed(sample) - self._steady, self.deficit.short_for(now)
            why = "Arrêt : il manque {watts} W depuis {since} ; reprise possible dans {wait}"
            values = {"watts": max(1, round(missing)), "since": duration(since), "wait": duration(REST_S)}
            self._stop(now, Sentence(why, **values))
            return
        if self._waits_for_more(now, sample):
            self._set(now, START_A, self.phases, "charging", _again(START_A, now - self.set_at))
            return
        per_amp = sample.voltage * self.used
        fits = math.floor(self._present / per_amp + 1e-9)
        least = self.history.least(self.sky.window(now))
        if least is not None and now - self.set_at >= RAISE_EVERY_S:
            target = min(math.floor(least / per_amp + 1e-9), self.settings.max_a, sample.cap)
            if target > self.amps and self.observed.since is not None:
                self._set(now, target, self.phases, "charging", words.follows(least, target))
                return
        lowest = LEAST_A if self._is_observed(now) or self.amps < START_A else START_A
        patience = 0.0 if self._restless else LOWER_AFTER_S
        if self.low.since is not None and now - self.low.since >= patience and now - self.set_at >= LOWER_EVERY_S:
            target = max(lowest, fits)
            if target < self.amps:
                self._set(now, target, self.phases, "charging", words.follows(self._present, target))
                return
        if self._steady < self._needed(sample) and not minimum:
            missing = self._needed(sample) - self._steady
            left = max(self.deficit.seconds_left(now, missing), self.started_at + rest - now)
            self.state, self.why = "short", words.short(missing, self.deficit.short_for(now), left)
        elif self.state in (*PASSED, "charging") or self._is_observed(now):
            self.state, self.why = "charging", words.follows(self._steady, self.amps)
            if self._steady < self._needed(sample):
                self.why = words.at_least(self._needed(sample) - max(self._steady, 0.0), self.amps)

    def _waits_for_more(self, now: float, sample: ChargerSample) -> bool:
        """Whether a charge that should go on at the minimum has not begun with it."""
        return (
            self.amps == LEAST_A
            and self.settings.mode == SOLAR_MIN
            and self.observed.since is None
            and now - self.set_at >= NUDGE_S
            and sample.cap >= START_A
        )

    def _is_observed(self, now: float) -> bool:
        return self.observed.since is not None and now - self.observed.since >= OBSERVED_S

    def _maybe_start(self, now: float, sample: ChargerSample) -> None:
        while self.starts and self.starts[0] < now - 3600:
            self.starts.popleft()
        wait = CALM_START_AFTER_S if len(self.starts) >= STARTS_BEFORE_CALM else START_AFTER_S
        needed, watts = LEAST_A * sample.voltage * self._least_phases, round(self._steady)
        since = self.lacking.update(now, self._steady < needed)
        if self._steady < needed:
            missing = needed - self._steady
            self.state, self.why = "waiting", words.waits_for_sun(missing, needed, since, wait)
        if self.enough.since is None:
            return
        if now - self.stopped_at < REST_S:
            rest = duration(REST_S - (now - self.stopped_at))
            self.state = "waiting"
            self.why = Sentence("{watts} W de surplus ; reprise possible dans {wait}", watts=watts, wait=rest)
            return
        if now - self.enough.since < wait:
            rest = duration(wait - (now - self.enough.since))
            self.state = "waiting"
            self.why = Sentence("{watts} W de surplus ; départ dans {wait}", watts=watts, wait=rest)
            return
        if sample.cap < START_A:
            self.state = "limited"
            why = "{watts} W de surplus, mais les limites ne laissent que {amps} A ; départ à {least} A"
            self.why = Sentence(why, watts=watts, amps=max(0, sample.cap), least=START_A)
            return
        self.starts.append(now)
        self.started_at = now
        self.deficit.clear()
        self.low.clear()
        why = Sentence("{watts} W de surplus : départ à {amps} A", watts=round(self._steady), amps=START_A)
        self._set(now, START_A, self._least_phases, "starting", why)

    def _stop(self, now: float, why: Sentence) -> None:
        self.stopped_at = now
        self.enough.clear()
        self._set(now, 0, self._rest_phases, "waiting", why)

    def _switch(self, now: float, sample: ChargerSample) -> bool:
        """One phase or three; whether that is all there is to decide now."""
        caps = (sample.cap, sample.other_cap) if self.phases == 1 else (sample.other_cap, sample.cap)
        one, three = (min(each, self.settings.max_a) for each in caps)
        mode, steady = self.settings.mode, None if sample.surplus is None else self._steady
        at_full, chosen = mode == NOW or sample.must_run, now - self.chosen_at <= CHOSEN_S
        wants = Wants(at_full, chosen, mode == SOLAR_MIN, self._short, LEAST_A * sample.voltage)
        seen = Moment(self.amps, self.phases, sample.opened, sample.in_use, (one, three), steady, wants)
        step = self.change.decide(now, seen)
        if step is None:
            return False
        if step.phases != self.phases:
            self.deficit.clear()
        if step.holds or step.phases != self.phases:
            self._set(now, step.amps, step.phases, step.state, step.why)
        return step.holds

    # Limits come last and go before everything.

    def _limit(self, now: float, sample: ChargerSample) -> None:
        if self.amps == 0:
            return
        if self.amps > sample.cap:
            if sample.cap >= LEAST_A:
                self._set(now, sample.cap, self.phases, "limited", words.limited(sample, sample.cap))
            else:
                self.stopped_at = now
                why = words.suspended(sample, RESUME_AFTER_S, START_A)
                self._set(now, 0, self._rest_phases, "limited", why)
        elif self.change.under_way or now < max(self.taken_over_until, self.quiet_until):
            return
        elif self.settings.mode == NOW or sample.must_run:
            most = min(self.settings.max_a, sample.cap)
            if most > self.amps:
                self._set(now, most, self.phases, "charging", self._at_full(most, sample))
            elif self.state == "limited":
                self.why = words.limited(sample, self.amps)

    def _set(self, now: float, amps: int, phases: int, state: str, why: str) -> None:
        self.state, self.why = state, why
        if state != "waiting":
            self.lacking.clear()
        if (amps, phases) != (self.amps, self.phases):
            self.amps, self.phases, self.set_at = amps, phases, now
            self.low.clear()


def _again(amps: int, after: float) -> Sentence:
    """A car that does not begin is asked once more."""
    why = "La voiture n'a pas commencé après {since} : nouvel essai à {amps} A"
    return Sentence(why, amps=amps, since=duration(after))
