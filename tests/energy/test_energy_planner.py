"""Goals by a time: the cheapest quarters of an hour, with tomorrow's colour, and always an answer."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jeenergied.energy.money.tariff import Tariff
from jeenergied.energy.planner import MAX_AHEAD_S, Plan, plan

PARIS = ZoneInfo("Europe/Paris")
POWER = 7.36 * 0.92
TARIFFS = json.loads((Path(__file__).resolve().parents[2] / "core/contract/tariffs.json").read_text("utf-8"))
PRICES = {each["kind"]: each["prices"] for each in TARIFFS["offers"] if each["since"] == "2026-02-01"}
MONDAY, TUESDAY, WEDNESDAY = "2026-01-12", "2026-01-13", "2026-01-14"


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def tempo(monday: str, tuesday: str, need: float, begin: str, by: str, consent: bool = False) -> Plan:
    colours = {MONDAY: monday, TUESDAY: tuesday, WEDNESDAY: "blue"}
    tariff = Tariff.parse({"kind": "tempo", "prices": PRICES["tempo"], "colours": colours}, PARIS)
    return plan(need, at(begin), at(by), POWER, tariff.price, lambda moment: tariff.period(moment) == "red.hp", consent)


def hours(found: Plan) -> list[tuple[str, str]]:
    """The blocks as local times of day."""
    return [
        (f"{datetime.fromtimestamp(a, PARIS):%H:%M}", f"{datetime.fromtimestamp(b, PARIS):%H:%M}")
        for a, b in found.blocks()
    ]


@pytest.mark.parametrize("colours", [("blue", "red"), ("red", "blue")])
def test_the_night_is_used_with_the_colour_of_the_evening(colours: tuple[str, str]) -> None:
    found = tempo(*colours, 22, f"{MONDAY}T18:00", f"{TUESDAY}T07:30")
    assert hours(found) == [("22:00", "01:45")]
    assert not found.at_risk
    price = 0.1325 if colours[0] == "blue" else 0.1575
    assert found.cost == pytest.approx(22 * price)


def test_the_margin_goes_before_red_peak_hours() -> None:
    found = tempo("red", "blue", 60, f"{MONDAY}T18:00", f"{TUESDAY}T07:30")
    assert hours(found) == [("22:00", "07:00")]
    assert not found.at_risk
    assert all(slot.price < 0.2 for slot in found.slots)
    night = sum(POWER * (slot.end - slot.begin) / 3600 for slot in found.slots if slot.price == 0.1575)
    assert night == pytest.approx(54.2, abs=0.05)


def test_red_peak_hours_need_the_users_consent() -> None:
    refused = tempo("blue", "red", 10, f"{TUESDAY}T08:00", f"{TUESDAY}T18:00")
    assert refused.slots == ()
    assert refused.missing == 10
    assert refused.with_consent == pytest.approx(7.06)
    later = tempo("blue", "red", 10, f"{TUESDAY}T08:00", f"{WEDNESDAY}T06:00")
    assert later.cost == pytest.approx(1.575)
    agreed = tempo("blue", "red", 10, f"{TUESDAY}T08:00", f"{TUESDAY}T18:00", consent=True)
    assert not agreed.at_risk
    assert hours(agreed)[0][0] == "08:00"


def test_with_one_price_it_starts_at_once() -> None:
    found = plan(10, at(f"{MONDAY}T18:07"), at(f"{TUESDAY}T07:30"), POWER, lambda moment: 0.194)
    assert hours(found)[0][0] == "18:07"
    assert len(found.blocks()) == 1


def test_off_peak_hours_at_noon_are_used() -> None:
    off_peak = ["12:30-15:30", "01:00-06:00"]
    tariff = Tariff.parse({"kind": "hphc", "prices": PRICES["hphc"], "hours": off_peak}, PARIS)
    found = plan(12, at(f"{MONDAY}T09:00"), at(f"{MONDAY}T19:00"), POWER, tariff.price)
    assert hours(found) == [("12:30", "14:45")]


def test_a_goal_that_cannot_be_met_starts_now_and_says_what_is_missing() -> None:
    found = plan(36, at(f"{MONDAY}T18:00"), at(f"{MONDAY}T22:35"), POWER, lambda moment: 0.2)
    assert found.blocks() == [(at(f"{MONDAY}T18:00"), at(f"{MONDAY}T22:35"))]
    assert found.at_risk
    assert found.energy == pytest.approx(31.0, abs=0.1)
    assert found.missing == pytest.approx(36 - found.energy)


def test_an_unknown_price_is_never_a_reason_to_wait_past_a_known_cheap_one() -> None:
    begin = at(f"{MONDAY}T20:00")
    price = {True: 0.13, False: None}
    found = plan(5, begin, begin + 8 * 3600, POWER, lambda moment: price[moment < begin + 7200], expected=0.15)
    assert found.blocks()[0][0] == begin


@settings(max_examples=150, deadline=None)
@given(
    st.floats(0.1, 100),
    st.floats(900, 86400 * 2),
    st.floats(0.5, 22),
    st.lists(st.floats(0, 1), min_size=1, max_size=24),
)
def test_there_is_always_a_plan_within_its_time(need: float, left: float, power: float, prices: list[float]) -> None:
    begin = at(f"{MONDAY}T17:53")
    found = plan(need, begin, begin + left, power, lambda moment: prices[int(moment // 3600) % len(prices)])
    assert all(begin <= slot.begin < slot.end <= begin + left for slot in found.slots)
    assert found.slots
    if not found.at_risk:
        assert found.energy >= need - 0.01
        dearest = max(slot.price for slot in found.slots)
        unused = [
            prices[int(moment // 3600) % len(prices)]
            for moment in (begin + step for step in range(0, int(left) - 900, 900))
            if not found.runs(moment)
        ]
        assert all(price >= dearest - 1e-9 or price in {slot.price for slot in found.slots} for price in unused)
    else:
        assert found.energy == pytest.approx(power * left / 3600)


def test_a_goal_in_eight_hundred_years_is_planned_for_the_next_days_alone() -> None:
    begin, asked = at("2026-01-12T18:00"), []
    found = plan(2.0, begin, begin + 800 * 365 * 86400.0, 7.0, lambda moment: asked.append(moment) or 0.2)
    assert max(asked) <= begin + MAX_AHEAD_S
    assert not found.at_risk
