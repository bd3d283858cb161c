"""The circuit of one charger: a limit that ends by itself, the phases that it leaves, and who else sets them. Pure.

Times are seconds of a clock that never steps, but for what is kept, which is in Unix time.
"""

from __future__ import annotations

import math

from ..charging import ChargePoint
from ..control.guard import LASTS_S, Guard
from ..control.inputs import ChargerNow
from ..control.settings import FREE, LEAST_A, USUAL_V, PointSettings, PointState
from ..control.troubles import Troubles
from ..ports import Acts, Sentence
from . import offer

REFUSED_S = 3600.0
"""A circuit that could not be changed is left alone for so long."""


class Net:
    """Of one charge point, whose state it keeps up to date."""

    def __init__(self, charger: str, state: PointState) -> None:
        self.guard = Guard(charger)
        self.guard.restore(state.guard_a, state.phases or 3)
        self.state = state
        self.house_phases = 1
        self.limit_a: float | None = None
        """A that a phase of the house may carry, if that is known."""
        self._refused = ""
        self._refused_at = -math.inf

    def see(self, house_phases: int, subscribed: float | None, monotonic: float) -> None:
        """What is known of the house; `subscribed`: VA of all its phases."""
        self.house_phases = house_phases
        if monotonic - self._refused_at >= REFUSED_S:
            self._refused = ""
        self.limit_a = math.floor(subscribed / house_phases / USUAL_V) if subscribed else None

    def obstacle(self, settings: PointSettings, seen: ChargerNow | None) -> Sentence | None:
        """Why phases are not changed here; None if they may be."""
        shared = bool(settings.circuit)
        return offer.obstacle(seen, self.house_phases, settings.phases, shared, self.limit_a, self._refused)

    def may_switch(self, settings: PointSettings, seen: ChargerNow | None, rules: ChargePoint | None) -> bool:
        """Whether a charge may change phases. What ends that does so when no current is offered."""
        goes_on = rules is not None and rules.settings.switching and rules.amps > 0
        return goes_on or (settings.switching and self.obstacle(settings, seen) is None)

    def said(self, settings: PointSettings, seen: ChargerNow | None, rules: ChargePoint, monotonic: float) -> Sentence:
        """What there is to say of the phases, in one sentence."""
        why_not = None if rules.settings.switching else self.obstacle(settings, seen)
        return offer.said(settings.switching, why_not, rules.change, rules.phases, monotonic)

    def is_theirs(self, before: ChargerNow | None, found: ChargerNow, monotonic: float) -> bool:
        """Whether somebody else has just set the circuit's limits, or the phase mode; nothing is renewed then."""
        fixed = before is not None and before.may_change is True and found.may_change is False
        if not (self.guard.hear(monotonic, found.circuit_told, found.opened) or fixed):
            return False
        self.guard.drop()
        return True

    def recall(self, rules: ChargePoint, now: float, monotonic: float) -> None:
        """The changes of phases before a start of the daemon, or of the rules."""
        rules.change.recall([monotonic - (now - each) for each in self.state.phase_changes])

    def adopt(self, rules: ChargePoint, opened: int | None, now: float) -> bool:
        """After a start of the daemon, with the same car; True if somebody else has changed the circuit meanwhile."""
        rules.change.locked = self.state.phases_locked
        ours = self.state.phases
        return bool(ours and opened and opened != ours and now < self.state.circuit_until)

    def note(self, troubles: Troubles, settings: PointSettings, rules: ChargePoint) -> None:
        """Tells once that a car does not change its phases."""
        troubles.note(
            f"phases:{settings.id}",
            rules.change.locked,
            "La voiture à la borne « {name} » ne change pas de phases : elle charge comme elle est",
            "Une autre voiture est à la borne « {name} » : elle peut changer de phases",
            settings.name,
        )

    def keep(self, rules: ChargePoint, now: float, monotonic: float) -> None:
        """What is to be kept while it is driven."""
        state, change = self.state, rules.change
        state.phases = rules.phases if rules.settings.switching else 0
        state.phases_locked = change.locked
        if len(state.phase_changes) != len(change.changes):
            state.phase_changes = [round(now - (monotonic - each), 1) for each in change.changes]

    def follow(
        self,
        settings: PointSettings,
        rules: ChargePoint,
        seen: ChargerNow | None,
        fulfilled: bool,
        most: int,
        now: float,
        monotonic: float,
        acts: Acts,
    ) -> None:
        """Renews the limit of the circuit, or lifts it. `seen`: None unless the charger is driven and a car is there.

        `fulfilled`: whether the charger shows the current that is wanted.
        """
        guard = self.guard
        if seen is not None and rules.settings.switching:
            theirs = monotonic < rules.taken_over_until and not guard.up
            if theirs or not seen.reachable:
                return  # the circuit is somebody else's, or nobody sees what becomes of it
        phases = self._phases(rules, fulfilled, seen.opened) if seen is not None else 3
        wanted = seen is not None and seen.reachable and (settings.guard or phases == 1)
        if not (wanted or guard.up):
            return
        if guard.follow(monotonic, circuit_a(settings, seen, most) if wanted else None, acts, phases):
            self.state.circuit_until = now + LASTS_S if phases == 1 else 0.0
        if guard.phases == 1 and guard.failures >= offer.REFUSALS and seen is not None and seen.opened != 1:
            self._refused, self._refused_at = guard.failure or "?", monotonic
            guard.drop()

    def _phases(self, rules: ChargePoint, fulfilled: bool, opened: int | None) -> int:
        """Those that the circuit is to have: three only once the charger shows a current that is meant for three."""
        single = self.guard.up and self.guard.phases == 1 and opened == 1
        if not rules.settings.switching:
            return 1 if single and rules.amps > 0 else 3
        return 1 if single and not fulfilled else rules.phases

    def waits(self, settings: PointSettings, adopted: bool) -> bool:
        """Whether the charger has not told yet, after a start of the daemon, if a car is there."""
        has_net = settings.guard or self.guard.phases == 1
        return self.guard.up and not adopted and has_net and self.state.mode != FREE


def circuit_a(settings: PointSettings, seen: ChargerNow | None, most: int) -> int:
    """A of the circuit: what the charger tells of it, or the user, else what the charger may take."""
    told = seen.circuit_most if seen is not None else None
    known = [each for each in (told, settings.circuit_a) if each is not None and each >= LEAST_A]
    return int(min(known)) if known else most
