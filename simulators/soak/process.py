"""The daemon as a process: started as Jeedom does it, killed, started again; what it holds, read from /proc."""

from __future__ import annotations

import os
import re
import struct
import subprocess
from pathlib import Path
from typing import NamedTuple, Optional

from simulators.demo.__main__ import start_daemon, stop
from simulators.jeedom.standin import JeedomStandIn

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


class Daemon:
    """One daemon after the other, in `folder`. With `steps`, and a C compiler, its clock can be set."""

    def __init__(self, python: str, jeedom: JeedomStandIn, folder: Path, steps: bool = False) -> None:
        self.python, self.jeedom, self.folder = python, jeedom, folder
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        self.starts = 0
        self.died: list[int] = []
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._clock = folder / "clock"
        self._environment: dict[str, str] = {}
        if steps:
            self.step(0)
            library = folder / "clock.so"
            if _compiled(Path(__file__).with_name("clock.c"), library):
                self._environment = {"LD_PRELOAD": str(library), "SOAK_CLOCK": str(self._clock)}

    @property
    def steps(self) -> bool:
        """Whether its clock can be set."""
        return bool(self._environment)

    def step(self, seconds: float) -> None:
        """Its wall clock is that much ahead of the true time from now on."""
        with self._clock.open("r+b" if self._clock.exists() else "wb") as file:
            file.write(struct.pack("=q", round(seconds * 1e9)))

    def ensure(self) -> None:
        """Start it when it does not run, as Jeedom's checker does."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            if code != -9:
                self.died.append(code)
        self.starts += 1
        self._process = start_daemon(self.python, self.jeedom, self.folder, "warning", self._environment)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """End it in order; its exit code."""
        if self._process is None:
            return 0
        stop(self._process)
        return int(self._process.returncode)

    def troubles(self) -> list[str]:
        """The log lines of a warning or worse."""
        log = self.folder / "jeenergie_daemon.log"
        text = log.read_text("utf-8", "replace") if log.exists() else ""
        return [line for line in text.splitlines() if TROUBLE.search(line)]

    def held(self) -> Held:
        """What it holds now."""
        assert self._process is not None
        place = Path(f"/proc/{self._process.pid}")
        status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
        targets = []
        for each in (place / "fd").iterdir():
            try:
                targets.append(os.readlink(each))
            except OSError:
                continue  # closed meanwhile
        sockets = sum(target.startswith("socket:") for target in targets)
        memory = int(status["VmRSS"].split()[0]) / 1024
        files = sum(path.is_file() for path in self.data.rglob("*"))
        return Held(memory, int(status["Threads"]), sockets, len(targets) - sockets, files)
