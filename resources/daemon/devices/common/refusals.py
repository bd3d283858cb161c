"""What was refused, how far that reaches, when to try again, and when to report it to the user.

A status code alone says little: 401, 403, 404 and 429 all come for passing reasons. What is known is the evidence:
which request was refused, for which device, with which credential, and whether others went through at the same time. A
book of refusals keeps that, over restarts, so that a restart neither forgets a block nor makes it longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from jeedom_bridge.clock import Clock

from ..base import Memory
from .numbers import finite

LONGEST_S = 7 * 86400.0
"""A wait that lies further ahead comes from a clock that was stepped, or from nonsense: it is over."""


class Scope(Enum):
    """How far a refusal reaches, from least to most."""

    PIECE = "piece"
    """One part of an answer, such as a series or a line."""
    REQUEST = "request"
    """One endpoint, or one kind of action."""
    EQUIPMENT = "equipment"
    """Everything about one device."""
    CREDENTIAL = "credential"
    """The account, session or token."""
    ADDRESS = "address"
    """Everything from this machine's public address, whatever the account."""


@dataclass(frozen=True)
class Policy:
    """How long to wait after the first, second, ... refusal in a row, in seconds; the last one repeats.

    `tell_after`: the refusal in a row that is reported to the user (1: the first), once the row has lasted
    `tell_after_s` seconds. `margin_s`: added to a wait that the vendor told, since one request too early
    makes some blocks longer.
    """

    waits_s: Sequence[float]
    tell_after: int = 1
    margin_s: float = 0.0
    tell_after_s: float = 0.0


@dataclass(frozen=True)
class Refusal:
    """A refusal that stands. Times in Unix time; `count`: refusals in a row; `reason`: a short code for logs."""

    scope: Scope
    key: str
    reason: str
    since: float
    last: float
    until: float
    count: int
    told: bool = False


class Refusals:
    """The refusals of one connection (or, with a memory that connections share, of all of a backend).

    Each test of a form and each running connection has its own object over the same memory; it is read each time.
    """

    def __init__(self, memory: Memory, clock: Clock, policies: Mapping[Scope, Policy], name: str = "refusals") -> None:
        """`policies`: for each scope that `note` is called with. `name`: the key in `memory`."""
        self._memory = memory
        self._clock = clock
        self._policies = policies
        self._name = name

    def note(self, scope: Scope, key: str, reason: str, wait_s: float | None = None) -> Refusal:
        """One more refusal of `key`. `wait_s`: what the vendor asked for, if it did.

        A longer wait that is already noted stays: of two answers under way at the same time the later may say less.
        """
        now = self._clock.time()
        policy = self._policies[scope]
        before = self.standing(scope, key)
        count = before.count + 1 if before else 1
        own = self.own_wait_s(scope, count)
        until = now + (own if wait_s is None else max(wait_s, 1.0) + policy.margin_s)
        if before is not None and wait_s is not None:
            until = max(until, before.until)
        noted = Refusal(
            scope,
            key,
            reason,
            before.since if before else now,
            now,
            min(until, now + LONGEST_S),
            count,
            before.told if before else False,
        )
        self._keep(noted)
        return noted

    def own_wait_s(self, scope: Scope, count: int) -> float:
        """The policy's wait after so many refusals in a row, in seconds."""
        waits_s = self._policies[scope].waits_s
        return waits_s[min(count, len(waits_s)) - 1]

    def to_tell(self, refusal: Refusal) -> bool:
        """True once for each row of refusals: when it has lasted as long as the policy says."""
        policy = self._policies[refusal.scope]
        if refusal.told or refusal.count < policy.tell_after or refusal.last - refusal.since < policy.tell_after_s:
            return False
        self._keep(replace(refusal, told=True))
        return True

    def over(self, scope: Scope, key: str) -> Refusal | None:
        """A request went through that proves the refusal over. Returns what stood until now, None if nothing did."""
        before = self.standing(scope, key)  # most requests go through, and nothing stands
        if before is not None:
            book = self._book()
            book.pop(_place(scope, key), None)
            self._write(book)
        return before

    def wait_s(self, scope: Scope, key: str) -> float:
        """Seconds until the next try makes sense; 0 if it may be made now."""
        standing = self.standing(scope, key)
        rest = standing.until - self._clock.time() if standing else 0.0
        return rest if 0 < rest <= LONGEST_S else 0.0

    def standing(self, scope: Scope, key: str) -> Refusal | None:
        """The refusal of `key` that nothing has proved over yet."""
        kept = self._memory.get(self._name)
        found = _parsed(kept.get(_place(scope, key))) if isinstance(kept, Mapping) else None
        return found if found is not None and (found.scope, found.key) == (scope, key) else None

    def all(self, scope: Scope) -> list[Refusal]:
        """All refusals of a scope that stand."""
        return [each for each in self._book().values() if each.scope is scope]

    def _keep(self, refusal: Refusal) -> None:
        book = self._book()
        book[_place(refusal.scope, refusal.key)] = refusal
        self._write(book)

    def _book(self) -> dict[str, Refusal]:
        kept = self._memory.get(self._name)
        entries = kept if isinstance(kept, Mapping) else {}
        found = (_parsed(each) for each in entries.values())
        return {_place(each.scope, each.key): each for each in found if each is not None}

    def _write(self, book: Mapping[str, Refusal]) -> None:
        if book:
            entries = {place: {**asdict(each), "scope": each.scope.value} for place, each in book.items()}
            self._memory.keep(self._name, entries)
        else:
            self._memory.delete(self._name)


def _place(scope: Scope, key: str) -> str:
    return f"{scope.value} {key}"


def _parsed(kept: Any) -> Refusal | None:
    if not isinstance(kept, Mapping):
        return None
    since, last, until, count = (finite(kept.get(name)) for name in ("since", "last", "until", "count"))
    if since is None or last is None or until is None or count is None:
        return None
    try:
        scope = Scope(kept.get("scope"))
    except ValueError:
        return None
    told = kept.get("told") is True
    return Refusal(scope, str(kept.get("key")), str(kept.get("reason")), since, last, until, int(count), told)
