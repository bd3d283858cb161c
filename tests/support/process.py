"""Real daemon processes, with the test backend, and what they cost."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Optional, Union

import jsonschema

from tests.support import nursery
from tests.support.callback_server import CallbackServer
from tests.support.client import KEY, Peer, ask
from tests.support.waiting import PATIENCE_S, until

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port that nobody uses now. Below those that the system gives away: it stays free until it is taken."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.randrange(15_000, 32_000)))
            except OSError:
                continue
            return int(probe.getsockname()[1])


def lab_core(directory: Path) -> Path:
    """A copy of the contract with the test backend's catalogue."""
    core = directory / "core"
    if not core.exists():
        shutil.copytree(ROOT / "core" / "contract", core / "contract")
        shutil.copy(
            Path(__file__).parent / "backends" / "lab" / "catalogue.json", core / "contract" / "catalogue" / "lab.json"
        )
    return core


def lab_connection(identifier: str = "1", meters: int = 1, commands: Any = None, **config: Any) -> dict[str, Any]:
    """A connection as Jeedom sends it. Its meters are `<id>0`, `<id>1`, ..."""
    names = ["power", "voltage", "label", "energy", "set", "refuse", "explode", "warn", "want"]
    names += [f"value{n}" for n in range(40)]
    return {
        "id": identifier,
        "backend": "lab",
        "name": f"Lab {identifier}",
        "config": config,
        "commands": {"polls": {}, "state": {}},
        "equipment": [
            {
                "id": f"{identifier}{number}",
                "type": "meter",
                "key": str(number),
                "name": f"Meter {number}",
                "config": {},
                "commands": commands if commands is not None else {name: {} for name in names},
            }
            for number in range(meters)
        ],
    }


@cache
def _validator(schema: str, part: str) -> jsonschema.Draft202012Validator:
    path = ROOT / "core" / "contract" / "schema" / f"{schema}.json"
    root = json.loads(path.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": root["$defs"]} if part else root)


def check(schema: str, instance: Any, part: str = "") -> None:
    """Fails when a message is not as the contract's schema says."""
    errors = list(_validator(schema, part).iter_errors(instance))
    assert not errors, f"{errors[0].message} in {json.dumps(instance)[:2000]}"


class Reports:
    """Receives what the test backend tells: a list of notes, each with `what`, `id` and `at`."""

    def __init__(self) -> None:
        self.notes: list[dict[str, Any]] = []
        self._sent = self._marked = 0
        self.changed = threading.Condition()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._receive, name="reports", daemon=True).start()

    def _receive(self) -> None:
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                return  # closed
            if not data:
                return
            note = json.loads(data)
            with self.changed:
                if "mark" in note:
                    self._marked = note["mark"]
                else:
                    self.notes.append(note)
                self.changed.notify_all()

    def _take_what_was_sent(self) -> None:
        """Waits for what is in the socket's queue: a note that was sent before an answer is there with it."""
        with self.changed:
            self._sent = mark = self._sent + 1
            self._socket.sendto(json.dumps({"mark": mark}).encode(), ("127.0.0.1", self.port))
            self.changed.wait_for(lambda: self._marked >= mark, PATIENCE_S)

    def of(self, what: str, identifier: Optional[str] = None) -> list[dict[str, Any]]:
        """The notes of a kind, with all that were sent before this call."""
        self._take_what_was_sent()
        with self.changed:
            return [n for n in self.notes if n["what"] == what and identifier in (None, n["id"])]

    def wait(self, what: str, count: int = 1, timeout: float = 5.0) -> list[dict[str, Any]]:
        """The notes of a kind, once there are `count` of them."""
        timeout = max(timeout, PATIENCE_S)
        end = time.monotonic() + timeout
        with self.changed:
            while sum(n["what"] == what for n in self.notes) < count:
                if not self.changed.wait(max(0.0, end - time.monotonic())) and time.monotonic() > end:
                    raise AssertionError(f"{count} x {what} not told within {timeout:g} s; {self.notes[-20:]}")
        return self.of(what)

    def clear(self) -> None:
        """Forgets all notes."""
        with self.changed:
            self.notes.clear()

    def close(self) -> None:
        """Stops listening."""
        self._socket.close()


