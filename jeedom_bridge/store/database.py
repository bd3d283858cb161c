"""The store's SQLite files: reading, salvaging, transactions, and what SQLite keeps beside a file."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable
from urllib.parse import quote

_LOG = logging.getLogger(__name__)

TABLE = (
    "CREATE TABLE IF NOT EXISTS entry (scope TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, "
    "PRIMARY KEY (scope, key)) WITHOUT ROWID"
)


OWN_SCOPE = "#store"
"""The scope of what the store notes of itself; no caller's."""
SUM_KEY, COPY_KEY = "sum", "copy"
SCOPE_SUM_KEY = "#sum"
"""Where each scope holds the sum of its values: of a damaged file it tells which scopes are still whole."""
Values = dict[str, dict[str, Any]]
"""By scope and key."""
MIN_BYTES = 512
"""Bytes that any database has at least."""
INSERT = "INSERT OR REPLACE INTO entry (scope, key, value) VALUES (?,?,?)"
LAYOUT = 0
"""What `PRAGMA user_version` says of the tables above: a version that changes what they mean raises it. Columns that
are added, with a default, leave it as it is."""


class Torn(sqlite3.DatabaseError):
    """The file is sound, but its values are of different moments: it was copied while it was written."""


class OtherLayout(sqlite3.DatabaseError):
    """The file is of a later version: its tables mean something else."""


def check_layout(database: sqlite3.Connection, known: int = LAYOUT) -> None:
    """Raises OtherLayout if a later version has written the file."""
    found = database.execute("PRAGMA user_version").fetchone()[0]
    if found > known:
        raise OtherLayout(f"layout {found}, this version knows {known}")


def read(database: sqlite3.Connection) -> tuple[Values, dict[tuple[str, str], int], str]:
    """All values, their sums, and which copy the database knows of. Raises sqlite3.Error or ValueError if damaged."""
    check_layout(database)
    values: Values = {}
    own: dict[str, str] = {}
    sums = {}
    for scope, key, text in database.execute("SELECT scope, key, value FROM entry"):
        if scope == OWN_SCOPE:
            own[key] = str(json.loads(text))
        elif key != SCOPE_SUM_KEY:
            values.setdefault(scope, {})[key] = json.loads(text)
            sums[(scope, key)] = checksum((scope, key), text)
    problem = database.execute("PRAGMA quick_check").fetchone()[0]
    if problem != "ok":
        raise sqlite3.DatabaseError(problem)
    if own.get(SUM_KEY, total(sums)) != total(sums):  # a file of an earlier version has no sum
        raise Torn("its values do not belong together")
    return values, sums, own.get(COPY_KEY, "")


def total(sums: dict[tuple[str, str], int], of_scope: str | None = None) -> str:
    """The sum of all entries, or of those of a scope, in whatever order they come."""
    return str(sum(each for entry, each in sums.items() if of_scope in (None, entry[0])) % 2**64)


def checksum(entry: tuple[str, str], text: str) -> int:
    whole = "\0".join((*entry, text)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest(), "big")


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except sqlite3.Error:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def drop_journal(path: Path) -> None:
    """What SQLite keeps beside a file: it would be taken for that of the file that comes in its place."""
    for suffix in ("-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass
class Salvaged:
    """What can still be read of a damaged file."""

    values: Values
    whole: set[str]
    """The scopes of which every value is there, all of one moment."""
    copy: str | None
    """Which copy the file knows of; None if that cannot be read."""


def salvage(path: Path) -> Salvaged:
    """All that can still be read of a damaged file, by every order that SQLite offers."""
    texts: dict[tuple[str, str], str] = {}
    readers: list[Callable[[sqlite3.Connection], Any]] = [
        lambda d: d.execute("SELECT scope, key, value FROM entry ORDER BY scope, key"),
        lambda d: d.execute("SELECT scope, key, value FROM entry ORDER BY scope DESC, key DESC"),
    ]
    for reader in readers:
        try:
            database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)
        except sqlite3.Error:
            break
        try:
            for scope, key, text in reader(database):
                texts.setdefault((scope, key), text)
        except (sqlite3.Error, ValueError, TypeError) as error:
            _LOG.debug("reading the damaged store: %s", error)
        finally:
            database.close()
    return _sorted_out(texts)


def _sorted_out(texts: dict[tuple[str, str], str]) -> Salvaged:
    values: Values = {}
    sums = {}
    for (scope, key), text in texts.items():
        if not (isinstance(scope, str) and isinstance(key, str) and isinstance(text, str)):
            continue  # a damaged row: they are bytes or numbers
        try:
            values.setdefault(scope, {})[key] = json.loads(text)
            sums[(scope, key)] = checksum((scope, key), text)
        except ValueError as error:
            _LOG.debug("a value of the damaged store: %s", error)
    own = values.pop(OWN_SCOPE, {})
    noted = {scope: kept.pop(SCOPE_SUM_KEY, None) for scope, kept in values.items()}
    sums = {entry: each for entry, each in sums.items() if entry[1] != SCOPE_SUM_KEY}
    whole = {scope for scope, each in noted.items() if each == total(sums, scope)}
    copy = own.get(COPY_KEY)
    return Salvaged(values, whole, None if copy is None else str(copy))
