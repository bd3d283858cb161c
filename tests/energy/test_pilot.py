"""The pilot with a simulated house: what it sends to a charger, what it leaves alone, what it tells and keeps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from jeenergied.energy.control.journal import MAX_ENTRIES, Journal
from jeenergied.energy.control.pilot import Given, Pilot
from jeenergied.energy.control.settings import HouseLimits, LoadConfig, PointSettings
from jeenergied.energy.control.tariffs import Ahead
from jeenergied.energy.control.wishes import MOST_PER_HOUR, Wish
from jeenergied.energy.ledger.intervals import Prices
from jeenergied.energy.ports import Reading, Source
from jeenergied.energy.surplus import SurplusHistory
from jeenergied.energy.topology import Role, Topology

from jeedom_bridge.templates import fill
from simulators.house import Battery, Car, House, Series

from .house import PARIS, RULES, TwoPrices

START = 1_780_000_000.0  # 28 May 2026, 22:26 in Paris
NOON = START - 10 * 3600 - 1600
CAR, GRID = "30", "10"
NO_LIMITS = HouseLimits()


@dataclass
class Sent:
    """An action that ends at once, or never, or with a failure."""

    over: bool = True
    done: bool = True
    failure: str = ""
    retry_s: float | None = None


@dataclass
class Memory:
    values: dict[str, Any] = field(default_factory=dict)

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(json.dumps(self.values[key])) if key in self.values else default

    def keep(self, key: str, value: Any) -> bool:
        self.values[key] = json.loads(json.dumps(value))
        return True


@cache
def roles_of(sources: tuple[Source, ...]) -> list[Role]:
    """As the house finds them: when its sources change, not at each look."""
    return Topology(RULES).roles(sources)


class Rig:
    """A house, a pilot, and everything that went out. The charger forgets its limit when a car is plugged in."""

    settings = PointSettings("p", CAR, "Borne")

    def __init__(
        self,
        solar: list[list[float]],
        base: list[list[float]] | None = None,
        plugged: list[list[Any]] | None = None,
        battery: Battery | None = None,
        subscribed: float | None = None,
        loads: Iterable[LoadConfig] = (),
        limits: HouseLimits = NO_LIMITS,
    ) -> None:
        self.plugged = Series(plugged or [[0, True]])
        self.car = Car(self.plugged, 32, 1)
        self.car.set(0, 32, 1)
        self.load_configs = list(loads)
        self.house = House(
            Series(solar),
            [Series(base or [[0, 500]])],
            battery=battery,
            cars={CAR: self.car},
            loads={each.id: each.power for each in self.load_configs},
        )
        self.subscribed, self.limits = subscribed, limits
        self.levels: dict[str, tuple[float, float]] = {}
        self.memory = Memory()
        self.sent: list[tuple[float, str, str, float | None]] = []
        self.hurried: list[tuple[float, str, float]] = []
        self.messages: list[str] = []
        self.facts: dict[str, dict[str, Any]] = {}
        self.second = 0
        self.reachable = self.meter = self.met = True
        self.obeys, self.over = True, True
        self.late = 0
        """Seconds by which the charger's cloud is late with what it tells."""
        self.meter_late = self.undated = 0
        """Seconds by which the meter is late, and how many of them its date does not say."""
        self.metered: list[tuple[float, float, float]] = []
        """W of the grid, VA, W of the sun, by the second."""
        self.history: list[tuple[int, float, bool, float]] = []
        """By the second: limit, power, whether a car is plugged in, energy of its session."""
        self.looked = 0
        self.limit: int | None = None
        self.overtaken = False
        """Whether a charger's news come after the readings were taken."""
        self.session = 0.0
        self.was_plugged = bool(self.plugged.at(0))
        self.seen: list[Reading] = []
        self.pilot = self.new()

    def new(self) -> Pilot:
        pilot = Pilot(self.memory, self, self, Ahead(TwoPrices()), PARIS, self._published)
        pilot.adopt([self.settings], self.load_configs, self.limits)
        return pilot

    def restart(self, seconds: int = 0) -> None:
        """The daemon is away for some seconds, without an orderly end."""
        for _ in range(seconds):
            self._physics()
        self.pilot = self.new()

    # The pilot's ways out.

    def begin(self, equipment: str, capability: str, value: float | None = None) -> Sent:
        self.sent.append((self.second, equipment, capability, value))
        if capability == "charger.current" and self.obeys:
            self.car.set(self.second, int(value or 0), 1)
        elif capability in ("load.on", "load.off"):
            self.house.on[next(each.id for each in self.load_configs if each.relay == equipment)] = (
                capability == "load.on"
            )
        return Sent(self.over, self.obeys, "" if self.obeys else "non")

    def want(self, load: str, state: str) -> None:
        self.sent.append((self.second, load, state, None))
        self.house.on[load] = state == "onCommand"

    def hurry(self, equipment: str, period_s: float) -> None:
        self.hurried.append((self.second, equipment, period_s))

    def translate(self, template: str, **values: object) -> str:
        return fill(template, values)

    def message(self, level: str, template: str, **values: object) -> None:
        self.messages.append(fill(template, values))

    def values(self, facts: Mapping[str, Any], at: float) -> None: ...

    def dated(self, series: Any) -> Any: ...

    def _published(self, equipment: str, facts: Mapping[str, Any], at: float) -> None:
        self.facts[equipment] = dict(facts)

    # Time.

    def run(self, seconds: int, step: int = 5) -> None:
        for _ in range(seconds):
            if self.second % step == 0:
                self.look()
            self._physics()

    def _plug(self) -> None:
        plugged = bool(self.plugged.at(self.second))
        if plugged and not self.was_plugged:
            self.car.set(self.second, 32, 1)
            self.session = 0.0
        self.was_plugged = plugged

    def _physics(self) -> None:
        self._plug()
        if self.meter_late:
            self.house.look(self.second)
            self.metered.append((self.house.grid, self.house.apparent[0], self.house.solar))
        self.house.step(self.second)
        self.history.append(self._charger())
        self.session += self.car.power(self.second, 230) / 3600
        self.second += 1

    def _charger(self) -> tuple[int, float, bool, float]:
        """Limit, power, whether a car is plugged in, energy of its session."""
        return self.car.limit, self.car.power(self.second, 230), bool(self.plugged.at(self.second)), self.session

    def _taken_before(self, limit: int) -> int:
        """The limit of the readings, which are taken before the last news of it where these overtake them."""
        before, self.limit = self.limit, limit
        return limit if before is None or not self.overtaken else before

    def _told(self) -> list[tuple[int, float, bool, float]]:
        """What the charger has told since the last look, the newest last."""
        end = max(0, self.second - self.late) + 1
        begin, self.looked = min(self.looked, end - 1), end
        return self.history[begin:end] if self.late and self.history else [self._charger()]

    def look(self) -> None:
        self._plug()
        self.house.look(self.second)
        heard = self._told()
        limit, power, plugged, session = heard[-1]
        now, was = self.now_of(self.second), {each.source.key: each for each in self.seen}
        grid, apparent, solar = self.house.grid, self.house.apparent[0], self.house.solar
        if self.meter_late and self.metered:
            grid, apparent, solar = self.metered[max(0, len(self.metered) - self.meter_late)]
        told = {
            Source(GRID, "net", "grid.power"): grid,
            Source(GRID, "va", "grid.apparentPower"): apparent,
            Source(GRID, "sun", "solar.power"): solar,
            Source(CAR, "power", "charger.power"): power,
            Source(CAR, "limit", "charger.current"): float(self._taken_before(limit)),
            Source(CAR, "plugged", "charger.plugged"): plugged,
            Source(CAR, "session", "charger.sessionEnergy"): session,
        }
        if self.house.battery is not None:
            told[Source(GRID, "battery", "battery.power")] = self.house.battery_power
        told.update(self._more())
        self.seen = [
            was.get(source.key, Reading(source, value, now))
            if source.equipment == GRID and not self.meter
            else Reading(
                source,
                value,
                now - (max(0, self.meter_late - self.undated) if source.equipment == GRID else 0),
                source.equipment == CAR and not self.reachable,
            )
            for source, value in told.items()
            if self.met or source.equipment != GRID
        ]
        roles = roles_of(tuple(told))
        newest = self.looked - 1 if self.late and self.history else self.second
        passed = {CAR: [(each[0], NOON + newest - back) for back, each in zip(range(len(heard))[::-1], heard)]}
        given = Given(roles, self.subscribed, lambda charger, at: None, levels=self.levels, passed=passed)
        self.pilot.step(self.seen, given, now, float(self.second))

    def _more(self) -> dict[Source, Any]:
        """What else is read."""
        return {}

    def now_of(self, second: int) -> float:
        """Unix time."""
        return NOON + second

    def choose(self, mode: str, name: str = "p") -> None:
        assert self.pilot.choose(name, mode, NOON + self.second, float(self.second))
        self.look()

    def amps(self) -> list[tuple[float, float | None]]:
        return [(at, value) for at, _, capability, value in self.sent if capability == "charger.current"]


