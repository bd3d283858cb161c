"""`python -m benchmarks.enphase --folder RECORDED --python PYTHON`: what one poll of a gateway costs the daemon.

A recorded gateway whose values all move at each request, the real daemon in a process of its own, and the stand-in
Jeedom, which takes values at once: the figures are the daemon's and the wire's, without PHP and the database.

A poll is one request of the meters' readings; its latency runs from the arrival of that request at the gateway to the
arrival of the callback at Jeedom.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from simulators.demo.__main__ import free_port, start_daemon, stop
from simulators.enphase import EnphaseGateway, RecordedSource
from simulators.jeedom.standin import JeedomStandIn

READINGS = "/ivp/meters/readings"
PAGES = "/production.json"


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.enphase", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="recorded answers of one gateway")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the daemon")
    parser.add_argument("--period", type=float, default=2.0)
    parser.add_argument("--polls", type=int, default=60)
    parser.add_argument("--warm-up", type=float, default=10.0, help="s until the first figure is taken")
    parser.add_argument("--options", action="store_true", help="with all measures on demand")
    parser.add_argument("--log-level", default="error")
    return parser.parse_args()


def cpu(pid: int) -> float:
    """CPU seconds of a process so far, in nanosecond steps (Linux)."""
    return time.clock_gettime((~pid << 3) | 2)


def status(pid: int, name: str) -> float:
    """A number of /proc/PID/status."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return float(line.split()[1])
    return 0.0


def flags(jeedom: JeedomStandIn) -> list[str]:
    """All measures on demand."""
    fields = jeedom.catalogues.of("enphase")["connection"]["fields"]
    return list(next(field for field in fields if field["key"] == "options")["choices"])


def spread(values: list[float]) -> dict[str, float]:
    """Median and 95th percentile, in ms."""
    ordered = sorted(values)
    at = min(len(ordered) - 1, int(0.95 * len(ordered)))
    return {"median": round(1000 * statistics.median(ordered), 2), "p95": round(1000 * ordered[at], 2)}


def measure(options: argparse.Namespace, gateway: EnphaseGateway, jeedom: JeedomStandIn, pid: int) -> dict[str, Any]:
    """One window of polls."""
    began, spent = time.monotonic(), cpu(pid)
    connections, requests, first = gateway.tls_connections, len(gateway.requests), len(jeedom.deliveries)
    last_event = max((each["id"] for each in jeedom.applied()), default=0)
    time.sleep(options.polls * options.period)
    ended, spent = time.monotonic(), cpu(pid) - spent
    seen = [each for each in list(gateway.requests)[requests:] if each.at <= ended]
    polls = [each.at for each in seen if each.path == READINGS]
    deliveries = [each for each in jeedom.deliveries[first:] if each.at <= ended]
    values = sum(len(each["event"]["values"]) for each in jeedom.applied("values", last_event))
    answers = []
    for begin, end in zip(polls, polls[1:]):
        after = [each.at - begin for each in deliveries if begin <= each.at < end]
        if after:
            answers.append(after[0])
    return {
        "polls": len(polls),
        "secondsPerPoll": round((ended - began) / len(polls), 3),
        "daemonCpuMsPerPoll": round(1000 * spent / len(polls), 2),
        "requestsPerPoll": round(len(seen) / len(polls), 2),
        "newTlsConnections": gateway.tls_connections - connections,
        "mostInFlight": gateway.max_in_flight,
        "callbacksPerPoll": round(len(deliveries) / len(polls), 2),
        "callbackBytesPerPoll": round(sum(each.size for each in deliveries) / len(polls)),
        "changedValuesPerPoll": round(values / len(polls), 1),
        "requestToCallbackMs": spread(answers),
        "daemonMiB": round(status(pid, "VmRSS") / 1024, 1),
        "daemonThreads": int(status(pid, "Threads")),
    }


def main() -> int:
    """Prints the figures."""
    options = parsed()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jeenergie-bench-")))
        gateway = stack.enter_context(EnphaseGateway(RecordedSource(options.folder, moving=True)))
        jeedom = stack.enter_context(JeedomStandIn())
        config = {"host": "127.0.0.1", "port": gateway.port, "tokenMode": "manual", "token": gateway.token()}
        config.update({"phases": "tri", "pollInterval": options.period})
        if options.options:
            config["options"] = flags(jeedom)
        connection = jeedom.add_connection("enphase", config, "Toiture")
        jeedom.daemon_port = free_port()
        daemon = start_daemon(options.python, jeedom, folder, options.log_level)
        stack.callback(stop, daemon)
        jeedom.wait(lambda: jeedom.database.children(connection), 20.0)
        time.sleep(options.warm_up)
        result = measure(options, gateway, jeedom, daemon.pid)
        commands = sum(len(jeedom.values(child["id"])) for child in jeedom.database.children(connection))
        print(json.dumps({"folder": options.folder.name, "commands": commands, **result}, indent=2))
        print((folder / "jeenergie_daemon.log").read_text()[-500:], file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
