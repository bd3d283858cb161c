"""Starting and ending a real daemon process: exit codes, and one clear line for each failure."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support import callback_server as answers
from tests.support.client import KEY
from tests.support.process import DaemonProcess, Lab, free_port
from tests.support.waiting import until

pytestmark = pytest.mark.cold


def failed(daemon: DaemonProcess, code: int, words: str) -> None:
    """It ended with this code, and said why on one line of each output."""
    assert daemon.process.wait(15) == code, daemon.log + daemon.errors
    lines = daemon.errors.splitlines()
    assert len(lines) == 1, daemon.errors
    assert words in lines[0]
    assert "Traceback" not in daemon.log
    critical = [line for line in daemon.log.splitlines() if "[CRITICAL]" in line]
    assert len(critical) == 1
    assert lines[0] in critical[0]


class TestStart:
    def test_jeedom_is_told_of_the_start_and_of_the_end(self, lab: Lab) -> None:
        daemon = lab.daemon()
        started = lab.server.wait_events("daemon")[0]
        assert started["state"] == "started"
        assert started["version"]
        assert daemon.stop() == 0
        assert [event["state"] for event in lab.server.of("daemon")] == ["started", "stopping"]
        assert daemon.errors == ""
        assert not daemon.pid.exists()

    def test_the_pid_file_holds_its_pid(self, lab: Lab) -> None:
        daemon = lab.daemon()
        assert daemon.pid.read_text() == f"{daemon.process.pid}\n"

    def test_the_module_itself_runs(self, lab: Lab) -> None:
        daemon = lab.daemon(module="jeenergied")
        assert daemon.result("status")["connections"] == {}
        assert daemon.stop() == 0

    def test_the_key_is_in_no_command_line_and_no_log(self, lab: Lab) -> None:
        daemon = lab.daemon("--extendeddebug")
        lab.server.wait_events("daemon")
        arguments = Path(f"/proc/{daemon.process.pid}/cmdline").read_text()
        assert KEY not in arguments
        daemon.stop()
        assert KEY not in daemon.log

    def test_it_starts_without_a_jeedom_and_finds_it_later(self, lab: Lab) -> None:
        lab.server.leave()
        daemon = lab.daemon()
        daemon.wait_log("does not take the values")
        assert daemon.result("status")["callbackError"]
        lab.server.listen()
        daemon.ask("status")  # as Jeedom's heartbeat does
        lab.server.wait_events("daemon", timeout=10)
        until(lambda: daemon.result("status")["callbackError"] is None)

    def test_its_directories_are_made(self, lab: Lab, tmp_path: Path) -> None:
        daemon = lab.daemon(datadir=tmp_path / "a" / "b" / "data", pid=tmp_path / "c" / "d.pid")
        assert (tmp_path / "a" / "b" / "data").is_dir()
        assert daemon.pid.exists()

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_it_stops_in_order_at_a_signal(self, lab: Lab, number: signal.Signals) -> None:
        daemon = lab.daemon()
        daemon.configure(lab.connection(pollInterval=0.2))
        lab.reports.wait("poll")
        begun = time.monotonic()
        daemon.process.send_signal(number)
        assert daemon.process.wait(30) == 0
        assert time.monotonic() - begun < 10
        assert lab.server.of("daemon")[-1]["state"] == "stopping"
        assert lab.reports.of("stop")

    def test_a_hanging_vendor_and_a_hanging_jeedom_do_not_hold_up_the_end(self, lab: Lab) -> None:
        daemon = lab.daemon()
        daemon.configure(*(lab.connection(str(n), hang=60) for n in range(1, 6)))
        lab.reports.wait("poll", 5)
        lab.server.answer = answers.silence()
        daemon.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert daemon.process.wait(30) == 0
        assert time.monotonic() - begun < 20

    def test_a_signal_right_at_the_start_ends_it(self, lab: Lab) -> None:
        for number in range(4):
            daemon = lab.launch(name=f"early{number}")
            until(lambda daemon=daemon: daemon.pid.exists())
            time.sleep(0.05 * number)
            daemon.process.send_signal(signal.SIGTERM)
            assert daemon.process.wait(10) in (0, -signal.SIGTERM)


class TestUnusable:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--unknown"], "--unknown"),
            (["--sockethost", "0.0.0.0"], "loopback"),
            (["--cycle", "-1"], "--cycle"),
            (["--socketport", "99999"], "port"),
            (["--loglevel", "loud"], "loud"),
            (["--apikey"], "--apikey"),
        ],
    )
    def test_unusable_options_are_code_2(self, lab: Lab, options: list[str], words: str) -> None:
        failed(lab.launch(*options), 2, words)

    def test_no_key_is_code_2(self, lab: Lab) -> None:
        failed(lab.launch(key=None), 2, "JEEDOM_APIKEY")

    def test_a_key_among_unusable_options_is_masked(self, lab: Lab) -> None:
        daemon = lab.launch("--apikey=0123456789-secret", "--oops=0123456789-secret", key=None)
        assert daemon.process.wait(15) == 2
        assert "0123456789-secret" not in daemon.errors + daemon.log

    def test_a_file_where_the_data_directory_should_be_is_code_2(self, lab: Lab, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        failed(lab.launch(datadir=tmp_path / "file"), 2, "directory")
        failed(lab.launch(name="below", datadir=tmp_path / "file" / "data"), 2, "directory")

    def test_a_file_where_the_directory_of_the_pid_file_should_be_is_code_2(self, lab: Lab, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        failed(lab.launch(pid=tmp_path / "file" / "daemon.pid"), 2, "directory")

    def test_a_directory_where_the_pid_file_should_be_is_code_2(self, lab: Lab, tmp_path: Path) -> None:
        (tmp_path / "daemon.pid").mkdir()
        failed(lab.launch(pid=tmp_path / "daemon.pid"), 2, "pid file")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_directory_without_the_right_to_write_is_code_2(self, lab: Lab, tmp_path: Path) -> None:
        (tmp_path / "closed").mkdir(mode=0o500)
        failed(lab.launch(datadir=tmp_path / "closed"), 2, "directory")

    def test_an_incomplete_installation_is_code_1(self, lab: Lab, tmp_path: Path) -> None:
        daemon = lab.launch(environment={"LAB_CORE": str(tmp_path / "nowhere")})
        assert daemon.process.wait(15) == 1
        assert len(daemon.errors.splitlines()) == 1
        assert "ContractError" in daemon.errors

    def test_a_log_level_of_none_still_says_why_on_standard_error(self, lab: Lab, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        daemon = lab.launch(datadir=tmp_path / "file", loglevel="none")
        assert daemon.process.wait(15) == 2
        assert "directory" in daemon.errors
        assert daemon.log == ""


class TestTaken:
    def test_a_port_in_use_is_code_3(self, lab: Lab) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            daemon = lab.launch(port=other.getsockname()[1])
            failed(daemon, 3, str(other.getsockname()[1]))
        assert not daemon.pid.exists()

    def test_a_daemon_that_runs_already_is_code_3_and_not_disturbed(self, lab: Lab) -> None:
        first = lab.daemon()
        failed(lab.launch(name="second", pid=first.pid), 3, str(first.process.pid))
        assert first.ask("status")["ok"]
        assert first.pid.read_text() == f"{first.process.pid}\n"

    def test_the_pid_file_of_a_killed_daemon_is_taken_over(self, lab: Lab) -> None:
        first = lab.daemon()
        first.kill()
        assert first.pid.exists()
        second = lab.daemon(name="second", pid=first.pid, port=first.port)
        assert second.ask("status")["ok"]

    def test_a_reused_pid_is_no_daemon(self, lab: Lab, tmp_path: Path) -> None:
        (tmp_path / "old.pid").write_text(f"{os.getpid()}\n")
        assert lab.daemon(pid=tmp_path / "old.pid").ask("status")["ok"]

    def test_of_two_started_at_once_one_runs(self, lab: Lab, tmp_path: Path) -> None:
        port = free_port()
        pair = [lab.launch(name=f"twin{n}", pid=tmp_path / "twin.pid", port=port) for n in range(2)]
        until(lambda: any(each.process.poll() is not None for each in pair), 15)
        loser, winner = sorted(pair, key=lambda each: each.process.poll() is None)
        assert loser.process.wait(10) == 3
        winner.ready()

    def test_a_restart_while_the_former_one_still_stops(self, lab: Lab) -> None:
        """Jeedom waits for the end before it starts anew, but not for ever."""
        first = lab.daemon()
        first.configure(lab.connection(hang=30))
        lab.reports.wait("poll")
        lab.server.answer = answers.silence()
        first.process.send_signal(signal.SIGTERM)
        codes = []
        lab.server.release.set()
        for number in range(40):
            daemon = lab.launch(name=f"next{number}", pid=first.pid, port=first.port)
            until(lambda daemon=daemon: daemon.process.poll() is not None or _listens(daemon), 15)
            if daemon.process.poll() is None:
                break
            codes.append(daemon.process.returncode)
        assert set(codes) <= {3}
        assert daemon.ready().pid.read_text() == f"{daemon.process.pid}\n"
        assert first.process.wait(10) == 0
        assert daemon.pid.exists()


def _listens(daemon: DaemonProcess) -> bool:
    try:
        return bool(daemon.ask("status", timeout=1.0)["ok"]) and daemon.pid.read_text() == f"{daemon.process.pid}\n"
    except (OSError, AssertionError):
        return False


def test_nothing_is_printed_by_python_itself(lab: Lab) -> None:
    """What a thread lets escape goes through the log and its mask, not to standard error."""
    daemon = lab.daemon()
    threads: list[Any] = [threading.Thread(target=daemon.ask, args=("status",)) for _ in range(5)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    daemon.stop()
    assert daemon.errors == ""


def test_output_that_nobody_reads_ends_nothing(lab: Lab, tmp_path: Path) -> None:
    """Jeedom's log file may be on a disk that is full."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    daemon = lab.launch()
    daemon.kill()
    with Path("/dev/full").open("wb") as full:
        port = free_port()
        command = [sys.executable, "-m", "jeenergied", "--callback", lab.server.url, "--socketport", str(port)]
        command += ["--pid", str(tmp_path / "f.pid"), "--datadir", str(tmp_path / "fd"), "--loglevel", "debug"]
        process = subprocess.Popen(command, stdout=full, stderr=full, env={**os.environ, "JEEDOM_APIKEY": KEY})
    try:
        lab.server.wait_events("daemon")
        daemon.port = port
        until(lambda: _status(daemon))
    finally:
        process.terminate()
    assert process.wait(10) == 0


def test_a_start_that_fails_on_a_full_disk_ends_with_its_code(lab: Lab, tmp_path: Path) -> None:
    """What tells the reason is on the same disk."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    (tmp_path / "f.pid").mkdir()
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "jeenergied", "--callback", lab.server.url, "--socketport", str(free_port())]
        command += ["--pid", str(tmp_path / "f.pid"), "--datadir", str(tmp_path / "fd")]
        done = subprocess.run(command, stdout=full, stderr=full, env={**os.environ, "JEEDOM_APIKEY": KEY}, check=False)
    assert done.returncode == 2


def _status(daemon: DaemonProcess) -> bool:
    try:
        return bool(daemon.ask("status")["ok"])
    except OSError:
        return False


def test_a_daemon_loads_what_its_connections_need_and_no_more() -> None:
    """The library of most backends is a quarter of the start, and several MiB; a WES needs none of it."""
    later = {"requests", "urllib3", "websocket", "jeenergied.api.diagnostics", "jeenergied.api.anonymous", "csv"}
    code = f"import sys, jeenergied.daemon; print(sorted({later} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
