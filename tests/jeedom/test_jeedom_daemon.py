"""The real daemon under a real Jeedom: start, end, and a simulated gateway from its first save on."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from jeedom_host import ROOT, Jeedom, Refused

from simulators.enlighten.cloud import Account, EnlightenCloud
from simulators.enlighten.key import EntrezKey
from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant

LEVEL = "config::save('log::level::jeenergie', ['default' => 0, $argv[1] => 1]);"
DROP_GUARD = "cache::byKey('deamonStartjeenergieinprogress')->remove();"


def until(true: Callable[[], Any], seconds: float = 20) -> Any:
    """Waits for something that another process does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen")


def pid(jeedom: Jeedom) -> int:
    return int(Path(jeedom.php("echo json_encode(DataFolder::path());"), "deamon.pid").read_text())


def running(jeedom: Jeedom) -> bool:
    return bool(jeedom.php("echo json_encode(jeenergie::deamon_info()['state'] === 'ok');"))


def start(jeedom: Jeedom) -> None:
    """As the button of the plugin's page does."""
    jeedom.php(DROP_GUARD)
    jeedom.core("plugin", action="deamonStart", id="jeenergie", forceRestart="1")


@pytest.fixture
def daemon(jeedom: Jeedom) -> Iterator[None]:
    if jeedom.php("echo json_encode(jeenergie::dependancy_info()['state']);") != "ok":
        pytest.skip("the dependencies are not installed there")
    start(jeedom)
    yield
    if not running(jeedom):
        start(jeedom)


def test_it_starts_and_stops_by_the_buttons(jeedom: Jeedom, daemon: None) -> None:
    assert running(jeedom)
    first = pid(jeedom)
    jeedom.core("plugin", action="deamonStop", id="jeenergie")
    assert not running(jeedom)
    assert not Path(f"/proc/{first}").exists() or "Z" in Path(f"/proc/{first}/status").read_text()
    start(jeedom)
    assert running(jeedom)
    assert pid(jeedom) != first


def test_its_command_line_and_the_logs_hold_no_key(jeedom: Jeedom, daemon: None) -> None:
    jeedom.own("daemon")
    everybody = subprocess.run(["ps", "auxww"], capture_output=True, text=True, check=True).stdout
    assert "jeenergied" in everybody
    assert jeedom.key not in everybody
    for log in Path(ROOT, "log").iterdir():
        if log.is_file():
            assert jeedom.key not in log.read_text(errors="replace"), log


def test_its_threads_share_what_memory_they_need(jeedom: Jeedom, daemon: None) -> None:
    variables = Path(f"/proc/{pid(jeedom)}/environ").read_bytes().split(b"\0")
    assert b"MALLOC_ARENA_MAX=2" in variables


def test_the_core_starts_a_killed_one_again(jeedom: Jeedom, daemon: None) -> None:
    os.kill(pid(jeedom), signal.SIGKILL)
    until(lambda: not running(jeedom))
    jeedom.php(DROP_GUARD + "plugin::checkDeamon();")
    assert running(jeedom)


def test_a_stale_pid_file_is_no_daemon(jeedom: Jeedom, daemon: None) -> None:
    jeedom.core("plugin", action="deamonStop", id="jeenergie")
    jeedom.php("file_put_contents(DataFolder::file('deamon.pid'), $argv[1]);", os.getpid())
    assert not running(jeedom)
    start(jeedom)
    assert running(jeedom)


def test_a_taken_port_is_said(jeedom: Jeedom, daemon: None) -> None:
    jeedom.core("plugin", action="deamonStop", id="jeenergie")
    with socket.create_server(("127.0.0.1", jeedom.php("echo Daemon::port();"))):
        sentence = jeedom.php(
            "try { jeenergie::deamon_start(); } catch (Exception $e) { echo json_encode($e->getMessage()); }"
        )
        info = jeedom.php("echo json_encode(plugin::byId('jeenergie')->deamon_info());")
        shown = jeedom.own("list")["daemon"]
        with pytest.raises(Refused, match="déjà utilisé par un autre programme"):
            jeedom.own("startDaemon")
    assert "déjà utilisé par un autre programme" in sentence
    assert (info["launchable"], info["launchable_message"]) == ("nok", sentence)
    assert (shown["state"], sentence in shown["text"]) == ("blocked", True)
    assert not running(jeedom)


def test_a_port_that_is_the_near_end_of_a_connection_is_said(jeedom: Jeedom, daemon: None) -> None:
    jeedom.core("plugin", action="deamonStop", id="jeenergie")
    near = socket.socket()
    with near, socket.create_server(("127.0.0.1", 0)) as far:
        near.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the daemon's own connections linger
        near.bind(("127.0.0.1", jeedom.php("echo Daemon::port();")))
        near.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        near.connect(far.getsockname())
        jeedom.php(DROP_GUARD)
        with pytest.raises(Refused, match="déjà utilisé par un autre programme"):
            jeedom.own("startDaemon")
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leaves nothing behind


def test_a_port_that_is_free_again_needs_no_one(jeedom: Jeedom, daemon: None) -> None:
    jeedom.core("plugin", action="deamonStop", id="jeenergie")
    with socket.create_server(("127.0.0.1", jeedom.php("echo Daemon::port();"))):
        jeedom.php(DROP_GUARD + "plugin::checkDeamon();")
        assert not running(jeedom)
    jeedom.php("plugin::checkDeamon();")  # no start was tried, so the core's guard of 45 s does not stand in the way
    assert running(jeedom)


