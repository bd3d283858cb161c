"""The judges of a soaked house: each one finds what it is for."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jeenergied.energy.ledger import store
from jeenergied.energy.ledger.row import Interval

from simulators.enphase.plant import Plant
from simulators.house import Truth
from simulators.house.days import Days
from simulators.soak import book, ending
from simulators.soak.house import OBSERVED_LIMIT, SUBSCRIBED_KVA
from simulators.soak.watch import ANSWER_S, Change, Log, Watch
from tests.energy.house import PARIS, Kept, values
from tests.support.waiting import until

NOON = 1_781_000_000.0


class Notes:
    def __init__(self, data: Path) -> None:
        self.failures: list[str] = []
        self.rows: dict[str, bool] = {}
        self.daemon: Any = SimpleNamespace(data=data)

    def note(self, what: str, expected: str, found: str, good: bool) -> None:
        self.rows[what] = good


class Charger:
    def __init__(self) -> None:
        self.limit = 10.0

    def get(self, observation: int) -> float:
        return self.limit if observation == OBSERVED_LIMIT else 0.0


class Grid(Truth):
    def __init__(self) -> None:
        super().__init__()
        self.watts = 0.0

    def grid(self) -> float:
        return self.watts


def watched(tmp_path: Path, **more: Any) -> Watch:
    house: Any = SimpleNamespace(charger=Charger(), truth=Grid(), by_hand=[])
    return Watch(house, [Log(tmp_path / "log")], list, look_s=0.001, **more)


def judged(watch: Watch, tmp_path: Path) -> dict[str, bool]:
    watch.close()
    notes = Notes(tmp_path)
    ending.check_driving(notes, watch)
    return notes.rows


def decision(at: float, said: str) -> dict[str, str]:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(at))
    return {"at": moment, "decision": said, "why": "because"}


class TestDriving:
    STARTS = "starts and stops without a reason"
    OVER = "above the subscription in a whole chain"
    ERRORS = "lines of level error without a fault"

    def test_a_stop_is_seen_and_needs_a_decision_of_its_time(self, tmp_path: Path) -> None:
        watch = watched(tmp_path)
        until(lambda: watch.looks > 0)
        watch.house.charger.limit = 0.0  # type: ignore[misc]
        until(lambda: watch.changes)
        at = watch.changes[0].told
        known = watch.decisions
        known["wrong way"] = decision(at, "8 A × 1")  # type: ignore[index]
        known["too late"] = decision(at + 600, "0 A × 1")  # type: ignore[index]
        assert judged(watch, tmp_path)[self.STARTS] is False
        known["this"] = decision(at + 5, "0 A × 1")  # type: ignore[index]
        assert judged(watch, tmp_path)[self.STARTS] is True

    def test_what_people_did_themselves_needs_none(self, tmp_path: Path) -> None:
        watch = watched(tmp_path)
        watch.changes.append(Change(100.0, 1e9, 32.0, 0.0))
        watch.changes.append(Change(200.0, NOON, 0.0, 32.0))
        watch.decisions["start"] = decision(NOON, "32 A × 1")  # type: ignore[index]
        watch.house.by_hand.append(99.5)
        assert judged(watch, tmp_path)[self.STARTS] is True

    @pytest.mark.parametrize("healthy", [ANSWER_S + 60.0, ANSWER_S - 40.0])
    def test_power_above_the_subscription_counts_once_the_chain_is_whole(self, tmp_path: Path, healthy: float) -> None:
        watch = watched(tmp_path, dead_time_s=0.0)
        watch.fault(False)
        watch.healthy_since -= healthy
        watch.house.truth.watts = 1000 * SUBSCRIBED_KVA + 1.0  # type: ignore[attr-defined]
        until(lambda: watch.over_s > 0)
        looks = watch.looks
        until(lambda: watch.looks > looks + 1)
        assert judged(watch, tmp_path)[self.OVER] is (healthy < ANSWER_S)

    def test_an_error_that_no_fault_explains_is_found(self, tmp_path: Path) -> None:
        watch = watched(tmp_path)
        watch.fault(True)
        until(lambda: watch.looks > 0)
        (tmp_path / "log").write_text("[2026-11-30 12:00:00][ERROR] away\n[2026-11-30 12:00:00][WARNING] no\n")
        until(lambda: watch.errors)
        assert not watch.uncaused
        watch.fault(False)
        watch.healthy_since -= 1000.0
        with (tmp_path / "log").open("a") as log:
            log.write("[2026-11-30 12:20:00][ERROR] why\n")
        until(lambda: watch.uncaused)
        assert judged(watch, tmp_path)[self.ERRORS] is False


class TestBook:
    def test_the_rows_of_a_real_book_are_read_and_balance(self, tmp_path: Path) -> None:
        kept = Kept(tmp_path / "house.sqlite")
        for shown in Days(datetime(2026, 6, 10, tzinfo=PARIS)).minutes(180):
            kept.take(values(shown), shown.at)
            kept.ledger.flush(shown.at)
        found = book.rows(tmp_path)
        assert len(book.complete(found)) > 20
        assert book.contradictions(found) == []
        with closing(sqlite3.connect(tmp_path / "house.sqlite")) as database, database:
            database.execute("UPDATE interval SET e = e + 9000 WHERE start = ?", (found[10].start,))
        assert len(book.contradictions(book.rows(tmp_path))) == 1

    def test_what_the_plant_counted_is_told_by_column(self) -> None:
        now = [NOON]
        plant = Plant(lambda: now[0], inverters=4)
        plant.set({"production": 1200.0, "consumption": 600.0})
        begin = -(-NOON // 300) * 300
        now[0] = begin + 600
        plant.advance()
        found = book.counted(plant, int(begin))
        assert found == pytest.approx({"i": 0.0, "e": 50.0, "p": 100.0, "c": 0.0, "d": 0.0})

    def test_no_book_has_no_rows(self, tmp_path: Path) -> None:
        assert book.rows(tmp_path) == []

    @pytest.mark.parametrize(("rows", "good"), [(3, True), (4, False)])
    def test_a_run_of_an_hour_without_a_whole_row_is_found(self, tmp_path: Path, rows: int, good: bool) -> None:
        kept = Kept(tmp_path / "house.sqlite")
        kept.book.write(store.Change([Interval(300 * n) for n in range(rows)]))
        notes = Notes(tmp_path)
        house: Any = SimpleNamespace(truth=SimpleNamespace(plant=Plant(lambda: NOON, inverters=1)))
        ending.check_book(notes, house)
        assert notes.rows["rows of the house's book"] is good
