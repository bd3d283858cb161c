"""A real Jeedom under faults: all five systems, its database, its web server and the daemon go away and come back.

`JEENERGIE_SOAK_JEEDOM=10` (minutes) runs it. What only the machine knows how to stop is told as JSON in
`JEEDOM_OUTAGES`: `[[name, command that stops it, command that starts it, seconds], ...]`, in this order; the daemon is
killed whatever it says. Its table goes to the file `JEENERGIE_SOAK_REPORT`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
import urllib.error
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Callable

import pytest
from jeedom_host import Jeedom, Refused
from test_jeedom_daemon import DROP_GUARD, LEVEL, pid, running, start

from simulators.soak.process import TROUBLE
from simulators.soak.systems import Easee, Econetatmo, Enphase, HelloWatt, Rule, System, Wes, agrees, as_told

MINUTES = float(os.environ.get("JEENERGIE_SOAK_JEEDOM", "0"))
OUTAGES = json.loads(os.environ.get("JEEDOM_OUTAGES", "[]"))
pytestmark = pytest.mark.skipif(not MINUTES, reason="minutes: JEENERGIE_SOAK_JEEDOM=10 runs it")

EQUIPMENT = """
    $found = [];
    foreach (jeenergie::byType('jeenergie') as $each) {
        if ($each->getConfiguration('connection') == $argv[1]) {
            $found[] = ['id' => $each->getId(), 'type' => $each->getConfiguration('type'),
                'key' => (string) $each->getConfiguration('key')];
        }
    }
    echo json_encode($found);
"""
VALUES = """
    $found = (object) [];
    foreach (cmd::byEqLogicId($argv[1], 'info') as $cmd) {
        $value = $cmd->execCmd();
        $name = $cmd->getLogicalId();
        $found->$name = $value === '' || $cmd->getSubType() === 'string' ? $value : (float) $value;
    }
    echo json_encode($found);
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
    echo json_encode(DB::Prepare($twice, [], 1));
"""
STATE = "echo json_encode(cmd::byEqLogicIdAndLogicalId($argv[1], 'state')->execCmd());"
REMOVE = """
    foreach (jeenergie::byType('jeenergie') as $each) {
        if ($each->getConfiguration('connection') == $argv[1]) { $each->remove(); }
    }
    $connection = jeenergie::byId($argv[1]);
    if (is_object($connection)) { $connection->remove(); }
"""


class House:
    """The real Jeedom, asked as the stand-in of the soak is."""

    def __init__(self, jeedom: Jeedom) -> None:
        self.jeedom = jeedom
        self.database = self
        self.made: list[str] = []

    def add_connection(self, backend: str, config: dict[str, Any], name: str) -> str:
        connection = str(self.jeedom.own("addConnection", backend=backend, name=name)["id"])
        self.made.append(connection)
        form = {"id": connection, "isEnable": "1", "configuration": {"config": config}}
        self.jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))
        return connection

    def add_equipment(self, connection: str, kind: str, key: str, name: str, config: Any = None) -> None:
        ticked = [{"type": kind, "key": key, "name": name, "config": config or {}}]
        self.jeedom.own("createDiscovered", connection=connection, equipment=ticked)

    def children(self, connection: str) -> list[dict[str, Any]]:
        return self.jeedom.php(EQUIPMENT, connection)

    def values(self, equipment: str) -> dict[str, Any]:
        return self.jeedom.php(VALUES, equipment)

    def history(self, equipment: str, command: str) -> list[tuple[str, float]]:
        return [(at, value) for at, value in self.jeedom.php(HISTORY, equipment, command)]

    def refresh(self, connection: str) -> None:
        self.jeedom.php("cmd::byEqLogicIdAndLogicalId($argv[1], 'refresh')->execCmd();", connection, decode=False)

    def run(self, connection: str, operation: str) -> None:
        self.jeedom.own("runOperation", connection=connection, operation=operation, options={})


def patiently(true: Callable[[], Any], seconds: float) -> None:
    """Waits for something, looking seldom: each look is a process."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(2.0)


def looked_after(jeedom: Jeedom) -> None:
    """What the core does every five minutes, and not twice within 45 s: now."""
    jeedom.php(DROP_GUARD)
    jeedom.php("plugin::checkDeamon();", decode=False)
    patiently(lambda: running(jeedom), 60.0)


class Run:
    """Faults by chance, one at a time; the outages of the machine in between, at even distances."""

    def __init__(self, jeedom: Jeedom, systems: list[System]) -> None:
        self.jeedom, self.systems = jeedom, systems
        self.dice = random.Random(11)
        self.incidents: Counter[str] = Counter()

    def storm(self, seconds: float) -> None:
        """All of it."""
        planned: list[Any] = [*OUTAGES, "kill", "network"]
        every = seconds / (len(planned) + 1)
        began = time.monotonic()
        due = [began + every * (place + 0.5) for place in range(len(planned))]
        while time.monotonic() - began < seconds:
            if due and time.monotonic() > due[0]:
                due.pop(0)
                self.outage(planned.pop(0))
            else:
                self.vendor()

    def vendor(self) -> None:
        """A vendor's system fails for a while."""
        system = self.dice.choice(self.systems)
        kind, value = self.dice.choice(system.faults)
        self.incidents[f"{system.name} {kind}"] += 1
        system.inject(kind, value)
        time.sleep(self.dice.uniform(2.0, 15.0))
        system.clear()
        time.sleep(self.dice.uniform(1.0, 5.0))

    def outage(self, what: Any) -> None:
        """Something of the machine, or all vendors at once."""
        if what == "kill":
            self.incidents["daemon killed"] += 1
            os.kill(pid(self.jeedom), signal.SIGKILL)
            time.sleep(5.0)
            looked_after(self.jeedom)
        elif what == "network":
            self.incidents["all vendors away"] += 1
            for system in self.systems:
                system.leave()
            time.sleep(30.0)
            for system in self.systems:
                system.come_back()
        else:
            name, stop, begin, seconds = what
            self.incidents[f"{name} stopped"] += 1
            subprocess.run(stop, shell=True, check=True, stdout=subprocess.DEVNULL)
            time.sleep(float(seconds))
            subprocess.run(begin, shell=True, check=True, stdout=subprocess.DEVNULL)
            time.sleep(20.0)


