"""The house's book on disk: intervals of five minutes for 400 days, hours and days for ever (SQLite, mode 0600).

What belongs together is written in one transaction: intervals, the sums made of them, and what the meters must
remember. Killed at any moment, the book is that of the last write, and the meters take up from there. A damaged file
is moved aside and what can be read of it, and of the copy beside it, goes into a new one.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jeedom_bridge.store.database import OtherLayout, check_layout
from jeedom_bridge.store.errors import Newer, StoreError, failure, is_unwritable, reason

from ..balance import Tank
from .cells import COLUMNS
from .row import LATE, Interval

_LOG = logging.getLogger(__name__)

_TABLES = (
    "CREATE TABLE IF NOT EXISTS interval (start INTEGER PRIMARY KEY, i REAL, e REAL, p REAL, c REAL, d REAL, si REAL, "
    "se REAL, sp REAL, sc REAL, sd REAL, marks INTEGER, price REAL, resale REAL, co2 REAL, period TEXT, level REAL, "
    "content REAL, share REAL, devices TEXT)",
    "CREATE TABLE IF NOT EXISTS hour (start INTEGER PRIMARY KEY, data TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS day (date TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS late (source TEXT, begin REAL, finish REAL, energy REAL, PRIMARY KEY (source, begin)) "
    "WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS note (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)
LAYOUT = 0
"""As that of the daemon's own store (`jeedom_bridge/store/database.py`): what the tables above mean."""
_COLUMNS = {
    "interval": "start, i, e, p, c, d, si, se, sp, sc, sd, marks, price, resale, co2, period, level, content, share, "
    "devices",
    "hour": "start, data",
    "day": "date, data",
    "late": "source, begin, finish, energy",
    "note": "key, value",
}
"""By table. A later version may have added others."""
_INTERVALS = f"SELECT {_COLUMNS['interval']} FROM interval"
_HEADER = 512
"""Bytes that any database has at least."""
KEPT = 3
"""How many damaged files are kept."""


