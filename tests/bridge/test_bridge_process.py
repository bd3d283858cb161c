"""Pid file and signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from jeedom_bridge.process import AlreadyRunning, PidFile, on_stop_signals

HOLD = """
import sys
from pathlib import Path
from jeedom_bridge.process import AlreadyRunning, PidFile
pid = PidFile(Path(sys.argv[1]))
try:
    pid.acquire()
except AlreadyRunning:
    print("taken", flush=True)
    sys.exit(3)
print("mine", flush=True)
sys.stdin.read()
pid.release()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "daemon.pid"


def holder(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("", timeout=10)


class TestPidFile:
    def test_it_holds_the_pid_and_goes_at_the_end(self, path: Path) -> None:
        pid = PidFile(path)
        pid.acquire()
        assert path.read_text() == f"{os.getpid()}\n"
        pid.release()
        assert not path.exists()
        pid.release()

    def test_a_living_daemon_keeps_it(self, path: Path) -> None:
        process = holder(path)
        assert said(process) == "mine"
        with pytest.raises(AlreadyRunning, match=str(process.pid)):
            PidFile(path).acquire()
        assert path.read_text() == f"{process.pid}\n"
        end(process)
        assert not path.exists()

    def test_the_file_of_a_killed_daemon_is_taken_over(self, path: Path) -> None:
        process = holder(path)
        assert said(process) == "mine"
        process.kill()
        process.communicate(timeout=10)
        assert path.exists()
        pid = PidFile(path)
        pid.acquire()
        assert path.read_text() == f"{os.getpid()}\n"
        pid.release()

    def test_a_number_that_another_program_got_is_no_daemon(self, path: Path) -> None:
        path.write_text(f"{os.getppid()}\n")
        pid = PidFile(path)
        pid.acquire()
        pid.release()

    @pytest.mark.parametrize("content", [b"", b"nonsense", b"99999999999999999999", b"\xff" * 10000, b"-1"])
    def test_any_content_is_replaced(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        pid = PidFile(path)
        pid.acquire()
        assert path.read_text() == f"{os.getpid()}\n"
        pid.release()

    def test_a_directory_that_is_not_there_is_an_error(self, path: Path) -> None:
        with pytest.raises(OSError, match="No such file"):
            PidFile(path.parent / "nowhere" / "daemon.pid").acquire()

    def test_a_file_that_the_core_removed_is_no_problem_at_the_end(self, path: Path) -> None:
        pid = PidFile(path)
        pid.acquire()
        path.unlink()
        pid.release()
        assert not path.exists()

    def test_a_file_that_is_no_longer_ours_stays(self, path: Path) -> None:
        pid = PidFile(path)
        pid.acquire()
        path.unlink()
        path.write_text("another daemon's\n")
        pid.release()
        assert path.exists()

    def test_of_many_that_start_at_once_one_wins(self, path: Path) -> None:
        for _ in range(2):
            processes = [holder(path) for _ in range(6)]
            words = [said(process) for process in processes]
            assert sorted(words) == ["mine", *["taken"] * 5]
            for each in processes:
                end(each)

    def test_holding_and_freeing_at_once_never_gives_it_to_two(self, path: Path) -> None:
        """The file is removed while another one waits to lock it: the lock must be on the file that is there."""
        inside = threading.Lock()
        problems: list[str] = []
        held = [0]
        stop = time.monotonic() + 1.5

        def work() -> None:
            while time.monotonic() < stop:
                pid = PidFile(path)
                try:
                    pid.acquire()
                except AlreadyRunning:
                    continue
                if not inside.acquire(blocking=False):
                    problems.append("two hold it")
                else:
                    held[0] += 1
                    inside.release()
                pid.release()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert problems == []
        assert held[0] > 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_signal_asks_once_from_a_thread(number: signal.Signals) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    asked: list[tuple[str, bool]] = []
    told = threading.Event()

    def stop(name: str) -> None:
        asked.append((name, threading.current_thread() is threading.main_thread()))
        told.set()

    try:
        on_stop_signals(stop)
        for _ in range(3):
            os.kill(os.getpid(), number)
        assert told.wait(5)
        time.sleep(0.05)
        assert asked == [(number.name, False)]
    finally:
        signal.set_wakeup_fd(-1)
        for each, handler in before.items():
            signal.signal(each, handler)


TAKEN_BY_ANOTHER_THREAD = """
import signal, threading
from jeedom_bridge.process import on_stop_signals
done = threading.Event()
on_stop_signals(lambda name: done.set())
threading.Timer(0.2, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM)).start()
print(done.wait(60))
"""


def test_a_signal_that_another_thread_got_does_not_wait_for_the_main_one() -> None:
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", TAKEN_BY_ANOTHER_THREAD], capture_output=True, text=True, timeout=90, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
    assert time.monotonic() - begun < 50
