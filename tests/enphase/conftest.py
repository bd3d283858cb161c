"""Gateways, clouds and benches that end with the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable

import pytest

from .harness import Bench


@pytest.fixture
def opened() -> Iterator[Callable[[Any], Any]]:
    """Enters a context for the length of the test."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture
def bench(tmp_path: Path, opened: Callable[[Any], Any]) -> Callable[..., Bench]:
    """Makes benches: `bench(gateway, **settings)`; call `start` on them."""

    def make(gateway: Any, **settings: Any) -> Bench:
        made: Bench = opened(Bench(tmp_path, gateway, **settings))
        return made

    return make
