"""Daemons forked from a process that has imported them: of what a start of Python costs, imports are two thirds.

`start` runs a module as `python -m` does, in a process of its own. The nursery, one for each process of tests, is
started with the first one, has one thread, and does nothing else than fork. Who tests starts, memory or command lines
starts Python itself: `pytest.mark.cold`.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

ROOT = Path(__file__).resolve().parents[2]
_END = struct.Struct("=idd")
"""How a process has ended: its exit code as `subprocess` has it, seconds of processor time in user and system mode."""
_MOST = 1 << 17
"""Bytes of an order."""


class Spent:
    """Seconds of processor time of all processes that have come from here and ended."""

    user = system = 0.0


class Forked:
    """As much of `subprocess.Popen` as tests of daemons use."""

    def __init__(self, pid: int, end: int) -> None:
        """`end` is the descriptor from which the nursery's word of the end is read; it is closed with this."""
        self.pid = pid
        self.returncode: Optional[int] = None
        self._end = end
        self._lock = threading.Lock()
        weakref.finalize(self, os.close, end)

    def poll(self) -> Optional[int]:
        """The exit code, or None while it runs."""
        with self._lock:
            if self.returncode is None and select.select([self._end], [], [], 0.0)[0]:
                self._ended()
            return self.returncode

    def _ended(self) -> None:
        told = os.read(self._end, _END.size)
        self.returncode, user, system = _END.unpack(told) if told else (-signal.SIGKILL, 0.0, 0.0)
        Spent.user += user
        Spent.system += system

    def wait(self, timeout: Optional[float] = None) -> int:
        """The exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            select.select([self._end], [], [], left)
        return code

    def send_signal(self, number: int) -> None:
        """Nothing once it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Asks for the end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The other process, as this one sees it."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for each in (self._control, theirs):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MOST)
        self._lock = threading.Lock()
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        atexit.register(self.close)

    def fork(self, order: Mapping[str, Any], stdout: int, stderr: int) -> Forked:
        """A process that carries out `order`."""
        end, told = os.pipe()
        try:
            with self._lock:
                socket.send_fds(self._control, [json.dumps(order).encode()], [stdout, stderr, told])
                pid = self._control.recv(32)
        finally:
            os.close(told)
        assert pid, "the nursery has ended"
        return Forked(int(pid), end)

    def close(self) -> None:
        """Ends it; the processes that it has made go on."""
        self._control.close()
        self._process.wait(30)


_starting = threading.Lock()
_nursery: Optional[Nursery] = None


def start(module: str, arguments: Sequence[str], environment: Mapping[str, str], stdout: int, stderr: int) -> Forked:
    """`python -m module arguments` in the repository's root, forked; `stdout` and `stderr` are descriptors."""
    global _nursery
    with _starting:
        if _nursery is None:
            _nursery = Nursery()
    order = {"module": module, "arguments": list(arguments), "environment": dict(environment)}
    return _nursery.fork(order, stdout, stderr)


# What follows runs in the other process.


def warm_up() -> None:
    """Imports what a daemon does at its start and with its first connections."""
    devices = importlib.import_module("jeenergied.devices")
    importlib.import_module("jeenergied.daemon")
    for each in pkgutil.iter_modules(devices.__path__):
        if each.ispkg:
            devices.device_class(each.name)
    gc.collect()
    gc.freeze()  # else the first collection in each child copies the memory of all


def serve(control: socket.socket) -> Optional[dict[str, Any]]:
    """Forks until the tests have gone (None); in the process that was forked, what it is to do."""
    heard, told = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(told)
    running: dict[int, int] = {}
    while True:
        if heard in select.select([control, heard], [], [])[0]:
            os.read(heard, 4096)
            _tell_who_ended(running)
            continue
        data, descriptors, _, _ = socket.recv_fds(control, _MOST, 3)
        if not data:
            return None
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(descriptors[0], 1)
            os.dup2(descriptors[1], 2)
            for each in (heard, told, *descriptors, *running.values()):
                os.close(each)
            control.close()
            order: dict[str, Any] = json.loads(data)
            return order
        running[pid] = descriptors.pop()
        for each in descriptors:
            os.close(each)
        control.send(str(pid).encode())


def _tell_who_ended(running: dict[int, int]) -> None:
    while running:
        pid, status, used = os.wait4(-1, os.WNOHANG)
        if pid == 0:
            return
        end = running.pop(pid)
        try:
            os.write(end, _END.pack(os.waitstatus_to_exitcode(status), used.ru_utime, used.ru_stime))
        except BrokenPipeError:
            pass  # the test has not waited for it
        os.close(end)


def carry_out(order: Mapping[str, Any]) -> None:
    """Runs the module as `python -m` does."""
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.argv[1:] = order["arguments"]
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    warm_up()
    try:
        found = serve(socket.socket(fileno=int(sys.argv[1])))
    except KeyboardInterrupt:
        found = None
    if found is not None:
        carry_out(found)
