"""How far a refusal reaches, how long it lasts, and when the user hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jeenergied.devices.common.endpoints import GONE_AFTER_S, Endpoints, Shapes, shape_of
from jeenergied.devices.common.refusals import Policy, Refusals, Scope

from jeedom_bridge.clock import ManualClock

MINUTE = 60.0
POLICIES = {
    Scope.CREDENTIAL: Policy((MINUTE, 5 * MINUTE, 15 * MINUTE, 3600.0), tell_after=4),
    Scope.ADDRESS: Policy((1800.0,), margin_s=600.0),
}


class Kept(dict):  # type: ignore[type-arg]
    """A memory."""

    def put(self, key: str, value: Any) -> None:
        self[key] = value

    keep = put

    def delete(self, key: str) -> None:
        self.pop(key, None)


def book(memory: Mapping[str, Any], clock: ManualClock) -> Refusals:
    return Refusals(memory, clock, POLICIES)  # type: ignore[arg-type]


def test_waits_grow_and_the_user_is_told_once_when_they_last() -> None:
    clock, memory = ManualClock(), Kept()
    told = []
    for expected in (60, 300, 900, 3600, 3600):
        refusals = book(memory, clock)  # as after a restart
        noted = refusals.note(Scope.CREDENTIAL, "pair", "invalid_grant")
        assert refusals.wait_s(Scope.CREDENTIAL, "pair") == expected
        told.append(refusals.to_tell(noted))
        clock.advance(expected)
        assert refusals.wait_s(Scope.CREDENTIAL, "pair") == 0
    assert told == [False, False, False, True, False]


def test_the_user_is_told_after_a_time_as_well() -> None:
    clock, memory = ManualClock(), Kept()
    policies = {Scope.ADDRESS: Policy((3600.0,), tell_after=3, tell_after_s=86400.0)}
    refusals = Refusals(memory, clock, policies)  # type: ignore[arg-type]
    told = []
    for _ in range(30):
        told.append(refusals.to_tell(refusals.note(Scope.ADDRESS, "source", "403")))
        clock.advance(3600.0)
    assert told.index(True) == 24
    assert sum(told) == 1


def test_success_ends_it_and_the_next_refusal_begins_anew() -> None:
    clock, memory = ManualClock(), Kept()
    refusals = book(memory, clock)
    for _ in range(4):
        refusals.note(Scope.CREDENTIAL, "pair", "x")
    ended = refusals.over(Scope.CREDENTIAL, "pair")
    assert ended is not None
    assert ended.count == 4
    assert memory == {}
    assert refusals.over(Scope.CREDENTIAL, "pair") is None
    assert refusals.note(Scope.CREDENTIAL, "pair", "x").count == 1


def test_what_the_vendor_asks_for_is_kept_with_a_margin_and_not_made_shorter() -> None:
    clock, memory = ManualClock(), Kept()
    refusals = book(memory, clock)
    refusals.note(Scope.ADDRESS, "", "blocked", wait_s=86400.0)
    assert refusals.wait_s(Scope.ADDRESS, "") == 87000.0
    refusals.note(Scope.ADDRESS, "", "429", wait_s=30.0)
    assert book(memory, clock).wait_s(Scope.ADDRESS, "") == 87000.0


def test_one_key_says_nothing_of_another() -> None:
    refusals = book(Kept(), ManualClock())
    refusals.note(Scope.CREDENTIAL, "a", "x")
    assert refusals.wait_s(Scope.CREDENTIAL, "b") == 0
    assert refusals.standing(Scope.ADDRESS, "a") is None
    assert [each.key for each in refusals.all(Scope.CREDENTIAL)] == ["a"]


def test_a_clock_that_was_stepped_back_does_not_hold_a_refusal_for_years() -> None:
    clock, memory = ManualClock(), Kept()
    refusals = book(memory, clock)
    refusals.note(Scope.ADDRESS, "", "blocked")
    memory["refusals"]["address "]["until"] = clock.time() + 1e9
    assert refusals.wait_s(Scope.ADDRESS, "") == 0


def test_nonsense_in_the_store_is_ignored() -> None:
    for kept in (3, [], {"x": 1}, {"x": {"scope": "nowhere", "since": 1, "last": 1, "until": 1, "count": 1}}):
        assert book(Kept(refusals=kept), ManualClock()).all(Scope.ADDRESS) == []


def test_an_endpoint_is_gone_when_no_device_has_had_it_for_a_day() -> None:
    clock, memory = ManualClock(), Kept()
    devices = ["a", "b"]
    endpoints = Endpoints(memory, clock)
    assert not endpoints.gone("state", "a", devices)
    clock.advance(GONE_AFTER_S)
    assert not endpoints.gone("state", "b", devices)  # b for the first time
    clock.advance(GONE_AFTER_S)
    assert Endpoints(memory, clock).gone("state", "a", devices)  # after a restart, too
    assert not endpoints.gone("state", "b", devices)  # reported once
    assert endpoints.is_gone("state")
    endpoints.answered("state", "a")
    assert not endpoints.is_gone("state")


def test_a_shape_has_keys_and_types_but_no_values() -> None:
    answer = {"homes": [{"id": "secret", "n": 3}, {"id": None, "ok": True}], "12345678901234": {"x": 1}}
    assert shape_of(answer) == {
        "": "object",
        "*": "object",
        "*.x": "number",
        "homes": "list",
        "homes[]": "object",
        "homes[].id": "null|text",
        "homes[].n": "number",
        "homes[].ok": "boolean",
    }


def test_a_key_that_is_needed_and_gone_is_named_once(caplog: Any) -> None:
    memory = Kept()
    shapes = Shapes(memory)
    needed = ("homes[].id", "status")
    assert shapes.look("homes", {"homes": [{"id": 1}], "status": "ok"}, needed) == []
    assert shapes.look("homes", {"homes": [], "status": "ok"}, needed) == []  # an empty list says nothing
    assert shapes.look("homes", {"homes": [{"identifier": 1}], "status": "ok"}, needed) == ["homes[].id"]
    assert shapes.look("homes", {"homes": [{"identifier": 1}], "status": "ok"}, needed) == ["homes[].id"]
    assert len(caplog.records) == 1
    assert "homes[].id" in caplog.text
    assert shapes.missing() == {"homes": ["homes[].id"]}
    assert memory["shapes"]["homes"]["homes[].identifier"] == "number"


def test_a_flat_answer_like_the_last_one_has_its_shape_and_another_one_its_own() -> None:
    memory = Kept()
    shapes = Shapes(memory)  # type: ignore[arg-type]
    told = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 2.5, "b": None}, {"a": 2}, {"a": {"c": 1}}, {"a": {"d": 1}}]
    for answer in told:
        assert shapes.look("data", answer, ["b"]) == [key for key in ("b",) if key not in answer]
        assert memory["shapes"]["data"] == shape_of(answer)
