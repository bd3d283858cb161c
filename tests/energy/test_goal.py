"""A goal that cannot be met in time: one message with what helps, one when it is over. Goals in % of a battery."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jeenergied.energy.control.risk import ABSENT, TIME, Risk, Wanted
from jeenergied.energy.control.settings import PointSettings, PointState

from simulators.house import Series
from tests.fire import FULL

from .house import PARIS
from .test_pilot import CAR, NOON, Rig

HOUR = 3600
AT_15 = 3 * HOUR
"""The clock of these tests begins at noon."""


def rig(*base: list[float], plugged: Any = None, subscribed: float | None = None, mode: str = "solar") -> Rig:
    """A house without sun."""
    there = [[0, False], [5, True]] if plugged is None else plugged
    made = Rig([[0, 0]], list(base) or [[0, 300]], plugged=there, subscribed=subscribed)
    made.choose(mode)
    made.run(10)
    return made


def wish(made: Rig, kwh: float, hour: str = "15:00") -> Rig:
    assert made.pilot.goal("p", kwh=kwh, hour=hour)
    return made


def shown(made: Rig) -> tuple[Any, Any]:
    return made.facts["p"]["point.goalState"], made.facts["p"]["point.goalMissing"]


def test_a_car_that_is_away_is_told_once_when_time_runs_out_whatever_restarts_and_days_pass() -> None:
    made = wish(rig(plugged=[[0, False], [49 * HOUR, True]]), 10)
    made.run(HOUR)
    assert made.messages == []
    assert shown(made) == ("waiting", 0.0)
    made.run(HOUR)
    assert len(made.messages) == 1
    assert re.fullmatch(
        r"L'objectif de « Borne » est à risque : il manquera 0\.[1-5] kWh sur 10 kWh à 15:00\. Branchez la voiture\.",
        made.messages[0],
    )
    assert shown(made)[0] == "atRisk"
    for _ in range(4):
        made.restart(5)
        made.run(6 * HOUR, step=30)
    assert len(made.messages) == 1
    made.run(23 * HOUR, step=60)
    made.run(600)
    assert made.messages[1:] == ["L'objectif de « Borne » peut de nouveau être atteint : 10 kWh à 15:00"]


def test_too_little_time_is_told_with_what_helps_and_its_hour_as_missed() -> None:
    made = wish(rig(), 40, "14:00")
    made.run(100)
    assert made.messages == []
    made.run(2 * HOUR)
    risk, missed = made.messages
    assert risk.startswith("L'objectif de « Borne » est à risque : il manquera 26.")
    assert risk.endswith("sur 40 kWh à 14:00. Choisissez une heure plus tardive, ou moins d'énergie.")
    assert missed.startswith("L'objectif de « Borne » n'a pas été atteint à 14:00 : 14.")


def test_another_goal_forgets_the_risk_of_the_one_before() -> None:
    made = wish(rig(), 40, "14:00")
    made.run(300)
    assert len(made.messages) == 1
    wish(made, 5, "14:00")
    made.run(HOUR)
    assert shown(made) == ("reached", None)
    assert len(made.messages) == 1


def test_a_limit_that_slows_the_charge_is_told_and_its_end_as_well() -> None:
    made = wish(rig([0, 300], [600, 9000], [4800, 300], subscribed=9000), 10)
    made.run(600)
    assert shown(made) == ("planned", 0.0)
    made.run(4200)
    assert len(made.messages) == 1
    assert made.messages[0].endswith(
        "La puissance de la maison ne suffit pas : arrêtez d'autres appareils, ou choisissez plus tard."
    )
    made.restart(5)
    made.run(AT_15 - made.second - 60)
    assert len(made.messages) == 2
    assert "peut de nouveau" in made.messages[1] or "est atteint" in made.messages[1]


@pytest.mark.parametrize(
    ("fault", "help_"),
    [
        ("refuses", "La borne n'obéit pas"),
        ("wants nothing", "La voiture ne demande rien"),
        ("taken over", "La borne est reprise en main"),
        ("out of reach", "La borne est injoignable"),
    ],
)
def test_what_keeps_it_from_charging_is_named(fault: str, help_: str) -> None:
    made = rig()
    made.run(60)
    assert made.car.limit == 0
    if fault == "refuses":
        made.obeys = False
    elif fault == "wants nothing":
        made.car.max_a = 0
    elif fault == "taken over":
        made.car.set(made.second, 6, 1)
        made.run(60)
    wish(made, 15)
    if fault == "out of reach":
        made.reachable = False
    made.run(2 * HOUR)
    told = [each for each in made.messages if "à risque" in each]
    assert len(told) == 1
    assert help_ in told[0]


def test_nobody_is_told_of_a_goal_that_he_has_stopped() -> None:
    made = wish(rig(mode="off"), 40, "14:00")
    made.run(HOUR)
    assert made.messages == []
    assert shown(made) == ("waiting", None)


# In % of the car's battery.


class Car60(Rig):
    """A car with a battery of 60 kWh whose charge state is told by a command."""

    settings = PointSettings("p", CAR, "Borne", capacity=60.0)

    def tell(self, percent: float, age: float = 0.0) -> None:
        self.levels = {"p": (percent, NOON + self.second - age)}


def car(percent: float | None, goal: float, hour: str = "21:00") -> Car60:
    made = Car60([[0, 0]], [[0, 300]], plugged=[[0, False], [5, True]])
    made.choose("solar")
    if percent is not None:
        made.tell(percent)
    made.run(10)
    assert made.pilot.goal("p", percent=goal, hour=hour)
    made.run(10)
    return made


def need(made: Rig) -> float:
    point = made.pilot.points["p"]
    return point.goal.need(point.settings)


def test_what_is_left_is_the_goal_less_the_charge_state_of_the_battery() -> None:
    made = car(50, 80)
    assert need(made) == pytest.approx(18.0, abs=0.1)
    assert made.facts["p"]["point.carLevel"] == pytest.approx(50, abs=0.1)
    made.run(9 * HOUR, step=30)
    assert made.car.energy / 1000 == pytest.approx(18, abs=0.3)
    assert made.facts["p"]["point.goalState"] in ("reached", "waiting", "planned")
    assert made.messages == []


def test_the_car_corrects_what_was_counted() -> None:
    made = car(50, 80)
    made.run(HOUR)
    counted = need(made)
    assert 10.0 < counted < 12.0
    made.tell(60)
    made.run(10)
    assert need(made) == pytest.approx(12.0, abs=0.1)
    made.run(600)
    made.tell(60)  # the same once more: what was charged since counts on
    made.run(10)
    assert need(made) < 11.0


def test_a_goal_that_was_reached_stays_reached_when_the_car_drives_away() -> None:
    made = car(79.5, 80)
    made.plugged = type(made.plugged)([[0, True], [HOUR, False]])
    made.house.cars[CAR].plugged = made.plugged
    made.run(HOUR)
    assert made.facts["p"]["point.goalState"] == "reached"
    made.run(60)
    made.tell(60)
    made.run(7 * HOUR, step=30)
    assert made.facts["p"]["point.goalState"] == "reached"
    assert made.messages == []


def test_an_unknown_charge_state_is_told_once_and_kwh_are_counted() -> None:
    made = car(None, 50)
    assert need(made) == pytest.approx(30.0, abs=0.1)
    assert made.facts["p"]["point.carLevel"] is None
    made.run(HOUR)
    made.restart(5)
    made.run(HOUR)
    told = [each for each in made.messages if "n'est pas connue" in each]
    assert len(told) == 1
    assert need(made) == pytest.approx(30.0 - made.car.energy / 1000, abs=0.2)
    made.tell(45)
    made.run(60)
    assert [each for each in made.messages if "à nouveau connue : 45 %" in each]
    assert need(made) == pytest.approx(3.0, abs=0.2)


def test_an_old_charge_state_is_told_once_and_counted_from() -> None:
    made = Car60([[0, 0]], [[0, 300]], plugged=[[0, False], [60, True]])
    made.tell(40, age=5 * HOUR)
    made.choose("solar")
    made.run(120)
    assert made.pilot.goal("p", percent=60, hour="21:00")
    made.run(1200)
    assert made.facts["p"]["point.carLevel"] is None
    old = [each for each in made.messages if "date de 5 h" in each]
    assert len(old) == 1
    assert "à partir de 40 %" in old[0]
    assert need(made) == pytest.approx(12.0 - made.car.energy / 1000, abs=0.2)


def test_a_charge_state_from_before_the_car_was_plugged_in_holds_while_it_stays() -> None:
    made = Car60([[0, 0]], [[0, 300]], plugged=[[0, False], [600, True]])
    made.tell(40)
    made.choose("off")
    made.run(6 * HOUR, step=30)
    assert made.facts["p"]["point.carLevel"] == pytest.approx(40, abs=0.1)


def test_a_share_needs_a_battery_and_takes_the_place_of_an_energy() -> None:
    made = rig()
    assert not made.pilot.goal("p", percent=80)
    whole = car(50, 80)
    assert whole.facts["p"]["point.goalLevel"] == 80
    assert not whole.pilot.goal("p", percent=101)
    wish(whole, 10)
    state = whole.pilot.points["p"].state
    assert (state.goal_kwh, state.goal_percent) == (10.0, 0.0)


def test_levels_that_are_none_are_left_out() -> None:
    made = car(50, 80)
    for wrong in (-1.0, 101.0):
        made.tell(wrong)
        made.run(10)
        assert made.pilot.points["p"].state.level == 50


def test_what_a_disk_has_spoilt_of_a_goal_is_left_out() -> None:
    spoilt = PointState.restore({"level": "x", "goal_percent": None, "risk": 3, "goal_done": "yes", "plugged_at": 1e99})
    assert spoilt == PointState()


EVENTS = st.lists(
    st.tuples(st.integers(120, 1800), st.sampled_from(["plug", "unplug", "restart", "kettle", "calm", "lost", "back"])),
    max_size=8,
)


@settings(max_examples=300 if FULL else 4, deadline=None)
@given(events=EVENTS, kwh=st.sampled_from([3.0, 9.0, 30.0]))
def test_a_risk_and_its_end_take_turns_whatever_happens(events: list[tuple[int, str]], kwh: float) -> None:
    made = wish(rig(subscribed=9000), kwh, "14:00")
    house = made.house
    for seconds, event in events:
        made.run(seconds, step=15)
        if event in ("plug", "unplug"):
            made.plugged = house.cars[CAR].plugged = Series([[0, event == "plug"]])
        elif event == "restart":
            made.restart(5)
        elif event in ("kettle", "calm"):
            house._base = [Series([[0, 8500 if event == "kettle" else 300]])]
        else:
            made.reachable = event == "back"
    made.run(max(600, 2 * HOUR + 600 - made.second), step=15)
    told = ["à risque" in each for each in made.messages if "objectif" in each.casefold()]
    assert all(first != second for first, second in zip(told, told[1:])), made.messages
    assert told[:1] in ([], [True]), made.messages


def test_a_goal_whose_car_came_too_late_is_told_as_missed() -> None:
    found = Risk(PointState())
    by, zone = float(NOON + 3600), PARIS
    for second in range(0, 300, 60):
        found.look(Wanted(37.2, 0.0, by, 4.8), 0.4, ABSENT, False, float(second), "Borne", zone)
    for second in range(300, 900, 60):  # it is there now, and the risk remains
        found.look(Wanted(37.2, 0.0, by, 5.0), 5.0, TIME, False, float(second), "Borne", zone)
    found.passed(Wanted(37.2, 0.0, by, 32.2), by + 30, False, "Borne", zone)
    told = [(level, sentence.template.partition(" » ")[2][:12]) for level, sentence in found.notices]
    assert told == [("warning", "est à risque"), ("warning", "n'a pas été ")]
