"""A charger tells what it draws seconds later than the meter of the house: that is no load, no sun and no excess."""

from __future__ import annotations

import pytest
from jeenergied.energy.sharing.draws import FOLLOW_S, LATEST_S, Draw, Draws

from tests.fire import FULL

from .test_pilot import Rig

AMPERE = 230.0
LATE = [(0, 5), (2, 1), (6, 5), (9, 1), (14, 5)]


def charged(rig: Rig) -> list[float | None]:
    return [amps for _, amps in rig.amps()]


@pytest.mark.parametrize(("late", "step"), LATE)
def test_the_sun_is_followed_without_swinging(late: int, step: int) -> None:
    rig = Rig([[0, 0], [500, 3000], [900, 6000], [1000, 2500], [1200, 500]])
    rig.late = late
    rig.run(30, step)
    rig.choose("solar")
    rig.run(1600, step)
    assert charged(rig) == [6, 0, 7, 10, 23, 8, 6, 0]


@pytest.mark.parametrize(("late", "step"), [(25, 5), (40, 5), (40, 1), (50, 5)])
def test_of_a_service_that_is_later_still_the_delay_is_learnt(late: int, step: int) -> None:
    """The first start may be misread; the changes of the sun after it are followed as they are."""
    rig = Rig([[0, 3000], [600, 6000], [900, 2500], [1500, 4500]])
    rig.late = late
    rig.run(30, step)
    rig.choose("solar")
    rig.run(570, step)
    rig.sent.clear()
    rig.run(1500, step)
    assert len(rig.amps()) <= 2 * 3, rig.amps()
    assert rig.car.limit == 17


LAGS = [(late, *meter) for late in (0, 3, 9, 18) for meter in ((3, 3), (6, 0), (6, 3), (9, 3))]


@pytest.mark.parametrize(("late", "meter", "undated"), LAGS if FULL else [(0, 6, 0), (0, 6, 3), (9, 9, 3)])
def test_the_sun_is_followed_beside_a_meter_that_is_late_itself(late: int, meter: int, undated: int) -> None:
    """`undated`: so many of its seconds are not in its date."""
    rig = Rig([[0, 0], [500, 3000], [900, 6000], [1000, 2500], [1200, 500]])
    rig.late, rig.meter_late, rig.undated = late, meter, undated
    rig.run(30, 5)
    rig.choose("solar")
    rig.run(1250, 5)
    assert charged(rig) == [6, 0, 7, 10, 23, 8, 6]


@pytest.mark.parametrize(("late", "step"), LATE)
def test_a_limit_takes_and_gives_back_once(late: int, step: int) -> None:
    rig = Rig([[0, 0]], [[0, 4000], [600, 6500], [1200, 4000]], subscribed=9000)
    rig.late = late
    rig.run(60, step)
    rig.choose("now")
    rig.run(1440, step)
    assert charged(rig) == [19, 8, 19]


@pytest.mark.parametrize("late", [0, 6, 14])
def test_a_kettle_is_seen_at_once_whatever_the_cloud_does(late: int) -> None:
    rig = Rig([[0, 0]], [[0, 2000], [600, 4500]], subscribed=9000)
    rig.late = late
    rig.choose("now")
    rig.run(600, 1)
    rig.sent.clear()
    rig.run(12, 1)
    assert rig.amps()[:1] == [(600, 17)]


def test_what_a_car_on_its_way_explains_is_no_change_of_the_house() -> None:
    draws = Draws()
    assert draws.step(0, 500.0, 0, {"a": Draw(0.0, 0, AMPERE)}) == {"a": 0.0}
    # It is offered 10 A, and follows before it says so.
    assert draws.step(1, 500.0, 0, {"a": Draw(0.0, 10, AMPERE)}) == {"a": 0.0}
    assert draws.step(4, 2800.0, 0, {"a": Draw(0.0, 10, AMPERE)}) == {"a": 2300.0}
    # A kettle besides is more than it can draw.
    assert draws.step(6, 4800.0, 0, {"a": Draw(0.0, 10, AMPERE)}) == {"a": 2300.0}
    assert draws.step(9, 4800.0, 0, {"a": Draw(2300.0, 10, AMPERE)}) == {"a": 2300.0}


