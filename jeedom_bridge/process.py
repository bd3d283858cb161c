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


class FolderLock:
    """One daemon for each data folder: a lock on the folder itself, which nobody can sweep away."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor = -1

    def acquire(self) -> None:
        """Raises AlreadyRunning, or OSError if the folder cannot be opened."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AlreadyRunning(f"a daemon already works on {self._folder}") from None
        except OSError:
            pass  # a file system that locks no folders: the pid file's lock remains
        self._descriptor = descriptor

    def is_there(self) -> bool:
        """Whether the folder is still the one that was locked: it goes with the plugin when that is removed."""
        try:
            here, locked = os.stat(self._folder), os.fstat(self._descriptor)
        except FileNotFoundError:
            return False
        except OSError:
            return True  # unknown is no reason to end
        return (here.st_dev, here.st_ino) == (locked.st_dev, locked.st_ino)

    def release(self) -> None:
        """Frees the lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def on_stop_signals(stop: Callable[[str], None]) -> None:
    """Calls `stop(signal name)` once, from a thread, at SIGTERM, SIGINT or SIGHUP. To be called in the main thread.

    From a thread, because a signal handler runs in the middle of anything and must take no lock. Python's handler runs
    in the main thread alone, and the system may give a signal to any other: a main thread that waits would hear of it
    at the end of its wait. What is written to the wakeup descriptor is heard at once, whoever got the signal.
    """
    names: dict[int, str] = {number: number.name for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    heard, told = os.pipe()  # for the life of the process: signals write there to the last
    os.set_blocking(told, False)

    def hear() -> None:
        while True:
            name = names.get(os.read(heard, 1)[0])
            if name:
                stop(name)
                return

    threading.Thread(target=hear, name="signals", daemon=True).start()
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for number in names:
        signal.signal(number, lambda *_: None)
