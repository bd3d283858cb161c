"""The installation of the dependencies: a failure tells what was tried, what came back and what the user can do."""

from __future__ import annotations

import atexit
import fcntl
import http.server
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import venv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.disk import place_of_programs

ROOT = Path(__file__).resolve().parents[2]
FAKE_ID = '#!/bin/sh\n[ "$1" = -u ] && echo "$FAKE_UID" || { [ "$1" = -un ] && echo somebody; }\n'
PIP_SAYS = (
    '#!/bin/sh\n[ "$3" != pip ] || [ "$4" = config ] || '
    '{ [ ! -s "$LOG_SAYS" ] || cat "$LOG_SAYS" > "$5"; cat "$SAYS"; exit 1; }\n'
)
COPY = """#!/bin/sh
[ "$3" != venv ] || exec cp -a {made} "$4"
exec {python} "$@"
"""
PYTHON = """#!/bin/sh
[ "$3" != venv ] || {{ mkdir -p "$4/bin" && cp {pip} "$4/bin/python"; exit; }}
exec {python} "$@"
"""


@cache
def made_environment() -> Path:
    """What `python3 -m venv` makes, made once: each time takes as long as all else that a test does."""
    folder = Path(tempfile.mkdtemp(prefix="jeenergie-venv-", dir=place_of_programs()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run([sys.executable, "-I", "-m", "venv", str(folder / "venv")], check=True, timeout=120)
    return folder / "venv"


ANYBODY_S_PYTHON = """#!/bin/sh
[ "$1" != -V ] || echo Python 3.11.2
[ "$3" != venv ] || {{ mkdir -p "$4/bin" && cp {pip} "$4/bin/python"; }}
"""
"""One that other users can run, wherever that of the tests is."""


class Machine:
    """A copy of the plugin's files, and a PATH where `id`, `apt-get` and `python3` are ours: nothing of this machine
    is installed or changed, whoever runs the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plugin = folder / "plugin"
        self.programs = folder / "programs"
        self.progress = folder / "progress"
        (self.plugin / "resources").mkdir(parents=True)
        self.programs.mkdir()
        names = ("install_deps.sh", "pyproject.toml", "resources/requirements.txt", "resources/check_environment.py")
        for name in names:
            shutil.copy(ROOT / name, self.plugin / name)
        self.program("id", FAKE_ID)
        self.program("apt-get", "#!/bin/sh\nexit 99\n")
        self.program("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')

    def program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text, encoding="utf-8")
        (self.programs / name).chmod(0o755)

    def real_pip(self) -> None:
        """A Python whose new environments have pip itself. They are copies: pip is started by `bin/python -m pip`."""
        self.program("python3", COPY.format(made=made_environment(), python=sys.executable))

    def pip_says(self, output: str, log: str = "") -> None:
        """A Python whose new environments have a pip that fails with this output, and with this line in its log."""
        (self.programs / "output").write_text(output + "\n", encoding="utf-8")
        (self.programs / "log").write_text(log, encoding="utf-8")
        self.program("pip-fails", PIP_SAYS)
        self.program("python3", PYTHON.format(pip=self.programs / "pip-fails", python=sys.executable))

    def run(self, uid: int = 1000, **environment: str) -> tuple[int, str]:
        """Exit code and output, the times of the log taken away."""
        path = f"{self.programs}:{os.environ['PATH']}"
        settings = {"PATH": path, "FAKE_UID": str(uid), "HOME": str(self.plugin), "PIP_CONFIG_FILE": os.devnull}
        settings |= {"SAYS": str(self.programs / "output"), "LOG_SAYS": str(self.programs / "log"), **environment}
        done = subprocess.run(
            ["bash", str(self.plugin / "install_deps.sh"), str(self.progress)],
            env=settings,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert not self.progress.exists()
        assert not (self.plugin / "resources/python_venv.new").exists()
        return done.returncode, re.sub(r"(?m)^\[[-0-9: ]{19}\] ", "", done.stdout)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


class Unavailable(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def unavailable() -> Iterator[str]:
    """The address of a package server that answers 503 to everything."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unavailable) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://user:secret@127.0.0.1:{server.server_port}/simple"
        server.shutdown()
        thread.join()


def told(output: str) -> dict[str, str]:
    """The lines of a failure by their labels."""
    labels = ("ECHEC", "Essayé", "Réponse", "À faire", "FAILED", "To do")
    return {label: found[1] for label in labels if (found := re.search(rf"(?m)^ *{label} ?: (.*)$", output))}


def test_a_closed_port_is_told_with_what_was_tried_and_what_to_do(machine: Machine) -> None:
    machine.real_pip()
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        index = f"http://127.0.0.1:{taken.getsockname()[1]}/simple"
        code, output = machine.run(PIP_INDEX_URL=index, PIP_NO_INDEX="")
    lines = told(output)
    assert code == 1
    assert lines["ECHEC"] == "les paquets Python ne s'installent pas"
    assert lines["Essayé"] == "pip install --quiet --upgrade wheel setuptools pip"
    assert lines["Réponse"].startswith(f"{index}/wheel/: ")
    assert "Connection refused" in lines["Réponse"]
    assert "accès à Internet" in lines["À faire"]
    assert "Internet access" in lines["To do"]
    assert output.count("after connection broken by") == 2, "more than one name was asked for"


def test_an_error_of_the_package_server_is_told_without_its_password(machine: Machine, unavailable: str) -> None:
    machine.real_pip()
    code, output = machine.run(PIP_INDEX_URL=unavailable)
    lines = told(output)
    assert code == 1
    assert "503" in lines["Réponse"]
    assert "répond par une erreur" in lines["À faire"]
    assert "secret" not in output


NO_VERSION = "ERROR: No matching distribution found for wheel"
FETCH = "2026-01-02T03:04:05,678 Could not fetch URL https://x.org/simple/wheel/: "
POOL = "HTTPSConnectionPool(host='x.org', port=443): Max retries exceeded with url: /simple/wheel/ (Caused by "


@pytest.mark.parametrize(
    ("output", "log", "answer", "advice"),
    [
        (
            NO_VERSION,
            FETCH + "connection error: " + POOL + "NewConnectionError('<x.HTTPSConnection object at 0x7f>: Failed to "
            "establish a new connection: [Errno -3] Temporary failure in name resolution')) - skipping",
            "https://x.org/simple/wheel/: Failed to establish a new connection: "
            "[Errno -3] Temporary failure in name resolution",
            "DNS",
        ),
        (
            NO_VERSION,
            FETCH + "There was a problem confirming the ssl certificate: [SSL: CERTIFICATE_VERIFY_FAILED] certificate "
            "verify failed: certificate is not yet valid (_ssl.c:992) - skipping",
            "certificate is not yet valid",
            "la date de cette machine",
        ),
        (NO_VERSION, FETCH + "403 Client Error: Forbidden for url: https://x.org/ - skipping", "403", "une erreur"),
        (NO_VERSION, FETCH + "404 Client Error: Not Found for url: https://x.org/ - skipping", "No matching", "forum"),
        (NO_VERSION, FETCH + "connection error: Read timed out. - skipping", "Read timed out.", "accès à Internet"),
        ("OSError: [Errno 28] No space left on device", "", "No space left on device", "100 Mo"),
        ("  error: subprocess-exited-with-error\nERROR: Failed building wheel for lxml", "", "for lxml", "forum"),
        ("nothing that is known", "", "nothing that is known", "forum"),
    ],
)
def test_what_pip_met_decides_the_advice(machine: Machine, output: str, log: str, answer: str, advice: str) -> None:
    machine.pip_says(output, log)
    code, text = machine.run()
    lines = told(text)
    assert code == 1
    assert answer in lines["Réponse"]
    assert advice in lines["À faire"]
    assert lines["À faire"].endswith("puis relancez l'installation.")
    assert lines["To do"].endswith("then start the installation again.")


def no_venv(machine: Machine) -> None:
    machine.program("python3", "#!/bin/sh\necho \"ModuleNotFoundError: No module named 'ensurepip'\" >&2; exit 1\n")


def test_without_venv_a_user_is_told_the_command_that_helps(machine: Machine) -> None:
    no_venv(machine)
    code, output = machine.run()
    lines = told(output)
    assert code == 1
    assert lines["Réponse"] == "ModuleNotFoundError: No module named 'ensurepip'"
    assert lines["À faire"].startswith("sudo apt-get install python3-venv,")


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("Err:1 http://d.org x InRelease\n  Temporary failure resolving 'd.org'", "DNS"),
        ("E: Failed to fetch http://d.org/x.deb  Could not connect to d.org:80 (1.2.3.4).", "accès à Internet"),
        ("E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend)", "attendez sa fin"),
        ("E: Unable to locate package python3-venv", "sources.list"),
    ],
)
def test_what_apt_met_decides_the_advice(machine: Machine, output: str, advice: str) -> None:
    no_venv(machine)
    machine.program("apt-get", f"#!/bin/sh\ncat <<'END'\n{output}\nEND\nexit 100\n")
    code, text = machine.run(uid=0)
    lines = told(text)
    assert (code, lines["ECHEC"]) == (1, "python3-venv ne s'installe pas")
    assert lines["Essayé"].startswith("apt-get ")
    assert advice in lines["À faire"]


