"""The way from a saved account to history: login, equipment, the first round, the import."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from .harness import one_home

E = [("electricity", "502113")]


def cents(value: Decimal) -> float:
    return float(value.quantize(Decimal("0.01"), ROUND_HALF_UP))


def test_a_saved_account_gives_its_equipment_and_its_history(clock, opened, bench):
    site, home = one_home(clock, since=date(2025, 12, 20))
    opened(site)
    connected = bench(site, clock, E).start()
    connected.until("2026-03-10 18:00")
    truth = home.truth("electricity", clock.time())
    days = connected.jeedom.history("2", "conso_jour")
    assert days == {day: float(facts["kwh"]) for day, facts in truth.items()}
    assert connected.jeedom.history("2", "cout_jour") == {day: cents(facts["euros"]) for day, facts in truth.items()}
    assert connected.last_state["state"] == "online"
    assert connected.value("etat") == "ok"


def test_a_check_says_who_answered_and_until_when_data_are_visible(clock, opened, bench):
    site, _ = one_home(clock)
    opened(site)
    connected = bench(site, clock, []).start()
    answer = connected.ask("test")
    assert "…417" in answer["text"]
    assert "08/03/2026" in answer["text"]
    found = connected.ask("discover")["equipment"]
    assert [(each["type"], each["key"]) for each in found] == [("electricity", "502113")]
