"""What happens to a Jeedom over the years: swept folders, another Python, a wrong address, a new key, an update.

Run as root, which may break the machine's settings for a moment and mends them again.
"""

from __future__ import annotations

import html
import json
import os
import shutil
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromium
import pytest
from cryptography import x509
from jeedom_host import ROOT, URL, Jeedom
from test_jeedom_daemon import DROP_GUARD, pid, running, start, until

from simulators.server import LoopbackServer, Request, Response
from tests.support.certificates import certificate

PLUGIN = Path(ROOT, "plugins/jeenergie")
OWN = PLUGIN / "data/daemon"
MESSAGE = "echo json_encode(array_map(fn($m) => $m->getMessage(), message::byPluginLogicalId('jeenergie', $argv[1])));"
ADDRESS = ("internalProtocol", "internalAddr", "internalPort", "internalComplement")
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can do to a machine what happens to it")


@pytest.fixture
def daemon(jeedom: Jeedom) -> Iterator[None]:
    if jeedom.php("echo json_encode(jeenergie::dependancy_info()['state']);") != "ok":
        pytest.skip("the dependencies are not installed there")
    start(jeedom)
    until(lambda: status(jeedom)["callback"]["error"] is None and status(jeedom)["outbox"] == 0)
    yield
    if not running(jeedom):
        start(jeedom)


def status(jeedom: Jeedom) -> dict[str, Any]:
    return dict(jeedom.own("daemon"))


def minute(jeedom: Jeedom) -> None:
    """What the core runs every minute."""
    jeedom.php("jeenergie::cron();")


