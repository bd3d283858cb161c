"""Cars that share, take turns, ask for nothing or cannot be reached, and loads that give way in turn: by the tool."""

from __future__ import annotations

from typing import Any

import pytest

from .test_energy_scenarios import BASE, CAR, close, played

TWO = [{"id": "a", "mode": "solar"}, {"id": "b", "mode": "solar"}]


def last(decisions: list[dict[str, Any]], charger: str) -> int:
    return next((int(line["amps"]) for line in reversed(decisions) if line.get("charger") == charger), 0)


def test_two_cars_have_equal_shares_of_the_sun(capsys: pytest.CaptureFixture[str]) -> None:
    decisions, summary = played(capsys, solar=[[0, 4600]], base=BASE, chargers=TWO, sharing="share")
    assert (last(decisions, "a"), last(decisions, "b")) == (8, 8)
    assert summary["importWh"] <= 20
    decisions, _ = played(capsys, solar=[[0, 4600]], base=BASE, chargers=TWO, sharing="order")
    assert last(decisions, "a") > last(decisions, "b") >= 6


def test_what_is_enough_for_one_car_goes_to_them_in_turn(capsys: pytest.CaptureFixture[str]) -> None:
    decisions, _ = played(capsys, seconds=7200, solar=[[0, 2300]], base=BASE, chargers=TWO, sharing="share")
    begun = {line["charger"]: line["t"] for line in decisions if line["state"] == "starting"}
    assert set(begun) == {"a", "b"}
    on: dict[str, int] = {}
    for line in decisions:
        on[line["charger"]] = line["amps"]
        assert sum(1 for amps in on.values() if amps) <= 2
    assert len([line for line in decisions if line["state"] == "starting"]) <= 6


def test_a_car_that_asks_for_nothing_is_asked_once_more_and_then_left(capsys: pytest.CaptureFixture[str]) -> None:
    car = [{**CAR[0], "carMaxA": 0}]
    decisions, summary = played(capsys, seconds=3600, solar=[[0, 5000]], base=BASE, chargers=car)
    assert close(decisions, [(60, 7), (180, 7)]), decisions
    assert len(decisions) == 2
    assert "ne demande rien" in summary["why"]["car"]


def test_it_is_asked_again_once_the_sun_has_been_away(capsys: pytest.CaptureFixture[str]) -> None:
    car = [{**CAR[0], "carMaxA": 0}]
    solar = [[0, 5000], [900, 0], [3000, 5000]]
    decisions, _ = played(capsys, seconds=3600, solar=solar, base=BASE, chargers=car)
    assert [line["amps"] for line in decisions] == [7, 7, 0, 7, 7]


def test_a_car_that_wants_nothing_keeps_nothing_from_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    cars = [{**TWO[0], "carMaxA": 0}, TWO[1]]
    decisions, _ = played(capsys, solar=[[0, 3000]], base=BASE, chargers=cars)
    assert last(decisions, "b") == 10


@pytest.mark.parametrize(("reachable", "raised"), [(True, 360), (False, 480)])
def test_what_a_charger_out_of_reach_drew_is_reckoned_with_for_two_minutes(
    capsys: pytest.CaptureFixture[str], reachable: bool, raised: int
) -> None:
    """It stops drawing; reached or not, that shows in the meter, but out of reach it may begin again."""
    cars = [{"id": "a", "mode": "now", "maxA": 16, "plugged": [[0, True], [300, False]]}, {"id": "b", "mode": "now"}]
    decisions, _ = played(
        capsys,
        house={"subscribedVA": 9000},
        solar=[[0, 0]],
        base=BASE,
        chargers=cars,
        events=[[300, {"charger": "a", "reachable": reachable}]],
    )
    more = [line["t"] for line in decisions if line.get("charger") == "b" and line["t"] > 300]
    assert more
    assert abs(more[0] - raised) <= 10


def test_the_room_closest_to_its_set_temperature_gives_way_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Of three radiators the least needed one; the coldest room is heated again first, whatever the rank."""
    gaps = {"bath": [[0, 2.0]], "living": [[0, 0.5], [1500, 3.0]], "office": [[0, 1.0]]}
    loads = [
        {"id": name, "powerW": 1500, "wanted": [[0, True]], "leastOffS": 300, "gap": gap} for name, gap in gaps.items()
    ]
    decisions, _ = played(
        capsys,
        seconds=4000,
        house={"subscribedVA": 6000},
        solar=[[0, 0]],
        base=[[0, 1000], [900, 2500], [1200, 4000], [1800, 2500]],
        loads=loads,
        shedding="gap",
    )
    told = [(line["load"], line["on"]) for line in decisions if line["t"] > 600]
    assert told == [("living", False), ("office", False), ("living", True)]


@pytest.mark.parametrize(("shedding", "off"), [("order", {"second"}), ("turn", {"first", "second"})])
def test_loads_give_way_by_rank_or_in_turn(capsys: pytest.CaptureFixture[str], shedding: str, off: set[str]) -> None:
    loads = [{"id": name, "powerW": 1500, "wanted": [[0, True]], "leastOffS": 300} for name in ("first", "second")]
    decisions, summary = played(
        capsys,
        seconds=7200,
        house={"subscribedVA": 6000},
        solar=[[0, 0]],
        base=[[0, 2500], [900, 3500]],
        loads=loads,
        shedding=shedding,
    )
    assert {line["load"] for line in decisions if not line["on"]} == off
    turns = [line["t"] for line in decisions if not line["on"]]
    assert all(later - earlier >= 1200 for earlier, later in zip(turns, turns[1:]))
    assert summary["maxVA"] <= 6500
