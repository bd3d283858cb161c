"""What waits for Jeedom: dated measures are delivered or told, and what Jeedom does not know is silent."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.outbox import MAX_WAITING_POINTS, Outbox
from tests.support.outboxes import deliver, due, events

POINTS = [(f"2026-01-01T00:{minute:02}:00+01:00", minute) for minute in range(60)]


class TestHistory:
    def test_a_delivery_ends_when_all_is_acknowledged(self, outbox: Outbox) -> None:
        delivery = outbox.history("1", {"energy": POINTS, "gas": POINTS})
        assert len(outbox) == 120
        found = events(outbox.take(100))
        assert [(each["command"], len(each["points"])) for each in found] == [("energy", 60), ("gas", 40)]

        outbox = Outbox(ManualClock())
        delivery = outbox.history("1", {"energy": POINTS, "gas": POINTS})
        for size in (100, 20):
            assert not delivery.ended
            batch = outbox.take(100)
            assert batch is not None
            assert batch.points == size
            outbox.acknowledged(batch, {"ok": True})
        assert delivery.wait(0) is True
        assert len(outbox) == 0

    def test_no_points_are_delivered_at_once(self, outbox: Outbox) -> None:
        assert outbox.history("1", {"energy": []}).wait(0) is True
        assert outbox.history("1", {}).wait(0) is True

    def test_failed_points_are_sent_again_in_their_order(self, outbox: Outbox) -> None:
        delivery = outbox.history("1", {"energy": POINTS})
        batch = outbox.take(25)
        assert batch is not None
        outbox.failed(batch, unknown=True)
        sent: list[Any] = []
        while True:
            batch = outbox.take(25)
            if batch is None:
                break
            sent += [tuple(point) for each in events(batch) for point in each["points"]]
            outbox.acknowledged(batch, {"ok": True})
        assert sent == POINTS
        assert delivery.delivered

    @pytest.mark.parametrize("answer", [{"unknown": ["1"]}, {"unknownCommands": {"1": ["energy"]}}])
    def test_what_jeedom_does_not_know_ends_undelivered(self, outbox: Outbox, answer: Any) -> None:
        delivery = outbox.history("1", {"energy": POINTS})
        batch = outbox.take(25)
        assert batch is not None
        outbox.acknowledged(batch, {"ok": True, **answer})
        assert delivery.ended
        assert delivery.wait(0) is False
        assert outbox.take() is None
        assert len(outbox) == 0

    def test_a_rejected_part_ends_undelivered(self, outbox: Outbox) -> None:
        delivery = outbox.history("1", {"energy": POINTS})
        other = outbox.history("2", {"energy": POINTS})
        batch = outbox.take()
        assert batch is not None
        outbox.acknowledged(batch, {"ok": True, "rejected": [{"event": 0, "message": "no"}]})
        assert (delivery.ended, delivery.delivered) == (True, False)
        assert other.delivered
        assert len(outbox) == 0

    @pytest.mark.parametrize("bad", [float("nan"), object(), None])
    def test_points_that_json_cannot_say_are_refused_where_they_are_handed_in(self, outbox: Outbox, bad: Any) -> None:
        with pytest.raises((ValueError, TypeError)):
            outbox.history("1", {"energy": [("2026-01-01T00:00:00+01:00", bad)]})
        assert outbox.take() is None
        assert len(outbox) == 0

    def test_too_many_points_wait_until_there_is_room(self, outbox: Outbox) -> None:
        many = [(f"x{n}", n) for n in range(MAX_WAITING_POINTS)]
        outbox.history("1", {"energy": many})
        entered = threading.Event()

        def more() -> None:
            outbox.history("1", {"energy": POINTS})
            entered.set()

        threading.Thread(target=more, daemon=True).start()
        assert not entered.wait(0.05)
        batch = outbox.take()
        assert batch is not None
        assert not entered.is_set()
        outbox.acknowledged(batch, {"ok": True})
        assert entered.wait(5)

    def test_more_than_the_room_at_once_is_taken_when_nothing_waits(self, outbox: Outbox) -> None:
        delivery = outbox.history("1", {"energy": [(f"x{n}", n) for n in range(2 * MAX_WAITING_POINTS)]})
        while (batch := outbox.take()) is not None:
            outbox.acknowledged(batch, {"ok": True})
        assert delivery.delivered

    def test_the_end_lets_everybody_go(self, outbox: Outbox) -> None:
        delivery = outbox.history("1", {"energy": [(f"x{n}", n) for n in range(MAX_WAITING_POINTS)]})
        flying = outbox.take()
        later: list[bool] = []
        waiter = threading.Thread(target=lambda: later.append(outbox.history("1", {"energy": POINTS}).wait()))
        waiter.start()
        outbox.close()
        waiter.join(30)
        assert later == [False]
        assert (delivery.ended, delivery.delivered) == (True, False)
        assert flying is not None
        outbox.acknowledged(flying, {"ok": True})
        assert len(outbox) == 0

    def test_a_forgotten_equipment_has_no_measures_under_way(self, outbox: Outbox) -> None:
        """The connection is stopped: who waits for its delivery goes on, and its place is free."""
        delivery = outbox.history("1", {"energy": [(f"x{n}", n) for n in range(MAX_WAITING_POINTS)]})
        flying = outbox.take()
        outbox.forget("1")
        assert (delivery.ended, delivery.delivered) == (True, False)
        assert flying is not None
        outbox.failed(flying, unknown=True)
        assert len(outbox) == 0
        assert outbox.take() is None
        other = outbox.history("2", {"energy": POINTS})
        deliver(outbox)
        assert other.delivered

    def test_who_gives_up_does_not_wait_for_room(self, outbox: Outbox) -> None:
        outbox.history("1", {"energy": [(f"x{n}", n) for n in range(MAX_WAITING_POINTS)]})
        given_up = threading.Event()
        ended: list[bool] = []

        def wait() -> None:
            ended.append(outbox.history("2", {"energy": POINTS}, given_up.is_set).ended)

        waiter = threading.Thread(target=wait)
        waiter.start()
        given_up.set()
        waiter.join(30)
        assert ended == [True]
        assert len(outbox) == MAX_WAITING_POINTS


class TestUnknown:
    def test_an_unknown_equipment_is_silent_until_the_next_configuration(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1})
        deliver(outbox, unknown=["1"])
        outbox.values("1", {"power": 2})
        outbox.resend("1", {"power": 0.0, "old": 0.0})
        assert outbox.take() is None
        assert outbox.history("1", {"energy": POINTS}).ended
        outbox.unmute()
        assert due(outbox) is None
        outbox.values("1", {"power": 2})
        assert deliver(outbox) == {"1.power": 2}

    def test_after_the_configuration_even_the_same_value_is_sent(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1})
        deliver(outbox, unknown=["1"])
        outbox.unmute()
        outbox.values("1", {"power": 1})
        assert deliver(outbox) == {"1.power": 1}

    def test_an_unknown_command_is_silent_and_others_are_not(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1, "old": 1})
        deliver(outbox, unknownCommands={"1": ["old"]})
        outbox.values("1", {"power": 2, "old": 2})
        assert deliver(outbox) == {"1.power": 2}
        outbox.resend("1", {"power": 0.0, "old": 0.0})
        assert deliver(outbox) == {"1.power": 2}
        outbox.unmute()
        outbox.values("1", {"power": 2, "old": 1})
        assert deliver(outbox) == {"1.old": 1}

    def test_what_waits_of_an_unknown_equipment_goes(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1})
        batch = outbox.take()
        outbox.values("1", {"power": 2, "more": 1})
        assert batch is not None
        outbox.acknowledged(batch, {"ok": True, "unknown": ["1"]})
        assert due(outbox) is None
        assert len(outbox) == 0

    def test_a_configuration_during_the_silence_leaves_nothing_behind(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1, "old": 1})
        deliver(outbox, unknown=["1"], unknownCommands={"1": ["old"]})
        outbox.resend("1", {"power": 0.0, "old": 0.0})
        outbox.unmute()
        assert due(outbox) is None
        assert outbox.take() is None
