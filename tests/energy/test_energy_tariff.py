"""Prices by the hour, the season, the colour of the day; nights with a clock change; published prices by date."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from jeenergied.energy.money.contract import HouseContract, Wishes
from jeenergied.energy.money.offers import PriceGrid
from jeenergied.energy.money.tariff import KINDS, Tariff

PARIS = ZoneInfo("Europe/Paris")
GRID = PriceGrid(json.loads((Path(__file__).resolve().parents[2] / "core/contract/tariffs.json").read_text("utf-8")))
HPHC = Tariff.parse({"kind": "hphc", "prices": {"hp": 0.2065, "hc": 0.1579}, "hours": ["22:00-06:00"]}, PARIS)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def offer(kind: str) -> dict[str, float]:
    found = GRID.offer(kind, 9, date(2026, 6, 1))
    assert found is not None
    return dict(found.prices)


TEMPO = Tariff.parse(
    {
        "kind": "tempo",
        "prices": offer("tempo"),
        "colours": {"2026-01-12": "white", "2026-01-13": "red", "2026-01-14": "blue"},
    },
    PARIS,
)


@pytest.mark.parametrize(("night", "hours"), [("2026-03-28", 7), ("2026-10-24", 9), ("2026-06-01", 8)])
def test_a_night_of_off_peak_hours_is_as_long_as_it_really_is(night: str, hours: int) -> None:
    begin = at(f"{night}T12:00")
    counted = Counter(HPHC.period(begin + 300 * n) for n in range(24 * 12))
    assert counted["hc"] == 12 * hours


@pytest.mark.parametrize(("day", "intervals"), [("2026-03-29", 276), ("2026-10-25", 300), ("2026-03-30", 288)])
def test_a_local_day_has_the_intervals_it_has(day: str, intervals: int) -> None:
    begin = at(f"{day}T00:00")
    end = at(f"{(date.fromisoformat(day) + timedelta(days=1)).isoformat()}T00:00")
    assert (end - begin) / 300 == intervals


@pytest.mark.parametrize(
    ("moment", "period", "price"),
    [
        ("2026-01-13T05:59", "white.hc", 0.1499),
        ("2026-01-13T06:00", "red.hp", 0.7060),
        ("2026-01-14T03:00", "red.hc", 0.1575),
        ("2026-01-14T06:00", "blue.hp", 0.1612),
        ("2026-01-14T22:00", "blue.hc", 0.1325),
        ("2026-01-15T05:59", "blue.hc", 0.1325),
        ("2026-01-15T06:00", None, None),
    ],
)
def test_a_tempo_day_runs_from_six_to_six(moment: str, period: str | None, price: float | None) -> None:
    assert TEMPO.period(at(moment)) == period
    assert TEMPO.price(at(moment)) == price


def test_several_windows_and_seasons() -> None:
    hours = {"winter": ["23:00-06:30"], "summer": ["02:00-07:00", "12:30-15:30"]}
    tariff = Tariff.parse({"kind": "hphc", "prices": {"hp": 2, "hc": 1}, "hours": hours}, PARIS)
    expected = {"2026-07-01T13:00": "hc", "2026-01-15T13:00": "hp", "2026-07-01T23:30": "hp", "2026-01-15T23:30": "hc"}
    assert {moment: tariff.period(at(moment)) for moment in expected} == expected


def test_mobile_peak_hours_end_at_one_in_the_next_night() -> None:
    tariff = Tariff.parse({"kind": "ejp", "prices": offer("ejp"), "colours": {"2026-01-13": "peak"}}, PARIS)
    moments = ("2026-01-13T06:59", "2026-01-13T07:00", "2026-01-14T00:59", "2026-01-14T01:00")
    assert [tariff.period(at(moment)) for moment in moments] == ["normal", "peak", "peak", "normal"]


def test_prices_of_the_users_own_by_the_hour() -> None:
    tariff = Tariff.parse({"kind": "hours", "prices": {"06:00": 0.2, "13:30": 0.1, "22:00": 0.15}}, PARIS)
    moments = ("2026-01-13T05:00", "2026-01-13T06:00", "2026-01-13T13:30", "2026-01-13T23:00")
    assert [tariff.price(at(moment)) for moment in moments] == [0.15, 0.2, 0.1, 0.15]


def test_the_next_change_is_told() -> None:
    assert HPHC.next_change(at("2026-06-01T12:00")) == at("2026-06-01T22:00")
    assert HPHC.next_change(at("2026-06-01T22:00")) == at("2026-06-02T06:00")
    base = Tariff.parse({"kind": "base", "prices": {"base": 0.2}}, PARIS)
    assert base.next_change(at("2026-06-01T12:00")) is None


def test_the_end_of_a_period_is_looked_for_once_in_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = HouseContract(GRID, PARIS)
    contract.wishes = Wishes(kind="tempo", kva=9.0, hours="22:38-06:38")
    asked: list[float] = []
    found = Tariff.next_change

    def counted(tariff: Tariff, moment: float) -> float | None:
        asked.append(moment)
        return found(tariff, moment)

    monkeypatch.setattr(Tariff, "next_change", counted)
    contract.colour(date(2026, 1, 12), "white")
    noon, night = at("2026-01-12T12:00"), at("2026-01-12T22:00")
    assert [contract.next_change(noon + second) for second in range(300)] == [night] * 300
    assert len(asked) == 1
    assert contract.next_change(noon + 300) == night
    before = at("2026-01-13T05:59")
    assert contract.next_change(before) == at("2026-01-13T06:00")
    contract.colour(date(2026, 1, 13), "red")
    assert contract.next_change(before) == at("2026-01-13T06:00")
    assert len(asked) == 4
    contract.wishes = Wishes(kind="hphc", kva=9.0, hours="22:38-06:38")
    late = at("2026-01-12T22:36")
    assert contract.next_change(late) == at("2026-01-12T22:40")
    assert contract.next_change(late + 180) == at("2026-01-13T06:40")  # off-peak hours have begun at 22:38


@pytest.mark.parametrize(
    ("kind", "kva", "day", "price", "year"),
    [
        ("base", 6, "2026-07-31", 0.1940, 187.80), ("base", 6, "2026-08-01", 0.2001, 190.32),
        ("base", 9, "2026-11-30", 0.1985, 238.56), ("hphc", 12, "2026-11-30", 0.2142, 285.12),
        ("tempo", 9, "2026-11-30", 0.1654, 236.40), ("hphc", 6, "2026-01-31", 0.2081, 188.88),
        ("base", 7, "2026-07-31", 0.1927, None),
    ],
)  # fmt: skip
def test_prices_and_subscriptions_are_those_of_their_day(
    kind: str, kva: float, day: str, price: float, year: float | None
) -> None:
    offer = GRID.offer(kind, kva, date.fromisoformat(day))
    assert offer is not None
    assert next(iter(offer.prices.values())) == price
    assert offer.subscription(kva) == year


@pytest.mark.parametrize(
    ("kind", "kva", "day", "known"),
    [("base", 6, "2026-06-01", True), ("base", 9, "2026-06-01", True), ("hphc", 9, "2025-07-31", False)],
)
def test_published_prices_have_a_date_and_a_range(kind: str, kva: float, day: str, known: bool) -> None:
    assert (GRID.offer(kind, kva, date.fromisoformat(day)) is not None) == known


def test_what_is_published_is_complete_and_sourced() -> None:
    for kind in KINDS[:-1]:
        found = GRID.offer(kind, 9, date(2026, 6, 1))
        assert found is not None
        assert found.source
        assert all(0.05 < price < 1 for price in found.prices.values())


@pytest.mark.parametrize("hours", [["x"], ["22:00"], ["25:00-06:00"]])
def test_hours_that_are_not_valid_are_refused(hours: list[str]) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Tariff.parse({"kind": "hphc", "prices": {}, "hours": hours}, PARIS)