def test_an_old_python_is_told_with_its_version(machine: Machine) -> None:
    machine.program("python3", '#!/bin/sh\ncase "$*" in -V) echo Python 3.7.3;; *version_info*) exit 1;; esac\n')
    code, output = machine.run()
    assert (code, told(output)["Réponse"]) == (1, "Python 3.7.3")


def test_a_second_installation_leaves_the_first_alone(machine: Machine) -> None:
    path = machine.plugin / "data/daemon/install.lock"
    path.parent.mkdir(parents=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, output = machine.run()
    assert (code, told(output)["ECHEC"]) == (1, "une autre installation est en cours")


def test_files_that_cannot_be_written_are_told_with_the_system_s_reason(machine: Machine) -> None:
    (machine.plugin / "data").write_text("no folder")
    code, output = machine.run()
    lines = told(output)
    assert (code, "Not a directory" in lines["Réponse"]) == (1, True)
    assert "Rétablissement des droits" in lines["À faire"]


def test_a_failure_leaves_the_former_installation_in_place_and_says_so(machine: Machine) -> None:
    former = machine.plugin / "resources/python_venv"
    venv.create(former, with_pip=False)
    machine.pip_says(NO_VERSION)
    code, output = machine.run()
    assert code == 1
    assert "L'installation précédente reste en place" in output
    assert (former / "bin/python").exists()


PIP_TELLS = """#!/bin/sh
[ "$3" != pip ] || [ "$4" != config ] || {{ exec {python} "$@"; }}
[ "$3" != pip ] || {{ env | grep -E '^(PIP|PYTHON)' | sort > {told}; echo "ERROR: enough"; exit 1; }}
"""


def test_of_the_machine_s_settings_of_pip_only_the_way_to_the_packages_counts(machine: Machine) -> None:
    """What is told to pip in the end, by its environment: its own files are then not read."""
    told_pip = machine.programs / "told"
    machine.program("pip-tells", PIP_TELLS.format(python=sys.executable, told=told_pip))
    machine.program("python3", PYTHON.format(pip=machine.programs / "pip-tells", python=sys.executable))
    config = machine.folder / "pip.conf"
    config.write_text(
        "[global]\nextra-index-url = https://a.example/simple\n    https://b.example/simple\nindex-url = https://no.example\n"
        "proxy = http://proxy.example:3128\n[install]\nuser = true\ntarget = /somewhere\nrequire-hashes = true\n"
    )
    code, _ = machine.run(
        PIP_CONFIG_FILE=str(config),
        PIP_INDEX_URL="https://mine.example/simple",
        PIP_USER="1",
        PIP_TARGET="/somewhere",
        PIP_PREFIX="/elsewhere",
        PYTHONPATH="/elsewhere",
        PYTHONHOME="",
    )
    assert code == 1
    given = dict(line.split("=", 1) for line in told_pip.read_text().splitlines())
    assert given["PIP_CONFIG_FILE"] == "/dev/null"
    assert given["PIP_INDEX_URL"] == "https://mine.example/simple"
    assert given["PIP_EXTRA_INDEX_URL"] == "https://a.example/simple https://b.example/simple"
    assert given["PIP_PROXY"] == "http://proxy.example:3128"
    ways = {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_PROXY", "PIP_CERT", "PIP_FIND_LINKS", "PIP_TRUSTED_HOST"}
    own = {"PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_INPUT", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES", "PIP_PROGRESS_BAR"}
    assert set(given) - ways - own == {"PIP_CONFIG_FILE"}


def test_nothing_is_imported_from_the_current_folder(machine: Machine) -> None:
    for name in ("ensurepip", "venv", "pip", "sys", "jsonschema", "encodings"):
        (machine.folder / f"{name}.py").write_text(f"open({str(machine.folder / 'taken')!r}, 'w').close()\n")
    machine.pip_says(NO_VERSION)
    code, output = machine.run(PYTHONPATH=str(machine.folder))
    assert (code, told(output)["ECHEC"]) == (1, "les paquets Python ne s'installent pas")
    assert not (machine.folder / "taken").exists()


RUNUSER = """#!/bin/sh
echo "$@" >> {log}
[ "$1" = -u ] && [ "$3" = -- ] && shift 3 && exec "$@"
"""


def test_as_root_all_but_the_packages_of_the_system_is_done_as_the_web_server_s_user(machine: Machine) -> None:
    """The plugin's files belong to another user; a stand-in for runuser notes what it was asked for."""
    log = machine.programs / "runuser.log"
    machine.program("stat", "#!/bin/sh\necho nobody\n")
    machine.program("chown", "#!/bin/sh\n")
    as_root = machine.folder / "as-root"
    machine.pip_says(NO_VERSION)
    # Whatever Python is not run through runuser is root's.
    plain = (machine.programs / "python3").read_text()
    note = f'[ -n "$VIA" ] || echo "$@" >> {as_root}\n'
    machine.program("python3", plain.replace("#!/bin/sh\n", "#!/bin/sh\n" + note, 1))
    machine.program("runuser", RUNUSER.format(log=log).replace("exec", "VIA=1 exec"))
    code, output = machine.run(uid=0)
    assert (code, told(output)["ECHEC"]) == (1, "les paquets Python ne s'installent pas")
    lines = log.read_text().splitlines()
    assert all(line.startswith("-u nobody -- ") for line in lines)
    assert any(" -I -m venv " in line for line in lines)
    assert any(" -I -m pip --log " in line for line in lines)
    assert [line for line in as_root.read_text().splitlines() if line != "-V" and "version_info" not in line] == []


@pytest.mark.parametrize(("in_jeedom", "user"), [(False, None), (True, "www-data")])
def test_a_checkout_of_root_s_changes_hands_in_a_jeedom_only(machine: Machine, in_jeedom: bool, user: str) -> None:
    """Elsewhere its folder may be closed to the web server's user, and git refuses a folder of somebody else's."""
    log = machine.programs / "runuser.log"
    machine.program("stat", "#!/bin/sh\necho root\n")
    machine.program("id", "#!/bin/sh\necho 0\n")  # who runs it, and that there is a www-data
    machine.program("chown", "#!/bin/sh\n")
    machine.program("runuser", RUNUSER.format(log=log))
    machine.program("flock", "#!/bin/sh\nexit 1\n")  # who it is done as is decided by then, and a few things are done
    if in_jeedom:
        core = machine.plugin.parent.parent / "core/config"
        core.mkdir(parents=True)
        (core / "jeedom.config.php").touch()
    _, output = machine.run(uid=0)
    assert told(output)["ECHEC"] == "une autre installation est en cours"
    assert log.exists() == in_jeedom
    if in_jeedom:
        assert len(log.read_text().splitlines()) > 3
        assert all(line.startswith(f"-u {user} -- ") for line in log.read_text().splitlines())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_what_root_installs_belongs_to_the_owner_of_the_plugin() -> None:
    with tempfile.TemporaryDirectory(dir=place_of_programs()) as folder:  # which others can enter, unlike pytest's own
        os.chmod(folder, 0o755)
        machine = Machine(Path(folder))
        # Without www-data, else the system's Python would install real packages.
        machine.program("id", '#!/bin/sh\n[ "$1" != www-data ] || exit 1\nexec /usr/bin/id "$@"\n')
        machine.pip_says(NO_VERSION)
        machine.program("python3", ANYBODY_S_PYTHON.format(pip=machine.programs / "pip-fails"))
        former = machine.plugin / "resources/python_venv"
        for each in (machine.plugin, *machine.plugin.rglob("*")):
            os.chown(each, 65534, 65534)
        venv.create(former, with_pip=False)  # by root, as the versions before did
        _, output = machine.run()
        assert told(output)["Réponse"] in NO_VERSION
        found = {path: path.lstat().st_uid for path in machine.plugin.rglob("*")}
        assert {path for path, uid in found.items() if uid != 65534} == set()
        assert (machine.plugin / "data/daemon").stat().st_mode & 0o777 == 0o700
        assert (machine.plugin / "data/daemon/install.lock").stat().st_mode & 0o777 == 0o600
