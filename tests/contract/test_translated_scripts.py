"""The core puts translations into scripts as they are: one that holds the quote around it stops the whole script."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTIONS: dict[str, dict[str, str]] = json.loads((ROOT / "core" / "i18n" / "en_US.json").read_text("utf-8"))
SCRIPTS = sorted((ROOT / "desktop" / "js").rglob("*.js"))
TEXT = re.compile(r"\{\{(.*?)\}\}")


def quoted(line: str) -> Iterator[tuple[str, str]]:
    """(text, the quote around it) of each text to translate."""
    quote = ""
    at = 0
    while at < len(line):
        found = TEXT.match(line, at)
        if found:
            yield found.group(1), quote
            at = found.end()
            continue
        if line[at] == "\\":
            at += 1
        elif quote == "" and line[at] in "'\"`":
            quote = line[at]
        elif line[at] == quote:
            quote = ""
        elif quote == "" and line.startswith("//", at):
            return
        at += 1


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_no_translation_ends_the_string_that_it_stands_in(script: Path) -> None:
    section = SECTIONS.get(f"plugins/jeenergie/{script.relative_to(ROOT)}", {})
    lines = script.read_text("utf-8").splitlines()
    found = [(text, quote) for line in lines if not line.strip().startswith("*") for text, quote in quoted(line)]
    assert {text for text, _ in found} >= set(section)
    assert [text for text, quote in found if quote and quote in section.get(text, "")] == []
    assert [text for text, quote in found if quote and quote in text] == []


def test_scripts_can_be_read_in_english() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on this machine")
    whole = []
    for script in SCRIPTS:
        section = SECTIONS.get(f"plugins/jeenergie/{script.relative_to(ROOT)}", {})
        text = TEXT.sub(lambda found, own=section: own.get(found.group(1), found.group(1)), script.read_text("utf-8"))
        whole.append([script.name, text])
    check = (
        "const vm = require('vm'), all = JSON.parse(require('fs').readFileSync(0));"
        "all.forEach(([name, text]) => new vm.Script(text, { filename: name }))"
    )
    done = subprocess.run([node, "-e", check], input=json.dumps(whole), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
