"""The daemon as a process: started as Jeedom does it, killed, started again; what it holds, read from /proc."""

from __future__ import annotations

import os
import re
import struct
import subprocess
from contextlib import ExitStack
from pathlib import Path
from pwd import getpwnam
from typing import Any, NamedTuple, Optional, Protocol

from simulators.demo.__main__ import start_daemon, stop
from simulators.jeedom.standin import JeedomStandIn

DISK = "4m"
TROUBLE = re.compile(r"\[(WARNING|ERROR|CRITICAL)\]")


class Held(NamedTuple):
    """What a process holds: resident memory (MiB), threads, sockets, other descriptors; files of its data folder."""

    memory: float
    threads: int
    sockets: int
    descriptors: int
    files: int


def _compiled(source: Path, library: Path) -> bool:
    command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source)]
    try:
        return subprocess.run(command, check=False).returncode == 0
    except OSError:
        return False  # no compiler


class StepClock:
    """A wall clock that can be set, for the processes that get `environment`; that is empty without a C compiler."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set(0)
        library = folder / "clock.so"
        self.environment: dict[str, str] = {}
        if _compiled(Path(__file__).with_name("clock.c"), library):
            self.environment = {"LD_PRELOAD": str(library), "SOAK_CLOCK": str(self._file)}

    def set(self, seconds: float) -> None:
        """It is that much ahead of the true time from now on."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=q", round(seconds * 1e9)))


def small_disk(stack: ExitStack, place: Path, owner: str = "root") -> bool:
    """A disk that is soon full on `place`, where that is allowed; whether it is."""
    if os.name != "posix" or os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700,uid={getpwnam(owner).pw_uid}", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    if done.returncode == 0:
        stack.callback(subprocess.run, ["umount", "-l", str(place)], check=False)
    return done.returncode == 0


def held(pid: int, data: Path) -> Held:
    """What a process holds, and the files of its data folder."""
    place = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
    targets = []
    for each in (place / "fd").iterdir():
        try:
            targets.append(os.readlink(each))
        except OSError:
            continue  # closed meanwhile
    sockets = sum(target.startswith("socket:") for target in targets)
    memory = int(status["VmRSS"].split()[0]) / 1024
    files = sum(path.is_file() for path in data.rglob("*"))
    return Held(memory, int(status["Threads"]), sockets, len(targets) - sockets, files)


def troubles(log: Path, after: int = 0) -> list[str]:
    """The lines of a log that are a warning or worse, from so many bytes on."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(after if log.stat().st_size >= after else 0)
        text = file.read().decode("utf-8", "replace")
    return [line for line in text.splitlines() if TROUBLE.search(line)]


class Daemon(Protocol):
    """The daemon of a soak. `starts`: how often it was started; `died`: exit codes (or words) of ends by itself."""

    starts: int
    died: list[Any]
    data: Path

    @property
    def steps(self) -> bool:
        """Whether its clock can be set."""
        ...

    def step(self, seconds: float) -> None:
        """Its wall clock is that much ahead of the true time from now on."""
        ...

    def ensure(self) -> None:
        """Start it when it does not run, as Jeedom's checker does."""
        ...

    def kill(self) -> None:
        """kill -9."""
        ...

    def stop(self) -> int:
        """End it in order; its exit code."""
        ...

    def troubles(self) -> list[str]:
        """The log lines of a warning or worse."""
        ...

    def held(self) -> Held:
        """What it holds now."""
        ...


class OwnDaemon:
    """One daemon after the other, in `folder`. With `steps`, and a C compiler, its clock can be set."""

    def __init__(self, python: str, jeedom: JeedomStandIn, folder: Path, steps: bool = False) -> None:
        self.python, self.jeedom, self.folder = python, jeedom, folder
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        self.starts = 0
        self.died: list[Any] = []
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._clock = StepClock(folder) if steps else None

    @property
    def steps(self) -> bool:
        """See Daemon."""
        return self._clock is not None and bool(self._clock.environment)

    def step(self, seconds: float) -> None:
        """See Daemon."""
        if self._clock is not None:
            self._clock.set(seconds)

    def ensure(self) -> None:
        """See Daemon."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            if code != -9:
                self.died.append(code)
        self.starts += 1
        environment = self._clock.environment if self._clock is not None else {}
        self._process = start_daemon(self.python, self.jeedom, self.folder, "warning", environment)

    def kill(self) -> None:
        """See Daemon."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """See Daemon."""
        if self._process is None:
            return 0
        stop(self._process)
        return int(self._process.returncode)

    def troubles(self) -> list[str]:
        """See Daemon."""
        return troubles(self.folder / "jeenergie_daemon.log")

    def held(self) -> Held:
        """See Daemon."""
        assert self._process is not None
        return held(self._process.pid, self.data)
