"""Somebody sets the charger's limit in the app while one of ours is on its way, or while the cloud is late."""

from __future__ import annotations

from datetime import timezone
from pathlib import Path

import pytest
from jeenergied.readings import Measure, Slot

from .test_house_device import Rig as HouseRig
from .test_pilot import Rig

LIMIT = Measure("charger.current")


def taken_over(rig: Rig) -> int:
    """Somebody sets 16 A in the app: nothing is sent for a quarter of an hour; returns how much was sent before."""
    before = len(rig.sent)
    rig.car.set(rig.second, 16, 1)
    rig.run(900)
    assert len(rig.sent) == before
    assert rig.facts["p"]["point.state"] == "takenOver"
    return before


def test_the_user_in_the_app_is_respected_until_he_gives_it_back() -> None:
    rig = Rig([[0, 3000]])
    rig.choose("solar")
    rig.run(600)
    before = taken_over(rig)
    assert "16 A" in rig.facts["p"]["point.reason"]
    rig.restart(5)
    rig.run(900)
    assert len(rig.sent) == before, "a take-over outlives a restart"
    assert rig.pilot.release("p")
    assert rig.pilot.points["p"].why(timezone.utc), "its page is asked before the next sample"
    rig.run(120)
    assert rig.car.limit == 10


def test_a_limit_set_before_ours_was_seen_is_a_take_over_too() -> None:
    rig = Rig([[0, 3000]])
    rig.choose("solar")
    while rig.car.limit != 10:
        rig.run(1)
    taken_over(rig)


def test_a_take_over_ends_when_the_car_leaves() -> None:
    rig = Rig([[0, 0]], plugged=[[0, True], [900, False], [1000, True]])
    rig.choose("off")
    rig.run(60)
    rig.car.set(rig.second, 16, 1)
    rig.run(800)
    assert rig.car.limit == 16
    rig.run(200)
    assert rig.car.limit == 0


@pytest.mark.parametrize("step", [1, 5, 12])
@pytest.mark.parametrize("late", [0, 2, 8])
@pytest.mark.parametrize(("after", "amps"), [(0, 16), (4, 16), (9, 0)])
def test_a_limit_of_the_app_is_a_take_over_however_late_it_is_known(
    late: int, after: int, step: int, amps: int
) -> None:
    rig = Rig([[0, 3000]])
    rig.late = late
    rig.choose("solar")
    while rig.car.limit != 10:
        rig.run(1, step)
    rig.run(after, step)
    rig.car.set(rig.second, amps, 1)
    rig.run(120, step)
    assert rig.facts["p"]["point.state"] == "takenOver"
    assert f"{amps} A" in rig.facts["p"]["point.reason"]
    assert rig.car.limit == amps
    sent = len(rig.sent)
    rig.run(600, step)
    assert (len(rig.sent), rig.car.limit) == (sent, amps)
    assert rig.pilot.release("p")
    rig.run(600, step)
    assert rig.car.limit == 10


@pytest.mark.parametrize(("late", "step"), [(0, 5), (3, 1), (3, 5)])
def test_what_a_charger_falls_back_to_at_plug_in_is_nobodys(late: int, step: int) -> None:
    rig = Rig([[0, 3000]], plugged=[[0, True], [300, False], [400, True]])
    rig.late = late
    rig.choose("solar")
    rig.run(900, step)
    assert not [each for each in rig.pilot.journal.entries() if each["decision"] == "takenOver"]
    assert rig.car.limit == 10


@pytest.mark.parametrize("late", [12, 30])
def test_ours_that_is_late_is_no_take_over(late: int) -> None:
    rig = Rig([[0, 3000], [600, 6000], [700, 3000], [800, 6000], [900, 2500]])
    rig.late = late
    rig.choose("solar")
    rig.run(1500)
    assert not [each for each in rig.pilot.journal.entries() if each["decision"] == "takenOver"]


@pytest.mark.parametrize("late", [0, 2, 12])
def test_news_that_come_while_the_readings_are_taken_are_no_take_over(late: int) -> None:
    rig = Rig([[0, 3000], [600, 6000], [700, 3000], [800, 6000], [900, 2500]])
    rig.late, rig.overtaken = late, True
    rig.choose("solar")
    rig.run(1500)
    assert len({amps for _, amps in rig.amps()}) >= 3
    assert not [each for each in rig.pilot.journal.entries() if each["decision"] == "takenOver"]


def test_the_house_sees_each_limit_also_of_those_that_pass_between_two_looks(tmp_path: Path) -> None:
    rig, seen = HouseRig(tmp_path, tariff="base"), []
    rig.board.adopt("4", {"4": {}, "5": {LIMIT: Slot("limit", "limit")}})
    rig.device.start()
    rig.device.step_driven = lambda readings, gaps, levels, passed: seen.append(dict(passed))  # type: ignore[method-assign]
    for amps in (10.0, 16.0, 6.0):
        rig.board.put("5", {LIMIT: amps})
    rig.clock.advance(1.0)
    rig.device.refresh()
    rig.device.refresh()
    assert [[amps for amps, _ in each.get("5", ())] for each in seen] == [[10, 16, 6], []]
    assert all(at == pytest.approx(rig.clock.time(), abs=2) for _, at in seen[0]["5"])


def test_a_limit_that_a_charger_has_lost_is_set_again_with_a_word_in_the_journal() -> None:
    rig = Rig([[0, 0]], plugged=[[0, True], [400, False], [500, True]])
    rig.choose("solar")
    rig.run(600)
    again = [
        each for each in rig.pilot.journal.entries() if each["at"] >= rig.now_of(500) and " A × " in each["decision"]
    ]
    assert [each["decision"] for each in again] == ["0 A × 1"]
    assert again[0]["why"] == "La borne était à {shown} A : réglée à {amps} A"
    assert again[0]["values"] == {"shown": 32, "amps": 0}
    assert rig.car.limit == 0
