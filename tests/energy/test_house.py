"""The house as a connection, with a simulated day at its ports: figures of now, of the day, dated days, remarks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jeenergied.energy.device import House
from jeenergied.energy.ledger.cells import COLUMNS
from jeenergied.energy.ledger.row import Interval
from jeenergied.energy.ledger.store import Book, Change
from jeenergied.energy.money.contract import Wishes
from jeenergied.energy.money.offers import PriceGrid
from jeenergied.energy.ports import Measure, Reading, Source, Value

from jeedom_bridge.templates import fill
from simulators.house.days import Days, whole_days

from .house import BATTERY, CAR, CONTRACT, GRID, PARIS, PEAK, RULES, SOLAR, SUN, values

START = datetime(2026, 6, 16, tzinfo=PARIS)
CATALOGUE = json.loads((CONTRACT / "catalogue" / "house.json").read_text("utf-8"))
LEVEL = Source("1", "batperc", "battery.level")
CAPACITY = Source("1", "batmax", "battery.capacity")


@dataclass
class Delivery:
    delivered: bool
    ended: bool = True


@dataclass
class World:
    """Readings on one side, Jeedom on the other."""

    told: dict[Source, float] = field(default_factory=dict)
    at: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    series: list[dict[str, list[tuple[str, Value]]]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    late: list[Measure] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)
    jeedom_works: bool = True
    doubtful: bool = False

    def newest(self) -> Iterable[Reading]:
        return [Reading(source, value, self.at, self.doubtful) for source, value in self.told.items()]

    def measures(self) -> Iterable[Measure]:
        late, self.late = self.late, []
        return late

    def values(self, facts: Mapping[str, Value | None], at: float) -> None:
        self.facts.update(facts)

    def dated(self, series: Mapping[str, list[tuple[str, Value]]]) -> Delivery:
        if self.jeedom_works:
            self.series.append(dict(series))
        return Delivery(self.jeedom_works)

    def translate(self, template: str, **values: object) -> str:
        return fill(template, values)

    def message(self, level: str, template: str, **values: object) -> None:
        self.messages.append(template.format(**values))

    def get(self, key: str, default: Any = None) -> Any:
        return self.memory.get(key, default)

    def keep(self, key: str, value: Any) -> None:
        self.memory[key] = json.loads(json.dumps(value))


def house_at(world: World, folder: Path) -> House:
    grid = PriceGrid(json.loads((CONTRACT / "tariffs.json").read_text("utf-8")))
    house = House(world, world, world, Book(folder / "house.sqlite"), RULES, grid, PARIS)
    house.wish(Wishes(kva=9, resale=0.04, subscription=365))
    return house


def play(world: World, house: House, days: Days, minutes: int) -> None:
    for shown in days.minutes(minutes):
        world.told = {**values(shown), LEVEL: shown.level, CAPACITY: 9000}
        world.at = shown.at
        house.look(shown.at, shown.at)


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Days]:
    world, days = World(), Days(START)
    house = house_at(world, tmp_path_factory.mktemp("house"))
    play(world, house, days, whole_days(START, 2) + 15 * 60)
    return world, days


def test_the_figures_of_now_are_the_meters(two_days: tuple[World, Days]) -> None:
    world, _ = two_days
    facts = world.facts
    assert facts["now.grid"] == world.told[GRID]
    assert facts["now.house"] == pytest.approx(facts["now.grid"] + facts["now.solar"] + facts["now.battery"])
    assert facts["now.base"] == pytest.approx(facts["now.house"] - facts["now.chargers"])
    assert facts["now.batteryLevel"] == pytest.approx(world.told[LEVEL], abs=0.1)
    assert (facts["price.now"], facts["price.period"], facts["price.until"]) == (0.2065, "hp", "22:00")
    assert facts["remark"] == "Tout va bien"


def test_days_that_are_over_are_dated_and_true(two_days: tuple[World, Days]) -> None:
    world, days = two_days
    told: dict[str, dict[str, Any]] = {}
    for series in world.series:
        for fact, points in series.items():
            told.setdefault(fact, {}).update(dict(points))
    first = "2026-06-16T00:00:00+02:00"
    assert sorted(told["day.house"]) == [first, "2026-06-17T00:00:00+02:00"]
    for fact, name in (("import", "imported"), ("solar", "solar"), ("house", "house"), ("charged", "charged")):
        assert told[f"day.{fact}"][first] * 1000 == pytest.approx(getattr(days.by_day["2026-06-16"], name), rel=0.01)
    assert told["day.cost"][first] > 1.0
    net = told["day.cost"][first] - told["day.revenue"][first]
    assert told["day.savings"][first] == pytest.approx(1.0 + 0.2065 * told["day.house"][first] - net, abs=1.0)
    assert told["month.house"]["2026-06-01T00:00:00+02:00"] == pytest.approx(sum(told["day.house"].values()), rel=0.5)
    assert told["day.known"][first] == pytest.approx(100, abs=1)


def test_every_fact_has_its_row_and_every_row_its_fact(two_days: tuple[World, Days]) -> None:
    world, _ = two_days
    rows = {row["source"] for row in CATALOGUE["equipment"]["home"]["commands"]}
    past = {f"past.{fact}" for series in world.series for fact in series}
    hidden = {f"{period}.{name}" for period in ("day", "month", "year") for name in ("charged", "discharged")}
    assert (set(world.facts) | past) - rows - hidden == set()
    assert rows - set(world.facts) - past == set()


def test_what_jeedom_did_not_take_is_sent_again_also_after_a_restart(tmp_path: Path) -> None:
    world, days = World(jeedom_works=False), Days(START)
    house = house_at(world, tmp_path)
    play(world, house, days, whole_days(START, 1) + 30)
    house.stop(world.at)
    assert world.memory["untold"][0] == "2026-06-16"
    again = house_at(world, tmp_path)
    world.jeedom_works = True
    play(world, again, days, 30)
    assert [point[0][:10] for series in world.series for point in series["day.house"]] == ["2026-06-16"]
    assert world.memory["untold"] == ["2026-06-17"]


def test_what_is_old_or_doubtful_is_not_known(tmp_path: Path) -> None:
    world, days = World(), Days(START)
    house = house_at(world, tmp_path)
    play(world, house, days, 30)
    house.look(world.at + 1000, world.at + 1000)
    assert (world.facts["now.house"], world.facts["now.grid"], world.facts["now.surplus"]) == (None, None, None)
    play(world, house, days, 5)
    assert world.facts["now.house"] is not None
    world.doubtful = True
    house.look(world.at + 1, world.at + 1)
    assert world.facts["now.house"] is None


def test_meters_that_contradict_each_other_are_named_and_no_base_is_claimed(tmp_path: Path) -> None:
    world = World()
    house = house_at(world, tmp_path)
    for second in range(120):
        world.told, world.at = {GRID: -3000.0, SUN: 1000.0}, START.timestamp() + second
        house.look(world.at, float(second))
    assert (world.facts["now.base"], world.facts["now.house"], world.facts["now.autonomy"]) == (None, None, None)
    assert "se contredisent : la consommation serait de -2000 W" in world.facts["remark"]


def test_a_counter_that_jumps_is_reported_once_and_the_user_decides(tmp_path: Path) -> None:
    world, days = World(), Days(START)
    house = house_at(world, tmp_path)
    jump = 0.0
    for minute, shown in enumerate(days.minutes(180)):
        jump = 5_000_000.0 if minute >= 60 else 0.0
        world.told = {**values(shown), PEAK: shown.import_peak + jump}
        world.at = shown.at
        house.look(shown.at, shown.at)
        if minute == 120:
            assert len(world.messages) == 1
            assert "saut impossible" in world.facts["remark"]
            key = next(each["source"] for each in house.found(shown.at) if each["quarantined"])
            assert house.decide(f"{key['equipment']}:{key['command']}", "accepted", shown.at)
            assert not house.decide("nobody:nothing", "added", shown.at)
    assert len(world.messages) == 1
    assert house.ledger.quarantined == {}
    assert sum((row.energy["i"] or 0) for row in house.ledger.book.intervals(0, 1e12)) < 20_000


def test_a_second_has_one_sending_and_few_values(tmp_path: Path) -> None:
    world, sendings = World(), []
    house = house_at(world, tmp_path)
    send = world.values

    def counted(facts: Mapping[str, Value | None], at: float) -> None:
        sendings.append(sum(1 for name, value in facts.items() if value is not None and world.facts.get(name) != value))
        send(facts, at)

    world.values = counted  # type: ignore[method-assign]
    for second in range(120):
        world.told = {GRID: 500.0 + second % 7, SUN: 3000.0 + second, CAR: 100.0 + second % 3, BATTERY: -100.0 - second}
        world.at = START.timestamp() + 7 + second
        house.look(world.at, float(second))
    assert len(sendings) == 120
    assert sum(sendings[20:]) / 100 < 6


def test_the_margin_and_the_meters_clock_of_an_excess(tmp_path: Path) -> None:
    """At 9 kVA, from 8 to 14 kVA: the meter cuts off after 100 s."""
    world, apparent = World(), Source("2", "PAP", "grid.apparentPower")
    house = house_at(world, tmp_path)
    seen = []
    for second in range(110):
        world.told, world.at = {apparent: 8000.0 if second < 3 else 14000.0}, START.timestamp() + second
        house.look(world.at, float(second))
        seen.append((world.facts["now.headroom"], world.facts["now.cutoff"]))
    assert seen[0] == (1000, None)
    assert seen[5][0] == -5000
    assert seen[5][1] == pytest.approx(98, abs=3)
    assert seen[-1][1] == 0


def test_what_is_gone_takes_no_part_after_a_while(tmp_path: Path) -> None:
    world, days = World(), Days(START)
    house = house_at(world, tmp_path)
    play(world, house, days, 30)
    assert world.facts["now.chargers"] is not None
    for minute, shown in enumerate(days.minutes(30)):
        world.told = {source: value for source, value in values(shown).items() if source.equipment != "3"}
        world.at = shown.at
        house.look(shown.at, shown.at)
        if minute == 5:
            assert world.facts["now.base"] is None  # the charger is silent: the rest of the house is not known
    assert world.facts["now.chargers"] is None
    assert world.facts["now.base"] == pytest.approx(world.facts["now.house"])


def test_the_suppliers_days_and_colours_come_later(tmp_path: Path) -> None:
    world = World()
    house = house_at(world, tmp_path)
    supplier = Source("9", "conso_jour", "supply.energy", "day")
    colour = Source("9", "tempo_code", "tariff.colour", "day")
    begin = START.timestamp()
    world.told, world.at = {supplier: 12_000.0, colour: 2.0}, begin
    house.look(begin, 0.0)
    world.late = [Measure(supplier, begin - 86400, begin, 12_000.0), Measure(colour, begin - 86400, begin, 3.0)]
    house.look(begin + 86400, 86400.0)
    assert house.contract.colours == {"2026-06-15": "red"}
    assert [point for series in world.series for point in series["day.import"]] == [("2026-06-15T00:00:00+02:00", 12.0)]


def test_the_roles_are_told_with_age_and_reason(two_days: tuple[World, Days], tmp_path: Path) -> None:
    world = World()
    house = house_at(world, tmp_path)
    play(world, house, Days(START), 3)
    found = {(each["quantity"], each["source"]["equipment"]): each for each in house.found(world.at + 7)}
    assert found["grid.power", "1"]["age"] == 7
    assert found["grid.import", "2"]["confidence"] == "sure"
    assert found["solar.energy", "1"]["value"] == world.told[SOLAR]


def test_the_running_session_of_a_car_has_its_cost(tmp_path: Path) -> None:
    world, days = World(), Days(datetime(2026, 6, 16, 0, 30, tzinfo=PARIS))
    session = Source("3", "sessionEnergy", "charger.sessionEnergy")
    house = house_at(world, tmp_path)
    before = 0
    for shown in days.minutes(240):
        before = before or shown.car_counter
        world.told = {**values(shown), session: float(shown.car_counter - before)}
        world.at = shown.at
        house.look(shown.at, shown.at)
    cost = house.charge_cost("3", world.at)
    true = sum(flow.car for flow in days.truth.values())
    assert cost is not None
    assert cost.energy * 1000 == pytest.approx(true, rel=0.02)
    assert cost.paid == pytest.approx(cost.grid * 0.1579, rel=0.01)
    assert house.charge_cost("nobody", world.at) is None


def test_a_year_has_its_bills(tmp_path: Path) -> None:
    world, days = World(), Days(START)
    house = house_at(world, tmp_path)
    play(world, house, days, 300)
    bills = {bill.kind: bill for bill in house.bills(world.at)}
    assert bills["hphc"].whole
    assert not bills["tempo"].whole
    today = int(world.at // 300 * 300)
    energies = {**dict.fromkeys(COLUMNS, 0.0), "i": 1000.0}
    old = [Interval(today - days * 86400, energies, dict.fromkeys(COLUMNS, 300.0)) for days in (364, 366)]
    house.ledger.book.write(Change(old))
    grown = {bill.kind: bill.energy - bills[bill.kind].energy for bill in house.bills(world.at)}
    assert grown == {kind: pytest.approx(1.0) for kind in bills}, "twelve months, no more and no less"
