"""The house's book on disk: all or nothing at every write, full disks, damage, a restored copy."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jeenergied.energy.balance import Tank
from jeenergied.energy.ledger import store as store_module
from jeenergied.energy.ledger.cells import COLUMNS
from jeenergied.energy.ledger.row import Interval, Sums
from jeenergied.energy.ledger.store import Book, Change

from jeedom_bridge.store.errors import DiskFull, StoreError
from simulators.house.days import Days

from .house import PARIS, Kept, values

START = datetime(2026, 6, 1, 9, tzinfo=PARIS)


def row(start: int, energy: float = 100.0) -> Interval:
    return Interval(start, dict.fromkeys(COLUMNS, energy), dict.fromkeys(COLUMNS, 300.0), tank=Tank(1.0, 0.5))


def filled(path: Path, count: int = 2000) -> Book:
    book = Book(path)
    rows = [row(300 * n) for n in range(count)]
    hours = {3600 * n: Sums.of(rows[12 * n : 12 * n + 12]).packed() for n in range(count // 12)}
    book.write(Change(rows, hours, {"2026-06-01": Sums.of(rows).packed()}, {"meter:x": {"growth": [1, 2, None]}}))
    return book


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    filled(tmp_path / "house.sqlite").close()
    book = Book(tmp_path / "house.sqlite")
    assert book.intervals(0, 301) == [row(0), row(300)]
    assert book.note("meter:x") == {"growth": [1, 2, None]}
    assert Sums.unpacked(book.hours(0, 1)[0][1]).balance.imported == pytest.approx(1.2)
    assert (tmp_path / "house.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_loses_nothing_and_doubles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, house = Kept(tmp_path / "house.sqlite"), Days(START)
    write, fail = Book.write, [True]

    def full(book: Book, change: Change) -> None:
        if fail[0]:
            raise DiskFull("no room")
        write(book, change)

    monkeypatch.setattr(Book, "write", full)
    for minute, shown in enumerate(house.minutes(600)):
        kept.take(values(shown), shown.at)
        fail[0] = 100 < minute < 400
        if minute % 5 == 4:
            if fail[0]:
                with pytest.raises(StoreError):
                    kept.ledger.flush(shown.at)
            else:
                kept.ledger.flush(shown.at)
    true = sum(flow.solar for flow in house.truth.values())
    assert Sums.of(kept.book.intervals(0, 1e12)).balance.solar * 1000 == pytest.approx(true, rel=0.005)


@pytest.mark.parametrize(("place", "left"), [(0.0, 0), (0.3, 1800), (0.6, 1800), (0.95, 1800)])
def test_a_damaged_file_gives_what_can_be_read_and_makes_room(tmp_path: Path, place: float, left: int) -> None:
    """A page of random bytes costs the rows of that page; the first one, the whole file."""
    path = tmp_path / "house.sqlite"
    filled(path).close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(int(size * place))
        file.write(os.urandom(4096))
    book = Book(path)
    assert left <= len(book.intervals(0, 1e12)) <= 2000
    assert (tmp_path / str(book.damage)).is_file()
    book.write(Change([row(0, 7.0)]))
    assert book.intervals(0, 1)[0].energy["i"] == 7.0


def test_a_write_that_breaks_off_in_its_middle_leaves_the_book_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "house.sqlite"
    book = filled(path, 24)

    def fail(_data: Any) -> str:  # when the intervals are written already
        raise OSError(28, "no space")

    monkeypatch.setattr(store_module, "_json", fail)
    with pytest.raises(DiskFull):
        book.write(Change([row(0, 7.0)], {0: [1]}))
    assert Book(path).intervals(0, 1) == [row(0)]


def test_the_copy_stands_in_for_a_file_that_is_gone_or_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "house.sqlite"
    book = filled(path)
    book.back_up()
    book.close()
    path.unlink()
    assert len(Book(path).intervals(0, 1e12)) == 2000
    path.write_bytes(path.read_bytes()[:300])
    assert len(Book(path).intervals(0, 1e12)) == 2000


def test_columns_that_a_later_version_has_added_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "house.sqlite"
    filled(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("ALTER TABLE interval ADD COLUMN hydrogen REAL DEFAULT 3.5")
    book = Book(path)
    book.write(Change([row(300 * 2000)]))
    assert book.intervals(0, 301) == [row(0), row(300)]
    book.close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT COUNT(*), SUM(hydrogen) FROM interval").fetchone() == (2001, 2001 * 3.5)
    with path.open("r+b") as file:  # and then damaged
        file.seek(path.stat().st_size // 2)
        file.write(os.urandom(4096))
    assert len(Book(path).intervals(0, 1e12)) > 500


def test_a_file_taken_away_while_the_daemon_runs_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "house.sqlite"
    book = filled(path)
    book.back_up()
    path.unlink()
    book.write(Change([row(0, 7.0)]))
    assert len(Book(path).intervals(0, 1e12)) == 2000


def test_a_day_is_the_sum_of_its_hours_also_when_the_copy_had_to_stand_in(tmp_path: Path) -> None:
    """What the daemon remembers of the day that it writes holds for the file that it wrote, no other."""
    kept, house = Kept(tmp_path / "house.sqlite"), Days(START)
    for minute, shown in enumerate(house.minutes(14 * 60)):
        kept.take(values(shown), shown.at)
        if minute == 10 * 60:
            kept.book.back_up()
        if minute == 13 * 60:
            kept.path.unlink()
        if minute % 5 == 4:
            kept.ledger.flush(shown.at)
    (day,) = kept.book.days("0", "9")
    hours = [Sums.unpacked(data) for _, data in kept.book.hours(0, 1e12)]
    assert len(hours) < 14
    whole = Sums.unpacked(day[1])
    assert whole.count == sum(each.count for each in hours)
    assert whole.balance.solar == pytest.approx(sum(each.balance.solar for each in hours))
    assert whole.balance.subscription > 0


def test_a_failing_copy_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = filled(tmp_path / "house.sqlite")
    book.back_up()
    before = book.copy.read_bytes()

    def fail(_path: Any) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(store_module, "_sync", fail)
    with pytest.raises(StoreError):
        book.back_up()
    assert book.copy.read_bytes() == before


KILLED = """
import os, sys
from pathlib import Path
sys.path[:0] = [{root!r}]
from tests.energy.test_book import START, Kept, Days, values
kept = Kept(Path({path!r}))
for minute, shown in enumerate(Days(START).minutes(10**6)):
    if shown.at <= float(sys.argv[1]):
        continue
    kept.take(values(shown), shown.at)
    if minute % 5 == 4:
        kept.ledger.flush(shown.at)
        print(shown.at, flush=True)