def close(found: list[tuple[float, float | None]], expected: list[tuple[int, int]]) -> bool:
    return len(found) == len(expected) and all(
        abs(mine[0] - theirs[0]) <= 5 and mine[1] == theirs[1] for mine, theirs in zip(found, expected)
    )


def test_a_charger_that_was_found_is_left_alone_until_a_mode_is_chosen() -> None:
    rig = Rig([[0, 5000]])
    rig.run(3600)
    assert rig.sent == []
    assert rig.facts["p"]["point.state"] == "free"
    assert rig.facts["p"]["point.current"] is None


def test_it_follows_the_sun_from_the_moment_a_mode_is_chosen() -> None:
    rig = Rig([[0, 2000], [600, 3500], [1500, 500]])
    rig.run(10)
    rig.choose("solar")
    rig.run(2000)
    # It was charging at 32 A on its own: that is lowered, and then followed.
    amounts = [value for _, value in rig.amps()]
    assert amounts[0] == 6
    assert 12 in amounts
    assert amounts[-1] == 0
    assert not [each for each in amounts if each is None or 0 < each < 6]
    assert rig.pilot.journal.entries()[0]["decision"] == "solar"
    assert all(entry["why"] and entry["at"] for entry in rig.pilot.journal.entries())


def test_a_car_that_is_plugged_in_without_sun_is_stopped_at_once() -> None:
    rig = Rig([[0, 0]], plugged=[[0, False], [100, True]])
    rig.choose("solar")
    rig.run(100)
    assert rig.sent == []
    rig.run(60, step=1)
    assert close(rig.amps(), [(100, 0)])
    assert "manque" in rig.facts["p"]["point.reason"]


