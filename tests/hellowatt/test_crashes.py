"""Killed at each step, and with a store that fails at each write: no day is lost, none counts twice.

The long form, every step, is run with JEENERGIE_FIRE=full.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from jeenergied.devices.base import Connection, Equipment

from jeedom_bridge.clock import ManualClock
from simulators.hellowatt import Customer, HelloWattSite, Home
from tests.support.crashing import CONTRACT, FULL, Life, Steps, wrong_after_failures, wrong_after_kills

from .harness import DAY, EMAIL, PASSWORD, all_commands, at

STRIDE = 1 if FULL else 31
"""Every so many steps one life ends; the long form tries all."""
KINDS = {"2": "electricity", "3": "gas"}
# Two calendar years: what an import has left undelivered in the older one, no later day brings along.
HOME = Home(502113, "99000000000417", "99000000000888", date(2025, 11, 2), solar=True, late=0.3)


def lived(folder: Path, steps: Steps) -> dict[str, list[str]]:
    """Two days with the import of the past, then three without trouble; what is wrong in Jeedom after that."""
    clock = ManualClock(at("2026-03-10 12:00"))
    with HelloWattSite([Customer(EMAIL, PASSWORD, [HOME])], clock=clock.time) as site:
        config = {"user": EMAIL, "password": PASSWORD, "siteUrl": site.url, "tempoSource": "none", "historyMonths": 6}
        members = [Equipment(i, kind, "502113", kind, {}, all_commands(kind)) for i, kind in KINDS.items()]
        settings = CONTRACT.catalogues["hellowatt"].settings(config)
        connection = Connection("1", "hellowatt", "Compte", settings, {}, tuple(members))
        steps.counting = True
        life = Life(folder, clock, connection, ("_site", "_once"), steps)
        life.live(2 * DAY)
        steps.counting = False
        life.live(3 * DAY)
        wrong = {equipment: whole(life, equipment, clock.time()) for equipment in KINDS}
        life.close()
    return {equipment: found for equipment, found in wrong.items() if found}


def whole(life: Life, equipment: str, now: float) -> list[str]:
    """What is wrong with the days and months of one energy."""
    truth = HOME.truth(KINDS[equipment], now)
    wrong = []
    for command, fact in (("conso_jour", "kwh"), ("cout_jour", "euros")):
        rows = [(datetime.fromisoformat(moment), value) for moment, value in points(life, equipment, command)]
        right = {day: float(facts[fact]) for day, facts in truth.items()}
        if sorted(moment.date() for moment, _ in rows) != sorted(right):
            wrong.append(f"{command}: {len(rows)} days instead of {len(right)}")
        if any(moment.hour or moment.minute for moment, _ in rows):
            wrong.append(f"{command}: not at midnight")
        wrong += [f"{command} {m}: {v}" for m, v in rows if abs(v - right.get(m.date(), v)) > 0.006]
    months: dict[str, float] = {}
    for day, facts in truth.items():
        months[f"{day:%Y-%m}"] = months.get(f"{day:%Y-%m}", 0.0) + float(facts["kwh"])
    shown = {moment[:7]: value for moment, value in points(life, equipment, "conso_mois")}
    wrong += [
        f"{month}: {shown.get(month)} kWh" for month, kwh in months.items() if abs(shown.get(month, -1) - kwh) > 0.01
    ]
    return wrong


def points(life: Life, equipment: str, command: str) -> list[tuple[str, float]]:
    return [(moment, float(value)) for moment, value in life.history.get((equipment, command), {}).items()]


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many steps an undisturbed life has."""
    steps = Steps()
    assert lived(tmp_path_factory.mktemp("whole"), steps) == {}
    assert {"write", "written", "hand over", "not acknowledged", "ask", "answered"} <= set(steps.done)
    return len(steps.done)


def test_killed_at_any_step_it_goes_on_where_jeedom_has_all(tmp_path: Path, count: int) -> None:
    assert wrong_after_kills(lived, tmp_path, count, STRIDE) == {}


@pytest.mark.parametrize("fails", [1, 7])
def test_a_store_that_fails_at_any_write_loses_nothing_even_if_killed_then(
    tmp_path: Path, count: int, fails: int
) -> None:
    assert wrong_after_failures(lived, tmp_path, count, STRIDE, fails) == {}