def differing(house: House, systems: list[System]) -> tuple[int, list[str]]:
    """How many current values there are, and those that are not the simulators'."""
    bad, count = [], 0
    for system in systems:
        shown = {each["id"]: house.values(each["id"]) for each in system.equipment()}
        rules: list[Rule] = list(system.rules())
        count += len(rules)
        bad += [
            f"{system.name} {as_told(rule, shown[rule.equipment].get(rule.command))}"
            for rule in rules
            if not agrees(rule, shown[rule.equipment].get(rule.command))
        ]
    return count, bad


def measures(house: House, systems: list[System]) -> tuple[int, list[str]]:
    """How many dated measures there are, and those that are missing, twice or others."""
    bad, count = [], 0
    for series in (each for system in systems for each in system.dated()):
        rows = house.history(series.equipment, series.command)
        have = dict(rows)
        count += len(series.truth)
        wrong = {at for at in series.truth if abs(have.get(at, 1e9) - series.truth[at]) > series.tolerance}
        wrong |= set(have) - set(series.truth)
        bad += [f"{series.equipment}/{series.command} {at}: {have.get(at)} / {series.truth.get(at)}" for at in wrong]
        bad += ["twice"] * (len(rows) - len(have))
    return count, bad


def agreed(look: Any, seconds: float) -> tuple[int, list[str]]:
    """The last look, as soon as nothing differs or time is out."""
    end = time.monotonic() + seconds
    while (found := look())[1] and time.monotonic() < end:
        time.sleep(3.0)
    return found


def test_a_real_jeedom_shows_the_truth_after_faults(jeedom: Jeedom, tmp_path: Path) -> None:
    house: Any = House(jeedom)
    jeedom.php(LEVEL, 300)
    log = Path(os.environ["JEEDOM_ROOT"], "log", "jeenergie_daemon")
    rows = []
    with ExitStack() as stack:
        stack.callback(lambda: [jeedom.php(REMOVE, each, decode=False) for each in house.made])
        start(jeedom)
        total = MINUTES + 8
        systems: list[System] = [Enphase(stack, house), Easee(stack, house, total), Wes(stack, house)]
        systems += [Econetatmo(stack, house, total), HelloWatt(stack, house, 0)]
        patiently(lambda: all(each.equipment() for each in systems), 120.0)
        patiently(lambda: all(house.values(each["id"]) for one in systems for each in one.equipment()), 120.0)
        before = log.stat().st_size if log.exists() else 0
        run = Run(jeedom, systems)
        run.storm(MINUTES * 60)
        looked_after(jeedom)
        patiently(lambda: all(jeedom.php(STATE, each.connection) == "En ligne" for each in systems), 300.0)
        for system in systems:
            system.freeze()
        for system in systems:
            with suppress(Refused, urllib.error.URLError):
                house.refresh(system.connection)
        count, bad = agreed(lambda: differing(house, systems), 330.0)
        rows.append(("current values", f"{count} equal to the simulators'", f"{count - len(bad)} equal", not bad))
        wrong = list(bad)
        count, bad = agreed(lambda: measures(house, systems), 200.0)
        rows.append(("dated measures", f"{count} once each", f"{len(bad)} missing, extra or other", not bad))
        wrong += bad
        twice = jeedom.php(TWICE)
        rows.append(("the same command and date in both tables of history", "never", f"{len(twice)}", not twice))
        with log.open(encoding="utf-8", errors="replace") as file:
            file.seek(before if log.stat().st_size >= before else 0)
            lines = [line for line in file if TROUBLE.search(line)]
        most = sum(run.incidents.values()) + 5 * (len(OUTAGES) + 2)
        rows.append(("log lines, warning or worse", f"at most {most}", f"{len(lines)}", len(lines) <= most))
        text = "| check | expected | found | |\n|---|---|---|---|\n"
        text += "".join(f"| {a} | {b} | {c} | {'ok' if good else '**failed**'} |\n" for a, b, c, good in rows)
        text += "\nIncidents: " + ", ".join(f"{name} {n}" for name, n in sorted(run.incidents.items())) + ".\n"
        report = Path(os.environ.get("JEENERGIE_SOAK_REPORT", tmp_path / "soak.md"))
        report.write_text(text + "".join(f"- {each}\n" for each in wrong[:40] + lines), "utf-8")
        print(text)
        assert all(good for *_, good in rows), wrong[:40]
