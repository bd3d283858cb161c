"""What the ecometers' tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.econetatmo.world import World


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
