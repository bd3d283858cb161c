"""What keeps the parts apart: who imports whom, how long a file is, where vendors are named."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAEMON = ROOT / "resources" / "daemon"
DEVICES = DAEMON / "devices"
BACKENDS = sorted(
    path.stem
    for path in (ROOT / "core" / "contract" / "catalogue").glob("*.json")
    if "automatic" not in json.loads(path.read_text("utf-8"))
)
"""Of systems; what is made by itself (the house of them all) is none."""
FOLDERS = ("benchmarks", "core", "desktop", "jeedom_bridge", "plugin_info", "resources/daemon", "simulators", "tests")
LONGEST = 500
LONGEST_OF_A_BACKEND = 400
MOST_MODULES = 15
OWN = ("easee", "enphase", "hellowatt", "wes")
SMALL = sorted({path.parent for each in OWN for path in (DEVICES / each).rglob("*.py")})
VENDORS = [*BACKENDS, "enlighten", "netatmo", "legrand", "drivia", "cartelectronic", "signalr"]


def sources(*suffixes: str, folders: tuple[str, ...] = FOLDERS) -> list[Path]:
    """All source files with these endings."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in suffixes)
    return sorted(path for path in found if path.is_file())


def name(path: Path) -> str:
    """The path as a test's name."""
    return path.relative_to(ROOT).as_posix()


def imports(path: Path, package: str) -> Iterator[str]:
    """The full names of all modules that a file imports, at any depth of its code; `package` is its own."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{each.name}" for each in node.names)


def package_of(path: Path) -> str:
    """The package that a module of the daemon belongs to."""
    return ".".join(["jeenergied", *path.relative_to(DAEMON).parent.parts])


def under(found: str, package: str) -> bool:
    """Whether a module is that package or in it."""
    return found == package or found.startswith(package + ".")


@pytest.mark.parametrize("path", sources(".py", folders=("jeedom_bridge",)), ids=name)
def test_the_bridge_knows_nothing_of_the_daemon(path: Path) -> None:
    found = list(imports(path, "jeedom_bridge"))
    assert [each for each in found if each.split(".")[0] in ("jeenergied", "resources", "simulators", "tests")] == []


@pytest.mark.parametrize("path", sources(".py", folders=("resources/daemon",)), ids=name)
def test_imports_of_the_daemon_go_one_way(path: Path) -> None:
    """The core names no backend, and a backend no other one: it takes `base` and the bridge."""
    found = list(imports(path, package_of(path)))
    assert [each for each in found if each.split(".")[0] in ("resources", "simulators", "tests")] == []
    inside = path.relative_to(DAEMON).parts
    own = inside[1] if inside[0] == "devices" and len(inside) > 2 else None
    others = [each for each in BACKENDS if each != own]
    assert [each for each in found if any(under(each, f"jeenergied.devices.{other}") for other in others)] == []
    if own is not None:
        core = [each for each in found if under(each, "jeenergied") and not under(each, "jeenergied.devices")]
        assert [each for each in core if each not in ("jeenergied", "jeenergied.__version__")] == []


@pytest.mark.parametrize("path", sources(".py", folders=("resources/daemon/energy",)), ids=name)
def test_what_is_decided_about_loads_knows_neither_systems_nor_wires(path: Path) -> None:
    found = [each for each in imports(path, package_of(path)) if under(each, "jeenergied")]
    assert [each for each in found if not under(each, "jeenergied.energy")] == []


@pytest.mark.parametrize("path", sources(".py", folders=("simulators",)), ids=name)
def test_a_simulator_is_written_without_the_daemon(path: Path) -> None:
    """One that shares code with the client would share its mistakes."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    found = imports(path, package)
    assert [each for each in found if each.split(".")[0] in ("jeenergied", "jeedom_bridge", "resources", "tests")] == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_catalogue_has_its_package(backend: str) -> None:
    assert (DEVICES / backend / "device.py").is_file()


def test_a_package_has_its_catalogue() -> None:
    assert sorted(path.parent.name for path in DEVICES.glob("*/device.py")) == BACKENDS


