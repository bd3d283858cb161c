"""Random days with a goal: it is met if it can be, else a risk is told. `JEENERGIE_FIRE=full` plays hundreds."""

from __future__ import annotations

import pytest

from tests.energy.random_goals import check
from tests.fire import FULL


@pytest.mark.parametrize("seed", range(300) if FULL else [107])
def test_a_random_day_with_a_goal_keeps_what_is_promised(seed: int) -> None:
    check(seed)
