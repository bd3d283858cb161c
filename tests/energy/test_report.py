"""The balance that the page of the house asks for: rows, totals, the year before, what is not known."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from jeenergied.energy.balance import Energies
from jeenergied.energy.ledger import periods
from jeenergied.energy.ledger.cells import COLUMNS, SLOT_S
from jeenergied.energy.ledger.row import Interval, Sums
from jeenergied.energy.ledger.store import Book, Change
from jeenergied.energy.live import Live
from jeenergied.energy.report import Report, a_year_before, devices_of, of_now

from .house import PARIS

NOON, NIGHT = Energies(0.0, 1.0, 3.0, 0.5, 0.0), Energies(1.0, 0.0, 0.0, 0.0, 0.2)
"""kWh of an hour of the day and of the night: imported, exported, solar, charged, discharged."""


def written(book: Book, *days: date, until: int = 24) -> None:
    """Days whose hours 8 to 19 are as NOON, the others as NIGHT; a charger takes 0.3 kWh an hour."""
    for day in days:
        begin = periods.midnight(day, PARIS)
        hours = {}
        for hour in range(until):
            start = int(begin) + 3600 * hour
            energies = vars(NOON if 8 <= hour < 20 else NIGHT)
            intervals = []
            for slot in range(start, start + 3600, SLOT_S):
                energy: dict[str, float | None] = {c: 1000 * e / 12 for c, e in zip(COLUMNS, energies.values())}
                each = Interval(slot, energy, dict.fromkeys(COLUMNS, 300.0), 0, 0.2, 0.04, 20.0)
                each.devices = {"7": 25.0}
                intervals.append(each)
            hours[start] = Sums.of(intervals)
        total = periods.sum_of(hours.values())
        total.balance.subscription = 0.5
        book.write(Change([], {s: h.packed() for s, h in hours.items()}, {day.isoformat(): total.packed()}))


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "house.sqlite")


def at(day: date, hour: int) -> float:
    return datetime(day.year, day.month, day.day, hour, tzinfo=PARIS).timestamp()


def test_a_day_by_hours_with_its_flows_money_and_devices(book: Book) -> None:
    day = date(2026, 6, 15)
    written(book, day)
    found = Report(book, PARIS, at(date(2026, 6, 16), 9)).of(day, day, "hour")
    assert len(found["rows"]) == 24
    assert found["rows"][8]["at"] == "2026-06-15T08:00:00+02:00"
    total = found["total"]
    assert total["solar"] == pytest.approx(36)
    assert total["import"] == pytest.approx(12)
    flows = total["flows"]
    assert flows["s2h"] + flows["s2b"] + flows["s2g"] == pytest.approx(total["solar"])
    assert flows["s2h"] + flows["b2h"] + flows["g2h"] == pytest.approx(total["house"])
    assert sum(row["house"] for row in found["rows"]) == pytest.approx(total["house"])
    assert total["cost"] == pytest.approx(12 * 0.2 + 0.5)
    assert total["revenue"] == pytest.approx(12 * 0.04)
    assert found["devices"]["used"] == {"7": pytest.approx(7.2)}
    assert found["devices"]["rest"] == pytest.approx(total["house"] - 7.2)
    assert found["before"] is None  # the book does not reach so far: not a comparison with nothing


def test_a_running_day_is_compared_with_the_same_hours(book: Book) -> None:
    before, today = date(2025, 6, 15), date(2026, 6, 15)
    written(book, before)
    written(book, today, until=10)
    found = Report(book, PARIS, at(today, 10)).of(today, today, "hour")
    assert len(found["rows"]) == 10
    assert found["before"]["solar"] == pytest.approx(found["total"]["solar"]) == pytest.approx(6)
    assert found["before"]["cost"] == pytest.approx(found["total"]["cost"])


def test_a_running_month_is_compared_with_the_same_days(book: Book) -> None:
    written(book, *(date(2025, 6, d) for d in range(1, 31)), *(date(2026, 6, d) for d in range(1, 15)))
    today = date(2026, 6, 15)
    written(book, today, until=12)
    found = Report(book, PARIS, at(today, 12)).of(date(2026, 6, 1), date(2026, 6, 30), "day")
    assert [row["at"] for row in found["rows"]] == [f"2026-06-{d:02}" for d in range(1, 16)]
    assert found["before"]["house"] == pytest.approx(found["total"]["house"])
    assert found["total"]["known"] == 100.0


def test_a_year_of_which_the_book_has_a_part_is_nothing_to_compare_with(book: Book) -> None:
    written(book, *(date(2025, 6, d) for d in range(10, 16)), *(date(2026, 6, d) for d in range(1, 16)))
    report = Report(book, PARIS, at(date(2026, 6, 16), 1))
    assert report.of(date(2026, 6, 1), date(2026, 6, 15), "day")["before"] is None
    assert report.of(date(2026, 6, 10), date(2026, 6, 15), "day")["before"] is not None


def test_all_time_by_year_begins_with_the_book(book: Book) -> None:
    written(book, date(2024, 12, 31), date(2025, 1, 1))
    found = Report(book, PARIS, at(date(2025, 1, 2), 1)).of(None, None, "year")
    assert (found["from"], found["since"]) == ("2024-12-31", "2024-12-31")
    assert [row["at"] for row in found["rows"]] == ["2024-01-01", "2025-01-01"]
    assert [row["known"] for row in found["rows"]] == [100.0, pytest.approx(96, abs=1)]


def test_what_is_not_known_is_none_and_never_nothing(book: Book) -> None:
    day = date(2026, 6, 15)
    found = Report(book, PARIS, at(day, 12)).of(day, day, "hour")
    assert found["rows"] == []
    assert found["since"] is None
    assert set(found["total"].values()) == {None}
    written(book, day, until=2)  # two hours of twelve
    total = Report(book, PARIS, at(day, 12)).of(day, day, "hour")["total"]
    assert total["known"] == pytest.approx(16.7, abs=0.1)
    assert [total[each] for each in ("house", "autonomy", "cost", "savings", "flows")] == [None] * 5
    assert total["import"] == pytest.approx(2)


@pytest.mark.parametrize(
    ("first", "last", "per"),
    [("2026-06-15", "2026-06-14", "day"), ("2026-01-01", "2026-06-14", "hour"), ("2020-01-01", "2026-06-14", "day")],
)
def test_a_period_that_is_none_or_too_long_is_refused(book: Book, first: str, last: str, per: str) -> None:
    with pytest.raises(ValueError, match=f"{first} to {last} by {per}"):
        Report(book, PARIS, at(date(2026, 6, 15), 1)).of(date.fromisoformat(first), date.fromisoformat(last), per)


def test_the_day_that_a_year_before_did_not_have() -> None:
    assert a_year_before(date(2024, 2, 29)) == date(2023, 2, 28)
    assert a_year_before(date(2026, 6, 15)) == date(2025, 6, 15)


def test_devices_that_count_more_than_the_house_leave_no_rest() -> None:
    sums = Sums(known=1, devices={"7": 2.0, "8": 0.0})
    sums.balance.house = 1.0
    assert devices_of(sums) == {"used": {"7": 2.0}, "rest": None}


def test_the_powers_of_now_keep_what_is_not_known() -> None:
    live = Live(grid=500.0, chargers={"3": None}, loads={"4": 10.0}, oldest=90.0)
    now = of_now(SimpleNamespace(live=live, contradicts=False), 100.0)
    assert (now["grid"], now["solar"], now["house"]) == (500.0, None, None)
    assert (now["chargers"], now["loads"], now["age"]) == ({"3": None}, {"4": 10.0}, 10.0)
