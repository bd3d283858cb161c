"""`python -m simulators.soak --python PYTHON --minutes N --report FILE`: faults at random, then a comparison.

The exit code is 0 when every check held, else 1.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from simulators.soak.host import StandIn
from simulators.soak.run import Soak


def main() -> int:
    """Runs a soak; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulators.soak", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the daemon")
    parser.add_argument("--minutes", type=float, default=10.0, help="of faults and healing")
    parser.add_argument("--seed", type=int, default=1, help="decides which faults come when")
    parser.add_argument("--report", type=Path, help="file for the table")
    options = parser.parse_args()
    # An orderly end on SIGTERM too: mounts and processes must go.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    soak = Soak(StandIn(str(Path(options.python).absolute())), options.minutes, options.seed)
    good = soak.run()
    text = soak.report()
    print(text, flush=True)
    if options.report:
        options.report.write_text(text, "utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
