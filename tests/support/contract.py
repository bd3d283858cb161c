"""The contract as shipped, read once for all tests of a process: its rows are written out once, too."""

from __future__ import annotations

from pathlib import Path

from jeedom_bridge.contract import Contract

CORE = Path(__file__).resolve().parents[2] / "core"
CONTRACT = Contract(CORE / "contract")
"""To be read only."""