def daemons() -> list[int]:
    """Pids of all daemons that work on this Jeedom's data."""
    found = subprocess.run(["pgrep", "-f", f"jeenergied.*{OWN}"], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def told(jeedom: Jeedom) -> str:
    return html.unescape(" ".join(jeedom.php(MESSAGE, "jeenergie::reach")))


def look_at_the_list() -> None:
    """The plugin's page says it as well, with a way to the settings."""
    place = "#div_jeenergieDaemon"
    with chromium.Chromium() as browser:
        browser.sign_in(URL, "admin", "admin")
        browser.goto(URL + "/index.php?v=d&m=jeenergie&p=jeenergie")
        browser.until(f"document.querySelector('{place}')?.innerText.includes('hors d')")
        assert "http://127.0.0.1:9/core/api/jeeApi.php" in browser.text(place)
        if "JEEDOM_SHOTS" in os.environ:
            browser.screenshot(Path(os.environ["JEEDOM_SHOTS"], "unheard.png"))
        browser.click(f"{place} .btn, .jnFirstSteps .btn", "Accès interne")
        browser.until("document.querySelector('#networktab')?.getClientRects().length")


class TestFiles:
    def test_a_daemon_whose_pid_file_was_swept_away_is_seen_and_ended(self, jeedom: Jeedom, daemon: None) -> None:
        first = pid(jeedom)
        (OWN / "deamon.pid").unlink()
        assert running(jeedom)
        assert jeedom.own("list")["daemon"]["state"] == "running"
        jeedom.php(DROP_GUARD + "plugin::checkDeamon();")
        assert daemons() == [first]
        jeedom.core("plugin", action="deamonStop", id="jeenergie")
        assert daemons() == []
        start(jeedom)
        assert len(daemons()) == 1

    def test_another_temporary_folder_changes_nothing(self, jeedom: Jeedom, daemon: None) -> None:
        first = pid(jeedom)
        before = jeedom.php("echo json_encode(config::byKey('folder::tmp'));")
        try:
            jeedom.php(
                "config::save('folder::tmp', $argv[1]); touch(jeedom::getTmpFolder() . '/started');", before + "x"
            )
            assert running(jeedom)
            jeedom.php(DROP_GUARD + "plugin::byId('jeenergie')->deamon_start(true);")
            assert len(daemons()) == 1
            assert daemons() != [first]
        finally:
            jeedom.php("config::save('folder::tmp', $argv[1]);", before)
            shutil.rmtree(before + "x", ignore_errors=True)

    def test_a_daemon_of_the_version_before_is_ended_by_a_start(self, jeedom: Jeedom, daemon: None) -> None:
        """Its pid file was elsewhere."""
        jeedom.core("plugin", action="deamonStop", id="jeenergie")
        port = jeedom.php("echo Daemon::port();", decode=False)
        command = ["sudo", "-u", "www-data", f"JEEDOM_APIKEY={jeedom.key}", PLUGIN / "resources/python_venv/bin/python"]
        command += ["-m", "jeenergied", "--callback", f"{URL}/core/api/jeeApi.php", "--socketport", port]
        command += ["--pid", "/tmp/jeenergie-former.pid", "--datadir", OWN]
        former = subprocess.Popen(command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: Path("/tmp/jeenergie-former.pid").exists() and running(jeedom))
            start(jeedom)
            assert former.wait(10) is not None
            assert len([each for each in daemons() if Path(f"/proc/{each}").exists()]) == 1
        finally:
            former.kill()

    def test_deactivation_ends_one_that_no_file_tells_of(self, jeedom: Jeedom, daemon: None) -> None:
        (OWN / "deamon.pid").unlink()
        try:
            jeedom.core("plugin", action="toggle", id="jeenergie", state="0")
            assert daemons() == []
        finally:
            jeedom.core("plugin", action="toggle", id="jeenergie", state="1")
            jeedom.read_key()

    def test_nothing_of_ours_lies_where_everybody_may_write(self, jeedom: Jeedom, daemon: None) -> None:
        folder = Path(jeedom.php("echo json_encode(jeedom::getTmpFolder());"), "jeenergie")
        ours = ("deamon.pid", "deamon.err", "callback.json", "configure.lock")
        for name in ours:
            (folder / name).unlink(missing_ok=True)
        jeedom.post({"event": "values", "equipment": "999999", "at": "2026-01-01T00:00:00Z", "values": {"x": 1}})
        start(jeedom)
        assert [name for name in ours if (folder / name).exists()] == []
        assert OWN.stat().st_mode & 0o777 == 0o700
        web = Path(ROOT, "index.php").stat().st_uid
        assert {each.stat().st_uid for each in (OWN, *OWN.iterdir())} == {web}

    def test_a_log_that_was_removed_is_written_anew(self, jeedom: Jeedom, daemon: None) -> None:
        log = Path(ROOT, "log/jeenergie_daemon")
        jeedom.core("log", action="remove", log="jeenergie_daemon")
        assert not log.exists()
        jeedom.php("Socket::request('log', ['level' => 'debug']); Socket::request('log', []);")
        until(lambda: log.exists() and "[DEBUG] socket: log" in log.read_text())
        jeedom.php("Socket::request('log', ['level' => Daemon::logLevel()]);")

    def test_a_log_that_cannot_be_written_is_told_as_that(self, jeedom: Jeedom, daemon: None) -> None:
        log = Path(ROOT, "log/jeenergie_daemon")
        jeedom.core("plugin", action="deamonStop", id="jeenergie")
        owner = log.stat().st_uid
        os.chown(log, 0, 0)
        log.chmod(0o644)
        try:
            info = jeedom.php("echo json_encode(plugin::byId('jeenergie')->deamon_info());")
            assert info["launchable"] == "nok"
            assert "Le log jeenergie_daemon ne peut pas être écrit" in info["launchable_message"]
            assert info["launchable_message"] in jeedom.own("list")["daemon"]["text"]
        finally:
            os.chown(log, owner, owner)


class TestEnvironment:
    def test_another_python_is_noticed_and_jeedom_installs_by_itself(self, jeedom: Jeedom, daemon: None) -> None:
        """As after an upgrade of Debian: the interpreter looks for its packages in a folder that is not there."""
        assert jeedom.php("echo json_encode(plugin::byId('jeenergie')->dependancy_info()['state']);") == "ok"
        packages = next((PLUGIN / "resources/python_venv/lib").glob("python3.*"))
        packages.rename(packages.with_name("python3.1"))
        minute(jeedom)
        info = jeedom.php("echo json_encode(plugin::byId('jeenergie')->dependancy_info());")
        assert info["state"] == "nok"
        jeedom.php(
            "config::save('lastDependancyInstallTime', '2026-01-01 00:00:00', 'jeenergie'); plugin::checkDeamon();"
        )
        assert daemons() == []
        until(lambda: jeedom.php("echo json_encode(jeenergie::dependancy_info()['state']);") == "ok", 240)
        until(lambda: not (OWN / "install.progress").exists(), 30)
        jeedom.php(DROP_GUARD + "jeenergie::cron();")
        assert running(jeedom)

    def test_an_installation_that_was_cut_off_does_not_last_for_ever(self, jeedom: Jeedom, daemon: None) -> None:
        (OWN / "install.progress").write_text("40")
        assert jeedom.php("echo json_encode(plugin::byId('jeenergie')->dependancy_info(true)['state']);") == "ok"


@pytest.fixture
def address(jeedom: Jeedom) -> Iterator[Any]:
    """Sets the internal address of Jeedom's settings as its page does; afterwards it is what it was."""
    read = "echo json_encode(config::byKeys(json_decode($argv[1])));"
    before = jeedom.php(read, json.dumps(ADDRESS))

    def set_(**changes: Any) -> None:
        jeedom.core("config", action="addKey", value=json.dumps({key: str(value) for key, value in changes.items()}))

    yield set_
    set_(**before)
    start(jeedom)


@pytest.fixture
def no_alternative() -> Iterator[None]:
    """The web server's files cannot be read, and nobody listens on port 80."""
    ports = Path("/etc/apache2/ports.conf")
    mode = ports.stat().st_mode if ports.exists() else 0
    if mode:
        ports.chmod(0o600)
    yield
    if mode:
        ports.chmod(mode)


class TestAddress:
    def test_a_wrong_port_is_made_good_by_the_machine_s_own(self, jeedom: Jeedom, daemon: None, address: Any) -> None:
        address(internalPort=9)
        start(jeedom)
        until(lambda: status(jeedom)["callback"]["detour"], 40)
        until(lambda: status(jeedom)["callback"]["error"] is None)
        callback = status(jeedom)["callback"]
        assert callback["addresses"][0] == "http://127.0.0.1:9/core/api/jeeApi.php"
        assert callback["inUse"] == f"{URL}/core/api/jeeApi.php"
        until(lambda: status(jeedom)["outbox"] == 0)
        rows = jeedom.php("echo json_encode(jeenergie::health());")
        assert rows[1]["state"] is True
        assert "http://127.0.0.1:9/" in rows[1]["advice"]
        minute(jeedom)
        assert told(jeedom) == ""

    def test_after_a_minute_it_is_told_and_a_correction_needs_no_restart(
        self, jeedom: Jeedom, daemon: None, address: Any, no_alternative: None
    ) -> None:
        address(internalPort=9)
        start(jeedom)
        first = pid(jeedom)
        begun = time.monotonic()
        until(lambda: (minute(jeedom), told(jeedom))[1], 100)
        assert time.monotonic() - begun > 50
        assert "http://127.0.0.1:9/core/api/jeeApi.php est hors d'atteinte" in told(jeedom)
        shown = jeedom.own("list")["daemon"]
        assert shown["state"] == "unheard"
        assert "connexion refusée" in shown["text"]
        assert "http://127.0.0.1:9/" in jeedom.php("echo json_encode(jeenergie::health());")[1]["result"]
        if chromium.PATH:
            look_at_the_list()
        address(internalPort=URL.rsplit(":", 1)[1])
        minute(jeedom)
        until(lambda: status(jeedom)["callback"]["error"] is None)
        minute(jeedom)
        assert told(jeedom) == ""
        assert pid(jeedom) == first
        assert jeedom.own("list")["daemon"] == {"state": "running", "text": ""}

    def test_http_that_became_https_is_followed(
        self, jeedom: Jeedom, daemon: None, address: Any, no_alternative: None, tmp_path: Path
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(tmp_path, x509.DNSName("jeedom.example"))[1])

        def forward(request: Request) -> Response:
            asked = urllib.request.Request(URL + request.target, request.body, method=request.method)
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return Response(200, answer.read())

        with LoopbackServer(forward, tls=context) as secured:
            moved = [("Location", secured.url)]
            with LoopbackServer(
                lambda request: Response(301, headers=[("Location", moved[0][1] + request.target)])
            ) as plain:
                address(internalPort=plain.url.rsplit(":", 1)[1])
                start(jeedom)
                until(lambda: status(jeedom)["callback"]["inUse"].startswith(secured.url), 30)
                until(lambda: status(jeedom)["outbox"] == 0)
                assert status(jeedom)["callback"]["error"] is None

    def test_a_stranger_is_named_and_gets_no_key(
        self, jeedom: Jeedom, daemon: None, address: Any, no_alternative: None
    ) -> None:
        with LoopbackServer(lambda request: Response.of_html("<h1>It works!</h1>")) as stranger:
            address(internalPort=stranger.url.rsplit(":", 1)[1])
            start(jeedom)
            error = until(lambda: status(jeedom)["callback"]["error"], 30)
        assert error.startswith("ce n'est pas ce Jeedom qui répond à ")
        assert "It works!" in error


def test_a_key_that_is_made_anew_is_used_at_once(jeedom: Jeedom, daemon: None) -> None:
    first, former = pid(jeedom), jeedom.key
    jeedom.key = jeedom.core("config", action="genApiKey", plugin="jeenergie")
    assert jeedom.key != former
    until(lambda: running(jeedom) and pid(jeedom) != first)
    until(lambda: status(jeedom).get("callback", {}).get("error", "x") is None)
    assert len(daemons()) == 1
    assert status(jeedom)["error"] == ""


def test_a_key_that_a_restored_database_brings_back_is_noticed(jeedom: Jeedom, daemon: None) -> None:
    """No hook of the core tells of it."""
    first = pid(jeedom)
    write = "DB::Prepare('UPDATE config SET value = ? WHERE plugin = ? AND `key` = ?', [$argv[1], 'jeenergie', 'api']);"
    stored = jeedom.php(
        "echo json_encode(DB::Prepare('SELECT value FROM config WHERE plugin = ? AND `key` = ?', "
        "['jeenergie', 'api'])['value']);"
    )
    jeedom.core("plugin", action="deamonStop", id="jeenergie")
    other = jeedom.php("echo json_encode(config::genKey());")
    jeedom.php(write, other)
    start(jeedom)
    jeedom.php(write, stored)
    assert "une autre clé API" in status(jeedom)["error"]
    minute(jeedom)
    assert status(jeedom)["error"] == ""
    assert pid(jeedom) != first
    assert len(daemons()) == 1


UPDATE = """
    config::save('file::enable', 1);
    $update = update::byTypeAndLogicalId('plugin', 'jeenergie');
    $update = is_object($update) ? $update : new update();
    $update->setLogicalId('jeenergie')->setType('plugin')->setSource('file');
    $update->setConfiguration('path', $argv[1]);
    $update->save();
    $update->doUpdate();
    echo json_encode(config::byKey('deamonAutoMode', 'jeenergie', 1));
"""


def test_an_update_through_the_core_leaves_a_running_daemon(jeedom: Jeedom, daemon: None, tmp_path: Path) -> None:
    first = pid(jeedom)
    archive = Path("/tmp/jeenergie-update-test.zip")
    left_out = ["data/daemon/*", "resources/python_venv/*", "jeenergie.egg-info/*", "*/__pycache__/*", ".venv*"]
    subprocess.run(["zip", "-qr", archive, ".", "-x", *left_out], cwd=PLUGIN, check=True)
    os.chown(archive, OWN.stat().st_uid, -1)
    begun = time.monotonic()
    try:
        assert str(jeedom.php("ob_start();" + UPDATE.replace("echo json", "ob_end_clean(); echo json"), archive)) == "1"
        until(lambda: running(jeedom), 60)
    finally:
        archive.unlink(missing_ok=True)
    print(f"running again after {time.monotonic() - begun:.0f} s, the update included")
    assert pid(jeedom) != first
    assert len(daemons()) == 1
