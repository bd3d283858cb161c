"""The rules for days and sums, on made-up rows and on the recorded ones."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from jeenergied.devices.hellowatt import mapping

from tests.support.recorded import answers

from .harness import CATALOGUE, RECORDED

DAY = date(2026, 1, 20)


def facts(**row: Any) -> tuple[mapping.Day, list[str]]:
    odd: list[str] = []
    return mapping.day_facts(row, DAY, odd), odd


@pytest.mark.parametrize(
    ("stamp", "day"),
    [
        ("2026-08-01T00:00:00+02:00", date(2026, 8, 1)),
        ("2026-07-31T22:00:00Z", date(2026, 8, 1)),
        ("2026-08-01T00:00:00Z", date(2026, 8, 1)),
        ("2026-03-30T01:00:00+02:00", date(2026, 3, 30)),
        ("2025-10-26T23:00:00+01:00", date(2025, 10, 27)),
        ("2025-10-26T00:00:00+02:00", date(2025, 10, 26)),
        ("2026-08-01T00:00:00", date(2026, 8, 1)),
        ("2026-08-01", date(2026, 8, 1)),
        ("2026-08-01T00:00:00.000+0200", date(2026, 8, 1)),
    ],
)
def test_midnight_is_the_day_that_begins_however_it_is_written(stamp, day):
    assert mapping.local_day(stamp) == day


@pytest.mark.parametrize("stamp", [None, 5, "", "hier", "2026-13-01T00:00:00Z", "2026-08-01T00:00:00+99:99", True, []])
def test_what_is_no_moment_is_no_day(stamp):
    assert mapping.local_day(stamp) is None


@pytest.mark.parametrize("raw", [True, None, "x", float("nan"), float("inf"), 10**400, "1_0", [], {}, "1e999", 2e6])
def test_what_is_no_number_of_a_home_is_left_out(raw):
    assert mapping.number(raw) is None


def test_a_total_is_the_sum_of_all_keys_known_or_not():
    found, odd = facts(kwhDetailed={"HP": 1.1, "hc": "2.2", "Nouveau": 0.3, "Base": None})
    assert found["kwh"] == Decimal("3.6")
    assert (found["kwh.hp"], found["kwh.hc"]) == (Decimal("1.1"), Decimal("2.2"))
    assert odd == []


def test_one_figure_that_is_none_makes_the_total_unknown_and_not_too_small():
    found, odd = facts(kwhDetailed={"HP": 1.1, "HC": "beaucoup"})
    assert "kwh" not in found
    assert odd


def test_absent_is_not_zero_and_zero_is_not_absent():
    assert facts(kwhDetailed={}, eurosDetailed=None, injectionValueKwh=None)[0] == {}
    assert facts(kwhDetailed={"Base": 0}, injectionValueKwh=0)[0] == {"kwh": 0, "injection": 0}


def test_the_subscription_is_counted_once():
    found, _ = facts(kwhDetailed={"Base": 10}, eurosDetailed={"Base": 2.5, "subscription": 0.55})
    assert (found["euros"], found["energyEuros"], found["subscription"]) == (
        Decimal("3.05"),
        Decimal("2.5"),
        Decimal("0.55"),
    )


def test_a_subscription_alone_is_no_cost_of_a_day_with_consumption():
    found, _ = facts(kwhDetailed={"Base": 10}, eurosDetailed={"subscription": 0.55})
    assert "euros" not in found
    assert found["subscription"] == Decimal("0.55")


def test_a_negative_total_is_zero_and_said():
    found, odd = facts(kwhDetailed={"HP": -3, "HC": 1}, injectionValueKwh=-0.5)
    assert found["kwh"] == found["injection"] == found["kwh.hp"] == 0
    assert found["kwh.hc"] == 1
    assert len(odd) == 2


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"Tempo-white-HC": 5, "Tempo-red-HC": 2, "Tempo-red-HP": 6}, 3),
        ({"Tempo-blue-HC": 5}, 1),
        ({"Tempo-blue-HC": 5, "Tempo-white-HC": 1}, None),
        ({"Tempo-blue-HP": 5, "Tempo-white-HP": 1}, None),
        ({"HP": 5}, None),
    ],
)
def test_the_colour_of_a_past_day_is_that_of_its_peak_hours(keys, code):
    assert facts(kwhDetailed=keys)[0].get("tempoCode") == code


def test_a_correction_replaces_and_an_absence_erases_nothing():
    old = {"kwh": Decimal(5), "kwh.hp": Decimal(5), "injection": Decimal(1)}
    assert mapping.merged(old, {"injection": Decimal(2)}) == {**old, "injection": Decimal(2)}
    after = mapping.merged(old, {"kwh": Decimal(6), "kwh.hc": Decimal(6)})
    assert after == {"kwh": 6, "kwh.hp": 0, "kwh.hc": 6, "injection": 1}


def test_sums_are_made_of_unrounded_days_and_rounded_half_up():
    rows = [row for row in CATALOGUE.all_rows("electricity") if row.dated]
    days = {date(2025, 12, 30) + timedelta(days=n): {"euros": Decimal("0.005")} for n in range(5)}
    found = mapping.points(rows, days)
    assert found["cout_jour"][date(2026, 1, 1)] == 0.01
    assert found["cout_mois"] == {date(2025, 12, 1): 0.01, date(2026, 1, 1): 0.02}
    assert found["cout_annee"] == {date(2025, 1, 1): 0.01, date(2026, 1, 1): 0.02}


@pytest.mark.parametrize(
    ("answer", "item"),
    [
        ({"rows": []}, "values"),
        ("x", "values"),
        ({"values": [], "next": "/2"}, "values (next)"),
        ({"values": [{"date": "2026-01-20"}]}, "values[].datetime"),
        (
            {"values": [{"datetime": f"2026-01-{n}T00:00:00+01:00", "kwh": {"Base": 1}} for n in range(10, 16)]},
            "values[].kwhDetailed",
        ),
    ],
)
def test_a_changed_layout_names_the_part_that_was_not_found(answer, item):
    with pytest.raises(mapping.Unexpected, match=re.escape(item)):
        mapping.series(answer, date(2026, 1, 1), date(2026, 1, 31))


def test_of_a_doubled_day_the_fuller_row_counts():
    stamp = "2026-01-20T00:00:00+01:00"
    full = {"datetime": stamp, "kwhDetailed": {"Base": 5}, "valueCo2": 1}
    for rows in ([full, {"datetime": stamp, "kwhDetailed": {"Base": 6}}], [{"datetime": stamp, "valueCo2": 2}, full]):
        found = mapping.series({"values": rows}, DAY, DAY)
        assert found.days[DAY]["kwh"] == 5
        assert found.odd


EXPECTED = {
    "elec_conso_daily_2026-08.json": (date(2026, 8, 1), date(2026, 8, 30), 30, 244.093, 61.84, 16.58, 5.224),
    "elec_conso_daily_2026-01_tempo.json": (date(2026, 1, 1), date(2026, 1, 31), 31, 693.823, 153.49, 17.77, 22.966),
    "gas_conso_daily_2026-08.json": (date(2026, 8, 1), date(2026, 8, 30), 29, 62.918, 31.45, 24.57, 14.282),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_months_give_the_sums_of_their_days(name):
    """Of the made-up twins: the sums are made here once more, straight from the rows."""
    first, last, days, *_ = EXPECTED[name]
    answer = answers("hellowatt", name)[0]
    found = mapping.series(answer, first, last)
    points = mapping.points([row for row in CATALOGUE.all_rows("electricity") if row.dated], found.days)
    rows = [row for row in answer["values"] if row["datetime"][:10] in {day.isoformat() for day in whole(points, name)}]
    assert len(rows) == days
    kwh = sum(Decimal(str(part)) for row in rows for part in energies(row))
    euros = sum(Decimal(str(part)) for row in rows for part in row["eurosDetailed"].values())
    fixed = sum(Decimal(str(row["eurosDetailed"]["subscription"])) for row in rows)
    month = [points[row][first] for row in ("conso_mois", "cout_mois", "abo_mois")]
    assert month == [rounded(kwh, 3), rounded(euros, 2), rounded(fixed, 2)]


def energies(row):
    """The parts of a day's energy: by tariff, or one figure."""
    parts = row["kwhDetailed"]
    return [value for key, value in parts.items() if key != "total"] or [parts["total"]]


