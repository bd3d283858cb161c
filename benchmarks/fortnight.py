"""Two weeks of all five systems and their house, on a clock moved by hand: `python -m benchmarks.fortnight`.

    --days N         so many days (14)
    --poll S         seconds between two polls of each page of what is local (600)
    --house 0        without the house
    --cars 3,6,...   days on which a car comes at ten and charges from the sun until four (3,6,9,12,13)
    --idle S         seconds after which the house looks without news (5, as it does by itself, or 30)

Everything of the daemon but its socket and threads runs here: connections, publisher, board, actions, outbox, store
and the house with its book and its control, beside the simulators of the vendors and a Jeedom that takes everything.
Nothing is refused. The charger's stream is open, and its records are handed over in memory.

Told for each day: what was asked of each vendor, logins, lines of the log by level as Jeedom's default would show them
(info and worse), values and dated measures for Jeedom, what the car took, the size of what is kept, and what the
daemon's objects hold: all that can be reached from its connections, its store, its outbox and its board, but for code
and the simulators.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import math
import re
import sys
import tempfile
import time
import types
from collections import Counter
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Callable

from jeenergied import house
from jeenergied.actions import Actions
from jeenergied.connections.runner import HEARTBEAT_S, Runner
from jeenergied.connections.supervisor import with_defaults
from jeenergied.devices.base import Connection, Equipment
from jeenergied.devices.enphase import device as enphase
from jeenergied.devices.enphase.gateway import endpoint_choice
from jeenergied.house_hub import HouseHub
from jeenergied.texts import Texts

from simulators.easee.charger import DISCONNECTED
from simulators.house import Truth
from tests.enphase.harness import READINGS, reading
from tests.hellowatt.harness import PARIS
from tests.soak.test_soak_month import CHARGER, Five
from tests.soak.together import LOOK_S
from tests.support.crashing import CONTRACT, CORE

ROOT = Path(__file__).resolve().parents[1]
CODE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.CodeType, logging.Logger)
CLEAR_W, BASE_W = 5000.0, 400.0
"""What the roof gives at noon of a clear day, and what the house uses beside its car."""
CAR_A = 32.0
COMES, GOES = 10, 16
"""Hours between which the car is there, on its days."""
POINT, STEP_S = "point", 3600.0
LIFETIME_KWH = 124


class Roof:
    """The gateway's meters: a sun that clouds pass, and a house whose car draws what the charger says."""

    def __init__(self, five: Five) -> None:
        self._clock = five.clock.time
        self.truth = Truth(cars=[five.easee.chargers[CHARGER]])
        self._at = self._clock()
        self.produced, self.imported, self.exported = 9_000_000.0, 4_000_000.0, 5_000_000.0
        five.gateway.source.pages[READINGS] = self._page  # type: ignore[attr-defined]

    def sun(self) -> float:
        """W of now: clouds for five minutes in each half hour of every other day."""
        now = datetime.fromtimestamp(self._clock(), PARIS)
        height = math.sin((now.hour + now.minute / 60 - 7) / 12 * math.pi)
        clouds = now.day % 2 and now.minute % 30 >= 25
        return round(max(0.0, height) * CLEAR_W * (0.4 if clouds else 1.0), 1)

    def pass_time(self) -> tuple[float, float]:
        """Counts until now; W of the roof and of the grid."""
        now, sun = self._clock(), self.sun()
        grid = BASE_W + self.truth.drawn() - sun
        hours, self._at = (now - self._at) / 3600, now
        self.produced += sun * hours
        self.imported += max(grid, 0.0) * hours
        self.exported += max(-grid, 0.0) * hours
        return sun, grid

    def _page(self, now: float) -> list[dict[str, Any]]:
        sun, grid = self.pass_time()
        return [
            reading("production", now, sun, self.produced, 400.0),
            reading("net-consumption", now, grid, self.imported, self.exported),
        ]


