"""A device publishes while Jeedom's desired state changes."""

from __future__ import annotations

import json
import threading
from collections import UserDict
from typing import Any, Optional

from jeenergied.connections.publisher import Publisher
from jeenergied.devices.base import Connection, Equipment

from jeedom_bridge import Outbox
from jeedom_bridge.clock import ManualClock
from jeedom_bridge.contract import Catalogue

from .conftest import PATIENCE_S, Race

ROUNDS = 300
NAMES = [f"fact{number}" for number in range(8)]
ROW = {"type": "info", "subType": "numeric"}
EMPTY: dict[str, Any] = {"fields": [], "operations": [], "commands": []}
ROWS = [{**ROW, "logicalId": name, "name": name, "source": name} for name in NAMES]


def state(*commands: str, equipment: bool = True) -> Connection:
    """The desired state of one meter with these commands."""
    meter = Equipment("2", "meter", "k", "", {}, {name: {} for name in commands})
    return Connection("1", "x", "", {}, {}, (meter,) if equipment else ())


class Bench:
    """A publisher, and what Jeedom has got of its meter."""

    def __init__(self, rows: int = len(ROWS)) -> None:
        clock = ManualClock()
        self.outbox = Outbox(clock)
        meter = {"fields": [], "commands": ROWS[:rows]}
        catalogue = Catalogue("x", {"connection": EMPTY, "equipment": {"meter": meter}})
        self.publisher = Publisher(catalogue, self.outbox, clock)
        self.values: dict[str, Any] = {}

    def deliver(self) -> Optional[dict[str, Any]]:
        """Takes all that waits, and acknowledges it."""
        while (batch := self.outbox.take(everything=True)) is not None:
            for part in batch.parts:
                self.values.update(json.loads(part)["values"])
            self.outbox.acknowledged(batch, {"ok": True})
        return self.values


def test_no_change_of_commands_fails_while_a_device_publishes_new_facts(race: Race) -> None:
    for _ in range(ROUNDS // 10):
        bench = Bench()
        bench.publisher.adopt(state(*NAMES[:1]))

        def publish(bench: Bench = bench) -> None:
            for number, name in enumerate(NAMES):
                bench.publisher.facts("2", {name: number}, None)

        def adopt(bench: Bench = bench) -> None:
            for count in (1, 8, 1, 8):
                bench.publisher.adopt(state(*NAMES[:count]))

        race(publish, adopt)
        assert bench.deliver() == {name: number for number, name in enumerate(NAMES)}


def test_a_fact_that_arrives_while_its_command_is_added_is_not_lost() -> None:
    """Between two steps on purpose, without chance: the command is added while the fact is being taken in."""
    bench = Bench(rows=1)
    bench.publisher.adopt(state())
    adoption = threading.Thread(target=lambda: bench.publisher.adopt(state("fact0")), daemon=True)

    class Slow(UserDict[str, Any]):
        """Facts that another thread overtakes, if it can, when they are looked at."""

        def items(self) -> Any:
            if adoption.ident is None:
                adoption.start()
                adoption.join(0.3)
            return super().items()

    bench.publisher.facts("2", Slow(fact0=7), None)
    adoption.join(PATIENCE_S)
    assert bench.deliver() == {"fact0": 7}


def test_facts_and_commands_that_come_at_the_same_moment_meet(race: Race) -> None:
    for number in range(ROUNDS // 5):
        bench = Bench(rows=1)
        bench.publisher.adopt(state())
        race(
            lambda bench=bench, number=number: bench.publisher.facts("2", {"fact0": number}, None),
            lambda bench=bench: bench.publisher.adopt(state("fact0")),
        )
        assert bench.deliver() == {"fact0": number}


def test_an_older_value_never_overtakes_a_newer_one(race: Race) -> None:
    for _ in range(ROUNDS // 10):
        bench = Bench(rows=3)
        bench.publisher.adopt(state("fact0"))

        def publish(bench: Bench = bench) -> None:
            for number in range(10):
                bench.publisher.facts("2", {"fact0": number}, None)

        def adopt(bench: Bench = bench) -> None:
            for number in range(5):
                bench.publisher.adopt(state("fact0", f"fact{1 + number % 2}"))

        race(publish, adopt)
        assert bench.deliver() == {"fact0": 9}


def test_nothing_is_published_once_the_publisher_is_closed(race: Race) -> None:
    for number in range(ROUNDS):
        bench = Bench(rows=3)
        bench.publisher.adopt(state("fact0"))

        def end(bench: Bench = bench) -> None:
            bench.publisher.close()
            bench.outbox.forget("2")

        race(lambda bench=bench, number=number: bench.publisher.facts("2", {"fact0": number}, None), end)
        assert bench.deliver() == {}
