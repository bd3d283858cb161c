"""What waits for Jeedom: values coalesce, events keep their order, nothing is lost."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.outbox import MAX_BYTES, MAX_EVENTS, MAX_POINTS, Outbox
from tests.support.outboxes import deliver, due, events, values
from tests.support.waiting import until


class TestValues:
    def test_the_first_value_leaves_at_once(self, outbox: Outbox) -> None:
        assert due(outbox) is None
        outbox.values("1", {"power": 5})
        assert due(outbox) == 0
        assert values(outbox.take()) == {"1.power": 5}

    def test_a_newer_value_replaces_one_that_waits(self, outbox: Outbox) -> None:
        for power in range(100):
            outbox.values("1", {"power": power, "mode": "on"})
        assert len(outbox) == 2
        assert values(outbox.take()) == {"1.power": 99, "1.mode": "on"}

    def test_an_unchanged_value_is_never_sent(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 5})
        deliver(outbox)
        for _ in range(100):
            outbox.values("1", {"power": 5})
        assert due(outbox) is None
        assert outbox.take() is None
        assert len(outbox) == 0

    def test_a_value_that_comes_back_before_it_left_is_not_sent(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 5})
        deliver(outbox)
        outbox.values("1", {"power": 6})
        outbox.values("1", {"power": 5})
        assert due(outbox) is None
        assert outbox.take() is None

    def test_one_and_true_and_their_texts_are_different_values(self, outbox: Outbox) -> None:
        outbox.values("1", {"x": 1})
        deliver(outbox)
        outbox.values("1", {"x": True})
        assert deliver(outbox) == {"1.x": True}
        outbox.values("1", {"x": "1"})
        assert deliver(outbox) == {"1.x": "1"}

    def test_none_is_never_sent(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": None})
        assert outbox.take() is None
        outbox.values("1", {"power": 5})
        outbox.values("1", {"power": None})
        assert deliver(outbox) == {"1.power": 5}

    @pytest.mark.parametrize("bad", [float("nan"), float("inf"), object(), [1], {"a": 1}])
    def test_what_json_cannot_say_is_refused_where_it_is_handed_in(self, outbox: Outbox, bad: Any) -> None:
        with pytest.raises((ValueError, TypeError)):
            outbox.values("1", {"power": bad})
        assert due(outbox) is None
        outbox.values("1", {"power": 5})
        assert deliver(outbox) == {"1.power": 5}

    def test_values_of_one_equipment_share_an_event(self, outbox: Outbox, clock: ManualClock) -> None:
        outbox.values("1", {"a": 1})
        clock.advance(30)
        outbox.values("1", {"b": 2})
        outbox.values("2", {"a": 3})
        found = events(outbox.take())
        assert [(each["equipment"], each["values"]) for each in found] == [("1", {"a": 1, "b": 2}), ("2", {"a": 3})]

    def test_an_old_value_keeps_its_own_date(self, outbox: Outbox, clock: ManualClock) -> None:
        outbox.values("1", {"a": 1}, at=clock.time() - 600)
        outbox.values("1", {"b": 2})
        found = events(outbox.take())
        assert len(found) == 2
        assert found[0]["at"] < found[1]["at"]

    def test_values_that_waited_for_long_keep_their_dates(self, outbox: Outbox, clock: ManualClock) -> None:
        outbox.values("1", {"a": 1})
        before = clock.time()
        clock.advance(3600)
        outbox.values("1", {"b": 2})
        found = events(outbox.take())
        assert [list(each["values"]) for each in found] == [["a"], ["b"]]
        assert before < clock.time()


class TestInFlight:
    def test_a_newer_value_waits_for_the_end_of_the_request(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1})
        batch = outbox.take()
        outbox.values("1", {"power": 2})
        outbox.values("1", {"power": 3})
        assert batch is not None
        outbox.acknowledged(batch, {"ok": True})
        assert deliver(outbox) == {"1.power": 3}

    def test_the_value_under_way_is_not_sent_twice(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1})
        batch = outbox.take()
        outbox.values("1", {"power": 1})
        assert batch is not None
        outbox.acknowledged(batch, {"ok": True})
        assert due(outbox) is None

    def test_a_value_that_went_and_came_back_during_a_request_leaves_nothing_to_do(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1})
        batch = outbox.take()
        outbox.values("1", {"power": 2})
        outbox.values("1", {"power": 1})
        assert batch is not None
        outbox.acknowledged(batch, {"ok": True})
        assert due(outbox) is None
        assert len(outbox) == 0

    def test_a_request_that_never_arrived_is_sent_again(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1, "mode": "a"})
        batch = outbox.take()
        assert batch is not None
        outbox.failed(batch, unknown=False)
        assert deliver(outbox) == {"1.power": 1, "1.mode": "a"}

    def test_what_came_meanwhile_wins_over_what_failed(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1})
        batch = outbox.take()
        outbox.values("1", {"power": 2})
        assert batch is not None
        outbox.failed(batch, unknown=True)
        assert deliver(outbox) == {"1.power": 2}
        assert outbox.take() is None

    @pytest.mark.parametrize("back", ["before", "after"])
    def test_after_an_unknown_end_the_former_value_is_sent_too(self, outbox: Outbox, back: str) -> None:
        """Jeedom may have applied what failed: what it had before is no longer what it has."""
        outbox.values("1", {"power": 1})
        deliver(outbox)
        outbox.values("1", {"power": 2})
        batch = outbox.take()
        assert batch is not None
        if back == "before":
            outbox.values("1", {"power": 1})
        outbox.failed(batch, unknown=True)
        outbox.values("1", {"power": 1})
        assert deliver(outbox) == {"1.power": 1}

    def test_after_a_sure_failure_the_former_value_is_what_jeedom_has(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1})
        deliver(outbox)
        outbox.values("1", {"power": 2})
        batch = outbox.take()
        assert batch is not None
        outbox.failed(batch, unknown=False)
        outbox.values("1", {"power": 1})
        assert outbox.take() is None

    def test_what_is_on_the_wire_counts_until_it_is_acknowledged(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1, "mode": "a"})
        outbox.event({"event": "message", "level": "info", "text": "x"})
        outbox.history("1", {"energy": [("2026-01-01T00:00:00+01:00", 1)]})
        assert len(outbox) == 4
        for unknown in (False, True, True):
            batch = outbox.take()
            assert batch is not None
            assert len(outbox) == 4
            outbox.failed(batch, unknown)
            assert len(outbox) == 4
        while (batch := outbox.take()) is not None:
            outbox.acknowledged(batch, {"ok": True})
        assert len(outbox) == 0

    def test_forgotten_during_a_request(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1})
        batch = outbox.take()
        assert batch is not None
        outbox.forget("1")
        outbox.failed(batch, unknown=True)
        assert due(outbox) is None
        outbox.values("1", {"power": 1})
        assert deliver(outbox) == {"1.power": 1}


class TestCadence:
    def test_a_value_leaves_no_more_often_than_its_cadence(self, outbox: Outbox, clock: ManualClock) -> None:
        cadence = {"voltage": 10.0}
        outbox.values("1", {"voltage": 230}, cadence=cadence)
        assert deliver(outbox) == {"1.voltage": 230}
        clock.advance(1)
        outbox.values("1", {"voltage": 231}, cadence=cadence)
        assert due(outbox) == pytest.approx(9)
        assert outbox.take() is None

    def test_the_newest_value_leaves_when_the_window_ends(self, outbox: Outbox, clock: ManualClock) -> None:
        cadence = {"voltage": 10.0}
        outbox.values("1", {"voltage": 230}, cadence=cadence)
        deliver(outbox)
        for volts in (231, 232, 233):
            clock.advance(3)
            outbox.values("1", {"voltage": volts}, cadence=cadence)
        clock.advance(1)
        assert due(outbox) == 0
        assert deliver(outbox) == {"1.voltage": 233}

    def test_other_values_do_not_wait_for_it(self, outbox: Outbox, clock: ManualClock) -> None:
        cadence = {"voltage": 10.0}
        outbox.values("1", {"voltage": 230, "power": 1}, cadence=cadence)
        deliver(outbox)
        outbox.values("1", {"voltage": 231, "power": 2}, cadence=cadence)
        assert due(outbox) == 0
        assert deliver(outbox) == {"1.power": 2}
        assert due(outbox) == pytest.approx(10)

    def test_a_changed_cadence_holds_from_the_next_value_on(self, outbox: Outbox, clock: ManualClock) -> None:
        outbox.values("1", {"voltage": 230}, cadence={"voltage": 60.0})
        deliver(outbox)
        outbox.values("1", {"voltage": 231}, cadence={})
        assert deliver(outbox) == {"1.voltage": 231}

    def test_a_failed_request_does_not_use_up_the_window(self, outbox: Outbox) -> None:
        outbox.values("1", {"voltage": 230}, cadence={"voltage": 60.0})
        batch = outbox.take()
        assert batch is not None
        outbox.failed(batch, unknown=False)
        assert due(outbox) == 0

    def test_at_the_end_everything_leaves(self, outbox: Outbox) -> None:
        outbox.values("1", {"voltage": 230}, cadence={"voltage": 60.0})
        deliver(outbox)
        outbox.values("1", {"voltage": 231}, cadence={"voltage": 60.0})
        assert values(outbox.take(everything=True)) == {"1.voltage": 231}


class TestEvents:
    def test_events_keep_their_order_and_go_before_values(self, outbox: Outbox) -> None:
        outbox.values("1", {"power": 1})
        for number in range(10):
            outbox.event({"event": "message", "level": "info", "text": str(number)})
        found = events(outbox.take())
        assert [each["text"] for each in found[:10]] == [str(number) for number in range(10)]
        assert found[10]["event"] == "values"

    def test_one_that_waits_is_replaced_by_the_next_of_its_kind(self, outbox: Outbox) -> None:
        outbox.event({"event": "connection", "connection": "1", "state": "connecting"}, merge="1")
        outbox.event({"event": "message", "level": "info", "text": "between"})
        outbox.event({"event": "connection", "connection": "1", "state": "online"}, merge="1")
        found = events(outbox.take())
        assert [each["event"] for each in found] == ["message", "connection"]
        assert found[1]["state"] == "online"

    def test_one_on_the_wire_is_not_replaced(self, outbox: Outbox) -> None:
        outbox.event({"event": "connection", "connection": "1", "state": "connecting"}, merge="1")
        batch = outbox.take()
        outbox.event({"event": "connection", "connection": "1", "state": "online"}, merge="1")
        assert batch is not None
        outbox.failed(batch, unknown=False)
        assert [each["state"] for each in events(outbox.take())] == ["connecting", "online"]

    def test_equal_events_are_not_taken_for_each_other(self, outbox: Outbox) -> None:
        """A merged event is found by what it is, not by what it looks like."""
        state = {"event": "connection", "connection": "1", "state": "online"}
        outbox.event(state)
        outbox.event({"event": "message", "level": "info", "text": "between"})
        outbox.event(state, merge="1")
        outbox.event({"event": "connection", "connection": "1", "state": "error"}, merge="1")
        assert [each.get("state", "-") for each in events(outbox.take())] == ["online", "-", "error"]

    def test_after_an_unknown_end_the_same_events_go_alone_under_their_sequence(self, outbox: Outbox) -> None:
        outbox.event({"event": "message", "level": "info", "text": "a"})
        outbox.values("1", {"power": 1})
        first = outbox.take()
        assert first is not None
        outbox.failed(first, unknown=True)
        outbox.event({"event": "message", "level": "info", "text": "b"})
        outbox.values("1", {"power": 2})
        for _ in range(3):
            repeat = outbox.take()
            assert repeat is not None
            assert repeat.sequence == first.sequence
            assert [each.get("text") for each in events(repeat)] == ["a"]
            outbox.failed(repeat, unknown=False)
        repeat = outbox.take()
        assert repeat is not None
        outbox.acknowledged(repeat, {"ok": True})
        after = outbox.take()
        assert after is not None
        assert after.sequence > first.sequence
        assert [each.get("text") for each in events(after)] == ["b", None]
        assert values(after) == {"1.power": 2}

    def test_an_event_that_json_cannot_say_is_refused_where_it_is_handed_in(self, outbox: Outbox) -> None:
        with pytest.raises((ValueError, TypeError)):
            outbox.event({"event": "trigger", "value": float("nan")})
        with pytest.raises((ValueError, TypeError)):
            outbox.event({"event": "trigger", "value": object()})
        assert outbox.take() is None

    def test_a_rejected_event_is_named_and_dropped(self, outbox: Outbox) -> None:
        outbox.event({"event": "message", "level": "info", "text": "good"})
        outbox.event({"event": "message", "level": "odd", "text": "bad"})
        batch = outbox.take()
        assert batch is not None
        rejected = outbox.acknowledged(batch, {"ok": True, "rejected": [{"event": 1, "message": "odd level"}]})
        assert [(json.loads(part)["text"], reason) for part, reason in rejected] == [("bad", "odd level")]
        assert due(outbox) is None

    @pytest.mark.parametrize(
        "rejected",
        [5, "x", None, {}, [5], [None], [{}], [{"event": 99}], [{"event": -1}], [{"event": "0"}], [{"event": None}]],
    )
    def test_an_odd_list_of_rejections_harms_nothing(self, outbox: Outbox, rejected: Any) -> None:
        outbox.values("1", {"power": 1})
        batch = outbox.take()
        assert batch is not None
        assert outbox.acknowledged(batch, {"ok": True, "rejected": rejected}) == []
        assert due(outbox) is None

    @pytest.mark.parametrize("answer", [{"unknown": 5}, {"unknownCommands": []}, {"unknownCommands": {"1": 5}}])
    def test_an_odd_acknowledgement_harms_nothing(self, outbox: Outbox, answer: Any) -> None:
        outbox.values("1", {"power": 1})
        deliver(outbox, **answer)
        outbox.values("1", {"power": 2})
        assert deliver(outbox) == {"1.power": 2}

    def test_far_too_many_push_out_the_oldest(self, outbox: Outbox) -> None:
        for number in range(3 * MAX_EVENTS):
            outbox.event({"event": "message", "level": "info", "text": str(number)})
        assert len(outbox) == MAX_EVENTS
        assert outbox.dropped == 2 * MAX_EVENTS
        assert events(outbox.take())[0]["text"] == str(2 * MAX_EVENTS)

    def test_memory_is_bounded_while_jeedom_fails(self, outbox: Outbox) -> None:
        for number in range(200):
            for each in range(30):
                outbox.event({"event": "message", "level": "info", "text": f"{number} {each}"})
            batch = outbox.take()
            assert batch is not None
            outbox.failed(batch, unknown=number % 2 == 0)
            assert len(outbox) <= 2 * MAX_EVENTS


class TestSize:
    def test_a_request_has_at_most_500_points(self, outbox: Outbox) -> None:
        for number in range(30):
            outbox.event({"event": "message", "level": "info", "text": str(number)})
        for equipment in range(10):
            outbox.values(str(equipment), {f"c{n}": n for n in range(60)})
        outbox.history("1", {"energy": [(f"x{n}", n) for n in range(2000)]})
        total = 0
        while (batch := outbox.take()) is not None:
            points = sum(len(each.get("values", each.get("points", "1"))) for each in events(batch))
            assert points == batch.points <= MAX_POINTS
            total += points
            outbox.acknowledged(batch, {"ok": True})
        assert total == 30 + 600 + 2000

    @pytest.mark.parametrize("filling", ["x" * 1000, "é" * 1000, '"' * 1000, "\U0001f600" * 500])
    def test_a_request_has_at_most_256_kb(self, outbox: Outbox, filling: str) -> None:
        for number in range(400):
            outbox.event({"event": "message", "level": "info", "text": f"{number}{filling}"})
            outbox.values("1", {f"c{number}": f"{number}{filling}"})
            outbox.history("1", {f"h{number}": [("2026-01-01T00:00:00+01:00", f"{number}{filling}")]})
        parts = 0
        while (batch := outbox.take()) is not None:
            assert sum(map(len, batch.parts)) <= MAX_BYTES
            parts += batch.points
            outbox.acknowledged(batch, {"ok": True})
        assert parts == 1200

    def test_one_that_is_too_big_alone_goes_alone(self, outbox: Outbox) -> None:
        outbox.values("1", {"a": "x" * MAX_BYTES, "b": 1})
        outbox.event({"event": "message", "level": "info", "text": "x" * MAX_BYTES})
        outbox.event({"event": "message", "level": "info", "text": "small"})
        seen = []
        while (batch := outbox.take()) is not None:
            seen.append(batch.points)
            outbox.acknowledged(batch, {"ok": True})
        assert sum(seen) == 4


def test_many_threads_and_one_callback_lose_nothing(outbox: Outbox) -> None:
    """Whatever the interleaving, Jeedom ends with the newest value of each command."""
    stop = threading.Event()
    jeedom: dict[str, Any] = {}
    applied: list[str] = []

    def callback() -> None:
        count = 0
        while not stop.is_set() or due(outbox) is not None:
            batch = outbox.take(50)
            if batch is None:
                stop.wait(0.001)
                continue
            count += 1
            if count % 3:
                jeedom.update(values(batch))
                applied.extend(each["text"] for each in events(batch) if each["event"] == "message")
                outbox.acknowledged(batch, {"ok": True})
            else:
                outbox.failed(batch, unknown=False)

    def produce(equipment: str) -> None:
        for number in range(1000):
            outbox.values(equipment, {"a": number, "b": number // 10, "c": number % 2})
            if number % 50 == 0:
                outbox.event({"event": "message", "level": "info", "text": f"{equipment} {number}"})

    sender = threading.Thread(target=callback)
    producers = [threading.Thread(target=produce, args=(str(n),)) for n in range(4)]
    for each in [sender, *producers]:
        each.start()
    for each in producers:
        each.join()
    until(lambda: len(outbox) == 0, 10)
    stop.set()
    sender.join(30)
    assert {jeedom[f"{n}.{name}"] for n in range(4) for name in "a"} == {999}
    assert {jeedom[f"{n}.b"] for n in range(4)} == {99}
    assert {jeedom[f"{n}.c"] for n in range(4)} == {1}
    for n in range(4):
        own = [text for text in applied if text.startswith(f"{n} ")]
        assert own == [f"{n} {number}" for number in range(0, 1000, 50)]