class Here:
    """A connection as actions see it; what would have a thread of its own is done at once, in this one."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)

    def call_aside(self, task: Callable[[], Any]) -> Future[Any]:
        """See Owner."""
        future: Future[Any] = Future()
        try:
            future.set_result(task())
        except Exception as error:
            future.set_exception(error)
        return future


class Fortnight(Five):
    """The five systems with a house, and a car that comes and goes."""

    def __init__(self, stack: ExitStack, folder: Path, poll_s: float) -> None:
        super().__init__(stack, folder, 1, poll_s)
        self.refuse(0.0)
        self.folder = folder
        self.roof = Roof(self)
        self.charger = self.easee.chargers[CHARGER]
        self.charger.phases, self.charger.command_mode = 1, "early"
        self.easee._life = True
        device = self._runner("easee").device
        self.easee.hub.invoke = lambda _serial, target, record: device.invoked(target, [record])  # type: ignore[method-assign]
        device.subscribed(CHARGER, None)  # type: ignore[attr-defined]
        for observed in self.charger.observed.values():
            self.easee.hub.observed(self.charger, observed)
        worked, drain = self.life.outbox, self.life._drain
        assert worked is not None

        def and_tasks() -> None:
            drain()
            self._tasks()
            self.easee.beat()

        self.life._drain = and_tasks  # type: ignore[method-assign]

    def _runner(self, connection: str) -> Runner:
        return next(each for each in self.life.runners if each.connection.id == connection)

    def _tasks(self) -> None:
        """What waits for the threads of the connections, which are not there."""
        for runner in self.life.runners:
            while runner.worker._tasks:
                runner.worker._run_task(*runner.worker._tasks.popleft())

    def _owner(self, equipment: str) -> tuple[Any, Equipment]:
        for runner in self.life.runners:
            found = runner.connection.find(equipment)
            if found is not None:
                return Here(runner), found
        raise LookupError(equipment)

    def add_house(self) -> None:
        """The house of all that was connected, which drives the charger."""
        life, catalogue = self.life, CONTRACT.catalogues["house"]
        hub = HouseHub(life._services.board, self.folder, ROOT / "core" / "contract")
        hub.actions = Actions(self._owner, Texts(CORE / "i18n"), lambda text: text)
        members = []
        for name, kind, key in (("home", "home", "home"), (POINT, "chargePoint", f"easee {CHARGER}")):
            commands: dict[str, Any] = {row.logical_id: {} for row in catalogue.all_rows(kind)}
            members.append(Equipment(name, kind, key, name, {}, commands))
        config = catalogue.settings({"tariff": "base", "subscribedPower": 9})
        connection = Connection("house", "house", "Maison", config, {"state": {}}, tuple(members))
        kind = hub.device_class("house")
        assert kind is not None
        runner = Runner(with_defaults(connection, catalogue), kind, catalogue, life._services)
        runner.publisher.adopt(runner.connection)
        runner.freshness.adopt(runner.connection)
        runner.worker.every("freshness", LOOK_S, runner._watch, first=LOOK_S)
        runner.worker.every("heartbeat", 10 * HEARTBEAT_S, runner._heartbeat, first=HEARTBEAT_S)
        runner.device.start()
        life.runners.append(runner)

    def drive(self, mode: str) -> None:
        """The user chooses how the car is charged."""
        runner = self._runner("house")
        point = runner.connection.find(POINT)
        assert point is not None
        runner.device.act(point, "setMode", {"select": mode})

    def journal(self) -> list[dict[str, Any]]:
        """The newest decisions."""
        found: list[dict[str, Any]] = self._runner("house").device.journal("", 500)  # type: ignore[attr-defined]
        return found

    def day(self, car: bool) -> None:
        """From now to midnight."""
        begun = datetime.fromtimestamp(self.clock.time() + 1, PARIS)
        for hour in range(begun.hour, 24):
            there = self.charger.get(109) != DISCONNECTED
            if car and hour == COMES and not there:
                self.charger.plug(amps=CAR_A)
            elif there and hour >= GOES:
                self.charger.unplug()
            self.life.live(STEP_S)


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
        self.lists: dict[str, list[Any]] = {
            "Enphase gateway": five.gateway.server.requests,
            "Enlighten": five.enlighten.requests,
            "Easee": five.easee.server.requests,
            "WES": five.wes.requests,
            "EcoNetatmo": five.netatmo.requests,
            "helloWatt": five.site.visits,
        }
        self.commands = five.easee.commands

    def take(self) -> dict[str, int]:
        """Requests since the last call."""
        found = {name: len(each) for name, each in self.lists.items()}
        found["orders to the charger"] = len(self.commands)
        for each in (*self.lists.values(), self.commands):
            each.clear()
        return found


def held(five: Fortnight) -> dict[str, float]:
    """KiB that the objects of each part of the daemon hold; what several of them share counts for the first."""
    life = five.life
    seen = {id(each) for each in (life, life.history, life.values, life.told, life.clock, five, CONTRACT)}
    roots = {
        "store": life.store,
        "outbox": life.outbox,
        "masks": life._services.masker,
        **{each.connection.id: each for each in reversed(life.runners)},
        "board": life._services.board,
    }
    return {name: _size(root, seen) / 1024 for name, root in roots.items()}


def _size(root: Any, seen: set[int]) -> int:
    """Bytes of an object and all that only it leads to."""
    found, todo = 0, [root]
    while todo:
        each = todo.pop()
        if id(each) in seen or isinstance(each, CODE) or type(each).__module__.startswith(("simulators.", "tests.")):
            continue
        seen.add(id(each))
        found += sys.getsizeof(each)
        todo += gc.get_referents(each)
    return found


def resident() -> dict[str, float]:
    """MiB of this process: what it has written itself, and in all."""
    told = Path("/proc/self/smaps_rollup").read_text()
    size = {name: int(kilobytes) / 1024 for name, kilobytes in re.findall(r"^(\w+): +(\d+) kB", told, re.M)}
    return {"written": round(size["Anonymous"], 1), "resident": round(size["Rss"], 1)}


def kept(folder: Path) -> float:
    """KiB on the disk."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 1024