@pytest.mark.parametrize(("mode", "expected"), [("solar", 10), ("now", 32)])
def test_a_restart_neither_starts_nor_stops(mode: str, expected: int) -> None:
    rig = Rig([[0, 3000]])
    rig.choose(mode)
    rig.run(600)
    before = list(rig.sent)
    assert rig.car.limit == expected
    rig.restart(20)
    rig.run(600)
    assert rig.sent == before
    assert rig.facts["p"]["point.mode"] == mode


def test_what_was_set_elsewhere_while_the_daemon_was_away_is_a_take_over() -> None:
    rig = Rig([[0, 3000]])
    rig.choose("solar")
    rig.run(600)
    before = len(rig.sent)
    rig.car.set(rig.second, 16, 1)
    rig.restart(60)
    rig.run(1800)
    assert len(rig.sent) == before
    assert rig.facts["p"]["point.state"] == "takenOver"


def test_a_silent_meter_ends_solar_charging_and_is_told_once() -> None:
    rig = Rig([[0, 3000]])
    rig.choose("solar")
    rig.run(300)
    rig.meter = False
    rig.run(1200)
    assert rig.car.limit == 0
    assert rig.facts["p"]["point.reason"] == "Aucune mesure du réseau depuis 20 min : la limite reste à 0 A"
    rig.meter = True
    rig.run(600)
    assert rig.car.limit == 10
    assert len(rig.messages) == 2, rig.messages


