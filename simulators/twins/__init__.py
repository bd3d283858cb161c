"""Answers in the shape of real ones, for who has no recordings: keys and types as the vendors send them.

Serial numbers, times and names in these files are invented, powers and energies are changed by a factor for each
gateway. A folder of `enphase` is one gateway, laid out as `simulators/enphase/recorded.py` reads it.
Where recordings are there, `tests/recorded` holds each of them against its twin.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def twin(vendor: str, name: str) -> Any:
    """The parsed answer of that name; a page that is no JSON is text."""
    path = HERE / vendor / name
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else text


def gateways() -> list[str]:
    """The names of the Enphase gateways."""
    return sorted(path.name for path in (HERE / "enphase").iterdir() if path.is_dir())


def gateway(name: str) -> Path:
    """The folder of an Enphase gateway."""
    return HERE / "enphase" / name
