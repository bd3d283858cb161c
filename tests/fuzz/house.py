"""The house: what Jeedom, the user and the disk hand it, and the files of scenarios."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

from jeenergied.actions import Order, Outcome, Result
from jeenergied.connections.supervisor import with_defaults
from jeenergied.devices.base import Connection, Equipment, Refused
from jeenergied.house import HouseDevice
from jeenergied.house_hub import HouseHub
from jeenergied.readings import Board, Measure, Slot

from jeedom_bridge.contract import ContractError
from jeedom_bridge.json_reader import loads
from tests.support.fuzz import CONTRACT, ROOT, Endpoint, Seen, Witness, every_command
from tests.support.mutations import Answer, answer_of
from tools import play_scenario

NOW = 1_780_000_000.0
DAY_S = 86400
PAGE_SPAN = (int(NOW) - 86400, int(NOW))
GRID, SUN, CAR = Measure("grid.power"), Measure("solar.power"), Measure("charger.power")
LIMIT = Measure("charger.current")
KEPT = ("control", "journal")
SETTINGS: dict[str, Any] = {
    "tariff": "hphc", "subscribedPower": 9, "resalePrice": 0.04, "subscription": 200, "co2": 30, "fuse": 40,
    "offPeak": "22:00-06:00", "summerOffPeak": "12:00-17:00", "prices": "HP=0,2065; HC=0.1579",
    "batteryOrder": "car", "sharing": "share", "shedding": "turn",
}  # fmt: skip
POINT: dict[str, Any] = {"rank": 1, "phases": "1", "onPhase": 1, "maxCurrent": 16, "goalDays": [1, 2], "redPeak": True,
    "carLevel": "#9#", "carCapacity": 52.0}  # fmt: skip
LOAD: dict[str, Any] = {
    "power": 2400, "rank": 2, "start": "solar", "leastOn": 5, "leastOff": 5, "leastPerDay": 60, "mostPerDay": 600,
    "by": "6:30", "critical": True, "temperature": "#7#", "setpoint": "#8#", "onCommand": "#5#", "offCommand": "#6#",
}  # fmt: skip
SOURCE: dict[str, Any] = {"command": "#77#", "quantity": "solar.power", "unit": "kilo"}
KINDS = {"home": {}, "chargePoint": POINT, "load": LOAD, "source": SOURCE}


def definition() -> dict[str, Any]:
    """A connection as the socket brings it."""
    members = [
        {"id": str(20 + n), "type": kind, "key": str(2 + n), "name": kind, "config": config,
         "commands": every_command("house", kind)}
        for n, (kind, config) in enumerate(KINDS.items())
    ]  # fmt: skip
    return {"id": "10", "backend": "house", "name": "Maison", "config": SETTINGS, "commands": {}, "equipment": members}


class Obeying:
    """Actions that all succeed at once."""

    def begin(self, order: Order) -> Any:
        assert order.value is None or order.value == 0 or 6 <= float(order.value) <= 32, order
        outcome = Outcome(Result.PROVED)
        return SimpleNamespace(over=True, outcome=lambda: outcome, when_over=lambda _call: None)

    def hurry(self, equipment: str, period_s: float) -> None:
        """The readings of these samples come as the test puts them."""


class World:
    """A house with a meter, a roof and a charger, for three samples."""

    def __init__(self, given: Mapping[str, Any], memory: Mapping[str, Any] | None = None) -> None:
        self.context = Witness(CONTRACT.catalogues["house"], NOW)
        self.context.memory.update(memory or {})
        self.folder = tempfile.TemporaryDirectory()
        board = Board(self.context.clock)
        board.adopt("1", {"2": {GRID: Slot("net", "net"), SUN: Slot("sun", "sun")}})
        board.adopt("3", {"3": {CAR: Slot("power", "power"), LIMIT: Slot("limit", "limit")}})
        self.board = board
        self.hub = HouseHub(board, Path(self.folder.name), ROOT / "core" / "contract")
        self.hub.actions = Obeying()  # type: ignore[assignment]
        self.device = self._device(self._connection(given))
        self.context.seen = Seen()

    def _connection(self, given: Mapping[str, Any]) -> Connection:
        members = tuple(
            Equipment(each["id"], each["type"], each["key"], each["name"], each["config"], each["commands"])
            for each in given["equipment"]
        )
        catalogue = self.context.catalogue
        return with_defaults(Connection("10", "house", "Maison", given["config"], {}, members), catalogue)

    def _device(self, connection: Connection) -> HouseDevice:
        made = self.hub.device_class("house")
        assert made is not None
        device = made(self.context.adopt(connection), self.context)  # type: ignore[arg-type]
        assert isinstance(device, HouseDevice)
        return device

    def __enter__(self) -> World:
        self.device.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.device.stop()
        self.folder.cleanup()

    def filled(self, page: dict[str, Any]) -> None:
        """A page of Jeedom's history comes for what was asked; its own span counts only where it was spoilt."""
        asked: list[dict[str, Any]] = []
        self.context.ask_past = asked.append  # type: ignore[method-assign]
        past = self.device._past
        past.fill()
        self.context.clock.advance(1000.0)
        self.live(2)
        past.fill()
        if asked and (page["begin"], page["end"]) == PAGE_SPAN:
            page.update(asked[-1])
        self.hub.take_past(page)
        for _ in range(3):
            past.fill()

    def live(self, samples: int = 3) -> Seen:
        """Some seconds of sun."""
        for n in range(samples):
            self.board.put("2", {GRID: 300.0 - 100 * n, SUN: 2000.0})
            self.board.put("3", {CAR: 0.0, LIMIT: 0.0})
            self.context.clock.advance(5.0)
            self.device.refresh()
        return self.context.seen


