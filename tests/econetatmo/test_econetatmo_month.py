"""Days of real life: late uploads, outages of every side, restarts, a clock change, two homes, and what it costs.

The long form, 30 days, is run with JEENERGIE_FIRE=full.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from jeenergied.devices.econetatmo import collector

from simulators.econetatmo.model import Correction, Ecometer, Home, Outage, midnight
from tests.econetatmo.test_econetatmo_measures import expected
from tests.econetatmo.world import DAY, FULL, HOUR, World

PARIS = "Europe/Paris"
MakeWorld = Callable[..., World]
STEP = 600 if FULL else 1800
SPAN = 30 if FULL else 2
BEGIN = int(datetime(2026, 10, 25, tzinfo=ZoneInfo(PARIS)).timestamp()) - (SPAN // 2) * DAY + 7 * HOUR
COMMANDS = {f"sum_energy_elec{s}": n for n, s in enumerate(("", "$0", "$1", "$2"))}
COMMANDS.update({f"sum_energy_price{s}": n + 4 for n, s in enumerate(("", "$0", "$1", "$2"))})


class Trouble:
    """Something goes wrong now and then, on every side."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.until: dict[str, float] = {}
        self.restarts = self.outages = self.faults = 0

    def step(self) -> None:
        """One step of time, with whatever happens at its beginning."""
        world, now = self.world, self.world.clock.time()
        for what in [each for each, end in self.until.items() if end <= now]:
            del self.until[what]
            {"cloud": world.cloud.server.resume, "jeedom": world.jeedom.clear, "fault": world.cloud.faults.clear}[
                what
            ]()
        rate = STEP / DAY
        if self.chance.random() < 0.8 * rate:
            self._begin("cloud", world.cloud.server.suspend)
        if self.chance.random() < 0.8 * rate:
            self._begin("jeedom", lambda: world.jeedom.fault("down"))
        if self.chance.random() < 3 * rate:
            kind, value = self.chance.choice(
                [("status", 502), ("html", None), ("drop", None), ("truncated", None), ("api", 27), ("garbage", None),
                 ("no_body", None), ("api", 26), ("empty", None)]
            )  # fmt: skip
            self._begin("fault", lambda: world.cloud.fault(kind, "/api/", value))
            self.faults += 1
        if self.chance.random() < 1 * rate:
            world.kill()
            world.launch()
            world.settle(40)
            self.restarts += 1
        world.clock.advance(STEP)
        world.settle(40)

    def _begin(self, what: str, action: Callable[[], object]) -> None:
        if what not in self.until:
            self.until[what] = self.world.clock.time() + self.chance.choice([600, 1800, 5400, 4 * HOUR, 9 * HOUR])
            self.outages += what != "fault"
            action()

    def heal(self) -> None:
        """All is well again."""
        self.world.cloud.server.resume()
        self.world.jeedom.clear()
        self.world.cloud.faults.clear()
        self.until.clear()


def troubled_homes() -> list[Home]:
    """Two homes whose ecometers are away now and then, upload late, and correct what they said."""
    first = Ecometer("00:04:74:00:00:01", lines={0: "A", 5: "Total"})
    second = Ecometer("00:04:74:00:00:02", lines={0: "B"})
    middle = BEGIN + SPAN * DAY // 2
    first.outages = [Outage(middle - 20 * HOUR, middle - 2 * HOUR, middle + 5 * HOUR), Outage(BEGIN, BEGIN + 2 * HOUR)]
    second.outages = [Outage(middle - 6 * HOUR, middle + 4 * HOUR, middle + 6 * HOUR)]
    moments = [BEGIN + n * 9 * HOUR for n in range(SPAN)]
    second.corrections = [Correction(0, at // 300 * 300, 50 + n, at + 14 * HOUR) for n, at in enumerate(moments)]
    return [
        Home("h1", ecometers=[first], contracts=[(0.0, "peak_and_off_peak")]),
        Home("h2", "Chalet", ecometers=[second], contracts=[(0.0, "none"), (middle // 1800 * 1800, "basic")]),
    ]


def test_every_measure_is_in_the_history_once_at_its_date(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "MAX_WAIT_S", 0.4)
    running = world(troubled_homes(), start=float(BEGIN))
    connection = running.connect()
    running.launch()
    running.ready(connection, 3)
    begin = midnight(BEGIN, PARIS, -7)
    trouble = Trouble(running, seed=SPAN + 3)
    for _ in range(SPAN * DAY // STEP):
        trouble.step()
    trouble.heal()
    running.step(1800, 52)
    measures = 0
    for module in ("00:04:74:00:00:01#0", "00:04:74:00:00:01#5", "00:04:74:00:00:02#0"):
        for command, column in COMMANDS.items():
            assert running.history(module, command) == expected(running, module, column, begin), (module, command)
            measures += len(running.history(module, command))
    points = sum(len(each["event"]["points"]) for each in running.jeedom.applied("history"))
    print(
        f"{SPAN} days: {measures} measures of 8 counters on 3 lines, {points} points sent (totals included), "
        f"{trouble.restarts} restarts, {trouble.outages} outages, {trouble.faults} faults, "
        f"{len(running.cloud.calls)} data calls, {running.cloud.authority.rotations} renewals, busiest "
        f"{running.cloud.busiest}, used after voiding {running.cloud.authority.used_after_voiding}"
    )
    assert running.jeedom.complaints == []
    assert running.cloud.authority.used_after_voiding == 0
    assert running.cloud.refused == 0


def test_the_budget_is_kept_with_two_homes_four_ecometers_and_twenty_lines(world: MakeWorld) -> None:
    def ecometer(number: int) -> Ecometer:
        return Ecometer(f"00:04:74:00:00:{number:02x}", lines={n: f"L{number}.{n}" for n in range(5)})

    homes = [Home("h1", ecometers=[ecometer(1), ecometer(2)]), Home("h2", ecometers=[ecometer(3), ecometer(4)])]
    running = world(homes)
    connection = running.connect()
    running.launch()
    running.jeedom.wait(lambda: len(running.jeedom.database.children(connection)) == 20, 15)
    running.settle()
    running.step(2, 5)
    calls = len(running.cloud.calls)
    running.step(600, 144 if FULL else 7)
    day = len(running.cloud.calls) - calls
    burst, hour = running.cloud.busiest[10], running.cloud.busiest[3600]
    print(f"20 lines: at most {burst} requests in 10 s (50 allowed) and {hour} in an hour (500), {day} in the run")
    assert burst <= 30
    assert hour <= 200
    assert running.cloud.refused == 0


def test_a_first_import_is_one_request_to_jeedom_and_one_event_a_counter(world: MakeWorld) -> None:
    home = Home("h1", ecometers=[Ecometer("00:04:74:00:00:01", lines={0: "A"})])
    running = world([home])
    connection = running.connect()
    running.launch()
    line = running.ready(connection)[0]
    events = [each for each in running.jeedom.applied("history") if each["event"]["equipment"] == line]
    points: dict[str, int] = {}
    for each in events:
        points[each["event"]["command"]] = points.get(each["event"]["command"], 0) + len(each["event"]["points"])
    assert set(points) == {"sum_energy_elec", "sum_energy_price", "total_energy", "total_price"}
    requests = {(each["boot"], each["sequence"]) for each in events}
    print(f"first import: {sum(points.values())} points of {len(points)} counters in {len(requests)} requests")
    assert min(points.values()) > 320
    # As much as a request holds: each costs Jeedom some 15 queries, each event some 15 more, points next to nothing.
    assert len(requests) <= 1 + sum(points.values()) // 450
    assert len(events) <= len(points) + len(requests)
