"""What is remembered of a connection over a restart of the daemon, beside ages and what its device keeps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

REPORTED = "reported"
"""The key of the memory under which the states of equipment that do not work are kept: Jeedom keeps them, too."""
WORKED = "worked"
"""The key of the memory for the settings with which the connection has worked, as `mark` makes them."""


def mark(config: Mapping[str, Any]) -> str:
    """A short hash of the settings: it changes with them and does not reveal them."""
    return hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode()).hexdigest()[:16]


def reported(kept: Any) -> dict[str, tuple[str, str, str] | None]:
    """(state, code, text) by equipment, from what was kept under `REPORTED`; invalid entries are left out."""
    states = kept.items() if isinstance(kept, Mapping) else ()
    return {
        str(equipment): (str(state[0]), str(state[1]), str(state[2]))
        for equipment, state in states
        if isinstance(state, list) and len(state) == 3
    }
