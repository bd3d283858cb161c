"""The loads of a connection: sent as levels, over restarts, of equipment that Jeedom has, and as often as needed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jeenergied.connections.loads import MAX_ABSENT, Loads, proofs
from jeenergied.devices.base import LevelState

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.worker import Worker
from tests.support.callback_server import acknowledge
from tests.support.process import check


class Kept:
    """A connection's memory that has been through JSON."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self.texts[key]) if key in self.texts else default

    def put(self, key: str, value: Any) -> None:
        self.keep(key, value)

    def keep(self, key: str, value: Any) -> None:
        self.texts[key] = json.dumps(value)

    def delete(self, key: str) -> None:
        self.texts.pop(key, None)


class Rig:
    """Loads whose worker runs its jobs in the test's thread, as the clock is moved."""

    def __init__(self) -> None:
        self.memory = Kept()
        self.clock = ManualClock()
        self.sent: list[dict[str, Any]] = []
        self.start()

    def start(self, *present: str) -> Rig:
        self.worker = Worker("loads", self.clock, lambda job, error: pytest.fail(str(error)))
        self.loads = Loads(self.memory, self.clock, self.worker, self.send)
        self.loads.restore()
        self.loads.adopt(present or ("30",))
        return self

    def send(self, event: dict[str, Any], merge: object) -> None:
        check("callback", {"boot": "b" * 8, "sequence": 1, "sentAt": event["at"], "events": [event]})
        assert merge == ("level", event["equipment"])
        self.sent.append({**event, "second": self.clock.monotonic()})

    def pass_time(self, seconds: int) -> Rig:
        for _ in range(seconds):
            for job in self.worker._jobs:
                if job.due <= self.clock.monotonic():
                    job.due += job.period
                    job.function()
            self.clock.advance(1)
        return self

    @property
    def asked(self) -> list[tuple[str, str]]:
        return [(event["equipment"], event["name"]) for event in self.sent]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_off_is_asked_for_until_jeedom_says_that_it_ran(rig: Rig):
    rig.loads.want("30", "off", 12, None)
    begin = rig.clock.monotonic()
    rig.pass_time(200)
    assert [round(event["second"] - begin) for event in rig.sent] == [0, 2, 6, 14, 30, 62, 122, 182]
    assert len({event["number"] for event in rig.sent}) == 1
    assert all("expires" not in event for event in rig.sent)
    assert rig.loads.state("30") == LevelState("off", "", True, rig.clock.time() - 200)
    assert rig.loads.ran("30", "off", rig.sent[0]["number"])
    rig.sent.clear()
    rig.pass_time(4000)
    assert rig.sent == []
    assert rig.loads.state("30").proved == "off"


def test_on_may_expire_and_each_request_anew(rig: Rig):
    rig.loads.want("30", "on", 1, 15.0)
    rig.pass_time(6)
    assert rig.sent[0]["at"] == rig.sent[1]["at"]
    assert rig.sent[0]["expires"] < rig.sent[1]["expires"]


def test_what_is_not_known_is_left_out(rig: Rig):
    rig.loads.want("30", "off", None, None)
    assert "value" not in rig.sent[0]


@pytest.mark.parametrize("proved", [True, False])
def test_after_a_restart_only_what_is_not_proved_is_asked_for(rig: Rig, proved: bool):
    rig.loads.want("30", "off", 12, None)
    number = rig.sent[0]["number"]
    if proved:
        rig.loads.ran("30", "off", number)
    rig.sent.clear()
    rig.start().pass_time(100)
    assert {event["number"] for event in rig.sent} == (set() if proved else {number})
    assert rig.loads.state("30").pending is not proved


def test_nothing_is_asked_for_equipment_that_jeedom_does_not_have(rig: Rig):
    rig.loads.want("30", "off", 12, None)
    rig.loads.adopt(["31"])
    rig.sent.clear()
    rig.pass_time(500)
    assert rig.sent == []
    rig.loads.adopt(["30", "31"])
    rig.pass_time(1)
    assert rig.asked == [("30", "off")]


def test_loads_do_not_wait_for_each_other(rig: Rig):
    rig.start("30", "31")
    rig.loads.want("30", "off", 12, None)
    rig.pass_time(40)
    rig.loads.want("31", "on", 12, 60.0)
    rig.pass_time(3)
    assert rig.asked.count(("31", "on")) == 2
    rig.loads.ran("31", "on", rig.sent[-1]["number"])
    rig.pass_time(100)
    assert rig.asked[-1] == ("30", "off")


@pytest.mark.parametrize("kept", [None, 5, [], {"30": 5}, {"30": {"wanted": "on"}}])
def test_a_memory_that_cannot_be_read_is_no_wish(rig: Rig, kept: Any):
    rig.memory.keep("levels", kept)
    rig.start().pass_time(10)
    assert rig.sent == []
    rig.loads.want("30", "off", 1, None)
    assert rig.asked == [("30", "off")]


def test_levels_of_equipment_that_is_gone_do_not_pile_up(rig: Rig):
    for number in range(MAX_ABSENT + 50):
        rig.clock.advance(1)
        rig.loads.want(f"x{number}", "on", 1, 15.0)
    kept = rig.memory.get("levels")
    assert len(kept) == MAX_ABSENT
    assert "x0" not in kept
    assert f"x{MAX_ABSENT + 49}" in kept


@pytest.mark.parametrize(
    "told",
    [None, 5, "x", {}, [5], [{}], [{"equipment": 30, "name": "off", "number": 1}], [{"equipment": "3", "name": "o"}],
     [{"equipment": "3", "name": "o", "number": True}], [{"equipment": "3", "name": "o", "number": 1.5}]],
)  # fmt: skip
def test_an_acknowledgement_that_says_nothing_proves_nothing(told: Any):
    assert list(proofs({"ok": True, "triggered": told})) == []


def test_an_acknowledgement_lists_what_ran():
    good = {"equipment": "30", "name": "off", "number": 7}
    check("callback", {"ok": True, "triggered": [good]}, "acknowledgement")
    assert list(proofs({"triggered": [5, good]})) == [("30", "off", 7)]


def test_a_level_survives_kill_9_and_is_proved_by_an_acknowledgement(lab: Any):
    """The real process, over real sockets."""
    daemon = lab.daemon()
    daemon.configure(lab.connection("1"))
    daemon.result("action", equipment="10", command="want", options={"name": "off"})
    first = lab.server.wait_events("trigger")[0]
    assert (first["level"], first["name"]) == (True, "off")
    daemon.kill()
    daemon = lab.daemon()
    daemon.configure(lab.connection("1"), revision=2)
    again = lab.server.wait_events("trigger", 2)[1]
    assert again == first
    old = {"equipment": "10", "name": "off", "number": first["number"] - 1}
    right = {**old, "number": first["number"]}
    lab.server.script = [acknowledge(triggered=[old]), acknowledge(triggered=[{**right, "equipment": "99"}, right])]
    daemon.result("refresh", connection="1")
    notes = lab.reports.wait("switched", 1)
    while not any(note["pending"] is False for note in notes):
        daemon.result("refresh", connection="1")
        notes = lab.reports.wait("switched", len(notes) + 1)
    assert notes[-1]["proved"] == "off"
    daemon.kill()
    daemon = lab.daemon()
    daemon.configure(lab.connection("1"), revision=3)
    daemon.result("refresh", connection="1")
    lab.server.wait_events("values", 2)
    assert len(lab.server.of("trigger")) == 2
