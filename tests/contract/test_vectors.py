"""Rules that three languages implement, held together by one file of cases each (PHP reads them in VectorsTest.php)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge.contract import holds, written_out
from simulators.jeedom.catalogue import expanded

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "core" / "contract" / "vectors"
WHEN: list[dict[str, Any]] = json.loads((VECTORS / "when.json").read_text("utf-8"))["cases"]
PROFILES: dict[str, Any] = json.loads((VECTORS / "profiles.json").read_text("utf-8"))
HARNESS = """
const fs = require('fs');
const [source, vectors] = process.argv.slice(1);
const window = { jeenergie: {}, JN: {} };
const jn = {};
const text = fs.readFileSync(source, 'utf8').replace(/\\}\\)\\([^)]*\\);?\\s*$/, '})(jn);');
eval(text);
const cases = JSON.parse(fs.readFileSync(vectors, 'utf8')).cases;
const rule = Array.isArray(cases[0]) ? (each) => jn.hostOf(each[0]) : (each) => jn.holds(each.when, each.settings);
console.log(JSON.stringify(cases.map(rule)));
"""


@pytest.mark.parametrize("case", WHEN, ids=[each["name"] for each in WHEN])
def test_a_condition_holds_in_python(case: dict[str, Any]) -> None:
    parent = {key[11:]: value for key, value in case["settings"].items() if key.startswith("connection.")}
    own = {key: value for key, value in case["settings"].items() if not key.startswith("connection.")}
    assert holds(case["when"], own, parent) == case["holds"]


@pytest.mark.parametrize("case", PROFILES["cases"], ids=[each["name"] for each in PROFILES["cases"]])
def test_a_row_is_written_out_in_python_and_in_the_simulated_jeedom(case: dict[str, Any]) -> None:
    given = json.dumps(case["row"])
    assert written_out(case["row"], PROFILES["profiles"], PROFILES["phases"]) == case["rows"]
    assert expanded(case["row"], PROFILES["profiles"], PROFILES["phases"]) == case["rows"]
    assert json.dumps(case["row"]) == given


def in_javascript(vectors: str) -> list[Any]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on this machine")
    source = ROOT / "desktop" / "js" / "jeenergie.fields.js"
    command = [node, "-e", HARNESS, str(source), str(VECTORS / vectors)]
    found: list[Any] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return found


def test_a_host_is_found_in_javascript() -> None:
    cases = json.loads((VECTORS / "hosts.json").read_text("utf-8"))["cases"]
    assert in_javascript("hosts.json") == [host for _, host in cases]


def test_a_condition_holds_in_javascript() -> None:
    answered = in_javascript("when.json")
    assert dict(zip([each["name"] for each in WHEN], answered)) == {each["name"]: each["holds"] for each in WHEN}
