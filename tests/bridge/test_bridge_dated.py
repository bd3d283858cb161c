"""Rows whose values come with their own dates: offered, never sent as values of now."""

from __future__ import annotations

import json

from jeenergied.connections.publisher import Publisher
from jeenergied.devices.base import Connection, Equipment

from jeedom_bridge import Outbox
from jeedom_bridge.clock import ManualClock
from jeedom_bridge.contract import Catalogue

ROW = {"logicalId": "energy", "name": "E", "type": "info", "subType": "numeric", "source": "energy", "create": "seen"}


def sent(commands: dict[str, dict[str, object]], **more: object) -> list[dict[str, object]]:
    part = {"fields": [], "operations": [], "commands": []}
    data = {"connection": part, "equipment": {"meter": {"fields": [], "commands": [{**ROW, **more}]}}}
    clock = ManualClock()
    outbox = Outbox(clock)
    publisher = Publisher(Catalogue("x", data), outbox, clock)
    publisher.adopt(Connection("1", "x", "", {}, {}, (Equipment("2", "meter", "k", "", {}, commands),)))
    publisher.facts("2", {"energy": 5}, None)
    batch = outbox.take(everything=True)
    return [json.loads(each) for each in batch.parts] if batch else []


def test_a_dated_row_is_offered_as_soon_as_there_is_data():
    assert [each["event"] for each in sent({}, dated=True)] == ["available"]


def test_a_dated_row_is_never_a_value_of_now():
    assert sent({"energy": {}}, dated=True) == []
    assert [each["event"] for each in sent({"energy": {}})] == ["values"]
