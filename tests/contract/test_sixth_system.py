"""The example of CONTRIBUTING is a system: a scratch copy with its two files reads a meter, and its panel shows it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from jeedom_bridge.contract import Contract
from tests.support.callback_server import CallbackServer
from tests.support.process import DaemonProcess

ROOT = Path(__file__).resolve().parents[2]
COPIED = (
    "core/contract",
    "core/class",
    "core/src",
    "core/i18n",
    "jeedom_bridge",
    "resources/daemon",
    "tests/php/double",
)
MAX_LINES = {"json": 12, "python": 40}
PANEL = """
    error_reporting(E_ALL);
    $double = ['tests/php/double/core.php', 'tests/php/double/objects.php', 'tests/php/double/places.php'];
    foreach ([...$double, 'core/class/jeenergie.class.php'] as $file) {
        require $argv[1] . '/' . $file;
    }
    $connection = new jeenergie();
    $connection->setName('P1')->setIsEnable(1)->setConfiguration('kind', 'connection');
    $connection->setConfiguration('backend', 'p1')->setConfiguration('config', ['host' => '192.0.2.1'])->save();
    Jeenergie\\Equipment\\Discovery::create(jeenergie::byId($connection->getId()), 'meter', '1', 'Meter');
    $shown = array_column(Jeenergie\\Energy\\Panel::equipment(), 'series', 'name');
    $told = fn(array $each): array => [$each['kind'], $each['per'], $each['unit']];
    echo json_encode(array_map(fn(array $series): array => array_map($told, $series), $shown));
"""


def example(language: str) -> str:
    """The block of code in CONTRIBUTING."""
    found = re.search(rf"   ```{language}\n(.*?)   ```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return "".join(f"{line[3:]}\n" for line in found[1].splitlines())  # it belongs to a step of a list


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin with a sixth system, and the package of the daemon under its name in `links`."""
    root = tmp_path_factory.mktemp("sixth") / "plugin"
    for part in COPIED:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    package = root / "resources" / "daemon" / "devices" / "p1"
    package.mkdir()
    (package / "__init__.py").write_text('"""A meter with a P1 port, read over HTTP."""\n')
    (package / "device.py").write_text(example("python"))
    (root / "core" / "contract" / "catalogue" / "p1.json").write_text(example("json"))
    (root / "links").mkdir()
    (root / "links" / "jeenergied").symlink_to(root / "resources" / "daemon")
    return root


@pytest.fixture
def meter() -> Iterator[tuple[str, dict[str, Any]]]:
    """A meter on the network: its address, and what it answers."""
    told: dict[str, Any] = {"name": "Garage", "power": -412.0, "import": 3210.5}

    class Meter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/data" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, *_: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Meter) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", told
        server.shutdown()


@pytest.mark.parametrize("language", MAX_LINES)
def test_the_example_is_short(language: str) -> None:
    assert len(example(language).splitlines()) < MAX_LINES[language]


def test_its_catalogue_is_as_the_others_are(copy: Path) -> None:
    Contract(copy / "core" / "contract").check()
    formatter = [
        sys.executable,
        str(ROOT / "tools" / "format_catalogues.py"),
        "--check",
        str(copy / "core" / "contract"),
    ]
    done = subprocess.run(formatter, capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_its_daemon_finds_the_meter_and_sends_what_it_measures(copy: Path, meter: tuple[str, dict[str, Any]]) -> None:
    address, told = meter
    paths = os.pathsep.join([str(copy), str(copy / "links")])
    connection = {"id": "1", "backend": "p1", "name": "P1", "config": {"host": address}, "commands": {"state": {}}}
    commands: dict[str, dict[str, Any]] = {"power": {}, "import": {}}
    equipment = [{"id": "10", "type": "meter", "key": "1", "name": "Meter", "config": {}, "commands": commands}]
    with CallbackServer() as jeedom:
        daemon = DaemonProcess(copy.parent / "life", jeedom.url, module="jeenergied", environment={"PYTHONPATH": paths})
        try:
            daemon.ready()
            found = daemon.result("discover", connection={**connection, "equipment": []})["equipment"]
            assert [(each["type"], each["key"], each["name"]) for each in found] == [("meter", "1", "Garage")]
            daemon.configure({**connection, "equipment": equipment})
            jeedom.wait_for(lambda: jeedom.value("10", "import") is not None, 10)
            assert (jeedom.value("10", "power"), jeedom.value("10", "import")) == (-412, 3210.5)
            told.update(power="much", **{"import": 3211})
            daemon.result("refresh", connection="1")
            jeedom.wait_for(lambda: jeedom.value("10", "import") == 3211, 10)
            assert jeedom.value("10", "power") == -412  # what is not known now is left out
            assert daemon.state()["state"] == "online"
        finally:
            daemon.kill()


def test_the_panel_shows_it_by_its_quantities(copy: Path) -> None:
    php = shutil.which("php")
    if php is None:
        pytest.skip("php is not on this machine")
    done = subprocess.run([php, "-r", PANEL, "--", str(copy)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == {"Meter": [["import", "counter", "kWh"]]}
