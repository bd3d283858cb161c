"""What the parts of the benchmark share: a daemon as Jeedom starts it, and a connection with all that it offers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Callable

from benchmarks.table import Bench
from jeedom_bridge import Contract
from tests.support.process import DaemonProcess, Lab
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[1]


def started(lab: Lab, *options: str, **more: Any) -> DaemonProcess:
    """A daemon that logs as Jeedom's default makes it log."""
    return lab.daemon(*options, loglevel="error", **more)


def online(daemon: DaemonProcess) -> None:
    """Waits until the connection works."""
    until(lambda: daemon.state()["state"] == "online", 20, "a working connection")


def in_lab(part: Callable[[Bench, Lab], None]) -> Callable[[Bench], None]:
    """Runs a part with a recording Jeedom of its own."""

    def run(bench: Bench) -> None:
        with tempfile.TemporaryDirectory() as directory, Lab(Path(directory)) as lab:
            part(bench, lab)

    return run


def discovered(daemon: DaemonProcess, backend: str, config: dict[str, Any]) -> dict[str, Any]:
    """A connection with everything that it offers, and every command of it."""
    catalogue = Contract(ROOT / "core" / "contract").catalogues[backend]
    connection: dict[str, Any] = {"id": "1", "backend": backend, "name": backend, "config": config}
    connection["commands"] = {row.logical_id: {} for row in catalogue.rows(None, config)}
    found = daemon.result("discover", connection=connection)["equipment"]
    connection["equipment"] = [
        {
            "id": f"1{number}",
            "type": each["type"],
            "key": each["key"],
            "config": each["config"],
            "commands": {row.logical_id: {} for row in catalogue.rows(each["type"], each["config"], config)},
        }
        for number, each in enumerate(found)
    ]
    return connection
