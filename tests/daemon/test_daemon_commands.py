"""Every command of the socket, and every error it can be answered with."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.support import callback_server as answers
from tests.support.client import code, message
from tests.support.process import DaemonProcess, Lab, lab_connection
from tests.support.waiting import until

PASSWORD = "a-password-nobody-may-see"


class TestConfigure:
    def test_what_is_new_is_started_what_changed_updated_what_is_gone_stopped(
        self, lab: Lab, daemon: DaemonProcess
    ) -> None:
        one, two, three = (lab.connection(str(n)) for n in (1, 2, 3))
        assert daemon.configure(one, two) == {"started": ["1", "2"], "updated": [], "stopped": [], "unchanged": []}
        lab.reports.wait("poll", 2)
        changed = lab.connection("2", pollInterval=0.2)
        result = daemon.configure(changed, three, revision=2)
        assert result == {"started": ["3"], "updated": ["2"], "stopped": ["1"], "unchanged": []}
        result = daemon.configure(changed, three, revision=3)
        assert result == {"started": [], "updated": [], "stopped": [], "unchanged": ["2", "3"]}
        assert sorted(daemon.result("status")["connections"]) == ["2", "3"]
        assert daemon.configure(revision=4) == {"started": [], "updated": [], "stopped": ["2", "3"], "unchanged": []}
        until(lambda: {note["id"] for note in lab.reports.of("stop")} == {"1", "2", "3"})

    def test_an_older_revision_is_ignored(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1"), revision=5)
        assert daemon.configure(lab.connection("2"), revision=4)["unchanged"] == ["1"]
        assert list(daemon.result("status")["connections"]) == ["1"]
        assert daemon.configure(lab.connection("2"), revision=5)["started"] == ["2"]

    def test_other_equipment_interrupts_nothing(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", meters=1))
        lab.reports.wait("poll")
        result = daemon.configure(lab.connection("1", meters=3), revision=2)
        assert result["updated"] == ["1"]
        assert lab.reports.wait("changed")[0]["equipment"] == ["10", "11", "12"]
        assert len(lab.reports.of("start")) == 1
        assert lab.reports.of("stop") == []

    def test_other_settings_start_it_anew_once_the_former_life_has_ended(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", hang=1.0))
        lab.reports.wait("poll")
        assert daemon.configure(lab.connection("1", hang=0), revision=2)["updated"] == ["1"]
        assert not lab.reports.of("stop")
        lab.reports.wait("start", 2)
        notes = [note["what"] for note in lab.reports.notes if note["what"] in ("start", "stop")]
        assert notes == ["start", "stop", "start"]

    def test_settings_in_phps_clothes_are_the_same_settings(self, lab: Lab, daemon: DaemonProcess) -> None:
        first = lab.connection("1", pollInterval=5, moving=True)
        daemon.configure(first)
        texts = {**first, "config": {**first["config"], "pollInterval": "5", "moving": "1", "password": ""}}
        assert daemon.configure(texts, revision=2)["unchanged"] == ["1"]
        empty = {**first, "config": [], "commands": [], "equipment": []}
        assert daemon.configure(empty, revision=3)["updated"] == ["1"]

    def test_it_waits_for_no_vendor_and_no_callback(self, lab: Lab, daemon: DaemonProcess) -> None:
        lab.server.answer = answers.silence()
        daemon.configure(*(lab.connection(str(n), hang=20) for n in range(10, 30)))
        lab.reports.wait("poll", 20)
        begun = time.monotonic()
        result = daemon.configure(*(lab.connection(str(n), hang=19) for n in range(20, 40)), revision=2)
        assert time.monotonic() - begun < 10
        assert [len(result[kind]) for kind in ("started", "updated", "stopped")] == [10, 10, 10]

    def test_a_hundred_connections_are_configured_in_time(self, lab: Lab, daemon: DaemonProcess) -> None:
        connections = [
            lab_connection(str(n), meters=5, user=f"user{n}@example.org", password=f"password-of-{n}")
            for n in range(100, 200)
        ]
        used = daemon.cpu()
        assert len(daemon.configure(*connections)["started"]) == 100
        assert daemon.cpu() - used < 5
        used = daemon.cpu()
        assert len(daemon.configure(*connections, revision=2)["unchanged"]) == 100
        assert daemon.cpu() - used < 2

    def test_more_than_a_hundred_are_refused_and_nothing_changes(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1"))
        many = [lab_connection(str(n), meters=0) for n in range(101)]
        assert code(daemon.ask("configure", revision=2, connections=many)) == "invalid_message"
        assert list(daemon.result("status")["connections"]) == ["1"]

    @pytest.mark.parametrize("backend", ["nothing", "base", "../lab", "", "lab.device", "Lab", "os"])
    def test_an_unknown_system_is_refused(self, common_lab: Lab, common: DaemonProcess, backend: str) -> None:
        bad = {**common_lab.connection("2"), "backend": backend}
        assert code(common.ask("configure", revision=1, connections=[bad])) == "invalid_message"
        assert common.result("status")["connections"] == {}

    def test_a_connection_that_cannot_be_made_does_not_touch_the_others(self, lab: Lab, daemon: DaemonProcess) -> None:
        result = daemon.configure(lab.connection("1"), lab.connection("2", broken="in its making"), lab.connection("3"))
        assert {"1", "3"} <= set(result["started"])
        lab.server.wait_for(
            lambda: [e for e in lab.server.of("connection") if e["connection"] == "2" and e["state"] == "error"]
        )
        lab.reports.wait("poll", 2)
        assert "in its making" in daemon.log
        daemon.configure(lab.connection("1"), lab.connection("2"), lab.connection("3"), revision=2)
        lab.server.wait_for(
            lambda: [e for e in lab.server.of("connection") if e["connection"] == "2" and e["state"] == "online"]
        )

    def test_odd_settings_harm_nothing(self, lab: Lab, daemon: DaemonProcess) -> None:
        odd: list[dict[str, Any]] = [
            {"pollInterval": "nan"},
            {"pollInterval": "1e999"},
            {"pollInterval": 10**300},
            {"pollInterval": []},
            {"values": "-5"},
            {"user": {"a": [1]}},
            {"future": [[[]]]},
        ]
        connections = [lab.connection(str(number)) for number in range(len(odd) + 1)]
        for connection, config in zip(connections, odd):
            connection["config"].update(config)
        daemon.configure(*connections)
        until(lambda: {note["id"] for note in lab.reports.of("poll")} == {each["id"] for each in connections})

    def test_an_unknown_timezone_or_language_harms_nothing(self, lab: Lab, daemon: DaemonProcess) -> None:
        settings = {"timezone": "../../etc/passwd", "language": "../../etc/passwd"}
        daemon.configure(lab.connection("1"), settings=settings)
        lab.reports.wait("poll")
        answer = daemon.ask("forget", connection="1")
        assert answer["ok"]

    def test_values_reach_jeedom_and_only_those_of_its_commands(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", commands={"power": {}, "label": {}}, values=40))
        lab.server.wait_for(lambda: lab.server.value("10", "power"))
        names = {name for event in lab.server.of("values") if event["equipment"] == "10" for name in event["values"]}
        assert names == {"power", "label"}

    def test_a_command_that_jeedom_adds_gets_the_known_value_at_once(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", commands={"power": {}}))
        lab.server.wait_for(lambda: lab.server.value("10", "power"))
        daemon.configure(lab.connection("1", commands={"power": {}, "label": {}}), revision=2)
        lab.server.wait_for(lambda: lab.server.value("10", "label"))
        assert len(lab.reports.of("poll")) == 1

    def test_what_could_be_created_is_offered_once(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", commands={"power": {}, "set": {}}))
        lab.server.wait_for(lambda: lab.server.value("10", "power"))
        for slider in (1, 2, 3):
            daemon.result("action", equipment="10", command="set", options={"slider": slider, "extra": 5})
        lab.server.wait_for(lambda: lab.server.value("10", "power") == 3)
        assert lab.server.of("available") == [{"event": "available", "equipment": "10", "commands": ["extra"]}]
        daemon.configure(lab.connection("1", commands={"power": {}, "set": {}, "extra": {}}), revision=2)
        lab.server.wait_for(lambda: lab.server.value("10", "extra") == 5)

    def test_a_stopped_connection_is_silent(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", pollInterval=0.05), lab.connection("2", pollInterval=0.05))
        lab.server.wait_for(lambda: lab.server.value("20", "power") and lab.server.value("10", "power"))
        daemon.configure(lab.connection("2", pollInterval=0.05), revision=2)
        seen = len(lab.server.applied)
        last = lab.server.value("20", "power")
        lab.server.wait_for(lambda: lab.server.value("20", "power") > last + 10)
        later = [e for e in lab.server.applied[seen + 5 :] if e.get("equipment") in ("1", "10")]
        assert later == []

    def test_stopped_during_a_request_it_says_nothing_more(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", hang=0.5))
        lab.reports.wait("poll")
        daemon.configure(revision=2)
        lab.reports.wait("stop", timeout=5)
        time.sleep(0.3)
        assert lab.server.value("10", "power") is None
        assert [e["state"] for e in lab.server.of("connection")] == ["connecting"]


class TestForget:
    def test_it_stops_and_erases_the_store(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", tokens=True), lab.connection("2", tokens=True))
        lab.reports.wait("token", 2)
        assert daemon.result("forget", connection="1") == {}
        assert list(daemon.result("status")["connections"]) == ["2"]
        daemon.configure(lab.connection("1", tokens=True), lab.connection("2", tokens=True), revision=2)
        tokens = {note["id"]: note["number"] for note in lab.reports.wait("token", 3)[2:]}
        assert tokens == {"1": 1}

    def test_what_is_merely_absent_keeps_its_store(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", tokens=True))
        lab.reports.wait("token")
        daemon.configure(revision=2)
        daemon.configure(lab.connection("1", tokens=True), revision=3)
        assert [note["number"] for note in lab.reports.wait("token", 2)] == [1, 2]

    def test_an_unknown_connection_is_forgotten_too(self, common: DaemonProcess) -> None:
        assert common.result("forget", connection="nothing") == {}

    def test_a_request_under_way_does_not_bring_the_store_back(self, lab: Lab, daemon: DaemonProcess) -> None:
        """The answer with a new token may come after the user has removed the account."""
        daemon.configure(lab.connection("1", tokens=True, hang=0.4))
        lab.reports.wait("poll")
        daemon.result("forget", connection="1")
        lab.reports.wait("stop")
        lab.reports.clear()
        daemon.configure(lab.connection("1", tokens=True), revision=2)
        assert lab.reports.wait("token")[0]["number"] == 1

    def test_nor_does_one_of_a_connection_that_was_stopped_before(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", tokens=True, hang=0.5))
        lab.reports.wait("poll")
        daemon.configure(revision=2)
        daemon.result("forget", connection="1")
        lab.reports.wait("stop")
        lab.reports.clear()
        daemon.configure(lab.connection("1", tokens=True), revision=3)
        assert lab.reports.wait("token")[0]["number"] == 1


class TestAsking:
    def test_test_says_who_answered(self, lab: Lab, daemon: DaemonProcess) -> None:
        result = daemon.result("test", connection=lab.connection("9"))
        assert result == {"identity": {"serial": "L1"}, "text": "Le laboratoire répond"}
        assert daemon.result("status")["connections"] == {}
        assert lab.server.of("connection") == []

    @pytest.mark.parametrize(
        ("failing", "expected"),
        [
            ("authentication", "authentication_failed"),
            ("unreachable", "unreachable"),
            ("refused", "refused"),
            ("limited", "rate_limited"),
            ("vendor", "vendor_error"),
        ],
    )
    def test_every_failure_of_a_vendor_has_its_code(
        self, common_lab: Lab, common: DaemonProcess, failing: str, expected: str
    ) -> None:
        assert code(common.ask("test", connection=common_lab.connection("9", failing=failing))) == expected

    def test_the_running_connection_is_asked_when_its_settings_are_the_same(
        self, lab: Lab, daemon: DaemonProcess
    ) -> None:
        daemon.configure(lab.connection("1", hang=0.3))
        lab.reports.wait("poll")
        begun = time.monotonic()
        daemon.result("test", connection=lab.connection("1", hang=0.3))
        assert time.monotonic() - begun > 0.3  # after the poll that was under way
        daemon.result("test", connection=lab.connection("1"))  # other settings: not that one
        assert len(lab.reports.of("start")) == 1

    def test_discover_by_definition_and_by_id(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1"))
        for asked in ("1", lab.connection("9")):
            found = daemon.result("discover", connection=asked)["equipment"]
            assert [(each["type"], each["key"]) for each in found] == [("meter", "0"), ("meter", "1"), ("meter", "2")]
            assert found[0]["config"] == {"number": "0"}

    def test_run_tells_how_far_it_is(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1"))
        assert (
            daemon.result("run", connection="1", operation="import", options={"days": 7})["text"] == "7 jours importés"
        )
        lab.server.wait_for(lambda: [e for e in lab.server.of("progress") if e["percent"] == 100])

    def test_an_operation_that_crashes_is_internal_and_the_connection_goes_on(
        self, lab: Lab, daemon: DaemonProcess
    ) -> None:
        daemon.configure(lab.connection("1"))
        assert code(daemon.ask("run", connection="1", operation="crash")) == "internal"
        assert code(daemon.ask("run", connection="1", operation="nothing")) in ("refused", "invalid_message")
        assert daemon.result("run", connection="1", operation="import", options=[])

    @pytest.mark.parametrize("cmd", ["discover", "refresh"])
    def test_an_unknown_connection_is_said(self, common: DaemonProcess, cmd: str) -> None:
        assert code(common.ask(cmd, connection="77")) == "unknown_connection"
        assert code(common.ask("run", connection="77", operation="import")) == "unknown_connection"

    def test_two_that_ask_at_once_are_both_answered(self, lab: Lab, daemon: DaemonProcess) -> None:
        results: list[Any] = []
        threads = [
            threading.Thread(
                target=lambda: results.append(daemon.ask("test", connection=lab.connection("9", hang=1.0)))
            )
            for _ in range(8)
        ]
        begun = time.monotonic()
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert all(answer["ok"] for answer in results)
        assert time.monotonic() - begun < 7


class TestRest:
    def test_status_tells_what_runs(self, lab: Lab, daemon: DaemonProcess) -> None:
        status = daemon.result("status")
        assert status["version"]
        assert status["uptime"] >= 0
        assert status["outbox"] >= 0
        daemon.configure(lab.connection("1"))
        assert set(daemon.state()) == {"state", "since", "lastUpdate", "lastError", "oldest", "counters"}

    def test_the_log_level_switches_at_once(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1", user="me@example.org", password=PASSWORD))
        daemon.result("log", level="error")
        before = len(daemon.log)
        daemon.ask("refresh", connection="77")
        assert len(daemon.log) == before
        daemon.result("log", level="debug", extendedDebug=True)
        daemon.ask("refresh", connection="77")
        assert "socket: refresh" in daemon.log[before:]
        assert code(daemon.ask("log", level="loud")) == "invalid_message"

    def test_only_a_clear_yes_shows_secrets(self, lab: Lab, daemon: DaemonProcess) -> None:
        for revision, value in enumerate([False, 0, "0", "", "false", None], 1):
            daemon.ask("log", level="debug", unsecure=value)
            daemon.configure(lab.connection(str(revision), password=PASSWORD), revision=revision)
            assert f"configuration {revision}: " in daemon.log
            assert PASSWORD not in daemon.log, value

    def test_a_clear_yes_shows_them(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.result("log", level="debug", unsecure=True)
        daemon.configure(lab.connection("1", password=PASSWORD))
        assert PASSWORD in daemon.log

    def test_jeedom_can_change_the_level_with_an_acknowledgement(self, lab: Lab, daemon: DaemonProcess) -> None:
        lab.server.answer = answers.acknowledge(log="error")
        daemon.configure(lab.connection("1"))
        until(lambda: "log level: error" in daemon.log or "socket" not in _tail(daemon))
        before = len(daemon.log)
        daemon.ask("refresh", connection="77")
        assert len(daemon.log) == before

    def test_the_secret_of_an_operation_is_masked(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1"))
        for asked in ("1", lab.connection("9")):
            daemon.result("run", connection=asked, operation="import", options={"pin": PASSWORD, "days": 1})
        assert "'operation': 'import'" in daemon.log
        assert PASSWORD not in daemon.log

    def test_shutdown_is_answered_and_ends_it(self, lab: Lab, daemon: DaemonProcess) -> None:
        daemon.configure(lab.connection("1"))
        assert daemon.result("shutdown") == {}
        assert daemon.process.wait(5) == 0
        assert lab.server.of("daemon")[-1]["state"] == "stopping"

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"cmd": "nothing"}, "unknown_command"),
            ({"cmd": "x" * 100_000}, "unknown_command"),
            ({"cmd": "configure"}, "invalid_message"),
            ({"cmd": "configure", "revision": "1", "connections": []}, "invalid_message"),
            ({"cmd": "configure", "revision": -1, "connections": []}, "invalid_message"),
            ({"cmd": "configure", "revision": 1, "connections": {}}, "invalid_message"),
            ({"cmd": "configure", "revision": 1, "connections": [{}]}, "invalid_message"),
            ({"cmd": "configure", "revision": 1, "connections": [5]}, "invalid_message"),
            ({"cmd": "configure", "revision": 1, "connections": [], "settings": []}, "invalid_message"),
            ({"cmd": "forget"}, "invalid_message"),
            ({"cmd": "forget", "connection": 5}, "invalid_message"),
            ({"cmd": "forget", "connection": ""}, "invalid_message"),
            ({"cmd": "test", "connection": "1"}, "invalid_message"),
            ({"cmd": "test", "connection": {"id": "1"}}, "invalid_message"),
            ({"cmd": "discover"}, "invalid_message"),
            ({"cmd": "refresh"}, "invalid_message"),
            ({"cmd": "action", "equipment": "1"}, "invalid_message"),
            ({"cmd": "action", "equipment": "1", "command": ""}, "invalid_message"),
            ({"cmd": "action", "equipment": "1", "command": "x", "options": "y"}, "invalid_message"),
            ({"cmd": "run", "connection": "1"}, "invalid_message"),
            ({"cmd": "log", "level": 5}, "invalid_message"),
        ],
        ids=lambda value: str(value)[:60],
    )
    def test_a_wrong_message_is_said_to_be_wrong(
        self, common: DaemonProcess, fields: dict[str, Any], expected: str
    ) -> None:
        assert code(common.ask(**fields)) == expected
        assert common.ask("status")["ok"]

    def test_unknown_fields_are_ignored(self, lab: Lab, daemon: DaemonProcess) -> None:
        connection = {**lab.connection("1"), "future": {"x": 1}}
        assert daemon.result("configure", revision=1, connections=[connection], future=5)["started"] == ["1"]

    @pytest.mark.parametrize("odd", [None, 5, "x", [5], {"a": 1}, [{"id": "1"}]])
    def test_fields_of_another_command_are_ignored(self, common: DaemonProcess, odd: Any) -> None:
        fields = {"connections": odd, "connection": odd, "operation": odd, "options": odd, "level": odd}
        assert common.ask("status", **fields)["ok"]
        assert common.ask("forget", **{**fields, "connection": "5"})["ok"]
        assert "Traceback" not in common.log

    def test_ids_are_echoed_in_order(self, common: DaemonProcess) -> None:
        with common.peer() as peer:
            peer.send(b"".join(message("status", id=number) for number in range(20)))
            assert [(peer.read() or {})["id"] for _ in range(20)] == list(range(20))


def _tail(daemon: DaemonProcess) -> str:
    before = len(daemon.log)
    daemon.ask("refresh", connection="77")
    return daemon.log[before:]