"""


def test_killed_at_any_moment_the_book_is_whole(tmp_path: Path) -> None:
    """A daemon that is killed again and again in the middle of its writes; the sums are those of the meters."""
    path, root = tmp_path / "house.sqlite", str(Path(__file__).resolve().parents[2])
    script, last = KILLED.format(root=root, path=str(path)), 0.0
    for life in range(6):
        process = subprocess.Popen([sys.executable, "-c", script, str(last)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(7 + 5 * life):
            last = float(process.stdout.readline())
        process.kill()
        rest = process.stdout.read().split()
        process.wait()
        last = float(rest[-1]) if rest and rest[-1].endswith(".0") and float(rest[-1]) > last else last
        with sqlite3.connect(path) as database:
            assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    kept, house = Kept(path), Days(START)
    shown = next(each for each in house.minutes(3000) if each.at >= last + 60)
    kept.take(values(shown), shown.at)
    kept.ledger.flush(shown.at)
    rows = kept.book.intervals(0, 1e12)
    assert len({each.start for each in rows}) == len(rows)
    first = house.start.timestamp() + 60
    true = sum(flow.solar for start, flow in house.truth.items() if first <= start + 300 and start < shown.at)
    counted = Sums.of(rows).balance.solar * 1000
    later = sum(flow.solar for start, flow in house.truth.items() if start + 300 > shown.at and start < shown.at)
    assert counted > 5000
    assert counted <= true + 5
    assert counted == pytest.approx(true, abs=later + 60)  # the first minute had no anchor yet
