"""Small durable key-value store (SQLite, mode 0600) for tokens, watermarks and daily anchors.

A backup copies files one after the other while they are written: the database and its journal in it need not belong
together. So a whole copy lies beside the database (`store.copy.sqlite`), made by SQLite's own backup and put in place
in one step: whoever copies the folder gets a consistent one. When a copy was put back (its time is not the one that the
database has noted), it is what counts: the rest of the restored system is as old. What is torn shows by its sum.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .database import (
    COPY_KEY,
    INSERT,
    MIN_BYTES,
    OWN_SCOPE,
    SCOPE_SUM_KEY,
    SUM_KEY,
    TABLE,
    OtherLayout,
    Torn,
    Values,
    check_layout,
    checksum,
    drop_journal,
    read,
    salvage,
    sync,
    total,
    transaction,
)
from .errors import Damage, StoreError, failure, is_unwritable, reason

_LOG = logging.getLogger(__name__)
_KEPT = 3
"""How many damaged files are kept: enough to look into, and a failing disk is not filled with them."""


class Store:
    """Values (anything JSON can hold) under a scope and a key; a written value survives a power cut.

    Reading never fails: after opening, values come from memory. `put` returns when the value is durable, or
    raises StoreError and keeps the value in memory; the next successful write brings it to the disk.
    A damaged file, and one that a later version has written in another layout, is moved aside, what can be read of it
    and of the copy is carried over, and `damage` tells what happened. One that is damaged or taken away while the
    daemon runs is written anew from memory.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError when the directory cannot be written at all."""
        self.path = path
        self.copy = path.with_name(f"{path.stem}.copy{path.suffix}")
        self.damage: Damage | None = None
        self._lock = threading.RLock()
        self._values: Values = {}
        self._dirty: set[tuple[str, str]] = set()
        self._forgotten: set[str] = set()
        self._database: sqlite3.Connection | None = None
        self._inode = -1
        self._broken = False
        self._unread = False
        """The file could not be opened at the start: it may hold more than what was read of it by other means."""
        self._aside: Path | None = None
        """What the file in place will be called once another one can be written."""
        self._sums: dict[tuple[str, str], int] = {}
        self._noted = ""
        """The time of the copy that the database knows of."""
        self._changed = True
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._open()
        except (OSError, sqlite3.Error, ValueError, TypeError) as error:
            self._rescue(reason(path, error))
        else:
            self._put_back()

    def get(self, scope: str, key: str, default: Any = None) -> Any:
        """The value, or `default`."""
        with self._lock:
            return self._values.get(scope, {}).get(key, default)

    def scope(self, scope: str) -> dict[str, Any]:
        """A copy of all that a scope holds."""
        with self._lock:
            return dict(self._values.get(scope, {}))

    def put(self, scope: str, key: str, value: Any) -> None:
        """Keeps a value. Raises StoreError when it is not durable."""
        self.put_all(scope, {key: value})

    def put_all(self, scope: str, values: dict[str, Any]) -> None:
        """Keeps several values of a scope in one transaction: all or none reach the disk."""
        with self._lock:
            copies = {key: json.loads(json.dumps(value)) for key, value in values.items()}
            self._values.setdefault(scope, {}).update(copies)
            self._dirty |= {(scope, key) for key in copies}
            self._flush()

    def delete(self, scope: str, key: str) -> None:
        """Removes a value, known or not."""
        with self._lock:
            values = self._values.get(scope, {})
            if key in values:
                del values[key]
                self._dirty.add((scope, key))
                self._flush()

    def forget(self, scope: str) -> None:
        """Erases a whole scope."""
        with self._lock:
            self._values.pop(scope, None)
            self._dirty = {entry for entry in self._dirty if entry[0] != scope}
            self._forgotten.add(scope)
            self._flush()
            try:
                self.copy.unlink(missing_ok=True)  # at once, even if a new one cannot be made
            except OSError as error:
                raise failure(self.copy, error) from error
            self.back_up()

    def back_up(self) -> None:
        """Makes the copy anew, if something has changed since. Raises StoreError; the old one stays then."""
        with self._lock:
            if self._dirty or self._forgotten:
                self._flush()
            if not self._changed and self.copy.exists():
                return
            try:
                self._copy()
            except (sqlite3.Error, OSError) as error:
                raise failure(self.copy, error) from error
            self._changed = False

    def protect(self) -> None:
        """Takes the files away from others again: Jeedom opens all files below its folder at each backup and update."""
        for path in (self.path, self.copy, *self.path.parent.glob(f"{self.path.name}.*")):
            try:
                if path.stat().st_mode & 0o177:
                    path.chmod(0o600)
                    _LOG.debug("%s is closed to others again", path)
            except OSError as error:
                _LOG.debug("%s stays as it is: %s", path, error)  # somebody else's, or just removed

    def close(self) -> None:
        """Brings to the disk what is not there yet, as far as possible."""
        with self._lock:
            if self._dirty or self._forgotten:
                try:
                    self._flush()
                except StoreError as error:
                    _LOG.error("at the end: %s", error)
            try:
                self.back_up()
            except StoreError as error:
                _LOG.debug("at the end: %s", error)
            if self._database is not None:
                self._database.close()
                self._database = None

    def _open(self) -> None:
        if self.path.is_file() and 0 < self.path.stat().st_size < MIN_BYTES:
            raise sqlite3.DatabaseError("file is cut off")  # SQLite would take it for a new one
        self._database = self._connect(self.path)
        self._values, self._sums, self._noted = read(self._database)

    def _put_back(self) -> None:
        """Uses a copy that somebody has put in place of ours: a backup of the whole system was restored."""
        mark = self._mark()
        if mark in ("", self._noted):
            return
        values = self._read_copy()
        if values is None:
            return
        _LOG.warning("%s was put back: it replaces what was kept since", self.copy)
        self._values, self._noted, self._broken = values, mark, True
        try:
            self._flush()
        except StoreError as error:
            _LOG.error("%s", error)

    def _read_copy(self) -> Values | None:
        """The values of the copy; None if there is none, or none that is whole."""
        if not self.copy.is_file():
            return None
        try:
            database = sqlite3.connect(f"file:{quote(str(self.copy))}?mode=ro&immutable=1", uri=True)
            try:
                return read(database)[0]
            finally:
                database.close()
        except (sqlite3.Error, ValueError, TypeError) as error:
            _LOG.error("%s is of no use: %s", self.copy, error)
            return None

    def _mark(self) -> str:
        """What tells our copy from one that was put back; '' without one. Archives keep whole seconds only."""
        try:
            return str(self.copy.stat().st_mtime_ns)
        except OSError:
            return ""

    def _copy(self) -> None:
        new = self.copy.with_name(f"{self.copy.name}.new")
        new.unlink(missing_ok=True)
        drop_journal(new)
        os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        database = self._database = self._database or self._connect(self.path)
        target = sqlite3.connect(str(new))
        try:
            database.backup(target)
        finally:
            target.close()
        sync(new)
        os.replace(new, self.copy)
        sync(self.copy.parent)
        # Should the power fail before this is noted, the copy counts as put back: it holds just what the database does.
        self._noted = self._mark()
        with transaction(database):
            self._note(database)

    def _note(self, database: sqlite3.Connection, changed: Iterable[str] = ()) -> None:
        """Writes what the store notes of itself and of scopes, in the transaction of what it is about."""
        for scope in changed:
            database.execute(INSERT, (scope, SCOPE_SUM_KEY, json.dumps(total(self._sums, scope))))
        database.execute(INSERT, (OWN_SCOPE, SUM_KEY, json.dumps(total(self._sums))))
        database.execute(INSERT, (OWN_SCOPE, COPY_KEY, json.dumps(self._noted)))

    def _connect(self, path: Path) -> sqlite3.Connection:
        # Created by us first: SQLite gives its own files, the journal included, the mode of this one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        os.chmod(path, 0o600)
        self._inode = path.stat().st_ino
        database = sqlite3.connect(str(path), timeout=5, isolation_level=None, check_same_thread=False)
        try:
            check_layout(database)  # before anything is written
            database.execute("PRAGMA secure_delete=ON")  # a forgotten token must not stay in a free page
            database.execute("PRAGMA synchronous=EXTRA")
            database.execute(TABLE)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _flush(self) -> None:
        try:
            if self._broken:
                self._rebuild()
            else:
                self._update()
        except (sqlite3.Error, OSError) as error:
            self._close_database()
            raise failure(self.path, error) from error
        self._dirty.clear()
        self._forgotten.clear()
        self._changed = True

    def _update(self) -> None:
        """Writes what has changed."""
        try:
            if self._database is not None and not self._in_place():
                _LOG.warning("%s was taken away or replaced: it is written anew", self.path)
                self._broken = True
                self._rebuild()
                return
            database = self._database = self._database or self._connect(self.path)
            if self._unread:
                self._catch_up(database)
            if self._forgotten:
                self._sums = {entry: each for entry, each in self._sums.items() if entry[0] not in self._forgotten}
            with transaction(database):
                for scope in self._forgotten:
                    database.execute("DELETE FROM entry WHERE scope=?", (scope,))
                for scope, key in self._dirty:
                    values = self._values.get(scope, {})
                    if key in values:
                        self._insert(database, scope, key)
                    else:
                        self._sums.pop((scope, key), None)
                        database.execute("DELETE FROM entry WHERE scope=? AND key=?", (scope, key))
                self._note(database, {scope for scope, _ in self._dirty})
        except sqlite3.DatabaseError as error:
            why = reason(self.path, error)
            if is_unwritable(why):
                raise why from None
            _LOG.error("%s is damaged (%s): it is written anew", self.path, error)
            self._broken = True
            self._rebuild()

    def _catch_up(self, database: sqlite3.Connection) -> None:
        """Reads what could not be read at the start; what was kept or forgotten since is newer."""
        try:
            values, self._sums, self._noted = read(database)
        except (ValueError, TypeError) as error:
            raise sqlite3.DatabaseError(str(error)) from error
        for scope, kept in values.items():
            for key, value in kept.items():
                if scope not in self._forgotten and (scope, key) not in self._dirty:
                    self._values.setdefault(scope, {})[key] = value
        self._unread = False

    def _rebuild(self) -> None:
        """Writes everything into a new file, and only then puts that in the place of the damaged one."""
        self._close_database()
        new = self.path.with_name(f"{self.path.name}.new")
        new.unlink(missing_ok=True)
        drop_journal(new)
        database = self._connect(new)
        self._sums = {}
        try:
            with transaction(database):
                for scope, key in self._everything():
                    self._insert(database, scope, key)
                self._note(database, self._values)
        finally:
            database.close()
        try:
            os.chmod(self.path, 0o600)
            os.link(self.path, self._aside or self._name_aside("damaged"))
        except OSError as error:
            _LOG.warning("%s is not kept: %s", self.path, error)
        drop_journal(self.path)
        os.replace(new, self.path)
        sync(self.path.parent)
        self._broken, self._aside = False, None
        self._tidy()
        self._database = self._connect(self.path)

    def _insert(self, database: sqlite3.Connection, scope: str, key: str) -> None:
        text = json.dumps(self._values[scope][key])
        self._sums[(scope, key)] = checksum((scope, key), text)
        database.execute(INSERT, (scope, key, text))

    def _everything(self) -> set[tuple[str, str]]:
        return {(scope, key) for scope, values in self._values.items() for key in values}

    def _in_place(self) -> bool:
        try:
            return self.path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def _name_aside(self, why: str) -> Path:
        """Damaged files are removed some day, those of a later version ("newer") never."""
        return self.path.with_name(f"{self.path.name}.{why}-{time.strftime('%Y%m%d-%H%M%S')}")

    def _close_database(self) -> None:
        if self._database is not None:
            try:
                self._database.close()
            except sqlite3.Error as error:
                _LOG.debug("closing %s: %s", self.path, error)
            self._database = None

    def _rescue(self, error: Exception) -> None:
        """Runs on with what can be read; a damaged file makes room for a new one."""
        self._close_database()
        saved = self._read_copy() or {}
        rest = salvage(self.path)
        moved = isinstance(error, Torn) or rest.copy not in (None, self._mark())
        if not (moved and saved):  # what is damaged in its own place is newer than its copy
            for scope, values in rest.values.items():
                # Values of two moments are worse than old ones: a connection's come whole, or as the copy has them.
                if scope in rest.whole or scope not in saved:
                    saved[scope] = values
        count = sum(len(values) for values in saved.values())
        self._values, self._noted = saved, self._mark()
        if is_unwritable(error):
            self._unread = True
            self.damage = Damage(count, "", failure(self.path, error))
        else:
            newer = isinstance(error, OtherLayout)
            self._aside = self._name_aside("newer" if newer else "damaged")
            self.damage = Damage(count, self._aside.name, newer=newer)
            self._broken = True
            try:
                self._flush()
            except StoreError as second:
                # Full or read-only besides: the damaged file stays, and every write will say so.
                _LOG.debug("replacing the store: %s", second)
        _LOG.error("%s at the start: %s (%s)", self.path, self.damage, error)

    def _tidy(self) -> None:
        for old in sorted(self.path.parent.glob(f"{self.path.name}.damaged-*"))[:-_KEPT]:
            old.unlink()