def test_a_load_of_the_house_is_taken_for_a_car_that_begins_for_a_short_time_only() -> None:
    draws = Draws()
    full = {"a": Draw(0.0, 32, AMPERE)}
    draws.step(0, 500.0, 0, full)
    assert draws.step(100, 2500.0, 0, full) == {"a": 2000.0}
    assert draws.step(100 + FOLLOW_S, 2500.0, 0, full) == {"a": 2000.0}
    assert draws.step(101 + FOLLOW_S, 2500.0, 0, full) == {"a": 0.0}


def test_a_car_that_has_followed_before_the_order_is_seen_explains_no_load() -> None:
    draws = Draws()
    draws.step(0, 4180.0, 0, {"a": Draw(3680.0, 16, AMPERE)})
    draws.step(5, 3950.0, 0, {"a": Draw(3450.0, 15, AMPERE)})
    lower = {"a": Draw(1610.0, 7, AMPERE)}
    draws.step(10, 2110.0, 0, lower)
    assert draws.step(15, 3100.0, 0, lower) == {"a": 1610.0}


def test_a_car_that_does_not_take_what_it_is_offered_explains_no_load() -> None:
    """It takes 10 A. Neither the raise to 16 A nor the lower set-points of a limit let it take more."""
    draws = Draws()
    draws.step(0, 500.0, 0, {"a": Draw(0.0, 0, AMPERE)})
    offered = {"a": Draw(2300.0, 16, AMPERE)}
    draws.step(5, 2800.0, 0, offered)
    draws.step(5 + FOLLOW_S, 2800.0, 0, offered)
    for second, amps in ((40, 15), (45, 13), (50, 16)):
        assert draws.step(second, 4200.0, 0, {"a": Draw(2300.0, amps, AMPERE)}) == {"a": 2300.0}, amps
    more = {"a": Draw(3680.0, 16, AMPERE)}  # it can take more after all
    assert draws.step(60, 5580.0, 0, more) == {"a": 3680.0}


def test_a_car_that_changes_by_itself_long_after_an_order_tells_no_delay() -> None:
    draws = Draws()
    draws.step(0, 500.0, 0, {"a": Draw(0.0, 0, AMPERE)})
    draws.step(5, 500.0, 0, {"a": Draw(0.0, 10, AMPERE)})
    assert draws.step(5 + LATEST_S + 1, 2800.0, 0, {"a": Draw(2300.0, 10, AMPERE)}) == {"a": 2300.0}
    lower = {"a": Draw(2300.0, 6, AMPERE)}
    draws.step(100, 1880.0, 0, lower)
    assert draws.step(100 + FOLLOW_S, 1880.0, 0, lower) == {"a": 2300.0}, "it does not follow"


def test_a_charger_that_tells_before_the_meter_is_read_makes_no_sun() -> None:
    draws = Draws()
    draws.step(0, 500.0, 0, {"a": Draw(0.0, 0, AMPERE)})
    draws.step(1, 500.0, 1, {"a": Draw(0.0, 10, AMPERE)})
    assert draws.step(4, 500.0, 4, {"a": Draw(2300.0, 10, AMPERE)}) == {"a": 0.0}
    assert draws.step(5, 2800.0, 0, {"a": Draw(2300.0, 10, AMPERE)}) == {"a": 2300.0}


def test_two_cars_share_what_they_explain_together() -> None:
    draws = Draws()
    both = {"a": Draw(2300.0, 10, AMPERE), "b": Draw(2300.0, 10, AMPERE)}
    draws.step(0, 5000.0, 0, both)
    lower = {"a": Draw(2300.0, 6, AMPERE), "b": Draw(2300.0, 6, AMPERE)}
    found = draws.step(5, 4080.0, 0, lower)
    assert found == {"a": 1840.0, "b": 1840.0}
    assert draws.step(5 + FOLLOW_S, 4080.0, 0, lower) == {"a": 2300.0, "b": 2300.0}, "they do not follow"
