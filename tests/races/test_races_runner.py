"""A device tells things from several threads while its connection changes its state or ends."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from jeenergied.connections.runner import Runner
from jeenergied.devices.base import Unreachable, VendorError

from jeedom_bridge.worker import Job
from tests.support.core import Core, Quiet, named

from .conftest import Race

ROUNDS = 150
MEET_S = 0.003
"""Within so many seconds a device's call is in its middle."""


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    made = Core(tmp_path, monkeypatch, Quiet)
    yield made
    made.close()


def light(core: Core) -> Runner:
    """A runner without its thread: what it tells, it tells in the threads of a test."""
    core.drain()
    return core.supervisor._new(core.supervisor.parse(named("A")))


def waiting(core: Core) -> list[dict[str, Any]]:
    """The events that wait, oldest first."""
    batch = core.outbox.take(everything=True)
    if batch is None:
        return []
    core.outbox.acknowledged(batch, {"ok": True})
    return [json.loads(part) for part in batch.parts]


def failing(runner: Runner) -> None:
    runner._job_failed(Job(runner.worker, "poll", 10.0, lambda: None), Unreachable("Personne ne répond"))


def test_the_last_state_told_is_the_one_that_holds(core: Core, race: Race) -> None:
    runner = light(core)
    runner.context.online()
    for _ in range(ROUNDS):
        race(lambda: failing(runner), lambda: [runner.context.online() for _ in range(12)])
        states = [each["state"] for each in waiting(core) if each["event"] == "connection"]
        assert not states or states[-1] == runner.health.state
        runner.context.online()
        waiting(core)


def test_the_last_state_told_of_an_equipment_is_the_one_that_holds(core: Core, race: Race) -> None:
    runner = light(core)
    for number in range(ROUNDS):
        error = VendorError("Défaut {n}", n=number)
        race(
            lambda error=error: runner.context.report_equipment_error("10", error),
            lambda: runner.context.report_equipment_error("10", None),
        )
        told = [each for each in waiting(core) if each.get("equipment") == "10"]
        broken = runner.troubles._troubles["10"] is not None
        shown = runner.troubles._shown.get("10") is not None
        assert broken == shown
        if told:
            assert (told[-1]["state"] != "online") == broken
        runner.context.report_equipment_error("10", None)
        waiting(core)


@pytest.mark.parametrize("what", ["message", "progress", "trouble", "state", "values"])
def test_nothing_is_told_once_a_connection_has_ended(core: Core, race: Race, what: str) -> None:
    tell: dict[str, Callable[[Runner], Any]] = {
        "message": lambda runner: runner.context.message("info", "Bonjour"),
        "progress": lambda runner: runner.context.progress("import", 50, "moitié"),
        "trouble": lambda runner: runner.context.report_equipment_error("10", VendorError("Défaut")),
        "state": lambda runner: runner.context.online(),
        "values": lambda runner: runner.context.publish("10", {"power": 5}),
    }
    chance = random.Random(what)
    for _ in range(ROUNDS):
        runner = light(core)
        runner.publisher.adopt(runner.connection)
        left: list[int] = []

        def end(runner: Runner = runner, left: list[int] = left) -> None:
            time.sleep(chance.random() * MEET_S)
            runner.stop()
            runner.reports.forget()
            left.append(len(core.outbox))

        race(lambda runner=runner: tell[what](runner), end, every=8)
        assert len(core.outbox) == left[0]
