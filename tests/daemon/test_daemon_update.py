"""A change of equipment or commands that fails is told, and made good by the next desired state."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import pytest
from jeenergied.devices.base import Connection, Device, Equipment, Identity
from jeenergied.publish import Publisher
from jeenergied.runner import Runner, Shared
from jeenergied.supervisor import Supervisor
from jeenergied.texts import Texts

from jeedom_bridge import Contract, Masker, Outbox, Store
from jeedom_bridge.clock import ManualClock
from tests.support.process import lab_connection, lab_core
from tests.support.waiting import until


class Meter(Device):
    """Refuses changes while `broken` is set, and its start while `closed` is."""

    broken: Optional[Exception] = None
    closed: Optional[Exception] = None

    def __init__(self, connection: Connection, context: Any) -> None:
        super().__init__(connection, context)
        self.adopted: list[tuple[Equipment, ...]] = []

    def start(self) -> None:
        if self.closed is not None:
            raise self.closed
        self.context.every("poll", 10.0, self.context.online)

    def changed(self) -> None:
        if self.broken is not None:
            raise self.broken
        self.adopted.append(self.connection.equipment)

    def refresh(self) -> None: ...

    def test(self) -> Identity:
        return Identity({}, "")


class Bench:
    """A supervisor whose device is `Meter`."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.outbox = Outbox(self.clock)
        self.shared = Shared(
            self.clock, self.outbox, Store(folder / "store.sqlite"), Masker(), Texts(lab_core(folder) / "i18n")
        )
        self.supervisor = Supervisor(Contract(lab_core(folder) / "contract"), self.shared)
        self.revision = 0
        self.states: list[str] = []

    def configure(self, *definitions: dict[str, Any]) -> dict[str, list[str]]:
        """Sends a desired state; what it took."""
        self.revision += 1
        return self.supervisor.configure(self.revision, list(definitions))

    @property
    def runner(self) -> Runner:
        return self.supervisor.running("1")

    @property
    def device(self) -> Meter:
        device = self.runner.device
        assert isinstance(device, Meter)
        return device

    def settle(self) -> None:
        """Waits until the connection's thread has done what waits, and takes what it tells."""
        self.runner.call(lambda: None).result(5)
        until(lambda: self.clock.sleepers == 1)
        while (batch := self.outbox.take(everything=True)) is not None:
            events = [json.loads(part) for part in batch.parts]
            self.states += [each["state"] for each in events if each["event"] == "connection"]
            self.outbox.settled(batch, {"ok": True})


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr("jeenergied.supervisor.device_class", lambda backend: Meter)
    made = Bench(tmp_path)
    yield made
    made.supervisor.stop(5.0)
    made.shared.store.close()


def named(name: str, meters: int = 1) -> dict[str, Any]:
    return {**lab_connection("1", meters), "name": name}


def test_a_device_that_fails_at_a_change_is_in_the_log_and_in_the_state(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.configure(named("A"))
    bench.settle()
    bench.device.broken = KeyError("lost")
    with caplog.at_level(logging.ERROR):
        bench.configure(named("B"))
        bench.settle()
    assert "Erreur interne : KeyError: 'lost'" in caplog.text
    assert "Traceback" in caplog.text
    assert bench.states == ["online", "error"]
    assert "lost" in str(bench.supervisor.status()["1"]["lastError"])


def test_a_change_that_a_device_refused_is_made_by_the_same_state_sent_again(bench: Bench) -> None:
    bench.configure(named("A"))
    bench.settle()
    bench.device.broken = KeyError("lost")
    bench.configure(named("B", 2))
    bench.settle()
    bench.device.broken = None
    assert bench.configure(named("B", 2))["updated"] == ["1"]
    bench.settle()
    assert [len(each) for each in bench.device.adopted] == [2]
    assert bench.configure(named("B", 2))["unchanged"] == ["1"]


def test_a_change_that_a_device_refused_is_tried_again_within_the_hour(bench: Bench) -> None:
    bench.configure(named("A"))
    bench.settle()
    bench.device.broken = KeyError("lost")
    bench.configure(named("B", 2))
    bench.settle()
    bench.device.broken = None
    bench.clock.advance(3601)
    bench.settle()
    assert [len(each) for each in bench.device.adopted] == [2]
    assert bench.configure(named("B", 2))["unchanged"] == ["1"]


@pytest.mark.parametrize("back", [False, True])
def test_a_change_that_could_not_be_adopted_is_made_by_the_next_state_equal_or_not(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, back: bool
) -> None:
    bench.configure(named("A"))
    bench.settle()
    adopt = Publisher.adopt

    def fail(self: Publisher, connection: Connection) -> None:
        adopt(self, connection)
        raise RuntimeError("in the middle")

    monkeypatch.setattr(Publisher, "adopt", fail)
    assert bench.configure(named("B", 2)) == {"started": [], "updated": [], "stopped": [], "unchanged": []}
    monkeypatch.setattr(Publisher, "adopt", adopt)
    assert bench.configure(named("A") if back else named("B", 2))["updated"] == ["1"]
    bench.settle()
    assert [len(each) for each in bench.device.adopted] == [1 if back else 2]


def test_a_connection_that_could_not_be_started_is_started_by_the_same_state_sent_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("jeedom_bridge.worker.Worker.start", refuse)
    assert bench.configure(named("A"))["started"] == []
    monkeypatch.undo()
    monkeypatch.setattr("jeenergied.supervisor.device_class", lambda backend: Meter)
    assert bench.configure(named("A"))["started"] == ["1"]
    bench.settle()
    assert "online" in bench.states


def test_a_change_before_the_start_has_succeeded_reaches_the_device_after_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Meter, "closed", RuntimeError("not now"))
    bench.configure(named("A"))
    bench.settle()
    bench.configure(named("B", 3))
    bench.settle()
    assert bench.device.adopted == []
    monkeypatch.setattr(Meter, "closed", None)
    bench.clock.advance(120)
    bench.settle()
    assert [len(each) for each in bench.device.adopted] == [3]
    assert bench.states[-1] == "online"


def test_a_plan_that_cannot_be_made_leaves_the_former_one_in_force() -> None:
    clock = ManualClock()
    outbox = Outbox(clock)
    row = {"logicalId": "power", "name": "P", "type": "info", "subType": "numeric", "source": "power"}

    class Rows:
        """A catalogue that fails at the second equipment."""

        def rows(self, kind: Optional[str], config: Any, parent: Any) -> Sequence[Any]:
            from jeedom_bridge.contract import Row

            if config.get("bad"):
                raise ValueError("no rows")
            return [Row("power", row)]

    rows: Any = Rows()
    publisher = Publisher(rows, outbox, clock)
    meter = Equipment("2", "meter", "k", "", {}, {"power": {}})
    publisher.adopt(Connection("1", "x", "", {}, {}, (meter,)))
    with pytest.raises(ValueError, match="no rows"):
        publisher.adopt(Connection("1", "x", "", {}, {}, (replace(meter, id="3", config={"bad": True}),)))
    publisher.facts("2", {"power": 5}, None)
    batch = outbox.take()
    assert batch is not None
    assert json.loads(batch.parts[0])["values"] == {"power": 5}
