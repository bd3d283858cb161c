"""Meters are read often while something is driven, and no longer than that."""

from __future__ import annotations

from .test_pilot import GRID, Rig


def test_the_meters_in_use_are_hurried_while_a_car_is_driven() -> None:
    rig = Rig([[0, 5000]], plugged=[[0, True], [1200, False]])
    rig.run(60)
    assert rig.hurried == []
    rig.pilot.choose("p", "solar", rig.second, rig.second)
    rig.run(600)
    assert {(equipment, period) for _, equipment, period in rig.hurried} == {(GRID, 5.0)}
    moments = [at for at, _, _ in rig.hurried]
    assert len(moments) >= 10
    assert max(later - earlier for earlier, later in zip(moments, moments[1:])) <= 65
    rig.run(1800)
    assert max(at for at, _, _ in rig.hurried) <= 1260  # the car has gone


def test_nothing_is_hurried_for_a_charger_that_nobody_drives() -> None:
    rig = Rig([[0, 5000]])
    rig.run(300)
    assert rig.hurried == []
