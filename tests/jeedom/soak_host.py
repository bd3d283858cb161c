"""A real Jeedom as the host of a soak: its daemon, its database, its web server, and what it shows in the end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Callable

from jeedom_host import ROOT, Jeedom, Refused
from test_jeedom_daemon import DROP_GUARD, LEVEL, start

from simulators.soak.host import Host
from simulators.soak.process import Held, StepClock, held, small_disk, troubles
from simulators.soak.systems import Rule
from simulators.soak.watch import Log
from tests.support.advertiser import Advertiser

WEB_USER = "www-data"
SERVICE = "_enphase-envoy._tcp.local."
LOOPBACK = Path(__file__).resolve().parents[1] / "support" / "only_loopback"
SECRETS = ("soleil-et-nuages", "branche-le-soir", "Soleil-et-nuages-1", "wesftp")
"""Passwords of the systems."""
LASTING = ("jeenergie::state::", "jeenergie::reach")
TOKEN = re.compile(r"eyJ[\w-]{20,}")
PLUGIN = Path(ROOT, "plugins/jeenergie")
PYTHON = PLUGIN / "resources/python_venv/bin/python"
LOGS = Path(ROOT, "log")
LOG = LOGS / "jeenergie_daemon"
ERRORS = Path(ROOT, "log/http.error")

EQUIPMENT = """
    $found = [];
    foreach (jeenergie::byType('jeenergie') as $each) {
        if ($each->getConfiguration('connection') == $argv[1]) {
            $found[] = ['id' => (string) $each->getId(), 'type' => $each->getConfiguration('type'),
                'key' => (string) $each->getConfiguration('key')];
        }
    }
    echo json_encode($found);
"""
VALUES = """
    $all = [];
    foreach (json_decode($argv[1]) as $id) {
        $found = (object) [];
        foreach (cmd::byEqLogicId($id, 'info') as $cmd) {
            $value = $cmd->execCmd();
            $name = $cmd->getLogicalId();
            if ($value !== '' && $value !== null) {
                $found->$name = $cmd->getSubType() === 'string' ? $value : (float) $value;
            }
        }
        $all[$id] = $found;
    }
    echo json_encode((object) $all);
"""
HOUSES = """
    $found = array_filter(jeenergie::connections(), fn($each) => $each->backend() === 'house');
    echo json_encode(array_values(array_map(fn($each) => $each->getId(), $found)));
