"""The figures of documents, for the tests that measure them."""

from __future__ import annotations

import re
from pathlib import Path

SECURITY = Path(__file__).resolve().parents[2] / "docs" / "security.md"
HEADING = "## Logins while they are refused"


def logins() -> dict[tuple[str, str], int]:
    """Logins in 30 days by (system, refusal), as the table of security.md has them."""
    text = SECURITY.read_text("utf-8").split(HEADING, 1)[1].split("\n## ", 1)[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)
    ]
    return {(row[0], kind): int(row[-1]) for row in rows[2:] for kind in row[1].split("; ")}


def agrees(system: str, refusal: str, measured: float) -> bool:
    """Whether a measured number of logins in 30 days is the documented one, give or take 5 % and one."""
    documented = logins()[system, refusal]
    return abs(measured - documented) <= max(1.0, 0.05 * documented)