def whole(points, name):
    """The days that have a figure; those of gas are stamped by UTC, the evening before."""
    shift = timedelta(days=1) if name.startswith("gas") else timedelta(0)
    return [day - shift for day in points["conso_jour"]]


def rounded(value, digits):
    return float(value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


@pytest.mark.parametrize("name", EXPECTED)
def test_recorded_months_give_the_sums_that_are_known_of_them(name):
    if not RECORDED.is_dir():
        pytest.skip("no recorded answers here")
    first, last, days, kwh, euros, subscription, co2 = EXPECTED[name]
    found = mapping.series(json.loads((RECORDED / name).read_text(encoding="utf-8")), first, last)
    points = mapping.points([row for row in CATALOGUE.all_rows("electricity") if row.dated], found.days)
    assert len(points["conso_jour"]) == days
    month = [points[row][first] for row in ("conso_mois", "cout_mois", "abo_mois", "co2_mois")]
    assert month == [kwh, euros, subscription, co2]
    if "tempo" in name:
        red = {day.day for day, code in points["tempo_code"].items() if code == 3}
        assert red == {6, 7, 8, 20, 21, 22, 23}
    if name.startswith("elec_conso_daily_2026-08"):
        assert (points["prod_mois"][first], points["gain_mois"][first]) == (126.232, 5.05)
        assert (points["solaire_mois"][first], points["solaire_valeur_mois"][first]) == (237.11, 47.09)
        assert max(points["prod_jour"]) == date(2026, 8, 29)


TOLD = [("510574", "99816251294431", "99652945908065"), ("502113", "99000000000417", "99000000000888")]
"""Home, PDL and PCE of the twin's first home and of the recorded one, read by eye."""


@pytest.mark.parametrize(("account", "told"), zip(answers("hellowatt", "account.json"), TOLD))
def test_homes_and_contracts_are_read_as_far_as_they_are_told(account, told):
    first, second = mapping.homes(account["GET /api/homes"])
    assert (first.id, first.pdl, first.pce) == told
    assert second.pce == ""
    contracts = account[f"GET /api/homes/{first.id}/contracts"]
    assert mapping.contract(contracts, "electricity") == {
        "provider": "Fournisseur Synthétique",
        "offer": "Élec Heures Creuses",
        "power": 9,
    }
    assert mapping.contract(contracts, "gas") == {"provider": "Gaz Synthétique", "offer": "Gaz Indexé"}
