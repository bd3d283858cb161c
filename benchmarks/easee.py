"""What the Easee backend costs and how fast it is: `python -m benchmarks.easee [part ...]`.

Parts: latency, start, load, outage, reconnects. The real daemon as a process, the simulated cloud and a recording
Jeedom in this one; plain HTTP on loopback, so without the cost of TLS.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Callable

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from jeedom_bridge.contract import Contract  # noqa: E402
from simulators.easee import Account, EaseeCloud  # noqa: E402
from simulators.easee.product import Observed  # noqa: E402
from tests.support.callback_server import CallbackServer  # noqa: E402
from tests.support.process import DaemonProcess, Lab  # noqa: E402
from tests.support.waiting import until  # noqa: E402

USER, PASSWORD = "bench@example.org", "a password of some length"
SERIALS = tuple(f"EH{number:06d}" for number in range(1, 21))
POWER, CURRENT = 120, 183


def commands() -> dict[str, Any]:
    """Every command of a charger."""
    rows = Contract(ROOT / "core" / "contract").catalogues["easee"].all_rows("charger")
    return {row.logical_id: {} for row in rows}


def connection(cloud: EaseeCloud, chargers: int) -> dict[str, Any]:
    """An account with so many chargers, as Jeedom sends it."""
    settings = {"user": USER, "password": PASSWORD, "apiUrl": cloud.url, "streamUrl": cloud.stream_url}
    equipment = [
        {"id": f"1{n:02d}", "type": "charger", "key": serial, "name": serial, "config": {}, "commands": commands()}
        for n, serial in enumerate(SERIALS[:chargers])
    ]
    return {
        "id": "1",
        "backend": "easee",
        "name": "Bench",
        "config": settings,
        "commands": {"state": {}},
        "equipment": equipment,
    }


@contextmanager
def scene(
    module: str = "jeenergied", level: str = "info"
) -> Iterator[tuple[EaseeCloud, CallbackServer, DaemonProcess]]:
    """The cloud, Jeedom and a daemon without connections."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        cloud = stack.enter_context(EaseeCloud([Account(USER, PASSWORD, SERIALS)], life=False))
        for charger in cloud.chargers.values():
            charger.plug()  # the power of a charger without a car is 0, whatever it sends
        lab = stack.enter_context(Lab(Path(folder)))
        yield cloud, lab.server, lab.daemon(module=module, loglevel=level)


def settle(cloud: EaseeCloud, server: CallbackServer, chargers: int) -> None:
    """Waits until all chargers have values and nothing more is on its way."""
    server.wait_for(lambda: server.value(f"1{chargers - 1:02d}", "status") is not None, 20)
    until(lambda: cloud.asked("/state") >= chargers, 20)
    time.sleep(12)  # the slowest cadence that moves at the start


def observe(cloud: EaseeCloud, serial: str, observation: int, value: float) -> float:
    """An observation leaves; when."""
    charger = cloud.chargers[serial]
    at = time.monotonic()
    cloud.hub.observed(charger, Observed(observation, 3, str(value), time.time()))
    return at


def latency() -> None:
    """From an observation on the wire to the callback received, 200 at random moments."""
    with scene() as (cloud, server, daemon):
        daemon.configure(connection(cloud, 1))
        settle(cloud, server, 1)
        taken = []
        for number in range(200):
            value = round(1 + number / 100, 2)
            begun = observe(cloud, SERIALS[0], POWER, value)
            server.wait_for(lambda value=value: server.value("100", "power") == value)
            arrived = next(
                each.at
                for each in reversed(server.requests)
                if any(event.get("values", {}).get("power") == value for event in each.events)
            )
            taken.append((arrived - begun) * 1000)
            time.sleep(random.uniform(0.21, 0.5))
        taken.sort()
        print(
            f"latency, 200 observations: median {statistics.median(taken):.1f} ms, mean {statistics.mean(taken):.1f}, "
            f"p95 {taken[189]:.1f}, max {taken[-1]:.1f} (existing plugin: 289, 264, 494, 504)"
        )


