"""Who takes which part in the house: found from what every source measures, without asking.

Pure. The order of preference is data (`core/contract/roles.json`): of a role that one source takes, the first there is
wins and the others are kept to compare; of a role that adds, every equipment takes part with its best source. What
looks like a second meter of the same thing is proposed as a duplicate and never added; the user's word overrules both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .likeness import Series, likeness
from .ports import Reading, Source

SURE, CHECK, DUPLICATE = "sure", "check", "duplicate"
ADDED, IGNORED, CONFIRMED = "added", "ignored", "confirmed"
"""What the user can decide about a source: that it counts beside others, that it does not, that it rightly counts."""
DROPPED, BY_USER, KEPT = "écarté par vous", "ajouté par vous", "gardé pour comparer"
BY_USER_TOO = "confirmé par vous"
WAITS = "comparé pendant une heure avant d'être ajouté : il pourrait mesurer la même chose"
SECOND_METER = "un autre compteur du réseau : à confirmer s'il faut l'ajouter"
"""Why a source counts or not: French templates, as those of the rules."""


@dataclass(frozen=True)
class Role:
    """One source in one role. `used`: whether its values count; `why`: a French template and its values."""

    role: str
    source: Source
    used: bool
    confidence: str = SURE
    why: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    less: Source | None = None
    """A source, as a rule of the same equipment, whose value is subtracted."""
    rank: int = 0
    """Its place in the order of preference."""
    changes: bool = False
    """Whether its source sends changes only."""
    word: str = ""
    """What the user has decided about its source."""


@dataclass(frozen=True)
class Rule:
    """One line of an order of preference."""

    quantity: str
    per: str
    less: str
    of_other: bool
    """Whether `less` is what another equipment measures."""
    sure: bool
    why: str


@dataclass(frozen=True)
class Rules:
    """`core/contract/roles.json`: by role, whether several are added, and the order of preference."""

    adds: Mapping[str, bool]
    orders: Mapping[str, Sequence[Rule]]
    changes: frozenset[str]
    """Roles whose sources send changes only."""
    apart: frozenset[str]
    """Roles of which a second source counts only once it was seen to go its own way."""
    compare: Sequence[tuple[str, str, str]]
    """(role, role that it is compared with, French reason)."""
    without: Mapping[str, str]
    """By role: an equipment that measures this quantity does not take it."""

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Rules:
        """Raises KeyError if the data are not as described there."""
        orders = {
            each["role"]: tuple(
                Rule(
                    *(r["quantity"], r.get("per", "now"), r.get("less", ""), r.get("of") == "other"),
                    *(bool(r["sure"]), r.get("why", "")),
                )
                for r in each["from"]
            )
            for each in data["roles"]
        }
        adds = {each["role"]: each["count"] == "all" for each in data["roles"]}
        compare = tuple((each["role"], each["with"], each["why"]) for each in data["compare"])
        changes, apart = (frozenset(e["role"] for e in data["roles"] if e.get(name)) for name in ("changes", "apart"))
        without = {each["role"]: each["without"] for each in data["roles"] if "without" in each}
        return cls(adds, orders, changes, apart, compare, without)


class Topology:
    """Finds the roles, and remembers how the powers of sources went, to recognise what is measured twice."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._compared = {role for pair in rules.compare for role in pair[:2]}
        self._series: dict[str, Series] = {}
        self.known_apart: set[str] = set()
        """Pairs of sources ("key key", sorted) that were seen to go their own ways; kept over restarts."""
        self.decisions: dict[str, str] = {}
        """The user's word about a source, by its key."""

    def observe(self, readings: Iterable[Reading], roles: Iterable[Role], now: float) -> None:
        """Remembers the powers of now of all that is compared; to be called about once a minute or more often."""
        by_key = {each.source.key: each for each in readings}
        for role in roles:
            if role.role not in self._compared:
                continue
            power = power_of(role, by_key)
            if power is None or by_key[role.source.key].age(now) > self._series_of(role).slot_s:
                continue
            # A meter of the whole house is compared with what the grid gives: it cannot see what is injected.
            self._series_of(role).add(now, max(power, 0.0) if role.role == "grid.power" else power)

    def _series_of(self, role: Role) -> Series:
        return self._series.setdefault(role.source.key, Series())

    def roles(self, sources: Iterable[Source]) -> list[Role]:
        """All roles, the one in use first in each."""
        known = sorted(sources, key=lambda each: (each.equipment.zfill(12), each.command))
        by_quantity: dict[tuple[str, str], list[Source]] = {}
        for each in known:
            by_quantity.setdefault((each.quantity, each.per), []).append(each)
        found: list[Role] = []
        counted = [each for each in known if self.decisions.get(each.key) != IGNORED]
        for role, order in self._rules.orders.items():
            not_these = {each.equipment for each in known if each.quantity == self._rules.without.get(role)}
            found += self._choose(role, _candidates(role, order, known, counted, by_quantity, not_these))
        found = [replace(each, changes=True) if each.role in self._rules.changes else each for each in found]
        return [self._decided(each) for each in self._without_duplicates(self._only_apart(found))]

    def _decided(self, role: Role) -> Role:
        """What the user has decided is sure, as long as it is the case that was decided."""
        word = self._word(role)
        if word == CONFIRMED and role.used and role.confidence == CHECK:
            return replace(role, word=word, confidence=SURE, why=BY_USER_TOO)
        is_so = role.used if word == ADDED else word == IGNORED
        return replace(role, word=word, confidence=SURE if is_so else role.confidence)

    def _only_apart(self, roles: list[Role]) -> list[Role]:
        """Of roles whose sources are often the same thing measured twice, a further one waits to be compared."""
        # Who measures more of the same (its energy as well) is the better known one.
        told = Counter((each.source.equipment, each.role.split(".")[0]) for each in roles)
        result: list[Role] = []
        for each in sorted(roles, key=lambda e: -told[e.source.equipment, e.role.split(".")[0]]):
            others = [
                o for o in result if o.role == each.role and o.used and o.source.equipment != each.source.equipment
            ]
            compared = each.used and each.role in self._rules.apart and self._word(each) != ADDED
            if compared and not all(self._is_apart(each, other) for other in others):
                each = replace(each, used=False, confidence=CHECK, why=WAITS)
            result.append(each)
        order = {name: place for place, name in enumerate(self._rules.orders)}
        result.sort(key=lambda e: order[e.role])
        waiting = {(e.source.equipment, e.role.split(".")[0]) for e in result if e.why == WAITS}
        return [
            replace(e, used=False, confidence=CHECK, why=WAITS)
            if e.used and (e.source.equipment, e.role.split(".")[0]) in waiting and self._word(e) != ADDED
            else e
            for e in result
        ]

    def _is_apart(self, each: Role, other: Role) -> bool:
        pair = " ".join(sorted((each.source.key, other.source.key)))
        if pair not in self.known_apart:
            one, two = self._series.get(each.source.key), self._series.get(other.source.key)
            found = likeness(one, two) if one is not None and two is not None else None
            if found is None or found.is_same:
                return found is not None  # the same: called a duplicate further on
            self.known_apart.add(pair)
        return True

    def _choose(self, role: str, candidates: list[Role]) -> list[Role]:
        """Which of the candidates, the best first, count."""
        chosen: list[Role] = []
        taken: dict[str, int] = {}
        best = min((each.rank for each in candidates if self._word(each) != IGNORED), default=0)
        others = [each for each in candidates if each.rank == best and self._word(each) != IGNORED]
        main = others[0].source.equipment if others else ""
        for each in candidates:
            word = self._word(each)
            if word == IGNORED:
                chosen.append(replace(each, used=False, confidence=CHECK, why=DROPPED))
            elif self._rules.adds[role] and taken.setdefault(each.source.equipment, each.rank) == each.rank:
                chosen.append(replace(each, used=True))
            elif self._rules.adds[role]:
                chosen.append(replace(each, used=False, why=KEPT))
            elif each.rank == best and each.source.equipment == main:
                chosen.append(replace(each, used=True))
            elif word == ADDED:
                chosen.append(replace(each, used=True, why=BY_USER))
            else:
                same = each.rank == best
                why = SECOND_METER if same else KEPT
                chosen.append(replace(each, used=False, confidence=CHECK if same else SURE, why=why))
        return sorted(chosen, key=lambda each: not each.used)

    def _word(self, role: Role) -> str:
        return self.decisions.get(role.source.key, "")

    def _without_duplicates(self, roles: list[Role]) -> list[Role]:
        result = list(roles)
        for role, other, why in self._rules.compare:
            for place, each in enumerate(result):
                if each.role != role or self._word(each) == ADDED or not each.used:
                    continue
                before = result[:place] if role == other else result  # of two alike the first one stays
                twin = next((o for o in before if self._is_twin(each, o, other)), None)
                if twin is not None:
                    name = twin.source.name or twin.source.key
                    result[place] = replace(each, used=False, confidence=DUPLICATE, why=why, values={"other": name})
        duplicates = {each.source.equipment for each in result if each.confidence == DUPLICATE}
        return [self._follow(each, duplicates, result) for each in result]

    def _is_twin(self, each: Role, other: Role, role: str) -> bool:
        if other.role != role or not other.used or other.source.key == each.source.key:
            return False
        if other.role == each.role and other.source.equipment == each.source.equipment:
            return False
        one, two = self._series.get(each.source.key), self._series.get(other.source.key)
        found = likeness(one, two) if one is not None and two is not None else None
        return found is not None and found.is_same

    def _follow(self, each: Role, duplicates: set[str], roles: Sequence[Role]) -> Role:
        """The energies of an equipment whose power is a duplicate are one as well."""
        if not each.used or each.source.equipment not in duplicates or self._word(each) == ADDED:
            return each
        family = each.role.split(".")[0]
        for other in roles:
            same = other.source.equipment == each.source.equipment and other.role.split(".")[0] == family
            if same and other.confidence == DUPLICATE:
                return replace(each, used=False, confidence=DUPLICATE, why=other.why, values=other.values)
        return each


