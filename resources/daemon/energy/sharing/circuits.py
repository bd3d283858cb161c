"""Circuits that several chargers share: the sum of their currents is bounded. Pure; currents in A."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ..charging import ChargePoint
from ..limits import LEAST_A
from .charger import NOW, OFF

FREE_A = 1000
"""Of a charger whose circuit is not known, or its own."""


class Told(Protocol):
    """A charger's reading, as far as its circuit matters."""

    @property
    def plugged(self) -> bool:
        """Whether a car is there."""
        ...

    @property
    def must_run(self) -> bool:
        """Whether a plan wants it to charge now."""
        ...


def room(
    name: str,
    order: Sequence[str],
    chargers: Mapping[str, ChargePoint],
    told: Mapping[str, Told],
    taken: Mapping[str, float],
    share: bool,
) -> int:
    """What its circuit leaves to a charger beside those that come before it in `order`.

    `taken`: what chargers draw that nobody drives, by circuit. With `share`, no charger that waits is kept below an
    equal part. One that lowers does so in the same step in which another may raise.
    """
    settings = chargers[name].settings
    if not settings.circuit:
        return FREE_A
    members = [each for each in order if each in chargers and chargers[each].settings.circuit == settings.circuit]
    bounds = [chargers[each].settings.circuit_a for each in members]
    known = [each for each in bounds if each is not None]
    if not known:
        return FREE_A
    whole = int(min(known) - taken.get(settings.circuit, 0.0))
    here = [each for each in members if each in told and told[each].plugged]
    before = here[: here.index(name)] if name in here else here
    left = whole - sum(chargers[each].amps for each in before)
    wanting = [each for each in here if chargers[each].amps or _wants(chargers[each], told[each])]
    if share and name in wanting:
        part = max(LEAST_A, whole // len(wanting))
        others = sum(_kept_for(chargers[each], told[each], part) for each in wanting if each != name)
        left = min(max(part, whole - others), left)
    return max(0, left)


def _kept_for(charger: ChargePoint, told: Told, part: int) -> int:
    """A that are kept for one that shares: its part if it would take it, else what it has."""
    return min(part, charger.settings.max_a) if _wants(charger, told) else charger.amps


def _wants(charger: ChargePoint, told: Told) -> bool:
    mode = charger.settings.mode
    return mode != OFF and (mode == NOW or told.must_run) and charger.state != "noDemand"
