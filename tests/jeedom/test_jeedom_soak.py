"""A real Jeedom under faults: all five systems, its database, its web server and the daemon go away and come back.

`JEENERGIE_SOAK_JEEDOM=10` (minutes) runs it, `JEENERGIE_SOAK_SEED` chooses the course of faults. What only the machine
knows how to stop is told as JSON in `JEEDOM_OUTAGES`: `[[name, command that stops it, command that starts it], ...]`.
The table goes to the file `JEENERGIE_SOAK_REPORT`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from jeedom_host import Jeedom
from soak_host import RealJeedom

from simulators.soak.run import Soak

MINUTES = float(os.environ.get("JEENERGIE_SOAK_JEEDOM") or "0")
OUTAGES = json.loads(os.environ.get("JEEDOM_OUTAGES") or "[]")
SEED = int(os.environ.get("JEENERGIE_SOAK_SEED") or "11")
pytestmark = pytest.mark.skipif(not MINUTES, reason="minutes: JEENERGIE_SOAK_JEEDOM=10 runs it")


def test_a_real_jeedom_shows_the_truth_after_faults(jeedom: Jeedom, tmp_path: Path) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an orderly end: mounts and wrappers must go
    soak = Soak(RealJeedom(jeedom, OUTAGES), MINUTES, SEED)
    good = soak.run()
    text = soak.report()
    Path(os.environ.get("JEENERGIE_SOAK_REPORT", tmp_path / "soak.md")).write_text(text, "utf-8")
    print(text)
    assert good, text
