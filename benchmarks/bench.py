"""What the daemon costs and how fast it is, measured on loopback with the simulators.

    python benchmarks/bench.py [--quick] [--markdown] [--only PART ...]

Parts: start, latency, load, socket, connections, values, easee, wes, econetatmo, hellowatt, idle, jeedom. The last one
measures a real Jeedom where JEEDOM_ROOT and JEEDOM_URL name one (inside.py). The whole takes most of an hour;
`--quick` measures for shorter times and takes 17 minutes. The gateway is a recorded one whose values all move at each
request (the recording that the baseline was measured with, where it is there), or else the simulator's own day.

The figures in the last column are those of the plugins that Jeedom users have today, measured inside a real Jeedom
(BASELINE.md of the design documents). Latencies here end at Jeedom's receipt of the request; what Jeedom's core then
takes to apply it (4.8 ms for a request, 3 to 4 ms for each changed value) is its own, whoever sends it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.accounts import econetatmo, hellowatt  # noqa: E402
from benchmarks.inside import inside  # noqa: E402
from benchmarks.lab import discovered, in_lab, online, started  # noqa: E402
from benchmarks.table import Bench, spread  # noqa: E402
from jeedom_bridge import Contract  # noqa: E402
from simulators.easee import Account, EaseeCloud  # noqa: E402
from simulators.enphase.day import DaySource  # noqa: E402
from simulators.enphase.gateway import EnphaseGateway  # noqa: E402
from simulators.enphase.plant import Plant  # noqa: E402
from simulators.enphase.recorded import RecordedSource  # noqa: E402
from simulators.wes.server import WesServer  # noqa: E402
from simulators.wes.stir import Stir, full  # noqa: E402
from tests.support import callback_server as answers  # noqa: E402
from tests.support.process import DaemonProcess, Lab  # noqa: E402
from tests.support.waiting import until  # noqa: E402

RECORDED = ROOT.parent / "shared" / "recorded" / "enphase" / "8.3.1598_collar"
READINGS = "/ivp/meters/readings"


class Timed(EnphaseGateway):
    """A gateway that notes when it answers."""

    def __init__(self) -> None:
        recorded = RECORDED.is_dir()
        plant = Plant(time.time, phases=3, inverters=17, hour=12)
        super().__init__(RecordedSource(RECORDED, moving=True) if recorded else DaySource(plant))
        self.origin = f"recorded {RECORDED.name}" if recorded else "simulated day"
        self.answered: list[tuple[float, str]] = []
        self.news: list[float] = []  # answers with another power than the one before: now and then it sways back
        self._power: Any = None
        answer = self.server.answer

        def timed(request: Any) -> Any:
            response = answer(request)
            self._note(request.path, response)
            return response

        self.server.answer = timed

    def _note(self, path: str, response: Any) -> None:
        if path == READINGS:
            power = json.loads(response.body)[0]["activePower"]
            if power != self._power:
                self.news.append(time.monotonic())
            self._power = power
        self.answered.append((time.monotonic(), path))

    def of(self, path: str) -> list[float]:
        """When a page was answered."""
        return [at for at, asked in self.answered if asked == path]


def enphase(gateway: Timed, identifier: str, inverters: int, interval: float) -> dict[str, Any]:
    """A connection to the gateway, with every command of the catalogue."""
    catalogue = Contract(ROOT / "core" / "contract").catalogues["enphase"]

    def commands(kind: str) -> dict[str, dict[str, Any]]:
        return {row.logical_id: {} for row in catalogue.all_rows(kind)}

    serials = _serials(gateway)[:inverters]
    members = [{"id": f"{identifier}c", "type": "combined", "key": gateway.serial, "commands": commands("combined")}]
    members += [
        {"id": f"{identifier}i{n}", "type": "inverter", "key": serial, "commands": commands("inverter")}
        for n, serial in enumerate(serials)
    ]
    config = {
        "host": "127.0.0.1",
        "port": gateway.port,
        "serial": gateway.serial,
        "phases": "tri",
        "tokenMode": "manual",
        "token": gateway.token(),
        "pollInterval": interval,
    }
    state = {"state": {}}
    return {
        "id": identifier,
        "backend": "enphase",
        "name": f"Gateway {identifier}",
        "config": config,
        "commands": state,
        "equipment": members,
    }


def _serials(gateway: Timed) -> list[str]:
    from simulators.server import Request

    request = Request("GET", "", "/api/v1/production/inverters", {}, {}, b"")
    answer = gateway.source.answer(request.path, request.query, time.time())
    return [str(each["serialNumber"]) for each in json.loads(answer.body)] if answer is not None else []


@in_lab
def start(bench: Bench, lab: Lab) -> None:
    """From the process's start to the first answer, and to Jeedom's knowledge of it."""
    answered, told, resident = [], [], []
    for number in range(5):
        begun = time.monotonic()
        seen = len(lab.server.of("daemon"))
        daemon = lab.launch(name=f"start{number}", loglevel="error")
        lab.server.wait_events("daemon", seen + 1, 20)
        told.append(time.monotonic() - begun)
        daemon.ready()
        answered.append(time.monotonic() - begun)
        resident.append(daemon.rss())
        daemon.stop()
    bench.row("start: process to `started` at Jeedom", spread(told))
    bench.row("start: resident without connections", f"{statistics.median(resident):.1f} MiB", "Easee 28.9 MiB")


@in_lab
def latency(bench: Bench, lab: Lab) -> None:
    """From the gateway's answer to Jeedom's receipt, one gateway, a pause between polls."""
    with Timed() as gateway:
        daemon = started(lab)
        daemon.configure(enphase(gateway, "1", 17, 2))
        wanted = bench.count(40)
        until(lambda: len(gateway.of(READINGS)) > wanted, 4 * wanted, "polls")
        received = [request.at for request in lab.server.requests if "1c" in _equipment(request)]
        taken = [min(at - asked for at in received if at > asked) for asked in gateway.news[2:-1]]
        bench.row(
            f"vendor's answer -> Jeedom's receipt, after a pause ({gateway.origin})",
            spread(taken),
            "Enphase 68 (first value) to 352 ms (last), value in the cache",
        )
    lab.server.requests.clear()
    notes = []
    daemon.configure(lab.connection("1"), revision=2)
    lab.server.wait_for(lambda: lab.server.value("10", "power"))
    for number in range(bench.count(60)):
        time.sleep(0.3)
        daemon.result("action", equipment="10", command="set", options={"slider": 1000 + number})
        lab.server.wait_for(lambda number=number: lab.server.value("10", "power") == 1000 + number)
        notes.append(lab.server.requests[-1].at - lab.reports.of("publish")[-1]["at"])
    bench.row("value in device code -> Jeedom's receipt, after a pause", spread(notes), "Easee median 289, p95 494 ms")


def _equipment(request: Any) -> set[str]:
    return {event.get("equipment", "") for event in request.events}


@in_lab
def load(bench: Bench, lab: Lab) -> None:
    """The same with ten gateways, one poll each second, and a Jeedom that takes 50 ms for each request."""

    def slow(server: Any, request: Any, peer: Any) -> None:
        time.sleep(0.05)
        answers.acknowledge()(server, request, peer)

    lab.server.answer = slow
    gateways = [Timed() for _ in range(10)]
    for gateway in gateways:
        gateway.__enter__()
    try:
        daemon = started(lab)
        daemon.configure(*(enphase(gateway, str(n), 4, 1) for n, gateway in enumerate(gateways)))
        wanted = bench.count(40)
        until(lambda: min(len(gateway.of(READINGS)) for gateway in gateways) > wanted, 4 * wanted, "polls")
        taken = []
        for n, gateway in enumerate(gateways):
            received = [request.at for request in lab.server.requests if f"{n}c" in _equipment(request)]
            asked = gateway.news[5:-2]
            taken += [min((at - each for at in received if at > each), default=9.0) for each in asked]
        bench.row("the same, 10 gateways at 1 s, Jeedom takes 50 ms a request", spread(taken))
        daemon.stop()
    finally:
        for gateway in gateways:
            gateway.__exit__(None, None, None)


@in_lab
def socket_message(bench: Bench, lab: Lab) -> None:
    """From a message of Jeedom to the device's code, and to the vendor's server."""
    daemon = started(lab)
    daemon.configure(lab.connection("1"))
    taken = []
    for number in range(bench.count(400)):
        begun = time.monotonic()
        daemon.result("action", equipment="10", command="set", options={"slider": number})
        taken.append(lab.reports.wait("act", number + 1)[-1]["at"] - begun)
    bench.row("socket message -> device code", spread(taken))
    with Timed() as gateway:
        daemon.configure(enphase(gateway, "1", 0, 3600), revision=2)
        online(daemon)
        time.sleep(3)
        taken = []
        for _ in range(bench.count(100)):
            seen = len(gateway.of(READINGS))
            begun = time.monotonic()
            daemon.result("refresh", connection="1")
            taken.append(gateway.of(READINGS)[seen] - begun)
        bench.row("socket message -> vendor's server (TLS)", spread(taken), "Easee median 240, p95 488 ms")
    with daemon.peer() as peer:
        taken = []
        for _ in range(bench.count(1000)):
            begun = time.monotonic()
            peer.ask("status")
            taken.append(time.monotonic() - begun)
    bench.row("socket message -> answer (`status`)", spread(taken))


@in_lab
def connections(bench: Bench, lab: Lab) -> None:
    """Processor time per poll, and memory."""
    for number, interval, inverters in ((1, 2, 17), (5, 2, 17), (10, 2, 4), (100, 10, 4)):
        with Timed() as gateway:
            daemon = started(lab, name=f"with{number}")
            wanted = [enphase(gateway, str(n), inverters, interval) for n in range(number)]
            daemon.configure(*wanted)
            until(lambda number=number: len(gateway.of(READINGS)) >= 2 * number, 60, "polls")
            time.sleep(3)
            span = bench.seconds(60)
            before, at, polls = daemon.cpu(), time.monotonic(), len(gateway.of(READINGS))
            asked, sent = len(gateway.answered), lab.server.count
            time.sleep(span)
            cpu, passed = daemon.cpu() - before, time.monotonic() - at
            polls = len(gateway.of(READINGS)) - polls
            asked, sent = len(gateway.answered) - asked, lab.server.count - sent
            name = f"{number} gateway{'s' if number > 1 else ''} every {interval} s"
            known = number == 1
            bench.row(
                f"{name}: daemon's CPU per poll",
                f"{cpu / polls * 1e3:.1f} ms ({cpu / passed * 100:.2f} % of a core)",
                "Enphase 20.7 ms" if known else "",
            )
            bench.row(
                f"{name}: resident, threads",
                f"{daemon.rss():.1f} MiB, {daemon.threads()}",
                "Enphase 35.8 MiB, 2" * known,
            )
            tls = gateway.server.tls_connections
            bench.row(
                f"{name}: requests to the gateway, to Jeedom, per poll",
                f"{asked / polls:.2f}, {sent / polls:.2f}; TLS connections since the start: {tls}",
                "Enphase 4 on a new TLS connection, 3" * known,
            )
            daemon.stop()


@in_lab
def values(bench: Bench, lab: Lab) -> None:
    """Requests and processor time for changed and unchanged values."""
    for moving in (True, False):
        daemon = started(lab, name=f"values{moving}")
        connection = lab.connection("1", meters=5, values=40, moving=moving, pollInterval=1)
        daemon.configure({**connection, "commands": {}})
        lab.reports.wait("poll", 3, timeout=10)
        lab.reports.clear()
        before, sent, applied = daemon.cpu(), lab.server.count, len(lab.server.applied)
        time.sleep(bench.seconds(30))
        cpu = daemon.cpu() - before
        polls = len(lab.reports.of("poll"))
        carried = sum(len(event.get("values", {})) for event in lab.server.applied[applied:])
        given = polls * 5 * 43
        word = "changed" if moving else "unchanged"
        sent = lab.server.count - sent
        bench.row(
            f"requests to Jeedom per 1,000 {word} values",
            f"{sent / given * 1000:.1f} ({carried} values carried of {given} given)",
            "Enphase 21 (3 per 140)" if moving else "",
        )
        bench.row(
            f"daemon's CPU per {word} value",
            f"{cpu / given * 1e6:.0f} us",
            "Easee 830 us per observation (20 chargers)" if moving else "",
        )
        daemon.stop()
        lab.reports.clear()


@in_lab
def easee(bench: Bench, lab: Lab) -> None:
    """From an observation at the hub to Jeedom's receipt, and from a message to the cloud."""
    serials = tuple(f"EH{number:06}" for number in range(20))
    for number in (1, 20):
        account = Account("me@example.org", "secret-of-the-bench", serials[:number])
        with EaseeCloud([account], life=False) as cloud:
            daemon = started(lab, name=f"easee{number}")
            config = {"user": account.user, "password": account.password}
            config.update(apiUrl=cloud.url, streamUrl=cloud.stream_url)
            daemon.configure(discovered(daemon, "easee", config))
            online(daemon)
            time.sleep(4)
            if number == 1:
                _easee_latency(bench, lab, cloud, daemon, serials[0])
            before, at = daemon.cpu(), time.monotonic()
            count = 0
            while time.monotonic() - at < bench.seconds(30):
                for serial in serials[:number]:
                    cloud.chargers[serial].set(120, 1 + count % 500 / 100)
                    count += 1
                    time.sleep(1 / number)
            cpu, passed = daemon.cpu() - before, time.monotonic() - at
            word = "charger" if number == 1 else "chargers"
            bench.row(
                f"Easee, {number} {word}, 1 observation/s each: CPU per observation",
                f"{cpu / count * 1e3:.2f} ms ({cpu / passed * 100:.2f} % of a core)",
                "Easee 3.0 ms" if number == 1 else "Easee 0.83 ms (1.61 %)",
            )
            cost = f"{daemon.rss():.1f} MiB, {daemon.threads()}"
            known = "29.1 MiB, 6" if number == 1 else "30.4 MiB, 63"
            bench.row(f"Easee, {number} {word}: resident, threads", cost, f"Easee {known}")
            daemon.stop()


