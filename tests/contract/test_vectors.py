"""Rules that three languages implement, held together by one file of cases each (PHP reads them in VectorsTest.php)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge.contract import Contract, Row, holds, resolved, written_out
from jeedom_bridge.templates import fill, is_one
from simulators.jeedom.catalogue import expanded

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "core" / "contract" / "vectors"
WHEN: list[dict[str, Any]] = json.loads((VECTORS / "when.json").read_text("utf-8"))["cases"]
PROFILES: dict[str, Any] = json.loads((VECTORS / "profiles.json").read_text("utf-8"))
SETTINGS: dict[str, Any] = json.loads((VECTORS / "settings.json").read_text("utf-8"))
VALUES: dict[str, Any] = json.loads((VECTORS / "value.json").read_text("utf-8"))
PLURALS: list[tuple[str, float, bool]] = [
    tuple(each) for each in json.loads((VECTORS / "plurals.json").read_text("utf-8"))["cases"]
]
HARNESS = """
const fs = require('fs');
const [source, vectors] = process.argv.slice(1);
const window = { jeenergie: {}, JN: {} };
const jn = { data: { list: {} } };
const text = fs.readFileSync(source, 'utf8').replace(/\\}\\)\\([^)]*\\);?\\s*$/, '})(jn);');
eval(text);
const { cases, fields } = JSON.parse(fs.readFileSync(vectors, 'utf8'));
const rule = cases[0].length === 3 ? ([language, number]) => jn.isOne(number, language)
  : fields ? (each) => jn.resolved(fields, each.given)
  : Array.isArray(cases[0]) ? (each) => jn.hostOf(each[0]) : (each) => jn.holds(each.when, each.settings);
console.log(JSON.stringify(cases.map(rule)));
"""


@pytest.mark.parametrize("case", WHEN, ids=[each["name"] for each in WHEN])
def test_a_condition_holds_in_python(case: dict[str, Any]) -> None:
    parent = {key[11:]: value for key, value in case["settings"].items() if key.startswith("connection.")}
    own = {key: value for key, value in case["settings"].items() if not key.startswith("connection.")}
    assert holds(case["when"], own, parent) == case["holds"]


@pytest.mark.parametrize("group", VALUES["rows"], ids=[each["name"] for each in VALUES["rows"]])
def test_a_value_is_converted_as_its_row_says(group: dict[str, Any]) -> None:
    row = Row("x", group["row"])
    assert [(raw, json.dumps(row.value(raw))) for raw, _ in group["cases"]] == [
        (raw, json.dumps(value)) for raw, value in group["cases"]
    ]


def test_the_board_knows_the_units() -> None:
    contract = Contract(VECTORS.parent)
    told = {unit: [each["of"], each["times"]] for unit, each in contract.quantities["units"].items()}
    assert told == {unit: each for unit, each in VALUES["units"].items() if unit != each[0]}
    catalogues = contract.catalogues.values()
    assert {tuple(each.factors.items()) for each in catalogues} == {tuple((unit, by) for unit, (_, by) in told.items())}
    rows = [row for each in catalogues for kind in (None, *each.data["equipment"]) for row in each.all_rows(kind)]
    used = {row.data.get("unit", "") for row in rows if row.measures and isinstance(row.data.get("unit", ""), str)}
    quantities = {each["unit"] for each in Contract(VECTORS.parent).quantities["quantities"].values()}
    assert used <= set(VALUES["units"]) | quantities


def typed(settings: dict[str, Any]) -> str:
    """Settings as a text that tells 1, true and "1" apart."""
    return json.dumps(settings, sort_keys=True, ensure_ascii=False)


@pytest.mark.parametrize("case", SETTINGS["cases"], ids=[each["name"] for each in SETTINGS["cases"]])
def test_settings_hold_in_python(case: dict[str, Any]) -> None:
    wanted = {**SETTINGS["defaults"], **case["holds"]}
    assert typed(resolved(SETTINGS["fields"], case["given"])) == typed(wanted)


def test_settings_hold_in_javascript() -> None:
    answered = dict(zip([each["name"] for each in SETTINGS["cases"]], in_javascript("settings.json")))
    wanted = {each["name"]: each["holds"] for each in SETTINGS["cases"] if each.get("form", True)}
    found = {name: typed(answered[name]) for name in wanted}
    assert found == {name: typed({**SETTINGS["defaults"], **holds}) for name, holds in wanted.items()}


@pytest.mark.parametrize("case", PROFILES["cases"], ids=[each["name"] for each in PROFILES["cases"]])
def test_a_row_is_written_out_in_python_and_in_the_simulated_jeedom(case: dict[str, Any]) -> None:
    given = json.dumps(case["row"])
    assert written_out(case["row"], PROFILES["profiles"], PROFILES["phases"]) == case["rows"]
    assert expanded(case["row"], PROFILES["profiles"], PROFILES["phases"]) == case["rows"]
    assert json.dumps(case["row"]) == given


def in_javascript(vectors: str, script: str = "jeenergie.fields.js") -> list[Any]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on this machine")
    source = ROOT / "desktop" / "js" / script
    command = [node, "-e", HARNESS, str(source), str(VECTORS / vectors)]
    found: list[Any] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return found


def test_a_host_is_found_in_javascript() -> None:
    cases = json.loads((VECTORS / "hosts.json").read_text("utf-8"))["cases"]
    assert in_javascript("hosts.json") == [host for _, host in cases]


@pytest.mark.parametrize(("language", "number", "singular"), PLURALS)
def test_a_number_takes_singular_or_plural_in_python(language: str, number: float, singular: bool) -> None:
    assert is_one(number, language) == singular
    assert fill("{n:day|days}, {name}", {"n": number, "name": "x"}, language) == (
        f"{number} day{'' if singular else 's'}, x"
    )


def test_a_number_takes_singular_or_plural_in_javascript() -> None:
    assert in_javascript("plurals.json", "jeenergie.tools.js") == [singular for *_, singular in PLURALS]


def test_a_condition_holds_in_javascript() -> None:
    answered = in_javascript("when.json")
    assert dict(zip([each["name"] for each in WHEN], answered)) == {each["name"]: each["holds"] for each in WHEN}
