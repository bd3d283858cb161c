"""The short form of the soak: all five systems under faults, and the truth in Jeedom afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.disk import place_of_programs


@pytest.mark.slow
def test_jeedom_shows_the_truth_after_faults_of_everything(tmp_path: Path) -> None:
    """Half a minute; on a loaded machine it waits for what is to come, within a limit of minutes."""
    report = tmp_path / "soak.md"
    command = [sys.executable, "-m", "simulators.soak", "--python", sys.executable, "--minutes", "0.25"]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [*command, "--report", str(report)],
        cwd=root,
        env={**os.environ, "TMPDIR": place_of_programs()},  # it compiles a library for the daemon
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "**failed**" not in report.read_text("utf-8")