def _easee_latency(bench: Bench, lab: Lab, cloud: EaseeCloud, daemon: DaemonProcess, serial: str) -> None:
    taken = []
    for number in range(bench.count(100)):
        seen = len([event for event in lab.server.of("values") if "power" in event["values"]])
        begun = time.monotonic()
        cloud.chargers[serial].set(120, 1 + number / 100)
        lab.server.wait_for(
            lambda seen=seen: len([e for e in lab.server.of("values") if "power" in e["values"]]) > seen, 5
        )
        taken.append(lab.server.requests[-1].at - begun)
        time.sleep(0.25 + number % 7 / 20)
    bench.row("Easee: observation at the hub -> Jeedom's receipt", spread(taken), "Easee median 289, p95 494 ms")
    taken = []
    for number in range(bench.count(40)):
        seen = len(cloud.requests)
        begun = time.monotonic()
        daemon.ask("action", equipment="10", command="setDynamicChargerCurrent", options={"slider": 10 + number % 5})
        taken.append(next(each.at for each in cloud.requests[seen:] if each.method == "POST") - begun)
    bench.row(
        "Easee: socket message -> the cloud's REST service", spread(taken), "Easee median 240, p95 488 ms (negotiate)"
    )


@in_lab
def wes(bench: Bench, lab: Lab) -> None:
    """A WES with everything connected, all of it moving or nothing."""
    for part in (1.0, 0.0):
        box = full()
        with WesServer(box, life=Stir(box, part)) as server:
            daemon = started(lab, name=f"wes{part}")
            config = {"host": "127.0.0.1", "port": server.port, "user": "admin", "password": "wes"}
            config.update(ftpUser="adminftp", ftpPassword="wesftp", ftpPort=server.ftp.port, pollInterval=5)
            connection = discovered(daemon, "wes", config)
            infos = sum(len(each["commands"]) for each in connection["equipment"])
            daemon.configure(connection)
            online(daemon)
            time.sleep(6)
            before, asked, applied, sent = (
                daemon.cpu(),
                len(server.requests),
                len(lab.server.applied),
                lab.server.count,
            )
            time.sleep(bench.seconds(60))
            cpu = daemon.cpu() - before
            pages = len(server.requests) - asked
            pulls = max(1, round(bench.seconds(60) / 5))
            carried = sum(len(event.get("values", {})) for event in lab.server.applied[applied:])
            what = "everything changes" if part else "nothing changes"
            name = f"WES, {len(connection['equipment'])} equipment, {infos} commands, {what}"
            bench.row(
                f"{name}: daemon's CPU per pull",
                f"{cpu / pulls * 1e3:.1f} ms; {pages / pulls:.1f} pages, {carried / pulls:.0f} values in "
                f"{(lab.server.count - sent) / pulls:.2f} requests to Jeedom",
                "WES 1.2 s in all (PHP and SQL)" if part else "WES 0.14 s in all",
            )
            bench.row(f"{name}: resident, threads", f"{daemon.rss():.1f} MiB, {daemon.threads()}", "WES 56 MiB")
            daemon.stop()


