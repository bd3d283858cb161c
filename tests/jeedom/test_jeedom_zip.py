"""The zip as a user gives it to Jeedom: installed, used, updated from the version before, removed with nothing left.

It removes the plugin of that Jeedom and installs it anew, from the zip of this commit.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jeedom_host import ROOT, URL, Jeedom, Pages
from test_jeedom_daemon import until

from simulators.wes.life import Life, furnished
from simulators.wes.server import WesServer

CHECKOUT = Path(__file__).resolve().parents[2]
PLUGIN = Path(ROOT, "plugins", "jeenergie")
PORT = "echo json_encode(config::byKey('socketport', 'jeenergie', ''));"
LEFT = """
    $left = [];
    $columns = DB::Prepare('SELECT TABLE_NAME AS t, COLUMN_NAME AS c FROM information_schema.COLUMNS '
        . 'WHERE TABLE_SCHEMA = DATABASE() AND DATA_TYPE IN ("varchar", "text", "mediumtext", "longtext")', [], 1);
    foreach ($columns as $at) {
        if ($at['t'] === 'event') { continue; } // what browsers are told: the core's, gone within hours
        $query = "SELECT COUNT(*) AS n FROM `{$at['t']}` WHERE `{$at['c']}` LIKE '%jeenergie%'";
        $count = (int) DB::Prepare($query, [], 0)['n'];
        if ($count > 0) { $left[$at['t'] . '.' . $at['c']] = $count; }
    }
    foreach (['history', 'historyArch'] as $table) {
        $query = "SELECT COUNT(*) AS n FROM $table h LEFT JOIN cmd c ON c.id = h.cmd_id WHERE c.id IS NULL";
        $count = (int) DB::Prepare($query, [], 0)['n'];
        if ($count > 0) { $left[$table] = $count; }
    }
    echo json_encode((object) $left);
"""
"""Rows of any table that name the plugin, and points of history without a command."""


CACHED = """
    $keys = array_map(fn($each) => is_object($each) ? $each->getKey() : '', cache::getEngine()::all());
    echo json_encode(array_values(array_filter($keys, fn($key) => strpos($key, 'jeenergie') !== false)));
