"""Hostile peers, crashes and leaks.

Each module but the tests is a program (`python -m tests.fire.peers`) that runs its long form and prints what it found.
The normal test run has a short form of each; with `JEENERGIE_FIRE=full` in the environment it runs the long ones.
"""

from __future__ import annotations

import os

FULL = os.environ.get("JEENERGIE_FIRE") == "full"


def amount(short: int, full: int) -> int:
    """How much of something this run does."""
    return full if FULL else short
