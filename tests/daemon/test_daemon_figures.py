"""What the daemon promises in figures. The margins are for a busy machine; benchmarks/ measures."""

from __future__ import annotations

import io
import logging
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jeenergied.daemon
import jeenergied.devices
import pytest
from jeenergied.daemon import Daemon

from jeedom_bridge import Logs, ManualClock, Masker, Options
from tests.support.client import KEY, ask
from tests.support.lab_daemon import BACKENDS
from tests.support.process import Lab, free_port, lab_core
from tests.support.waiting import until

pytestmark = pytest.mark.cold


@pytest.mark.alone
def test_a_socket_message_reaches_the_device_in_milliseconds(lab: Lab) -> None:
    daemon = lab.daemon(loglevel="info")
    daemon.configure(lab.connection("1"))
    taken = []
    for number in range(60):
        begun = time.monotonic()
        daemon.result("action", equipment="10", command="set", options={"slider": number})
        taken.append(lab.reports.wait("act", number + 1)[-1]["at"] - begun)
    assert statistics.median(taken) < 0.005


@pytest.mark.alone
def test_a_changed_value_after_a_pause_reaches_jeedom_in_milliseconds(lab: Lab) -> None:
    daemon = lab.daemon(loglevel="info")
    daemon.configure(lab.connection("1"))
    lab.server.wait_for(lambda: lab.server.value("10", "power"))
    taken = []
    for number in range(20):
        time.sleep(0.25)
        daemon.result("action", equipment="10", command="set", options={"slider": 1000 + number})
        lab.server.wait_for(lambda number=number: lab.server.value("10", "power") == 1000 + number)
        taken.append(lab.server.requests[-1].at - lab.reports.of("publish")[-1]["at"])
    assert statistics.median(taken) < 0.010


