"""Clock changes, late, corrected and missing measures, scales: pure grid arithmetic and the whole chain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from jeenergied.devices.econetatmo import time_slots
from jeenergied.devices.econetatmo.watermarks import Counter, LineState, Track

from simulators.econetatmo.model import Correction, Ecometer, Home, Outage, midnight
from tests.econetatmo.months import Account
from tests.econetatmo.test_econetatmo_measures import expected
from tests.econetatmo.world import BRIDGE, DAY, HOUR, START, World, small_home

PARIS = "Europe/Paris"
MakeWorld = Callable[..., World]
AUTUMN = int(datetime(2026, 10, 25, 0, 0, tzinfo=ZoneInfo(PARIS)).timestamp())
SPRING = int(datetime(2026, 3, 29, 0, 0, tzinfo=ZoneInfo(PARIS)).timestamp())
LINE = f"{BRIDGE}#0"


def home(contract: str = "none", **more: object) -> Home:
    return Home("h1", ecometers=[Ecometer(BRIDGE, lines={0: "Ligne 1"}, **more)], contracts=[(0.0, contract)])


@pytest.mark.parametrize("scale", ["30min", "1hour", "3hours"])
@pytest.mark.parametrize("zone", [PARIS, "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Sydney"])
def test_slots_shorter_than_a_day_stay_on_one_grid_over_clock_changes(scale: str, zone: str) -> None:
    step = time_slots.STEPS[scale]
    starts = {time_slots.aligned(START + n * 977 * 60, scale, zone) % step for n in range(600)}
    assert len(starts) == 1
    january = datetime(2026, 1, 15, tzinfo=ZoneInfo(zone)).timestamp()
    july = datetime(2026, 7, 15, tzinfo=ZoneInfo(zone)).timestamp()
    south = zone == "Australia/Sydney"
    assert time_slots.aligned(july if south else january, scale, zone) == (july if south else january)


def test_pages_are_whole_local_days_and_fit_into_one_request() -> None:
    for scale, step in time_slots.STEPS.items():
        found = list(time_slots.pages(AUTUMN - 400 * DAY, AUTUMN + 400 * DAY, scale, PARIS))
        for (_, stop), (start, _) in zip(found, found[1:]):
            assert stop == start
        for start, stop in found:
            assert time_slots.local(start, PARIS).hour == 0
            assert (stop - start) // step <= 1024


def test_a_gap_is_asked_for_again_until_it_is_a_week_old() -> None:
    track = Track(mark=int(START) + 900, slots={int(START) + 900 - n * 1800: [1.0] for n in range(400) if n != 30})
    gap = int(START) + 900 - 30 * 1800
    assert track.missing("30min") == gap
    track.deep = int(START)
    begin, deep = track.begin("30min", int(START) + 3600, PARIS)
    assert (begin, deep) == (midnight(gap - 1800, PARIS), 0)


def test_a_mark_never_passes_the_newest_slot_received() -> None:
    track = Track(types=["a"])
    track.commit({900: [1.0]}, 0)
    track.commit({}, 0)
    assert track.mark == 900


def test_a_counter_that_was_off_is_filled_when_it_is_switched_on() -> None:
    state = LineState({"a": Counter("30min", 0)}, {"30min": Track(mark=900)})
    state.adopt({}, ["a"], 0, 0)
    assert state.active() == {}
    state.tracks["30min"].mark = 90_900
    state.adopt({"a": "30min"}, [], 0, 0)
    assert (state.counters["a"].next, state.counters["a"].until) == (1800, 91_800)


def test_damaged_state_is_a_fresh_start() -> None:
    for stored in (None, [], "x", {"counters": {"a": {"scale": 1}}}, {"counters": {}, "tracks": 3, "told": []}):
        assert LineState.of(stored) == LineState()
    state = LineState({"a": Counter("1hour", 5, 6, 7)}, {"1hour": Track(1, ["t"], {1: [None, 2.5]}, 9)}, ["gone"])
    assert LineState.of(state.stored()) == state


def test_the_repeated_hour_is_added_together_and_the_day_has_its_sum(world: MakeWorld) -> None:
    running = world([home()], start=AUTUMN + 2 * DAY)
    connection = running.connect()
    running.launch()
    running.ready(connection)
    found = running.history(LINE, "sum_energy_elec")
    assert found == expected(running, LINE, 0, midnight(running.clock.time(), PARIS, -7))
    day = {wall: value for wall, value in found.items() if wall.startswith("2026-10-25")}
    slots = running.cloud.record(LINE, "30min", AUTUMN, AUTUMN + 25 * HOUR)
    assert (len(day), len(slots)) == (48, 50)
    assert sum(day.values()) == sum(values[0] for values in slots.values())
    first, second = (int(datetime(2026, 10, 25, h, 15, tzinfo=timezone.utc).timestamp()) for h in (0, 1))
    assert day["2026-10-25 02:15:00"] == slots[first][0] + slots[second][0]


def test_the_repeated_hour_is_right_when_its_halves_arrive_in_different_uploads(world: MakeWorld) -> None:
    running = world([home()], start=AUTUMN - 6 * HOUR)
    connection = running.connect()
    running.launch()
    running.ready(connection)
    running.step(1800, 48)
    assert running.history(LINE, "sum_energy_elec") == expected(
        running, LINE, 0, midnight(AUTUMN - 6 * HOUR, PARIS, -7)
    )


def test_the_missing_hour_in_spring_leaves_nothing_out(world: MakeWorld) -> None:
    running = world([home()], start=SPRING + 2 * DAY)
    connection = running.connect()
    running.launch()
    running.ready(connection)
    found = running.history(LINE, "sum_energy_elec")
    assert found == expected(running, LINE, 0, midnight(running.clock.time(), PARIS, -7))
    assert sum(wall.startswith("2026-03-29") for wall in found) == 46


@pytest.mark.parametrize("scale", ["1hour", "3hours", "1day"])
@pytest.mark.parametrize("start", [AUTUMN + 3 * DAY, SPRING + 3 * DAY])
def test_every_scale_has_its_dates_over_a_clock_change(world: MakeWorld, scale: str, start: int) -> None:
    running = world([home()], start=start)
    connection = running.connect()
    running.jeedom.automatic = False
    line = running.jeedom.house.add_equipment(connection, "line", LINE, "L", {"consumptionType": "electrical"})
    running.jeedom.house.set_command(line, "sum_energy_elec", {"scale": scale})
    running.jeedom.house.set_command(line, "total_energy", {"collect": "no"})
    running.launch()
    running.jeedom.configure()
    running.settle()
    running.step(60, 2)
    begin = midnight(start, PARIS, -7)
    if scale == "3hours":
        begin = time_slots.aligned(begin, scale, PARIS)  # what the day shares with the day before belongs to both
        begin += 0 if begin == midnight(start, PARIS, -7) else time_slots.STEPS[scale]
    assert running.history(LINE, "sum_energy_elec") == expected(running, LINE, 0, begin, scale)
    assert running.history(LINE, "total_energy") == {}


def test_corrected_measures_and_an_outage_uploaded_later_are_taken_over(world: MakeWorld) -> None:
    start = int(START)
    ecometer = Ecometer(BRIDGE, lines={0: "Ligne 1"})
    ecometer.outages.append(Outage(start + 2 * HOUR, start + 30 * HOUR, backfill=start + 50 * HOUR))
    ecometer.corrections.append(Correction(0, start - 20 * HOUR, 1000, at=start + 20 * HOUR))
    running = world([Home("h1", ecometers=[ecometer])])
    connection = running.connect()
    running.launch()
    running.ready(connection)
    running.step(1800, 2 * 48)
    missing = running.history(LINE, "sum_energy_elec")
    assert "2026-03-03 12:15:00" not in missing, "a gap was filled with something"
    running.step(1800, 48)
    assert running.history(LINE, "sum_energy_elec") == expected(running, LINE, 0, midnight(START, PARIS, -7))


def test_an_ecometer_that_was_away_for_months_costs_no_more_requests(world: MakeWorld) -> None:
    ecometer = Ecometer(BRIDGE, lines={0: "Ligne 1"})
    ecometer.outages.append(Outage(START + 2 * HOUR, START + 45 * DAY))
    running = world([Home("h1", ecometers=[ecometer])])
    connection = running.connect()
    running.launch()
    running.ready(connection)
    running.step(DAY, 40)
    running.step(600)
    calls = len(running.cloud.calls)
    running.step(600, 12)
    assert len(running.cloud.calls) - calls <= 2 * 12 + 1
    running.step(DAY, 4)
    running.step(1800, 50)
    assert running.history(LINE, "sum_energy_elec") == expected(running, LINE, 0, midnight(START, PARIS, -7))


def test_a_clock_of_the_service_that_is_far_off_is_not_believed(world: MakeWorld) -> None:
    running = world([home()])
    body = {"status": "ok", "time_server": 9e10, "body": []}
    running.cloud.fault("answer", "/api/getmeasure", body, count=1)
    connection = running.connect()
    running.launch()
    running.jeedom.wait(lambda: len(running.jeedom.database.children(connection)) == 1)
    running.settle()
    running.step(600, 2)
    assert running.history(LINE, "sum_energy_elec") == expected(running, LINE, 0, midnight(START, PARIS, -7))
    assert len(running.cloud.calls) < 8


def test_a_new_scale_goes_on_where_the_old_one_ended(world: MakeWorld) -> None:
    running = world([home()])
    connection = running.connect()
    running.launch()
    running.ready(connection)
    line = running.equipment(LINE)
    before = running.history(LINE, "sum_energy_elec")
    newest = max(before)
    running.jeedom.set_command(line, "sum_energy_elec", scale="1hour")
    running.jeedom.wait(lambda: running.jeedom._tasks.empty())
    running.settle()
    running.step(1800, 24)
    after = running.history(LINE, "sum_energy_elec")
    assert {wall: value for wall, value in after.items() if wall <= newest} == before
    fresh = sorted(wall for wall in after if wall > newest)
    assert fresh
    assert all(wall.endswith(":30:00") for wall in fresh)
    assert datetime.fromisoformat(fresh[0]) >= datetime.fromisoformat(newest)
    assert any("période" in text for text in running.messages())


@pytest.mark.parametrize("step", [-3 * HOUR, 5 * HOUR])
def test_a_step_of_this_machines_clock_between_two_answers_moves_no_window(tmp_path: Path, step: float) -> None:
    with Account(tmp_path, small_home(1)) as account:
        ahead = account.clock.time() - account.clock.monotonic()
        account.cloud.clock = lambda: ahead + account.clock.monotonic()
        account.live(HOUR)
        account.clock.step(step)
        assert abs(account.device._api.now() - account.cloud.clock()) < 2
