"""The house's connection: what it reads of the board and of other plugins, when it looks, what it answers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from jeenergied.devices.base import Connection, Equipment, NoData, Refused
from jeenergied.house import IDLE_S, HouseDevice, momentary, prices_of
from jeenergied.house_hub import HouseHub
from jeenergied.house_pace import EARLY_S, PACE_S, SOON_S
from jeenergied.readings import Board, Measure, Slot

from jeedom_bridge import Contract
from jeedom_bridge.clock import ManualClock
from jeedom_bridge.outbox import Point
from jeedom_bridge.templates import fill

CONTRACT = Contract(Path(__file__).resolve().parents[2] / "core" / "contract")
GRID, SUN, DAY = Measure("grid.power"), Measure("solar.power"), Measure("supply.energy", "day")
HOME = Equipment("11", "home", "home", "Maison", {}, {"housePower": {}, "housePerDay": {}})


class Context:
    """What the core does for the house, kept to be looked at."""

    timezone = "Europe/Paris"
    catalogue = CONTRACT.catalogues["house"]

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.facts: dict[str, Any] = {}
        self.sent: list[Mapping[str, Sequence[Point]]] = []
        self.runs: list[float] = []
        self.asked: list[Mapping[str, Any]] = []
        self.kept: dict[str, Any] = {}
        self.memory = SimpleNamespace(get=lambda key, default=None: self.kept.get(key, default), keep=self.keep)
        self.is_online = False

    def keep(self, key: str, value: Any) -> None:
        self.kept[key] = json.loads(json.dumps(value))

    def every(self, name: str, period: float, job: Callable[[], None], first: float = 0.0) -> Any:
        job()
        return SimpleNamespace(run_in=self.runs.append)

    def publish(self, equipment: str, facts: Mapping[str, Any], at: float | None = None) -> None:
        assert equipment == "11"
        self.facts.update(facts)

    def history(self, equipment: str, series: Mapping[str, Sequence[Point]]) -> Any:
        self.sent.append(series)
        return SimpleNamespace(ended=True, delivered=True)

    def ask_past(self, wanted: Mapping[str, Any]) -> None:
        self.asked.append(wanted)

    def online(self) -> None:
        self.is_online = True

    def translate(self, template: str, **values: object) -> str:
        return fill(template, values)

    def message(self, level: str, template: str, **values: object) -> None:
        raise AssertionError(fill(template, values))


class Rig:
    def __init__(self, folder: Path, *others: Equipment, **config: Any) -> None:
        self.clock = ManualClock()
        self.board = Board(self.clock)
        self.hub = HouseHub(self.board, folder, CONTRACT_FOLDER)
        self.hub.name_of = {"2": "Toit"}.get  # type: ignore[assignment]
        self.board.adopt(
            "1", {"1": {}, "2": {GRID: Slot("net", "net"), SUN: Slot("sun", "sun")}, "3": {DAY: Slot("jour", "jour")}}
        )
        self.board.adopt("10", {"11": {Measure("home.power"): Slot("housePower", "now.house")}})
        self.context = Context(self.clock)
        self.connection = Connection("10", "house", "", config, {}, (HOME, *others))
        self.device = self.make()

    def make(self) -> HouseDevice:
        made = self.hub.device_class("house")
        assert made is not None
        device = made(self.connection, self.context)  # type: ignore[arg-type]
        assert isinstance(device, HouseDevice)
        return device

    def measure(self, grid: float, sun: float) -> None:
        self.board.put("2", {GRID: grid, SUN: sun})
        self.clock.advance(1.0)
        self.device.refresh()


CONTRACT_FOLDER = Path(__file__).resolve().parents[2] / "core" / "contract"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path, tariff="base")
    made.device.start()
    return made


def test_it_shows_what_the_board_measures(rig: Rig) -> None:
    rig.measure(-500.0, 2000.0)
    assert (rig.context.facts["now.house"], rig.context.facts["now.grid"]) == (1500, -500)
    assert rig.context.is_online


def test_a_book_of_a_later_version_is_left_alone_and_the_user_told_what_helps(tmp_path: Path) -> None:
    book = tmp_path / "house.sqlite"
    with closing(sqlite3.connect(book)) as database:
        database.execute("CREATE TABLE slot (start INTEGER PRIMARY KEY, energy TEXT)")
        database.execute("PRAGMA user_version=1")
    written = book.read_bytes()
    device = Rig(tmp_path, tariff="base").device
    for _ in range(2):
        with pytest.raises(Refused, match="version plus récente"):
            device.start()
        device.stop()
    assert book.read_bytes() == written
    assert [each.name for each in tmp_path.iterdir()] == ["house.sqlite"]
    book.rename(tmp_path / "mine.sqlite")
    device.start()
    assert book.exists()


def test_it_looks_at_once_after_a_quiet_time_and_once_a_second_at_most(rig: Rig) -> None:
    rig.clock.advance(10.0)
    rig.board.put("2", {GRID: 1.0})
    assert rig.context.runs.pop() <= 0.1
    rig.device.refresh()
    rig.clock.advance(0.2)
    rig.board.put("2", {GRID: 2.0})
    assert rig.context.runs.pop() == pytest.approx(PACE_S - EARLY_S - 0.2)


def test_a_meter_of_each_second_is_looked_at_right_after_its_readings_wherever_the_first_look_fell(rig: Rig) -> None:
    looks, waits = [], []
    rig.clock.advance(10.0)
    rig.device.refresh()  # a look of its own, half a second before the first reading
    rig.clock.advance(0.5)
    due = float("inf")
    for tenth in range(200):
        now = rig.clock.monotonic()
        if tenth % 10 == 0:
            rig.board.put("2", {GRID: float(tenth)})
            read, due = now, now + rig.context.runs.pop()
        if due <= now + 0.1:
            rig.clock.advance(due - now)
            rig.device.refresh()
            looks.append(due)
            waits.append(due - read)
            due = float("inf")
        rig.clock.advance(now + 0.1 - rig.clock.monotonic())
    assert max(waits[2:]) <= 0.1
    assert len(looks) >= 19
    assert min(b - a for a, b in zip(looks, looks[1:])) >= PACE_S - EARLY_S - 1e-9


def test_amounts_and_parts_of_a_plant_can_wait_for_the_next_look(rig: Rig) -> None:
    rig.clock.advance(10.0)
    rig.device.refresh()
    quick = momentary(rig.hub)
    assert {"grid.power", "charger.plugged", "battery.level", "load.apparentPower"} <= quick
    assert not quick & {"grid.import", "inverter.power", "supply.cost", "home.power", "battery.content"}


def test_more_news_does_not_put_a_look_off(rig: Rig) -> None:
    rig.clock.advance(10.0)
    for number in range(3):
        rig.board.put("2", {GRID: float(number)})
        assert rig.context.runs.pop() == pytest.approx(max(SOON_S - 0.01 * number, 0.0))
        rig.clock.advance(0.01)


def test_a_home_that_is_created_later_gets_every_figure_at_once(rig: Rig) -> None:
    rig.device.connection = replace(rig.connection, equipment=())
    rig.device.changed()
    rig.measure(100.0, 0.0)
    rig.device.connection = rig.connection
    rig.context.facts.clear()
    rig.context.runs.clear()
    rig.device.changed()
    assert rig.context.runs.pop() <= 0.1
    rig.measure(100.0, 0.0)
    assert rig.context.facts["now.base"] == 100


def test_its_own_values_do_not_wake_it_nor_count(rig: Rig) -> None:
    rig.measure(100.0, 0.0)
    rig.context.runs.clear()
    rig.board.put("11", {Measure("home.power"): 100.0})
    assert rig.context.runs == []
    assert {each.source.equipment for each in rig.device.readings()} == {"2"}


def test_a_connection_in_trouble_tells_nothing_of_now(rig: Rig) -> None:
    rig.measure(100.0, 0.0)
    rig.board.report_state("1", "unreachable")
    with pytest.raises(NoData):  # the same word everywhere at once
        rig.device.refresh()
    assert rig.context.facts["now.house"] is None


@pytest.mark.parametrize("period", [1.0, 60.0])
def test_a_meter_that_tells_nothing_for_three_intervals_is_the_state_of_the_house(rig: Rig, period: float) -> None:
    for _ in range(4):
        rig.board.put("2", {GRID: 100.0, SUN: 0.0})
        rig.clock.advance(period)
        rig.device.refresh()
    rig.clock.advance(max(30.0, 3 * period) - period - 0.5)
    rig.device.refresh()
    rig.clock.advance(1.0)
    with pytest.raises(NoData, match="« Toit » n'a plus donné de mesure depuis le") as told:
        rig.device.refresh()
    assert told.value.retry == IDLE_S, "and looks again, since what it switches must not wait"
    rig.measure(100.0, 0.0)


def test_a_pace_that_is_not_known_yet_is_no_silence(rig: Rig) -> None:
    """The first reading of a meter that is asked every ten minutes."""
    rig.measure(100.0, 0.0)
    rig.clock.advance(600.0)
    rig.device.refresh()


def test_ages_survive_a_step_of_the_clock(rig: Rig) -> None:
    rig.measure(100.0, 0.0)
    rig.clock.step(-3600)
    assert all(rig.clock.time() - each.at == pytest.approx(1.0) for each in rig.device.readings())
    rig.clock.step(7200)
    rig.device.refresh()
    assert rig.context.facts["now.house"] == 100


def test_commands_of_other_plugins_take_part(tmp_path: Path) -> None:
    config = {"quantity": "load.power", "command": "#4711#", "unit": "kilo"}
    rig = Rig(tmp_path, Equipment("12", "source", "x", "Ballon", config, {}))
    rig.device.start()
    now = rig.clock.time()
    rig.hub.take(
        [{"source": "4711", "value": "1.5"}, {"source": "9", "value": 7}, {"source": "4711", "value": "x"}], now
    )
    assert rig.context.runs.pop() <= 1.0
    rig.measure(2000.0, 0.0)
    assert rig.context.facts["now.base"] == 500
    rig.hub.take([{"source": "4711", "value": 9, "at": "2001-01-01T00:00:00+00:00"}], now)  # older than what is known
    rig.hub.take([{"source": "4711", "value": 1.0, "at": "nonsense"}], rig.clock.time())
    rig.clock.advance(10.0)
    rig.measure(2000.0, 0.0)
    assert rig.context.facts["now.base"] == 1000


def test_the_gap_of_a_thermostat_is_known_while_it_tells_both_temperatures(tmp_path: Path) -> None:
    config = {"temperature": "#71#", "setpoint": "#72#", "onCommand": "#1#", "offCommand": "#2#", "power": 1500}
    rig = Rig(tmp_path, Equipment("12", "load", "x", "Salon", config, {}))
    now = rig.clock.time()
    rig.hub.take([{"source": "71", "value": "18.5"}], now)
    assert rig.device._gaps() == {}
    rig.hub.take([{"source": "72", "value": 20}], now)
    assert rig.device._gaps() == {"12": 1.5}
    rig.clock.advance(8000.0)
    assert rig.device._gaps() == {}


def test_no_flood_of_sources_fills_the_memory(rig: Rig) -> None:
    rig.hub.take([{"source": str(number), "value": 1} for number in range(2000)], 0.0)
    assert rig.hub.foreign("499") is not None
    assert rig.hub.foreign("1999") is None


def test_dated_measures_of_a_supplier_are_days_and_those_of_lines_are_spans(rig: Rig) -> None:
    midnight = 1_780_264_800.0  # 2026-06-01 00:00 in Paris
    rig.board.history("3", DAY, "jour", [(midnight + 3600, 12_000.0), (midnight + 90000, 9_000.0)])
    line = Measure("load.energy", "measure")
    rig.board.history("2", line, "total", [(0.0, 5.0), (1800.0, 6.0), (99_000.0, 7.0)])
    rig.board.history("11", Measure("home.energy", "day"), "housePerDay", [(midnight, 3.0)])
    found = [(each.source.equipment, each.begin, each.end) for each in rig.device.measures()]
    assert found[:2] == [("3", midnight, midnight + 86400), ("3", midnight + 86400, midnight + 172800)]
    assert found[2:] == [("2", 0, 1800), ("2", 1800, 1800 + 10800), ("2", 99_000, 99_000 + 10800)]
    assert rig.device.measures() == []


def test_one_house_is_enough(rig: Rig) -> None:
    second = rig.make()
    with pytest.raises(Refused, match="existe déjà"):
        second.start()
    rig.device.stop()
    second.start()
    assert rig.hub.running is second


def test_the_balance_says_the_prices_of_gas_and_water_with_their_days(tmp_path: Path) -> None:
    rig = Rig(tmp_path, gasPrice="0,105; 2026-07-01=0,112")
    rig.device.start()
    gas = [("", 0.105), ("2026-07-01", 0.112)]
    assert rig.device.balance(None, None, "day")["fluidPrices"] == {"gas": gas, "water": []}


REFUSED = [{"prices": "hp"}, {"offPeak": "la nuit"}, {"prices": "hp=1e99"}, {"gasPrice": "cher"}, {"waterPrice": "99"}]


@pytest.mark.parametrize("config", REFUSED)
def test_settings_that_are_not_understood_are_refused_in_words(tmp_path: Path, config: dict[str, str]) -> None:
    rig = Rig(tmp_path, **config)
    with pytest.raises(Refused, match="Prix ou heures illisibles"):
        rig.device.start()


def test_the_user_decides_about_a_source(rig: Rig) -> None:
    rig.measure(100.0, 50.0)
    assert rig.device.run("decide", {"source": "2:sun", "decision": "ignored"}) == "C'est noté."
    rig.measure(100.0, 50.0)
    assert rig.context.facts["now.house"] == 100
    roles = {each["quantity"]: each for each in rig.device.roles()}
    assert (roles["solar.power"]["used"], roles["solar.power"]["why"]) == (False, "écarté par vous")
    rig.device.run("decide", {"source": "2:sun", "decision": "none"})
    rig.measure(100.0, 50.0)
    assert rig.context.facts["now.house"] == 150
    with pytest.raises(Refused, match="n'existe plus"):
        rig.device.run("decide", {"source": "2:nothing", "decision": "added"})


def test_what_jeedoms_history_holds_is_asked_for_and_taken_in(tmp_path: Path) -> None:
    config = {"quantity": "load.energy", "command": "#4711#", "unit": "kilo"}
    rig = Rig(tmp_path, Equipment("12", "source", "x", "Ballon", config, {}), tariff="base")
    rig.hub.factor_of = lambda equipment, command: 1000.0 if equipment == "2" else 1.0
    rig.device = rig.make()
    rig.device.start()
    began = rig.clock.time()
    rig.hub.take([{"source": "4711", "value": 100.0}], began)
    rig.measure(2000.0, 0.0)
    rig.device._past.fill()
    assert rig.context.asked == []  # the roles are not all known yet
    rig.clock.advance(901.0)
    hour = (began // 3600 - 30) * 3600
    past = {
        "2:net": [(hour + 1800 + 3600 * n, 2.0) for n in range(24)],
        "2:sun": [(hour + 1800 + 3600 * n, 0.0) for n in range(24)],
        "4711": [(hour + 3599 + 3600 * n, 90.0 + 0.5 * n) for n in range(24)],
    }
    rig.hub.take([{"source": "4711", "value": 101.5}], rig.clock.time())
    rig.measure(2000.0, 0.0)
    rig.device._past.fill()
    for _ in range(50):
        if not rig.context.asked:
            break
        asked = rig.context.asked.pop()
        points = past[asked.get("source") or f"{asked['equipment']}:{asked['command']}"]
        told = [[int(at), value] for at, value in points if asked["begin"] <= at < asked["end"]]
        after = [int(at) for at, _ in points if at >= asked["end"]]
        rig.hub.take_past({**asked, "points": told, "next": min(after, default=None), "step": 3600})
        for _ in range(4):
            rig.device._past.fill()
    found = rig.device.balance(None, None, "year")["total"]
    assert found["import"] == pytest.approx(48.0, rel=0.02)
    assert found["reconstructed"] > 90
    assert rig.device.run("fill", {}).startswith("L'historique")
    rig.device._past.fill()
    assert rig.context.asked


def test_contracts_are_compared_in_words(rig: Rig) -> None:
    rig.measure(100.0, 0.0)
    assert "tempo : le prix de 0 % n'est pas connu" in rig.device.run("compare", {})


def test_the_users_own_prices_count_and_a_broken_file_is_no_harm(tmp_path: Path) -> None:
    own = {"offers": [{"kind": "base", "since": "2026-03-01", "prices": {"base": 0.5}, "source": "mine"}]}
    (tmp_path / "tariffs.json").write_text(json.dumps(own))
    hub = HouseHub(Board(ManualClock()), tmp_path, CONTRACT_FOLDER)
    found = prices_of(hub).offer("base", 6, date(2026, 6, 1))
    assert found is not None
    assert found.prices == {"base": 0.5}
    for broken in ("{", "[]", '{"offers": [1]}', '{"offers": [{"kind": "base"}]}'):
        (tmp_path / "tariffs.json").write_text(broken)
        assert prices_of(hub).offer("base", 6, date(2026, 6, 1)) is not None


@pytest.mark.parametrize("running", [True, False])
def test_a_house_that_is_removed_leaves_no_book(tmp_path: Path, running: bool) -> None:
    rig = Rig(tmp_path, tariff="base")
    rig.device.start()
    rig.measure(100.0, 0.0)
    rig.device.back_up()
    if not running:
        rig.device.stop()
    rig.hub.forget("1")  # another connection
    assert (tmp_path / "house.sqlite").is_file()
    rig.hub.forget("10")
    if running:
        rig.device.stop()
    assert list(tmp_path.glob("house*")) == []


def test_it_offers_itself_and_says_what_it_sees(rig: Rig) -> None:
    rig.measure(100.0, 0.0)
    assert [(each.type, each.key) for each in rig.device.discover()] == [("home", "home")]
    assert rig.device.test().data == {"equipment": 1}


def test_what_it_could_drive_has_a_name_in_the_users_language(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.measure(100.0, 0.0)
    english = {"Pilotage {name}": "Control of {name}"}
    monkeypatch.setattr(rig.context, "translate", lambda text, **values: english.get(text, text).format(**values))
    able = SimpleNamespace(capabilities=lambda equipment: {"charger.current", "load.on", "load.off"})
    monkeypatch.setattr(rig.hub, "actions", able)
    assert {each.name for each in rig.device.discover()} == {"Maison", "Control of Toit"}
