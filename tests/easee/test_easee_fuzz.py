"""Whatever the service sends: no exception, no value that is none. EASEE_FUZZ sets how many rounds (default short)."""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import time

import pytest
from jeenergied.devices.base import DeviceError
from jeenergied.devices.easee import actions, client, mapping
from jeenergied.devices.easee.charger import Charger
from jeenergied.devices.easee.mapping import Table
from jeenergied.devices.easee.stream import Records

from jeedom_bridge.http import Response
from simulators.clock import SimulatedClock
from simulators.easee.charger import Charger as Simulated
from tests.easee.conftest import FIRST, catalogue, connection

ROUNDS = int(os.environ.get("EASEE_FUZZ", "400"))
ROWS = catalogue().all_rows("charger")
ODD = [
    None,
    "",
    "x",
    0,
    -1,
    1e308,
    2**70,
    True,
    [],
    {},
    [[]],
    {"a": None},
    "NaN",
    "\x00",
    "é" * 50,
    "0x10",
    " 3 ",
    "3,5",
]


def mutated(value, dice):
    """The same JSON value, changed somewhere."""
    if dice.random() < 0.15:
        return dice.choice(ODD)
    if isinstance(value, dict):
        changed = {key: mutated(inner, dice) if dice.random() < 0.3 else inner for key, inner in value.items()}
        if changed and dice.random() < 0.2:
            changed.pop(dice.choice(list(changed)))
        return changed
    if isinstance(value, list):
        return [mutated(each, dice) for each in value] * dice.choice((1, 1, 1, 2))
    return value


def samples():
    """What the service really sends."""
    charger = Simulated(FIRST, clock=SimulatedClock(1.8e9, 0))
    updates = [observed.record(FIRST) for observed in charger.observed.values()]
    response = {"serialNumber": FIRST, "id": 48, "wasAccepted": True, "resultCode": 0, "ticks": 639054504000000000}
    return charger.state(), updates, response


def check(charger):
    """Every fact is a value that Jeedom can take."""
    facts = charger.facts(set(charger.values) | {mapping.MODE, mapping.CONNECTED})
    for row in ROWS:
        value = row.value(facts.get(row.source)) if row.source else None
        assert value is None or isinstance(value, (bool, int, float, str))
        assert not isinstance(value, float) or math.isfinite(value)


def test_mutated_observations_and_states_are_survived():
    state, updates, response = samples()
    dice = random.Random(1)
    charger = Charger(FIRST, Table(ROWS))
    for number in range(ROUNDS):
        arguments = mutated([dice.choice(updates), dice.choice(updates)], dice)
        for record in mapping.observations(arguments):
            charger.observe(record, float(number), 1.8e9)
        changed = mutated(state, dice)
        charger.differs(changed, float(number))
        charger.take_state(changed, float(number))
        mapping.command_responses(mutated([response], dice))
        actions.tickets(mutated([{"device": FIRST, "commandId": 48, "ticks": 6390}], dice), FIRST)
        mapping.circuit_path(mutated({"id": 1, "circuits": [{"id": 2, "chargers": [{"id": FIRST}]}]}, dice), FIRST)
        mapping.session(json.dumps(mutated({"EnergyKwh": 1.0, "MeterValueStop": 2, "Auth": "x"}, dice)))
        check(charger)


def test_mutated_bytes_are_split_into_records_or_left_out():
    _, updates, _ = samples()
    dice = random.Random(2)
    for _ in range(ROUNDS):
        text = "".join(json.dumps({"type": 1, "arguments": [each]}) + "\x1e" for each in updates[:3])
        letters = list(text)
        for _ in range(dice.randrange(6)):
            letters[dice.randrange(len(letters))] = chr(dice.choice((0, 0x1E, 34, 123, 125, 91, 255, 0xD800)))
        records = Records()
        cut = dice.randrange(len(letters))
        found = records.feed("".join(letters[:cut])) + records.feed("".join(letters[cut:]))
        assert all(isinstance(each, dict) for each in found)


def test_a_record_without_an_end_does_not_fill_the_memory():
    records = Records()
    for _ in range(50):
        records.feed("x" * 100_000)
    assert len(records._rest) <= 1_100_000
    assert records.feed('\x1e{"type":6}\x1e') == [{"type": 6}]


@pytest.mark.parametrize("status", [200, 202, 204, 301, 400, 401, 403, 404, 405, 418, 429, 500, 502, 503, 504, 599])
def test_every_answer_is_either_used_or_an_error_in_words(status):
    dice = random.Random(status)
    bodies = [b"", b"null", b"[]", b"{", b"\xff\xfe", b"<html>", b"[" * 5000, b'{"message":"Forbidden"}', b'"text"']
    bodies += [json.dumps(mutated({"title": "{x}", "detail": "y", "errorCode": 100}, dice)).encode() for _ in range(50)]
    for body in bodies:
        for headers in ({}, {"retry-after": "5"}, {"retry-after": "soon"}, {"retry-after": "9" * 30}):
            answer = Response(status, headers, body)
            error = client.status_error(answer, "/x") if status not in (200, 202, 204) else None
            assert error is None or (isinstance(error, DeviceError) and str(error))
            assert error is None or error.retry is None or 0 <= error.retry <= 86400
            for read in (client._tokens, client._object, client.parsed):
                with contextlib.suppress(DeviceError):
                    read(answer)


def test_a_living_account_survives_mutated_records(rig, cloud):
    rig.configure(connection(cloud, FIRST))
    rig.wait_value("10", "status", 1)
    _, updates, response = samples()
    dice = random.Random(3)
    for _ in range(ROUNDS // 4):
        record = {"type": 1, "target": "ProductUpdate", "arguments": [dice.choice(updates)]}
        answer = {"type": 1, "target": "CommandResponse", "arguments": [response]}
        for each in (record, answer, {"type": 3, "invocationId": "1", "result": None}):
            changed = mutated(each, dice)
            if not (isinstance(changed, dict) and changed.get("type") == 7):
                cloud.hub.send_all(json.dumps(changed) + "\x1e")
    cloud.chargers[FIRST].set(124, 7777.5, time.time() + 100)  # newer than whatever came without a time
    rig.wait(lambda: rig.device()._chargers[FIRST].values.get(124) == 7777.5)
    assert len(cloud.hub.negotiations) == 1
