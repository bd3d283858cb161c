"""One phase or three: when a charge may change between them, and whether it has. Pure.

A charger changes phases by the limits of its circuit. It opens its relays for that by itself, and the charge begins
again seconds later; some cars and chargers stay on one phase until the charge is paused, which is tried once. Powers in
W, times in seconds of a clock that never steps.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..limits import LEAST_A, START_A
from ..ports import Sentence
from ..surplus import Lasting
from .words import duration

UP_AFTER_S, UP_MARGIN_W = 300.0, 200.0
"""Back to one phase it goes when the charge would have to stop: a kettle alone changes nothing."""
HEADROOM_AFTER_S = 60.0
"""So long limits must leave three phases before a charge with all that there is takes them."""
REST_S = 600.0
"""Least seconds between two changes."""
MOST_CHANGES, DAY_S = 12, 86400.0
CIRCUIT_S = 120.0
"""By then the limits of the circuit have changed, or they will not."""
SETTLE_S, IDLE_S = 60.0, 180.0
"""By then a charge that flows flows on the phases that it has; by then one that has stopped for the change flows."""
PAUSE_S = 30.0
MOST_TRIES = 2

_CIRCUIT, _CURRENT, _PAUSE = "circuit", "current", "pause"


@dataclass(frozen=True)
class Wants:
    """What the user and the sun want of a charge. `least`: W of one phase at the least current."""

    at_full: bool = False
    """All that limits leave; `chosen`: the user has just said so."""
    chosen: bool = False
    minimum: bool = False
    """It goes on at the least current without any sun."""
    ends: bool = False
    """It would be stopped now for lack of sun."""
    least: float = 0.0


@dataclass(frozen=True)
class Moment:
    """What is known. `opened`: phases of the circuit; `in_use`: those that carry a current, None if none does.

    `caps`: A that limits allow on one phase and on three; `steady`: W of surplus, None if it is not known.
    """

    amps: int
    phases: int
    opened: int | None
    in_use: int | None
    caps: tuple[int, int]
    steady: float | None
    wants: Wants = Wants()


@dataclass(frozen=True)
class Step:
    """What is wanted from now on. `holds`: nothing else is decided in this sample."""

    amps: int
    phases: int
    state: str
    why: Sentence
    holds: bool = True


@dataclass
class PhaseChange:
    """The memory of one charger's phases. `changes`: when they were changed in the last day."""

    up: Lasting = field(default_factory=Lasting)
    more: Lasting = field(default_factory=Lasting)
    """Limits leave enough for three phases."""
    changed_at: float = -math.inf
    changes: deque[float] = field(default_factory=deque)
    locked: bool = False
    """The car does not change its phases: nothing more is tried before it is unplugged."""
    tries: int = 0
    odd: int | None = None
    """Phases that have flowed for a while, if they are not those that are wanted."""
    _odd: Lasting = field(default_factory=Lasting)
    _awaits: Lasting = field(default_factory=Lasting)
    """The circuit has other phases than a charge that is to begin."""
    _waited: float = 0.0
    _stage: str = ""
    _since: float = -math.inf
    _begun_at: float = -math.inf

    @property
    def under_way(self) -> bool:
        """Whether a change has begun that is not proved yet."""
        return self._stage != ""

    def look(self, now: float, steady: float, least: float, charging: bool) -> None:
        """Takes the steady surplus; `least`: W of one phase at the least current."""
        self.up.update(now, charging and steady >= 3 * least + UP_MARGIN_W)

    def clear(self) -> None:
        """What was seen before no longer counts."""
        for each in (self.up, self.more):
            each.clear()

    def forget_car(self) -> None:
        """Another car."""
        self.clear()
        self._odd.clear()
        self.odd = None
        self.locked, self.tries, self._stage = False, 0, ""

    def wait(self, now: float, up: bool) -> float:
        """Seconds until phases may be changed; infinity if that is not before tomorrow, or not with this car.

        The last change of a day is kept for the way back to one phase.
        """
        while self.changes and self.changes[0] <= now - DAY_S:
            self.changes.popleft()
        if up and self.locked:
            return math.inf
        if len(self.changes) > MOST_CHANGES - (2 if up else 1):
            return math.inf
        return max(0.0, REST_S - (now - self.changed_at))

    def begin(self, now: float) -> None:
        """Phases are changed now."""
        self.changed_at = self._since = self._begun_at = now
        self.changes.append(now)
        self._stage = _CIRCUIT
        self.clear()

    def drop(self) -> None:
        """Nobody waits for the change any more."""
        self._stage = ""

    def recall(self, changes: Iterable[float]) -> None:
        """What must outlive a restart of the daemon: when phases were changed."""
        self.changes = deque(sorted(changes)[-MOST_CHANGES:])
        self.changed_at = self.changes[-1] if self.changes else -math.inf

    # A sample.

    def decide(self, now: float, seen: Moment) -> Step | None:
        """What becomes of the phases; None: nothing now, and the other rules go on."""
        odd = seen.in_use is not None and seen.in_use != seen.phases and not self.under_way
        self.odd = seen.in_use if self._odd.update(now, odd) >= SETTLE_S else None
        self._waited = self._awaits.update(now, seen.amps == 0 and seen.opened != seen.phases)
        if self.under_way:
            step = self._go_on(now, seen)
            if step is not None or self.under_way:
                return step
        opened = seen.opened
        if seen.amps and opened is not None and opened != seen.phases:
            self.changed_at = now  # nobody has asked for it: its relays rest all the same
            self.clear()
            amps = min(seen.amps, START_A) if opened == 3 else seen.amps
            return Step(
                amps, opened, "charging", Sentence("Le circuit a changé de phases de lui-même : {amps} A", amps=amps)
            )
        self.locked = self.locked or (self.odd == 1 and seen.phases == 3)
        if seen.amps and self.locked and seen.phases == 3 and self.wait(now, up=False) <= 0:
            return self._begin(now, seen.amps, 1)
        if seen.wants.at_full:
            return self._at_full(now, seen)
        if seen.steady is None:
            return None
        if seen.amps == 0:
            return self._at_rest(now, seen, seen.steady)
        return self._by_sun(now, seen)

    def _by_sun(self, now: float, seen: Moment) -> Step | None:
        _, three = seen.caps
        lasts = self.up.since is not None and now - self.up.since >= UP_AFTER_S
        if seen.phases == 1 and lasts and three >= START_A and self.wait(now, up=True) <= 0:
            return self._begin(now, START_A, 3)
        lacks = seen.wants.ends and seen.steady is not None and (seen.steady >= seen.wants.least or seen.wants.minimum)
        if seen.phases == 3 and lacks and self.wait(now, up=False) <= 0:
            return self._begin(now, START_A if three >= START_A else LEAST_A, 1)
        return None

    def _at_rest(self, now: float, seen: Moment, steady: float) -> Step | None:
        """Nothing is offered: what begins by the sun begins on one phase."""
        if seen.phases == 1:
            return None if seen.opened == 1 else Step(0, 1, "waiting", _waits_for_circuit(steady, 1, self._waited))
        if seen.opened == 1:
            return Step(0, 1, "waiting", _waits_for_circuit(steady, 1, self._waited), holds=False)
        rest = self.wait(now, up=False)
        if rest > 0:
            why = "{watts} W de surplus ; une phase dans {wait}"
            return Step(0, seen.phases, "waiting", Sentence(why, watts=round(steady), wait=duration(rest)))
        self._begin(now, 0, 1)
        return Step(0, 1, "waiting", _waits_for_circuit(steady, 1, self._waited))

    def _at_full(self, now: float, seen: Moment) -> Step | None:
        """All that limits leave: three phases if they leave enough for them."""
        _, three = seen.caps
        best = 3 if three >= LEAST_A and not self.locked else 1
        if seen.amps == 0:
            if best != seen.phases and seen.opened != best:
                if self.wait(now, up=best == 3) > 0:
                    best = seen.phases
                else:
                    self._begin(now, 0, best)
            if seen.opened == best:
                return (
                    None
                    if best == seen.phases
                    else Step(0, best, "waiting", _waits_for_circuit(None, best, self._waited), holds=False)
                )
            return Step(0, best, "waiting", _waits_for_circuit(None, best, self._waited))
        enough = self.more.update(now, best == 3 and seen.phases == 1 and three >= START_A)
        if (
            self.more.since is not None
            and (seen.wants.chosen or enough >= HEADROOM_AFTER_S)
            and self.wait(now, up=True) <= 0
        ):
            return self._begin(now, START_A, 3)
        return None

    def _begin(self, now: float, amps: int, phases: int) -> Step:
        self.begin(now)
        return Step(amps, phases, "switching", self._why(now, phases, amps))

    def _go_on(self, now: float, seen: Moment) -> Step | None:
        """A change under way; None once it is over."""
        cap = seen.caps[1] if seen.phases == 3 else seen.caps[0]
        amps = seen.amps
        if self._stage == _CIRCUIT:
            if seen.opened == seen.phases:
                self._stage, self._since = _CURRENT, now
            elif now - self._begun_at >= CIRCUIT_S:
                return self._fail(now, seen)
        elif self._stage == _PAUSE and now - self._since >= PAUSE_S:
            self._stage, self._since = _CURRENT, now
            amps = START_A if cap >= START_A else 0
            if amps:
                return Step(amps, seen.phases, "switching", self._why(now, seen.phases, amps))
        if self._stage == _CURRENT:
            if seen.in_use == seen.phases or seen.amps == 0:
                self._stage, self.tries = "", 0
                return None
            if now - self._since >= (IDLE_S if seen.in_use is None else SETTLE_S):
                return self._fail(now, seen)
            if amps == LEAST_A and cap >= START_A:
                amps = START_A  # with less some chargers do not begin again
        if self._stage == _PAUSE:
            amps = 0
        return Step(amps, seen.phases, "switching", self._why(now, seen.phases, amps))

    def _fail(self, now: float, seen: Moment) -> Step:
        self.tries += 1
        if self._stage == _CURRENT and self.tries < MOST_TRIES:
            self._stage, self._since = _PAUSE, now
            return Step(0, seen.phases, "switching", self._why(now, seen.phases, 0))
        phases = seen.phases if self._stage == _CURRENT else seen.opened or (1 if seen.phases == 3 else 3)
        self._stage, self.locked = "", self.tries >= MOST_TRIES
        since = duration(now - self._begun_at)
        why = "Les phases n'ont pas changé en {since} : la charge continue à {amps} A"
        return Step(seen.amps, phases, "charging", Sentence(why, since=since, amps=seen.amps))

    def _why(self, now: float, phases: int, amps: int) -> Sentence:
        since = duration(now - self._begun_at)
        if self._stage == _PAUSE:
            wait = duration(PAUSE_S - (now - self._since))
            why = "La voiture n'a pas changé de phases après {since} : 0 A pendant {wait}, puis un nouvel essai"
            return Sentence(why, since=since, wait=wait)
        if phases == 3:
            return Sentence("Passage à trois phases à {amps} A depuis {since}", amps=amps, since=since)
        return Sentence("Passage à une phase à {amps} A depuis {since}", amps=amps, since=since)


def _waits_for_circuit(steady: float | None, phases: int, since: float) -> Sentence:
    """Nothing is offered before the circuit has the phases of the charge, for which it has waited so many seconds."""
    waits = duration(since)
    if phases == 3:
        why = "Départ à {amps} A dès que le circuit a trois phases, attendues depuis {since}"
        return Sentence(why, amps=START_A, since=waits)
    if steady is None:
        why = "Départ à {amps} A dès que le circuit est à une phase, attendue depuis {since}"
        return Sentence(why, amps=START_A, since=waits)
    why = "{watts} W de surplus ; le circuit passe à une phase depuis {since}"
    return Sentence(why, watts=max(0, round(steady)), since=waits)
