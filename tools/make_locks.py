"""Pins the daemon's packages, with the hashes of all their files: resources/lock/py39.txt and so on.

    python tools/make_locks.py

The newest versions that resources/requirements.txt allows, for each Python of Debian 11, 12 and 13. Needs a package
index, asked as pip on this machine is set to; uv, which does the work, is installed into a folder of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "resources" / "requirements.txt"
FOLDER = ROOT / "resources" / "lock"
PYTHONS = ("3.9", "3.11", "3.13")
MACHINES = ("x86_64", "aarch64", "armv7l", "i686")
"""What a Jeedom runs on; a lock names those for which every package has a wheel."""
LIBRARIES = ("manylinux_2_31", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
"""Debian 11 has glibc 2.31."""
BUILD = ("pip", "setuptools", "wheel")
"""What installs the plugin's own packages; otherwise those that the machine's venv brings, or the newest."""
LEFT_OUT = "msgpack"
"""signalrcore pins a version with a known fault (CVE-2026-57585); its JSON protocol never imports it."""
HEAD = """\
# Made by tools/make_locks.py from resources/requirements.txt on {day}; not to be edited.
# Wheels for: {machines}
"""


class Tools:
    """pip and uv, in a folder that is removed afterwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv", with_pip=True)
        self._bin = folder / "venv" / "bin"
        self.pip("install", "--quiet", "--upgrade", "pip", "uv")
        self._environment = dict(os.environ)
        certificates = self.setting("cert")
        if certificates:
            self._environment.setdefault("SSL_CERT_FILE", certificates)

    def pip(self, *arguments: str) -> str:
        """What pip says. Raises CalledProcessError."""
        command = [str(self._bin / "python"), "-m", "pip", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr[-2000:])
        return done.stdout

    def setting(self, name: str) -> str:
        """A setting of this machine's pip; empty without one."""
        for line in self.pip("config", "list").splitlines():
            key, _, value = line.partition("=")
            if key.endswith(f".{name}"):
                return value.strip("'\"")
        return ""

    def pins(self, python: str, build: Path) -> str:
        """Every package with its version and hashes. Raises CalledProcessError."""
        index = self.setting("index-url")
        command = [str(self._bin / "uv"), "pip", "compile", "--quiet", "--no-config", "--generate-hashes"]
        command += ["--no-header", "--no-annotate", "--no-emit-package", LEFT_OUT, "--only-binary", ":all:"]
        command += [
            "--python-version",
            python,
            "--python-platform",
            "linux",
            *(["--index-url", index] if index else []),
        ]
        command += [str(LIST), str(build)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=self._environment)
        return done.stdout

    def has_wheels(self, lock: Path, python: str, machine: str) -> bool:
        """Whether pip finds each of them for that machine."""
        abi = "cp" + python.replace(".", "")
        platforms = [word for library in LIBRARIES for word in ("--platform", f"{library}_{machine}")]
        kinds = ["--implementation", "cp", "--abi", abi, "--abi", "abi3", "--abi", "none"]
        options = ["--quiet", "--dry-run", "--ignore-installed", "--target", str(self.folder / "target")]
        options += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--python-version", python]
        try:
            self.pip("install", *options, *platforms, *kinds, "-r", str(lock))
        except subprocess.CalledProcessError:
            return False
        return True


def make(tools: Tools, python: str, build: Path) -> str:
    """The text of a lock."""
    pins = tools.pins(python, build)
    trial = tools.folder / "lock.txt"
    trial.write_text(pins, encoding="utf-8")
    machines = [each for each in MACHINES if tools.has_wheels(trial, python, each)]
    return HEAD.format(day=date.today().isoformat(), machines=" ".join(machines)) + pins


def pinned(text: str) -> str:
    """What a lock says, without the day it was made on."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("# Made by"))


def main() -> int:
    """Writes what has changed."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        tools = Tools(Path(name))
        build = Path(name) / "build.txt"
        build.write_text("\n".join(BUILD) + "\n", encoding="utf-8")
        for python in PYTHONS:
            path = FOLDER / f"py{python.replace('.', '')}.txt"
            text = make(tools, python, build)
            if path.exists() and pinned(path.read_text(encoding="utf-8")) == pinned(text):
                print(f"{path.name}: nothing new")
                continue
            path.write_text(text, encoding="utf-8")
            print(f"{path.name}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
