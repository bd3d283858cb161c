"""A daemon by three hooks, in this process: what is called when, and what a failure leads to."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge import App, CommandError, Logs, Masker, Options
from jeedom_bridge.process import FolderLock
from tests.support.callback_server import CallbackServer
from tests.support.waiting import until

KEY = "k" * 32


class Notes(App):
    """Notes what is called."""

    plugin = "notes"
    watch_s = 0.02

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.calls: list[str] = []
        self.ticks = 0

    def tick(self) -> None:
        self.ticks += 1
        if self.ticks == 1:
            raise RuntimeError("once")

    def on_start(self) -> None:
        self.calls.append("start")
        self.every(0.02, self.tick)

    def on_message(self, command: str, message: Mapping[str, Any]) -> dict[str, Any]:
        if command == "no":
            raise CommandError("refused", "Non")
        return {"echo": command}

    def on_stop(self) -> None:
        self.calls.append("stop")
        self.outbox.event({"event": "daemon", "state": "stopping"})


@pytest.fixture
def server() -> Iterator[CallbackServer]:
    with CallbackServer() as made:
        yield made


def options(folder: Path, callback: str, *more: str) -> Options:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    arguments = ["--callback", callback, "--socketport", port, "--pid", str(folder / "pid"), "--datadir", str(folder)]
    return Options.parse([*arguments, *more], {"JEEDOM_APIKEY": KEY}, "notes")


def ask(port: int, command: str) -> dict[str, Any]:
    with socket.create_connection(("127.0.0.1", port), 5) as peer:
        peer.sendall(json.dumps({"apikey": KEY, "cmd": command}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(peer.makefile().readline())
        return answer


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def app(tmp_path: Path, server: CallbackServer, log: io.StringIO) -> Iterator[Notes]:
    home = FolderLock(tmp_path)
    home.acquire()
    made = Notes(options(tmp_path, server.url), Logs(Masker(), ("tests",), log), home=home)
    made.bind()
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop("the test is over")
    thread.join(10)
    assert not thread.is_alive()
    home.release()


def test_messages_are_answered_or_refused(app: Notes) -> None:
    assert ask(app.port, "hello")["result"] == {"echo": "hello"}
    assert ask(app.port, "no")["error"] == {"code": "refused", "message": "Non"}


def test_the_hooks_are_called_once_and_what_the_last_one_tells_still_leaves(app: Notes, server: CallbackServer) -> None:
    until(lambda: app.calls == ["start"])
    app.stop("asked")
    app.stop("again")
    until(lambda: app.calls == ["start", "stop"])
    assert server.wait_events("daemon")[0]["state"] == "stopping"


def test_a_job_that_fails_is_logged_and_runs_again(app: Notes, log: io.StringIO) -> None:
    until(lambda: app.ticks >= 3)
    assert "RuntimeError: once" in log.getvalue()


def test_a_daemon_whose_data_folder_is_gone_ends(app: Notes, tmp_path: Path) -> None:
    until(lambda: app.calls == ["start"])
    moved = tmp_path.with_name(tmp_path.name + "-moved")
    tmp_path.rename(moved)
    until(lambda: "stop" in app.calls)
    moved.rename(tmp_path)


def test_a_start_that_fails_is_told_on_standard_error_with_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Notes):
        def on_start(self) -> None:
            raise RuntimeError("no way")

    monkeypatch.setattr("jeedom_bridge.app.on_stop_signals", lambda stop: None)
    given = options(tmp_path, "http://127.0.0.1:1/")
    arguments = ["--callback", given.callback, "--socketport", str(given.socketport)]
    arguments += ["--pid", str(given.pid), "--datadir", str(given.datadir)]
    assert Broken.main(arguments, {"JEEDOM_APIKEY": KEY}) == 1
    assert "no way" in capsys.readouterr().err
    assert Broken.main(arguments[:2], {"JEEDOM_APIKEY": KEY}) == 2
