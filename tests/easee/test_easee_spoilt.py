"""A stream of spoilt records does not end a living connection, nor fill the memory; the rest is in tests/fuzz."""

from __future__ import annotations

import json
import time

from jeenergied.devices.easee.streaming.stream import Records

from tests.easee.conftest import FIRST, connection
from tests.support.mutations import Mutator


def test_a_record_without_an_end_does_not_fill_the_memory():
    records = Records()
    for _ in range(50):
        records.feed("x" * 100_000)
    assert records._size <= 1_100_000
    assert records.feed('\x1e{"type":6}\x1e') == [{"type": 6}]


def test_a_record_in_many_small_parts_is_read_in_linear_time():
    records = Records()
    begun = time.process_time()
    for _ in range(240_000):
        records.feed("xxxx")
    assert records.feed('x\x1e{"type":6}\x1e') == [{"type": 6}]
    assert time.process_time() - begun < 3  # each part joined to all before it: over a minute


def test_a_living_account_survives_spoilt_records(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    updates = [observed.record(FIRST) for observed in cloud.chargers[FIRST].observed.values()]
    response = {"serialNumber": FIRST, "id": 48, "wasAccepted": True, "resultCode": 0, "ticks": 639054504000000000}
    mutator = Mutator("easee")
    for _ in range(100):
        record = {"type": 1, "target": "ProductUpdate", "arguments": [mutator.dice.choice(updates)]}
        answer = {"type": 1, "target": "CommandResponse", "arguments": [response]}
        for each in (record, answer, {"type": 3, "invocationId": "1", "result": None}):
            changed = mutator.document(each)
            if not (isinstance(changed, dict) and changed.get("type") == 7):
                cloud.hub.send_all(json.dumps(changed) + "\x1e")
    cloud.chargers[FIRST].set(150, 55, time.time() + 100)  # newer than whatever came without a time
    rig.wait(lambda: rig.device()._fleet.get(FIRST).values.get(150) == 55)
    assert len(cloud.hub.negotiations) == 1
