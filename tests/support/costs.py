"""What each file of tests costs: `python -m pytest -p tests.support.costs ...` prints a table, dearest first.

Processor time is that of this process and of the processes that it has started and waited for; what is left of a test's
duration it has waited. Wall times of a busy machine tell little, processor times do.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.nursery import Spent


@dataclass
class Cost:
    """Seconds, but for `tests`."""

    tests: int = 0
    own: float = 0.0
    children: float = 0.0
    wall: float = 0.0


COSTS: dict[str, Cost] = {}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Around set-up, test and tear-down."""
    before, forked, began = os.times(), Spent.user + Spent.system, time.monotonic()
    try:
        return (yield)  # type: ignore[misc]
    finally:
        after = os.times()
        cost = COSTS.setdefault(item.nodeid.partition("::")[0], Cost())
        cost.tests += 1
        cost.own += after.user + after.system - before.user - before.system
        cost.children += after.children_user + after.children_system - before.children_user - before.children_system
        cost.children += Spent.user + Spent.system - forked
        cost.wall += time.monotonic() - began


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table."""
    terminalreporter.section("costs, s")
    terminalreporter.write_line("tests  own CPU  children    wall  file")
    for name, cost in sorted(COSTS.items(), key=lambda each: -(each[1].own + each[1].children)):
        line = f"{cost.tests:5} {cost.own:8.2f} {cost.children:9.2f} {cost.wall:7.2f}  {name}"
        terminalreporter.write_line(line)
