"""Refreshes, actions and operations of a running connection."""

from __future__ import annotations

import time

import pytest

from tests.support.client import code, message
from tests.support.process import DaemonProcess, Lab

PASSWORD = "a-password-nobody-may-see"


class TestActing:
    def test_refresh_by_connection_and_by_equipment(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1"))
        lab.reports.wait("poll")
        assert daemon.result("refresh", connection="1") == {}
        assert daemon.result("refresh", equipment="10") == {}
        assert daemon.result("refresh", equipment="1") == {}
        assert len(lab.reports.of("poll")) == 4
        lab.server.wait_for(lambda: lab.server.value("10", "power") == 4)

    def test_refresh_is_an_action_too(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1"))
        lab.reports.wait("poll")
        assert daemon.result("action", equipment="10", command="refresh") == {}
        assert len(lab.reports.of("poll")) == 2

    def test_a_failed_refresh_says_why(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", failing="unreachable"))
        assert code(daemon.ask("refresh", connection="1")) == "unreachable"

    def test_an_action_reaches_the_device_with_its_options(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1"))
        assert daemon.result("action", equipment="10", command="set", options={"slider": "16"}) == {}
        note = lab.reports.wait("act")[0]
        assert (note["command"], note["options"]) == ("set", {"slider": "16"})
        for options in (None, [], {}):
            daemon.ask("action", equipment="10", command="warn", options=options)
        assert [note["options"] for note in lab.reports.wait("act", 4)[1:]] == [{}, {}, {}]

    def test_an_action_that_is_turned_down(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1"))
        assert code(daemon.ask("action", equipment="10", command="refuse")) == "refused"

    def test_an_action_that_crashes_is_internal_without_the_secret(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", password=PASSWORD))
        answer = daemon.ask("action", equipment="10", command="explode")
        assert code(answer) == "internal"
        assert PASSWORD not in str(answer)
        assert "exploded" in daemon.log
        assert PASSWORD not in daemon.log
        assert daemon.ask("action", equipment="10", command="set", options={"slider": 1})["ok"]

    @pytest.mark.parametrize("command", ["power", "nothing", "x" * 1000, "state"])
    def test_what_is_no_action_is_unknown(self, lab: Lab, daemon: DaemonProcess, command: str) -> None:
        daemon.configure(lab.connection("1"))
        assert code(daemon.ask("action", equipment="10", command=command)) == "unknown_action"

    def test_an_unknown_equipment_is_said(self, lab: Lab, daemon: DaemonProcess) -> None:
        assert code(daemon.ask("action", equipment="77", command="set")) == "unknown_equipment"
        assert code(daemon.ask("refresh", equipment="77")) == "unknown_equipment"

    def test_a_trigger_reaches_jeedom_with_its_end(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1"))
        daemon.result("action", equipment="10", command="warn", options={"message": "hot"})
        event = lab.server.wait_events("trigger")[0]
        assert (event["equipment"], event["name"], event["value"]) == ("10", "alarm", "hot")
        assert event["at"] < event["expires"]


class TestPatience:
    """A vendor that hangs: each command has its limit, here half a second."""

    @pytest.fixture
    def hanging(self, lab: Lab) -> DaemonProcess:
        daemon = lab.daemon(environment={"LAB_PATIENCE": "0.5"})
        daemon.configure(lab.connection("1", hang=1.2))
        lab.reports.wait("poll")
        return daemon

    def test_an_action_that_was_given_up_is_never_done(self, lab: Lab, hanging: DaemonProcess) -> None:
        begun = time.monotonic()
        assert code(hanging.ask("action", equipment="10", command="set", options={"slider": 5})) == "timeout"
        assert time.monotonic() - begun > 0.4
        lab.server.wait_for(lambda: lab.server.value("10", "power"))
        hanging.result("action", equipment="10", command="set", options={"slider": 6})
        assert [note["options"]["slider"] for note in lab.reports.of("act")] == [6]

    def test_a_refresh_goes_on_and_says_so(self, lab: Lab, hanging: DaemonProcess) -> None:
        assert hanging.result("refresh", connection="1") == {"accepted": True}
        lab.reports.wait("poll", 2)

    @pytest.mark.parametrize("cmd", ["test", "discover", "run"])
    def test_what_asks_a_vendor_is_given_up(self, lab: Lab, hanging: DaemonProcess, cmd: str) -> None:
        asked = "1" if cmd != "test" else lab.connection("9", hang=1)
        assert code(hanging.ask(cmd, connection=asked, operation="import")) == "timeout"

    def test_one_that_is_stopped_meanwhile_answers_at_once(self, lab: Lab) -> None:
        hanging = lab.daemon()
        hanging.configure(lab.connection("1", hang=20))
        lab.reports.wait("poll")
        with hanging.peer() as peer:
            peer.send(message("action", equipment="10", command="set", options={"slider": 5}))
            time.sleep(0.1)
            hanging.configure(revision=2)
            answer = peer.read()
            assert answer is not None
            assert code(answer) == "unknown_connection"
