"""Three years imported, then two months of days that come late or are corrected: each day once, right to the cent."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from jeedom_bridge.clock import ManualClock
from simulators.hellowatt import Customer, HelloWattSite, Home, TempoService
from simulators.hellowatt.homes import PARIS

from .harness import EMAIL, PASSWORD, Bench, at

KINDS = [("electricity", "502113"), ("gas", "502113"), ("electricity", "502114")]
SINCE = date(2023, 2, 10)
BUDGET = 60


def rounded(value: Decimal, digits: int) -> float:
    return float(value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def sums(truth: dict[date, dict[str, Decimal]], fact: str, digits: int, month: bool) -> dict[date, float]:
    found: dict[date, Decimal] = {}
    for day, facts in truth.items():
        if fact in facts:
            first = day.replace(day=1) if month else day.replace(month=1, day=1)
            found[first] = found.get(first, Decimal(0)) + facts[fact]
    return {day: rounded(value, digits) for day, value in found.items()}


def homes() -> list[Home]:
    house = Home(502113, "99000000000417", "99000000000888", SINCE, solar=True, stamp="fixed", late=0.15)
    house.tariffs = ((date(2000, 1, 1), "base"), (date(2024, 5, 17), "hphc"))
    house.delay = {"electricity": 1, "gas": 2}
    flat = Home(502114, "99000000001562", None, SINCE, ((date(2000, 1, 1), "tempo"),), stamp="utc", late=0.1)
    return [house, flat]


COMMANDS = {
    "conso": ("kwh", 3),
    "cout": ("euros", 2),
    "prod": ("injection", 3),
    "gain": ("gain", 2),
}


def check(connected: Bench, home: Home, energy: str, equipment: str) -> int:
    """Every row of an equipment is what the site shows now; how many days those are."""
    truth = home.truth(energy, connected.clock.time())
    history = connected.jeedom.history
    for name, (fact, digits) in COMMANDS.items():
        days = {day: rounded(facts[fact], digits) for day, facts in truth.items() if fact in facts}
        assert history(equipment, f"{name}_jour") == days
        assert history(equipment, f"{name}_mois") == sums(truth, fact, digits, True)
        assert history(equipment, f"{name}_annee") == sums(truth, fact, digits, False)
    abo = {day: rounded(facts["subscription"], 2) for day, facts in truth.items()}
    assert history(equipment, "abo_jour") == abo
    for period in ("hp", "hc"):
        wanted = {day: rounded(facts[period], 3) for day, facts in truth.items() if period in facts}
        assert history(equipment, f"conso_{period}_jour") == wanted
    for color, name in (("blue", "bleu"), ("white", "blanc"), ("red", "rouge")):
        key = f"Tempo-{color}-HP"
        wanted = {day: rounded(facts[key], 3) for day, facts in truth.items() if key in facts}
        assert history(equipment, f"tempo_conso_{name}_hp") == wanted
    return len(truth)


def per_day(site: HelloWattSite) -> Counter[date]:
    """Requests by the day in Paris."""
    return Counter(datetime.fromtimestamp(visit.at, PARIS).date() for visit in site.visits)


pytestmark = pytest.mark.slow


@pytest.fixture
def world(opened: Any, tmp_path: Any) -> tuple[Bench, HelloWattSite, list[Home]]:
    clock = ManualClock(at("2026-02-10 09:00"))
    both = homes()
    site = opened(HelloWattSite([Customer(EMAIL, PASSWORD, both)], clock=clock.time))
    tempo = opened(TempoService(clock=clock.time))
    return opened(Bench(tmp_path, site, clock, KINDS, tempo, startHour=15)), site, both


def test_three_years_and_sixty_days_are_right_to_the_cent(world):
    connected, site, (house, flat) = world
    connected.start()
    connected.until("2026-02-14 23:50")
    rows = connected.jeedom.rows
    imported = [check(connected, home, kind, str(n)) for n, (kind, home) in enumerate(pairs(house, flat), 2)]
    assert min(imported) > 1090
    print(f"\nimported: {imported} days, {connected.jeedom.written} points, {len(site.visits)} requests")
    first_days = per_day(site)
    site.visits.clear()
    house.correct("electricity", date(2026, 2, 3), at("2026-02-20 08:00"), "1.25")
    house.correct("gas", date(2026, 1, 31), at("2026-02-22 08:00"), "0.5")
    flat.correct("electricity", date(2026, 3, 29), at("2026-04-08 08:00"), "0.75")
    house.gaps |= {("electricity", date(2026, 3, day)) for day in (3, 4, 5)}
    for month, day in ((2, 20), (3, 5), (3, 20), (4, 2)):
        connected.until(f"2026-{month:02}-{day:02} 16:40")
        connected.restart()
        site.logins.expire()
        if (month, day) == (3, 20):
            house.fill()
    connected.until("2026-04-15 23:50")
    for number, (kind, home) in enumerate(pairs(house, flat), 2):
        check(connected, home, kind, str(number))
    counts = per_day(site)
    normal = sorted(counts.values())[len(counts) // 2]
    logins = len(site.asked("login", "POST"))
    print(f"60 days: median {normal} requests a day, worst {max(counts.values())}, {logins} logins, budget {BUDGET}")
    print(f"import: {dict(sorted(first_days.items()))}")
    assert max(first_days.values()) <= BUDGET
    assert max(counts.values()) <= 20
    assert normal <= 7  # two homes, three meters
    assert site.server.max_in_flight == 1
    assert all(len(each) == len(set(each)) for each in rows.values())


def pairs(house: Home, flat: Home) -> list[tuple[str, Home]]:
    return [("electricity", house), ("gas", house), ("electricity", flat)]
