"""Days of sun, clouds, cars, batteries, loads and limits, played on the rules by the tool, with what must come out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jeenergied.energy.limits import Headroom, TripClock, phase_limits
from jeenergied.energy.switching import economic_threshold

from tools.play_scenario import Game, main

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = 5
BASE = [[0, 500]]
CAR = [{"id": "car", "mode": "solar"}]
CAR3 = [{"id": "car", "phases": 3, "maxA": 16, "carMaxA": 16, "switching": True}]
BATTERY = {"capacityWh": 10000, "soc": 50, "maxChargeW": 3300, "maxDischargeW": 3300, "order": "battery"}
TARIFF = {"kind": "hphc", "prices": {"hp": 0.2065, "hc": 0.1579}, "hours": ["22:00-06:00"]}


def alternating(first: float, second: float, period: int, seconds: int) -> list[list[float]]:
    return [[t, first if (t // period) % 2 == 0 else second] for t in range(0, seconds, period)]


def played(capsys: pytest.CaptureFixture[str], **scenario: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The decisions and the summary of a scenario."""
    Game({"seconds": 1800, "chargers": [], **scenario}).play()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return lines[:-1], lines[-1]["summary"]


def close(decisions: list[dict[str, Any]], expected: list[tuple[int, ...]]) -> bool:
    """Whether the first decisions are those, to one sample. Expected: (t, amps) or (t, amps, phases)."""
    found = [(line["t"], line["amps"], line["phases"])[: len(expected[0])] for line in decisions[: len(expected)]]
    return len(found) == len(expected) and all(
        abs(mine[0] - theirs[0]) <= SAMPLE and mine[1:] == theirs[1:] for mine, theirs in zip(found, expected)
    )


SUN = {
    "steady sun": ([[0, 2000]], BASE, [(60, 7), (80, 6)], 2),
    "more sun later": ([[0, 2000], [600, 3500]], BASE, [(60, 7), (80, 6), (625, 12)], 3),
    "the sun goes": ([[0, 3000], [900, 500]], BASE, [(60, 7), (90, 10), (915, 6), (1075, 0)], 4),
    "a little is missing": ([[0, 3000], [900, 1700]], BASE, [(60, 7), (90, 10), (915, 6), (1805, 0)], 4),
    "one wild sample": ([[0, 3500]], [[0, 500], [600, 9500], [605, 500]], [(60, 7), (90, 12)], 2),
    "flickering": (alternating(3300, 2700, 10, 3600), BASE, [(60, 7), (90, 9)], 2),
}


@pytest.mark.parametrize("name", SUN)
def test_a_car_follows_the_sun(capsys: pytest.CaptureFixture[str], name: str) -> None:
    solar, base, expected, count = SUN[name]
    decisions, _ = played(capsys, seconds=3600, solar=solar, base=base, chargers=CAR)
    assert close(decisions, expected), decisions
    assert len(decisions) == count


def test_hardly_anything_is_imported_with_steady_sun(capsys: pytest.CaptureFixture[str]) -> None:
    _, summary = played(capsys, seconds=1200, solar=[[0, 2000]], base=BASE, chargers=CAR)
    assert summary["importWh"] <= 2


def test_what_is_missing_is_said_in_watts(capsys: pytest.CaptureFixture[str]) -> None:
    decisions, summary = played(capsys, solar=[[0, 1900]], base=BASE, chargers=CAR)
    assert decisions == []
    assert "manque 30 W" in summary["why"]["car"]


def test_import_after_the_sun_has_gone_is_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    _, summary = played(capsys, seconds=1500, solar=[[0, 3000], [900, 500]], base=BASE, chargers=CAR)
    assert summary["importWh"] <= 75


def test_clouds_for_hours_do_not_start_the_car_more_than_three_times_an_hour(
    capsys: pytest.CaptureFixture[str],
) -> None:
    solar = alternating(4500, 600, 600, 14400)
    decisions, _ = played(capsys, seconds=14400, solar=solar, base=[[0, 400]], chargers=CAR)
    assert close(decisions, [(60, 7), (90, 17), (615, 6), (795, 0), (1265, 7), (1295, 17)]), decisions
    starts = [line["t"] for line in decisions if line["state"] == "starting"]
    assert max(sum(1 for other in starts if at - 3600 < other <= at) for at in starts) <= 3


def test_solar_with_a_minimum_never_stops(capsys: pytest.CaptureFixture[str]) -> None:
    car = [{"id": "car", "mode": "solarMin"}]
    decisions, _ = played(capsys, solar=[[0, 500], [900, 3000]], base=BASE, chargers=car)
    assert close(decisions, [(0, 6), (925, 10)])
    assert all(line["amps"] >= 6 for line in decisions)


