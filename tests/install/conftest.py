"""Machines of these tests are folders with programs of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.disk import place_of_programs


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """One that programs can be started from."""
    with tempfile.TemporaryDirectory(prefix="jeenergie-machine-", dir=place_of_programs()) as folder:
        machine = Path(folder) / "html" / "machine"  # some look above the plugin's folder
        machine.mkdir(parents=True)
        yield machine
