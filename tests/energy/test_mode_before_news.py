"""A mode that the user chooses right after a start acts as soon as the charger has told its limit."""

from __future__ import annotations

import pytest

from .test_pilot import Rig


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("silent", [0, 3, 40])
def test_it_does_not_wait_for_what_a_restart_waits_for(silent: int, kept: bool) -> None:
    rig = Rig([[0, 0]])
    if kept:
        rig.choose("off")
        rig.run(300)
        assert rig.car.limit == 0
        rig.restart(5)
    rig.reachable = False
    began = rig.second
    rig.run(2, step=1)
    assert rig.pilot.choose("p", "now", rig.now_of(rig.second), float(rig.second))
    rig.run(silent, step=1)
    rig.reachable = True
    heard = rig.second
    rig.run(3, step=1)
    assert rig.car.limit == 32
    assert [at for at, amps in rig.amps() if at >= began] in ([heard], []), "at the first look, or it was so already"
    assert rig.facts["p"]["point.state"] == "charging"
    rig.run(60)
    assert rig.car.limit == 32


def test_a_mode_chosen_while_a_restart_waits_acts_at_once() -> None:
    rig = Rig([[0, 0]])
    rig.choose("now")
    rig.run(300)
    rig.restart(5)
    rig.run(6)
    rig.choose("off")
    assert rig.car.limit == 0


def test_a_car_that_is_plugged_in_on_a_restart_is_not_stopped_before_a_user_says_so() -> None:
    rig = Rig([[0, 0]])
    rig.choose("now")
    rig.run(300)
    sent = len(rig.sent)
    rig.restart(5)
    rig.run(120)
    assert len(rig.sent) == sent
