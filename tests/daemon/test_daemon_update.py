"""A change of equipment or commands that fails is told, and made good by the next desired state."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import pytest
from jeenergied.connections.publisher import Publisher
from jeenergied.devices.base import Connection, Equipment

from jeedom_bridge import Outbox
from jeedom_bridge.clock import ManualClock
from tests.support.core import Core, Quiet, named


class Meter(Quiet):
    """Refuses changes while `broken` is set, and its start while `closed` is."""

    broken: Optional[Exception] = None
    closed: Optional[Exception] = None

    def start(self) -> None:
        if self.closed is not None:
            raise self.closed
        super().start()

    def changed(self) -> None:
        if self.broken is not None:
            raise self.broken
        super().changed()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    made = Core(tmp_path, monkeypatch, Meter)
    yield made
    made.close()


def test_a_device_that_fails_at_a_change_is_in_the_log_and_in_the_state(
    bench: Core, caplog: pytest.LogCaptureFixture
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


def test_a_change_that_a_device_refused_is_made_by_the_same_state_sent_again(bench: Core) -> None:
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


def test_a_change_that_a_device_refused_is_tried_again_within_the_hour(bench: Core) -> None:
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
    bench: Core, monkeypatch: pytest.MonkeyPatch, back: bool
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
    bench: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("jeedom_bridge.worker.Worker.start", refuse)
    assert bench.configure(named("A"))["started"] == []
    monkeypatch.undo()
    assert bench.configure(named("A"))["started"] == ["1"]
    bench.settle()
    assert "online" in bench.states


def test_a_change_before_the_start_has_succeeded_reaches_the_device_after_it(
    bench: Core, monkeypatch: pytest.MonkeyPatch
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

        factors: Mapping[str, float] = {}

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


def test_a_refresh_that_fails_after_its_answer_is_reported(
    bench: Core, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The user was told that it goes on: what becomes of it shows in the state."""
    monkeypatch.setattr("jeenergied.api.commands.LIMITS", {"refresh": 0.05})
    gate = threading.Event()

    def refresh(self: Meter) -> None:
        gate.wait(10)
        raise KeyError("lost")

    monkeypatch.setattr(Meter, "refresh", refresh)
    bench.configure(named("A"))
    bench.settle()
    assert bench.ask("refresh", connection="1") == {"accepted": True}
    with caplog.at_level(logging.ERROR):
        gate.set()
        bench.settle()
    assert "Erreur interne : KeyError: 'lost'" in caplog.text
    assert bench.states[-1] == "error"