def test_another_port_starts_what_a_taken_one_kept_down(jeedom: Jeedom, daemon: None) -> None:
    port = jeedom.php("echo Daemon::port();")
    jeedom.core("plugin", action="deamonStop", id="jeenergie")
    try:
        with socket.create_server(("127.0.0.1", port)):
            jeedom.php(DROP_GUARD)
            jeedom.core("config", action="addKey", plugin="jeenergie", value=json.dumps({"socketport": "24778"}))
            until(lambda: running(jeedom))
    finally:
        jeedom.core("config", action="addKey", plugin="jeenergie", value=json.dumps({"socketport": str(port)}))
    assert jeedom.own("daemon")["version"]


def test_too_early_a_start_is_said(jeedom: Jeedom, daemon: None) -> None:
    jeedom.core("plugin", action="deamonStop", id="jeenergie")
    lifted = jeedom.php("echo json_encode(config::byKey('dontProtectTooFastLaunchDeamony'));")
    jeedom.php(
        "config::save('dontProtectTooFastLaunchDeamony', 0);"
        "cache::set('deamonStartjeenergieinprogress', ['datetime' => time()]);"
    )
    try:
        with pytest.raises(Refused, match="45 secondes"):
            jeedom.own("startDaemon")
    finally:
        jeedom.php("config::save('dontProtectTooFastLaunchDeamony', $argv[1]);" + DROP_GUARD, lifted)
    jeedom.own("startDaemon")
    assert running(jeedom)


def test_another_port_takes_effect_at_once(jeedom: Jeedom, daemon: None) -> None:
    before, port = pid(jeedom), jeedom.php("echo Daemon::port();")
    jeedom.core("config", action="addKey", plugin="jeenergie", value=json.dumps({"socketport": "24777"}))
    assert until(lambda: running(jeedom) and pid(jeedom)) != before
    assert jeedom.own("daemon")["version"]
    jeedom.core("config", action="addKey", plugin="jeenergie", value=json.dumps({"socketport": str(port)}))
    assert jeedom.own("daemon")["version"]


def test_it_follows_the_log_level(jeedom: Jeedom, daemon: None) -> None:
    level = jeedom.php("echo json_encode(config::byKey('log::level::jeenergie'));")
    connection = jeedom.own("addConnection", backend="enphase", name="Test log level")["id"]
    log = Path(ROOT, "log", "jeenergie_daemon")
    try:
        jeedom.php(LEVEL, 400)
        start(jeedom)
        seen = len(log.read_text(errors="replace"))
        jeedom.php(LEVEL, 100)
        config = {"host": "127.0.0.1", "port": "9", "tokenMode": "manual", "token": "x"}
        form = {"id": connection, "isEnable": "1", "configuration": {"config": config}}
        jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))
        until(lambda: "[INFO] log level: debug" in log.read_text(errors="replace")[seen:])
        until(lambda: "[DEBUG]" in log.read_text(errors="replace")[seen:])
    finally:
        jeedom.php("jeenergie::byId($argv[1])->remove();", connection)
        jeedom.php("config::save('log::level::jeenergie', json_decode($argv[1], true));", json.dumps(level))


@pytest.fixture
def gateway() -> Iterator[dict[str, str]]:
    key = EntrezKey()
    account = Account("demo@example.org", "d3mo-password", ("122300000001",), "owner")
    plant = Plant(time.time, phases=1, inverters=2, hour=13.0)
    with EnlightenCloud(key, [account]) as cloud, EnphaseGateway(DaySource(plant), key=key) as box:
        yield {
            "host": "127.0.0.1",
            "port": box.url.rsplit(":", 1)[1],
            "user": "demo@example.org",
            "password": "d3mo-password",
            "pollInterval": "1",
            "loginUrl": cloud.url,
            "tokenUrl": cloud.url,
        }


def test_one_save_leads_to_equipment_with_values(jeedom: Jeedom, daemon: None, gateway: dict[str, str]) -> None:
    connection = jeedom.own("addConnection", backend="enphase", name="Test gateway")["id"]
    try:
        form = {"id": connection, "isEnable": "1", "configuration": {"config": gateway}}
        assert jeedom.own("test", connection={"backend": "enphase", "name": "x", "config": gateway})["text"]
        jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))

        def summary() -> Any:
            return next(each for each in jeedom.own("list")["connections"] if each["id"] == connection)

        until(lambda: len(summary()["equipment"]) >= 3)
        found = summary()["equipment"]
        assert sorted(each["type"] for each in found) == ["combined", "inverter", "inverter"]
        combined = next(each["id"] for each in found if each["type"] == "combined")
        power = (
            "$c = jeenergie::byId($argv[1])->getCmd('info', 'PwattsNow'); echo json_encode($c ? $c->execCmd() : null);"
        )
        assert until(lambda: jeedom.php(power, combined)) > 0
        assert until(lambda: summary()["state"])["state"] == "online"
        refresh = str(jeedom.php("echo jeenergie::byId($argv[1])->getCmd('action', 'refresh')->getId();", combined))
        jeedom.core("cmd", action="execCmd", id=refresh, value="{}")
        # What was found is not found again; a removed one is.
        rows = jeedom.own("discover", connection=connection)
        assert all(row["known"] for row in rows["equipment"])
        jeedom.core("eqLogic", action="remove", id=combined)
        rows = jeedom.own("discover", connection={**form["configuration"], "id": connection, "name": "Test gateway"})
        unknown = [row for row in rows["equipment"] if not row["known"]]
        assert [row["type"] for row in unknown] == ["combined"]
        assert len(jeedom.own("createDiscovered", connection=connection, equipment=unknown)["created"]) == 1
    finally:
        jeedom.php("jeenergie::byId($argv[1])->remove();", connection)
    assert connection not in jeedom.own("daemon")["connections"]
    for log in Path(ROOT, "log").iterdir():
        if log.is_file():
            assert "d3mo-password" not in log.read_text(errors="replace"), log
