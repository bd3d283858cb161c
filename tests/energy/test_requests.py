"""What a day of solar charging asks of Easee: under a tenth of what an account may ask."""

from __future__ import annotations

import pytest
from jeenergied.devices.easee.account import REQUESTS_PER_WINDOW, WINDOW_S
from jeenergied.devices.easee.actions import ASK_RESULT_AT_S
from jeenergied.energy.control.guard import RENEW_S

from tests.energy import cloudy

VENDOR_PER_WINDOW = 500
"""Requests that the service takes in five minutes (pyeasee, November 2026); the daemon allows itself less."""
PER_SETPOINT = 1
"""The order; its proof comes by the stream."""
WITHOUT_STREAM = 1 + len(ASK_RESULT_AT_S) + 1
"""The order, its result asked for as often as it ever is, and a reading when nothing has come."""
CLOUDIEST = (0, 6)
"""Of the first sixty seeds those with the most set-points in five minutes."""


@pytest.mark.parametrize("seed", CLOUDIEST)
def test_a_cloudy_day_asks_little_of_the_account(seed: int) -> None:
    moments: list[int] = []
    total = cloudy.ours(cloudy.net(seed), told=moments.append)
    assert total.commands == len(moments) > 100
    busiest = max(sum(begin <= each < begin + WINDOW_S for each in moments) for begin in moments)
    assert busiest * PER_SETPOINT <= REQUESTS_PER_WINDOW / 10
    assert busiest * WITHOUT_STREAM <= VENDOR_PER_WINDOW / 10
    windows = cloudy.SECONDS / WINDOW_S
    net = WINDOW_S / RENEW_S
    assert len(moments) * PER_SETPOINT / windows + net <= REQUESTS_PER_WINDOW / 10