@pytest.mark.parametrize(
    ("sun", "battery", "expected"),
    [
        (5000, {}, []),
        (5600, {}, [(60, 7)]),
        (3000, {"soc": 90, "order": "car"}, [(60, 7), (90, 10)]),
    ],
)
def test_a_battery_comes_before_or_after_the_car(
    capsys: pytest.CaptureFixture[str], sun: int, battery: dict[str, Any], expected: list[tuple[int, int]]
) -> None:
    decisions, _ = played(capsys, solar=[[0, sun]], base=BASE, battery={**BATTERY, **battery}, chargers=CAR)
    assert [(line["t"], line["amps"]) for line in decisions] == expected


def test_three_phases_are_used_when_the_sun_lasts(capsys: pytest.CaptureFixture[str]) -> None:
    decisions, _ = played(capsys, house={"phases": 3}, solar=[[0, 5300]], base=BASE, chargers=CAR3)
    assert close(decisions, [(60, 7, 1), (90, 16, 1), (365, 7, 3)]), decisions
    assert len(decisions) == 3


def test_phases_do_not_hop_with_the_clouds(capsys: pytest.CaptureFixture[str]) -> None:
    solar = alternating(6500, 3000, 240, 14400)
    decisions, _ = played(capsys, seconds=14400, house={"phases": 3}, solar=solar, base=BASE, chargers=CAR3)
    assert {line["phases"] for line in decisions} == {1}
    assert {line["amps"] for line in decisions[1:]} == {10, 16}


@pytest.mark.parametrize(
    ("threshold", "sun", "more"), [("economic", 1200, 1270), ("solar", 2800, 2950), (700, 1200, 1270)]
)
def test_a_boiler_runs_from_the_surplus_that_pays(
    capsys: pytest.CaptureFixture[str], threshold: Any, sun: int, more: int
) -> None:
    load = [{"id": "boiler", "powerW": 2400, "threshold": threshold}]
    house = {"resale": 0.04, "tariff": TARIFF}
    decisions, _ = played(capsys, house=house, solar=[[0, sun], [600, more]], base=BASE, loads=load)
    assert [(line["load"], line["on"]) for line in decisions] == [("boiler", True)]
    assert 655 <= decisions[0]["t"] <= 670


@pytest.mark.parametrize(
    ("now", "later", "resale", "watts"),
    [
        (0.2065, 0.1579, 0.04, 701),
        (0.2065, 0.1579, 0.10, 1095),
        (0.2065, 0.1579, 0.0, 565),
        (0.1612, 0.1325, 0.04, 568),
        (0.1871, 0.1499, 0.04, 607),
        (0.7060, 0.1575, 0.04, 1977),
    ],
)
def test_the_economic_threshold_of_a_boiler(now: float, later: float, resale: float, watts: int) -> None:
    assert round(economic_threshold(2400, now, later, resale)) == watts


IMMEDIATE = [{"id": "car", "mode": "now"}]


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ([[0, 4000], [300, 6500], [900, 4000]], [(0, 19), (300, 8), (960, 19)]),
        ([[0, 4000], [300, 8000], [600, 4000]], [(0, 19), (300, 0), (720, 19)]),
    ],
)
def test_the_subscribed_power_throttles_then_pauses_and_gives_back(
    capsys: pytest.CaptureFixture[str], base: list[list[int]], expected: list[tuple[int, int]]
) -> None:
    decisions, _ = played(
        capsys, seconds=1500, house={"subscribedVA": 9000}, solar=[[0, 0]], base=base, chargers=IMMEDIATE
    )
    assert close(decisions, expected), decisions
    assert len(decisions) == len(expected)


@pytest.mark.parametrize(
    ("phase", "expected"),
    [(1, [(0, 8, 1), (1200, 0, 1)]), (2, []), (3, [(0, 10, 1), (600, 0, 1)])],
)
def test_each_phase_has_its_own_limit(
    capsys: pytest.CaptureFixture[str], phase: int, expected: list[tuple[int, int, int]]
) -> None:
    decisions, _ = played(
        capsys,
        house={"subscribedVA": 9000, "phases": 3},
        solar=[[0, 0]],
        base1=[[0, 800], [1200, 1500]],
        base2=[[0, 1500]],
        base3=[[0, 300], [600, 2300]],
        chargers=[{"id": "car", "mode": "now", "phases": 3, "onPhase": phase}],
    )
    assert [(line["t"], line["amps"], line["phases"]) for line in decisions] == expected


def test_a_charge_on_three_phases_takes_what_the_fullest_of_them_leaves() -> None:
    headroom = Headroom(phase_limits(9000, 3), 230.0)
    assert headroom.most([800.0, 700.0, 300.0], (0, 1, 2)) == 8
    assert headroom.most([300.0, 700.0, 1500.0], (0, 1, 2)) == 5
    assert headroom.most([300.0, 700.0, 2900.0], (0, 1, 2)) == 0


