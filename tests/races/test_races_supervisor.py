"""A user saves, disables, deletes and tests a connection faster than its system answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jeenergied.devices.base import Connection, Identity

from jeedom_bridge.listener import CommandError
from tests.support.core import Core, Quiet, named
from tests.support.waiting import until

from .conftest import Race

ROUNDS = 4


class Life(Quiet):
    """Counts the lives that are between their start and their end."""

    lock = threading.Lock()
    living = most = begun = 0

    def __init__(self, connection: Connection, context: Any) -> None:
        super().__init__(connection, context)
        self.alive = False

    def start(self) -> None:
        with self.lock:
            self.alive = True
            Life.living += 1
            Life.begun += 1
            Life.most = max(Life.most, Life.living)
            number = Life.begun
        self.context.memory.put("life", number)
        super().start()

    def stop(self) -> None:
        time.sleep(0.2)  # a stream that is closed, a last answer
        self.context.memory.keep("end", id(self))
        with self.lock:
            Life.living -= self.alive
            self.alive = False

    def test(self) -> Identity:
        time.sleep(0.2)  # the system answers
        self.context.memory.put("token", "of a test")
        return Identity({}, "")


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    Life.living = Life.most = Life.begun = 0
    made = Core(tmp_path, monkeypatch, Life)
    yield made
    made.close()


def over(core: Core) -> None:
    until(lambda: not core.supervisor._ending and not core.supervisor._temporary, 20.0, "the end of all lives")


def test_one_life_at_a_time_however_fast_it_is_switched(core: Core, race: Race) -> None:
    """Several requests of PHP at once; the highest revision is what holds."""
    states = [(), (named("A"),), (named("A", values=3),), (named("A", 2),)]
    for number in range(ROUNDS):

        def save(offset: int, number: int = number) -> None:
            for step in range(4):
                revision = number * 100 + step * 10 + offset
                core.supervisor.configure(revision, list(states[(step + offset) % 4]))
                time.sleep(0.01)  # long enough for a life to begin

        def look() -> None:
            for _ in range(6):
                core.supervisor.status()
                try:
                    core.supervisor.owner("10")
                except CommandError:
                    continue

        race(lambda save=save: save(1), lambda save=save: save(2), look, every=200)
        core.supervisor.configure(number * 100 + 90, [named("A")])
        over(core)
        core.settle()
        assert Life.most == 1
        assert Life.living == 1
        assert core.store.scope("1")["life"] == Life.begun
        core.drain()


def test_what_is_forgotten_while_it_is_tested_stays_forgotten(core: Core, race: Race) -> None:
    for number in range(1, ROUNDS):
        core.supervisor.configure(number, [named("A")])
        core.settle()

        def ask() -> None:
            try:
                core.ask("test", connection=named("A", values=9))
            except CommandError:
                return

        def forget(number: int = number) -> None:
            time.sleep(0.02 * number)  # before the questions, between them, and while the system answers
            core.ask("forget", connection="1")

        race(ask, ask, forget, every=200)
        over(core)
        assert core.store.scope("1") == {}
        core.drain()