def main() -> None:
    """Lives through the days and prints a row of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--poll", type=float, default=600.0)
    parser.add_argument("--house", type=int, default=1)
    parser.add_argument("--cars", default="3,6,9,12,13")
    parser.add_argument("--idle", type=float, default=30.0)
    options = parser.parse_args()
    cars = {int(each) for each in options.cars.split(",") if each} if options.house else set()
    lines = Lines()
    logging.getLogger().addHandler(lines)
    logging.getLogger().setLevel(logging.INFO)
    # Once a minute, the slow pages would be most of the work.
    enphase.SLOW_PERIOD_S = max(options.poll, enphase.SLOW_PERIOD_S)
    house.IDLE_S = options.idle
    endpoint_choice.BATTERY_PERIOD_S = max(options.poll, endpoint_choice.BATTERY_PERIOD_S)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        five = Fortnight(stack, folder, options.poll)
        if options.house:
            five.add_house()
        asked, life, sent = Asked(five), five.life, Sent(five.life.outbox)
        easee = rotations = 0
        words: list[str] = []
        for day in range(1, options.days + 1):
            begun, energy = time.process_time(), five.charger._life
            five.day(day in cars)
            if day == 1 and cars:
                five.drive("solar")
            logins = {**five.logins(), "easee": five.easee.accounts.logins - easee}
            easee += logins["easee"]
            logins["econetatmo"], rotations = logins["econetatmo"] - rotations, logins["econetatmo"]
            counts, texts = dict(lines.counts), lines.texts.most_common(50 if day <= 2 or day in cars else 6)
            points = sum(map(len, life.history.values()))
            lines.counts.clear()
            lines.texts.clear()
            sizes = held(five)
            print(
                f"day {day}: asked {asked.take()}, logins {logins}, log {counts}, "
                f"told {dict(sent.counts)}, measures {points} in all, charged {five.charger._life - energy:.2f} kWh, "
                f"kept {kept(folder):.0f} KiB, held {sum(sizes.values()):.0f} KiB "
                f"{ {name: round(size) for name, size in sizes.items()} }, process {resident()} MiB, "
                f"{time.process_time() - begun:.0f} s",
                flush=True,
            )
            sent.counts.clear()
            words += life.words()
            life.told.clear()  # it is no part of the daemon, and made of what its files have read
            for text, number in texts:
                print(f"    {number} x {text}", flush=True)
        if options.house:
            for each in five.journal()[-12:]:
                print("   ", each["at"], each["decision"], each["why"])
        wrong = [each for each in five.wrong() if not each.startswith(("enphase", "('enphase x'"))]
        print("words for the user:", words, "wrong:", wrong)


if __name__ == "__main__":
    main()
