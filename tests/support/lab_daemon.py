"""The daemon with the test backend beside its own: `python -m tests.support.lab_daemon OPTIONS`.

`LAB_CORE` names a directory that holds a `contract` with the test backend's catalogue, `LAB_LIMIT` the seconds that
Jeedom has for an answer (30 in real life), `LAB_SILENCE` those that a peer may be silent (10), `LAB_PATIENCE` those
that each command may take.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import jeenergied.daemon
import jeenergied.devices
from jeenergied.api import commands

from jeedom_bridge import callback, listener

BACKENDS = Path(__file__).parent / "backends"


def install(core: Path) -> None:
    """Makes the test backend known to this process."""
    if str(BACKENDS) not in jeenergied.devices.__path__:
        jeenergied.devices.__path__.append(str(BACKENDS))
    jeenergied.daemon.CORE = core


if __name__ == "__main__":
    install(Path(os.environ["LAB_CORE"]))
    if "LAB_PATIENCE" in os.environ:
        commands.LIMITS.update(dict.fromkeys(commands.LIMITS, float(os.environ["LAB_PATIENCE"])))
    listener.MAX_SILENCE_S = float(os.environ.get("LAB_SILENCE", listener.MAX_SILENCE_S))
    callback.ANSWER_TIMEOUT_S = float(os.environ.get("LAB_LIMIT", callback.ANSWER_TIMEOUT_S))
    sys.exit(jeenergied.daemon.main(sys.argv[1:], os.environ))