def start() -> None:
    """20 chargers from `configure` to the subscription and to the first values; memory and threads."""
    with scene() as (cloud, server, daemon):
        print(f"no charger: {daemon.rss():.1f} MiB, {daemon.threads()} threads")
        daemon.configure(connection(cloud, 1))
        settle(cloud, server, 1)
        print(f"1 charger: {daemon.rss():.1f} MiB, {daemon.threads()} threads")
    with scene() as (cloud, server, daemon):
        begun = time.monotonic()
        daemon.configure(connection(cloud, 20))
        cloud.hub.wait(lambda: len(cloud.hub.subscriptions) == 20, 20)
        subscribed = max(at for at, _ in cloud.hub.subscriptions) - begun
        server.wait_for(lambda: all(server.value(f"1{n:02d}", "status") is not None for n in range(20)), 20)
        shown = time.monotonic() - begun
        print(
            f"20 chargers: subscribed {subscribed * 1000:.0f} ms after configure, all in Jeedom after "
            f"{shown * 1000:.0f} ms (existing plugin: 10,100 ms)"
        )
        settle(cloud, server, 20)
        print(f"20 chargers: {daemon.rss():.1f} MiB, {daemon.threads()} threads (existing plugin: 30.4 MiB, 63)")


def load() -> None:
    """20 chargers, each with one changed observation a second, evenly spread."""
    with scene() as (cloud, server, daemon):
        daemon.configure(connection(cloud, 20))
        settle(cloud, server, 20)
        seconds, sent = 30, 0
        count, cpu, begun = server.count, daemon.cpu(), time.monotonic()
        while time.monotonic() - begun < seconds:
            for number, serial in enumerate(SERIALS):
                observe(cloud, serial, POWER, 1 + (sent % 900) / 100 + number / 1000)
                sent += 1
                time.sleep(max(0.0, begun + sent / 20 - time.monotonic()))
        spent, posts = daemon.cpu() - cpu, server.count - count
        print(
            f"load: {sent} observations in {seconds} s, {spent / sent * 1000:.2f} ms of CPU each "
            f"({spent / seconds * 100:.2f} % of a core), {posts / seconds:.1f} callbacks/s, {daemon.rss():.1f} MiB "
            "(existing plugin: 0.83 ms, 1.61 %, 2/s)"
        )


def outage() -> None:
    """The hub answers 503 for 40 s."""
    with scene() as (cloud, server, daemon):
        daemon.configure(connection(cloud, 20))
        settle(cloud, server, 20)
        threads, memory, tries = daemon.threads(), daemon.rss(), len(cloud.hub.negotiations)
        requests, cpu = len(cloud.requests), daemon.cpu()
        cloud.fault("status", "/negotiate", 503)
        cloud.hub.end_streams("fin")
        time.sleep(40)
        print(
            f"outage of 40 s: {len(cloud.hub.negotiations) - tries} tries, {len(cloud.requests) - requests} other "
            f"requests, {(daemon.cpu() - cpu) / 40 * 100:.2f} % of a core, threads {threads} -> {daemon.threads()}, "
            f"{memory:.1f} -> {daemon.rss():.1f} MiB (existing plugin: 2,846 tries, 11.6 %, 63 -> 723, 47 MiB)"
        )
        cloud.clear()
        begun = time.monotonic()
        cloud.hub.wait(lambda: cloud.hub.streams == 1 and cloud.hub.subscribed(SERIALS[-1]) == 1, 60)
        print(f"  back {time.monotonic() - begun:.1f} s after the outage, streams open: {cloud.hub.streams}")


def reconnects() -> None:
    """1,000 forced reconnections, by every way to end; the pauses and the budget are taken away for it."""
    with scene("benchmarks.hasty_daemon") as (cloud, server, daemon):
        daemon.configure(connection(cloud, 2))
        settle(cloud, server, 2)
        for number in range(1001):
            if number in (0, 50, 500, 1000):
                time.sleep(1)
                print(
                    f"after {number} reconnections: {daemon.threads()} threads, {daemon.descriptors()} descriptors, "
                    f"{daemon.rss():.1f} MiB, {cloud.hub.streams} streams open"
                )
            opened = len(cloud.hub.subscriptions)
            cloud.hub.end_streams(("fin", "close", "rst", "type7")[number % 4])
            cloud.hub.wait(lambda opened=opened: len(cloud.hub.subscriptions) >= opened + 2, 20)


PARTS: dict[str, Callable[[], None]] = {
    "start": start,
    "load": load,
    "latency": latency,
    "outage": outage,
    "reconnects": reconnects,
}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
