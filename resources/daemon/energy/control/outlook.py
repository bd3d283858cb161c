"""What the page of a charge point shows in one answer: now and why, its goal, a day of prices and sun, its charges.

Pure apart from the book that is read. Powers in W, energies in kWh, money in €, currents in A, moments in Unix time
where they come in and in ISO 8601 where they go out. None: not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Callable, Protocol

from ..balance import Charge
from ..ledger.cells import SLOT_S as INTERVAL_S
from ..ledger.intervals import PriceBook
from ..ledger.row import Interval
from ..live import Live
from ..planner import SLOT_S
from .point import ECONOMIC, Point
from .settings import LEAST_A

BACK_S, AHEAD_S = 12 * 3600, 24 * 3600
"""The chart goes back to midnight, but no further than so, and so far ahead."""
MOST_SESSIONS = 8
LONGEST_SESSION_S = 7 * 86400.0
"""What a car that stayed plugged for longer took before is left out of its cost, which is then not known."""
COVERED = 0.9
"""Share of a session's energy that the book must know for its cost and its parts to be shown."""
WATTS = 3600.0 / INTERVAL_S
"""From Wh in an interval to W."""


class HasBook(Protocol):
    """The book of the house."""

    def intervals(self, begin: float, end: float) -> list[Interval]:
        """All that begin in a span of Unix time, by time."""
        ...


@dataclass(frozen=True)
class World:
    """What there is beside the point. `sessions`: [begin, end, Wh], the running one first if `runs`.

    `cost(begin, end)` is what its charger took between two moments.
    """

    live: Live
    book: HasBook
    prices: PriceBook
    zone: tzinfo
    sessions: Sequence[Sequence[float]]
    runs: bool
    cost: Callable[[float, float], Charge]


def outlook(point: Point, world: World, now: float, monotonic: float) -> dict[str, Any]:
    """All of it but the journal and the translation of `why`. Raises what the book raises."""
    begin = chart_begin(now, world.zone)
    tell = _Moments(world.zone)
    return {
        "at": tell(now),
        "now": _now(point, world, now, monotonic, tell),
        "goal": _goal(point, now, tell),
        "begin": tell(begin),
        "end": tell(now + AHEAD_S),
        "prices": prices(world.prices, begin, now + AHEAD_S, tell),
        "plan": [{"from": tell(start), "to": tell(end)} for start, end in planned(point, world.prices, now)],
        "past": past(world.book.intervals(begin, now), point.settings.charger, tell),
        "sessions": _sessions(world, now, tell),
    }


def chart_begin(now: float, zone: tzinfo) -> float:
    """The local midnight before `now`, or some hours before, on a quarter of an hour."""
    midnight = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    return max(midnight, math.floor((now - BACK_S) / SLOT_S) * SLOT_S)


