"""When a quiet charger is looked at, when its stream counts as stalled, and what of a record is logged."""

from __future__ import annotations

import json

import pytest
from jeenergied.devices.easee.charger import Charger
from jeenergied.devices.easee.mapping import Observation, Table
from jeenergied.devices.easee.streaming.stall_detector import (
    IDLE_QUIET_S,
    MAX_RECONNECTIONS_PER_HOUR,
    SUSPICION_S,
    StallDetector,
)
from jeenergied.devices.easee.streaming.stream import _shown

from tests.easee.conftest import FIRST, catalogue

TABLE = Table(catalogue().all_rows("charger"))


@pytest.fixture
def charger() -> Charger:
    return Charger(FIRST, TABLE)


def heard(charger: Charger, now: float) -> None:
    charger.observe(Observation(FIRST, 120, "1.5", 3, None), now, now)


def test_a_subscription_that_nothing_answers_is_a_stalled_stream(charger: Charger) -> None:
    watch = StallDetector()
    watch.subscribed(FIRST, 10.0)
    watch.looked(charger, False, 20.0)
    assert watch.pending()
    assert watch.stalled([charger], 20.0 + SUSPICION_S - 1) is None
    assert watch.stalled([charger], 20.0 + SUSPICION_S) == (FIRST, True)
    assert not watch.pending()


def test_word_from_the_charger_ends_a_suspicion(charger: Charger) -> None:
    watch = StallDetector()
    watch.subscribed(FIRST, 10.0)
    watch.looked(charger, True, 20.0)
    heard(charger, 21.0)
    assert watch.stalled([charger], 20.0 + SUSPICION_S) is None
    assert not watch.pending()


def test_a_charger_that_the_account_does_not_see_stalls_nothing(charger: Charger) -> None:
    watch = StallDetector()
    watch.absent(FIRST, 5.0)
    assert watch.is_absent(FIRST)
    assert watch.stalled([charger], 5.0 + SUSPICION_S) is None
    watch.looked(charger, False, 10.0)  # it was seen again: this look proves nothing yet
    assert not watch.is_absent(FIRST)
    assert not watch.pending()


def test_a_stream_is_not_renewed_without_end(charger: Charger) -> None:
    watch, told = StallDetector(), []
    for n in range(3 * MAX_RECONNECTIONS_PER_HOUR):
        now = 100.0 + n * (SUSPICION_S + 1)
        watch.subscribed(FIRST, now)
        watch.looked(charger, True, now)
        told.append(watch.stalled([charger], now + SUSPICION_S))
    assert [reconnect for _, reconnect in told] == [True] * MAX_RECONNECTIONS_PER_HOUR + [
        False
    ] * 2 * MAX_RECONNECTIONS_PER_HOUR
    watch.looked(charger, True, 10_000.0)
    assert watch.stalled([charger], 10_000.0 + SUSPICION_S) == (FIRST, True)


def test_a_subscription_that_is_repeated_is_not_looked_at_sooner(charger: Charger) -> None:
    watch = StallDetector()
    watch._reconnected = [90.0] * MAX_RECONNECTIONS_PER_HOUR
    watch.subscribed(FIRST, 100.0)
    watch.looked(charger, True, 110.0)
    assert watch.stalled([charger], 110.0 + SUSPICION_S) == (FIRST, False)
    watch.subscribed(FIRST, 125.0)
    assert watch.to_look_at([charger], 110.0 + IDLE_QUIET_S - 1) is None
    assert watch.to_look_at([charger], 110.0 + IDLE_QUIET_S) is charger


@pytest.mark.parametrize("observation", [129, 223, 69, 140, 206])
def test_what_belongs_to_a_person_is_not_in_the_log_of_the_stream(observation: int) -> None:
    secret = {"mid": FIRST, "id": observation, "value": json.dumps({"Auth": "04A1B2C3D4"})}
    for arguments in ([secret], [{"mid": FIRST, "id": 120, "value": "1"}, secret], [[secret]]):
        text = _shown({"type": 1, "target": "ProductUpdate", "arguments": arguments})
        assert "04A1B2C3D4" not in text
        assert "not shown" in text


def test_other_records_are_shown_up_to_a_length() -> None:
    assert _shown({"type": 6}) == '{"type": 6}'
    assert len(_shown({"type": 1, "arguments": ["x" * 9000]})) == 2000
