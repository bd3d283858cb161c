"""A simulated WES and a connection to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.wes.life import furnished
from simulators.wes.server import WesServer
from tests.wes.rig import Rig


@pytest.fixture
def wes() -> Iterator[WesServer]:
    """A furnished WES with one relay card; our page is not on it yet."""
    with WesServer(furnished()) as running:
        yield running


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Where connections run."""
    with Rig(tmp_path) as running:
        yield running