"""
"""Keys of the core's cache that name the plugin; as files they have other names."""


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def php(code: str, *arguments: Any) -> Any:
    """In the core alone, also while the plugin is not there."""
    boot = f"require '{ROOT}/core/php/core.inc.php';"
    command = ["php", "-d", "display_errors=stderr", "-r", boot + code, "--", *map(str, arguments)]
    if os.geteuid() == 0:
        command = ["sudo", "-u", "www-data", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


@pytest.fixture(scope="module")
def zips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The plugin of this commit, and the one before it had this version."""
    newest = git("log", "-S", '"pluginVersion": "1.0.0"', "--format=%H", "--", "plugin_info/info.json")
    if not newest:
        pytest.skip("only a git checkout with its history can be packed")
    made = {}
    for name, commit in (("now", "HEAD"), ("before", newest.split()[-1] + "^")):
        folder = tmp_path_factory.mktemp(name)
        done = subprocess.run(
            ["bash", "tools/make_zip.sh", str(folder), commit], cwd=CHECKOUT, capture_output=True, text=True, check=True
        )
        made[name] = Path(done.stdout.strip())
    return made


def install(pages: Pages, archive: Path) -> None:
    """As *Plugins → Gestion des plugins*, source *Fichier*, does."""
    path = pages.upload("update", "preUploadFile", archive)
    form = {
        "type": "plugin",
        "logicalId": "jeenergie",
        "source": "file",
        "configuration": {"path": path, "version": ""},
    }
    pages.core("update", action="save", update=json.dumps(form))


def activate(pages: Pages, port: int) -> None:
    """The button, and the core's own installation of the dependencies."""
    php("config::save('socketport', $argv[1], 'jeenergie'); echo 1;", port)
    pages.core("plugin", action="toggle", id="jeenergie", state="1")
    if php("echo json_encode(plugin::byId('jeenergie')->dependancy_info(true)['state']);") == "nok":
        pages.core("plugin", action="dependancyInstall", id="jeenergie")
    until(lambda: php("echo json_encode(plugin::byId('jeenergie')->dependancy_info(true)['state']);") == "ok", 400)
    php("cache::delete('deamonStartjeenergieinprogress'); touch(jeedom::getTmpFolder() . '/started'); echo 1;")
    pages.core("plugin", action="deamonStart", id="jeenergie", forceRestart="1")
    until(running, 60)


def running() -> bool:
    return php("echo json_encode(plugin::byId('jeenergie')->deamon_info()['state']);") == "ok"


def remove(pages: Pages) -> None:
    pages.core("update", action="remove", id="jeenergie")


def files() -> list[str]:
    return [str(each) for each in (PLUGIN, *PLUGIN.rglob("*")) if each.exists()]


def processes() -> list[str]:
    """Command lines of this Jeedom's daemon."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = each.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(PLUGIN) in text and "php -r" not in text and "pytest" not in text:
            found.append(text)
    return found


def temporary() -> list[str]:
    """Files of the plugin outside its folder; the core keeps logs, and its cache of versions."""
    tmp = Path(php("echo json_encode(jeedom::getTmpFolder());"))
    inside = [str(each) for each in tmp.rglob("*jeenergie*")] + list(php(CACHED))
    return inside + [str(each) for each in Path("/tmp").glob("jeenergie*.zip")]


@pytest.fixture(scope="module")
def port(jeedom: Jeedom, zips: dict[str, Path]) -> Iterator[int]:
    """The port of the daemon there. Afterwards the plugin is as it was: installed and active."""
    number = int(php(PORT) or 34739)
    yield number
    pages = Pages("admin", "admin")
    if not (PLUGIN / "plugin_info").exists():
        install(pages, zips["now"])
        activate(pages, number)


def values(pages: Pages, connection: str) -> dict[str, Any]:
    """The value of each command of a connection, by its logicalId."""
    code = """
        $found = [];
        foreach (eqLogic::byId($argv[1])->getCmd('info') as $cmd) { $found[$cmd->getLogicalId()] = $cmd->execCmd(); }
        echo json_encode((object) $found);
    """
    return dict(php("class_exists('jeenergie');" + code, connection))


def test_installed_used_updated_and_removed_with_nothing_left(jeedom: Jeedom, zips: dict[str, Path], port: int) -> None:
    pages = Pages("admin", "admin")
    remove(pages)
    shutil.rmtree(PLUGIN, ignore_errors=True)  # whatever another version has left
    already = php(LEFT)
    install(pages, zips["before"])
    assert php("echo json_encode(plugin::byId('jeenergie')->isActive());") != 1
    activate(pages, port)
    box = furnished()
    with WesServer(box, life=Life(box, time.time), account=("admin", "w3s")) as wes:
        connection = pages.own("addConnection", backend="wes", name="Zip")["id"]
        config = {"host": "127.0.0.1", "port": wes.port, "user": "admin", "password": "w3s", "pollInterval": 2}
        form = {"id": connection, "isEnable": "1", "configuration": {"config": config}}
        pages.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))
        until(lambda: values(pages, connection).get("state") == "En ligne", 60)
        ids = php("echo json_encode(array_map(fn($e) => $e->getId(), eqLogic::byType('jeenergie')));")
        points = "echo json_encode(DB::Prepare('SELECT COUNT(*) AS n FROM history WHERE cmd_id IN "
        points += "(SELECT id FROM cmd WHERE eqType = ?)', ['jeenergie'])['n']);"
        before = php(points)
        requests = len(wes.requests) if hasattr(wes, "requests") else 0

        install(pages, zips["now"])  # over the other one, as an update
        until(running, 120)
        assert json.loads((PLUGIN / "plugin_info/info.json").read_text("utf-8"))["pluginVersion"] == "1.0.0"
        now = php("echo json_encode(array_map(fn($e) => $e->getId(), eqLogic::byType('jeenergie')));")
        assert now == ids
        until(lambda: values(pages, connection).get("state") == "En ligne", 60)
        assert pages.own("get", id=connection)["secretsSet"] == ["password"]
        assert php(points) >= before
        assert requests >= 0
        assert pages.own("list")["daemon"]["state"] == "running"

        remove(pages)
    assert files() == []
    until(lambda: processes() == [], 15)
    assert {place: count for place, count in php(LEFT).items() if already.get(place) != count} == {}
    assert temporary() == []
    assert URL