def test_a_restart_ends_no_charge_before_the_meter_has_been_read() -> None:
    rig = Rig([[0, 3000]])
    rig.choose("solar")
    rig.run(300)
    assert rig.car.limit == 10
    rig.met = False
    rig.restart()
    rig.run(55)
    assert rig.car.limit == 10
    rig.met = True
    rig.run(300)
    assert rig.car.limit == 10


def test_a_charger_that_does_not_obey_is_asked_less_and_less_and_told_once() -> None:
    rig = Rig([[0, 3000]])
    rig.obeys = False
    rig.choose("off")
    rig.run(3600)
    assert 3 <= len(rig.sent) <= 20
    assert len(rig.messages) == 1
    assert rig.facts["p"]["point.state"] != "takenOver"
    rig.obeys = True
    rig.run(600)
    assert rig.car.limit == 0
    assert len(rig.messages) == 2


def test_the_subscribed_power_throttles_an_immediate_charge() -> None:
    rig = Rig([[0, 0]], [[0, 4000], [300, 6500], [900, 4000]], subscribed=9000)
    rig.choose("now")
    rig.run(1200)
    assert close(rig.amps(), [(0, 19), (300, 8), (960, 19)])


def test_the_choice_of_an_immediate_charge_does_not_wait_for_what_a_limit_or_the_sun_has_taken() -> None:
    for before in ("solar", "off", "solarMin"):
        rig = Rig([[0, 0]], [[0, 4000]], subscribed=9000)
        rig.choose(before)
        rig.run(600)
        assert rig.car.limit <= 6
        rig.choose("now")
        assert rig.car.limit == 19  # at once, and no more than the subscribed power leaves
        rig.run(60)
        assert rig.car.limit == 19


def test_the_sun_is_followed_as_soon_with_a_subscribed_power_as_without_while_that_is_far() -> None:
    found = []
    for subscribed in (None, 9000.0):
        rig = Rig([[0, 2000], [300, 3500], [600, 500], [1200, 3000]], subscribed=subscribed)
        rig.run(10)
        rig.choose("solar")
        rig.run(1800)
        found.append(rig.amps())
    assert found[0] == found[1]
    assert len(found[0]) > 4


def test_a_battery_is_never_emptied_into_a_car() -> None:
    rig = Rig([[0, 300]], battery=Battery(10000, 95, 3300, 3300))
    rig.choose("solar")
    rig.run(1800)
    assert rig.car.limit == 0


def test_leaving_control_gives_the_charger_back() -> None:
    rig = Rig([[0, 0]])
    rig.choose("off")
    rig.run(60)
    assert rig.car.limit == 0
    rig.choose("free")
    assert rig.car.limit == 32


def test_a_goal_is_charged_at_night_and_only_once() -> None:
    rig = Rig([[0, 0]], [[0, 300]])
    rig.choose("off")
    rig.run(600)
    rig.choose("solar")
    assert rig.pilot.goal("p", kwh=10, hour="7h30")
    rig.run(20 * 3600)
    begun = [NOON + at for at, value in rig.amps() if value]
    assert [TwoPrices().at(at).period for at in begun] == ["hc"]
    assert 9.9 <= rig.car.energy / 1000 <= 12.5
    assert rig.car.limit == 0