@pytest.mark.alone
def test_one_that_hangs_does_not_make_the_others_late(lab: Lab) -> None:
    daemon = lab.daemon(loglevel="info")
    others = [lab.connection(str(number), pollInterval=0.5) for number in range(10, 29)]
    daemon.configure(lab.connection("9", hang=45, pollInterval=0.5), *others)
    lab.reports.wait("poll", 1 + 19 * 8, timeout=15)
    assert len(lab.reports.of("poll", "9")) == 1
    late = []
    for each in others:
        polls = [note["at"] for note in lab.reports.of("poll", each["id"])]
        late += [at - polls[0] - 0.5 * number for number, at in enumerate(polls)]
    # A single one may be late by the machine's own doing; the hanging one would make all of them late, by 45 s.
    assert sorted(late)[len(late) * 9 // 10] < 0.1
    assert max(late) < 2
    begun = time.monotonic()
    daemon.result("action", equipment="100", command="set", options={"slider": 1})
    assert time.monotonic() - begun < 5


@pytest.mark.alone
def test_an_idle_daemon_costs_next_to_nothing(lab: Lab) -> None:
    daemon = lab.daemon(loglevel="info")
    daemon.configure(lab.connection("1", pollInterval=30))
    lab.server.wait_for(lambda: lab.server.value("10", "power"))
    time.sleep(1.0)
    begun, before = time.monotonic(), daemon.cpu()
    time.sleep(5.0)
    assert (daemon.cpu() - before) / (time.monotonic() - begun) < 0.001


def test_five_connections_take_less_than_60_mb(lab: Lab) -> None:
    daemon = lab.daemon(loglevel="info")
    daemon.configure(*(lab.connection(str(number), meters=4, pollInterval=0.1, values=40) for number in range(1, 6)))
    lab.reports.wait("poll", 100, timeout=20)
    assert daemon.rss() < 60


class Inside:
    """A daemon in this process, on a clock that the test moves."""

    def __init__(self, directory: Path, callback: str) -> None:
        self.clock = ManualClock()
        self.log = io.StringIO()
        self.logs = Logs(Masker(), ("jeenergied", "jeedom_bridge"), self.log)
        self.logs.set("info")
        (directory / "data").mkdir()
        options = Options(callback, KEY, directory / "pid", directory / "data", "jeenergie", socketport=free_port())
        self.daemon = Daemon(options, self.logs, self.clock)
        self.daemon.bind()
        self.thread = threading.Thread(target=self.daemon.run, daemon=True)
        self.thread.start()

    def ask(self, cmd: str, **fields: Any) -> Any:
        return ask(self.daemon.port, cmd, **fields)

    def close(self) -> None:
        self.daemon.stop("the test's end")
        until(lambda: (self.clock.advance(1), not self.thread.is_alive())[1], 10)
        self.logs.close()


@pytest.fixture
def inside(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root_logger: logging.Logger) -> Iterator[Inside]:
    monkeypatch.setattr(jeenergied.daemon, "CORE", lab_core(tmp_path))
    monkeypatch.setattr(jeenergied.devices, "__path__", [*jeenergied.devices.__path__, str(BACKENDS)])
    running = Inside(tmp_path, lab.server.url)
    yield running
    running.close()


def test_ten_minutes_without_jeedom_cost_no_memory_and_no_value(lab: Lab, inside: Inside) -> None:
    """One warning; on its return the newest value of each command at once, and once."""
    connections = [lab.connection(str(number), values=30, pollInterval=1) for number in range(1, 6)]
    assert inside.ask("configure", revision=1, connections=connections)["ok"]
    lab.reports.wait("poll", 5)

    def second(number: int) -> None:
        # Every connection polls once, then sleeps again; so does the callback.
        inside.clock.advance(1.0)
        lab.reports.wait("poll", 5 * (number + 1))
        until(lambda: inside.clock.sleepers == 6 and (inside.clock.next_wake or 0) > 0)

    for number in range(1, 10):
        second(number)
    inside.clock.advance(0.5)  # the callback's cycle ends
    lab.server.wait_for(lambda: lab.server.value("50", "power") == 10)
    lab.server.leave()
    outbox = inside.daemon.services.outbox
    sizes = []
    for number in range(10, 610):
        second(number)
        sizes.append(len(outbox))
    # 5 connections with 34 values each, polls and what waits of their events.
    assert max(sizes) <= 5 * 40
    assert inside.log.getvalue().count("[WARNING]") == 1

    seen = len(lab.server.requests)
    lab.server.listen()
    inside.ask("status")
    # The fresh start of Jeedom's side is noticed by the message; else within five seconds.
    lab.server.wait_for(lambda: lab.server.value("50", "power") == 610)
    until(lambda: len(outbox) == 0)
    counts: dict[tuple[str, str], int] = {}
    for received in lab.server.requests[seen:]:
        for event in received.events:
            for name, value in event.get("values", {}).items():
                key = (event["equipment"], name)
                counts[key] = counts.get(key, 0) + 1
                if name == "power":
                    assert value == 610
    assert set(counts.values()) == {1}
    # voltages have their window of ten seconds
    assert len(counts) >= 5 * (1 + 32)
    assert "takes values again" in inside.log.getvalue()
    assert inside.log.getvalue().count("[WARNING]") == 1


@pytest.mark.parametrize("failing", ["", "unreachable"])
def test_jeedom_sees_life_every_five_minutes(lab: Lab, inside: Inside, failing: str) -> None:
    """What it has is sent again while it is fresh; the connection's state also when the vendor is down."""
    connection = lab.connection("1", pollInterval=100, moving=False, values=3, failing=failing)
    assert inside.ask("configure", revision=1, connections=[connection])["ok"]
    lab.reports.wait("poll")
    begun = inside.clock.monotonic()
    while inside.clock.monotonic() - begun < 1000:
        inside.clock.advance(5)
        until(lambda: inside.clock.sleepers == 2 and (inside.clock.next_wake or 0) > 0)
    until(lambda: len(inside.daemon.services.outbox) == 0)
    states = [event for event in lab.server.of("connection") if event["state"] == (failing or "online")]
    assert 3 <= len(states) <= 5
    powers = [event for event in lab.server.of("values") if "power" in event["values"]]
    assert len(powers) == (0 if failing else len(states))
    assert all(event["values"] == powers[0]["values"] for event in powers)


def test_a_stepped_clock_stops_nothing(lab: Lab, inside: Inside) -> None:
    """An hour or a year, both ways: polls go on, values arrive, dates are those of the clock."""
    connection = lab.connection("1", pollInterval=1, values=1)
    assert inside.ask("configure", revision=1, connections=[connection])["ok"]
    lab.reports.wait("poll")
    polls = 1
    for step in (3600, -3600, 365 * 86400, -365 * 86400, -3600, 3600):
        inside.clock.step(step)
        for _ in range(3):
            inside.clock.advance(1.0)
            polls += 1
            lab.reports.wait("poll", polls)
            until(lambda: inside.clock.sleepers == 2 and (inside.clock.next_wake or 0) > 0)
        lab.server.wait_for(lambda polls=polls: lab.server.value("10", "power") >= polls - 1)
        status = inside.ask("status")["result"]
        assert status["uptime"] < 60
        assert status["connections"]["1"]["state"] == "online"
    assert "[ERROR]" not in inside.log.getvalue()
