"""What this version costs beside another: `python -m benchmarks.turns <checkout of another version> [options]`.

    --turns N         so many turns of each scene, the two versions in alternation (3)
    --seconds S       how long each is measured (40)
    --only SCENE ...  start, enphase, enphase60, easee, wes, wes0, five, house (the last in this version alone)
    --packages DIR    packages that the other version needs in place of the installed ones (`pip install --target`)

Each scene is a daemon of its own, the real one, beside the simulators and the recording Jeedom of this version. Told
is the least of all turns: what else runs on the machine only adds. Memory in MiB is what the daemon has written itself
(`Anonymous` of smaps_rollup) and what is resident in all; processor time is the daemon's own clock.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Callable

from benchmarks.accounts import account, everything
from benchmarks.bench import READINGS, Timed, enphase
from benchmarks.lab import ROOT
from benchmarks.wes import everything as everything_of_wes
from jeedom_bridge.contract import Contract
from simulators.easee import Account, EaseeCloud
from simulators.econetatmo.cloud import NetatmoCloud
from simulators.hellowatt import Customer, HelloWattSite, TempoService
from simulators.hellowatt import Home as HelloWattHome
from simulators.wes.server import WesServer
from simulators.wes.stir import Stir, full
from tests.support.process import DaemonProcess, Lab
from tests.support.waiting import until

POWER = 120
CHARGER = "EH000001"
Figures = dict[str, float]


class Home:
    """The vendors and a recording Jeedom; connections are made of them one by one."""

    def __init__(self, stack: ExitStack, checkout: Path, packages: str = "") -> None:
        self.stack = stack
        self.lab = stack.enter_context(Lab(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        self.daemon = self._started(checkout, packages)
        self.connections: list[dict[str, Any]] = []
        self.gateways: list[Timed] = []
        self.count: Callable[[], float] = lambda: 0.0
        self.moves: Callable[[], None] = lambda: None

    def _started(self, checkout: Path, packages: str) -> DaemonProcess:
        place = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        (place / "jeedom_bridge").symlink_to(checkout / "jeedom_bridge")
        (place / "jeenergied").symlink_to(checkout / "resources" / "daemon")
        # As in Jeedom, compiled modules are kept: to compile them anew costs time, and memory that stays.
        prefix = ("env", "-C", str(place), "-u", "PYTHONDONTWRITEBYTECODE", f"PYTHONPATH={packages}")
        if checkout == ROOT:
            prefix += ("MALLOC_ARENA_MAX=2",)  # as core/src/Daemon/Launcher.php starts it
        return self.lab.daemon(module="jeenergied", loglevel="info", prefix=prefix)

    def configure(self) -> None:
        """Connects all that was made so far, and waits until it works."""
        self.daemon.configure(*self.connections)
        wanted = [each["id"] for each in self.connections]
        until(lambda: all(self.daemon.state(each)["state"] == "online" for each in wanted), 60, "all online")

    def enphase(self, interval: float) -> None:
        gateway = self.stack.enter_context(Timed())
        self.gateways.append(gateway)
        self.connections.append(enphase(gateway, "1", 17, interval))
        self.count = lambda: len(gateway.of(READINGS))

    def easee(self) -> None:
        cloud = self.stack.enter_context(EaseeCloud([Account("me@example.org", "Secret-1", (CHARGER,))], life=False))
        cloud.chargers[CHARGER].plug()
        config = {"user": "me@example.org", "password": "Secret-1", "apiUrl": cloud.url, "streamUrl": cloud.stream_url}
        rows = Contract(ROOT / "core" / "contract").catalogues["easee"].all_rows("charger")
        charger = {"id": "20", "type": "charger", "key": CHARGER, "name": "Garage", "config": {}}
        charger["commands"] = {row.logical_id: {} for row in rows}
        connection = {"id": "2", "backend": "easee", "name": "Easee", "config": config, "commands": {"state": {}}}
        self.connections.append({**connection, "equipment": [charger]})
        sent = [0]

        def move() -> None:
            sent[0] += 1
            cloud.chargers[CHARGER].set(POWER, 1 + sent[0] % 500 / 100)

        self.moves, self.count = move, lambda: float(sent[0])

    def wes(self, part: float, interval: float) -> None:
        box = full()
        server = self.stack.enter_context(WesServer(box, life=Stir(box, part)))
        connection = everything_of_wes(server.port)
        connection["config"].update(ftpUser="adminftp", ftpPassword="wesftp", ftpPort=server.ftp.port)
        connection["config"]["pollInterval"] = interval
        self.daemon.result("run", connection={**connection, "id": "form"}, operation="sendCgx", options={})
        self.connections.append({**connection, "id": "3"})
        self.count = lambda: float(self.daemon.state("3")["counters"].get("polls", 0))

    def accounts(self) -> None:
        cloud = self.stack.enter_context(NetatmoCloud([account()]))
        config = {"clientId": cloud.authority.client_id, "clientSecret": cloud.authority.client_secret}
        config.update(refreshToken=cloud.authority.generate().refresh, apiUrl=cloud.url)
        self._account("econetatmo", "4", config)
        homes = [HelloWattHome(502113, "99000000000417", "99000000000888", date(2026, 1, 20))]
        site = self.stack.enter_context(HelloWattSite([Customer("me@example.org", "Secret-of-the-bench-1", homes)]))
        tempo = self.stack.enter_context(TempoService())
        config = {"user": "me@example.org", "password": "Secret-of-the-bench-1", "siteUrl": site.url}
        self._account("hellowatt", "5", {**config, "tempoUrl": tempo.url, "rteUrl": ""})

    def _account(self, backend: str, identifier: str, config: dict[str, Any]) -> None:
        self.connections.append(everything(backend, self.daemon, config, identifier))

    def house(self) -> None:
        """The house of them all, whose car follows the sun."""
        catalogue = Contract(ROOT / "core" / "contract").catalogues["house"]
        members = [("60", "home", "home"), ("61", "chargePoint", "20")]
        connection: dict[str, Any] = {"id": "6", "backend": "house", "name": "Maison", "config": {}, "commands": {}}
        connection["equipment"] = [
            {
                "id": identifier,
                "type": kind,
                "key": key,
                "name": kind,
                "config": {},
                "commands": {row.logical_id: {} for row in catalogue.all_rows(kind)},
            }
            for identifier, kind, key in members
        ]
        self.connections.append(connection)

    def weighed(self) -> Figures:
        """Memory, MiB."""
        told = Path(f"/proc/{self.daemon.process.pid}/smaps_rollup").read_text()
        size = {name: int(kilobytes) / 1024 for name, kilobytes in re.findall(r"^(\w+): +(\d+) kB", told, re.M)}
        return {"written, MiB": size["Anonymous"], "resident, MiB": size["Rss"]}

    def measured(self, seconds: float, each: str) -> Figures:
        """Processor time for each of what is counted, and of a core; memory at the end."""
        cpu, begun, count, sent = self.daemon.cpu(), time.monotonic(), self.count(), self.lab.server.count
        moved = 0
        while time.monotonic() - begun < seconds:
            self.moves()
            moved += 1
            time.sleep(max(0.0, begun + moved - time.monotonic()))
        spent, passed = self.daemon.cpu() - cpu, time.monotonic() - begun
        done = self.count() - count
        found = {"of a core, %": spent / passed * 100, **self.weighed()}
        if each and done:
            found = {
                f"CPU for each {each}, ms": spent / done * 1e3,
                f"requests to Jeedom for each {each}": (self.lab.server.count - sent) / done,
                **found,
            }
        return found


def start(home: Home, _seconds: float) -> Figures:
    """Nothing connected."""
    time.sleep(2)
    return {"CPU to start, ms": home.daemon.cpu() * 1e3, **home.weighed()}


def enphase_2_s(home: Home, seconds: float) -> Figures:
    """One gateway of 17 inverters, every 2 s."""
    home.enphase(2)
    home.configure()
    time.sleep(15)
    return home.measured(seconds, "poll")


def enphase_60_s(home: Home, seconds: float) -> Figures:
    """The same every 60 s, when nearly everything has changed."""
    home.enphase(60)
    home.configure()
    time.sleep(5)
    return home.measured(max(seconds, 180.0), "poll")


def easee(home: Home, seconds: float) -> Figures:
    """One charger, one observation a second."""
    home.easee()
    home.configure()
    time.sleep(15)
    return home.measured(seconds, "observation")


def wes(home: Home, seconds: float) -> Figures:
    """A WES with everything, a tenth of it moving, every 2 s."""
    home.wes(0.1, 2)
    home.configure()
    time.sleep(15)
    return home.measured(seconds, "poll")


def wes_unmoved(home: Home, seconds: float) -> Figures:
    """The same every second, when nothing moves."""
    home.wes(0.0, 1)
    home.configure()
    time.sleep(15)
    return home.measured(seconds, "poll")


def add_all(home: Home) -> None:
    """All five systems, before they are configured."""
    home.wes(0.1, 1)
    home.accounts()
    home.enphase(1)
    home.easee()


def five(home: Home, seconds: float) -> Figures:
    """All five systems, what is local every second, one observation a second."""
    add_all(home)
    home.configure()
    time.sleep(40)
    return home.measured(seconds, "")


def house(home: Home, seconds: float) -> Figures:
    """The same with the house, whose car follows the sun."""
    add_all(home)
    home.house()
    home.configure()
    home.daemon.result("action", equipment="61", command="setMode", options={"select": "solar"})
    time.sleep(40)
    return home.measured(seconds, "")


SCENES: dict[str, Callable[[Home, float], Figures]] = {
    "start": start,
    "enphase": enphase_2_s,
    "enphase60": enphase_60_s,
    "easee": easee,
    "wes": wes,
    "wes0": wes_unmoved,
    "five": five,
    "house": house,
}
ONLY_HERE = ("house",)


@contextmanager
def home_of(checkout: Path, packages: str = "") -> Iterator[Home]:
    """The vendors, Jeedom and the daemon of a checkout, with those packages before the installed ones."""
    with ExitStack() as stack:
        home = Home(stack, checkout, packages)
        yield home
        home.daemon.stop()


def main() -> None:
    """Measures what was asked for and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("--packages", default="", help="a folder of packages that the other version needs")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--only", nargs="+", choices=sorted(SCENES), default=list(SCENES))
    options = parser.parse_args()
    print("| | before | after | ratio |\n|---|---:|---:|---:|", flush=True)
    for name in options.only:
        found: dict[Path, list[Figures]] = {}
        other = options.other.resolve()
        versions = (ROOT,) if name in ONLY_HERE else (other, ROOT)
        for checkout in versions:
            with home_of(checkout, options.packages if checkout == other else ""):
                pass  # compiles what is new
        for _ in range(options.turns):
            for checkout in versions:
                with home_of(checkout, options.packages if checkout == other else "") as home:
                    found.setdefault(checkout, []).append(SCENES[name](home, options.seconds))
        print(f"turns of {name}: {list(found.values())}", file=sys.stderr)
        least = [{key: min(turn[key] for turn in turns) for key in turns[0]} for turns in found.values()]
        for key, after in least[-1].items():
            before = f"{least[0][key]:.2f} | " if len(least) > 1 else " | "
            ratio = f"{after / least[0][key]:.2f}" if len(least) > 1 and least[0][key] else ""
            print(f"| {name}: {key} | {before}{after:.2f} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
