"""What a poll of a WES with everything enabled costs: `python -m benchmarks.wes [--polls N]`.

The daemon is a process of its own, polls each second, and is measured by /proc; the WES is another process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from jeedom_bridge.contract import Contract
from tests.support.callback_server import CallbackServer
from tests.support.process import ROOT, DaemonProcess
from tests.support.waiting import until

SETTINGS = {
    "teleinfo": {"tarification": "BBRH", "ticMeasure": "consumption"},
    "compteur": {"typecompt": "elec", "comptMeasure": "consumption"},
    "pince": {"pinceMeasure": "consumption"},
    "sonde": {"sondeMeasure": "temperature"},
}
COUNTS = {
    "teleinfo": 3,
    "compteur": 6,
    "pince": 4,
    "sonde": 30,
    "bouton": 2,
    "switch": 24,
    "analogique": 4,
    "variable": 8,
}


def everything(port: int) -> dict[str, Any]:
    """A connection with every equipment and command."""
    catalogue = Contract(ROOT / "core" / "contract").catalogues["wes"]
    config = {"host": "127.0.0.1", "port": port, "user": "admin", "password": "wes", "pollInterval": 1}
    config.update({"jeedomCgx": True, "screen": True, "supply9v": True})
    keys = {kind: [str(n) for n in range(1, count + 1)] for kind, count in COUNTS.items()}
    keys["relais"] = ["1", "2", *(str(n) for n in range(101, 109))]
    equipment = []
    for kind, numbers in keys.items():
        rows = catalogue.rows(kind, SETTINGS.get(kind, {}), config)
        commands: dict[str, dict[str, Any]] = {row.logical_id: {} for row in rows}
        for key in numbers:
            own = {"type": kind, "key": key, "name": f"{kind} {key}", "config": SETTINGS.get(kind, {})}
            equipment.append({"id": f"{kind}{key}", "commands": commands, **own})
    own_rows: dict[str, dict[str, Any]] = {row.logical_id: {} for row in catalogue.rows(None, config)}
    whole = {"id": "1", "backend": "wes", "name": "Wes", "config": config, "commands": own_rows}
    return {**whole, "equipment": equipment}


def measure(part: float, polls: int, folder: Path) -> dict[str, float]:
    """One case: `part` of the values changes at each poll."""
    command = [sys.executable, "-m", "simulators.wes", "--stir", str(part), "--pause", "0"]
    simulator = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert simulator.stdout is not None
        where = json.loads(simulator.stdout.readline())
        with CallbackServer() as jeedom:
            daemon = DaemonProcess(folder / str(part), jeedom.url, module="jeenergied", loglevel="error").ready()
            try:
                connection = everything(where["port"])
                connection["config"].update(ftpUser="adminftp", ftpPassword="wesftp", ftpPort=where["ftpPort"])
                form = {**connection, "id": "form"}
                daemon.result("run", connection=form, operation="sendCgx", options={})
                daemon.configure(connection)
                return _window(daemon, jeedom, polls)
            finally:
                daemon.stop()
    finally:
        simulator.terminate()
        simulator.wait(10)


def _window(daemon: DaemonProcess, jeedom: CallbackServer, polls: int) -> dict[str, float]:
    def done() -> int:
        return int(daemon.state()["counters"].get("polls", 0))

    until(lambda: done() >= 3, 20, "the first polls")
    time.sleep(0.5)
    first, cpu, requests = done(), _cpu(daemon), jeedom.count
    values = _values(jeedom)
    time.sleep(polls)
    used = _cpu(daemon) - cpu
    count = done() - first
    sent = _values(jeedom) - values
    return {
        "polls": count,
        "cpuPerPoll_ms": round(used / count * 1000, 2),
        "valuesPerPoll": round(sent / count, 1),
        "callbacksPerPoll": round((jeedom.count - requests) / count, 2),
        "rss_MiB": round(daemon.rss(), 1),
        "threads": daemon.threads(),
    }


def _cpu(daemon: DaemonProcess) -> float:
    """Seconds, to the microsecond: the threads of a daemon at work do not end."""
    tasks = Path(f"/proc/{daemon.process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def _values(jeedom: CallbackServer) -> int:
    return sum(len(event["values"]) for event in list(jeedom.applied) if event["event"] == "values")


def main() -> None:
    """All cases."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wes", description=__doc__)
    parser.add_argument("--polls", type=int, default=40)
    parser.add_argument("--part", type=float, action="append", help="share of the values that changes per poll")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for part in options.part or (0.0, 0.1, 1.0):
            print(f"{part:4.0%} changes:", json.dumps(measure(part, options.polls, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
