"""Sites and benches that end with the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable

import pytest

from jeedom_bridge.clock import ManualClock

from .harness import Bench, at


@pytest.fixture
def clock() -> ManualClock:
    """Noon of a day in March."""
    return ManualClock(at("2026-03-10 12:00"))


@pytest.fixture
def opened() -> Iterator[Callable[[Any], Any]]:
    """Enters a context for the length of the test."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture
def bench(tmp_path: Path, opened: Callable[[Any], Any]) -> Callable[..., Bench]:
    """Makes benches: `bench(site, clock, kinds, **settings)`; call `start` on them."""

    def make(*arguments: Any, **settings: Any) -> Bench:
        made: Bench = opened(Bench(tmp_path, *arguments, **settings))
        return made

    return make
