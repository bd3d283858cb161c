"""The short form of the soak: all five systems under faults, and the truth in Jeedom afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("JEENERGIE_SOAK"), reason="real time for everything: JEENERGIE_SOAK=1 runs it")
def test_jeedom_shows_the_truth_after_faults_of_everything(tmp_path: Path) -> None:
    report = tmp_path / "soak.md"
    command = [sys.executable, "-m", "simulators.soak", "--python", sys.executable, "--minutes", "0.25"]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([*command, "--report", str(report)], cwd=root, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "**failed**" not in report.read_text("utf-8")
