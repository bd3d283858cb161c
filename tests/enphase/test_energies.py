"""Today's and the week's energies of all meters out of facts, without a gateway."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from jeenergied.devices.enphase.energies import Energies

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 6, 10, 12, tzinfo=PARIS).timestamp()
DAY = 86400.0


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
    energies = Energies()
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
    energies = Energies()
    facts = days(energies, 7.4)  # the first day began at noon: it does not count
    assert "production.weekEnergy" not in facts
    energies = Energies()
    days(energies, 8.0)
    energies = Energies(json.loads(json.dumps(energies.state())))
    facts = energies.read(indexes(16_000, 7200, 4000), NOON + 8 * DAY, PARIS)
    assert facts["production.weekEnergy"] == pytest.approx(14_000)
    assert facts["total.weekEnergy"] == pytest.approx(16_800)
    assert facts["net.weekEnergy"] == pytest.approx(2800)
    assert facts["production.todayEnergy"] == pytest.approx(1000)


def test_a_day_that_has_ended_is_handed_out_once():
    energies = Energies()
    days(energies, 1.0)
    ended = energies.take_ended()
    assert list(ended) == ["2026-06-10"]
    assert ended["2026-06-10"]["net.importToday"] == pytest.approx(450)
    assert ended["2026-06-10"]["total.todayEnergy"] == pytest.approx(1200)
    assert energies.take_ended() == {}


def told(today, week, lifetime=9_000_000):
    return {"production.lifetimeEnergy": lifetime, "production.toldToday": today, "production.toldWeek": week}


def test_on_the_first_day_the_gateway_tells_what_was_before():
    energies = Energies()
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


def test_total_and_net_follow_on_the_first_day():
    energies = Energies()
    page = {**indexes(), **told(6100, 70_000), "total.lifetimeEnergy": 8e6, "total.toldToday": 9000.0}
    energies.read(indexes(), NOON, PARIS)
    facts = energies.read({**page, "total.toldWeek": 50_000.0}, NOON + 60, PARIS)
    assert facts["total.todayEnergy"] == 9000
    assert facts["net.todayEnergy"] == 2900
    assert facts["net.weekEnergy"] == -20_000
    assert facts["net.importToday"] == 0  # nobody knows


@pytest.mark.parametrize(
    ("today", "week", "lifetime"),
    [
        (9_000_000, 9_000_000, 9_000_000),  # the lost store
        (-5, 100, 9_000_000),
        (700_000, 100, 9_000_000),  # more than a house makes in twelve hours
        (500, 500, 9_000_000),
        (100, 50, 90),
    ],
)
def test_what_the_gateway_tells_is_doubted(today, week, lifetime):
    energies = Energies()
    energies.read({"production.lifetimeEnergy": lifetime}, NOON, PARIS)
    facts = energies.read(told(today, week, lifetime), NOON + 60, PARIS)
    assert facts["production.todayEnergy"] == 0
    assert "production.weekEnergy" not in facts


def test_the_first_hours_of_a_day_are_not_told_by_the_gateway():
    energies = Energies()
    early = NOON - 11 * 3600
    energies.read({"production.lifetimeEnergy": 9e6}, early, PARIS)
    assert energies.read(told(8000, 70_000), early + 60, PARIS)["production.todayEnergy"] == 0


def test_a_week_of_consumption_that_no_house_has_is_left_out():
    energies = Energies()
    page = {"total.lifetimeEnergy": 5e6, "total.toldToday": 19_900.0, "total.toldWeek": 4.6}
    assert "total.weekEnergy" not in energies.read(page, NOON, PARIS)


def test_without_a_meter_at_the_grid_import_and_export_are_made_of_the_power():
    energies = Energies()
    for n in range(61):
        facts = {"net.power": 600.0 if n <= 30 else -1200.0, "total.lifetimeEnergy": 1000.0 + n}
        facts["production.lifetimeEnergy"] = 5000.0 + 2 * n
        found = energies.read(facts, NOON + 60 * n, PARIS, grid_indexes=False)
    assert found["net.importToday"] == pytest.approx(305, abs=0.1)
    assert found["net.exportToday"] == pytest.approx(590, abs=5.1)
    assert found["total.todayEnergy"] == 60
    assert found["net.todayEnergy"] == -60
    assert energies.integrating
    assert Energies(json.loads(json.dumps(energies.state()))).integrating


def test_with_a_meter_at_the_grid_nothing_is_estimated():
    energies = Energies()
    energies.read({"net.power": 600.0, **indexes()}, NOON, PARIS)
    assert not energies.integrating


def test_a_phase_without_panels_produces_nothing():
    energies = Energies()
    base = {"production.lifetimeEnergy": 100.0, "production.1.lifetimeEnergy": 100.0}
    base.update({"net.3.importIndex": 10.0, "net.3.exportIndex": 20.0})
    energies.read(base, NOON, PARIS)
    facts = energies.read({**base, "net.3.importIndex": 15.0}, NOON + 60, PARIS)
    assert facts["total.3.todayEnergy"] == 5


def test_a_net_lifetime_is_no_counter():
    energies = Energies()
    energies.read({"net.lifetimeEnergy": -5.0}, NOON, PARIS)
    assert energies.state()["counters"] == {}


def test_options_and_batteries_have_days_too():
    energies = Energies()
    names = ["total.2.apparentEnergy", "net.lagEnergy", "production.leadEnergy", "storage.chargedIndex"]
    energies.read(dict.fromkeys(names, 50.0), NOON, PARIS)
    facts = energies.read(dict.fromkeys(names, 57.0), NOON + 60, PARIS)
    for name in ("total.2.apparentToday", "net.lagToday", "production.leadToday", "storage.chargedToday"):
        assert facts[name] == 7
