"""Thirty days of a simulated house with resets, gaps, kills, a clock change, late data: the book tells the truth."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import pytest
from jeenergied.energy.ledger import periods
from jeenergied.energy.ledger.cells import COLUMNS
from jeenergied.energy.ledger.row import Sums
from jeenergied.energy.ports import Source
from jeenergied.energy.topology import Topology

from simulators.house.days import Days, Flow, whole_days

from .house import ALL, CAR, CAR_ENERGY, EXPORT, OFF_PEAK, PARIS, PEAK, RULES, SOLAR, Kept, values

START = datetime(2026, 10, 5, tzinfo=PARIS)
DAYS = 30
AWAY = ("2026-10-17", "2026-10-18")
"""Days on which the daemon was off for more than half a day in all."""
SUPPLIER = Source("9", "conso_jour", "supply.energy", "day")
LINE = Source("8", "total_energy", "load.energy", "measure")
NAMES = ("imported", "exported", "solar", "charged", "discharged")


def spoilt(told: dict[Source, float], minute: int, dice: random.Random) -> dict[Source, float]:
    """What arrives of a minute: dips, giant steps, gaps of single meters."""
    day, of_day = divmod(minute, 1440)
    if day in (8, 19) and 600 <= of_day < 780:
        told = {source: value for source, value in told.items() if source.equipment != "1"}
    if dice.random() < 0.01 and SOLAR in told:
        told[SOLAR] -= 40  # an older copy for a moment
    if dice.random() < 0.002 and EXPORT in told:
        told[EXPORT] += 2_000_000  # a reading that cannot be
    if dice.random() < 0.002:
        told = {source: value for source, value in told.items() if source != PEAK}
    return told


def play(kept: Kept, house: Days, count: int, dice: random.Random) -> None:
    """Thirty days with everything that happens to a daemon and its meters."""
    replaced: dict[Source, float] = {}
    for minute, shown in enumerate(house.minutes(count)):
        day, of_day = divmod(minute, 1440)
        told = values(shown)
        if (day, of_day) == (5, 700):  # the meter is replaced: its indexes begin anew
            replaced = {PEAK: told[PEAK], OFF_PEAK: told[OFF_PEAK]}
        told = {source: value - replaced.get(source, 0) for source, value in told.items()}
        away = (day == 12 and of_day >= 300) or (day == 13 and of_day < 900)  # the daemon is off for over a day
        if away:
            continue
        if dice.random() < 0.003:
            kept.restart()
        kept.take(spoilt(told, minute, dice), shown.at)
        if minute % 5 == 4:
            kept.ledger.flush(shown.at)
    kept.ledger.flush(house.start.timestamp() + 60 * count)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> tuple[Kept, Days]:
    kept = Kept(tmp_path_factory.mktemp("house") / "house.sqlite")
    house = Days(START)
    play(kept, house, whole_days(START, DAYS), random.Random(3))
    return kept, house


def total(house: Days) -> Flow:
    result = Flow()
    for flow in house.by_day.values():
        result.add(flow)
    return result


def test_every_interval_balances_and_none_is_negative_or_giant(month: tuple[Kept, Days]) -> None:
    kept, _ = month
    rows = kept.book.intervals(0, 1e12)
    assert len(rows) == pytest.approx(DAYS * 288 + 12, abs=2)
    unknown: list[int] = []
    for row in rows:
        energies = row.energies()
        if energies is None:
            unknown.append(row.start)
            continue
        assert min(vars(energies).values()) >= 0
        assert max(vars(energies).values()) * 12 < 15  # kW
        assert (row.house or 0) > -1
        sources = energies.imported + energies.solar + energies.discharged
        uses = energies.house + energies.exported + energies.charged
        assert abs(sources - uses) * 1000 < 1
    # What was charged on a day that ended while the daemon was away is known to nobody: the counter is of the day.
    assert {periods.day_of(start, PARIS).isoformat() for start in unknown} == {"2026-10-17"}


def test_no_bar_of_an_hour_or_a_day_is_negative_or_giant(month: tuple[Kept, Days]) -> None:
    """A bar is what the page draws: flows of an hour or a day, as they are kept."""
    kept, house = month
    most_kw = 15.0
    bars = [(1, Sums.unpacked(data)) for _, data in kept.book.hours(0, 1e12)]
    bars += [(25, Sums.unpacked(data)) for _, data in kept.book.days("0", "9")]
    assert len(bars) >= DAYS * 25
    for hours, sums in bars:
        figures = [*vars(sums.balance.flows).values(), *sums.devices.values()]
        figures += [getattr(sums.balance, name) for name in (*NAMES, "house")]
        assert min(figures) >= 0
        assert max(figures) < most_kw * hours
    starts = [start for start, _ in kept.book.hours(0, 1e12)]
    assert len(starts) == len(set(starts)) == len(house.by_day) * 24 + 1, "no hour twice, none left out"


def test_sums_are_the_truth(month: tuple[Kept, Days]) -> None:
    """Each column within 0.5 %, over all that can be known; the house where all columns are."""
    kept, house = month
    rows = kept.book.intervals(0, 1e12)
    for name, column in zip(NAMES, COLUMNS):
        known = [row for row in rows if row.known(column) is not None]
        found = sum(row.known(column) or 0.0 for row in known)
        true = sum(getattr(house.truth.get(row.start, Flow()), name) for row in known)
        assert found == pytest.approx(true, rel=0.005), name
    ordinary = [row for row in rows if periods.day_of(row.start, PARIS).isoformat() not in AWAY]
    sums, true_house = Sums.of(ordinary), sum(house.truth.get(row.start, Flow()).house for row in ordinary)
    assert sums.balance.house * 1000 == pytest.approx(true_house, rel=0.005)
    assert sums.balance.contradictions == 0
    whole = Sums.of(rows)
    assert whole.devices["3"] * 1000 == pytest.approx(total(house).car, rel=0.005)
    assert whole.balance.imported * 1000 == pytest.approx(total(house).imported, rel=0.005)
    assert whole.known / whole.count > 0.97


def test_days_are_the_truth_and_none_counts_twice(month: tuple[Kept, Days]) -> None:
    kept, house = month
    days = dict(kept.book.days("0", "9"))
    assert sorted(days) == sorted(house.by_day)
    # A day on which meters were silent or the daemon was away for long has the right sums only together with the next.
    for day, true in house.by_day.items():
        sums = Sums.unpacked(days[day])
        ordinary = day not in ("2026-10-10", "2026-10-17", "2026-10-18")
        for name in NAMES:
            if day == "2026-10-17" and name in ("charged", "discharged"):
                continue
            found, wanted = getattr(sums.balance, name) * 1000, getattr(true, name)
            assert found == pytest.approx(wanted, rel=0.02 if ordinary else 0.6, abs=40), (day, name)
    rows = kept.book.intervals(0, 1e12)
    assert sum(Sums.unpacked(data).count for data in days.values()) == len(rows)
    all_days = periods.of_days(kept.book, date(2026, 1, 1), date(2026, 12, 31))
    whole = Sums.of(rows)
    assert all_days.balance.imported == pytest.approx(whole.balance.imported)
    assert all_days.balance.energy_cost == pytest.approx(whole.balance.energy_cost)
    assert vars(all_days.balance.flows) == pytest.approx(vars(whole.balance.flows))
    assert all_days.balance.subscription == pytest.approx(DAYS)


def test_the_day_of_the_clock_change_has_25_hours(month: tuple[Kept, Days]) -> None:
    kept, _ = month
    begin, end = periods.span(date(2026, 10, 25), PARIS)
    assert len(kept.book.intervals(begin, end)) == 300
    assert len(kept.book.hours(begin, end)) == 25


def test_late_data_of_the_month_fill_what_was_missed_and_count_once(month: tuple[Kept, Days], tmp_path: Path) -> None:
    """A supplier's days and an ecometer's hours, out of order, corrected and repeated: a month of them at its end."""
    _, house = month
    path = tmp_path / "house.sqlite"
    with closing(sqlite3.connect(month[0].path)) as told, closing(sqlite3.connect(path)) as copy:
        told.backup(copy)
    kept = Kept(path, sources=(*ALL, SUPPLIER, LINE))
    before = Sums.of(kept.book.intervals(0, 1e12))
    dates, dice = list(house.by_day), random.Random(5)
    dice.shuffle(dates)
    for wrong, some in ((1.2, dates[:4]), (1.0, dates), (1.0, dates[:4])):
        for number, day in enumerate(some):
            begin, end = periods.span(date.fromisoformat(day), PARIS)
            kept.ledger.late(SUPPLIER, "i", begin, end, house.by_day[day].imported * wrong)
            hours = [begin + 3600 * hour for hour in range(round((end - begin) / 3600))]
            for hour in hours:
                kept.ledger.late(LINE, "8", hour, hour + 3600, 100 * wrong)
            if number % 12 == 11:
                kept.ledger.flush(house.start.timestamp() + 40 * 86400)
                kept.restart()
        kept.ledger.flush(house.start.timestamp() + 40 * 86400)
    rows = kept.book.intervals(0, 1e12)
    assert len(rows) == pytest.approx(DAYS * 288 + 12, abs=2)
    for row in rows:
        energies = row.energies()
        if energies is not None:
            sources = energies.imported + energies.solar + energies.discharged
            assert abs(sources - energies.house - energies.exported - energies.charged) * 1000 < 1
            assert min(vars(energies).values()) >= 0
    whole = Sums.of(rows)
    assert whole.balance.imported * 1000 == pytest.approx(total(house).imported, rel=0.005)
    assert whole.balance.imported == pytest.approx(before.balance.imported, rel=0.005), "what was measured stays"
    assert whole.devices["8"] * 1000 == pytest.approx(100 * (DAYS * 24 + 1), rel=0.005)
    assert whole.devices["3"] == pytest.approx(before.devices["3"])
    days = dict(kept.book.days("0", "9"))
    assert sorted(days) == sorted(house.by_day)
    assert sum(Sums.unpacked(data).count for data in days.values()) == len(rows)
    line = sum(Sums.unpacked(data).devices["8"] for data in days.values())
    assert line == pytest.approx(whole.devices["8"], rel=1e-4)


def test_what_the_daemon_missed_is_an_estimate(month: tuple[Kept, Days]) -> None:
    kept, _ = month
    begin, end = periods.span(date(2026, 10, 17), PARIS)
    rows = kept.book.intervals(begin + 8 * 3600, end - 3600)
    assert all(row.is_estimated for row in rows)
    begin, end = periods.span(date(2026, 10, 30), PARIS)
    assert sum(row.is_estimated for row in kept.book.intervals(begin, end)) < 12


def test_the_battery_is_a_tank_that_forgets_nothing(month: tuple[Kept, Days]) -> None:
    kept, _ = month
    rows = kept.book.intervals(0, 1e12)
    assert all(0 <= row.tank.solar_share <= 1 + 1e-9 and row.tank.content >= 0 for row in rows)
    tank = rows[0].tank
    for row in rows[1:]:
        tank = row.tank_after(tank)
        assert tank.content == pytest.approx(row.tank.content, abs=1e-4)
        assert tank.solar_share == pytest.approx(row.tank.solar_share, abs=1e-4)
        tank = row.tank


def test_a_meter_that_comes_back_does_not_count_what_another_has_counted(tmp_path: Path) -> None:
    """The meter of the bill is switched off for a while: the other one counts, and it alone."""
    other = Source("1", "cumul", "grid.import", "counter")
    kept, house = Kept(tmp_path / "house.sqlite", sources=(*ALL, other)), Days(START)
    topology = Topology(RULES)
    for minute, shown in enumerate(house.minutes(720)):
        told = {**values(shown), other: 5_000.0 + shown.import_peak + shown.import_off_peak}
        away = 200 <= minute < 500
        if minute in (200, 500):
            sources = [each for each in (*ALL, other) if not (away and each in (PEAK, OFF_PEAK))]
            kept.ledger.adopt(topology.roles(sources))
        kept.take(told, shown.at)
        if minute % 5 == 4:
            kept.ledger.flush(shown.at)
    found = sum(row.energy["i"] or 0 for row in kept.book.intervals(0, 1e12))
    assert found == pytest.approx(sum(flow.imported for flow in house.truth.values()), abs=150)


def shown(at: float, power: float, energy: float) -> dict[Source, float]:
    return {CAR: power, CAR_ENERGY: energy}


def test_a_counter_that_is_told_hourly_scales_what_the_power_has_told(tmp_path: Path) -> None:
    """3.52 kWh integrated, 3.60 counted: each interval of that hour grows by the same factor."""
    kept = Kept(tmp_path / "house.sqlite", sources=(CAR, CAR_ENERGY))
    begin = START.timestamp()
    kept.take(shown(begin, 0, 100_000), begin)
    for second in range(0, 3601, 10):
        kept.take(shown(begin + second, 3520, 100_000), begin + second)
    kept.ledger.flush(begin + 3600)
    assert sum(row.devices["3"] for row in kept.book.intervals(0, 1e12)) == pytest.approx(3520, abs=5)
    kept.take(shown(begin + 3610, 3520, 103_600), begin + 3610)  # 3.53 integrated
    kept.ledger.flush(begin + 3610)
    rows = kept.book.intervals(begin, begin + 3600)
    assert sum(row.devices["3"] for row in kept.book.intervals(0, 1e12)) == pytest.approx(3600, abs=1e-3)
    factors = [row.devices["3"] / (3520 / 12) for row in rows[1:]]
    assert max(factors) - min(factors) < 1e-3
    assert factors[0] == pytest.approx(3600 / (3520 * 3610 / 3600), rel=1e-3)


def test_no_power_and_no_counter_is_not_nothing(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "house.sqlite")
    begin = START.timestamp()
    house = Days(START)
    for minute, each in enumerate(house.minutes(60)):
        told = values(each)
        if minute >= 20:
            told = {source: value for source, value in told.items() if source not in (EXPORT, SOLAR)}
        kept.take(told, each.at)
    kept.ledger.flush(begin + 3600)
    rows = kept.book.intervals(begin, begin + 3600)
    assert [row.known("p") is None for row in rows] == [False] * 4 + [True] * 8
    assert rows[-1].house is None
    sums = Sums.of(rows)
    assert (sums.count, sums.known) == (12, 4)
    assert periods.share_known(sums, begin, begin + 3600, begin) == pytest.approx(4 / 12)


def test_a_column_that_was_measured_before_a_restart_is_awaited_for_a_day(tmp_path: Path) -> None:
    """A gateway that answers late after a start has not lost its panels."""
    kept, house = Kept(tmp_path / "house.sqlite"), Days(START)
    for minute, each in enumerate(house.minutes(1600)):
        told = values(each)
        if minute == 20:
            kept.ledger.flush(each.at)
            kept.sources = (PEAK, OFF_PEAK)
            kept.restart()
        kept.take({source: told[source] for source in (kept.sources if minute >= 20 else ALL)}, each.at)
        if minute % 5 == 4:
            kept.ledger.flush(each.at)
    known = [row.known("p") is not None for row in kept.book.intervals(0, 1e12)]
    assert known[:4] == [False, True, True, True] or all(known[:4])
    assert not any(known[4:290])
    assert all(known[300:]), "they were taken away"
