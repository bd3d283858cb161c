"""The versions that were checked: what the files say, and that nothing else is installed where there are some."""

from __future__ import annotations

import base64
import hashlib
import platform
import re
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from test_install_deps import ROOT, Machine, told

LOCKS = sorted((ROOT / "resources" / "lock").glob("*.txt"))
RANGES = [Requirement(line) for line in (ROOT / "resources" / "requirements.txt").read_text().splitlines()]
PIN = re.compile(r"(?m)^([a-z0-9-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\\n|\n))+)")
OWN = f"py{sys.version_info[0]}{sys.version_info[1]}.txt"


def pins(lock: Path) -> dict[str, str]:
    return {name: version for name, version, _ in PIN.findall(lock.read_text())}


def test_each_python_of_debian_has_its_versions() -> None:
    assert [lock.name for lock in LOCKS] == ["py311.txt", "py313.txt", "py39.txt"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_is_within_the_ranges_and_every_line_has_hashes(lock: Path) -> None:
    text = lock.read_text()
    found = pins(lock)
    for wanted in RANGES:
        assert found[wanted.name] in wanted.specifier, wanted
    assert {"pip", "setuptools", "wheel"} <= set(found)
    rest = [line for line in PIN.sub("", text).splitlines() if not line.startswith("#")]
    assert rest == []
    assert "://" not in text  # no server's name: that is the machine's business


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_package_with_a_known_fault_that_nobody_imports_is_left_out(lock: Path) -> None:
    assert "msgpack" not in pins(lock)


def wheel(folder: Path, name: str, version: str, content: str = "") -> str:
    """A package with one module; the hash of its file."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    folder.mkdir(exist_ok=True)
    target = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(target, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return hashlib.sha256(target.read_bytes()).hexdigest()


class LockedMachine(Machine):
    """A machine whose only packages are in a folder, with a lock for its Python."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.real_pip()
        self.wheels = folder / "wheels"
        self.lock = self.plugin / "resources/lock" / OWN
        self.lock.parent.mkdir()
        self.pin(wheel(self.wheels, "demo", "1.0"))

    def pin(self, digest: str, machines: str = "x86_64 " + platform.machine()) -> None:
        self.lock.write_text(f"# Wheels for: {machines}\ndemo==1.0 \\\n    --hash=sha256:{digest}\n")

    def install(self) -> tuple[int, str]:
        return self.run(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(self.wheels))


@pytest.fixture
def locked(tmp_path: Path) -> LockedMachine:
    return LockedMachine(tmp_path)


def test_the_checked_versions_are_installed_although_there_are_newer_ones(locked: LockedMachine) -> None:
    wheel(locked.wheels, "demo", "1.1")
    _, output = locked.install()
    assert f"Versions vérifiées / checked versions: {OWN}" in output
    assert "Successfully installed demo-1.0" in output


def test_another_file_of_the_same_name_and_version_is_refused(locked: LockedMachine) -> None:
    wheel(locked.wheels, "demo", "1.0", "import os")
    code, output = locked.install()
    lines = told(output)
    assert code == 1
    assert "DO NOT MATCH THE HASHES" in lines["Réponse"]
    assert "n'est pas celui qui a été vérifié" in lines["À faire"]
    assert "is not the one that was checked" in lines["To do"]
    assert "demo" in output  # which one it is


def test_a_package_that_is_held_back_does_not_bring_the_newest_of_all(locked: LockedMachine) -> None:
    (locked.wheels / "demo-1.0-py3-none-any.whl").unlink()
    wheel(locked.wheels, "demo", "1.1")
    code, output = locked.install()
    assert code == 1
    assert "demo==1.0" in told(output)["Réponse"]
    assert "les plus récentes" not in output


@pytest.mark.parametrize("why", ["another Python", "another machine"])
def test_without_checked_versions_the_newest_are_taken_and_the_log_says_so(locked: LockedMachine, why: str) -> None:
    if why == "another Python":
        locked.lock.rename(locked.lock.with_name("py27.txt"))
    else:
        locked.pin("0" * 64, machines="s390x")
    code, output = locked.install()
    assert (code, told(output)["Essayé"]) == (1, "pip install --quiet --upgrade wheel setuptools pip")
    assert "Pas de versions vérifiées pour Python 3." in output
    assert "no checked versions for this Python or machine: the newest are taken" in output