@dataclass
class Change:
    """What is written in one step."""

    intervals: list[Interval] = field(default_factory=list)
    hours: dict[int, list[Any]] = field(default_factory=dict)
    days: dict[str, list[Any]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    late: list[tuple[str, float, float, float]] = field(default_factory=list)
    """(source, begin, end, Wh)"""


class Book:
    """Reading raises nothing but StoreError; after a failed write nothing of it is on the disk."""

    def __init__(self, path: Path) -> None:
        """Raises StoreError if there is neither a file nor room for one, Newer if a later version has written it."""
        self.path = path
        self.copy = path.with_name(f"{path.stem}.copy{path.suffix}")
        self.damage = ""
        """Where a damaged file was put; '' if all is well."""
        self.openings = 0
        """How often a file was opened: another one may hold less than what was read before."""
        self._database: sqlite3.Connection | None = None
        try:
            self._open()
        except OtherLayout as error:
            raise Newer(f"{path}: {error}") from error
        except (sqlite3.Error, OSError) as error:
            why = reason(path, error)
            if is_unwritable(why):
                raise failure(path, why) from error
            self._rescue(error)

    def close(self) -> None:
        """Ends it in order."""
        if self._database is not None:
            self._database.close()
            self._database = None

    # What is read.

    def intervals(self, begin: float, end: float, device: str = "") -> list[Interval]:
        """All from `begin` (included) to `end` (Unix time), by time. `device`: only those in which it drew any."""
        drawn, order = " AND instr(devices, ?)" if device else "", " ORDER BY start"
        values = (begin, end, f"{json.dumps(device)}:") if device else (begin, end)
        return [_interval(row) for row in self._read(f"{_INTERVALS} WHERE start>=? AND start<?{drawn}{order}", *values)]

    def before(self, start: float) -> Interval | None:
        """The last one before a moment."""
        rows = self._read(_INTERVALS + " WHERE start<? ORDER BY start DESC LIMIT 1", start)
        return _interval(rows[0]) if rows else None

    def after(self, start: float, limit: int) -> list[Interval]:
        """The next ones after the one that begins at `start`."""
        rows = self._read(_INTERVALS + " WHERE start>? ORDER BY start LIMIT ?", start, limit)
        return [_interval(row) for row in rows]

    def first(self) -> int | None:
        """When the oldest hour began; None for an empty book."""
        rows = self._read("SELECT MIN(start) FROM hour")
        return None if rows[0][0] is None else int(rows[0][0])

    def first_measured(self) -> int | None:
        """The first interval that no later figure has filled; None without one."""
        rows = self._read("SELECT MIN(start) FROM interval WHERE marks<?", 1 << LATE)
        return None if rows[0][0] is None else int(rows[0][0])

    def hours(self, begin: float, end: float) -> list[tuple[int, Any]]:
        """(beginning, packed sums) of hours that begin in a span."""
        rows = self._read("SELECT start, data FROM hour WHERE start>=? AND start<? ORDER BY start", begin, end)
        return [(start, json.loads(data)) for start, data in rows]

    def days(self, first: str, last: str) -> list[tuple[str, Any]]:
        """(ISO date, packed sums) of days from `first` to `last`, both included."""
        rows = self._read("SELECT date, data FROM day WHERE date>=? AND date<=? ORDER BY date", first, last)
        return [(date, json.loads(data)) for date, data in rows]

    def late(self, source: str, begin: float, end: float) -> list[tuple[float, float, float]]:
        """(begin, end, Wh) of the dated figures of a source that touch a span."""
        sql = "SELECT begin, finish, energy FROM late WHERE source=? AND finish>? AND begin<? ORDER BY begin"
        return [(float(a), float(b), float(c)) for a, b, c in self._read(sql, source, begin, end)]

    def note(self, key: str, default: Any = None) -> Any:
        """Something that was kept by `Change.notes`."""
        rows = self._read("SELECT value FROM note WHERE key=?", key)
        return json.loads(rows[0][0]) if rows else default

    def notes(self, prefix: str) -> dict[str, Any]:
        """All notes whose key begins so."""
        rows = self._read("SELECT key, value FROM note WHERE substr(key, 1, ?)=?", len(prefix), prefix)
        return {key: json.loads(value) for key, value in rows}

    def _read(self, sql: str, *values: Any) -> list[Any]:
        try:
            return self._there().execute(sql, values).fetchall()
        except (sqlite3.Error, OSError) as error:
            raise failure(self.path, error) from error

    # What is written.

    def write(self, change: Change) -> None:
        """All of it or nothing; on the disk on return. Raises StoreError."""
        try:
            with _transaction(self._there()) as database:
                database.executemany(_insert("interval"), [_values(each) for each in change.intervals])
                database.executemany(_insert("hour"), [(s, _json(data)) for s, data in change.hours.items()])
                database.executemany(_insert("day"), [(date, _json(data)) for date, data in change.days.items()])
                database.executemany(_insert("late"), change.late)
                database.executemany(_insert("note"), [(k, _json(v)) for k, v in change.notes.items() if v is not None])
                database.executemany(
                    "DELETE FROM note WHERE key=?", [(k,) for k, v in change.notes.items() if v is None]
                )
        except (sqlite3.Error, OSError) as error:
            self.close()
            why = reason(self.path, error)
            if not is_unwritable(why):
                self._rescue(error)
                raise StoreError(f"{self.path} was damaged and has been written anew") from error
            raise failure(self.path, why) from error

    def prune(self, before: float) -> None:
        """Takes intervals and dated figures of before a moment away; their hours and days stay. Raises StoreError."""
        try:
            with _transaction(self._there()) as database:
                database.execute("DELETE FROM interval WHERE start<?", (before,))
                database.execute("DELETE FROM late WHERE finish<?", (before,))
        except (sqlite3.Error, OSError) as error:
            raise failure(self.path, error) from error

    def back_up(self) -> None:
        """Puts a whole copy beside the file, in one step. Raises StoreError; the old one stays then."""
        new = self.copy.with_name(f"{self.copy.name}.new")
        try:
            new.unlink(missing_ok=True)
            _create(new)
            with closing(sqlite3.connect(str(new))) as target:
                self._there().backup(target)
            _sync(new)
            os.replace(new, self.copy)
            _sync(self.copy.parent)
        except (sqlite3.Error, OSError) as error:
            raise failure(self.copy, error) from error

    def protect(self) -> None:
        """Takes the files away from others again: Jeedom opens all files below its folder at each backup and update."""
        for path in (self.path, self.copy, *self.path.parent.glob(f"{self.path.name}.*")):
            try:
                if path.stat().st_mode & 0o177:
                    path.chmod(0o600)
            except OSError as error:
                _LOG.debug("%s stays as it is: %s", path, error)  # somebody else's, or just removed

    def _there(self) -> sqlite3.Connection:
        """The open database; one that was taken away meanwhile is made anew from the copy."""
        if self._database is not None and not self.path.exists():
            _LOG.warning("%s was taken away", self.path)
            self.close()
        if self._database is None:
            self._open()
        assert self._database is not None
        return self._database

    def _open(self) -> None:
        if self.path.is_file() and 0 < self.path.stat().st_size < _HEADER:
            raise sqlite3.DatabaseError("file is cut off")  # SQLite would take it for a new one
        is_new = not self.path.exists()
        if is_new and self.copy.is_file():
            self._rescue(sqlite3.DatabaseError("file is gone"))
            return
        self._database = _connect(self.path)
        self.openings += 1
        problem = self._database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            self.close()
            raise sqlite3.DatabaseError(problem)

    def _rescue(self, error: Exception) -> None:
        """Writes a new file with all that can still be read, and only then puts it in the place of the damaged one."""
        self.close()
        new = self.path.with_name(f"{self.path.name}.new")
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        try:
            new.unlink(missing_ok=True)
            with closing(_connect(new)) as database:
                for old in (self.copy, self.path):  # the file itself is newer than its copy
                    count = _salvage(old, database)
                    _LOG.info("%s: %d rows could be read", old, count)
            if self.path.exists():
                os.replace(self.path, aside)
                self.damage = aside.name
            for suffix in ("-journal", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            os.replace(new, self.path)
            _sync(self.path.parent)
            for old in sorted(self.path.parent.glob(f"{self.path.name}.damaged-*"))[:-KEPT]:
                old.unlink()
            self._database = _connect(self.path)
            self.openings += 1
        except (sqlite3.Error, OSError) as second:
            raise failure(self.path, second) from error
        _LOG.error("%s was damaged (%s)", self.path, error)


def _connect(path: Path) -> sqlite3.Connection:
    _create(path)
    database = sqlite3.connect(str(path), timeout=5, isolation_level=None, check_same_thread=False)
    try:
        check_layout(database, LAYOUT)  # before anything is written
        database.execute("PRAGMA synchronous=EXTRA")
        database.execute("PRAGMA cache_size=-512")  # kB: the book is read little by little
        for table in _TABLES:
            database.execute(table)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _create(path: Path) -> None:
    # Created by us first: SQLite gives its own files, the journal included, the mode of this one.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    os.chmod(path, 0o600)


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
        database.execute("COMMIT")
    except sqlite3.Error:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _salvage(path: Path, target: sqlite3.Connection) -> int:
    """Copies all rows that can still be read, in every order that SQLite offers; returns how many."""
    count = 0
    if not path.is_file() or path.stat().st_size < _HEADER:
        return count
    for table, columns in _COLUMNS.items():
        for order in ("", " ORDER BY 1 DESC"):
            try:
                with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as source:
                    for row in source.execute(f"SELECT {columns} FROM {table}{order}"):  # our own names
                        target.execute(_insert(table), row)
                        count += 1
                break
            except sqlite3.Error as error:
                _LOG.debug("reading %s of %s: %s", table, path, error)
    return count


def _insert(table: str) -> str:
    columns = _COLUMNS[table]
    values = ",".join("?" for _ in columns.split(","))
    return f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({values})"  # our own names


def _json(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _values(each: Interval) -> tuple[Any, ...]:
    energies: Mapping[str, float | None] = each.energy
    devices = {name: round(energy, 4) for name, energy in each.devices.items() if energy}
    return (
        each.start,
        *(None if energies[column] is None else round(energies[column] or 0.0, 4) for column in COLUMNS),
        *(round(each.seconds[column], 2) for column in COLUMNS),
        each.marks,
        each.price,
        each.resale,
        each.co2,
        each.period,
        each.level,
        round(each.tank.content, 6),
        round(each.tank.solar_share, 6),
        _json(devices) if devices else None,
    )


def _interval(row: Iterable[Any]) -> Interval:
    start, *rest = row
    energies, seconds, others = rest[:5], rest[5:10], rest[10:]
    marks, price, resale, co2, period, level, content, share, devices = others
    return Interval(
        start,
        dict(zip(COLUMNS, energies)),
        dict(zip(COLUMNS, seconds)),
        marks,
        price,
        resale,
        co2,
        period,
        level,
        Tank(content, share),
        json.loads(devices) if devices else {},
    )
