"""The daemon with the test backend beside its own: `python -m tests.support.lab_daemon OPTIONS`.

`LAB_CORE` names a directory that holds a `contract` with the test backend's catalogue.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import jeenergied.daemon
import jeenergied.devices

BACKENDS = Path(__file__).parent / "backends"


def install(core: Path) -> None:
    """Makes the test backend known to this process."""
    if str(BACKENDS) not in jeenergied.devices.__path__:
        jeenergied.devices.__path__.append(str(BACKENDS))
    jeenergied.daemon.CORE = core


if __name__ == "__main__":
    install(Path(os.environ["LAB_CORE"]))
    sys.exit(jeenergied.daemon.main(sys.argv[1:], os.environ))