@pytest.mark.parametrize(
    ("subscribed", "before", "after", "seconds"),
    [(6000, 4000, 9000, 146), (9000, 8000, 14000, 100), (6000, 0, 8400, 247), (6000, 0, 15000, 39)],
)
def test_the_meters_own_clock(subscribed: int, before: int, after: int, seconds: int) -> None:
    clock = TripClock(subscribed)
    clock.add(before)
    assert clock.seconds(after) == pytest.approx(seconds, abs=1)
    left = clock.seconds(after)
    for _ in range(10):
        clock.add(after)
    assert clock.seconds(after) == pytest.approx(left - 10, abs=0.5)


def test_up_to_1_3_times_the_subscribed_power_never_trips() -> None:
    clock = TripClock(6000)
    clock.add(7799, 100_000)
    assert clock.seconds(7799) == float("inf")
    assert TripClock(6000).seconds(7800) == float("inf")


def test_a_restart_starts_and_stops_nothing_and_a_user_is_not_fought(capsys: pytest.CaptureFixture[str]) -> None:
    events = [
        [400, {"restart": True}],
        [700, {"charger": "car", "userSetsA": 16}],
        [1000, {"clockStepS": -3600}],
    ]
    decisions, summary = played(capsys, seconds=1600, solar=[[0, 3050]], base=BASE, chargers=CAR, events=events)
    assert close(decisions, [(60, 7), (90, 10)])
    assert len(decisions) == 2
    assert "Repris en main à 16 A" in summary["why"]["car"]


def test_a_silent_meter_raises_nothing_and_ends_solar_charging(capsys: pytest.CaptureFixture[str]) -> None:
    decisions, _ = played(
        capsys,
        seconds=2400,
        solar=[[0, 3000], [610, 6000]],
        base=BASE,
        chargers=CAR,
        events=[[600, {"meter": "stale"}], [1800, {"meter": "fresh"}]],
    )
    while_silent = [line for line in decisions if 600 < line["t"] < 1800]
    assert [line["amps"] for line in while_silent] == [6, 0]
    assert while_silent[0]["t"] == pytest.approx(665, abs=SAMPLE)
    assert while_silent[1]["t"] == pytest.approx(905, abs=SAMPLE)
    assert any(line["amps"] > 6 for line in decisions if line["t"] > 1800)


@pytest.mark.parametrize(
    ("kwh", "plugged", "base", "expected"),
    [
        (7, [[0, True]], [[0, 9000], [3750, 300]], ["0.2 kWh sur 7 kWh à 14:00. La puissance", "est atteint"]),
        (
            7,
            [[0, False], [4500, True]],
            [[0, 300]],
            ["sur 7 kWh à 14:00. Branchez la voiture.", "n'a pas été atteint à 14:00 : 5.5 kWh sur 7 kWh"],
        ),
        (7, [[0, False]], [[0, 300]], ["sur 7 kWh à 14:00. Branchez la voiture."]),
        (
            20,
            [[0, True]],
            [[0, 300]],
            ["sur 20 kWh à 14:00. Choisissez une heure", "n'a pas été atteint à 14:00 : 14."],
        ),
        (5, [[0, True]], [[0, 300]], []),
    ],
)
def test_a_goal_at_risk_is_told_once_and_so_is_its_end(
    capsys: pytest.CaptureFixture[str], kwh: float, plugged: Any, base: Any, expected: list[str]
) -> None:
    goal = {"kWh": kwh, "by": "2026-06-15T14:00:00+02:00"}
    house = {"subscribedVA": 9000, "tariff": TARIFF}
    car = [{"id": "car", "mode": "solar", "plugged": plugged, "goal": goal}]
    lines, _ = played(capsys, seconds=7500, house=house, solar=[[0, 0]], base=base, chargers=car)
    messages = [line for line in lines if "message" in line]
    assert len(messages) == len(expected), messages
    assert [part in line["message"] for part, line in zip(expected, messages)] == [True] * len(expected), messages


def test_a_planned_charge_that_no_limit_has_taken_begins_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    car = [{"id": "car", "mode": "solar", "goal": {"kWh": 20, "by": "2026-06-15T14:00:00+02:00"}}]
    house = {"subscribedVA": 9000, "tariff": TARIFF}
    lines, _ = played(capsys, seconds=60, house=house, solar=[[0, 0]], base=BASE, chargers=car)
    assert [(line["t"], line["amps"]) for line in lines] == [(0, 32)]