"""
COMMAND = "echo json_encode(cmd::byEqLogicIdAndLogicalId($argv[1], $argv[2])->getId());"
SETTING = "echo json_encode(jeenergie::byId($argv[1])->getConfiguration('config')[$argv[2]] ?? null);"
NOTED = """
    DB::Prepare('DROP TABLE IF EXISTS soak_message', [], DB::FETCH_TYPE_ROW);
    DB::Prepare('CREATE TABLE soak_message (id INT AUTO_INCREMENT PRIMARY KEY, at DATETIME(3), what VARCHAR(8),
        logicalId VARCHAR(127), message TEXT)', [], DB::FETCH_TYPE_ROW);
    foreach (['INSERT' => 'NEW', 'UPDATE' => 'NEW', 'DELETE' => 'OLD'] as $what => $row) {
        DB::Prepare("DROP TRIGGER IF EXISTS soak_$what", [], DB::FETCH_TYPE_ROW);
        DB::Prepare("CREATE TRIGGER soak_$what AFTER $what ON message FOR EACH ROW INSERT INTO soak_message
            (at, what, logicalId, message) SELECT NOW(3), '$what', $row.logicalId, $row.message
            FROM DUAL WHERE $row.plugin = 'jeenergie'", [], DB::FETCH_TYPE_ROW);
    }
"""
UNNOTED = """
    foreach (['INSERT', 'UPDATE', 'DELETE'] as $what) {
        DB::Prepare("DROP TRIGGER IF EXISTS soak_$what", [], DB::FETCH_TYPE_ROW);
    }
    DB::Prepare('DROP TABLE IF EXISTS soak_message', [], DB::FETCH_TYPE_ROW);
"""
MESSAGES = "echo json_encode(DB::Prepare('SELECT * FROM soak_message ORDER BY id', [], DB::FETCH_TYPE_ALL));"
STATES = """
    $found = [];
    foreach (json_decode($argv[1]) as $id) { $found[$id] = jeenergie::byId($id)->state()['state'] ?? ''; }
    echo json_encode((object) $found);
"""
HISTORY = """
    $cmd = cmd::byEqLogicIdAndLogicalId($argv[1], $argv[2]);
    $rows = [];
    foreach (['history', 'historyArch'] as $table) {
        $found = DB::Prepare("SELECT datetime, value FROM $table WHERE cmd_id = ?", [$cmd->getId()], 1);
        foreach ($found as $row) { $rows[] = [$row['datetime'], (float) $row['value']]; }
    }
    sort($rows);
    echo json_encode($rows);
"""
TWICE = """
    $all = '(SELECT cmd_id, datetime FROM history UNION ALL SELECT cmd_id, datetime FROM historyArch) AS h';
    $twice = "SELECT cmd_id, datetime FROM $all GROUP BY cmd_id, datetime HAVING COUNT(*) > 1";
    echo json_encode(array_map('json_encode', DB::Prepare($twice, [], 1)));
"""
REMOVE = """
    for ($tries = 3; $tries > 0; $tries--) { // meanwhile the daemon may find some again
        foreach (jeenergie::byType('jeenergie') as $each) {
            if ($each->getConfiguration('connection') == $argv[1]) { $each->remove(); }
        }
        try {
            $connection = jeenergie::byId($argv[1]);
            if (is_object($connection)) { $connection->remove(); }
            break;
        } catch (Exception $used) {
            continue;
        }
    }
"""
WRAPPER = """#!/bin/sh
# Put here by a test that steps the daemon's clock, and taken away in its end.
{variables} exec {python} "$@"
"""


class House:
    """The real Jeedom, asked as the stand-in of the soak is."""

    def __init__(self, jeedom: Jeedom) -> None:
        self.jeedom = jeedom
        self.database = self
        self.made: list[str] = []
        self.known: dict[str, list[dict[str, Any]]] | None = None
        """Equipment by connection, once none is to come any more: each look is a process."""

    def add_connection(self, backend: str, config: dict[str, Any], name: str) -> str:
        if backend == "house":  # it comes by itself with the first meter
            patiently(lambda: self.jeedom.php(HOUSES), 120.0)
            connection = str(self.jeedom.php(HOUSES)[0])
        else:
            connection = str(self._own("addConnection", backend=backend, name=name)["id"])
        self.made.append(connection)
        form = {"id": connection, "isEnable": "1", "configuration": {"config": config}}
        self.jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))
        return connection

    def add_equipment(self, connection: str, kind: str, key: str, name: str, config: Any = None) -> None:
        ticked = [{"type": kind, "key": key, "name": name, "config": config or {}}]
        self._own("createDiscovered", connection=connection, equipment=ticked)

    def action(self, equipment: str, command: str, **options: Any) -> None:
        found = self.jeedom.php(COMMAND, equipment, command)
        self.jeedom.core("cmd", action="execCmd", id=str(found), value=json.dumps(options))

    def _own(self, action: str, **request: Any) -> Any:
        """As a user who is asked to try again in a moment."""
        end = time.monotonic() + 60.0
        while True:
            try:
                return self.jeedom.own(action, **request)
            except Refused as error:
                if "recommencez" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(2.0)

    def children(self, connection: str) -> list[dict[str, Any]]:
        if self.known is None:
            return self.jeedom.php(EQUIPMENT, connection)
        return self.known[connection]

    def values(self, equipment: Sequence[str]) -> dict[str, dict[str, Any]]:
        return self.jeedom.php(VALUES, json.dumps(list(equipment)))

    def states(self, connections: Sequence[str]) -> dict[str, str]:
        return self.jeedom.php(STATES, json.dumps(list(connections)))

    def state(self, connection: str) -> str:
        return self.states([connection])[connection]

    def history(self, equipment: str, command: str) -> list[tuple[str, float]]:
        return [(at, value) for at, value in self.jeedom.php(HISTORY, equipment, command)]

    def refresh(self, connection: str) -> None:
        self.jeedom.php("cmd::byEqLogicIdAndLogicalId($argv[1], 'refresh')->execCmd();", connection, decode=False)

    def run(self, connection: str, operation: str) -> None:
        self.jeedom.own("runOperation", connection=connection, operation=operation, options={})

    def test(self, connection: str) -> None:
        self.jeedom.own("test", connection=connection)

    def remove(self) -> None:
        """Everything that was made."""
        for each in {**dict.fromkeys(self.made), **dict.fromkeys(map(str, self.jeedom.php(HOUSES)))}:
            self.jeedom.php(REMOVE, each, decode=False)


class JeedomDaemon:
    """The daemon as the core starts it, looked at from outside; see simulators.soak.process.Daemon."""

    def __init__(self, jeedom: Jeedom) -> None:
        self.jeedom = jeedom
        self.data = PLUGIN / "data/daemon"
        self.starts = 1
        self.died: list[Any] = []
        self.begins_at = LOG.stat().st_size if LOG.exists() else 0
        folder = jeedom.php("echo json_encode(DataFolder::path());")
        self._pid_file = Path(folder, "deamon.pid")
        self._pid = 0
        self._killed = True  # nothing is known of the one before
        self._clock: StepClock | None = None

    @property
    def steps(self) -> bool:
        return self._clock is not None

    def wrap(self, stack: ExitStack) -> None:
        """From the next start on its clock can be set, where there is a C compiler."""
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jeenergie-soak-")))
        folder.chmod(0o755)
        shutil.copytree(LOOPBACK, folder / "only_loopback")
        clock = StepClock(folder)
        if not clock.environment:
            return
        kept = PYTHON.with_name("python-kept")
        PYTHON.rename(kept)
        stack.callback(kept.replace, PYTHON)
        environment = {**clock.environment, "PYTHONPATH": str(folder / "only_loopback")}
        variables = " ".join(f"{name}={value}" for name, value in environment.items())
        PYTHON.write_text(WRAPPER.format(variables=variables, python=kept), "utf-8")
        PYTHON.chmod(0o755)
        self._clock = clock

    def step(self, seconds: float) -> None:
        if self._clock is not None:
            self._clock.set(seconds)

    def pid(self) -> int | None:
        """Of the running one."""
        try:
            number = int(self._pid_file.read_text())
            command = Path(f"/proc/{number}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return number if b"jeenergied" in command else None

    def ensure(self) -> None:
        now = self.pid()
        if now is None or now != self._pid:
            if self._pid and not self._killed:
                self.died.append(f"{self._pid} is gone")
            self.starts += 1
            patiently(self._started, 300.0)
        self._pid, self._killed = self.pid() or 0, False

    def _started(self) -> bool:
        """What the core does every five minutes, and not twice within 45 s: now."""
        if self.pid() is None:
            self.jeedom.php(DROP_GUARD)
            self.jeedom.php("plugin::checkDeamon();", decode=False)
        return self.pid() is not None

    def begin(self) -> None:
        """Starts it as the button does."""
        start(self.jeedom)
        self._pid, self._killed = self.pid() or 0, False

    def kill(self) -> None:
        number = self.pid()
        self._killed = True
        if number is not None:
            os.kill(number, signal.SIGKILL)
            patiently(lambda: self.pid() is None, 10.0)

    def stop(self) -> int:
        """0 when it has ended as it was asked to."""
        self._killed = True
        self.jeedom.core("plugin", action="deamonStop", id="jeenergie")
        return 0 if self.pid() is None else 1

    def troubles(self) -> list[str]:
        return troubles(LOG, self.begins_at)

    def held(self) -> Held:
        return held(self.pid() or 0, self.data)


class RealJeedom(Host):
    """`outages`: name, command that stops something of the machine, command that starts it again."""

    refusals = (Refused, OSError, AssertionError, ValueError, subprocess.SubprocessError)
    patience = 600.0

    def __init__(self, jeedom: Jeedom, outages: Sequence[tuple[str, str, str]]) -> None:
        self._real = jeedom
        self.jeedom = House(jeedom)
        folder = jeedom.php("echo json_encode(jeedom::getTmpFolder());")
        sweep = f"find {folder} -mindepth 1 -delete 2> /dev/null || true"  # the core writes there meanwhile
        # What the core's cron does within five minutes: until then it says itself that it has not started.
        started = f"sudo -u {WEB_USER} php -r 'require \"{ROOT}/core/php/core.inc.php\"; jeedom::cron();'"
        swept = (sweep, started)
        self.faults = (*((name, (stop, begin)) for name, stop, begin in outages), ("tmp swept", swept))
        self._stopped: list[str] = []

    def open(self, stack: ExitStack, thorough: bool) -> None:
        self._real.php(LEVEL, 300)
        ERRORS.touch()
        self._errors_at = ERRORS.stat().st_size
        self._real.php(NOTED, decode=False)
        self._real.php("config::remove('automatic::house', 'jeenergie');", decode=False)
        stack.callback(self._real.php, UNNOTED, decode=False)
        self._logs_at = {each: each.stat().st_size for each in LOGS.iterdir() if each.is_file()}
        stack.callback(start, self._real)
        self.daemon: JeedomDaemon = JeedomDaemon(self._real)
        self.daemon.stop()
        if thorough:
            self.daemon.wrap(stack)
        self.daemon.data.mkdir(exist_ok=True)
        self.disk = small_disk(stack, self.daemon.data, WEB_USER)
        stack.callback(self.daemon.stop)
        stack.callback(self.jeedom.remove)
        stack.callback(self.clear)
        self.daemon.begin()

    def begin(self, stack: ExitStack) -> None:
        patiently(lambda: not self.missing(), self.patience)
        self.jeedom.known = {each: self.jeedom.children(each) for each in self.jeedom.made}

    def missing(self) -> list[str]:
        children = {each: self.jeedom.children(each) for each in self.jeedom.made}
        shown = self.jeedom.values([one["id"] for each in children.values() for one in each])
        return [f"connection {each}" for each, found in children.items() if not found] + [
            f"equipment {each}" for each, values in shown.items() if not values
        ]

    def hasten(self, rules: Iterable[Rule]) -> None:
        """Nothing: the check at the end waits for the slowest cadence."""

    def inject(self, kind: str, value: Any) -> None:
        stop, begin = value
        self._stopped.append(begin)
        subprocess.run(stop, shell=True, check=True, stdout=subprocess.DEVNULL)

    def clear(self) -> None:
        stopped, self._stopped = self._stopped, []
        for begin in stopped:
            subprocess.run(begin, shell=True, check=False, stdout=subprocess.DEVNULL)

    def states(self, connections: Sequence[str]) -> dict[str, str]:
        return self.jeedom.states(connections)

    def values(self, equipment: Sequence[str]) -> dict[str, dict[str, Any]]:
        return self.jeedom.values(equipment)

    def journal(self, point: str) -> list[dict[str, Any]]:
        with suppress(*self.refusals):
            entries: list[dict[str, Any]] = self._real.own_panel("journal", id=point)["entries"]
            return entries
        return []

    def logs(self) -> list[Log]:
        return [Log.from_now(each) for each in (LOG, LOGS / "jeenergie")]

    @contextmanager
    def announced(self, gateway: Any, address: str) -> Iterator[bool]:
        with Advertiser(SERVICE, "envoy", address, gateway.port, {"serialnum": gateway.serial, "protovers": "8"}):
            yield self.daemon.steps

    def setting(self, connection: str, key: str) -> Any:
        return self._real.php(SETTING, connection, key)

    def secrets(self) -> list[str]:
        """What was found in the logs of what only the plugin and its vendors may know."""
        found = []
        for path in LOGS.iterdir():
            if path.is_file() and not path.name.startswith("http.access"):
                text = _after(path, self._logs_at.get(path, 0))
                found += [f"{path.name}: {each}" for each in (*SECRETS, self._real.key) if each in text]
                found += [f"{path.name}: {each[:12]}…" for each in TOKEN.findall(text)]
        return found

    def told(self) -> list[str]:
        """Messages that came twice for one incident, and states that are still there although all is over.

        What only the user can judge (a counter that jumped, a page that was not uploaded) stays until he has read it.
        """
        wrong, open_ = [], {}
        for each in self._real.php(MESSAGES):
            name, text = each["logicalId"], f"{each['at']} {each['logicalId']}: {each['message']}"
            if each["what"] == "DELETE":
                open_.pop(name, None)
            elif name in open_:
                wrong.append(f"told again: {text}")
            else:
                open_[name] = text
        return wrong + [f"not over: {text}" for name, text in open_.items() if name.startswith(LASTING)]

    def checks(self) -> dict[str, list[str]]:
        with ERRORS.open("rb") as file:
            file.seek(self._errors_at)
            mistakes = re.findall(r"^.*PHP [^\n]*plugins/jeenergie.*$", file.read().decode("utf-8", "replace"), re.M)
        return {
            "the same command and date twice in history": self._real.php(TWICE),
            "mistakes of the plugin's PHP": mistakes,
            "messages twice, or left": self.told(),
            "secrets in logs": self.secrets(),
        }


def _after(path: Path, place: int) -> str:
    """What a log has from a place on; all of it, if it was begun anew."""
    with path.open("rb") as file:
        file.seek(place if path.stat().st_size >= place else 0)
        return file.read().decode("utf-8", "replace")


def patiently(true: Callable[[], Any], seconds: float) -> None:
    """Waits for something, looking seldom: each look is a process."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(1.0)