@in_lab
def idle(bench: Bench, lab: Lab) -> None:
    """Nothing to do but one gateway every 30 s."""
    with Timed() as gateway:
        daemon = started(lab)
        daemon.configure(enphase(gateway, "1", 4, 30))
        online(daemon)
        time.sleep(5)
        begun, before = time.monotonic(), daemon.cpu()
        time.sleep(120 if not bench.quick else 60)
        share = (daemon.cpu() - before) / (time.monotonic() - begun)
        bench.row("one gateway every 30 s: share of a core", f"{share * 100:.3f} %", "Easee, no charger, 0.0 to 0.1 %")
        daemon.stop()
    daemon = started(lab, name="empty")
    time.sleep(2)
    before = daemon.cpu()
    time.sleep(bench.seconds(30))
    bench.row("no connection: share of a core", f"{(daemon.cpu() - before) / bench.seconds(30) * 100:.4f} %")


PARTS: dict[str, Callable[[Bench], None]] = {
    "start": start,
    "latency": latency,
    "load": load,
    "socket": socket_message,
    "connections": connections,
    "values": values,
    "easee": easee,
    "wes": wes,
    "econetatmo": econetatmo,
    "hellowatt": hellowatt,
    "idle": idle,
    "jeedom": inside,
}


def main() -> None:
    """Measures what was asked for and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--markdown", action="store_true", help="prints the table for a document")
    parser.add_argument("--only", nargs="+", choices=sorted(PARTS), default=list(PARTS))
    options = parser.parse_args()
    bench = Bench(options.quick)
    threading.current_thread().name = "bench"
    for name in options.only:
        print(f"{name}:", flush=True)
        PARTS[name](bench)
    print()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(bench.markdown() if options.markdown else bench.table())


if __name__ == "__main__":
    main()
