"""The commands of all systems are what they were: histories and scenarios hang on their ids, types, units and names."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

from tools import snapshot_commands

ROOT = Path(__file__).resolve().parents[2]


def test_no_command_changes_unless_it_is_meant() -> None:
    kept = snapshot_commands.SNAPSHOT.read_bytes().decode("utf-8")
    found = snapshot_commands.text()
    changes = list(unified_diff(kept.splitlines(), found.splitlines(), "snapshot", "catalogues", n=0, lineterm=""))
    assert kept == found, "\n".join([*changes[:40], "If it is meant: python tools/snapshot_commands.py"])


def test_the_snapshot_tells_each_system_and_can_be_read_back() -> None:
    rows = [line.split("\t") for line in snapshot_commands.text().splitlines()]
    assert {len(row) for row in rows} == {8}
    systems = {path.stem for path in (ROOT / "core" / "contract" / "catalogue").glob("*.json")}
    assert {row[0] for row in rows} == systems
