"""An update from 0.1.0 that fails in a real Jeedom: told in words, nothing lost, back to 0.1.0, and tried again.

It removes the plugin of that Jeedom and installs it anew, from the zip of this commit.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import sqlite3
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Callable

import pytest
from jeedom_host import ROOT, Jeedom, Pages
from test_jeedom_daemon import until
from test_jeedom_zip import PLUGIN, activate, install, php, remove, running, values
from test_jeedom_zip import port as port
from test_jeedom_zip import zips as zips

from simulators.wes.life import Life, furnished
from simulators.wes.server import WesServer
from tests.support.disk import fill, small_disk

DATA = PLUGIN / "data" / "daemon"
STORE = DATA / "store.sqlite"
MESSAGES = """
    $all = DB::Prepare("SELECT message FROM message WHERE plugin = 'jeenergie'", [], DB::FETCH_TYPE_ALL);
    echo json_encode(array_column($all, 'message'));
"""
FORGET_MESSAGES = "DB::Prepare('DELETE FROM message WHERE plugin = ?', ['jeenergie'], 0); echo 1;"
POINTS = """
    echo json_encode((int) DB::Prepare('SELECT COUNT(*) AS n FROM history WHERE cmd_id IN '
        . '(SELECT id FROM cmd WHERE eqType = ?)', ['jeenergie'], 0)['n']);
