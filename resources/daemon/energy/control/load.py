"""One driven load: its mode, the power learnt from the meter, how long it has run today, and how it is switched.

No thread and no input or output of its own. `now` is Unix time.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta, tzinfo
from statistics import median

from ..planner import Plan
from ..ports import Acts, Attempt, Sentence, Value
from ..sharing.words import clock_time, duration
from ..surplus import RESERVE_W
from ..switching import LoadSettings, SwitchedLoad
from .settings import AUTO, ECONOMIC, FREE, NEVER, OFF, ON, THRESHOLD, LoadConfig, LoadState
from .tariffs import Ahead

STEPS = 5
LEAST_STEP_W = 50.0
RETRY_S = 30.0


class Load:
    """See above. `rules`: shared with the manager."""

    def __init__(self, config: LoadConfig, state: LoadState) -> None:
        self.config = config
        self.state = state
        self.rules = SwitchedLoad(self._settings())
        self.rules.on = state.on
        self.adopted = False
        self.failures = 0
        self.threshold = math.inf
        self._attempt: Attempt | None = None
        self._wanted: bool | None = None
        self._next = -math.inf
        self._plan: tuple[float, Plan] | None = None
        self._now = self._monotonic = 0.0

    @property
    def driven(self) -> bool:
        """Whether the rules act on it."""
        return self.state.mode != FREE

    def _settings(self) -> LoadSettings:
        config = self.config
        power = self.state.power or config.power
        stop = config.stop_below if config.start == THRESHOLD else None
        return LoadSettings(power, config.least_on_s, config.least_off_s, config.critical, stop)

    def choose(self, mode: str) -> None:
        """Another mode; what it is now stays until the rules say otherwise."""
        self.state.mode = mode
        if mode in (OFF, ON):
            self.rules.by_sun, self.rules.since = False, -math.inf

    def look(self, told: bool | None, now: float, seconds: float, zone: tzinfo) -> None:
        """Takes what the relay tells, and the time that has passed."""
        self._now = now
        day = datetime.fromtimestamp(now, zone).date().isoformat()
        if day != self.state.day:
            self.state.day, self.state.ran_s = day, 0.0
        if not self.adopted:
            self.rules.on = self.rules.on if told is None else told
            self.rules.by_sun = self.rules.on  # until a plan wants it: a restart alone switches nothing off
        self.adopted = True
        if (told if told is not None else self.rules.on) and seconds < 600:
            self.state.ran_s += seconds

    def learn(self, step: float) -> None:
        """Takes the step (W) of the house at a switching: its power is the median of the last five."""
        if LEAST_STEP_W <= step <= 3 * self.config.power:
            self.state.steps = [*self.state.steps, step][-STEPS:]
            self.state.power = round(median(self.state.steps))
            self.rules.settings = self._settings()

    def wanted(self, now: float, ahead: Ahead, zone: tzinfo) -> bool:
        """Whether it is to be on whatever the sun does: the user's word, or what is missing of its day."""
        if self.state.mode != AUTO:
            return self.state.mode == ON
        missing = self.config.least_day_s - self.state.ran_s
        if missing <= 0:
            return False
        by = self._by(now, zone)
        power = self.rules.settings.power / 1000
        if self._plan is None or now >= self._plan[0]:
            self._plan = (now + 300, ahead.plan(missing / 3600 * power, now, by, power, False))
        return self._plan[1].runs(now)

    def _by(self, now: float, zone: tzinfo) -> float:
        hour, minute = self.config.by
        at = datetime.fromtimestamp(now, zone).replace(hour=hour, minute=minute, second=0, microsecond=0)
        return (at if at.timestamp() > now else at + timedelta(days=1)).timestamp()

    def limit(self, now: float, ahead: Ahead) -> float:
        """W of surplus from which it may run."""
        self.threshold = math.inf
        if self.state.mode == AUTO and self.config.start != NEVER and self.state.ran_s < self.config.most_day_s:
            power = self.rules.settings.power
            if self.config.start == THRESHOLD and self.config.start_above is not None:
                self.threshold = self.config.start_above - RESERVE_W
            else:
                self.threshold = ahead.threshold(power, now) if self.config.start == ECONOMIC else power
        return self.threshold

    def follow(self, monotonic: float, told: bool | None, acts: Acts) -> bool:
        """Has it switched as the rules want; True if something was sent."""
        self._monotonic = monotonic
        attempt = self._attempt
        if attempt is not None and attempt.over:
            self._attempt = None
            if not attempt.done:
                self.failures += 1
                self._next = monotonic + max(RETRY_S, attempt.retry_s or 0.0)
                self._wanted = None
            else:
                self.failures = 0
        if self._attempt is not None or monotonic < self._next or self._wanted == self.rules.on:
            return False
        if self._wanted is None and told == self.rules.on:
            self._wanted = self.rules.on
            return False
        if self._wanted is None and told is None and self.rules.on == self.state.on and not self.failures:
            self._wanted = self.rules.on  # nothing was decided yet: nothing is switched
            if self.state.asked and not self.config.relay:
                self._want(acts)  # what was decided last may not have gone out; what has is not asked for again
            return False
        self._wanted = self.rules.on
        if self.config.relay:
            self._attempt = acts.begin(self.config.relay, "load.on" if self.rules.on else "load.off")
        else:
            self.state.asked = True
            self._want(acts)
        return True

    def _want(self, acts: Acts) -> None:
        acts.want(self.config.id, "onCommand" if self.rules.on else "offCommand")

    def facts(self) -> dict[str, Value | None]:
        """By the sources of its rows."""
        state = self.rules.state if self.rules.state != "off" or not self.rules.on else "on"
        return {
            "load.mode": self.state.mode,
            "load.state": "free" if not self.driven else "unreachable" if self.failures > 1 else state,
            "load.power": self.rules.settings.power,
            "load.threshold": round(max(self.threshold, 0.0)) if math.isfinite(self.threshold) else None,
            "load.runtime": float(int(self.state.ran_s)),
        }

    @property
    def chosen(self) -> Sentence:
        """Why a mode begins: the user has chosen it."""
        return Sentence("Mode choisi pour {watts} W", watts=round(self.rules.settings.power))

    def why(self, zone: tzinfo) -> str:
        """One sentence."""
        watts, ran = round(self.rules.settings.power), duration(self.state.ran_s) if self.state.ran_s else "0 min"
        block = self._block
        if not self.driven:
            return Sentence("Personne ne pilote cet appareil de {watts} W : choisissez un mode", watts=watts)
        if self.failures > 1:
            why = "L'appareil de {watts} W n'obéit pas après {count} essais ; nouvel essai dans {wait}"
            wait = duration(max(0.0, self._next - self._monotonic))
            return Sentence(why, watts=watts, count=self.failures, wait=wait)
        if self.state.mode == OFF and not self.rules.on:
            return Sentence("Arrêt demandé : 0 W, {ran} de marche aujourd'hui", ran=ran)
        if self.state.mode == AUTO and not self.rules.on and not self.rules.shed:
            if self.state.ran_s >= self.config.most_day_s:
                return Sentence("Durée maximale du jour atteinte ({ran}) : 0 W jusqu'à 00:00", ran=ran)
            if self.config.start == NEVER and block is None:
                return Sentence("Jamais par le soleil : 0 W, {ran} de marche aujourd'hui", ran=ran)
            if self.config.start == NEVER and block is not None and block[0] > self._now:
                why = "Attend {hour} pour ses {watts} W : {ran} de marche aujourd'hui"
                return Sentence(why, hour=clock_time(block[0], zone), watts=watts, ran=ran)
        if self.rules.on and self.state.mode == AUTO and not self.rules.by_sun and block is not None:
            why = "En marche jusqu'à {until} aux heures les moins chères : {watts} W, {ran} aujourd'hui"
            return Sentence(why, until=clock_time(block[1], zone), watts=watts, ran=ran)
        return self.rules.why

    @property
    def _block(self) -> tuple[float, float] | None:
        """(begin, end) of the hours that it waits for or that have begun, to have run long enough today."""
        if self._plan is None or self.state.ran_s >= self.config.least_day_s:
            return None
        return next((each for each in self._plan[1].blocks() if each[1] > self._now), None)
