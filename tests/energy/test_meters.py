"""Meters are read often while something is driven, and no longer than that; their voltages tell the phases."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from jeenergied.devices.base import NoData
from jeenergied.energy.control.inputs import View
from jeenergied.energy.ports import Reading, Source
from jeenergied.energy.topology import Topology

from .house import RULES
from .test_house_device import Rig as HouseRig
from .test_pilot import GRID, NOON, Rig


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


def test_a_meter_that_is_read_as_it_is_set_again_is_not_called_silent(tmp_path: Path) -> None:
    rig = HouseRig(tmp_path, tariff="base")
    rig.hub.actions = SimpleNamespace(hurry=lambda equipment, period_s: None)  # type: ignore[assignment]
    rig.device.start()
    driving = rig.device.driving
    assert driving is not None

    def read(times: int, every_s: float, hurried: bool = False) -> None:
        for number in range(times):
            if hurried and number % 12 == 0:
                driving.hurry("2", every_s)
            rig.clock.advance(every_s - 1)
            rig.measure(500.0 + number, 0.0)

    read(10, 60)
    read(120, 5, hurried=True)
    rig.clock.advance(59)
    rig.device.refresh()
    assert rig.context.facts["now.grid"] == 619
    read(3, 60)
    rig.clock.advance(200)
    with pytest.raises(NoData):
        rig.device.refresh()


@pytest.mark.parametrize("leaves", [True, False])
def test_a_slow_meter_is_a_trouble_for_a_car_that_is_there_alone(leaves: bool) -> None:
    rig = Rig([[0, 5000]], plugged=[[0, True], [900, False]] if leaves else [[0, True]])
    rig.pilot.choose("p", "solar", rig.second, rig.second)
    rig.run(1000)
    rig.meter = False
    rig.run(1800)
    assert any("Le pilotage attend" in each for each in rig.messages) is not leaves


@pytest.mark.parametrize(
    ("volts", "phases"), [((233.0, 0.0, 0.0), 1), ((233.0,), 1), ((233.0, 232.0, 234.0), 3), ((), 3)]
)
def test_a_meter_without_voltage_on_two_phases_makes_no_house_of_three(volts: tuple[float, ...], phases: int) -> None:
    told = {Source("1", "net", "grid.power"): -980.0}
    told |= {Source("2", f"i{n}", "grid.phaseCurrent", "now", n): a for n, a in zip("123", (8.0, 0.0, 0.0))}
    told |= {Source("2", f"u{n}", "grid.phaseVoltage", "now", n): v for n, v in zip("123", volts)}
    readings = [Reading(source, value, NOON) for source, value in told.items()]
    view = View(readings, Topology(RULES).roles([each.source for each in readings]), {}, NOON)
    assert view.phases() == phases
    assert len(view.apparent(-980.0)) == phases
