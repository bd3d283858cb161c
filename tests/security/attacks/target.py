"""What is attacked: a checkout of the project, its PHP and its daemon as processes of their own."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Optional

from tests.support.client import KEY, ask

ROOT = Path(__file__).resolve().parents[3]
HELD, BROKEN, NOT_HERE = 0, 1, 77
WEB_UID, OTHER_UID = 33, 65534
"""Debian's www-data and nobody: the web server's user, and another one of the machine."""
CORE = ("core", "tests/php/double", "tests/php/catalogue.json", "plugin_info", "resources/requirements.txt")
PHP = """
foreach (['core', 'history', 'messages', 'objects', 'places', 'time'] as $double) {
    require $argv[1] . "/tests/php/double/$double.php";
}
require $argv[1] . '/core/class/jeenergie.class.php';
Memory::$config['jeenergie::api'] = str_repeat('k', 64);
// A class of the plugin; of a version without namespaces, by the name that it had there.
$class = fn(string $name, string $former): string => class_exists($name) ? $name : $former;
"""


class Succeeded(Exception):
    """The attack has got what it wanted; the text says what."""


class NotHere(Exception):
    """It cannot be tried on this machine; the text says why."""


class Checkout:
    """The code under attack, and a folder of the attack's own that every user of the machine can enter."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.folder = folder
        links = folder / "python"
        links.mkdir()
        (links / "jeenergied").symlink_to(root / "resources" / "daemon")
        (links / "jeedom_bridge").symlink_to(root / "jeedom_bridge")
        self._python_path = str(links)

    def two_users(self) -> None:
        """Raises NotHere unless this process can be several users, and PHP is there."""
        if os.geteuid() != 0:
            raise NotHere("only root can be two users")
        if shutil.which("php") is None:
            raise NotHere("php is not on this machine")

    def plugin(self) -> Path:
        """A copy of the plugin's PHP that belongs to the web server's user."""
        copy = self.folder / "plugin"
        for name in CORE:
            source, target = self.root / name, copy / name
            if source.is_dir():
                shutil.copytree(source, target)
            elif source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        for each in (copy, *copy.rglob("*")):
            os.chown(each, WEB_UID, WEB_UID)
        return copy

    def php(self, plugin: Path, code: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """PHP of the plugin beside a double of Jeedom's core, as the web server's user."""
        command = ["php", "-d", "display_errors=stderr", "-r", PHP + code, "--", str(plugin), *arguments]
        return subprocess.Popen(
            command,
            user=WEB_UID,
            group=WEB_UID,
            extra_groups=[],
            cwd="/",
            env={"PATH": os.environ["PATH"], **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def as_other(self, code: str, *arguments: str) -> subprocess.Popen[str]:
        """Python as another user of the machine."""
        python = shutil.which("python3", path="/usr/bin:/bin:/usr/local/bin")
        if python is None:
            raise NotHere("there is no Python that another user could run")
        command = [python, "-c", code, *arguments]
        return subprocess.Popen(
            command, user=OTHER_UID, group=OTHER_UID, extra_groups=[], cwd="/", stdout=subprocess.PIPE, text=True
        )

    @contextmanager
    def daemon(self, callback: str) -> Iterator[int]:
        """The daemon as a process; the port of its socket."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        command = [sys.executable, "-m", "jeenergied", "--callback", callback, "--socketport", str(port)]
        command += ["--pid", str(self.folder / "daemon.pid"), "--datadir", str(self.folder / "data")]
        environment = {**os.environ, "PYTHONPATH": self._python_path, "JEEDOM_APIKEY": KEY}
        log = (self.folder / "daemon.log").open("wb")
        process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        try:
            _until(lambda: _answers(port), 20, "the daemon's start")
            yield port
        finally:
            process.terminate()
            process.wait(15)
            log.close()


def _answers(port: int) -> bool:
    try:
        return bool(ask(port, "status", timeout=2.0)["ok"])
    except OSError:
        return False


def _until(probe: Callable[[], Any], timeout_s: float, what: str) -> Any:
    end = time.monotonic() + timeout_s
    while not (found := probe()):
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not happen within {timeout_s:g} s")
        time.sleep(0.05)
    return found


def configure(port: int, *connections: dict[str, Any]) -> None:
    """Sends the desired state."""
    answer = ask(port, "configure", revision=1, connections=list(connections))
    assert answer["ok"], answer


def tried(attack: Callable[[Checkout], None], arguments: Optional[list[str]] = None) -> int:
    """Tries an attack as the command line says; prints what came of it, and returns the exit code."""
    parser = argparse.ArgumentParser(description=sys.modules[attack.__module__].__doc__)
    parser.add_argument("--checkout", type=Path, default=ROOT, help="the project's folder, of any version")
    root = parser.parse_args(arguments).checkout.resolve()
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        try:
            attack(Checkout(root, Path(name)))
        except NotHere as error:
            print(f"not tried: {error}")
            return NOT_HERE
        except Succeeded as error:
            print(f"THE ATTACK SUCCEEDED: {error}")
            return BROKEN
    print("held")
    return HELD