def refused(error: object) -> Refused:
    """A refusal as the socket tells it."""
    return Refused("Prix ou heures illisibles : « {error} »", error=str(error)[:100])


def message(answer: Answer, command: str) -> dict[str, Any]:
    """A message of the socket as its reader and its schema let it through."""
    try:
        found = loads(answer.body)
        if not isinstance(found, dict) or found.get("cmd") != command:
            raise ValueError("another message")
        CONTRACT.validate("socket", found, command)
    except (ValueError, ContractError) as error:
        raise refused(error) from error
    return found


def ask(command: str, carry_out: Callable[[World, dict[str, Any]], object]) -> Callable[[Answer], Seen]:
    """A command of the socket to a house that runs."""

    def carried(answer: Answer) -> Seen:
        given = message(answer, command)
        with World(definition()) as world:
            world.live(1)
            json.dumps(carry_out(world, given), allow_nan=False)
            return world.live()

    return carried


def settings(answer: Answer) -> Seen:
    given = message(answer, "configure")["connections"]
    if not given or given[0]["backend"] != "house":
        return Seen()
    first = {"config": {}, "equipment": [], **given[0]}
    first["equipment"] = [
        {"name": "", **each, "id": str(each["id"]), "config": each.get("config") or {},
         "commands": every_command("house", each["type"])}
        for each in first["equipment"] or [] if each["type"] in KINDS
    ]  # fmt: skip
    first["config"] = first["config"] or {}
    with World(first) as world:
        world.hub.take([{"source": "77", "value": 1.5}], NOW)
        return world.live()


def kept(answer: Answer) -> Seen:
    try:
        found = loads(answer.body)
    except ValueError as error:
        raise refused(error) from error
    with World(definition(), found if isinstance(found, dict) else dict.fromkeys(KEPT, found)) as world:
        world.device.journal("", 100)
        seen = world.live()
        json.dumps(world.device.outlook("21"), allow_nan=False)
        return seen


def prices(answer: Answer) -> Seen:
    with World(definition()) as world:
        (world.hub.folder / "tariffs.json").write_bytes(answer.body)
        world.device.stop()
        before = logging.root.manager.disable
        logging.disable(logging.ERROR)  # that the file is of no use is told there
        try:
            world.device.start()
        finally:
            logging.disable(before)
        return world.live()


def scenario(answer: Answer) -> Seen:
    with contextlib.suppress(ValueError):
        asked = loads(answer.body)
        if isinstance(asked, dict) and isinstance(asked.get("seconds"), (int, float)) and asked["seconds"] > DAY_S:
            return Seen()  # a long day is played for as long as they last
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
        path = Path(folder) / "scenario.json"
        path.write_bytes(answer.body)
        with contextlib.redirect_stderr(io.StringIO()) as told:
            code = play_scenario.main([str(path)])
    if code:
        assert told.getvalue().startswith(str(path))
        raise refused("the file")
    for line in out.getvalue().rstrip("\n").split("\n"):  # a name may hold any other separator
        json.loads(line, parse_constant=lambda text: 1 / 0)
    return Seen()


@cache
def memory() -> dict[str, Any]:
    """What a house keeps that has driven something."""
    with World(definition()) as world:
        world.live(2)
        driving = world.device.driving
        assert driving is not None
        for each, mode in (("21", "solar"), ("22", "auto")):
            driving.pilot.choose(each, mode, NOW, world.context.clock.monotonic())
        driving.pilot.goal("21", percent=80, hour="7:30")
        world.hub.take([{"source": "9", "value": 62.5}], NOW)
        world.live(20)
        world.device.stop()
        found = dict(world.context.memory)
        world.device.start()
    begun = NOW - 7200.0
    found["sessions"] = {"open": {"3": [begun, 5200.0, NOW - 60]}, "over": {"3": [[begun - 9e4, begun - 8e4, 7100.0]]}}
    return found


