"""What a connection that fails or works tells Jeedom."""

from __future__ import annotations

import re
import time

import pytest

from tests.support.process import DaemonProcess, Lab

PASSWORD = "a-password-nobody-may-see"


class TestStates:
    @pytest.mark.parametrize(
        ("failing", "state", "errors"),
        [
            ("authentication", "authentication_failed", "authentication_failed"),
            ("unreachable", "unreachable", "unreachable"),
            ("limited", "waiting", "rate_limited"),
            ("vendor", "error", "vendor_error"),
            ("a mistake", "error", "internal"),
        ],
    )
    def test_a_failing_vendor_is_a_state_once(
        self, lab: Lab, daemon: DaemonProcess, failing: str, state: str, errors: str
    ) -> None:
        daemon.configure(lab.connection("1", failing=failing, pollInterval=0.1))
        lab.server.wait_for(lambda: [e for e in lab.server.of("connection") if e["state"] == state])
        event = next(e for e in lab.server.of("connection") if e["state"] == state)
        assert event["code"] == errors
        assert event["message"]
        assert ("until" in event) == (state == "waiting")
        time.sleep(0.5)
        assert len([e for e in lab.server.of("connection") if e["state"] == state]) == 1
        assert daemon.state()["state"] == state
        assert daemon.state()["lastError"] == event["message"]

    @pytest.mark.parametrize("what", ["test", "refresh"])
    def test_what_succeeds_ends_the_pause_of_a_refused_account(
        self, lab: Lab, daemon: DaemonProcess, what: str
    ) -> None:
        connection = lab.connection("1", failing="until tested", pollInterval=0.1)
        daemon.configure(connection)
        lab.server.wait_for(lambda: [e for e in lab.server.of("connection") if e["state"] == "authentication_failed"])
        assert daemon.ask(what, connection=connection if what == "test" else "1")["ok"]
        lab.server.wait_for(lambda: (lab.server.value("10", "power") or 0) > 2)
        assert daemon.state()["state"] == "online"

    def test_online_is_told_once(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", pollInterval=0.05))
        lab.server.wait_for(lambda: (lab.server.value("10", "power") or 0) > 10)
        states = [event["state"] for event in lab.server.of("connection")]
        assert states in (["connecting", "online"], ["online"])
        assert re.match(r"\d{4}-", daemon.state()["lastUpdate"])
        assert daemon.state()["counters"]["polls"] > 10