def _candidates(
    role: str,
    order: Sequence[Rule],
    sources: Sequence[Source],
    counted: Sequence[Source],
    by_quantity: Mapping[tuple[str, str], Sequence[Source]],
    not_these: Container[str],
) -> list[Role]:
    """Every source that could take a role, the best first. One from which another is subtracted has to find that.

    `counted`: those that the user does not ignore. `by_quantity`: the same sources by quantity and period.
    `not_these`: equipment that does not take this role.
    """
    found: list[Role] = []
    seen: set[str] = set()
    for rank, rule in enumerate(order):
        for source in by_quantity.get((rule.quantity, rule.per), ()):
            if source.key in seen or source.equipment in not_these:
                continue
            less = None
            if rule.less:
                less = _subtracted(rule, source, counted if rule.of_other else sources)
                if less is None:
                    continue
            if source.part and _has_whole(source, sources):
                continue
            seen.add(source.key)
            found.append(Role(role, source, False, SURE if rule.sure else CHECK, rule.why, {}, less, rank))
    return found


def _subtracted(rule: Rule, source: Source, among: Sequence[Source]) -> Source | None:
    for each in among:
        if each.quantity == rule.less and (each.equipment != source.equipment) == rule.of_other:
            return each
    return None


def _has_whole(part: Source, sources: Sequence[Source]) -> bool:
    """Whether the equipment tells the sum of its tariff's periods as well: both would count twice."""
    return any(
        (each.equipment, each.quantity, each.per, each.part) == (part.equipment, part.quantity, part.per, "")
        for each in sources
    )


def power_of(role: Role, readings: Mapping[str, Reading]) -> float | None:
    """The value of a role now (W for powers), what is subtracted taken off; None if a part of it is not there."""
    reading = readings.get(role.source.key)
    value = reading.number if reading is not None else None
    if role.less is None or value is None:
        return value
    other = readings.get(role.less.key)
    less = other.number if other is not None else None
    return None if less is None else value - less