PRODUCT = ("core", "desktop", "jeedom_bridge", "plugin_info", "resources/daemon")
LONGEST_OF_THE_PRODUCT = 400
LAYERS = {
    "connections": ("actions", "api", "daemon", "nearby"),
    "devices": ("actions", "api", "connections", "daemon", "energy", "nearby", "readings", "texts"),
    "energy": ("actions", "api", "connections", "daemon", "devices", "nearby"),
    "nearby": ("actions", "api", "connections", "daemon", "devices", "energy"),
    "actions": ("api", "connections", "daemon", "energy"),
    "readings": ("actions", "api", "connections", "daemon", "devices", "energy", "texts"),
    "texts": ("actions", "api", "connections", "daemon", "energy", "readings"),
    "api": ("daemon", "energy"),
}
"""What a part of the daemon may not import: all that stands above or beside it."""


@pytest.mark.parametrize("part", LAYERS)
def test_imports_of_the_daemon_run_down(part: str) -> None:
    paths = [
        path
        for path in sources(".py", folders=("resources/daemon",))
        if path.relative_to(DAEMON).parts[0] in (part, f"{part}.py")
    ]
    assert paths
    forbidden = [f"jeenergied.{each}" for each in LAYERS[part]]
    found = {
        name(path): [each for each in imports(path, package_of(path)) if any(under(each, f) for f in forbidden)]
        for path in paths
    }
    assert {path: names for path, names in found.items() if names} == {}


def modules() -> dict[str, set[str]]:
    """What each module of the daemon and of the bridge imports of them."""
    paths = {}
    for package, folder in (("jeedom_bridge", ROOT / "jeedom_bridge"), ("jeenergied", DAEMON)):
        for path in folder.rglob("*.py"):
            parts = [package, *path.relative_to(folder).with_suffix("").parts]
            own = parts[:-1]
            paths[".".join(own if parts[-1] == "__init__" else parts)] = (path, ".".join(own))
    return {
        module: {each for each in imports(path, package) if each in paths and each != module}
        for module, (path, package) in paths.items()
    }


def circle(imported: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a ring; empty if there are none."""
    done: set[str] = set()

    def follow(module: str, way: list[str]) -> list[str]:
        if module in way:
            return [*way[way.index(module) :], module]
        if module in done:
            return []
        for each in sorted(imported[module]):
            found = follow(each, [*way, module])
            if found:
                return found
        done.add(module)
        return []

    return next((found for module in sorted(imported) if (found := follow(module, []))), [])


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle(modules()) == []


def test_no_file_of_the_product_is_long() -> None:
    lengths = {
        name(path): len(path.read_text("utf-8").splitlines()) for path in sources(".py", ".php", ".js", folders=PRODUCT)
    }
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_OF_THE_PRODUCT} == {}


def test_no_folder_of_the_product_is_full() -> None:
    paths = [path for path in sources(".py", ".php", ".js", folders=PRODUCT) if path.name != "__init__.py"]
    counts = Counter(name(path.parent) for path in paths)
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_no_source_file_is_long() -> None:
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in sources(".py", ".php", ".js")}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}


@pytest.mark.parametrize("folder", SMALL, ids=name)
def test_a_package_is_small(folder: Path) -> None:
    """A package that grows gets packages of its own, by purpose; a file that grows is split the same way."""
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in folder.glob("*.py")}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_OF_A_BACKEND} == {}
    assert (folder / "__init__.py").read_text("utf-8").count("\n") >= 1


def test_generic_code_names_no_vendor() -> None:
    """At the beginning of a word, or of a part of one: "newest" names nobody."""
    words = re.compile(rf"(?<![A-Za-z])(?i:{'|'.join(VENDORS)})|{'|'.join(each.capitalize() for each in VENDORS)}")
    generic = sources(".php", ".js", folders=("core", "desktop", "plugin_info"))
    generic += sources(".py", folders=("jeedom_bridge", "resources/daemon/connections", "resources/daemon/api"))
    generic += [*sorted(DAEMON.glob("*.py")), DEVICES / "base.py"]
    generic += sorted((DEVICES / "common").glob("*.py"))
    found = {name(path): words.findall(path.read_text("utf-8")) for path in generic}
    assert len(found) > 40
    assert {path: names for path, names in found.items() if names} == {}


def test_all_files_tell_the_same_version() -> None:
    told = {
        "pyproject.toml": r'(?m)^version = "([^"]+)"',
        "resources/daemon/__init__.py": r'(?m)^__version__ = "([^"]+)"',
    }
    versions = {path: re.findall(form, (ROOT / path).read_text("utf-8")) for path, form in told.items()}
    info = json.loads((ROOT / "plugin_info" / "info.json").read_text("utf-8"))
    assert list(versions.values()) == [[info["pluginVersion"]]] * 2