class _Moments:
    """Unix time as ISO 8601 with the offset of the house; None stays None."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def __call__(self, at: float | None) -> str | None:
        return None if at is None else datetime.fromtimestamp(round(at), self._zone).isoformat()


def _now(point: Point, world: World, now: float, monotonic: float, tell: _Moments) -> dict[str, Any]:
    seen, rules = point.seen, point.rules
    rest = rules.taken_over_until - monotonic
    taken = point.driven and rest > 0
    live = world.live
    return {
        "mode": point.state.mode,
        "state": point.shown,
        "amps": rules.amps if point.driven else None,
        "phases": rules.phases if point.driven else None,
        "least": LEAST_A,
        "most": point.most,
        "told": None if seen is None else seen.told,
        "plugged": None if seen is None else seen.plugged,
        "power": None if seen is None or not seen.reachable else round(seen.drawn),
        "takenOverUntil": tell(now + rest) if taken and math.isfinite(rest) else None,
        "house": {name: _whole(getattr(live, name)) for name in ("solar", "grid", "battery", "house", "surplus")},
        "price": world.prices.at(now).price,
    }


def _whole(watts: float | None) -> int | None:
    return None if watts is None else round(watts)


def _goal(point: Point, now: float, tell: _Moments) -> dict[str, Any]:
    state, plan, goal = point.state, point.plan, point.goal
    by = goal.by(now, point.settings, tell._zone)
    level = goal.level(point.settings)
    return {
        "state": point.goal_state,
        "energy": state.goal_kwh,
        "percent": state.goal_percent,
        "hasLevel": bool(point.settings.capacity),
        "level": None if level is None else round(level, 1),
        "levelAt": None if level is None else tell(state.level_at),
        "levelState": goal.level_is(now),
        "need": None if by is None else round(max(0.0, goal.need(point.settings)), 1),
        "time": state.goal_time,
        "days": list(point.settings.days),
        "done": round(state.charged_wh / 1000, 3),
        "by": tell(by),
        "missing": None if goal.missing is None else round(goal.missing, 2),
        "cost": None if plan is None else round(plan.cost, 3),
        "withConsent": None if plan is None or plan.with_consent is None else round(plan.with_consent, 3),
    }


def prices(book: PriceBook, begin: float, end: float, tell: _Moments) -> list[dict[str, Any]]:
    """Stretches of one price and period: {from, to, price, period}; price None: not known."""
    found: list[dict[str, Any]] = []
    at = begin
    while at < end:
        told = book.at(at)
        until = min((at // SLOT_S + 1) * SLOT_S, end)
        last = found[-1] if found else None
        if last is not None and (last["price"], last["period"]) == (told.price, told.period):
            last["to"] = tell(until)
        else:
            found.append({"from": tell(at), "to": tell(until), "price": told.price, "period": told.period})
        at = until
    return found


def planned(point: Point, book: PriceBook, now: float) -> list[tuple[float, float]]:
    """(begin, end) of the blocks that it means to charge in: those of its goal's plan, or the cheapest hours."""
    if point.plan is not None:
        return [(max(begin, now), end) for begin, end in point.plan.blocks() if end > now]
    if point.state.mode != ECONOMIC or point.goal_state == "reached":
        return []
    quarters = [(max(at, now), at + SLOT_S) for at in _quarters(now)]
    known = [told for begin, _ in quarters if (told := book.at(begin).price) is not None]
    if not known or min(known) == max(known):
        return []
    blocks: list[tuple[float, float]] = []
    for begin, end in quarters:
        if book.at(begin).price != min(known):
            continue
        if blocks and blocks[-1][1] == begin:
            blocks[-1] = (blocks[-1][0], end)
        else:
            blocks.append((begin, end))
    return blocks


def _quarters(now: float) -> Iterable[float]:
    first = math.floor(now / SLOT_S) * SLOT_S
    return (float(first + step) for step in range(0, AHEAD_S, SLOT_S))


def past(intervals: Iterable[Interval], charger: str, tell: _Moments) -> list[dict[str, Any]]:
    """Means of each quarter of an hour, in W: {at, solar, house, car}; what no meter knew is None."""
    quarters: dict[int, list[Interval]] = {}
    for each in intervals:
        quarters.setdefault(each.start // SLOT_S * SLOT_S, []).append(each)
    found = []
    for start, rows in sorted(quarters.items()):
        solar = [each.known("p") for each in rows]
        house = [each.house for each in rows]
        car = [each.devices.get(charger) for each in rows]
        found.append({"at": tell(start), "solar": _mean(solar), "house": _mean(house), "car": _mean(car)})
    return found


def _mean(energies: Sequence[float | None]) -> int | None:
    known = [max(each, 0.0) for each in energies if each is not None]
    return round(WATTS * sum(known) / len(known)) if known else None


def _sessions(world: World, now: float, tell: _Moments) -> list[dict[str, Any]]:
    found = []
    for place, (begin, end, energy) in enumerate(world.sessions[:MOST_SESSIONS]):
        if not (0 <= begin <= now and math.isfinite(end)):
            continue  # a clock was wrong then
        running = world.runs and place == 0
        until = now if running else min(end + INTERVAL_S, now)
        charge = world.cost(max(begin, until - LONGEST_SESSION_S), until)
        kwh = energy / 1000
        covered = charge.energy >= COVERED * kwh and charge.is_known
        found.append(
            {
                "begin": tell(begin),
                "end": None if running else tell(end),
                "energy": round(kwh, 3),
                "shares": _shares(charge) if covered else None,
                "paid": round(charge.paid, 3) if covered else None,
                "effective": round(charge.effective, 3) if covered else None,
            }
        )
    return found


def _shares(charge: Charge) -> Mapping[str, float]:
    """% of its energy from sun, battery and grid."""
    return {name: round(100 * getattr(charge, name) / charge.energy, 1) for name in ("solar", "battery", "grid")}