"""
MINUTE = "class_exists('jeenergie'); jeenergie::cron(); echo 1;"
DEPENDENCIES = "echo json_encode(plugin::byId('jeenergie')->dependancy_info(true)['state']);"


class Home:
    """A connection to a simulated WES server, made by 0.1.0."""

    def __init__(self, pages: Pages, wes: WesServer, port: int) -> None:
        self.pages, self.port, self.wes = pages, port, wes
        self.connection = str(pages.own("addConnection", backend="wes", name="Mise à jour")["id"])
        config = {"host": "127.0.0.1", "port": wes.port, "user": "admin", "password": "w3s", "pollInterval": 2}
        form = {"id": self.connection, "isEnable": "1", "configuration": {"config": config}}
        pages.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))
        until(self.is_online, 60)

    def is_online(self) -> bool:
        """True if its daemon runs and its server answers."""
        return running() and values(self.pages, self.connection).get("state") == "En ligne"

    def messages(self) -> str:
        return html.unescape("\n".join(php(MESSAGES)))

    def goes_on(self, archive: Path) -> None:
        """That zip is installed, its daemon runs, and the connection is as it was."""
        install(self.pages, archive)
        activate(self.pages, self.port)
        asked = len(self.wes.requests)
        until(lambda: len(self.wes.requests) > asked + 1 and self.is_online(), 60)
        assert self.pages.own("get", id=self.connection)["secretsSet"] == ["password"]


@pytest.fixture(scope="module")
def home(jeedom: Jeedom, zips: dict[str, Path], port: int) -> Iterator[Home]:
    pages = Pages("admin", "admin")
    remove(pages)
    shutil.rmtree(PLUGIN, ignore_errors=True)
    install(pages, zips["before"])
    activate(pages, port)
    box = furnished()
    with WesServer(box, life=Life(box, time.time), account=("admin", "w3s")) as wes:
        yield Home(pages, wes, port)
        install(pages, zips["now"])
        activate(pages, port)
        remove(pages)


@pytest.fixture
def former(home: Home, zips: dict[str, Path]) -> Home:
    """0.1.0 runs, whatever the test before has left."""
    if '"0.1.0"' not in (PLUGIN / "plugin_info" / "info.json").read_text("utf-8") or not home.is_online():
        home.goes_on(zips["before"])
    php(FORGET_MESSAGES)
    return home


def with_wrong_sums(archive: Path, folder: Path) -> Path:
    """The same zip, whose packages are not those that were checked."""
    broken = folder / archive.name
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(broken, "w", zipfile.ZIP_DEFLATED) as target:
        for each in source.infolist():
            content = source.read(each)
            if each.filename.startswith("resources/lock/"):
                content = re.sub(rb"sha256:[0-9a-f]{64}", b"sha256:" + b"0" * 64, content, count=2)
            target.writestr(each, content)
    return broken


def test_packages_that_cannot_be_installed_are_told_and_the_former_version_or_another_try_goes_on(
    former: Home, zips: dict[str, Path], tmp_path: Path
) -> None:
    points, kept = php(POINTS), STORE.stat().st_size
    install(former.pages, with_wrong_sums(zips["now"], tmp_path))
    if php(DEPENDENCIES) != "in_progress":
        former.pages.core("plugin", action="dependancyInstall", id="jeenergie")
    until(lambda: php(DEPENDENCIES) == "nok" and "ECHEC" in update_log(), 300)
    php(MINUTE)
    told = former.messages()
    assert "Les dépendances n'ont pas pu être installées et le démon reste arrêté ; vos données sont gardées." in told
    assert "À faire" in told
    step = former.pages.own("list")["daemon"]
    assert step["state"] == "dependencies"
    assert "À faire" in step["text"]
    assert php(POINTS) >= points
    assert STORE.stat().st_size >= kept

    former.goes_on(zips["before"])
    php(MINUTE)
    assert php(POINTS) >= points
    former.goes_on(zips["now"])
    php(MINUTE)
    assert "n'ont pas pu être installées" not in former.messages(), "taken back"


def update_log() -> str:
    path = Path(ROOT, "log", "jeenergie_update")
    return path.read_text("utf-8", "replace") if path.exists() else ""


def spoilt() -> None:
    with STORE.open("r+b") as file:
        file.seek(STORE.stat().st_size // 2)
        file.write(b"\xff" * 2000)


def of_a_later_version() -> None:
    with closing(sqlite3.connect(STORE)) as database:
        database.execute("PRAGMA user_version=7")


@pytest.mark.parametrize(
    ("change", "words", "aside"),
    [(spoilt, "étaient endommagées", "damaged"), (of_a_later_version, "version plus récente du plugin", "newer")],
)
def test_a_store_that_cannot_be_taken_over_is_told_and_kept_aside(
    former: Home, zips: dict[str, Path], change: Callable[[], None], words: str, aside: str
) -> None:
    former.pages.core("plugin", action="deamonStop", id="jeenergie")
    until(lambda: not running(), 30)
    change()
    content = STORE.read_bytes()
    former.goes_on(zips["now"])
    until(lambda: words in former.messages(), 60)
    kept = list(DATA.glob(f"store.sqlite.{aside}-*"))
    assert content in [each.read_bytes() for each in kept]
    former.goes_on(zips["before"])
    for each in kept:
        each.unlink()


def test_a_disk_that_is_full_at_the_update_is_told_and_nothing_is_lost(former: Home, zips: dict[str, Path]) -> None:
    former.pages.core("plugin", action="deamonStop", id="jeenergie")
    until(lambda: not running(), 30)
    real = DATA.with_name("daemon.real")
    DATA.rename(real)
    try:
        with small_disk(DATA, "1m,mode=700,uid=33,gid=33") as disk:
            subprocess.run(["cp", "-a", f"{real}/.", str(disk)], check=True)
            content = STORE.read_bytes()
            filler = fill(disk)
            install(former.pages, zips["now"])
            if php(DEPENDENCIES) == "nok":
                former.pages.core("plugin", action="dependancyInstall", id="jeenergie")
            until(lambda: php(DEPENDENCIES) == "ok" or "ECHEC" in update_log(), 400)
            php("cache::delete('deamonStartjeenergieinprogress'); echo 1;")
            former.pages.core("plugin", action="deamonStart", id="jeenergie", forceRestart="1")
            assert not running()
            told = former.pages.own("list")["daemon"]
            assert told["state"] == "blocked"
            assert "Le disque est plein : libérez de la place" in told["text"]
            assert STORE.read_bytes() == content
            filler.unlink()
            former.goes_on(zips["now"])
            former.pages.core("plugin", action="deamonStop", id="jeenergie")
            until(lambda: not running(), 30)
            subprocess.run(["cp", "-a", f"{disk}/.", str(real)], check=True)
    finally:
        real.rename(DATA)
    former.goes_on(zips["before"])
