"""The catalogues' short form: formatted, without profiles that nobody needs, each source one that its backend knows."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge.contract import Catalogue, Contract, ContractError

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = Contract(ROOT / "core" / "contract")
CATALOGUES = list(CONTRACT.catalogues.values())
FORMATTER = ROOT / "tools" / "format_catalogues.py"


def short_rows(catalogue: Catalogue) -> list[dict[str, Any]]:
    """The rows as they are written in the file."""
    parts = [part["commands"] for part in (catalogue.data["connection"], *catalogue.data["equipment"].values())]
    return [row for part in (*catalogue.data.get("sets", {}).values(), *parts) for row in part]


def formatted(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(FORMATTER), *arguments], capture_output=True, text=True, check=False)


def test_the_catalogues_are_as_their_schema_says() -> None:
    CONTRACT.check()


def test_the_catalogues_are_formatted() -> None:
    assert formatted("--check").stdout == ""


def test_a_catalogue_is_written_with_a_row_on_a_line(tmp_path: Path) -> None:
    (tmp_path / "catalogue").mkdir()
    path = tmp_path / "catalogue" / "x.json"
    rows = [{"source": "y", "name": "é", "logicalId": "b", "settings": [{"type": "text", "key": "k"}]}]
    path.write_text(json.dumps({"backend": "x", "connection": {"fields": [], "commands": rows}}))
    assert formatted("--check", str(tmp_path)).returncode == 1
    assert formatted(str(tmp_path)).returncode == 0
    assert formatted("--check", str(tmp_path)).returncode == 0
    row = '{"logicalId": "b", "name": "é", "source": "y", "settings": [{"type": "text", "key": "k"}]}'
    assert f"      {row}\n" in path.read_text("utf-8")


def test_every_profile_is_needed() -> None:
    """One that is shared serves several rows; one of a catalogue serves its own."""
    used = [name for each in CATALOGUES for row in short_rows(each) for name in row.get("as", "").split()]
    own = {name for each in CATALOGUES for name in each.data.get("profiles", {})}
    assert {*CONTRACT.profiles, *own} - set(used) == set()


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda each: each.backend)
def test_a_profile_of_a_catalogue_hides_no_shared_one(catalogue: Catalogue) -> None:
    assert set(catalogue.data.get("profiles", {})) & set(CONTRACT.profiles) == set()


def catalogue(*rows: dict[str, Any], **more: Any) -> Contract:
    """A contract with one catalogue of these rows."""
    made = Contract(ROOT / "core" / "contract")
    connection = {"fields": [], "operations": [], "commands": list(rows)}
    data = {"backend": "x", "name": "X", "discover": "ask", "connection": connection, "equipment": {}, **more}
    made.catalogues = {"x": Catalogue("x", data, {}, made.profiles)}
    return made


ROW = {"logicalId": "a", "name": "A", "as": "text", "source": "a.b"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**ROW, "as": "nothing"}, "x.connection: there is no profile 'nothing'"),
        ({**ROW, "as": "text  hidden"}, "does not satisfy pattern"),
        ({**ROW, "as": "hidden"}, "x.connection.a: .*type, subType missing"),
        ({**ROW, "as": "button", "type": "info"}, "x.connection.a: subType"),
        ({**ROW, "source": "a b"}, "x.connection.a: the source 'a b' is not as `sources` says"),
        ({**ROW, "as": "button"}, "x.connection.a: the source 'a.b' is not as `sources` says"),
        ({**ROW, "colour": "red"}, "connection.commands.0"),
        ({**ROW, "phases": True, "each": [1]}, "connection.commands.0"),
        ({"logicalId": "a", "name": "A", "as": "text", "phases": True}, "connection.commands.0"),
    ],
)
def test_a_row_that_nobody_could_read_is_refused_with_its_place(row: dict[str, Any], said: str) -> None:
    catalogue(ROW).check()
    with pytest.raises(ContractError, match=said):
        catalogue(row).check()


def test_a_profile_is_checked_like_a_row() -> None:
    catalogue({**ROW, "as": "own"}, profiles={"own": {"type": "info", "subType": "string"}}).check()
    with pytest.raises(ContractError, match=r"profiles\.own"):
        catalogue(ROW, profiles={"own": {"kind": "info"}}).check()


def words_of(folder: Path) -> set[str]:
    """The words that stand in the texts of a package's code and data, in lower case, "apparentToday" as two."""
    texts = [path.read_text("utf-8") for path in folder.rglob("*.json")]
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
                texts.append(node.value)
            elif isinstance(node, ast.keyword):
                texts.append(node.arg or "")
    return {word for text in texts for word in in_words(text)}


def in_words(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]*[a-z]+|[A-Z]+", text)}


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda each: each.backend)
def test_the_source_of_a_value_is_made_of_words_that_its_backend_or_what_it_talks_to_knows(
    catalogue: Catalogue,
) -> None:
    backend = catalogue.backend
    package = "energy" if "automatic" in catalogue.data else f"devices/{backend}"
    known = words_of(ROOT / "resources" / "daemon" / package) | words_of(ROOT / "simulators" / backend)
    unknown = set()
    for kind in (None, *catalogue.data["equipment"]):
        for row in catalogue.all_rows(kind):
            # A number before the name is what counts, and the name explains it.
            told = re.sub(r"^\d+\|\w+", "", row.source or "") if row.data["type"] == "info" else ""
            if in_words(told) - known:
                unknown.add(told)
    assert unknown == set()