def test_a_goal_is_charged_in_the_cheapest_hours(capsys: pytest.CaptureFixture[str]) -> None:
    car = [{"id": "car", "mode": "solar", "goal": {"kWh": 10, "by": "2026-06-16T07:30:00+02:00"}}]
    decisions, summary = played(
        capsys,
        start="2026-06-15T21:00:00+02:00",
        seconds=4 * 3600,
        house={"tariff": TARIFF},
        solar=[[0, 0]],
        base=BASE,
        chargers=car,
    )
    assert next((line["t"], line["amps"]) for line in decisions) == (3600, 32)
    assert decisions[-1]["amps"] == 0
    assert summary["chargers"]["car"] == pytest.approx(10000, rel=0.05)


def test_the_economic_mode_takes_cheap_hours_and_the_sun(capsys: pytest.CaptureFixture[str]) -> None:
    car = [{"id": "car", "mode": "economic"}]
    decisions, _ = played(
        capsys,
        start="2026-06-15T21:30:00+02:00",
        seconds=3600,
        house={"tariff": TARIFF},
        solar=[[0, 0]],
        base=BASE,
        chargers=car,
    )
    assert [(line["t"], line["amps"]) for line in decisions] == [(1800, 32)]


def test_the_tool_prints_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "scenario.json"
    file.write_text(json.dumps({"seconds": 300, "solar": [[0, 3000]], "base": BASE, "chargers": CAR}))
    command = [sys.executable, str(ROOT / "tools" / "play_scenario.py"), str(file)]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    first, last = json.loads(lines[0]), json.loads(lines[-1])
    assert {"t", "charger", "amps", "phases", "state", "why"} == set(first)
    assert {"importWh", "exportWh", "solarWh", "batteryWh", "chargers", "maxVA", "balance"} <= set(last["summary"])


steps = st.lists(st.tuples(st.integers(0, 3600), st.integers(0, 9000)), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    solar=steps,
    base=st.lists(st.tuples(st.integers(0, 3600), st.integers(100, 7000)), min_size=1, max_size=8),
    mode=st.sampled_from(["solar", "solarMin", "now"]),
    battery=st.booleans(),
    vehicle=st.integers(6, 32),
    events=st.lists(
        st.tuples(
            st.integers(0, 3600),
            st.sampled_from(
                [{"restart": True}, {"meter": "stale"}, {"meter": "fresh"}, {"charger": "car", "userSetsA": 16}]
            ),
        ),
        max_size=3,
    ),
)
def test_whatever_happens_the_rules_hold(
    capsys: pytest.CaptureFixture[str],
    solar: Any,
    base: Any,
    mode: str,
    battery: bool,
    vehicle: int,
    events: Any,
) -> None:
    capsys.readouterr()
    scenario: dict[str, Any] = {
        "seconds": 3600,
        "house": {"subscribedVA": 9000},
        "solar": [[0, 0], *map(list, solar)],
        "base": [[0, 300], *map(list, base)],
        "chargers": [{"id": "car", "mode": mode, "carMaxA": vehicle}],
        "events": [list(event) for event in events],
    }
    if battery:
        scenario["battery"] = BATTERY
    decisions, summary = played(capsys, **scenario)
    assert all(line["amps"] == 0 or 6 <= line["amps"] <= 32 for line in decisions)
    assert all(line["why"] for line in decisions)
    stopped = None
    for line in decisions:
        if line["amps"] == 0:
            stopped = line["t"]
        elif line["state"] == "starting" and stopped is not None and not any("restart" in e[1] for e in events):
            assert line["t"] - stopped >= 300
    p, i, e = summary["solarWh"], summary["importWh"], summary["exportWh"]
    assert min(p, i, e) >= 0
    again, _ = played(capsys, **scenario)
    assert again == decisions  # the same day gives the same journal


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "Expecting"),
        ('{"seconds": 60}', "'solar' is a required property"),
        ('{"seconds": 60, "solar": [[0, NaN]]}', "NaN"),
        ('{"seconds": 60, "solar": [[0, "x"]]}', "solar.0.1"),
        ('{"seconds": 60, "solar": [[0, 1]], "sample": 0}', "sample"),
        ('{"seconds": 60, "solar": [[0, 1]], "timezone": "Mars"}', "Mars"),
        ('{"seconds": 60, "solar": [[0, 1]], "events": [[5, {"charger": "car", "mode": "now"}]]}', "'car'"),
        ('{"rows": [], "house": {"tariff": {"kind": "own", "prices": {}}}}', "house.tariff.kind"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused_by_what_is_wrong_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, place: str
) -> None:
    path = tmp_path / "scenario.json"
    path.write_text(text, encoding="utf-8")
    assert main([str(path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"{path}: ")
    assert place in told
    assert "Traceback" not in told
