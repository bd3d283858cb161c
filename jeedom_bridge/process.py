"""Pid file, signals, orderly stop."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from pathlib import Path
from typing import Callable


class AlreadyRunning(Exception):
    """A daemon holds this pid file: code 3."""


class PidFile:
    """The daemon's pid, with a lock that lives exactly as long as the process.

    A file left by a killed daemon, or one whose number another program got since, is taken over: what counts
    is the lock, not the number in the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def acquire(self) -> None:
        """Writes the pid. Raises AlreadyRunning, or OSError when the directory cannot be written."""
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # The holder before may have removed the file between our opening and locking it.
                same = os.fstat(descriptor).st_ino == os.stat(self._path).st_ino
            except BlockingIOError:
                pid = os.read(descriptor, 32).decode("ascii", "replace").strip()
                os.close(descriptor)
                raise AlreadyRunning(f"a daemon already runs with {self._path} (pid {pid or '?'})") from None
            except FileNotFoundError:
                same = False
            if same:
                break
            os.close(descriptor)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Removes the file, if it is still ours, and frees the lock."""
        if self._descriptor < 0:
            return
        try:
            if os.stat(self._path).st_ino == os.fstat(self._descriptor).st_ino:
                self._path.unlink()
        except FileNotFoundError:
            pass  # the core removes its temporary folder when the plugin is deactivated
        finally:
            os.close(self._descriptor)
            self._descriptor = -1


def on_stop_signals(stop: Callable[[str], None]) -> None:
    """Calls `stop(signal name)` once, from a thread, at SIGTERM, SIGINT or SIGHUP.

    From a thread, because a signal handler runs in the middle of anything and must take no lock.
    """
    asked = threading.Event()

    def handle(number: int, _frame: object) -> None:
        if not asked.is_set():
            asked.set()
            threading.Thread(target=stop, args=(signal.Signals(number).name,), name="stop", daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, handle)
