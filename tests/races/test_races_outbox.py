"""Values come, Jeedom answers, and a new desired state arrives, all at once."""

from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

from jeedom_bridge import Outbox
from jeedom_bridge.clock import ManualClock

from .conftest import PATIENCE_S, Race

ROUNDS = 30


class Jeedom:
    """The other end: takes what leaves until `done`; refuses an equipment as long as it does not know it."""

    def __init__(self, outbox: Outbox, known: bool = True) -> None:
        self.outbox = outbox
        self.known = known
        self.values: dict[str, Any] = {}
        self.points: list[Any] = []
        self.done = threading.Event()

    def serve(self) -> None:
        while True:
            last = self.done.is_set()
            batch = self.outbox.take(everything=True)
            if batch is None:
                if last:
                    return
                continue
            known = self.known
            for event in map(json.loads, batch.parts):
                if known and event["event"] == "values":
                    self.values.update(event["values"])
                elif known and event["event"] == "history":
                    self.points += event["points"]
            if not known:
                time.sleep(0.01)  # its answer is on the way
            self.outbox.acknowledged(batch, {"ok": True} if known else {"ok": True, "unknown": ["2"]})


def test_the_newest_value_arrives_whatever_is_under_way(race: Race) -> None:
    for _ in range(ROUNDS):
        outbox = Outbox(ManualClock())
        jeedom = Jeedom(outbox)
        ended = [threading.Event(), threading.Event()]

        def publish(
            name: str, end: threading.Event, outbox: Outbox = outbox, jeedom: Jeedom = jeedom, ended: Any = ended
        ) -> None:
            for number in range(8):
                outbox.values("2", {name: number})
                outbox.resend("2", {name: 0.0})
            end.set()
            if all(each.is_set() for each in ended):
                jeedom.done.set()

        race(
            jeedom.serve,
            lambda publish=publish, end=ended[0]: publish("a", end),
            lambda publish=publish, end=ended[1]: publish("b", end),
        )
        assert jeedom.values == {"a": 7, "b": 7}
        assert len(outbox) == 0


def test_a_refusal_that_is_under_way_loses_no_value_of_the_new_state(race: Race) -> None:
    chance = random.Random(1)
    for _ in range(ROUNDS):
        outbox = Outbox(ManualClock())
        jeedom = Jeedom(outbox, known=False)
        outbox.values("2", {"a": 1})

        def configure(outbox: Outbox = outbox, jeedom: Jeedom = jeedom) -> None:
            time.sleep(chance.random() / 100)
            jeedom.known = True  # created there, then told here
            outbox.unmute()
            outbox.values("2", {"a": 1})
            jeedom.done.set()

        race(jeedom.serve, configure)
        assert jeedom.values == {"a": 1}


def test_every_delivery_ends_and_is_right_about_it(race: Race) -> None:
    for _ in range(ROUNDS):
        outbox = Outbox(ManualClock())
        jeedom = Jeedom(outbox)
        told: list[tuple[bool, int]] = []

        def deliver(outbox: Outbox = outbox, told: list[tuple[bool, int]] = told) -> None:
            for number in range(4):
                delivery = outbox.history("2", {"a": [(f"2026-03-01T00:00:0{number}+01:00", number)]})
                told.append((delivery.wait(PATIENCE_S), number))
                assert delivery.ended

        def forget(outbox: Outbox = outbox, jeedom: Jeedom = jeedom, told: Any = told) -> None:
            for _ in range(3):
                outbox.forget("2")
            while len(told) < 4:
                outbox.forget("9")
            jeedom.done.set()

        race(deliver, jeedom.serve, forget)
        arrived = {value for _, value in jeedom.points}
        assert {number for delivered, number in told if delivered} <= arrived
