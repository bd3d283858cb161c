"""Why the store could not write, and in what state it found its file.

StoreError
├── DiskFull        the disk, or the user's share of it, is full
├── NotWritable     rights, a read-only disk, a folder that is gone
├── Locked          another program holds the file
└── Newer           a later version of the program has written the file, in a layout of its own
"""

from __future__ import annotations

import errno
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path


class StoreError(Exception):
    """What was to be kept is not on the disk, for another reason than those below. It is kept in memory meanwhile."""


class DiskFull(StoreError):
    """Raised if the disk, or the user's share of it, is full."""


class NotWritable(StoreError):
    """Raised if the file or its folder must not be written: rights, a read-only disk, a folder that is gone."""


class Locked(StoreError):
    """Raised if another program holds the file for longer than 5 s."""


class Newer(StoreError):
    """Raised if a later version has written the file, in a layout that this one does not know."""


@dataclass(frozen=True)
class Damage:
    """What was wrong with the file at the start. `values`: how many could be read; `aside`: where the old file is.

    `error`: why it cannot be written; None if it was damaged, or `newer`: written by a later version.
    """

    values: int
    aside: str
    error: StoreError | None = None
    newer: bool = False

    def __str__(self) -> str:
        return (
            f"{self.error or ('of a later version' if self.newer else 'damaged')}; {self.values} values were read"
            + (f", see {self.aside}" * bool(self.aside))
        )


_PROBE_BYTES = 65536
"""More than SQLite takes beside a file in WAL mode when it is opened."""
_KINDS: dict[int, type[StoreError]] = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), DiskFull),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR), NotWritable),
}
_SQLITE = {5: Locked, 6: Locked, 3: NotWritable, 8: NotWritable, 14: NotWritable, 13: DiskFull}
"""By SQLite's result code: BUSY, LOCKED, PERM, READONLY, CANTOPEN, FULL."""
_SQLITE_TEXTS = {
    "database is locked": 5,
    "database table is locked": 6,
    "access permission denied": 3,
    "attempt to write a readonly database": 8,
    "unable to open database file": 14,
    "database or disk is full": 13,
}
"""The fixed texts of sqlite3_errstr(): before 3.11, Python does not hand the code on."""


def kind(error: Exception) -> type[StoreError] | None:
    """The class of a failure that speaks of the disk or of rights; None if it speaks of the file's content."""
    if isinstance(error, OSError):
        return _KINDS.get(error.errno or 0, StoreError)
    if not isinstance(error, sqlite3.OperationalError):
        return None
    code = getattr(error, "sqlite_errorcode", _SQLITE_TEXTS.get(str(error), 0))
    return _SQLITE.get(code & 0xFF)


def is_unwritable(error: Exception) -> bool:
    """Whether a failure speaks of the disk or of rights."""
    return kind(error) is not None


def reason(path: Path, error: Exception) -> Exception:
    """Why `path` could not be opened: SQLite's "disk I/O error" may be a bad sector, or a disk without room.

    A file in WAL mode, as version 0.1.0 made them, cannot even be read on a full disk.
    """
    if "disk I/O error" not in str(error):
        return error
    try:
        with tempfile.TemporaryFile(dir=path.parent, buffering=0) as probe:
            probe.write(b"\0" * _PROBE_BYTES)
    except OSError as own:
        return own
    return error


def failure(path: Path, error: Exception) -> StoreError:
    """The StoreError for what was raised while `path` was written."""
    return (kind(error) or StoreError)(f"{path} could not be written: {error}")
