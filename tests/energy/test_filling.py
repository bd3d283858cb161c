"""What Jeedom's history holds of the roles becomes intervals: whole, once, beside what was measured, over any kill."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from jeenergied.energy.ledger import periods
from jeenergied.energy.ledger.cells import SLOT_S
from jeenergied.energy.ledger.filling import BEGIN_S, MOST_WAIT_S, Filling, Page, thinned
from jeenergied.energy.ledger.row import Sums
from jeenergied.energy.ports import Reading, Source

from simulators.house.days import Days, Flow, whole_days
from simulators.jeedom.past import archived, page

from .house import ALL, CHARGED, DISCHARGED, GRID, OFF_PEAK, PARIS, PEAK, Kept, values

START = datetime(2026, 10, 23, tzinfo=PARIS)
DAYS = 5
"""From a Friday to a Tuesday; the night to Sunday is an hour longer."""
MODES = {each.key: "avg" if each.per == "now" else "max" for each in ALL}
Points = dict[str, list[tuple[int, float]]]


class Past:
    """History of a house, and the house that takes it in later."""

    def __init__(
        self, path: Path, points: Points, until: float, modes: dict[str, str] = MODES, most: int = 2000
    ) -> None:
        self.kept = Kept(path)
        self.until = until
        self.now = until + 3600.0
        self.points = {key: archived(told, modes[key], self.now) for key, told in points.items()}
        self.most = most
        sources = {each.key: each for each in ALL}
        self.newest = {key: Reading(sources[key], told[-1][1], until) for key, told in points.items() if told}
        self.asked: list[tuple[str, float, float]] = []
        self.held = 0
        self.begin()

    def begin(self) -> None:
        self.filling = Filling(self.kept.ledger, PARIS)
        self.filling.ask = self.answer
        self.monotonic = 0.0
        self.waiting: list[Page] = []

    def answer(self, source: Source, begin: float, end: float) -> None:
        self.asked.append((source.key, begin, end))
        told = page(self.points.get(source.key, []), int(begin), int(end), self.most)
        points = [(float(at), float(value)) for at, value in told["points"]]
        self.waiting.append(Page(source.key, begin, end, points, told["next"], float(told["step"])))

    def kill(self) -> None:
        self.kept.restart()
        self.begin()

    def run(self, until: Callable[[], bool] | None = None) -> set[date]:
        """Steps until all is taken in, or `until` says so."""
        days: set[date] = set()
        for _ in range(5000):
            self.monotonic += BEGIN_S
            days |= self.filling.step(self.kept.roles, self.until, self.monotonic, self.newest)
            if self.filling.is_done or (until is not None and until()):
                return days
            while self.waiting:
                self.filling.take(self.waiting.pop())
            self.held = max(self.held, sum(len(told.points) for told in self.filling._told.values()))
        raise AssertionError("the filling has no end")

    def total(self, first: int = 0) -> Sums:
        """Of all days but the first ones: the first reading of a counter tells nothing of the time before it."""
        begin = (START.date() + timedelta(days=first)).isoformat() if first else "2000-01-01"
        return periods.sum_of(Sums.unpacked(data) for _, data in self.kept.book.days(begin, "2100-01-01"))

    def days(self) -> dict[str, object]:
        return dict(self.kept.book.days("2000-01-01", "2100-01-01"))


def history(of: Iterable[tuple[float, dict[Source, float]]]) -> Points:
    """As Jeedom keeps it: changes, to the second."""
    points: Points = {}
    for at, told in of:
        for source, value in told.items():
            series = points.setdefault(source.key, [])
            if not series or series[-1][1] != value:
                series.append((int(at), value))
    return points


def played(change: Callable[[float, dict[Source, float]], dict[Source, float]] | None = None) -> tuple[Points, Days]:
    house = Days(START)
    told = []
    for shown in house.minutes(whole_days(START, DAYS)):
        now = values(shown)
        told.append((shown.at, now if change is None else change(shown.at, now)))
    return history(told), house


@pytest.fixture(scope="module")
def plain() -> tuple[Points, Days]:
    return played()


def truth(house: Days, first: int = 0) -> Flow:
    total = Flow()
    for day in sorted(house.by_day)[first:]:
        total.add(house.by_day[day])
    return total


UNTIL = START.timestamp() + whole_days(START, DAYS) * 60


def assert_true(found: Sums, true: Flow, within: float = 0.005) -> None:
    balance = found.balance
    told = (balance.imported, balance.exported, balance.solar, balance.charged, balance.discharged)
    expected = (true.imported, true.exported, true.solar, true.charged, true.discharged)
    for one, other in zip(told, expected):
        assert 1000 * one == pytest.approx(other, rel=within)


def test_sums_are_those_of_the_meters(tmp_path: Path, plain: tuple[Points, Days]) -> None:
    points, house = plain
    past = Past(tmp_path / "house.sqlite", points, UNTIL)
    days = past.run()
    assert days == {START.date() + timedelta(days=number) for number in range(DAYS)}
    found = past.total()
    assert_true(past.total(1), truth(house, 1))
    assert found.reconstructed == found.count > whole_days(START, DAYS) // 5 - 12
    assert past.total(1).devices["3"] * 1000 == pytest.approx(truth(house, 1).car, rel=0.03)  # told once an hour
    for row in past.kept.book.intervals(START.timestamp(), UNTIL):
        assert all(row.is_reconstructed(column) for column in "iepcd")
        assert row.is_estimated
        assert row.price is not None
        assert all((energy or 0.0) >= 0.0 for energy in row.energy.values())
    long = dict(past.kept.book.days("2026-10-25", "2026-10-25"))
    assert Sums.unpacked(long["2026-10-25"]).count == 300


def test_what_one_kill_after_each_day_leaves_is_the_same(tmp_path: Path, plain: tuple[Points, Days]) -> None:
    points, _house = plain
    whole = Past(tmp_path / "whole.sqlite", points, UNTIL)
    whole.run()
    killed = Past(tmp_path / "killed.sqlite", points, UNTIL)
    for number in range(DAYS):
        at = killed.filling.at
        killed.run(lambda before=at: killed.filling.at != before)  # type: ignore[misc]
        if number % 2:
            killed.run(lambda: bool(killed.waiting))  # in the middle of a question
        killed.kill()
    killed.run()
    assert killed.total().balance.imported == pytest.approx(whole.total().balance.imported, rel=1e-4)
    assert killed.total().balance.solar == pytest.approx(whole.total().balance.solar, rel=1e-4)
    assert_true(killed.total(1), truth(plain[1], 1))


def test_the_same_history_twice_counts_once(tmp_path: Path, plain: tuple[Points, Days]) -> None:
    past = Past(tmp_path / "house.sqlite", plain[0], UNTIL)
    past.run()
    before = past.days()
    past.filling.again()
    past.run()
    assert past.days() == before


def test_what_a_meter_has_measured_stays(tmp_path: Path, plain: tuple[Points, Days]) -> None:
    points, _house = plain
    past = Past(tmp_path / "house.sqlite", points, UNTIL)
    last = {source: points[source.key][-1][1] for source in ALL}
    for minute in range(11):
        past.kept.take(last, UNTIL - 1200 + 60 * minute)
    past.kept.ledger.flush(UNTIL - 500)
    measured = past.kept.book.intervals(UNTIL - 1200, UNTIL)
    past.run()
    assert measured
    assert past.kept.book.intervals(UNTIL - 1200, UNTIL) == measured
    first = min(row.start for row in measured)
    assert all(row.is_reconstructed("i") for row in past.kept.book.intervals(first - 3600, first))


def test_gaps_and_resets_neither_lose_nor_invent(tmp_path: Path) -> None:
    gap = (START.timestamp() + 1.4 * 86400, START.timestamp() + 1.9 * 86400)
    reset = START.timestamp() + 2.6 * 86400
    bases: dict[Source, float] = {}

    def change(at: float, told: dict[Source, float]) -> dict[Source, float]:
        if gap[0] <= at < gap[1]:
            return {}
        if at >= reset:  # a new meter
            for source in (PEAK, OFF_PEAK):
                told[source] -= bases.setdefault(source, told[source])
        if random.Random(at).random() < 0.002:
            told = {**told, PEAK: told[PEAK] + 9_000_000}  # a reading that cannot be true
        return told

    points, house = played(change)
    past = Past(tmp_path / "house.sqlite", points, UNTIL, {**MODES, PEAK.key: "none", OFF_PEAK.key: "none"})
    past.run()
    assert_true(past.total(1), truth(house, 1), 0.01)
    assert max(row.energy["i"] or 0.0 for row in past.kept.book.intervals(START.timestamp(), UNTIL)) < 2000


def test_a_power_counts_until_its_counter_begins(tmp_path: Path, plain: tuple[Points, Days]) -> None:
    points, house = plain
    begins = START.timestamp() + 2 * 86400
    late = {
        key: [each for each in told if key not in (PEAK.key, OFF_PEAK.key) or each[0] >= begins]
        for key, told in points.items()
    }
    past = Past(tmp_path / "house.sqlite", late, UNTIL)
    past.run()
    # The mean of an hour in which power was drawn and given says less than both.
    assert 1000 * past.total().balance.imported == pytest.approx(truth(house).imported, rel=0.1)
    exact = sum(house.by_day[(START.date() + timedelta(days=number)).isoformat()].imported for number in (3, 4))
    told = [Sums.unpacked(past.days()[(START.date() + timedelta(days=number)).isoformat()]) for number in (3, 4)]
    assert sum(1000 * each.balance.imported for each in told) == pytest.approx(exact, rel=0.01)


def test_what_history_does_not_hold_is_not_known(tmp_path: Path, plain: tuple[Points, Days]) -> None:
    hidden = (CHARGED.key, DISCHARGED.key, "1:battery.power")
    past = Past(tmp_path / "house.sqlite", {k: v for k, v in plain[0].items() if k not in hidden}, UNTIL)
    past.run()
    found = past.total()
    assert found.known == 0
    assert 1000 * past.total(1).balance.imported == pytest.approx(truth(plain[1], 1).imported, rel=0.005)
    assert all(row.energy["c"] is None for row in past.kept.book.intervals(START.timestamp(), UNTIL))


def test_history_without_archive_comes_in_pages_and_is_held_thin(tmp_path: Path, plain: tuple[Points, Days]) -> None:
    past = Past(tmp_path / "house.sqlite", plain[0], UNTIL, dict.fromkeys(MODES, "none"), most=300)
    past.run()
    assert_true(past.total(1), truth(plain[1], 1))
    assert len({begin for key, begin, _ in past.asked if key == GRID.key}) >= 10
    assert past.held <= len(ALL) * (3 * 86400 + 3600 + 90000) // SLOT_S


def test_years_without_a_point_cost_one_question(tmp_path: Path) -> None:
    old = START.timestamp() - 700 * 86400
    points: Points = {GRID.key: [(int(old + 600 * n), 1000.0 + n % 2) for n in range(144)]}
    points[GRID.key] += [(int(UNTIL - 7200 + 600 * n), 500.0 + n % 2) for n in range(12)]
    past = Past(tmp_path / "house.sqlite", points, UNTIL)
    past.run()
    assert len(past.asked) < 2 * len(ALL) + 10
    assert 1000 * past.total().balance.imported == pytest.approx(1000 * 24 + 500 * 2, rel=0.1)


def test_a_jeedom_that_does_not_answer_is_asked_more_and_more_seldom(tmp_path: Path) -> None:
    past = Past(tmp_path / "house.sqlite", {}, UNTIL)
    roles = past.kept.roles
    for second in range(0, int(BEGIN_S + 8 * 3600), 20):
        past.filling.step(roles, UNTIL, float(second))
    assert 6 <= len(past.asked) <= 15
    assert len(set(past.asked)) == 1
    past.filling.take(past.waiting[0])
    past.filling.step(roles, UNTIL, BEGIN_S + 8 * 3600 + MOST_WAIT_S)
    assert len(set(past.asked)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        lambda page: Page("9:nobody", page.begin, page.end, [(1.0, 1.0)], None),
        lambda page: Page(page.key, page.begin + 1, page.end, [(1.0, 1.0)], None),
    ],
)
def test_an_answer_that_nobody_waits_for_is_left_out(tmp_path: Path, wrong: Callable[[Page], Page]) -> None:
    past = Past(tmp_path / "house.sqlite", {}, UNTIL)
    past.run(lambda: bool(past.waiting))
    past.filling.take(wrong(past.waiting[0]))
    past.monotonic += 1
    past.filling.step(past.kept.roles, UNTIL, past.monotonic)
    assert len(past.asked) == 1


def test_an_answer_that_goes_round_ends(tmp_path: Path) -> None:
    past = Past(tmp_path / "house.sqlite", {}, UNTIL)

    def answer(source: Source, begin: float, end: float) -> None:
        past.waiting.append(Page(source.key, begin, end, [], begin))

    past.filling.ask = answer
    past.run()
    assert past.filling.is_done


def test_a_power_is_its_mean_and_a_counter_its_last() -> None:
    points = [(0.0, 1.0), (100.0, 3.0), (300.0, 7.0)]
    assert thinned(points, True) == [(50.0, 2.0), (300.0, 7.0)]
    assert thinned(points, False) == [(100.0, 3.0), (300.0, 7.0)]
