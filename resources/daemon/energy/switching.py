"""A load that can only be switched: when the sun, a price or its owner wants it on, and when a limit holds it off.

Pure. Powers in W, prices in €/kWh, times in seconds of a clock that never steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .ports import Sentence
from .sharing.words import duration
from .surplus import RESERVE_W, Lasting, SurplusHistory

START_AFTER_S, STOP_AFTER_S = 60.0, 120.0
HYSTERESIS_W = 200.0
RESTORE_AFTER_S = 300.0


def economic_threshold(power: float, now: float, later: float, resale: float) -> float:
    """The surplus from which a load of `power` W costs less now than in the cheapest hour that is still to come.

    Now it costs the missing power at the price `now` and the surplus at the `resale` that is lost; later all its power
    at the price `later`. When now is as cheap as later it may run at once (minus infinity).
    """
    if now <= later:
        return -math.inf
    return power * (now - later) / (now - resale) if now > resale else power


@dataclass(frozen=True)
class LoadSettings:
    """`power`: W when on. `critical`: limits shed it last of all.

    `stop_below`: W exported while it is on, below which it stops; None: a margin below what it has started from.
    """

    power: float
    least_on_s: float = 900.0
    least_off_s: float = 600.0
    critical: bool = False
    stop_below: float | None = None


@dataclass
class SwitchedLoad:
    """The rules' memory of one load."""

    settings: LoadSettings
    on: bool = False
    state: str = "off"
    why: str = ""
    by_sun: bool = False
    history: SurplusHistory = field(default_factory=SurplusHistory)
    above: Lasting = field(default_factory=Lasting)
    below: Lasting = field(default_factory=Lasting)
    room: Lasting = field(default_factory=Lasting)
    since: float = -math.inf
    shed: bool = False
    gap: float = 0.0
    """K that the room lacks of its set temperature; below 0 it is too warm."""
    age: float = 0.0
    """Seconds of the oldest reading in use."""
    _lacking: Lasting = field(default_factory=Lasting)
    _cramped: Lasting = field(default_factory=Lasting)
    _cramped_s: float = 0.0

    def step(self, now: float, available: float | None, threshold: float, wanted: bool, headroom: float) -> bool:
        """Takes a sample; True if the load is to be switched (see `on`).

        `available`: W that it could use, its own power included; None while the meter is silent. `wanted`: it is on for
        a reason of its own. `headroom`: VA that limits leave beside the rest of the house, itself not counted.
        """
        missing_va = 1.05 * self.settings.power - headroom
        room = missing_va <= 0
        self._cramped_s = self._cramped.update(now, not room)
        lasting_room = self.room.update(now, room)
        rest = self.settings.least_off_s - (now - self.since)
        if self.shed and (lasting_room < RESTORE_AFTER_S or rest > 0):
            self.state, self.why = "shed", self._is_shed(max(RESTORE_AFTER_S - lasting_room, rest), missing_va)
            return False
        self.shed = False
        if available is None:
            why = "Compteurs muets depuis {since} : l'appareil de {watts} W reste comme il est"
            self.why = Sentence(why, since=duration(self.age), watts=round(self.settings.power))
            return False
        steady = self.history.add(now, available)
        above = self.above.update(now, steady >= threshold)
        stop = self.settings.stop_below
        least = threshold - HYSTERESIS_W if stop is None else self.settings.power + stop - RESERVE_W
        below = self.below.update(now, steady < least)
        if wanted:
            return self._run(now, room, missing_va)
        if not self.on:
            return self._maybe_start(now, steady, threshold, above, missing_va)
        if not self.by_sun:
            watts = round(self.settings.power)
            return self._switch(now, False, Sentence("Arrêtée : plus demandée, {watts} W de moins", watts=watts))
        missing = min(least, self.settings.power) - steady
        held = self.settings.least_on_s - (now - self.since)
        if below >= STOP_AFTER_S and held <= 0:
            why = Sentence("Arrêtée : il manque {watts} W depuis {since}", watts=_least(missing), since=duration(below))
            return self._switch(now, False, why)
        self.state = "on"
        if below > 0 or steady < least:
            left = duration(max(held, STOP_AFTER_S - below))
            self.state = "held" if below >= STOP_AFTER_S else "on"
            why = "Il manque {watts} W depuis {since} ; arrêt dans {wait}"
            self.why = Sentence(why, watts=_least(missing), since=duration(below), wait=left)
        else:
            self.why = Sentence("En marche : {watts} W de surplus", watts=round(steady))
        return False

    def _run(self, now: float, room: bool, missing_va: float) -> bool:
        """It is wanted whatever the sun does."""
        self.by_sun = False
        why = Sentence("En marche : demandée, {watts} W", watts=round(self.settings.power))
        if not self.on and room:
            return self._switch(now, True, why)
        self.state, self.why = ("on", why) if self.on else ("waiting", self._no_room(missing_va))
        return False

    def _no_room(self, missing_va: float) -> Sentence:
        why = "Il manque {va} VA depuis {since} sous la limite de la maison pour ses {watts} W"
        since, watts = duration(self._cramped_s), round(self.settings.power)
        return Sentence(why, va=_least(missing_va), since=since, watts=watts)

    def _is_shed(self, rest: float, missing_va: float) -> Sentence:
        watts, wait = round(self.settings.power), duration(rest)
        if missing_va > 0:
            why = "Délestée de ses {watts} W : il manque {va} VA sous la limite de la maison ; retour {wait} après"
            return Sentence(why, watts=watts, va=_least(missing_va), wait=wait)
        why = "Délestée de ses {watts} W ; retour dans {wait} si la limite de la maison le permet"
        return Sentence(why, watts=watts, wait=wait)

    def _maybe_start(self, now: float, steady: float, threshold: float, above: float, missing_va: float) -> bool:
        missing, watts = threshold - steady, round(steady)
        since = self._lacking.update(now, missing > 0)
        self.state = "waiting"
        if missing > 0:
            why = "Il manque {watts} W depuis {since} ; marche après {wait} à {needed} W"
            needed = threshold if math.isfinite(threshold) else self.settings.power
            values = {"since": duration(since), "wait": duration(START_AFTER_S), "needed": round(needed)}
            self.why = Sentence(why, watts=_least(min(missing, needed - steady)), **values)
            return False
        if above < START_AFTER_S or self.above.since is None:
            rest = duration(START_AFTER_S - above)
            self.why = Sentence("{watts} W de surplus ; marche dans {wait}", watts=watts, wait=rest)
            return False
        held = self.settings.least_off_s - (now - self.since)
        if held > 0:
            why = "{watts} W de surplus ; durée minimale d'arrêt, encore {wait}"
            self.why = Sentence(why, watts=watts, wait=duration(held))
            return False
        if missing_va > 0:
            self.why = self._no_room(missing_va)
            return False
        self.by_sun = True
        return self._switch(now, True, Sentence("En marche : {watts} W de surplus", watts=watts))

    def give_way(self, now: float) -> bool:
        """A limit needs its power; True if it is to be switched off."""
        if not self.on:
            return False
        self.shed = True
        self.room.clear()
        self._switch(now, False, self._is_shed(max(RESTORE_AFTER_S, self.settings.least_off_s), 0.0))
        self.state = "shed"
        return True

    def _switch(self, now: float, on: bool, why: str) -> bool:
        self.on, self.since, self.why = on, now, why
        self.state = "on" if on else "off"
        self.above.clear()
        self.below.clear()
        return True


def _least(watts: float) -> int:
    """At least 1: what is missing is never said to be 0."""
    return max(1, round(watts))
