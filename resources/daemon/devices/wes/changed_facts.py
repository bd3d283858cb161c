"""Extracts the facts of each equipment from a page, and returns those that changed since the previous page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from jeedom_bridge.contract import Catalogue

from ..base import Connection, Equipment
from . import mapping
from .cgx_page import CgxPage
from .mapping import Facts, Origin
from .plausibility import News, PlausibilityCheck


@dataclass
class _Plan:
    equipment: Equipment
    section: str
    names: list[str]
    tags: list[str]
    before: list[str | None] = field(default_factory=list)
    facts: Facts = field(default_factory=dict)
    anew: bool = True


@dataclass(frozen=True)
class Change:
    """The changes of an equipment. `facts`: changed ones; None for one that is no longer known.

    `tariff`: the contract of its meter if it differs from the settings, else ''.
    """

    equipment: Equipment
    facts: Facts
    news: tuple[News, ...]
    tariff: str


class ChangedFacts:
    """Returns facts of equipment whose texts have changed: most of a page is unchanged."""

    def __init__(self, catalogue: Catalogue, plausibility: PlausibilityCheck) -> None:
        self._catalogue = catalogue
        self._plausibility = plausibility
        self._plans: list[_Plan] = []
        self._page: CgxPage | None = None
        """The previous page."""

    def adopt(self, connection: Connection) -> bool:
        """Sets the equipment; the next page counts as new. Returns whether there is equipment without facts yet."""
        sources = {kind: self._sources(kind) for kind in {each.type for each in connection.equipment}}
        known = {plan.equipment.id: plan.facts for plan in self._plans}
        self._plans = [_plan(each, sources[each.type], known.get(each.id, {})) for each in connection.equipment]
        return any(plan.equipment.id not in known for plan in self._plans)

    def publish_all(self) -> None:
        """Makes the next page return all facts, not only changed ones."""
        for plan in self._plans:
            plan.before, plan.anew = [], True

    def look_again(self) -> None:
        """Makes the next page pass the guards again, so that they know that unchanged values were read again."""
        for plan in self._plans:
            plan.before = []

    def shown(self) -> Iterator[str]:
        """Ids of the equipment that has facts in the last page."""
        return (plan.equipment.id for plan in self._plans if plan.facts)

    def read(self, page: CgxPage, origin: Origin, now: float) -> Iterator[Change]:
        """Yields the changes of each equipment whose texts differ from the previous page. `now`: Unix time."""
        same, self._page = page is self._page, page
        for plan in self._plans:
            if same and plan.before:
                continue
            get = page.section(plan.section).get
            texts = [get(tag) for tag in plan.tags]
            if texts == plan.before:
                continue
            found = mapping.facts(
                plan.equipment.type, {name: text for name, text in zip(plan.names, texts) if text is not None}, origin
            )
            judged = self._plausibility.check(plan.equipment, found, now)
            plan.before = [] if judged.doubtful else texts
            known, plan.facts = plan.facts, judged.facts
            fresh = {name: value for name, value in plan.facts.items() if plan.anew or known.get(name) != value}
            fresh.update(dict.fromkeys(known.keys() - plan.facts.keys()))
            plan.anew = False
            yield Change(plan.equipment, fresh, judged.news, judged.tariff)

    def _sources(self, kind: str) -> set[str]:
        rows = self._catalogue.all_rows(kind)
        return {row.source for row in rows if row.source and row.data["type"] == "info"}


def _plan(equipment: Equipment, sources: set[str], known: Facts) -> _Plan:
    pairs = mapping.tags(equipment.type, equipment.key, sources)
    if equipment.type == "pince":
        pairs.append(("V", "V"))
    section = mapping.place(equipment.type, equipment.key)[0]
    return _Plan(equipment, section, [name for name, _ in pairs], [tag for _, tag in pairs], facts=known)
