"""Former plugins in a real Jeedom, with equipment, history, and everything that can name their commands.

Their own class files fill the tables: JEENERGIE_FORMER names a folder with their repositories (git directories, each as
"<owner>+<name>/repo"). Nothing of them is kept.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from jeedom_host import ROOT, Jeedom

MIRRORS = Path(os.environ.get("JEENERGIE_FORMER", "/nowhere"))
CODE = Path(__file__).parent / "movein"


def code(name: str) -> str:
    """PHP to run inside Jeedom, of the folder "movein"."""
    return (CODE / f"{name}.php").read_text("utf-8").partition("<?php")[2]


REPOSITORIES = {
    "EaseeCharger": "ktn001+EaseeCharger",
    "wescontrol": "jeedom+plugin-wescontrol",
    "enphasesecur": "cddu33+enphase_secure",
    "EcoNetatmo": "bernard-dandrea+jeedom-EcoNetatmo",
}

MAKE = code("make")

HISTORY = code("history")

USES = code("uses")

NAMED = code("named")

CLEAN = code("clean")


def is_there(plugin: str) -> bool:
    return (MIRRORS / REPOSITORIES[plugin] / "repo").is_dir()


def install(plugin: str) -> None:
    """Its files, as they are in its repository, in the folder of plugins."""
    to = Path(ROOT) / "plugins" / plugin
    to.mkdir(exist_ok=True)
    files = subprocess.run(
        ["git", "-C", str(MIRRORS / REPOSITORIES[plugin] / "repo"), "archive", "HEAD"],
        check=True,
        capture_output=True,
    ).stdout
    subprocess.run(["tar", "-x", "-C", str(to)], input=files, check=True)
    subprocess.run(["chown", "-R", "www-data:www-data", str(to)], check=True)


def make(jeedom: Jeedom, plugin: str, days: int) -> list[int]:
    """Ids of its equipment."""
    boot = f"$GLOBALS['former_root'] = '{ROOT}';" + MAKE
    ids: list[int] = jeedom.php(boot, plugin)
    jeedom.php(HISTORY, ids, days)
    return ids


def use(jeedom: Jeedom, info: int, action: int, equipment: int) -> dict[str, Any]:
    return dict(jeedom.php(USES, info, action, equipment))


def clean(jeedom: Jeedom) -> None:
    jeedom.php(CLEAN, json.dumps([*REPOSITORIES, "helloWatt"]))
    for plugin in REPOSITORIES:
        shutil.rmtree(Path(ROOT) / "plugins" / plugin, ignore_errors=True)
