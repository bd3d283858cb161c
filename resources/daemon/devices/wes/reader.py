"""What each equipment takes out of a page, and which of it is new since the page before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jeedom_bridge.contract import Catalogue

from ..base import Connection, Equipment
from . import mapping
from .mapping import Facts, Probe
from .page import Page


@dataclass
class _Plan:
    equipment: Equipment
    section: str
    names: list[str]
    tags: list[str]
    before: list[str | None] = field(default_factory=list)
    facts: Facts = field(default_factory=dict)


class Reader:
    """Hands out the facts of equipment whose texts have changed: most of a page is as it was a second ago."""

    def __init__(self, catalogue: Catalogue, alive: list[str]) -> None:
        """`alive`: keys of the probes that are known to have measured something."""
        self._catalogue = catalogue
        self._plans: list[_Plan] = []
        self._probes: dict[str, Probe] = {key: Probe(alive=True) for key in alive}

    def adopt(self, connection: Connection) -> None:
        """Takes over the equipment there is; the next page counts as new."""
        sources = {kind: self._sources(kind) for kind in {each.type for each in connection.equipment}}
        self._plans = [_plan(each, sources[each.type]) for each in connection.equipment]

    def forget(self) -> None:
        """The next page counts as new, whatever it holds."""
        for plan in self._plans:
            plan.before, plan.facts = [], {}

    @property
    def alive(self) -> list[str]:
        """Keys of the probes that have measured something."""
        return sorted(key for key, probe in self._probes.items() if probe.alive)

    def read(self, page: Page, trusted: bool) -> Iterator[tuple[str, Facts]]:
        """(equipment id, facts that are new) of each equipment whose texts are not those of the page before."""
        for plan in self._plans:
            get = page.section(plan.section).get
            texts = [get(tag) for tag in plan.tags]
            if texts == plan.before:
                continue
            plan.before = texts
            found = self._facts(plan, {n: t for n, t in zip(plan.names, texts) if t is not None}, trusted)
            known = plan.facts
            fresh = {name: value for name, value in found.items() if known.get(name) != value}
            if fresh:
                plan.facts = found
                yield plan.equipment.id, fresh

    def _facts(self, plan: _Plan, texts: Mapping[str, str], trusted: bool) -> Facts:
        found = mapping.facts(plan.equipment.type, texts, trusted)
        if plan.equipment.type == "sonde" and "SONDE" in found:
            key = plan.equipment.key
            probe = self._probes.setdefault(key, Probe())
            temperature = plan.equipment.config.get("sondeMeasure", "temperature") == "temperature"
            value: Any = probe.measure(found["SONDE"], temperature)
            if probe.doubtful:
                plan.before = []  # the same text again confirms it
            return {} if value is None else {"SONDE": value}
        return found

    def _sources(self, kind: str) -> set[str]:
        rows = self._catalogue.all_rows(kind)
        return {row.source for row in rows if row.source and row.data["type"] == "info"}


def _plan(equipment: Equipment, sources: set[str]) -> _Plan:
    pairs = mapping.tags(equipment.type, equipment.key, sources)
    if equipment.type == "pince":
        pairs.append(("V", "V"))
    section = mapping.place(equipment.type, equipment.key)[0]
    return _Plan(equipment, section, [name for name, _ in pairs], [tag for _, tag in pairs])
