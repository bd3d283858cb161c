"""What Jeedom did not know before, and knows now, gets its values: no first value is lost on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.core import Core, Quiet, named


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    made = Core(tmp_path, monkeypatch, Quiet)
    made.configure(named("A"))
    made.settle()
    yield made
    made.close()


def publish(core: Core, power: int) -> None:
    core.runner.context.publish("10", {"power": power})


@pytest.mark.parametrize("refusal", [{"unknown": ["10"]}, {"unknownCommands": {"10": ["power"]}}])
@pytest.mark.parametrize("name", ["A", "B"])
def test_what_was_refused_is_sent_with_the_next_state(core: Core, refusal: dict[str, object], name: str) -> None:
    """Whether that state is another one for this connection (B) or the same as before (A)."""
    publish(core, 5)
    core.drain({"ok": True, **refusal})
    publish(core, 6)
    core.drain()
    assert core.values["10"] == {"power": 5}
    core.configure(named(name))
    core.drain()
    assert core.values["10"] == {"power": 6}


@pytest.mark.parametrize("refusal", [{"unknown": ["10"]}, {"unknownCommands": {"10": ["power"]}}])
def test_a_refusal_from_before_the_new_state_counts_no_more(core: Core, refusal: dict[str, object]) -> None:
    publish(core, 5)
    batch = core.outbox.take(everything=True)
    assert batch is not None
    core.configure(named("B"))
    core.outbox.acknowledged(batch, {"ok": True, **refusal})
    core.drain()
    assert core.values["10"] == {"power": 5}
    publish(core, 6)
    core.drain()
    assert core.values["10"] == {"power": 6}


def test_a_newer_value_takes_the_place_of_the_one_that_was_refused(core: Core) -> None:
    publish(core, 5)
    batch = core.outbox.take(everything=True)
    assert batch is not None
    core.configure(named("B"))
    publish(core, 6)
    core.outbox.acknowledged(batch, {"ok": True, "unknown": ["10"]})
    core.drain()
    assert core.values["10"] == {"power": 6}


def test_what_jeedom_goes_on_to_refuse_stays_silent(core: Core) -> None:
    publish(core, 5)
    core.drain({"ok": True, "unknown": ["10"]})
    core.configure(named("B"))
    core.drain({"ok": True, "unknown": ["10"]})
    assert len(core.outbox) == 0
    publish(core, 7)
    assert len(core.outbox) == 0


def test_a_value_that_is_known_for_long_keeps_its_date(core: Core) -> None:
    core.runner.context.publish("10", {"voltage": 230}, at=core.clock.time() - 5000)
    publish(core, 5)
    core.drain({"ok": True, "unknown": ["10"]})
    core.configure(named("A"))
    batch = core.outbox.take(everything=True)
    assert batch is not None
    dates = {}
    for part in batch.parts:
        event = json.loads(part)
        dates.update(dict.fromkeys(event["values"], event["at"]))
    assert dates["voltage"] < dates["power"]
