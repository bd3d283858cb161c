"""What the ecometers' tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.econetatmo.world import World

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "recorded" / "econetatmo"


@pytest.fixture
def world(tmp_path: Path, root_logger: object) -> Iterator[Callable[..., World]]:
    """Makes worlds and ends them."""
    made: list[World] = []

    def make(*arguments: Any, **more: Any) -> World:
        made.append(World(tmp_path / f"data{len(made)}", *arguments, **more))
        return made[-1].__enter__()

    yield make
    for each in made:
        each.__exit__(None, None, None)


@pytest.fixture
def recorded() -> Path:
    """The folder of recorded answers; the test is skipped where it is absent."""
    if not RECORDED.is_dir():
        pytest.skip("no recorded answers here")
    return RECORDED
