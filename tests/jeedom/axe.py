"""What axe-core finds on pages of a real Jeedom."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chromium import Chromium

AXE = Path(__file__).resolve().parents[2] / ".venv" / "node_modules" / "axe-core" / "axe.min.js"


def serious(browser: Chromium, place: str) -> list[tuple[str, str, str]]:
    """What axe-core finds serious or critical within an element."""
    if not AXE.exists():
        pytest.skip("axe-core is not here: see docs/testing.md")
    browser.run(AXE.read_text("utf-8"))
    # A color on its way to another is none that a user reads; a flow of energy moves for ever.
    fading = f"document.querySelector({json.dumps(place)}).getAnimations({{subtree: true}})"
    browser.until(f"!{fading}.some(each => each.effect.getComputedTiming().iterations !== Infinity)")
    # The head of a tile is the core's.
    within = json.dumps({"include": [[place]], "exclude": [[".widget-name"]]})
    found = json.loads(browser.run(f"axe.run({within}).then(done => JSON.stringify(done.violations))"))
    return [
        (each["id"], node["html"][:160], node["failureSummary"][:300])
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
