"""The simulated charger's limits: what it loses, what waits, what ends. Its module says where each is known from."""

from __future__ import annotations

import pytest

from simulators.easee.charger import CHARGING, WAITING, Charger


class Bench:
    """A charger with one phase and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_780_000_000.0
        self.charger = Charger("EH1", clock=lambda: self.now, phases=1)

    def set(self, amps: float) -> None:
        self.charger.obey("settings", {"dynamicChargerCurrent": amps})

    def circuit(self, amps: float, minutes: float | None = None) -> None:
        self.charger.obey("dynamicCurrent", {"phase1": amps, "phase2": 0, "phase3": 0, "timeToLive": minutes})

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            self.charger.pass_time(1)

    @property
    def mode(self) -> float:
        return float(self.charger.get(109))

    @property
    def amps(self) -> float:
        return float(self.charger.get(114))


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.charger.plug(amps=32)
    return made


def test_a_car_that_is_plugged_in_begins_by_itself_at_full_current(bench: Bench) -> None:
    bench.charger.unplug()
    bench.set(6)
    bench.charger.plug(amps=32)
    assert (bench.mode, bench.amps) == (CHARGING, 32)


def test_a_circuit_limit_outlives_the_plug_but_not_a_restart(bench: Bench) -> None:
    bench.charger.unplug()
    bench.circuit(10)
    bench.charger.plug(amps=32)
    assert bench.amps == 10
    bench.set(8)
    bench.charger.restart()
    assert bench.amps == 32


def test_a_charge_at_6_a_waits_and_one_at_7_a_does_not(bench: Bench) -> None:
    bench.set(0)
    bench.set(6)
    assert (bench.mode, bench.amps) == (WAITING, 0)
    bench.run(299)
    assert bench.mode == WAITING
    bench.run(2)
    assert (bench.mode, bench.amps) == (CHARGING, 6)
    bench.set(0)
    bench.set(7)
    assert bench.mode == CHARGING
    bench.set(6)
    assert (bench.mode, bench.amps) == (CHARGING, 6)


def test_a_paused_charge_resumes_at_32_a_and_is_begun_by_any_limit(bench: Bench) -> None:
    bench.set(10)
    bench.charger.obey("pause_charging", {})
    assert bench.amps == 0
    bench.charger.obey("resume_charging", {})
    assert bench.amps == 32
    bench.charger.obey("pause_charging", {})
    bench.set(7)
    assert bench.amps == 7


def test_a_circuit_limit_with_a_time_to_live_falls_to_the_offline_one(bench: Bench) -> None:
    bench.circuit(12.9, 5)
    assert bench.amps == 12
    bench.run(299)
    assert bench.amps == 12
    bench.run(2)
    assert bench.amps == 16
    bench.circuit(12)
    bench.run(3600)
    assert bench.amps == 12


def test_the_counter_of_its_life_comes_hourly(bench: Bench) -> None:
    told = set()
    for _ in range(3 * 60):
        bench.run(60)
        told.add(bench.charger.get(124))
    assert len(told) <= 4
    assert max(told) - min(told) == pytest.approx(2 * 7.36, rel=0.6)
