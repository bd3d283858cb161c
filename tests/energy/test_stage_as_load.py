"""A stage of self-consumption as a load of the house: it starts and stops at the surplus that its owner has chosen."""

from __future__ import annotations

from jeenergied.energy.control.settings import LoadConfig

from .test_pilot import Rig

POWER = 1000.0
SUN = [[0, 500], [600, 2100], [3600, 1350], [7200, 1100], [10800, 500]]
"""With a base of 500 W: nothing, 1,600 W of export, then 150 W and 400 W of import with the load, then all imported."""


def switchings(start_above: float, stop_below: float) -> list[tuple[float, str]]:
    load = LoadConfig("l", "", "Ballon", POWER, start="threshold", start_above=start_above, stop_below=stop_below)
    rig = Rig(SUN, plugged=[[0, False]], loads=[load])
    rig.run(30)
    rig.pilot.choose("l", "auto", rig.second, rig.second)
    rig.run(12000)
    return [(at, state) for at, equipment, state, _ in rig.sent if equipment == "l"]


def test_it_starts_above_one_surplus_and_stops_below_another() -> None:
    (on, first), (off, second) = switchings(1500, -200)
    assert (first, second) == ("onCommand", "offCommand")
    assert 660 <= on <= 690, "a surplus of 1,600 W has lasted for a minute"
    assert 7320 <= off <= 7350, "150 W of import are accepted, 400 W are not"


def test_a_stage_that_accepts_import_runs_longer() -> None:
    (_, _), (off, _) = switchings(1500, -500)
    assert 10920 <= off <= 10950


def test_a_surplus_that_is_not_reached_starts_nothing() -> None:
    assert switchings(1700, 0) == []
