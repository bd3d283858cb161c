"""A package that nobody looked up is not one without faults."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

PATH = Path(__file__).resolve().parents[2] / "tools" / "audit.py"
SPEC = importlib.util.spec_from_file_location("audit", PATH)
assert SPEC is not None
assert SPEC.loader is not None
audit = importlib.util.module_from_spec(SPEC)
sys.modules["audit"] = audit
SPEC.loader.exec_module(audit)

SOUND = {"name": "requests", "version": "2.34.2", "vulns": []}
FAULTY = {"name": "msgpack", "version": "1.1.2", "vulns": [{"id": "CVE-2026-57585", "fix_versions": ["1.2.1"]}]}
SKIPPED = {"name": "lxml", "skip_reason": "Dependency not found on PyPI and could not be audited: lxml (6.1.3)"}


@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([SOUND], 0, "1 looked up; no known fault among them"),
        ([SOUND, FAULTY], 1, "2 looked up; **faults:** msgpack 1.1.2: CVE-2026-57585"),
        ([SOUND, SKIPPED], 2, "1 looked up; no known fault among them; **1 not looked up** (Dependency not found on"),
        ([SKIPPED, SKIPPED], 2, "0 looked up; **1 not looked up**"),
        ([FAULTY, SKIPPED], 1, "1 looked up; **faults:** msgpack"),
        ([], 2, "0 looked up"),
    ],
)
def test_only_what_was_looked_up_counts(packages: list[dict[str, Any]], code: int, words: str) -> None:
    verdict = audit.judge({"dependencies": packages})
    assert verdict.code == code
    assert verdict.words.startswith(words)
