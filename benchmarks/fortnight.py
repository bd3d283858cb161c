"""Two quiet weeks of all five systems and their house, on a clock moved by hand: `python -m benchmarks.fortnight`.

    --days N     so many days (14)
    --poll S     seconds between two polls of each page of what is local (600)
    --house 0    without the house

Everything of the daemon but its socket and threads runs here: connections, publisher, board, outbox, store and the
house with its book, beside the simulators of the vendors and a Jeedom that takes everything. Nothing is refused. The
charger's stream is open and says nothing, so that its values are read by requests; no load is driven.

Told for each day: what was asked of each vendor, logins, lines of the log by level as Jeedom's default would show them
(info and worse), values and dated measures for Jeedom, the size of what is kept, and what the daemon's own code holds
(`tracemalloc`, allocations made in its files, in the JSON reader and in SQLite's binding).
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
import time
import tracemalloc
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jeenergied.connections.runner import HEARTBEAT_S, Runner
from jeenergied.connections.supervisor import with_defaults
from jeenergied.devices.base import Connection, Equipment
from jeenergied.devices.enphase import device as enphase
from jeenergied.house_hub import HouseHub

from tests.soak.test_soak_month import CHARGER, DAY, Five
from tests.soak.together import LOOK_S
from tests.support.crashing import CONTRACT

ROOT = Path(__file__).resolve().parents[1]
OWN = ("*/jeedom_bridge/*", "*/resources/daemon/*", "*/json/decoder.py", "*/json/encoder.py")


class Lines(logging.Handler):
    """Counts what Jeedom's log would hold at level info."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.counts: Counter[str] = Counter()
        self.texts: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        own = record.name.split(".")[0] in ("jeenergied", "jeedom_bridge")
        if own or record.levelno >= logging.WARNING:
            self.counts[record.levelname] += 1
            self.texts[record.getMessage()[:110]] += 1


def add_house(five: Five, folder: Path) -> None:
    """The house of all that was connected."""
    life = five.life
    catalogue = CONTRACT.catalogues["house"]
    hub = HouseHub(life._services.board, folder, ROOT / "core" / "contract")
    commands: dict[str, Any] = {row.logical_id: {} for row in catalogue.all_rows("home")}
    home = Equipment("home", "home", "home", "Maison", {}, commands)
    config = catalogue.settings({"tariff": "base", "subscribedPower": 9})
    connection = with_defaults(Connection("house", "house", "Maison", config, {"state": {}}, (home,)), catalogue)
    kind = hub.device_class("house")
    assert kind is not None
    runner = Runner(connection, kind, catalogue, life._services)
    runner.publisher.adopt(runner.connection)
    runner.freshness.adopt(runner.connection)
    runner.worker.every("freshness", LOOK_S, runner._watch, first=LOOK_S)
    runner.worker.every("heartbeat", 10 * HEARTBEAT_S, runner._heartbeat, first=HEARTBEAT_S)
    runner.device.start()
    life.runners.append(runner)


class Sent:
    """Counts what Jeedom is told, dated measures apart."""

    def __init__(self, outbox: Any) -> None:
        self.counts: Counter[str] = Counter()
        self._take = outbox.take
        outbox.take = self.take

    def take(self, **more: Any) -> Any:
        batch = self._take(**more)
        for event in map(json.loads, batch.parts if batch is not None else ()):
            self.counts["values"] += len(event.get("values", ()))
            self.counts["states"] += event["event"] == "connection"
        return batch


class Asked:
    """What was asked of the vendors; forgotten by their simulators day by day, so that only the daemon can grow."""

    def __init__(self, five: Five) -> None:
        self.passing, self.known = five.passing["easee"], 0
        self.lists: dict[str, list[Any]] = {
            "Enphase gateway": five.gateway.server.requests,
            "Enlighten": five.enlighten.requests,
            "WES": five.wes.requests,
            "EcoNetatmo": five.netatmo.requests,
            "helloWatt": five.site.visits,
        }

    def take(self) -> dict[str, int]:
        """Requests since the last call."""
        found = {name: len(each) for name, each in self.lists.items()}
        found["Easee"] = sum(self.passing.asked.values()) - self.known
        self.known += found["Easee"]
        for each in self.lists.values():
            each.clear()
        return found


def held() -> float:
    """KiB that the daemon's own code holds."""
    filters = [tracemalloc.Filter(True, pattern) for pattern in OWN]
    taken = tracemalloc.take_snapshot().filter_traces(filters)
    return sum(each.size for each in taken.traces) / 1024


def kept(folder: Path) -> float:
    """KiB on the disk."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 1024


def main() -> None:
    """Lives through the days and prints a row of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--poll", type=float, default=600.0)
    parser.add_argument("--house", type=int, default=1)
    options = parser.parse_args()
    lines = Lines()
    logging.getLogger().addHandler(lines)
    logging.getLogger().setLevel(logging.INFO)
    # Once a minute, the slow pages would be most of the work.
    enphase.SLOW_PERIOD_S = max(options.poll, enphase.SLOW_PERIOD_S)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        five = Five(stack, folder, 1, options.poll)
        if options.house:
            add_house(five, folder)
        five.refuse(0.0)
        asked, life, sent = Asked(five), five.life, Sent(five.life.outbox)
        tracemalloc.start()
        before: dict[str, int] = {}
        words: list[str] = []
        for day in range(1, options.days + 1):
            begun = time.process_time()
            for _ in range(4):
                charger = five.easee.chargers[CHARGER]
                charger.set(124, round(float(charger.get(124)) + 1.25, 2))
                life.live(DAY / 4)
            logins = five.logins()
            told = {name: count - before.get(name, 0) for name, count in logins.items()}
            before = logins
            counts, texts = dict(lines.counts), lines.texts.most_common(6)
            points = sum(map(len, life.history.values()))
            lines.counts.clear()
            lines.texts.clear()
            print(
                f"day {day}: asked {asked.take()}, logins {told}, log {counts}, "
                f"told {dict(sent.counts)}, measures {points} in all, kept {kept(folder):.0f} KiB, "
                f"held {held():.0f} KiB, "
                f"{time.process_time() - begun:.0f} s",
                flush=True,
            )
            sent.counts.clear()
            words += life.words()
            life.told.clear()  # it is no part of the daemon, and made of what its files have read
            for text, number in texts:
                print(f"    {number} x {text}", flush=True)
        print("words for the user:", words, "wrong:", five.wrong())


if __name__ == "__main__":
    main()
