"""What a polling daemon costs inside a real Jeedom on this machine: `python -m benchmarks.in_jeedom --pid N`.

Run it as root while the daemon polls a simulated gateway that keeps a log (`--log` of the simulator). Processor time is
that of the processes (daemon, web server, database server) between two quiet moments of the poll; statements are the
database's own count, everything else that asks it included. The log level in Jeedom should be "error". At each
changed value the core reads its whole table of events, 250 rows as a rule: fill it (by letting values change for a
few minutes without a page open) before two runs are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

WEB = ("apache2", "nginx", "php-fpm")
DATABASE = ("mariadbd", "mysqld")
_TICK = os.sysconf("SC_CLK_TCK")


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.in_jeedom", description=__doc__)
    parser.add_argument("--pid", type=int, required=True, help="the daemon")
    parser.add_argument("--gateway-log", type=Path, required=True, help="what the simulator keeps")
    parser.add_argument("--page", default="/ivp/meters/readings", help="the request that a poll is told by")
    parser.add_argument("--settle", type=float, default=1.0, help="s after it when Jeedom has finished")
    parser.add_argument("--polls", type=int, default=40)
    return parser.parse_args()


def cpu(pid: int) -> float:
    """CPU seconds of a process so far, its ended and waited-for children included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / _TICK


def cpu_of(names: Iterable[str]) -> float:
    """CPU seconds of all processes of these names; a PHP-FPM pool's name goes on after it."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text().startswith(tuple(names)):
                total += cpu(int(folder.name))
        except OSError:
            pass  # ended meanwhile
    return total


def statements() -> int:
    """What the database server was asked so far."""
    command = ["mariadb", "-N", "-B", "-e", "SHOW GLOBAL STATUS LIKE 'Questions'"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[1])


def polls(options: argparse.Namespace) -> list[float]:
    """When each poll so far was answered (Unix time)."""
    with options.gateway_log.open() as log:
        seen = [json.loads(line) for line in log if line.endswith("\n")]
    return [float(each["end"]) for each in seen if each["path"].startswith(options.page)]


def wait_for(options: argparse.Namespace, count: int) -> None:
    """Until so many polls have been answered and Jeedom has finished with the last."""
    while len(answered := polls(options)) < count:
        time.sleep(0.05)
    time.sleep(max(0.0, answered[count - 1] + options.settle - time.time()))


def snapshot(pid: int) -> dict[str, float]:
    """All counters at this moment."""
    return {
        "daemonCpuMs": 1000 * cpu(pid),
        "webServerCpuMs": 1000 * cpu_of(WEB),
        "databaseCpuMs": 1000 * cpu_of(DATABASE),
        "statements": statements(),
    }


def main() -> None:
    """Prints the figures, per poll."""
    options = parsed()
    first = len(polls(options)) + 1
    wait_for(options, first)
    before, began = snapshot(options.pid), time.time()
    wait_for(options, first + options.polls)
    after = snapshot(options.pid)
    result = {name: round((after[name] - before[name]) / options.polls, 2) for name in before}
    total = sum(value for name, value in result.items() if name.endswith("CpuMs"))
    seconds = (time.time() - began) / options.polls
    print(
        json.dumps({"polls": options.polls, "secondsPerPoll": round(seconds, 3), **result, "allCpuMs": round(total, 2)})
    )


if __name__ == "__main__":
    main()
