"""Pages of history as Jeedom gives them to the daemon: of points that its archive has replaced by one an hour.

What this believes of the core's archive is its `history::archive` (jeedom/core 4.5.3, core/class/history.class.php,
read on 30 November 2026): at night all points older than two hours are replaced by one for each hour, dated as the
first of them, with their AVG, MAX or MIN, as `historizeMode` says (avg without); of "none" every point stays that
differs from the one before. A value that does not change is no point.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Optional
from zoneinfo import ZoneInfo

from simulators.jeedom.database import Database

PACKAGE_S = 3600
LIVE_S = 2 * 3600
MOST_POINTS = 2000
MODES = {"avg": lambda values: sum(values) / len(values), "max": max, "min": min}


def archived(points: Sequence[tuple[int, float]], mode: str, now: float) -> list[tuple[int, float]]:
    """Points (Unix time, value) after the night: when the value of each that is left held."""
    changes = [each for place, each in enumerate(points) if not place or each[1] != points[place - 1][1]]
    if mode not in MODES:
        return changes
    packages: dict[int, list[tuple[int, float]]] = {}
    live = []
    for at, value in changes:
        if at > now - LIVE_S:
            live.append((at, value))
        else:
            packages.setdefault(at // PACKAGE_S, []).append((at, value))
    held = {"avg": PACKAGE_S // 2, "max": PACKAGE_S - 1}
    told = []
    for package, inside in packages.items():
        value = MODES[mode]([each for _, each in inside])
        told.append((package * PACKAGE_S + held[mode] if mode in held else inside[0][0], round(value, 2)))
    return told + live


def page(points: Sequence[tuple[int, float]], begin: int, end: int, most: int = MOST_POINTS) -> dict[str, Any]:
    """The answer about a span: {points, next, step}."""
    inside = [[at, value] for at, value in points if begin <= at < end]
    after = [at for at, _ in points if at >= end]
    following: Optional[int] = inside[most][0] if len(inside) > most else after[0] if after else None
    return {"points": inside[:most], "next": following, "step": PACKAGE_S}


def answer(database: Database, event: dict[str, Any], zone: ZoneInfo, now: float) -> dict[str, Any]:
    """The socket's message `past` for an event of that name."""
    names = {name: event[name] for name in ("equipment", "command", "source", "begin", "end") if name in event}
    found = database.commands(event["equipment"]).get(event["command"]) if "equipment" in event else None
    identity = found["id"] if found is not None else int(event["source"]) if "source" in event else None
    points = [] if identity is None else _points(database, identity, zone)
    row = found["row"] if found is not None else {}
    settings = found["settings"] if found is not None else {}
    mode = settings.get("historizeMode") or row.get("historizeMode") or "avg"
    return {**names, **page(archived(points, mode, now), event["begin"], event["end"])}


def _points(database: Database, identity: int, zone: ZoneInfo) -> list[tuple[int, float]]:
    told = [
        (int(datetime.fromisoformat(date).replace(tzinfo=zone).timestamp()), float(value))
        for date, value in database.history(identity)
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    return sorted(told)
