"""Answers in the shape of real ones, for who has no recordings: keys and types as the vendors send them.

Serial numbers, times and names in these files are invented, powers and energies are changed by a factor for each
gateway. A file of `enphase` is one gateway: its answers by the name that `simulators/enphase/recorded.py` gives to
their files, and under `logs` the headers of some of them.
Where recordings are there, `tests/recorded` holds each of them against its twin.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
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
    return sorted(path.stem for path in (HERE / "enphase").glob("*.json"))


@cache
def gateway(name: str) -> Path:
    """A folder with the answers of an Enphase gateway as files, as recordings have them; it goes with the process."""
    root = Path(tempfile.mkdtemp(prefix="jeenergie-twin-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    folder = root / name
    folder.mkdir()
    pages = twin("enphase", f"{name}.json")
    for page, log in pages.pop("logs").items():
        (folder / f"{page}_log.json").write_text(json.dumps(log), encoding="utf-8")
    for page, content in pages.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / page).write_text(text, encoding="utf-8")
    return folder
