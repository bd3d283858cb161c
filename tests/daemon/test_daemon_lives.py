"""One life of a connection at a time, and what the user has erased stays erased, whatever is under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from jeenergied.connections import runner as runners
from jeenergied.devices.base import Connection, Equipment, Identity

from jeedom_bridge.listener import CommandError
from tests.support.core import Core, Quiet, named
from tests.support.waiting import until

PATIENCE_S = 10.0


class Slow(Quiet):
    """A device whose requests take until a test lets them end, and that then keeps a token.

    `busy`: how many requests are under way, of all lives; `most`: how many there have been at once.
    """

    lock = threading.Lock()
    busy = most = 0
    lives: list[Slow]
    gate: threading.Event
    acts_aside = True

    def __init__(self, connection: Connection, context: Any) -> None:
        super().__init__(connection, context)
        self.lives.append(self)
        self.number = len(self.lives)
        self.stops = 0
        self.own_gate: Optional[threading.Event] = None

    def request(self) -> None:
        with self.lock:
            Slow.busy += 1
            Slow.most = max(Slow.most, Slow.busy)
        assert (self.own_gate or self.gate).wait(PATIENCE_S)
        self.context.memory.put("token", self.number)
        with self.lock:
            Slow.busy -= 1

    def start(self) -> None:
        self.context.memory.put("token", self.number)
        super().start()

    def stop(self) -> None:
        self.stops += 1
        self.context.memory.keep("end", self.number)

    def refresh(self) -> None:
        self.request()

    def test(self) -> Identity:
        self.request()
        return Identity({}, "")

    def discover(self) -> list[Any]:
        self.request()
        return []

    def run(self, operation: str, options: Mapping[str, Any]) -> str:
        self.request()
        return ""

    def act(self, equipment: Equipment, command: str, options: Mapping[str, Any]) -> None:
        self.request()


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    Slow.busy = Slow.most = 0
    Slow.lives = []
    Slow.gate = threading.Event()
    made = Core(tmp_path, monkeypatch, Slow)
    yield made
    Slow.gate.set()
    made.close()
    over(made)


def busy(count: int) -> None:
    until(lambda: Slow.busy == count, PATIENCE_S, f"{count} requests under way")


def over(core: Core) -> None:
    """Waits until every stopped life has ended."""
    until(lambda: not core.supervisor._ending, PATIENCE_S, "the end of all lives")


def begin(core: Core) -> Slow:
    """A running connection with a request under way."""
    core.configure(named("A"))
    core.settle()
    core.runner.call(core.runner.refresh)
    busy(1)
    device: Slow = core.device
    return device


def turned_off_and_on(core: Core) -> None:
    core.configure()
    core.configure(named("A"))


def changed(core: Core) -> None:
    core.configure(named("A", values=3))


def changed_twice(core: Core) -> None:
    core.configure(named("A", values=3))
    core.configure(named("A", values=4))


def turned_off_and_on_twice(core: Core) -> None:
    turned_off_and_on(core)
    turned_off_and_on(core)


def changed_turned_off_and_on(core: Core) -> None:
    core.configure(named("A", values=3))
    turned_off_and_on(core)


WAYS = [turned_off_and_on, changed, changed_twice, turned_off_and_on_twice, changed_turned_off_and_on]


@pytest.mark.parametrize("way", WAYS)
def test_the_new_life_waits_for_the_request_of_the_old_one(core: Core, way: Callable[[Core], None]) -> None:
    begin(core)
    way(core)
    core.runner.call(core.runner.refresh)
    time.sleep(0.1)  # long enough for a life that does not wait
    assert (Slow.busy, Slow.most) == (1, 1)
    Slow.gate.set()
    core.settle()
    over(core)
    assert Slow.most == 1
    assert core.store.scope("1")["token"] == core.device.number == len(Slow.lives)
    assert [each.stops for each in Slow.lives] == [1] * (len(Slow.lives) - 1) + [0]


def test_a_life_that_was_stopped_before_it_began_never_begins(core: Core) -> None:
    begin(core)
    turned_off_and_on(core)
    second: Slow = core.device
    core.configure()
    Slow.gate.set()
    over(core)
    assert core.store.scope("1")["token"] == 1
    assert second.stops == 1


def test_a_life_that_hangs_is_waited_for_so_long_and_then_writes_nothing(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runners, "LAST_REQUEST_S", 0.2)
    monkeypatch.setattr("jeenergied.connections.supervisor.LAST_REQUEST_S", 0.2)
    hanging = begin(core)
    hanging.own_gate = None
    turned_off_and_on(core)
    until(lambda: core.store.scope("1").get("token") == 2, PATIENCE_S, "the new life")
    Slow.gate.set()
    over(core)
    assert core.store.scope("1")["token"] == 2
    assert core.store.scope("1")["end"] == 1  # it was freed before


def test_an_action_aside_is_waited_for_too(core: Core) -> None:
    core.configure(named("A"))
    core.settle()
    first = core.runner
    equipment = first.connection.equipment[0]
    acting = first.call_aside(lambda: first.device.act(equipment, "set", {}))
    busy(1)
    turned_off_and_on(core)
    time.sleep(0.1)
    assert core.store.scope("1")["token"] == 1
    Slow.gate.set()
    acting.result(PATIENCE_S)
    core.settle()
    assert core.store.scope("1")["token"] == 2
    assert first.call_aside(lambda: None).cancelled()


@pytest.mark.parametrize("command", ["test", "discover", "run"])
@pytest.mark.parametrize("saved", [False, True])
def test_a_question_that_ends_after_forget_brings_nothing_back(core: Core, command: str, saved: bool) -> None:
    """`saved`: the connection runs, but its form has other settings: it is asked through a device of its own."""
    if saved:
        core.configure(named("A"))
        core.settle()
    fields = {"operation": "import", "options": {}} if command == "run" else {}
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(core.ask, command, connection=named("A", values=9), **fields)
        busy(1)
        core.ask("forget", connection="1")
        Slow.gate.set()
        asked.result(PATIENCE_S)
    over(core)
    assert core.store.scope("1") == {}
    assert core.supervisor._temporary == set()


def test_a_request_of_the_running_connection_brings_nothing_back_either(core: Core) -> None:
    begin(core)
    core.ask("forget", connection="1")
    Slow.gate.set()
    over(core)
    assert core.store.scope("1") == {}


def test_a_question_asked_after_forget_keeps_nothing(core: Core) -> None:
    core.configure(named("A"))
    core.settle()
    core.ask("forget", connection="1")
    Slow.gate.set()
    core.ask("test", connection=named("A"))
    over(core)
    assert core.store.scope("1") == {}
    core.configure(named("A"))  # Jeedom has it again: a backup was restored
    core.settle()
    assert core.store.scope("1")["token"] == core.device.number


def test_a_question_given_up_tells_nothing_more_and_is_forgotten_when_it_ends(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jeenergied.api.commands.LIMITS", {"test": 0.1})
    with pytest.raises(CommandError) as caught:
        core.ask("test", connection=named("A"))
    assert caught.value.code == "timeout"
    (given_up,) = core.supervisor._temporary
    given_up.context.progress("import", 50, "moitié")
    assert len(core.outbox) == 0
    Slow.gate.set()
    until(lambda: not core.supervisor._temporary, PATIENCE_S, "its end")
    assert Slow.lives[-1].stops == 1


def test_without_threads_one_connection_never_touches_another(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    core.configure(named("A"), {**named("B"), "id": "2", "equipment": []})
    begun = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name in ("ending", "connection-3"):
            raise RuntimeError("can't start new thread")
        begun(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    result = core.configure({**named("C"), "id": "3", "equipment": []}, {**named("D"), "id": "4", "equipment": []})
    assert (sorted(result["stopped"]), result["started"]) == (["1", "2"], ["4"])
    monkeypatch.setattr(threading.Thread, "start", begun)
    core.supervisor._ending.clear()  # nobody waits for those
