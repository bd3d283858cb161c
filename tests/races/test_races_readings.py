"""Connections put readings while others read them, and come and go."""

from __future__ import annotations

from jeenergied.readings import Board, Measure, Slot

from jeedom_bridge.clock import ManualClock

from .conftest import Race

POWER, LEVEL = Measure("battery.power"), Measure("battery.level")
SLOTS = {POWER: Slot("watts", "power"), LEVEL: Slot("level", "level")}
ROUNDS = 40


def test_values_that_are_put_together_are_read_together(race: Race) -> None:
    board = Board(ManualClock())
    board.adopt("1", {"2": SLOTS})
    torn = []

    def put(start: int) -> None:
        for number in range(start, start + 30):
            board.put("2", {POWER: number, LEVEL: number})

    def read() -> None:
        for _ in range(60):
            if len({each.value for each in board.readings(equipment="2")}) > 1:
                torn.append(board.readings())

    race(lambda: put(0), lambda: put(100), read)
    assert torn == []


def test_nothing_of_a_released_connection_stays_on_the_board(race: Race) -> None:
    for _ in range(ROUNDS):
        board = Board(ManualClock())
        board.adopt("1", {"1": {}, "2": SLOTS})
        race(
            lambda board=board: [board.put("2", {POWER: number}) for number in range(5)],
            lambda board=board: [board.report_state("2", state) for state in ("error", "online", "error")],
            lambda board=board: board.release("1"),
        )
        assert board.readings() == []
        board.adopt("1", {"2": SLOTS})
        board.put("2", {POWER: 1})
        assert [each.doubt for each in board.readings()] == [""]


def test_of_two_connections_the_last_one_to_adopt_has_the_equipment(race: Race) -> None:
    for _ in range(ROUNDS):
        board = Board(ManualClock())
        board.adopt("1", {"2": SLOTS})
        race(lambda board=board: board.adopt("5", {"2": SLOTS}), lambda board=board: board.adopt("1", {}))
        board.put("2", {POWER: 1})
        assert [each.equipment for each in board.readings()] == ["2"]


def test_a_watcher_misses_no_last_value(race: Race) -> None:
    for _ in range(ROUNDS):
        board = Board(ManualClock())
        board.adopt("1", {"2": SLOTS})
        seen: list[object] = []
        board.subscribe(lambda _, __, board=board, seen=seen: seen.append([x.value for x in board.readings()]))
        race(
            lambda board=board: [board.put("2", {POWER: number}) for number in range(5)],
            lambda board=board: [board.put("2", {LEVEL: number}) for number in range(5)],
        )
        assert sorted(map(str, seen[-1:])) == ["[4, 4]"]


def test_who_waits_wakes_for_news_of_any_thread(race: Race) -> None:
    board = Board(ManualClock())
    board.adopt("1", {"2": SLOTS})
    version = board.version
    found = []
    race(lambda: found.append(board.wait(version, 10.0)), lambda: board.put("2", {POWER: 1}))
    assert found == [version + 1]