class DaemonProcess:
    """One daemon on a port of its own; its log and its standard error are files.

    It is forked from the nursery unless it is `cold`, or started with a prefix or variables of Python itself.
    """

    def __init__(
        self,
        directory: Path,
        callback: str,
        *options: str,
        port: Optional[int] = None,
        key: Optional[str] = KEY,
        module: str = "tests.support.lab_daemon",
        pid: Optional[Path] = None,
        datadir: Optional[Path] = None,
        loglevel: str = "debug",
        prefix: tuple[str, ...] = (),
        environment: Optional[dict[str, str]] = None,
        cold: bool = False,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.pid = pid or directory / "daemon.pid"
        self.datadir = datadir or directory / "data"
        self.log_file = directory / "daemon.log"
        self.error_file = directory / "daemon.err"
        arguments = ["--callback", callback, "--pid", str(self.pid), "--datadir", str(self.datadir)]
        arguments += ["--socketport", str(self.port), "--loglevel", loglevel, *options]
        variables = {**os.environ, "LAB_CORE": str(lab_core(directory.parent)), **(environment or {})}
        variables.pop("JEEDOM_APIKEY", None)
        if key is not None:
            variables["JEEDOM_APIKEY"] = key
        with self.log_file.open("ab") as log, self.error_file.open("ab") as errors:
            self.process: Union[subprocess.Popen[bytes], nursery.Forked]
            if cold or prefix or any(not name.startswith(("LAB_", "FAST_")) for name in environment or ()):
                command = [*prefix, sys.executable, "-m", module, *arguments]
                self.process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=errors)
            else:
                self.process = nursery.start(module, arguments, variables, log.fileno(), errors.fileno())

    def ready(self, timeout: float = 60.0) -> DaemonProcess:
        """Waits until the socket answers."""

        def answers() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {self.errors}\n{self.log[-3000:]}")
            try:
                return bool(ask(self.port, "status", timeout=10.0)["ok"])
            except OSError:
                return False

        until(answers, timeout, "the daemon's start")
        return self

    def ask(self, cmd: str, **fields: Any) -> dict[str, Any]:
        """One message on a connection of its own; its answer is as the schema says."""
        answer = ask(self.port, cmd, **fields)
        check("socket", answer, "answer")
        return answer

    def result(self, cmd: str, **fields: Any) -> dict[str, Any]:
        """The result of a message that must succeed."""
        answer = self.ask(cmd, **fields)
        assert answer["ok"], answer
        found: dict[str, Any] = answer["result"]
        return found

    def configure(self, *connections: dict[str, Any], revision: int = 1, **fields: Any) -> dict[str, Any]:
        """Sends the desired state."""
        return self.result("configure", revision=revision, connections=list(connections), **fields)

    def state(self, identifier: str = "1") -> dict[str, Any]:
        """What `status` tells of a connection."""
        found: dict[str, Any] = self.result("status")["connections"][identifier]
        return found

    def peer(self) -> Peer:
        """A connection that stays."""
        return Peer(self.port)

    def stop(self, timeout: float = PATIENCE_S) -> int:
        """Asks for the end as Jeedom does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """As a power cut does."""
        self.process.kill()
        self.process.wait(10)

    @property
    def log(self) -> str:
        """All of the log."""
        return self.log_file.read_text(errors="replace")

    @property
    def errors(self) -> str:
        """All of standard error."""
        return self.error_file.read_text(errors="replace")

    def wait_log(self, words: str, timeout: float = 5.0) -> None:
        """Waits until the log holds these words."""
        until(lambda: words in self.log, timeout, f"{words!r} in the log")

    # What it costs.

    def cpu(self) -> float:
        """Seconds of processor time so far, ended threads included."""
        # The clock of another process, as clock_getcpuclockid(3) gives it on Linux: /proc counts in 10 ms.
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise AssertionError(name)

    def rss(self) -> float:
        """Resident memory, MiB."""
        return self._status("VmRSS") / 1024

    def threads(self) -> int:
        """How many there are."""
        return self._status("Threads")

    def descriptors(self) -> int:
        """How many are open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Lab:
    """Makes daemons and ends them; `cold`: each by a start of Python."""

    def __init__(self, directory: Path, cold: bool = False) -> None:
        self.directory = directory
        self.cold = cold
        self.server = CallbackServer()
        self.reports = Reports()
        self._daemons: list[DaemonProcess] = []

    def __enter__(self) -> Lab:
        self.server.listen()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.server.release.set()
        for each in self._daemons:
            if each.process.poll() is None:
                each.kill()
        self.server.leave()
        self.reports.close()
        if kind is None:
            for received in self.server.requests:
                check("callback", received.payload)

    def launch(self, *options: str, name: str = "daemon", callback: Optional[str] = None, **more: Any) -> DaemonProcess:
        """Starts a daemon without waiting for it."""
        folder, more = self.directory / name, {"cold": self.cold, **more}
        daemon = DaemonProcess(folder, callback or self.server.url, *options, **more)
        self._daemons.append(daemon)
        return daemon

    def daemon(self, *options: str, **more: Any) -> DaemonProcess:
        """A daemon that answers."""
        return self.launch(*options, **more).ready()

    def connection(self, identifier: str = "1", **more: Any) -> dict[str, Any]:
        """A connection that reports here."""
        return lab_connection(identifier, report=self.reports.port, **more)


def measured(action: Callable[[], Any]) -> float:
    """How long something takes, seconds."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun
