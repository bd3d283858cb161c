"""The browser writes numbers and sentences as PHP does: vectors of core/contract hold both to it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT / "core" / "contract"
HARNESS = """
const fs = require('fs');
const [script, tiles, vectors] = process.argv.slice(1).map(path => fs.readFileSync(path, 'utf8'));
const { units, odd } = JSON.parse(tiles);
const marks = { decimal: ',', thousands: '\\u202f', date: '$3/$2/$1' };
globalThis.window = { jeenergieTilesTold: { units, odd, marks, ages: {} } };
globalThis.document = {
  querySelector: () => null, addEventListener: () => null, body: { addEventListener: () => null },
};
globalThis.setInterval = () => null;
eval(script);
const { figure } = window.jeenergieTiles;
console.log(JSON.stringify(JSON.parse(vectors).cases.map(([value, unit]) => figure(value, unit))));
"""


def test_numbers_are_written_as_the_vectors_say() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on this machine")
    vectors = CONTRACT / "vectors" / "figures.json"
    files = [ROOT / "desktop" / "js" / "tiles.js", CONTRACT / "tiles.json", vectors]
    done = subprocess.run([node, "-e", HARNESS, *map(str, files)], capture_output=True, check=True, text=True)
    assert json.loads(done.stdout) == [text for _, _, text in json.loads(vectors.read_text("utf-8"))["cases"]]


@pytest.mark.parametrize("script", ["tiles.js", "jeenergie.tools.js", "house/point.parts.js"])
def test_no_line_of_a_sentence_ends_where_the_vectors_say(script: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on this machine")
    source = (ROOT / "desktop" / "js" / script).read_text("utf-8")
    rule = re.search(r"bound(?: = function)?\(text\) \{\s+return (text\.replace\(.+\));", source)
    assert rule is not None
    cases = json.loads((CONTRACT / "vectors" / "sentences.json").read_text("utf-8"))["cases"]
    code = f"console.log(JSON.stringify(JSON.parse(process.argv[1]).map(([text]) => {rule.group(1)})))"
    done = subprocess.run([node, "-e", code, json.dumps(cases)], capture_output=True, check=True, text=True)
    assert json.loads(done.stdout) == [bound for _, bound in cases]
