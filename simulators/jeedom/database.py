"""What a Jeedom keeps: equipment, commands, current values, history; and every event that was applied.

Dates are local and without offset, to the second, as in Jeedom: (command, datetime) is the key of history,
and a second point of the same second replaces the first.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

SCHEMA = """
CREATE TABLE IF NOT EXISTS equipment (
    id INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER, backend TEXT NOT NULL, type TEXT, key TEXT NOT NULL,
    name TEXT NOT NULL, config TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1);
CREATE TABLE IF NOT EXISTS command (
    id INTEGER PRIMARY KEY AUTOINCREMENT, equipment INTEGER NOT NULL, logicalId TEXT NOT NULL, row TEXT NOT NULL,
    settings TEXT NOT NULL, removed INTEGER NOT NULL DEFAULT 0, UNIQUE (equipment, logicalId));
CREATE TABLE IF NOT EXISTS current (
    command INTEGER PRIMARY KEY, value TEXT NOT NULL, datetime TEXT NOT NULL, version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS history (
    command INTEGER NOT NULL, datetime TEXT NOT NULL, value, PRIMARY KEY (command, datetime));
CREATE TABLE IF NOT EXISTS applied (
    id INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL, sequence INTEGER NOT NULL, place INTEGER NOT NULL,
    event TEXT NOT NULL, received REAL NOT NULL);
CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
Record = dict[str, Any]


class Database:
    """One SQLite database, in memory or in a file. Safe to use from any thread."""

    def __init__(self, path: Optional[Path] = None) -> None:
        self.lock = threading.RLock()
        self._db = sqlite3.connect(str(path or ":memory:"), check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)
        self.version = int(self._one("SELECT COALESCE(MAX(version), 0) AS n FROM current")["n"])

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._db.close()

    @contextmanager
    def transaction(self, name: str = "whole") -> Iterator[None]:
        """All or nothing; may be nested under different names."""
        with self.lock:
            self._db.execute(f"SAVEPOINT {name}")
            try:
                yield
            except BaseException:
                self._db.execute(f"ROLLBACK TO {name}")
                raise
            finally:
                self._db.execute(f"RELEASE {name}")

    def _all(self, sql: str, *values: Any) -> list[Record]:
        with self.lock:
            return [dict(row) for row in self._db.execute(sql, values)]

    def _one(self, sql: str, *values: Any) -> Record:
        rows = self._all(sql, *values)
        return rows[0] if rows else {}

    def _do(self, sql: str, *values: Any) -> int:
        with self.lock:
            return int(self._db.execute(sql, values).lastrowid or 0)

    # ---- equipment; a connection is one without a parent

    def add_equipment(
        self, backend: str, kind: Optional[str], key: str, name: str, config: Record, parent: Optional[str]
    ) -> str:
        """A new connection or equipment; returns its id."""
        sql = "INSERT INTO equipment (parent, backend, type, key, name, config) VALUES (?, ?, ?, ?, ?, ?)"
        return str(self._do(sql, parent, backend, kind, key, name, json.dumps(config)))

    def update_equipment(self, identity: str, **changes: Any) -> None:
        """Change `name`, `key`, `config` or `enabled`."""
        for column, value in changes.items():
            if column not in ("name", "key", "config", "enabled"):
                raise ValueError(f"{column} cannot be changed")
            stored = json.dumps(value) if column == "config" else value
            self._do(f"UPDATE equipment SET {column} = ? WHERE id = ?", stored, identity)

    def remove_equipment(self, identity: str) -> None:
        """Remove it, what is under it, and their commands, values and history."""
        with self.transaction("removal"):
            for child in self._all("SELECT id FROM equipment WHERE parent = ?", identity):
                self._remove(str(child["id"]))
            self._remove(identity)

    def _remove(self, identity: str) -> None:
        own = "(SELECT id FROM command WHERE equipment = ?)"
        self._do(f"DELETE FROM current WHERE command IN {own}", identity)
        self._do(f"DELETE FROM history WHERE command IN {own}", identity)
        self._do("DELETE FROM command WHERE equipment = ?", identity)
        self._do("DELETE FROM equipment WHERE id = ?", identity)

    def equipment(self, identity: str) -> Optional[Record]:
        """One connection or equipment, or None."""
        row = self._one("SELECT * FROM equipment WHERE id = ?", identity)
        return _equipment(row) if row else None

    def connections(self) -> list[Record]:
        """All connections."""
        return [_equipment(row) for row in self._all("SELECT * FROM equipment WHERE parent IS NULL ORDER BY id")]

    def children(self, connection: str) -> list[Record]:
        """All equipment of a connection."""
        rows = self._all("SELECT * FROM equipment WHERE parent = ? ORDER BY id", connection)
        return [_equipment(row) for row in rows]

    # ---- commands

    def commands(self, equipment: str, removed: bool = False) -> dict[str, Record]:
        """Commands of an equipment by logicalId; with `removed`, also those that the user took away."""
        rows = self._all("SELECT * FROM command WHERE equipment = ? ORDER BY id", equipment)
        return {row["logicalId"]: _command(row) for row in rows if removed or not row["removed"]}

    def put_command(self, equipment: str, row: Record) -> None:
        """Create a command, or bring its row up to date; its settings stay."""
        sql = (
            "INSERT INTO command (equipment, logicalId, row, settings) VALUES (?, ?, ?, '{}')"
            " ON CONFLICT (equipment, logicalId) DO UPDATE SET row = excluded.row"
        )
        self._do(sql, equipment, row["logicalId"], json.dumps(row))

    def set_command(self, identity: int, settings: Optional[Record] = None, removed: Optional[bool] = None) -> None:
        """The user's settings of a command, or whether the user took it away."""
        if settings is not None:
            self._do("UPDATE command SET settings = ? WHERE id = ?", json.dumps(settings), identity)
        if removed is not None:
            self._do("UPDATE command SET removed = ? WHERE id = ?", int(removed), identity)

    # ---- values and history

    def current(self, equipment: str) -> dict[str, tuple[Any, str]]:
        """Value and local date of each command that has one."""
        sql = "SELECT logicalId, value, datetime FROM current JOIN command ON id = command WHERE equipment = ?"
        return {row["logicalId"]: (json.loads(row["value"]), row["datetime"]) for row in self._all(sql, equipment)}

    def put_current(self, command: int, value: Any, date: str) -> None:
        """A command has a new value."""
        with self.lock:
            self.version += 1
            sql = "REPLACE INTO current (command, value, datetime, version) VALUES (?, ?, ?, ?)"
            self._do(sql, command, json.dumps(value), date, self.version)

    def lose_current(self) -> None:
        """No command has a value any more."""
        self._do("DELETE FROM current")

    def changed_since(self, version: int) -> list[Record]:
        """Values newer than `version`: equipment, logicalId, value, datetime, version."""
        sql = (
            "SELECT equipment, logicalId, value, datetime, version FROM current JOIN command ON id = command"
            " WHERE version > ? ORDER BY version"
        )
        return [
            {**row, "equipment": str(row["equipment"]), "value": json.loads(row["value"])}
            for row in self._all(sql, version)
        ]

    def put_history(self, command: int, date: str, value: Any) -> None:
        """A point of history; one of the same second is replaced."""
        self._do("REPLACE INTO history (command, datetime, value) VALUES (?, ?, ?)", command, date, value)

    def put_points(self, command: int, points: list[tuple[str, Any]]) -> None:
        """As `put_history`, for many points: (local date, value)."""
        with self.lock:
            sql = "REPLACE INTO history (command, datetime, value) VALUES (?, ?, ?)"
            self._db.executemany(sql, [(command, date, value) for date, value in points])

    def history(self, command: int, since: str = "", limit: int = -1) -> list[tuple[str, Any]]:
        """The points of a command from `since` (local date), oldest first; with `limit`, the newest ones."""
        sql = "SELECT datetime, value FROM history WHERE command = ? AND datetime >= ? ORDER BY datetime DESC LIMIT ?"
        return [(row["datetime"], row["value"]) for row in reversed(self._all(sql, command, since, limit))]

    # ---- what was received

    def record(self, boot: str, sequence: int, place: int, event: Record) -> None:
        """An event was applied; `received` is this machine's monotonic clock."""
        sql = "INSERT INTO applied (boot, sequence, place, event, received) VALUES (?, ?, ?, ?, ?)"
        self._do(sql, boot, sequence, place, json.dumps(event), time.monotonic())

    def applied(self, after: int = 0) -> list[Record]:
        """Every event applied, oldest first: id, boot, sequence, place, event, received."""
        rows = self._all("SELECT * FROM applied WHERE id > ? ORDER BY id", after)
        return [{**row, "event": json.loads(row["event"])} for row in rows]

    def keep(self, key: str, value: Any) -> None:
        """Keep a value for the next start."""
        self._do("REPLACE INTO kept (key, value) VALUES (?, ?)", key, json.dumps(value))

    def kept(self, key: str, default: Any = None) -> Any:
        """A value kept."""
        row = self._one("SELECT value FROM kept WHERE key = ?", key)
        return json.loads(row["value"]) if row else default


def _equipment(row: Record) -> Record:
    parent = str(row["parent"]) if row["parent"] is not None else None
    config = json.loads(row["config"])
    return {**row, "id": str(row["id"]), "parent": parent, "config": config, "enabled": bool(row["enabled"])}


def _command(row: Record) -> Record:
    return {**row, "row": json.loads(row["row"]), "settings": json.loads(row["settings"])}
