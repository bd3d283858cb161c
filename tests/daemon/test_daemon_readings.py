"""What the board tells of the house: the newest value of each quantity, its age, and when it is no longer known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jeenergied.connections.publisher import Publisher
from jeenergied.devices.base import Connection, Equipment, Unreachable, VendorError
from jeenergied.readings import Board, Measure, Slot

from jeedom_bridge import Outbox
from jeedom_bridge.clock import ManualClock
from jeedom_bridge.contract import Catalogue
from jeedom_bridge.worker import Job
from tests.support.core import Core, Quiet, named

POWER, ENERGY = Measure("grid.power"), Measure("grid.import", "counter", "hp")
SLOTS = {POWER: Slot("watts", "net.power", 120.0), ENERGY: Slot("index", "net.index")}
NUMERIC = {"type": "info", "subType": "numeric"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def board(clock: ManualClock) -> Board:
    made = Board(clock)
    made.adopt("1", {"1": {}, "2": SLOTS})
    return made


def value(board: Board, equipment: str = "2") -> Any:
    reading = board.reading(equipment, "grid.power")
    return None if reading is None else reading.value


class TestBoard:
    def test_a_reading_has_what_it_is_its_value_its_date_and_its_age(self, board: Board, clock: ManualClock) -> None:
        at = clock.time() - 5
        board.put("2", {POWER: -800.0, ENERGY: 12_000}, at)
        clock.advance(10)
        reading = board.reading("2", "grid.power")
        assert reading is not None
        assert (reading.equipment, reading.quantity, reading.command) == ("2", "grid.power", "watts")
        assert (reading.value, reading.at, reading.age_s) == (-800.0, at, 15.0)
        counter = board.reading("2", "grid.import", "counter", "hp")
        assert counter is not None
        assert counter.value == 12_000
        assert board.reading("2", "grid.import") is None
        assert [each.quantity for each in board.readings()] == ["grid.power", "grid.import"]
        assert board.readings("grid.import") == [counter]
        assert board.readings(equipment="3") == []

    def test_a_step_of_the_clock_makes_nothing_younger_or_older(self, board: Board, clock: ManualClock) -> None:
        board.put("2", {POWER: 1.0})
        clock.advance(30)
        clock.step(-3600)
        reading = board.reading("2", "grid.power")
        assert reading is not None
        assert reading.age_s == 30.0
        clock.step(7200)
        board.put("2", {POWER: 2.0})
        assert value(board) == 2.0

    def test_an_older_value_does_not_replace_a_newer_one(self, board: Board, clock: ManualClock) -> None:
        board.put("2", {POWER: 2.0}, clock.time() - 10)
        board.put("2", {POWER: 1.0}, clock.time() - 20)
        assert value(board) == 2.0

    def test_a_date_in_the_future_does_not_hold_back_what_follows(self, board: Board, clock: ManualClock) -> None:
        board.put("2", {POWER: 1.0}, clock.time() + 86_400)
        clock.advance(1)
        board.put("2", {POWER: 2.0})
        assert value(board) == 2.0

    def test_what_is_not_known_any_more_is_left_out(self, board: Board) -> None:
        board.put("2", {POWER: 2.0, ENERGY: 5})
        board.put("2", {POWER: None})
        assert value(board) is None
        assert board.measured("2") == [POWER, ENERGY]

    def test_a_reading_is_fresh_until_its_data_would_be_called_silent(self, board: Board, clock: ManualClock) -> None:
        board.put("2", {POWER: 1.0, ENERGY: 5})
        clock.advance(121)
        assert [each.fresh for each in board.readings()] == [False, True]
        board.confirm("2", [POWER])
        assert [each.fresh for each in board.readings()] == [True, True]
        assert [each.younger_than(60) for each in board.readings()] == [True, False]

    @pytest.mark.parametrize("identifier", ["1", "2"])
    @pytest.mark.parametrize("state", ["unreachable", "authentication_failed", "error", "no_data"])
    def test_in_a_state_without_data_nothing_is_fresh(self, board: Board, identifier: str, state: str) -> None:
        board.put("2", {POWER: 1.0})
        board.report_state(identifier, state)
        reading = board.reading("2", "grid.power")
        assert reading is not None
        assert (reading.fresh, reading.doubt) == (False, state)
        board.report_state(identifier, "online")
        assert board.readings()[0].fresh

    def test_equipment_that_is_removed_or_switched_off_is_forgotten(self, board: Board) -> None:
        board.adopt("5", {"6": SLOTS})
        board.put("2", {POWER: 1.0})
        board.put("6", {POWER: 2.0})
        board.adopt("1", {"1": {}})
        assert [each.equipment for each in board.readings()] == ["6"]
        board.put("2", {POWER: 1.0})
        assert value(board) is None
        board.release("5")
        assert board.readings() == []
        assert board.owner("6") == ""

    def test_equipment_that_moves_to_another_connection_stays(self, board: Board) -> None:
        board.adopt("5", {"2": SLOTS})
        board.adopt("1", {"1": {}})
        board.put("2", {POWER: 1.0})
        assert board.owner("2") == "5"
        assert value(board) == 1.0

    def test_a_value_of_another_source_is_not_taken_for_that_of_the_new_one(self, board: Board) -> None:
        board.put("2", {POWER: 1.0, ENERGY: 5})
        board.adopt("1", {"1": {}, "2": {**SLOTS, POWER: Slot("watts", "estimated.power")}})
        assert [each.quantity for each in board.readings()] == ["grid.import"]

    def test_whoever_subscribes_hears_of_news_of_his_quantities_until_he_ends_it(self, board: Board) -> None:
        heard: list[Any] = []
        end = board.subscribe(lambda equipment, quantities: heard.append((equipment, *quantities)), ["grid.power"])
        board.put("2", {POWER: 1.0, ENERGY: 5})
        board.put("2", {ENERGY: 6})
        board.confirm("2", [POWER])
        board.report_state("1", "unreachable")
        board.report_state("1", "unreachable")
        board.put("2", {POWER: None})
        assert heard == [("2", "grid.power")] * 4
        end()
        board.put("2", {POWER: 1.0})
        assert len(heard) == 4

    def test_a_watcher_that_fails_harms_nobody(self, board: Board) -> None:
        heard: list[str] = []

        def fail(equipment: str, quantities: Any) -> None:
            raise RuntimeError("mine")

        board.subscribe(fail)
        board.subscribe(lambda equipment, quantities: heard.append(equipment))
        board.put("2", {POWER: 1.0})
        assert heard == ["2"]
        assert value(board) == 1.0

    def test_waiting_ends_with_news_or_with_its_time(self, board: Board) -> None:
        version = board.version
        assert board.wait(version, 0.0) == version
        board.put("2", {POWER: 1.0})
        assert board.wait(version, 60.0) > version


def publisher(board: Board, clock: ManualClock, **row: Any) -> Publisher:
    """One meter whose row `watts` measures the mains."""
    rows = [{**NUMERIC, "logicalId": "watts", "name": "W", "source": "net.power", "measures": "grid.power", **row}]
    part = {"fields": [{"key": "mode", "type": "text", "default": "a"}], "commands": rows, "silence": "meter"}
    silences = {"meter": {"after": 60, "says": "x"}}
    empty: dict[str, Any] = {"fields": [], "operations": [], "commands": []}
    data = {"connection": empty, "equipment": {"meter": part}, "silences": silences}
    catalogue = Catalogue("x", data, factors={"kW": 1000.0, "kWh": 1000.0, "l": 0.001})
    return Publisher(catalogue, Outbox(clock), clock, str, board)


def house(*commands: str, **config: Any) -> Connection:
    return Connection(
        "1", "x", "", {}, {}, (Equipment("2", "meter", "k", "", config, {each: {} for each in commands}),)
    )


class TestPublisher:
    @pytest.fixture
    def board(self, clock: ManualClock) -> Board:
        return Board(clock)

    def test_a_row_that_measures_is_read_in_the_unit_of_its_quantity(self, board: Board, clock: ManualClock) -> None:
        made = publisher(board, clock, unit="kW", scale=0.001, precision=3)
        made.adopt(house("watts"))
        made.facts("2", {"net.power": 2345.6}, None)
        reading = board.reading("2", "grid.power")
        assert reading is not None
        assert (reading.value, reading.limit_s) == (2346.0, 60.0)

    def test_a_command_that_the_user_has_deleted_still_measures(self, board: Board, clock: ManualClock) -> None:
        made = publisher(board, clock)
        made.adopt(house())
        made.facts("2", {"net.power": 5}, None)
        assert value(board) == 5

    def test_a_row_that_does_not_hold_measures_nothing(self, board: Board, clock: ManualClock) -> None:
        made = publisher(board, clock, when={"mode": "a"})
        made.adopt(house(mode="b"))
        made.facts("2", {"net.power": 5}, None)
        assert board.readings() == []
        made.adopt(house(mode="a"))
        assert value(board) == 5

    def test_a_value_beyond_its_bounds_is_not_known(self, board: Board, clock: ManualClock) -> None:
        made = publisher(board, clock, max=100)
        made.adopt(house("watts"))
        made.facts("2", {"net.power": 50}, None)
        made.facts("2", {"net.power": 101}, None)
        assert value(board) is None
        made.facts("2", {"net.power": 50}, None)
        made.facts("2", {"net.power": None}, None)
        assert value(board) is None

    def test_a_new_desired_state_makes_no_reading_younger(self, board: Board, clock: ManualClock) -> None:
        made = publisher(board, clock)
        made.adopt(house("watts"))
        made.facts("2", {"net.power": 5}, None)
        clock.advance(30)
        clock.step(-30)
        made.adopt(house())
        assert [each.age_s for each in board.readings()] == [30.0]

    def test_the_newest_of_dated_measures_is_the_reading(self, board: Board, clock: ManualClock) -> None:
        row = {"unit": "kWh", "dated": True, "measures": {"quantity": "grid.import", "per": "measure"}}
        made = publisher(board, clock, **row)
        made.adopt(house("watts"))
        points = [("2025-06-15T12:30:00+02:00", 0.25), ("2025-06-15T12:00:00+02:00", 0.5)]
        made.history("2", {"watts": points, "other": []})
        reading = board.reading("2", "grid.import", "measure")
        assert reading is not None
        assert (reading.value, reading.at) == (250.0, 1_749_983_400.0)


class Meter(Quiet):
    def start(self) -> None:
        super().start()
        self.context.publish("10", {"power": 1.5})


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    made = Core(tmp_path, monkeypatch, Meter)
    yield made
    made.close()


class TestConnection:
    def doubt(self, core: Core) -> str:
        return core.shared.board.readings("load.power")[0].doubt

    def test_what_a_device_publishes_is_on_the_board_until_it_is_switched_off(self, core: Core) -> None:
        core.configure(named("A"))
        core.settle()
        assert [(each.equipment, each.value) for each in core.shared.board.readings()] == [("10", 1500.0)]
        core.configure(named("A", 0))
        core.settle()
        assert core.shared.board.readings() == []
        core.configure(named("A"))
        core.settle()
        core.configure()
        assert core.shared.board.owner("1") == ""

    def test_a_connection_that_does_not_answer_is_doubted_until_it_does(self, core: Core) -> None:
        core.configure(named("A"))
        core.settle()
        runner = core.runner
        runner._job_failed(Job(runner.worker, "poll", 10.0, lambda: None), Unreachable("Personne"))
        assert self.doubt(core) == "unreachable"
        runner.context.online()
        assert self.doubt(core) == ""

    def test_an_equipment_that_does_not_work_is_doubted_alone(self, core: Core) -> None:
        core.configure(named("A", 2))
        core.settle()
        core.runner.context.publish("11", {"power": 2.0})
        core.runner.context.report_equipment_error("11", VendorError("Défaut"))
        assert [each.doubt for each in core.shared.board.readings("load.power")] == ["", "error"]
        core.runner.context.report_equipment_error("11", None)
        assert [each.doubt for each in core.shared.board.readings("load.power")] == ["", ""]

    def test_a_test_of_an_unsaved_connection_leaves_the_board_alone(self, core: Core) -> None:
        core.configure(named("A"))
        core.settle()
        core.ask("test", connection={**named("A"), "config": {"user": "other"}})
        assert [each.value for each in core.shared.board.readings()] == [1500.0]
