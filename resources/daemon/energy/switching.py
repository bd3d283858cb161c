"""A load that can only be switched: when the sun, a price or its owner wants it on, and when a limit holds it off.

Pure. Powers in W, prices in €/kWh, times in seconds of a clock that never steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .ports import Sentence
from .surplus import RESERVE_W, Lasting, SurplusHistory

START_AFTER_S, STOP_AFTER_S = 60.0, 120.0
HYSTERESIS_W = 200.0
RESTORE_AFTER_S = 300.0
SHED = Sentence("Délestée : la puissance souscrite est atteinte")


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

    def step(self, now: float, available: float | None, threshold: float, wanted: bool, headroom: float) -> bool:
        """Takes a sample; True if the load is to be switched (see `on`).

        `available`: W that it could use, its own power included; None while the meter is silent. `wanted`: it is on for
        a reason of its own. `headroom`: VA that limits leave beside the rest of the house, itself not counted.
        """
        room = headroom >= 1.05 * self.settings.power
        lasting_room = self.room.update(now, room)
        if self.shed and (lasting_room < RESTORE_AFTER_S or now - self.since < self.settings.least_off_s):
            self.state, self.why = "shed", SHED
            return False
        self.shed = False
        if available is None:
            self.why = Sentence("Aucune mesure récente : rien ne change")
            return False
        steady = self.history.add(now, available)
        above = self.above.update(now, steady >= threshold)
        stop = self.settings.stop_below
        least = threshold - HYSTERESIS_W if stop is None else self.settings.power + stop - RESERVE_W
        below = self.below.update(now, steady < least)
        if wanted:
            self.by_sun = False
            return self._switch(now, True, Sentence("En marche : demandée")) if not self.on and room else False
        if not self.on:
            return self._maybe_start(now, steady, threshold, above, room)
        if not self.by_sun:
            return self._switch(now, False, Sentence("Arrêtée : plus demandée"))
        if below >= STOP_AFTER_S:
            if now - self.since < self.settings.least_on_s:
                rest = self.settings.least_on_s - (now - self.since)
                self.state = "held"
                self.why = Sentence("Durée minimale de marche : encore {minutes} min", minutes=round(rest / 60))
                return False
            why = Sentence(
                "Arrêtée : {watts} W de surplus pour {wanted} W voulus", watts=round(steady), wanted=_finite(threshold)
            )
            return self._switch(now, False, why)
        return False

    def _maybe_start(self, now: float, steady: float, threshold: float, above: float, room: bool) -> bool:
        if above < START_AFTER_S or self.above.since is None:
            missing = min(threshold - steady, self.settings.power)
            self.state = "waiting"
            soon = Sentence("Départ dans {seconds} s", seconds=round(START_AFTER_S - above))
            self.why = Sentence("Il manque {watts} W", watts=round(missing)) if missing > 0 else soon
            return False
        if now - self.since < self.settings.least_off_s or not room:
            self.state = "waiting"
            self.why = Sentence("Durée minimale d'arrêt") if room else Sentence("La puissance souscrite manque")
            return False
        self.by_sun = True
        return self._switch(now, True, Sentence("En marche : {watts} W de surplus", watts=round(steady)))

    def give_way(self, now: float) -> bool:
        """A limit needs its power; True if it is to be switched off."""
        if not self.on:
            return False
        self.shed = True
        self.room.clear()
        self._switch(now, False, SHED)
        self.state = "shed"
        return True

    def _switch(self, now: float, on: bool, why: str) -> bool:
        self.on, self.since, self.why = on, now, why
        self.state = "on" if on else "off"
        self.above.clear()
        self.below.clear()
        return True


def _finite(watts: float) -> int:
    return round(min(max(watts, -1e9), 1e9))
