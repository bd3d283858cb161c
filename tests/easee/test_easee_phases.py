"""Phases of a charge: what the simulated charger does with the limits of its circuit, and what the daemon says."""

from __future__ import annotations

import pytest

from simulators.easee.charger import LOCKED_TO_ONE, SWITCHES_S, WAITING, WAITS_S, Charger
from tests.easee.conftest import FIRST, SECOND, connection


class Bench:
    """A charger, and a time that is moved by hand."""

    def __init__(self, amps: float = 16.0, **more: object) -> None:
        self.now = 0.0
        self.charger = Charger("EH1", clock=lambda: self.now, wall=lambda: 1_780_000_000.0 + self.now)
        for name, value in more.items():
            setattr(self.charger, name, value)
        self.charger.plug(amps=32)
        self.limit(amps)
        self.run(10)

    def limit(self, amps: float) -> None:
        self.charger.obey("settings", {"dynamicChargerCurrent": amps})

    def circuit(self, *amps: float, minutes: int | None = None) -> None:
        body = {f"phase{place + 1}": each for place, each in enumerate(amps)}
        self.charger.obey("dynamicCurrent", {**body, **({"timeToLive": minutes} if minutes else {})})

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += 1
            self.charger.pass_time(1)

    @property
    def flows(self) -> list[float]:
        """A of each phase."""
        return [round(self.charger.get(183 + phase)) for phase in range(3)]


def test_it_charges_on_one_phase_while_the_circuit_has_nothing_on_two() -> None:
    bench = Bench()
    assert bench.flows == [16, 16, 16]
    bench.circuit(16.9, 0, 0)
    assert bench.charger.get(109) == WAITING
    assert bench.flows == [0, 0, 0]
    bench.run(SWITCHES_S)
    assert bench.flows == [16, 0, 0]
    assert (bench.charger.get(110), bench.charger.get(111), bench.charger.get(120)) == (10, 16, 3.68)
    bench.circuit(32, 32, 32)
    bench.run(SWITCHES_S)
    assert bench.flows == [16, 16, 16]


def test_the_circuit_falls_to_its_offline_limits_when_nobody_renews_them() -> None:
    bench = Bench(10)
    bench.circuit(32, 0, 0, minutes=5)
    bench.run(200)
    bench.circuit(32, 0, 0, minutes=5)
    bench.run(299)
    assert bench.flows == [10, 0, 0]
    bench.run(1 + SWITCHES_S)
    assert [bench.charger.get(111 + phase) for phase in range(3)] == [16, 16, 16]
    assert bench.flows == [10, 10, 10]


def test_after_a_change_of_phases_6_a_begins_nothing_until_another_limit_comes() -> None:
    bench = Bench(6)
    bench.run(WAITS_S)
    assert bench.flows == [6, 6, 6]
    bench.circuit(32, 0, 0)
    bench.run(2 * WAITS_S)
    assert bench.flows == [0, 0, 0]
    bench.limit(6)
    bench.run(60)
    assert bench.flows == [0, 0, 0]
    bench.limit(7)
    assert bench.flows == [7, 0, 0]


def test_some_cars_stay_on_one_phase_until_they_are_paused() -> None:
    bench = Bench(7, needs_pause=True)
    bench.circuit(32, 0, 0)
    bench.run(60)
    bench.circuit(32, 32, 32)
    bench.run(300)
    assert bench.flows == [7, 0, 0]
    bench.limit(0)
    bench.run(30)
    bench.limit(7)
    assert bench.flows == [7, 7, 7]


def test_a_car_of_one_phase_takes_one_of_three() -> None:
    assert Bench(7, car_phases=1).flows == [7, 0, 0]


@pytest.mark.parametrize(("grid", "mode", "alone"), [(4, 2, [0, 0, 0]), (1, LOCKED_TO_ONE, [16, 0, 0])])
def test_an_it_grid_and_a_locked_charger_know_no_three_phases(grid: int, mode: int, alone: list[float]) -> None:
    bench = Bench()
    bench.charger.set(21, grid)
    bench.charger.set(38, mode)
    bench.charger.settle()
    bench.run(SWITCHES_S)
    assert bench.flows == [16, 0, 0]
    bench.circuit(16, 0, 0)
    bench.run(SWITCHES_S)
    assert bench.flows == alone


@pytest.fixture
def ready(rig, cloud):
    """A rig whose first charger charges a car, alone on its circuit."""
    cloud.chargers[SECOND].circuit = 80001
    cloud.chargers[FIRST].plug()
    rig.configure(connection(cloud, FIRST, SECOND))
    rig.wait_value("10", "status", 3)
    rig.wait_value("10", "phaseSwitching", True)
    return rig


def test_one_phase_is_set_for_five_minutes_and_proved_by_the_charger(ready, cloud):
    ready.act("10", "oneCircuitPhase", slider=32)
    assert cloud.commands[-1] == (FIRST, "dynamicCurrent", {"phase1": 32, "phase2": 0, "phase3": 0, "timeToLive": 5})
    ready.wait_value("10", "circuitPhases", 1)
    ready.act("10", "guardCircuit", slider=32)
    assert [cloud.chargers[FIRST].get(111 + phase) for phase in range(3)] == [32, 32, 32]
    ready.wait_value("10", "circuitPhases", 3)
    assert cloud.asked(f"{FIRST}/site") == 1


def test_three_phases_are_not_proved_by_the_first_of_them_alone(ready, cloud):
    ready.act("10", "oneCircuitPhase", slider=32)
    ready.wait_value("10", "circuitPhases", 1)
    cloud.chargers[FIRST].command_mode = "lost"
    assert ready.refused("10", "guardCircuit", slider=32).code == "timeout"


@pytest.mark.parametrize(("grid", "obstacle"), [(4, "IT"), (3, "triphasé"), (30, "ne dit pas")])
def test_on_another_grid_no_phase_is_cut(ready, cloud, grid, obstacle):
    cloud.chargers[FIRST].set(21, grid)
    ready.wait_value("10", "phaseSwitching", False)
    assert obstacle in ready.value("10", "phaseObstacle")
    assert "TN" in str(ready.refused("10", "oneCircuitPhase", slider=32))
    assert cloud.commands == []


def test_a_phase_mode_that_is_not_automatic_is_left_alone(ready, cloud):
    cloud.chargers[FIRST].set(38, LOCKED_TO_ONE)
    ready.wait_value("10", "phaseSwitching", False)
    assert "automatique" in str(ready.refused("10", "oneCircuitPhase", slider=32))
    assert cloud.commands == []


def test_a_circuit_of_several_chargers_keeps_its_phases(ready, cloud):
    cloud.chargers[SECOND].circuit = cloud.chargers[FIRST].circuit
    assert "autres bornes" in str(ready.refused("10", "oneCircuitPhase", slider=32))
    assert cloud.commands == []
