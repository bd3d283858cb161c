"""What the two accounts cost that are read a few times a day: an import, the rest of the day, requests of a day."""

from __future__ import annotations

import io
import tempfile
import time
from contextlib import ExitStack, redirect_stdout
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.lab import ROOT, in_lab, online, started
from benchmarks.table import Bench
from jeedom_bridge import Contract
from jeedom_bridge.clock import ManualClock
from simulators.econetatmo.cloud import NetatmoCloud
from simulators.econetatmo.homes import FOREIGN
from simulators.econetatmo.model import Ecometer, Home
from simulators.hellowatt import Customer, HelloWattSite, TempoService
from simulators.hellowatt import Home as HelloWattHome
from simulators.hellowatt.__main__ import example_homes
from tests.econetatmo.world import World
from tests.hellowatt.harness import EMAIL, PASSWORD, at
from tests.hellowatt.harness import Bench as Simulated
from tests.support.process import Lab

NAMES = ("Chauffage", "Chauffe-eau", "Prises", "Cuisine", "Véhicule", "Total", "Gaz")


def account() -> Home:
    """A house with an ecometer of five lines, its total and gas, on a peak and off-peak contract."""
    ecometer = Ecometer("00:04:74:aa:bb:cc", lines=dict(enumerate(NAMES)), fluids="fluid")
    contracts = [(0.0, "peak_and_off_peak")]
    return Home("64b0aa11bb22cc33dd44ee55", ecometers=[ecometer], contracts=contracts, foreign=FOREIGN)


def everything(backend: str, daemon: Any, config: dict[str, Any], identifier: str = "1") -> dict[str, Any]:
    """A connection with all equipment and commands, those as well that wait for data."""
    catalogue = Contract(ROOT / "core" / "contract").catalogues[backend]
    connection = {"id": identifier, "backend": backend, "name": backend, "config": config, "commands": {"state": {}}}
    found = daemon.result("discover", connection=connection)["equipment"]
    equipment = [
        {
            **{key: each[key] for key in ("type", "key", "name", "config")},
            "id": f"{identifier}{number}",
            "commands": {row.logical_id: {} for row in catalogue.rows(each["type"], each["config"], config)},
        }
        for number, each in enumerate(found)
    ]
    return {**connection, "equipment": equipment}


def imported(bench: Bench, lab: Lab, backend: str, config: dict[str, Any], requests: Any, baseline: str = "") -> None:
    """The first reading, from `configure` until nothing has come for 15 s; then the silence after it."""
    daemon = started(lab, name=backend)
    connection = everything(backend, daemon, config)
    before, begun, asked, sent = daemon.cpu(), time.monotonic(), requests(), lab.server.count
    daemon.configure(connection)
    online(daemon)
    last, seen = time.monotonic(), -1
    while time.monotonic() - last < 15 and time.monotonic() - begun < 240:
        if lab.server.count != seen:
            last, seen = time.monotonic(), lab.server.count
        time.sleep(0.1)
    cpu = daemon.cpu() - before
    points = sum(len(event["points"]) for event in lab.server.of("history"))
    bench.row(
        f"{backend}, first reading: daemon's CPU, requests to the service, to Jeedom",
        f"{points} measures in {last - begun:.1f} s, {cpu * 1e3:.0f} ms ({cpu / max(1, points) * 1e6:.0f} us each), "
        f"{requests() - asked}, {lab.server.count - sent}",
        baseline,
    )
    before, begun = daemon.cpu(), time.monotonic()
    time.sleep(bench.seconds(60))
    share = (daemon.cpu() - before) / (time.monotonic() - begun)
    bench.row(
        f"{backend}, between readings: share of a core, resident, threads",
        f"{share * 100:.4f} %, {daemon.rss():.1f} MiB, {daemon.threads()}",
    )
    daemon.stop()


@in_lab
def econetatmo(bench: Bench, lab: Lab) -> None:
    """A simulated account of seven lines."""
    with NetatmoCloud([account()]) as cloud:
        config = {"clientId": cloud.authority.client_id, "clientSecret": cloud.authority.client_secret}
        config.update(refreshToken=cloud.authority.generate().refresh, apiUrl=cloud.url)
        imported(bench, lab, "econetatmo", config, lambda: len(cloud.requests))
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(io.StringIO()))  # its log
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        world = stack.enter_context(World(Path(folder), [account()]))
        connection = world.connect()
        world.launch()
        world.ready(connection, 7)
        before = len(world.cloud.requests)
        world.step(300, 288)
        asked = len(world.cloud.requests) - before
    bench.row(
        "econetatmo, seven lines: requests to the service in a day (simulated clock)",
        str(asked),
        "1008 with one counter of each line, 8064 with eight",
    )


@in_lab
def hellowatt(bench: Bench, lab: Lab) -> None:
    """A simulated account of a house with gas and a flat, with a year of data."""
    customer = Customer("me@example.org", "Secret-of-the-bench-1", example_homes(1))
    with HelloWattSite([customer]) as site, TempoService() as tempo:
        config = {
            "user": customer.email,
            "password": customer.password,
            "siteUrl": site.url,
            "tempoUrl": tempo.url,
            "rteUrl": "",
        }
        imported(bench, lab, "hellowatt", config, lambda: len(site.asked()))
    clock = ManualClock(at("2026-03-10 12:00"))
    homes = [HelloWattHome(502113, "99000000000417", "99000000000888", date(2026, 3, 10) - timedelta(days=30))]
    kinds = [("electricity", "502113"), ("gas", "502113")]
    with ExitStack() as stack:
        site = stack.enter_context(HelloWattSite([Customer(EMAIL, PASSWORD, homes)], clock=clock.time))
        tempo = stack.enter_context(TempoService())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(redirect_stdout(io.StringIO()))
        home = stack.enter_context(Simulated(Path(folder), site, clock, kinds, tempo))
        home.start().until("2026-03-12 00:00")
        before = len(site.asked())
        home.until("2026-03-15 00:00")
        asked = (len(site.asked()) - before) / 3
    name = "hellowatt, electricity and gas of one home: requests to the site in a day (simulated clock)"
    bench.row(name, f"{asked:.1f}")
