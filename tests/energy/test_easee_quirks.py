"""The pilot with the simulated charger of Easee: what its firmware does with limits must not fool the rules."""

from __future__ import annotations

from typing import Any

from simulators.easee.charger import Charger
from simulators.house import Car, Series

from .test_pilot import CAR, Rig


class EaseeCar(Car):
    """A car at the charger of the vendor's simulator."""

    def __init__(self, plugged: Series) -> None:
        self.second = 0.0
        self.charger = Charger("EH1", clock=lambda: self.second, wall=lambda: 1_780_000_000.0 + self.second, phases=1)
        self._here = False
        super().__init__(plugged, 32, 1)

    @property
    def limit(self) -> int:  # type: ignore[override]
        return int(self.charger.get(48))

    @limit.setter
    def limit(self, amps: int) -> None: ...

    def set(self, second: float, amps: int, phases: int) -> None:
        self.charger.obey("settings", {"dynamicChargerCurrent": amps})

    def step(self, second: float) -> None:
        if second != self.second:
            self.charger.pass_time(second - self.second)
            self.second = second
        here = bool(self.plugged.at(second))
        if here != self._here:
            self._here = here
            self.charger.plug(amps=32) if here else self.charger.unplug()

    def amps(self, second: float) -> float:
        return float(self.charger.get(114))

    def power(self, second: float, voltage: float) -> float:
        return self.amps(second) * voltage


class EaseeRig(Rig):
    """The rig of the pilot with that charger."""

    def __init__(self, solar: list[list[float]], plugged: list[list[Any]] | None = None, **more: Any) -> None:
        super().__init__(solar, plugged=plugged, **more)
        self.car = EaseeCar(self.plugged)
        self.house.cars = {CAR: self.car}
        self.car.step(0)

    def _plug(self) -> None:
        self.car.step(self.second)


def charging(rig: EaseeRig) -> None:
    rig.choose("solar")
    rig.run(900)
    assert rig.car.limit == 10


def test_solar_with_a_minimum_begins_though_6_a_alone_would_wait() -> None:
    rig = EaseeRig([[0, 500]], plugged=[[0, False], [60, True]])
    rig.choose("off")
    rig.run(120)
    assert rig.car.limit == 0
    rig.choose("solarMin")
    rig.run(60)
    assert rig.car.amps(rig.second) >= 6
    rig.run(600)
    assert rig.car.amps(rig.second) == 6
    assert rig.facts["p"]["point.state"] == "charging"


def test_a_charger_that_has_restarted_gets_its_limit_again_and_is_no_take_over() -> None:
    rig = EaseeRig([[0, 3000]])
    charging(rig)
    rig.reachable = False
    rig.run(120)
    rig.reachable = True
    rig.run(240)
    rig.car.charger.restart()  # the service tells only now what it has lost
    rig.run(120)
    assert rig.facts["p"]["point.state"] == "charging"
    assert rig.car.limit == 10
    rig.run(1200)
    rig.car.set(rig.second, 32, 1)
    rig.run(60)
    assert rig.facts["p"]["point.state"] == "takenOver"


def test_another_car_between_two_samples_is_no_take_over() -> None:
    rig = EaseeRig([[0, 3000]])
    charging(rig)
    rig.car.charger.unplug()
    rig.car.charger.plug(amps=32)
    rig.session = 0.0
    rig.run(120)
    assert rig.car.limit == 10
    assert rig.facts["p"]["point.state"] == "charging"


def test_neither_plugging_in_nor_a_restart_leaves_a_car_charging_without_sun() -> None:
    rig = EaseeRig([[0, 100]], plugged=[[0, False], [100, True]])
    rig.choose("solar")
    rig.run(130)
    assert rig.car.limit == 0
    rig.reachable = False
    rig.run(30)
    rig.car.charger.restart()
    rig.reachable = True
    rig.run(30)
    assert rig.car.limit == 0


def test_a_charge_that_the_user_pauses_in_the_app_stays_paused() -> None:
    rig = EaseeRig([[0, 3000]])
    charging(rig)
    rig.car.charger.obey("pause_charging", {})
    rig.run(3600)
    assert rig.car.limit == 0
    assert rig.facts["p"]["point.state"] == "takenOver"
