"""Today's and the week's energies of all meters out of facts, without a gateway."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from jeenergied.devices.enphase.values.energies import Energies
from jeenergied.devices.enphase.values.plant_limits import PlantLimits

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 6, 10, 12, tzinfo=PARIS).timestamp()
DAY = 86400.0


def plant(*inverters: float) -> PlantLimits:
    """What is known of a plant of 9 kW of panels."""
    limits = PlantLimits()
    limits.learn_inverters(inverters or [375.0] * 24)
    return limits


def indexes(production=0.0, imported=0.0, exported=0.0, standby=0.0, **told):
    return {
        "production.lifetimeEnergy": 9_000_000 + production,
        "production.standbyIndex": 400 + standby,
        "net.importIndex": 4_000_000 + imported,
        "net.exportIndex": 5_000_000 + exported,
        **{name.replace("_", "."): value for name, value in told.items()},
    }


def days(energies, count, per_day=(2000.0, 900.0, 500.0), start=NOON):
    """Reads every ten minutes for so many days, in even flow."""
    facts = {}
    for n in range(int(count * 144) + 1):
        share = n / 144
        values = [share * each for each in per_day]
        facts = energies.read(indexes(*values), start + n * 600, PARIS)
    return facts


def test_consumption_is_what_was_produced_and_imported_but_not_exported():
    energies = Energies(plant())
    energies.read(indexes(), NOON, PARIS)
    facts = energies.read(indexes(500, 200, 300, standby=2), NOON + 3600, PARIS)
    assert facts["production.todayEnergy"] == 500
    assert facts["net.importToday"] == 200
    assert facts["net.exportToday"] == 300
    assert facts["net.todayEnergy"] == -100
    assert facts["total.todayEnergy"] == 398  # the inverters' own use is not the house's
    assert facts["net.importAtMidnight"] == 4_000_000
    assert "production.weekEnergy" not in facts


def test_the_week_is_the_seven_days_before_today_once_they_are_known():
    energies = Energies(plant())
    facts = days(energies, 7.4)  # the first day began at noon: it does not count
    assert "production.weekEnergy" not in facts
    energies = Energies(plant())
    days(energies, 8.0)
    energies = Energies(plant(), json.loads(json.dumps(energies.state())))
    facts = energies.read(indexes(16_000, 7200, 4000), NOON + 8 * DAY, PARIS)
    assert facts["production.weekEnergy"] == pytest.approx(14_000)
    assert facts["total.weekEnergy"] == pytest.approx(16_800)
    assert facts["net.weekEnergy"] == pytest.approx(2800)
    assert facts["production.todayEnergy"] == pytest.approx(1000)


def test_a_day_that_has_ended_is_handed_out_once():
    energies = Energies(plant())
    days(energies, 1.0)
    ended = energies.take_ended()
    assert list(ended) == ["2026-06-10"]
    assert ended["2026-06-10"]["net.importToday"] == pytest.approx(450)
    assert ended["2026-06-10"]["total.todayEnergy"] == pytest.approx(1200)
    assert energies.take_ended() == {}


def told(today, week, lifetime=9_000_000, meter="production"):
    figures = {"lifetimeEnergy": lifetime, "toldToday": today, "toldWeek": week, "toldLifetime": lifetime}
    return {f"{meter}.{name}": value for name, value in figures.items()}


def test_on_the_first_day_the_gateway_tells_what_was_before():
    energies = Energies(plant())
    energies.read(indexes(), NOON, PARIS)
    facts = energies.read({**told(6100, 70_000), **indexes(10)}, NOON + 60, PARIS)
    assert facts["production.todayEnergy"] == pytest.approx(6100)
    assert facts["production.weekEnergy"] == 70_000
    facts = energies.read(indexes(110), NOON + 120, PARIS)
    assert facts["production.todayEnergy"] == pytest.approx(6200)
    # The next day is our own; the gateway's figure no longer counts.
    facts = energies.read(indexes(3010), NOON + DAY, PARIS)
    facts = energies.read({**told(1, 5), **indexes(3011)}, NOON + DAY + 60, PARIS)
    assert facts["production.todayEnergy"] < 1600
    assert facts["production.weekEnergy"] == 5


def test_the_total_follows_on_the_first_day():
    energies = Energies(plant())
    page = {**indexes(), **told(6100, 70_000), **told(9000.0, 50_000.0, 8e6, "total")}
    energies.read(indexes(), NOON, PARIS)
    facts = energies.read(page, NOON + 60, PARIS)
    assert facts["total.todayEnergy"] == 9000
    assert facts["net.weekEnergy"] == -20_000


def test_import_export_and_balance_of_the_first_day_count_from_the_same_moment():
    """The gateway tells of production and consumption only: a balance of all the day would contradict the others."""
    energies = Energies(plant())
    energies.read(indexes(), NOON, PARIS)
    for minute in range(1, 4):
        page = {**indexes(1000 * minute, 120 * minute, 500 * minute)}
        facts = energies.read(
            {**told(26_000, 70_000), **told(18_500.0, 50_000.0, 8e6, "total"), **page}, NOON + 60 * minute, PARIS
        )
        assert facts["net.todayEnergy"] == facts["net.importToday"] - facts["net.exportToday"] == -380 * minute
        assert facts["production.todayEnergy"] > 20_000
        assert facts["total.todayEnergy"] > 18_000
    # The day that closes is of one piece as well, and the next one is whole.
    energies.read(indexes(5000, 400, 1900), NOON + DAY, PARIS)
    first = energies.take_ended()["2026-06-10"]
    assert first["net.todayEnergy"] == pytest.approx(first["net.importToday"] - first["net.exportToday"])


@pytest.mark.parametrize(
    ("today", "week", "lifetime"),
    [
        (9_000_000, 9_000_000, 9_000_000),  # the lost store
        (-5, 100, 9_000_000),
        (150_000, 100, 9_000_000),  # more than these panels make in twelve hours
        (500, 500, 9_000_000),
        (100, 50, 90),
        (60_000, 0, 60_000),  # a new plant, or a lost store: nobody knows
        (180_000, 40_000, 180_000),
    ],
)
def test_what_the_gateway_tells_is_doubted(today, week, lifetime):
    """The page's figures are compared with its own lifetime: the readings' is fresher, and a little more."""
    energies = Energies(plant())
    energies.read({"production.lifetimeEnergy": lifetime}, NOON, PARIS)
    page = {**told(today, week, lifetime), "production.lifetimeEnergy": lifetime + 5}
    facts = energies.read(page, NOON + 60, PARIS)
    assert facts["production.todayEnergy"] <= 5
    assert "production.weekEnergy" not in facts


@pytest.mark.parametrize(
    ("today", "week", "lifetime"),
    [
        (12_569, 3_418_759, 3_431_328),
        (12_569, 3_418_759, 3_430_333),  # what has flowed since the store was written counts in both
        (9_000, 1_447_157, 1_456_157),
        (9_000, 1_447_157, 30_000_000),  # 9 kW of panels do not make that in a week
    ],
)
def test_a_week_that_is_the_whole_life_is_not_told(today, week, lifetime):
    energies = Energies(plant())
    energies.read({"production.lifetimeEnergy": lifetime}, NOON, PARIS)
    page = {**told(today, week, lifetime), **told(5000, 60_000, 8e6, "total")}
    facts = energies.read(page, NOON + 60, PARIS)
    assert facts["production.todayEnergy"] == today
    assert facts["total.weekEnergy"] == 60_000
    assert "production.weekEnergy" not in facts
    assert "net.weekEnergy" not in facts


def test_without_any_knowledge_of_the_panels_their_page_is_not_believed():
    energies = Energies(PlantLimits())
    energies.read({"production.lifetimeEnergy": 9e6}, NOON, PARIS)
    facts = energies.read(told(6100, 70_000), NOON + 60, PARIS)
    assert facts["production.todayEnergy"] == 0
    assert "production.weekEnergy" not in facts


def test_a_large_plant_may_make_much():
    energies = Energies(plant(*[384.0] * 300))  # 115 kW
    energies.read({"production.lifetimeEnergy": 9e7}, NOON, PARIS)
    facts = energies.read(told(700_000, 4_500_000, 9e7), NOON + 60, PARIS)
    assert facts["production.todayEnergy"] == 700_000
    assert facts["production.weekEnergy"] == 4_500_000


def test_what_follows_from_a_counter_that_is_not_read_any_more_is_not_told_again():
    energies = Energies(plant())
    energies.read({**indexes(), "total.lifetimeEnergy": 5000.0}, NOON, PARIS)
    facts = energies.read({"storage.chargedIndex": 5.0}, NOON + 60, PARIS)
    assert {"production.todayEnergy", "net.importToday"} <= set(facts)
    facts = energies.read({"storage.chargedIndex": 5.0}, NOON + 600, PARIS)
    assert set(facts) == {"storage.chargedToday"}
    facts = energies.read(indexes(), NOON + 660, PARIS)
    assert {"production.todayEnergy", "net.importToday", "total.todayEnergy"} <= set(facts)


def test_the_first_hours_of_a_day_are_not_told_by_the_gateway():
    energies = Energies(plant())
    early = NOON - 11 * 3600
    energies.read({"production.lifetimeEnergy": 9e6}, early, PARIS)
    assert energies.read(told(8000, 70_000), early + 60, PARIS)["production.todayEnergy"] == 0


def test_a_week_of_consumption_that_no_house_has_is_left_out():
    energies = Energies(plant())
    page = told(19_900.0, 4.6, 5e6, "total")
    assert "total.weekEnergy" not in energies.read(page, NOON, PARIS)


def test_without_a_meter_at_the_grid_import_and_export_are_made_of_the_power():
    energies = Energies(plant())
    for n in range(61):
        facts = {"net.power": 600.0 if n <= 30 else -1200.0, "total.lifetimeEnergy": 1000.0 + n}
        facts["production.lifetimeEnergy"] = 5000.0 + 2 * n
        found = energies.read(facts, NOON + 60 * n, PARIS, grid_indexes=False)
    assert found["net.importToday"] == pytest.approx(305, abs=0.1)
    assert found["net.exportToday"] == pytest.approx(590, abs=5.1)
    assert found["total.todayEnergy"] == 60
    assert found["net.todayEnergy"] == -60
    assert energies.integrating
    assert Energies(plant(), json.loads(json.dumps(energies.state()))).integrating


def test_with_a_meter_at_the_grid_nothing_is_estimated():
    energies = Energies(plant())
    energies.read({"net.power": 600.0, **indexes()}, NOON, PARIS)
    assert not energies.integrating


def test_a_phase_without_panels_produces_nothing():
    energies = Energies(plant())
    base = {"production.lifetimeEnergy": 100.0, "production.1.lifetimeEnergy": 100.0}
    base.update({"net.3.importIndex": 10.0, "net.3.exportIndex": 20.0})
    energies.read(base, NOON, PARIS)
    facts = energies.read({**base, "net.3.importIndex": 15.0}, NOON + 60, PARIS)
    assert facts["total.3.todayEnergy"] == 5


def test_a_net_lifetime_is_no_counter():
    energies = Energies(plant())
    energies.read({"net.lifetimeEnergy": -5.0}, NOON, PARIS)
    assert energies.state()["counters"] == {}


def test_options_and_batteries_have_days_too():
    energies = Energies(plant())
    names = ["total.2.apparentEnergy", "net.lagEnergy", "production.leadEnergy", "storage.chargedIndex"]
    energies.read(dict.fromkeys(names, 50.0), NOON, PARIS)
    facts = energies.read(dict.fromkeys(names, 57.0), NOON + 60, PARIS)
    for name in ("total.2.apparentToday", "net.lagToday", "production.leadToday", "storage.chargedToday"):
        assert facts[name] == 7
