"""Levels: asked for until proved, never proved by something older, and not imposed once proved."""

from __future__ import annotations

import json

import pytest
from jeenergied.energy.levels import LONGEST_PAUSE_S, Level

WALL = 1_750_000_000.0


def wanting(state: str = "off", lifetime: float | None = None) -> Level:
    level = Level()
    assert level.want(state, 12, lifetime, WALL)
    return level


def test_a_new_load_wants_nothing():
    assert Level().due(0.0) is None
    assert not Level().pending


def test_a_wish_is_due_at_once_and_then_after_growing_pauses():
    level, now, moments = wanting(), 100.0, []
    while now < 100.0 + 400:
        if level.due(now) == 0.0:
            moments.append(now - 100.0)
            level.asked(now)
        now += 1.0
    assert moments[:7] == [0, 2, 6, 14, 30, 62, 122]
    assert {b - a for a, b in zip(moments[6:], moments[7:])} == {LONGEST_PAUSE_S}


def test_a_proof_ends_the_asking():
    level = wanting()
    level.asked(0.0)
    assert level.ran("off", level.number)
    assert level.proved == "off"
    assert level.due(1e9) is None
    assert not level.ran("off", level.number)


def test_an_old_proof_does_not_prove_a_newer_wish():
    level = wanting("off")
    first = level.number
    level.want("on", 1, 15.0, WALL + 5)
    level.want("off", 1, None, WALL + 9)
    assert level.ran("off", first)  # that it ran is true all the same
    assert level.proved == "off"
    assert level.pending
    assert not level.ran("off", first)
    level.ran("on", level.number - 1)
    assert (level.proved, level.pending) == ("on", True)
    level.ran("off", level.number)
    assert (level.proved, level.pending) == ("off", False)


def test_a_late_proof_of_an_older_wish_does_not_undo_a_newer_one():
    level = wanting("on")
    first = level.number
    level.want("off", 1, None, WALL + 5)
    level.ran("off", level.number)
    assert not level.ran("on", first)
    assert level.proved == "off"


def test_the_same_wish_again_changes_nothing():
    level = wanting("off")
    number = level.number
    level.asked(0.0)
    assert not level.want("off", 99, None, WALL + 50)
    assert (level.number, level.value, level.due(1.0)) == (number, 12, 1.0)


def test_a_newer_wish_does_not_wait_for_the_pause_of_the_former_one():
    level = wanting("on", 15.0)
    for _ in range(9):
        level.asked(0.0)
    level.want("off", 1, None, WALL + 1)
    assert level.due(0.0) == 0.0
    level.asked(0.0)
    assert level.due(0.0) == 2.0


def test_numbers_grow_when_the_clock_goes_back():
    level = wanting("off")
    first = level.number
    level.want("on", 1, 15.0, WALL - 86_400)
    assert level.number == first + 1


def test_a_jeedom_that_remembers_newer_numbers_is_overtaken():
    """The memory was lost and the clock was wrong: every wish of ours would be taken for an old one."""
    level = Level()
    level.want("off", 1, None, 1000.0)
    level.asked(0.0)
    assert level.ran("on", int(WALL))
    assert (level.proved, level.number, level.due(0.0)) == ("on", int(WALL) + 1, 0.0)
    level.ran("off", level.number)
    assert not level.pending


@pytest.mark.parametrize("number", [0, -1, 2**53, 2**70])
def test_numbers_that_nobody_gave_prove_nothing(number: int):
    level = wanting()
    assert not level.ran("off", number)
    assert level.pending


def test_what_is_not_proved_is_asked_for_again_after_a_restart_under_the_same_number():
    level = wanting("off")
    level.asked(0.0)
    again = Level.restore(json.loads(json.dumps(level.state())))
    assert again == level
    assert again.due(0.0) == 0.0
    again.ran("off", level.number)
    proved = Level.restore(json.loads(json.dumps(again.state())))
    assert proved.due(0.0) is None
    assert proved.proved == "off"


@pytest.mark.parametrize(
    "kept",
    [None, 5, [], {}, {**wanting().state(), "number": "x"}, {**wanting().state(), "number": float("inf")}],
)
def test_a_memory_that_cannot_be_read_is_a_load_without_a_wish(kept: object):
    assert Level.restore(kept) == Level()