def endpoints() -> list[Endpoint]:
    rows = [{"at": "2026-06-15T13:00:00+02:00", "import": 1, "export": 1.5, "solar": 5, "charge": 2.5, "discharge": 0}]
    tariff = {"kind": "hphc", "prices": {"hp": 0.2065, "hc": 0.1579}, "hours": ["22:00-06:00"]}
    played = {
        "start": "2026-06-15T12:00:00+02:00", "timezone": "Europe/Paris", "seconds": 300, "sample": 5,
        "house": {"subscribedVA": 9000, "phases": 1, "tariff": tariff}, "solar": [[0, 2000], [60, 3500]],
        "base": [[0, 500]], "battery": {"capacityWh": 10000, "soc": 50, "order": "battery"},
        "chargers": [{"id": "car", "mode": "economic", "maxA": 32, "plugged": [[0, True]],
                      "goal": {"kWh": 2, "by": "2026-06-16T07:30:00+02:00"}}],
        "loads": [{"id": "boiler", "powerW": 2400, "threshold": "economic", "wanted": [[0, False]]}],
        "order": ["car", "boiler"], "events": [[30, {"meter": "stale"}], [70, {"charger": "car", "userSetsA": 16}]],
    }  # fmt: skip
    files = (played, {"rows": rows, "house": {"tariff": tariff}})
    values = [
        {"source": "77", "value": 1.5, "at": "2026-05-28T21:46:40+02:00"},
        {"source": "78", "value": "12"},
        {"source": "9", "value": 62.5},
    ]
    head = {"apikey": "x"}
    configured = {**head, "cmd": "configure", "revision": 1, "language": "fr_FR", "timezone": "Europe/Paris"}
    configured["connections"] = [definition()]
    grid = json.loads((ROOT / "core" / "contract" / "tariffs.json").read_text("utf-8"))
    balances = [
        {**head, "cmd": "balance", "from": "2026-05-01", "to": "2026-05-28", "per": each}
        for each in ("hour", "day", "month", "year")
    ]
    page = {**head, "cmd": "past", "begin": PAGE_SPAN[0], "end": PAGE_SPAN[1], "step": 300, "next": None}
    page["points"] = [[int(NOW) - 3600 * n, 500.0 + n] for n in range(20, 0, -1)]
    pages = [{**page, "equipment": "2", "command": "net"}, {**page, "source": "77", "next": int(NOW) - 600}]
    modes = [("setMode", {"select": "solar"}), ("setGoalEnergy", {"slider": 12}), ("setGoalTime", {"message": "7:30"})]
    modes.append(("setGoalLevel", {"slider": 80}))
    actions = [
        {**head, "cmd": "action", "equipment": "21", "command": name, "options": options} for name, options in modes
    ]
    return [
        Endpoint(
            "house", "values of other plugins", [answer_of({**head, "cmd": "readings", "values": values})],
            ask("readings", lambda world, given: world.hub.take(given["values"], world.context.clock.time())),
        ),
        Endpoint("house", "its settings", [answer_of(configured)], settings),
        Endpoint("house", "what it has kept", [answer_of(memory())], kept),
        Endpoint("house", "the user's own prices", [answer_of(grid)], prices),
        Endpoint(
            "house", "balance", [*map(answer_of, balances)],
            ask("balance", lambda world, given: world.device.balance(given.get("from"), given.get("to"), given["per"])),
        ),
        Endpoint(
            "house", "journal", [answer_of({**head, "cmd": "journal", "since": "2026-05-28T00:00:00Z", "limit": 5})],
            ask("journal", lambda world, given: world.device.journal(given.get("since") or "", given.get("limit", 9))),
        ),
        Endpoint(
            "house", "outlook", [answer_of({**head, "cmd": "outlook", "equipment": "21"})],
            ask("outlook", lambda world, given: world.device.outlook(given["equipment"])),
        ),
        Endpoint(
            "house", "pages of Jeedom's history", [*map(answer_of, pages)],
            ask("past", lambda world, given: world.filled(given)),
        ),
        Endpoint("house", "actions", [*map(answer_of, actions)], ask("action", act)),
        Endpoint("house", "a file of a scenario", [*map(answer_of, files)], scenario),
    ]  # fmt: skip


def act(world: World, given: Mapping[str, Any]) -> object:
    """An action of the charge point, whatever the message names."""
    point = world.device.connection.find("21")
    assert point is not None
    return world.device.act(point, str(given["command"]), given.get("options") or {})
