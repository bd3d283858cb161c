"""The zip of the plugin: all that it needs to run, nothing that only developers need, small enough for a market."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_BYTES = 2_000_000
FOR_DEVELOPERS = (
    ".ci",
    ".github",
    "benchmarks",
    "simulators",
    "tests",
    "tools",
    "demo.sh",
    "test.sh",
)
NEEDED = (
    "LICENSE",
    "core/ajax/jeenergie.ajax.php",
    "core/class/jeenergie.class.php",
    "core/i18n/en_US.json",
    "data/.htaccess",
    "desktop/php/jeenergie.php",
    "docs/en_US/index.md",
    "docs/fr_FR/index.md",
    "install_deps.sh",
    "plugin_info/info.json",
    "plugin_info/install.php",
    "plugin_info/jeenergie_icon.png",
    "pyproject.toml",
    "resources/daemon/__main__.py",
    "resources/requirements.txt",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("only a git checkout can be packed")
    folder = tmp_path_factory.mktemp("zip")
    made = subprocess.run(
        ["bash", "tools/make_zip.sh", str(folder)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return Path(made.stdout.strip())


@pytest.fixture(scope="module")
def unpacked(archive: Path) -> Path:
    folder = archive.parent / "jeenergie"
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder)
    return folder


def test_its_name_says_its_version(archive: Path) -> None:
    version = json.loads((ROOT / "plugin_info" / "info.json").read_text("utf-8"))["pluginVersion"]
    assert archive.name == f"jeenergie-{version}.zip"


def test_it_is_small(archive: Path) -> None:
    assert archive.stat().st_size < MAX_BYTES


def test_it_holds_what_the_plugin_needs(unpacked: Path) -> None:
    assert [path for path in NEEDED if not (unpacked / path).is_file()] == []


def test_it_holds_nothing_that_only_developers_need(unpacked: Path) -> None:
    assert [path for path in FOR_DEVELOPERS if (unpacked / path).exists()] == []
    assert list((unpacked / "docs").glob("*.md")) == []


def test_what_links_its_packages_to_an_environment_is_in_it(unpacked: Path) -> None:
    """`pip install -e` of install_deps.sh reads pyproject.toml, and what that names."""
    project = (unpacked / "pyproject.toml").read_text("utf-8")
    named = re.findall(r'^readme = "(.+)"|file = \["(.+)"\]|^jeenergied = "(.+)"', project, re.MULTILINE)
    paths = ["".join(each) for each in named]
    assert len(paths) >= 2, project
    assert [path for path in paths if not (unpacked / path).exists()] == []


def test_every_picture_of_its_documentation_is_in_it(unpacked: Path) -> None:
    missing = [
        f"{page.name}: {target}"
        for page in (unpacked / "docs").rglob("*.md")
        for target in _pictures(page.read_text("utf-8"))
        if not (page.parent / target).is_file()
    ]
    assert missing == []


def test_the_daemon_starts_from_it(unpacked: Path) -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "resources.daemon", "--help"], cwd=unpacked, capture_output=True, text=True, timeout=60
    )
    assert asked.returncode == 0, asked.stderr
    assert "--socketport" in asked.stdout


def test_its_own_packages_can_be_linked_into_an_environment(unpacked: Path) -> None:
    """The last step of install_deps.sh hands the plugin's folder to pip, which goes by pyproject.toml and its files."""
    assert '-e "$here"' in (unpacked / "install_deps.sh").read_text("utf-8")
    project = (unpacked / "pyproject.toml").read_text("utf-8")
    folders = re.findall(r'^\w+ = "([\w/]+)"$', project.split("[tool.setuptools.package-dir]")[1].split("\n[")[0], re.M)
    files = re.findall(r'readme = "([^"]+)"|file = \["([^"]+)"\]', project)
    named = [*folders, *("".join(pair) for pair in files)]
    assert len(named) == 4, named
    assert [path for path in named if not (unpacked / path).exists()] == []


def _pictures(text: str) -> list[str]:
    """The paths of all pictures that a Markdown page shows."""
    return [part.split(")")[0].split()[0] for part in text.split("](")[1:] if ".png" in part.split(")")[0]]
