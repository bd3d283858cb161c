"""What each equipment takes out of a page, and which of it is new since the page before."""

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
    """What is new about an equipment. `facts`: those that changed; None for one that is no longer known.

    `tariff`: the contract that its meter is on if it is not the one of its settings, else ''.
    """

    equipment: Equipment
    facts: Facts
    news: tuple[News, ...]
    tariff: str


class ChangedFacts:
    """Hands out the facts of equipment whose texts have changed: most of a page is as it was a second ago."""

    def __init__(self, catalogue: Catalogue, plausibility: PlausibilityCheck) -> None:
        self._catalogue = catalogue
        self._plausibility = plausibility
        self._plans: list[_Plan] = []

    def adopt(self, connection: Connection) -> None:
        """Takes over the equipment there is; the next page counts as new."""
        sources = {kind: self._sources(kind) for kind in {each.type for each in connection.equipment}}
        known = {plan.equipment.id: plan.facts for plan in self._plans}
        self._plans = [_plan(each, sources[each.type], known.get(each.id, {})) for each in connection.equipment]

    def publish_all(self) -> None:
        """Of the next page all facts are handed out, not only those that changed."""
        for plan in self._plans:
            plan.before, plan.anew = [], True

    def look_again(self) -> None:
        """The next page is judged anew, so that the guards know that what has not changed was read again."""
        for plan in self._plans:
            plan.before = []

    def shown(self) -> Iterator[str]:
        """Ids of the equipment of which the last page told something."""
        return (plan.equipment.id for plan in self._plans if plan.facts)

    def read(self, page: CgxPage, origin: Origin, now: float) -> Iterator[Change]:
        """What is new of each equipment whose texts are not those of the page before. `now`: Unix time."""
        for plan in self._plans:
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
