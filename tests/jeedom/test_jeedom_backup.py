"""The core's own backup and what is put back of it: the daemon's data are whole, and as old as the database."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from jeedom_host import ROOT, Jeedom

PLUGIN = Path(ROOT) / "plugins" / "jeenergie"
SCOPE = "test-backup"
STORE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from jeedom_bridge.store import Store
store = Store(Path(sys.argv[1]) / "data" / "daemon" / "store.sqlite")
for mark in sys.argv[3:]:
    store.forget(sys.argv[2]) if mark == "forget" else store.put(sys.argv[2], "mark", int(mark))
print(json.dumps(store.scope(sys.argv[2])))
"""


def as_web_user(*command: str) -> str:
    if os.geteuid() == 0:
        command = ("sudo", "-u", "www-data", *command)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def store(*marks: object) -> dict[str, int]:
    """Opens the store as the daemon does, which must not run, and keeps these marks one after the other."""
    python = PLUGIN / "resources" / "python_venv" / "bin" / "python"
    found: dict[str, int] = json.loads(as_web_user(str(python), "-c", STORE, str(PLUGIN), SCOPE, *map(str, marks)))
    return found


@pytest.fixture
def daemon(jeedom: Jeedom) -> Iterator[Jeedom]:
    """Starts and stops by the test; runs again afterwards."""
    stop(jeedom)
    yield jeedom
    stop(jeedom)
    store("forget")
    start(jeedom)


def start(jeedom: Jeedom) -> None:
    jeedom.php("cache::delete('deamonStartjeenergieinprogress'); plugin::byId('jeenergie')->deamon_start(true);")
    assert jeedom.php("echo json_encode(plugin::byId('jeenergie')->deamon_info()['state']);") == "ok"


def stop(jeedom: Jeedom) -> None:
    jeedom.php("plugin::byId('jeenergie')->deamon_stop();")


def test_a_restored_backup_counts_for_more_than_what_was_kept_since(daemon: Jeedom) -> None:
    assert store(1) == {"mark": 1}
    start(daemon)
    told = as_web_user("php", f"{ROOT}/install/backup.php")
    assert "[END BACKUP SUCCESS]" in told
    found = re.search(r"Backup name: (\S+)", told)
    assert found
    archive = Path(found.group(1))
    try:
        names = subprocess.run(["tar", "tfz", str(archive)], capture_output=True, text=True, check=True).stdout.split()
        kept = [Path(name).name for name in names if "/data/daemon/store" in name]
        assert kept == ["store.copy.sqlite"]
        stop(daemon)
        assert store(2) == {"mark": 2}
        # What install/restore.php does with the files, by the same command.
        as_web_user("sh", "-c", f"cd {ROOT}; tar xfz {archive} ./plugins/jeenergie/data/daemon/store.copy.sqlite")
        start(daemon)
        stop(daemon)
        assert store() == {"mark": 1}
        assert store(3) == {"mark": 3}
        assert store() == {"mark": 3}
    finally:
        archive.unlink()