def test_a_load_runs_from_the_surplus_and_its_power_is_learnt() -> None:
    boiler = LoadConfig("b", "40", "Ballon", power=2000)
    rig = Rig([[0, 0], [600, 3000], [3000, 0]], plugged=[[0, False]], loads=[boiler])
    rig.house.loads["b"] = 2400.0
    rig.choose("auto", "b")
    rig.run(5400)
    switched = [(at, capability) for at, _, capability, _ in rig.sent]
    assert [each for _, each in switched] == ["load.on", "load.off"]
    assert 655 <= switched[0][0] <= 680
    assert rig.pilot.loads["b"].state.power == pytest.approx(2400, abs=100)
    assert 2000 < rig.pilot.loads["b"].state.ran_s < 3000


def test_a_relay_that_says_nothing_and_has_not_obeyed_is_asked_again() -> None:
    rig = Rig([[0, 0]], plugged=[[0, False]], loads=[LoadConfig("b", "40", "Ballon", power=2400)])
    rig.obeys = False
    rig.choose("on", "b")
    rig.run(120)
    assert [capability for _, _, capability, _ in rig.sent].count("load.on") > 2
    assert rig.facts["b"]["load.state"] == "unreachable"


def test_a_load_gives_way_to_the_subscribed_power() -> None:
    boiler = LoadConfig("b", "", "Ballon", power=2400)
    rig = Rig([[0, 0]], [[0, 3000], [900, 5000]], plugged=[[0, False]], loads=[boiler], subscribed=6000)
    rig.choose("on", "b")
    rig.run(1200)
    assert [(capability) for _, _, capability, _ in rig.sent] == ["onCommand", "offCommand"]
    assert rig.facts["b"]["load.state"] == "shed"


def test_set_points_have_a_budget() -> None:
    wish, sent = Wish("c"), []

    class Acts:
        def begin(self, equipment: str, capability: str, value: float | None = None) -> Sent:
            sent.append(value)
            return Sent()

        def want(self, load: str, state: str) -> None: ...

        def hurry(self, equipment: str, period_s: float) -> None: ...

    wish.adopt(6)
    told = 6
    for second in range(3600):
        wanted = 6 + (second // 20) % 8
        if wish.follow(float(second), wanted, told, Acts()):
            told = wanted
    assert len(sent) <= MOST_PER_HOUR + 3600 // 160


def test_the_journal_is_bounded_and_outlives_a_restart() -> None:
    memory = Memory()
    journal = Journal(memory)
    for number in range(MAX_ENTRIES + 50):
        journal.add(float(number), "p", "6 A", "pourquoi", {"grid": number})
        before = dict(memory.values)
        journal.keep()
        if memory.get("journal") != before.get("journal"):
            killed = Memory({**before, "journal": memory.get("journal")})  # between the two writes
            assert Journal(killed).entries() == Journal(memory).entries() == journal.entries(), number
    assert MAX_ENTRIES == 500, "what the pages say"
    assert len(memory.get("journal")) == MAX_ENTRIES
    again = Journal(memory)
    assert len(again.entries()) == MAX_ENTRIES
    assert again.entries(limit=1)[0]["inputs"] == {"grid": MAX_ENTRIES + 49}
    assert [each["at"] for each in again.entries(since=MAX_ENTRIES + 47)] == [MAX_ENTRIES + 48, MAX_ENTRIES + 49]


def test_prices_are_those_of_the_test() -> None:
    assert isinstance(TwoPrices().at(NOON), Prices)


@pytest.mark.parametrize("pace", [0.7, 1.3, 5.0, 7.0])
def test_a_raise_is_found_at_any_pace_of_samples(pace: float) -> None:
    history, now = SurplusHistory(), 1000.0
    for _ in range(60):
        history.add(now, 2450.0)
        now += pace
    assert history.least() == 2450.0
