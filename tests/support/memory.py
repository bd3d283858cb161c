"""How much memory something needs at its peak, of this process."""

from __future__ import annotations

import re
from pathlib import Path


def peak_mib() -> float:
    """The most that this process has had in memory since `forget_peak`."""
    return int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024


def forget_peak() -> float:
    """Starts a new peak; what is in memory now, MiB."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_mib()
