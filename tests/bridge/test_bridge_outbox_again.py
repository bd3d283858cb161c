"""Jeedom keeps values in a cache, which loses them without a word: what is known is sent again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from jeedom_bridge.clock import ManualClock, moment
from jeedom_bridge.outbox import Outbox, Value
from tests.support.outboxes import deliver, due, events


def sent(outbox: Outbox, clock: ManualClock) -> list[tuple[dict[str, Any], float, bool]]:
    """(values, age in seconds, whether it only stands) of each event of the next request, which is acknowledged."""
    batch = outbox.take()
    assert batch is not None
    outbox.acknowledged(batch, {"ok": True})
    return [
        (each["values"], clock.time() - datetime.fromisoformat(each["at"]).timestamp(), each.get("again", False))
        for each in events(batch)
    ]


def test_the_last_values_are_sent_once_more_and_those_that_stand_with_their_own_date(
    outbox: Outbox, clock: ManualClock
) -> None:
    outbox.values("1", {"power": 1, "mode": "a"})
    deliver(outbox)
    clock.advance(500)
    outbox.resend("1", {"power": clock.time() - 10, "unknown": 0.0})
    assert due(outbox) == 0
    assert sent(outbox, clock) == [({"power": 1}, 0, False), ({"mode": "a"}, 500, True)]
    assert outbox.take() is None


def test_a_clock_that_is_set_meanwhile_does_not_make_it_younger(outbox: Outbox, clock: ManualClock) -> None:
    outbox.values("1", {"power": 1})
    deliver(outbox)
    clock.advance(100)
    clock.step(-3600)
    outbox.resend("1", {})
    assert sent(outbox, clock) == [({"power": 1}, 100, True)]


def test_jeedom_says_that_it_has_lost_values_and_gets_them_all(outbox: Outbox, clock: ManualClock) -> None:
    outbox.values("1", {"power": 1})
    outbox.values("2", {"mode": "a"})
    deliver(outbox)
    clock.advance(100)
    outbox.values("1", {"power": 2})
    assert deliver(outbox, lost=True) == {"1.power": 2}
    assert due(outbox) == 0
    assert sent(outbox, clock) == [({"power": 2}, 0, True), ({"mode": "a"}, 100, True)]
    assert due(outbox) is None


def test_a_disk_that_stays_full_costs_one_repetition_a_minute(outbox: Outbox, clock: ManualClock) -> None:
    outbox.values("1", {"standing": 1})
    deliver(outbox)
    repeated = 0
    for power in range(600):
        outbox.values("1", {"power": power})
        repeated += "1.standing" in deliver(outbox, lost=True)
        clock.advance(1)
    assert repeated == 10


def test_what_was_lost_comes_within_its_cadence_and_the_newer_one_waits(outbox: Outbox, clock: ManualClock) -> None:
    outbox.values("1", {"power": 1}, cadence={"power": 3600})
    deliver(outbox)
    clock.advance(10)
    outbox.values("1", {"power": 2}, cadence={"power": 3600})
    outbox.resend("1", {"power": clock.time()})
    assert sent(outbox, clock) == [({"power": 1}, 10, True)]
    assert due(outbox) == 3590
    clock.advance(3590)
    assert deliver(outbox) == {"1.power": 2}


def test_the_same_value_again_takes_the_repetition_not_back(outbox: Outbox) -> None:
    outbox.values("1", {"power": 1})
    deliver(outbox)
    outbox.resend("1", {})
    outbox.values("1", {"power": 1})
    assert deliver(outbox) == {"1.power": 1}


@pytest.mark.parametrize("unknown", [True, False])
def test_a_repetition_that_does_not_arrive_is_repeated(outbox: Outbox, clock: ManualClock, unknown: bool) -> None:
    outbox.values("1", {"power": 1})
    deliver(outbox)
    clock.advance(100)
    outbox.resend("1", {})
    batch = outbox.take()
    assert batch is not None
    outbox.failed(batch, unknown)
    clock.advance(5)
    assert sent(outbox, clock) == [({"power": 1}, 105, True)]


def test_a_newer_value_that_waits_is_not_undone(outbox: Outbox) -> None:
    outbox.values("1", {"power": 1})
    deliver(outbox)
    outbox.values("1", {"power": 2})
    outbox.resend("1", {"power": 0.0})
    assert deliver(outbox) == {"1.power": 2}
    assert outbox.take() is None


def test_what_jeedom_never_had_is_not_sent(outbox: Outbox) -> None:
    outbox.resend("1", {"power": 0.0})
    outbox.forget("1")
    assert outbox.take() is None


def test_what_nobody_knows_any_more_is_not_sent_until_it_is_known_again(outbox: Outbox) -> None:
    outbox.values("1", {"power": 1})
    deliver(outbox)
    outbox.values("1", {"power": None})
    outbox.resend("1", {})
    assert outbox.take() is None
    outbox.values("1", {"power": 1})
    assert outbox.take() is None
    outbox.resend("1", {})
    assert deliver(outbox) == {"1.power": 1}


def test_a_rejected_value_is_sent_again_as_a_new_one_with_the_next_repetition(
    outbox: Outbox, clock: ManualClock
) -> None:
    outbox.values("1", {"power": 1})
    deliver(outbox, rejected=[{"event": 0, "message": "deadlock"}])
    outbox.values("1", {"power": 1})
    assert due(outbox) is None, "at once it would be rejected at once"
    clock.advance(100)
    outbox.resend("1", {})
    assert sent(outbox, clock) == [({"power": 1}, 100, False)]
    outbox.resend("1", {})
    assert sent(outbox, clock) == [({"power": 1}, 100, True)]


def test_the_newest_of_dated_measures_stands_as_well(outbox: Outbox, clock: ManualClock) -> None:
    def points(*ages: float) -> list[tuple[str, Value]]:
        return [(moment(clock.time() - age), age) for age in ages]

    outbox.history("1", {"day": points(86400, 172800), "rejected": points(10), "nonsense": [("x", 1)]})
    deliver(outbox, rejected=[{"event": 1, "message": "deadlock"}])
    outbox.history("1", {"day": points(864000)})  # older ones that are read later
    deliver(outbox)
    clock.advance(100)
    outbox.resend("1", {})
    assert sent(outbox, clock) == [({"day": 86400}, 86500, True)]


def test_what_is_lost_while_all_stands_comes_after_a_minute_at_most(outbox: Outbox, clock: ManualClock) -> None:
    outbox.values("1", {"power": 1})
    deliver(outbox, lost=True)
    deliver(outbox, lost=True)
    assert due(outbox) == 60
    clock.advance(60)
    assert deliver(outbox) == {"1.power": 1}
    assert due(outbox) is None
