"""What happens around a charge that is under way: nothing begins or ends that should not."""

from __future__ import annotations

import pytest
from jeenergied.energy.control.settings import PointSettings

from . import test_pilot
from .test_pilot import CAR, NO_LIMITS, NOON, Rig

MODES = [("solar", 10), ("now", 32), ("solarMin", 10)]


def charging(mode: str, amps: int) -> Rig:
    """A car that has charged for a quarter of an hour."""
    rig = Rig([[0, 3000]])
    rig.choose(mode)
    rig.run(900)
    assert rig.car.limit == amps
    rig.sent.clear()
    return rig


@pytest.mark.parametrize(("mode", "amps"), MODES)
@pytest.mark.parametrize(("orderly", "away"), [(True, 5), (False, 5), (True, 1800), (False, 1800)])
def test_a_restart_and_a_kill_touch_nothing(mode: str, amps: int, orderly: bool, away: int) -> None:
    rig = charging(mode, amps)
    if orderly:
        rig.pilot.stop(NOON + rig.second, float(rig.second))
    rig.restart(away)
    rig.run(900)
    assert rig.sent == []
    assert rig.facts["p"]["point.state"] == "charging"


def test_a_gateway_that_is_silent_for_a_short_time_stops_nothing() -> None:
    rig = charging("solar", 10)
    rig.meter = False
    rig.run(50)
    rig.meter = True
    rig.run(600)
    assert rig.sent == []


def test_an_immediate_charge_does_not_need_the_meter_without_a_limit() -> None:
    rig = charging("now", 32)
    rig.meter = False
    rig.run(3600)
    assert [value for _, value in rig.amps() if value == 0] == []


@pytest.mark.parametrize("away", [60, 1800])
@pytest.mark.parametrize(("mode", "amps"), MODES)
def test_a_hub_that_is_down_stops_nothing_and_piles_nothing_up(mode: str, amps: int, away: int) -> None:
    rig = charging(mode, amps)
    rig.reachable = False
    rig.run(away)
    assert rig.sent == []
    rig.reachable = True
    rig.run(300)
    assert [value for _, value in rig.amps()] in ([], [amps])
    assert rig.facts["p"]["point.state"] == "charging"


def test_what_jeedom_says_again_after_it_was_away_changes_nothing() -> None:
    rig = charging("solar", 10)
    rig.run(1200)
    rig.pilot.adopt([PointSettings("p", CAR, "Borne")], [], NO_LIMITS)
    rig.run(600)
    assert rig.sent == []
    assert rig.facts["p"]["point.mode"] == "solar"


@pytest.mark.parametrize("step", [-7200, -30, 30, 7200])
@pytest.mark.parametrize(("mode", "amps"), MODES)
def test_a_step_of_the_clock_touches_nothing(monkeypatch: pytest.MonkeyPatch, mode: str, amps: int, step: int) -> None:
    rig = charging(mode, amps)
    monkeypatch.setattr(test_pilot, "NOON", NOON + step)
    rig.run(900)
    assert rig.sent == []
    assert rig.facts["p"]["point.state"] == "charging"


@pytest.mark.parametrize("step", [-3600, 3600])
def test_a_take_over_ends_by_its_own_time_whatever_the_clock_does(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    rig = charging("solar", 10)
    rig.car.set(rig.second, 16, 1)
    rig.run(600)
    monkeypatch.setattr(test_pilot, "NOON", NOON + step)
    rig.run(2 * 3600 - 900)
    assert rig.sent == []
    assert rig.facts["p"]["point.state"] == "takenOver"
    rig.run(600)
    assert rig.car.limit == 10


@pytest.mark.parametrize("amps", [0, 6, 32])
def test_what_the_user_sets_in_the_app_stays(amps: int) -> None:
    rig = charging("solar", 10)
    rig.car.set(rig.second, amps, 1)
    rig.run(3600)
    assert rig.sent == []
    assert rig.facts["p"]["point.state"] == "takenOver"
