"""Whether a charge may change its phases here, and why not. Pure; currents in A."""

from __future__ import annotations

from typing import Protocol

from ..ports import Sentence
from .phases import MOST_CHANGES, PhaseChange
from .words import duration, figure

REFUSALS = 2
"""Failures in a row after which a circuit counts as one that is not changed for now."""


class Told(Protocol):
    """What a charger tells of its phases; None: not told."""

    @property
    def may_change(self) -> bool | None:
        """Whether its grid and its settings allow a change."""
        ...

    @property
    def obstacle(self) -> str:
        """What stands against it, in the words of its catalogue."""
        ...

    @property
    def opened(self) -> int | None:
        """Phases that its circuit leaves."""
        ...

    @property
    def offline_a(self) -> float | None:
        """A of each phase that its circuit falls to when nobody renews its limits."""
        ...


def obstacle(
    told: Told | None, house_phases: int, chosen: int, shared: bool, limit_a: float | None, refused: str
) -> Sentence | None:
    """Why no phases are changed; None if they may be.

    `chosen`: phases of the user's setting, 0 if they are recognized; `shared`: whether the circuit has other chargers;
    `limit_a`: what a phase of the house may carry; `refused`: why the charger does not do it.
    """
    if house_phases != 3:
        return Sentence("aucun compteur ne donne les trois phases de la maison")
    if chosen == 1:
        return Sentence("le réglage « Phases de la charge » dit une")
    if shared:
        return Sentence("son circuit est partagé avec d'autres bornes")
    if told is None or told.may_change is None or told.opened is None:
        return Sentence("la borne ne dit pas les phases de son circuit")
    if not told.may_change:
        return Sentence(told.obstacle.replace("{", "(").replace("}", ")") or "la borne ne le permet pas")
    if told.offline_a is None:
        return Sentence("la borne ne dit pas la limite hors ligne de son circuit")
    if limit_a is not None and told.offline_a > limit_a:
        return Sentence(
            "sans démon, le circuit passerait à {offline} A par phase, plus que les {limit} A de la maison ; réglez la "
            "limite hors ligne de la borne",
            offline=figure(told.offline_a),
            limit=figure(limit_a),
        )
    return Sentence("la borne a refusé ({failure})", failure=refused) if refused else None


def said(wanted: bool, why_not: Sentence | None, change: PhaseChange, phases: int, now: float) -> Sentence:
    """What there is to say of the phases of a charge, in one sentence."""
    if not wanted:
        return Sentence("Changement de phases non demandé")
    if why_not is not None:
        return Sentence("Pas de changement de phases : {why}", why=why_not)
    if change.locked:
        return Sentence("La voiture n'a pas changé de phases : plus d'essai avant son débranchement")
    wait, count = change.wait(now, up=phases == 1), len(change.changes)
    if wait == float("inf"):
        why = "{count:changement|changements} de phases en 24 h, sur {most} : une phase jusqu'à demain"
        return Sentence(why, count=count, most=MOST_CHANGES)
    if wait > 0:
        why = "{count:changement|changements} de phases en 24 h, sur {most} ; pas d'autre avant {wait}"
        return Sentence(why, count=count, most=MOST_CHANGES, wait=duration(wait))
    return Sentence("{count:changement|changements} de phases en 24 h, sur {most}", count=count, most=MOST_CHANGES)
