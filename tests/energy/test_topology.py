"""Roles are found from what sources measure; what is measured twice is proposed, never added; unknown is not 0."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jeenergied.energy.likeness import Series, likeness
from jeenergied.energy.live import Contradiction, Live, Moment, Pace, live
from jeenergied.energy.ports import Reading, Source
from jeenergied.energy.topology import (
    ADDED,
    BY_USER,
    BY_USER_TOO,
    CHECK,
    CONFIRMED,
    DROPPED,
    DUPLICATE,
    IGNORED,
    KEPT,
    SECOND_METER,
    SURE,
    WAITS,
    Role,
    Rules,
    Topology,
)

CONTRACT = Path(__file__).resolve().parents[2] / "core" / "contract"
RULES = Rules.parse(json.loads((CONTRACT / "roles.json").read_text("utf-8")))
NOW = 1_780_000_000.0


def source(equipment: str, quantity: str, per: str = "now", part: str = "") -> Source:
    return Source(equipment, f"{quantity}/{per}/{part}", quantity, per, part, f"Name {equipment}")


def used(roles: Iterable[Role], role: str) -> list[str]:
    return [each.source.equipment for each in roles if each.role == role and each.used]


def at_once(values: dict[Source, float], age: float = 0.0, roles: Iterable[Role] | None = None) -> Live:
    found = list(roles) if roles is not None else Topology(RULES).roles(values)
    readings = {each.key: Reading(each, value, NOW - age) for each, value in values.items()}
    return live(found, Moment(readings, {}, NOW))


GRID, SUN, BATTERY = source("1", "grid.power"), source("1", "solar.power"), source("1", "battery.power")
CAR, BOILER = source("2", "charger.power"), source("3", "load.power")


class TestRoles:
    def test_the_meter_of_a_plant_that_sells_all_is_the_sun_and_not_the_grid(self) -> None:
        """Two Teleinfo meters and nothing else: what the house uses is what its own meter draws."""
        drawn, produced = source("11", "grid.apparentPower"), source("4", "solar.apparentPower")
        standby = [
            source("4", "grid.apparentPower"),
            source("4", "grid.subscribedCurrent"),
            source("4", "meter.energy", "counter", "hp"),
        ]
        others = [source("11", "grid.subscribedCurrent"), source("11", "meter.energy", "counter", "hp")]
        sold = [source("4", "grid.export", "counter"), source("4", "solar.energy", "counter")]
        topology = Topology(RULES)
        roles = topology.roles([*standby, *others, *sold, drawn, produced])
        for role in ("grid.power", "grid.apparentPower", "grid.subscribedCurrent", "grid.import"):
            assert {each.source.equipment for each in roles if each.role == role} == {"11"}, role
        assert used(roles, "grid.export") == used(roles, "solar.energy") == used(roles, "solar.power") == ["4"]
        now = at_once({drawn: 900.0, produced: 2300.0, standby[0]: 3.0}, roles=roles)
        assert (now.grid, now.solar, now.house) == (-1400.0, 2300.0, 900.0)
        night = at_once({drawn: 900.0, produced: 0.0}, roles=roles)
        assert (night.grid, night.house) == (900.0, 900.0)
        assert at_once({drawn: 900.0}, roles=roles).grid is None  # what the plant gives is not known
        topology.decisions = {produced.key: IGNORED}
        alone = at_once({drawn: 900.0, produced: 2300.0}, roles=topology.roles([drawn, produced]))
        assert (alone.grid, alone.house) == (900.0, 900.0)

    def test_beside_a_gateway_the_meter_of_the_plant_is_not_subtracted(self) -> None:
        roles = Topology(RULES).roles(
            [GRID, SUN, source("5", "grid.apparentPower"), source("6", "solar.apparentPower")]
        )
        assert used(roles, "grid.power") == ["1"]
        assert used(roles, "solar.power") == ["1"]

    def test_a_signed_meter_is_preferred_to_one_that_sees_only_what_is_drawn(self) -> None:
        linky = source("5", "grid.apparentPower")
        roles = Topology(RULES).roles([linky, GRID])
        assert used(roles, "grid.power") == ["1"]
        assert [each.why for each in roles if each.source == linky and each.role == "grid.power"] == [
            "gardé pour comparer"
        ]

    def test_a_meter_that_tells_both_ways_is_their_difference(self) -> None:
        drawn, fed = source("5", "grid.apparentPower"), source("5", "grid.injectedApparentPower")
        assert at_once({drawn: 0.0, fed: 900.0}).grid == -900

    def test_a_meter_of_draws_alone_is_to_be_confirmed(self) -> None:
        roles = Topology(RULES).roles([source("5", "grid.apparentPower")])
        found = next(each for each in roles if each.role == "grid.power")
        assert (found.used, found.confidence) == (True, "check")

    def test_the_meter_of_the_bill_counts_for_energy_and_its_parts_are_added(self) -> None:
        parts = [source("5", "meter.energy", "counter", part) for part in ("hp", "hc")]
        roles = Topology(RULES).roles([source("1", "grid.import", "counter"), *parts])
        assert used(roles, "grid.import") == ["5", "5"]

    def test_the_periods_of_a_tariff_do_not_count_beside_their_sum(self) -> None:
        parts = [source("5", "supply.energy", "day", part) for part in ("hp", "hc")]
        roles = Topology(RULES).roles([source("5", "supply.energy", "day"), *parts])
        assert [each.source.part for each in roles if each.role == "grid.import" and each.used] == [""]

    @pytest.mark.parametrize(("own_way", "counted"), [(True, ["1", "9"]), (False, ["1"])])
    def test_a_second_plant_is_added_once_it_was_seen_to_go_its_own_way(
        self, own_way: bool, counted: list[str]
    ) -> None:
        other, energy = source("9", "solar.power"), source("9", "solar.energy", "counter")
        topology, sources = Topology(RULES), [SUN, source("1", "solar.energy", "counter"), other, energy]
        assert used(topology.roles(sources), "solar.power") == ["1"]
        assert used(topology.roles(sources), "solar.energy") == ["1"]
        for minute in range(120):
            sun = 2000 + 1500 * math.sin(minute / 9)
            told = {SUN: sun, other: 1800 + 900 * math.cos(minute / 13) if own_way else 1.01 * sun}
            readings = [Reading(each, value, NOW + 60 * minute) for each, value in told.items()]
            topology.observe(readings, topology.roles(sources), NOW + 60 * minute)
        roles = topology.roles(sources)
        assert used(roles, "solar.power") == counted
        assert used(roles, "solar.energy") == counted
        again = Topology(RULES)
        again.known_apart = topology.known_apart
        assert used(again.roles(sources), "solar.power") == counted  # also after a restart

    def test_of_two_plants_the_one_that_counts_its_energy_is_the_first(self) -> None:
        clamp, energy = source("0", "solar.power"), source("1", "solar.energy", "counter")
        roles = Topology(RULES).roles([clamp, SUN, energy])
        assert (used(roles, "solar.power"), used(roles, "solar.energy")) == (["1"], ["1"])

    def test_the_user_adds_a_second_battery_at_once(self) -> None:
        topology, other = Topology(RULES), source("9", "battery.power")
        topology.decisions[other.key] = ADDED
        assert used(topology.roles([BATTERY, other]), "battery.power") == ["1", "9"]

    def test_a_second_meter_of_the_grid_is_not_added_until_the_user_says_so(self) -> None:
        topology, other = Topology(RULES), source("9", "grid.power")
        assert used(topology.roles([GRID, other]), "grid.power") == ["1"]
        topology.decisions[other.key] = ADDED
        assert used(topology.roles([GRID, other]), "grid.power") == ["1", "9"]
        topology.decisions[GRID.key] = IGNORED
        assert used(topology.roles([GRID, other]), "grid.power") == ["9"]

    def test_what_the_user_has_confirmed_is_sure_and_leaves_a_better_meter_its_place(self) -> None:
        topology, drawn = Topology(RULES), source("5", "grid.apparentPower")
        topology.decisions[drawn.key] = CONFIRMED
        role = next(each for each in topology.roles([drawn]) if each.role == "grid.power")
        assert (role.used, role.confidence, role.word, role.why) == (True, SURE, CONFIRMED, BY_USER_TOO)
        roles = topology.roles([drawn, GRID])
        assert used(roles, "grid.power") == [GRID.equipment], "confirmed is not added"

    def test_what_the_user_has_decided_is_sure_and_says_so(self) -> None:
        topology, other = Topology(RULES), source("9", "grid.power")
        (_, second) = topology.roles([GRID, other])
        assert (second.confidence, second.word) == (CHECK, "")
        topology.decisions[other.key] = IGNORED
        (_, second) = topology.roles([GRID, other])
        assert (second.used, second.confidence, second.word, second.why) == (False, SURE, IGNORED, DROPPED)

    def test_every_role_is_a_word_of_the_vocabulary(self) -> None:
        known = set(json.loads((CONTRACT / "quantities.json").read_text("utf-8"))["quantities"])
        for order in RULES.orders.values():
            assert {rule.quantity for rule in order} | {rule.less for rule in order if rule.less} <= known

    def test_every_reason_has_its_english_words(self) -> None:
        known = json.loads((CONTRACT.parent / "i18n/en_US.json").read_text("utf-8"))[
            "plugins/jeenergie/resources/daemon"
        ]
        reasons = {rule.why for order in RULES.orders.values() for rule in order if rule.why}
        reasons |= {why for _, _, why in RULES.compare} | {DROPPED, BY_USER, BY_USER_TOO, KEPT, SECOND_METER, WAITS}
        assert reasons - set(known) == set()


class TestDuplicates:
    TOTAL = source("7", "load.power")
    TOTAL_ENERGY = source("7", "load.energy", "counter")

    def watched(self, copy: float, noise: float = 0.0) -> tuple[Topology, list[Source]]:
        """A day on which equipment 7 shows `copy` times the grid."""
        topology, sources = Topology(RULES), [GRID, self.TOTAL, self.TOTAL_ENERGY, BOILER]
        for minute in range(600):
            now = NOW + 60 * minute
            grid = 800 + 700 * math.sin(minute / 40) + 300 * ((minute * 7919) % 13) / 13
            values = {GRID: grid, self.TOTAL: copy * grid + noise * ((minute * 31) % 17), BOILER: 2400 * (minute % 2)}
            readings = [Reading(each, value, now) for each, value in values.items()]
            topology.observe(readings, topology.roles(sources), now)
        return topology, sources

    def test_a_clamp_on_the_main_is_proposed_as_a_duplicate_with_its_energy(self) -> None:
        topology, sources = self.watched(1.02)
        roles = topology.roles(sources)
        assert used(roles, "load.power") == ["3"]
        assert used(roles, "load.energy") == []
        found = next(each for each in roles if each.source == self.TOTAL)
        assert (found.confidence, found.values["other"]) == (DUPLICATE, "Name 1")

    @pytest.mark.parametrize(("copy", "noise"), [(0.5, 0.0), (1.0, 90.0)])
    def test_what_is_merely_alike_is_none(self, copy: float, noise: float) -> None:
        topology, sources = self.watched(copy, noise)
        assert "7" in used(topology.roles(sources), "load.power")

    def test_the_user_can_overrule_it(self) -> None:
        topology, sources = self.watched(1.0)
        topology.decisions[self.TOTAL.key] = ADDED
        assert "7" in used(topology.roles(sources), "load.power")

    def test_too_little_or_too_flat_tells_nothing(self) -> None:
        one, two = Series(), Series()
        for minute in range(30):
            one.add(60.0 * minute, 500.0 * minute)
            two.add(60.0 * minute, 500.0 * minute)
        assert likeness(one, two) is None
        for minute in range(30, 100):
            one.add(60.0 * minute, 500.0 * minute)
            two.add(60.0 * minute, 500.0 * minute)
        assert likeness(one, two) is not None
        flat = Series()
        for minute in range(100):
            flat.add(60.0 * minute, 100.0)
        assert likeness(flat, flat) is None


class TestLive:
    def test_powers_by_node(self) -> None:
        seen = at_once({GRID: -900.0, SUN: 3000.0, BATTERY: -500.0, CAR: 1000.0, BOILER: 200.0})
        assert (seen.house, seen.base, seen.surplus) == (1600, 400, 1850)
        assert seen.self_consumption == pytest.approx(0.7)
        assert seen.autonomy == 1.0
        assert seen.flows is not None
        assert (seen.flows.s2g, seen.flows.s2b, seen.flows.s2h) == (900, 500, 1600)

    def test_without_battery_or_sun_these_are_nothing(self) -> None:
        seen = at_once({GRID: 700.0})
        assert (seen.solar, seen.battery, seen.house, seen.autonomy, seen.self_consumption) == (0, 0, 700, 0, None)

    def test_without_a_meter_of_the_grid_the_house_tells_it(self) -> None:
        seen = at_once({source("1", "house.power"): 1200.0, SUN: 2000.0})
        assert (seen.house, seen.grid) == (1200, -800)

    @pytest.mark.parametrize("gone", [GRID, SUN, BATTERY])
    def test_a_part_that_is_not_known_makes_the_sum_unknown(self, gone: Source) -> None:
        values = {GRID: 100.0, SUN: 3000.0, BATTERY: -500.0, CAR: 1000.0}
        roles = Topology(RULES).roles(values)
        seen = at_once({each: value for each, value in values.items() if each != gone}, roles=roles)
        assert (seen.house, seen.base, seen.autonomy, seen.flows) == (None, None, None, None)

    def test_an_unknown_car_makes_the_base_unknown_and_not_the_house(self) -> None:
        values = {GRID: 100.0, SUN: 3000.0, CAR: 1000.0}
        roles = Topology(RULES).roles(values)
        seen = at_once({GRID: 100.0, SUN: 3000.0}, roles=roles)
        assert (seen.house, seen.base, seen.surplus) == (3100, None, None)

    def test_old_readings_are_not_known(self) -> None:
        assert at_once({GRID: 700.0}, age=14).house == 700
        assert at_once({GRID: 700.0}, age=16).house is None

    def test_what_is_told_when_it_changes_stands_until_its_equipment_is_in_doubt(self) -> None:
        roles = Topology(RULES).roles([GRID, CAR])
        readings = {GRID.key: Reading(GRID, 700.0, NOW), CAR.key: Reading(CAR, 0.0, NOW - 7200)}
        assert live(roles, Moment(readings, {}, NOW)).base == 700
        readings[CAR.key] = Reading(CAR, 0.0, NOW - 7200, doubtful=True)
        assert live(roles, Moment(readings, {}, NOW)).base is None

    def test_a_slow_source_is_current_for_three_of_its_intervals(self) -> None:
        pace = Pace()
        for step in range(30):
            pace.add(NOW + 60 * step)
        assert 150 < pace.limit_s <= 180
        for step in range(60):
            pace.add(NOW + 7200 + 2 * step)
        assert pace.limit_s == 15
        assert Pace(usual_s=9999).limit_s == 900

    def test_an_inverter_that_draws_at_night_is_no_negative_sun(self) -> None:
        assert at_once({GRID: 700.0, SUN: -4.0}).house == 700

    def test_meters_that_contradict_each_other_for_a_minute(self) -> None:
        watch = Contradiction()
        assert [
            watch.update(t, b) for t, b in ((0, -150.0), (30, -150.0), (60, -150.0), (61, -50.0), (62, -150.0))
        ] == [
            False,
            False,
            True,
            False,
            False,
        ]

    @given(st.lists(st.floats(-20000, 20000), min_size=3, max_size=3))
    def test_whatever_the_meters_say_rates_are_fractions(self, powers: list[float]) -> None:
        seen = at_once(dict(zip((GRID, SUN, BATTERY), powers)))
        for rate in (seen.self_consumption, seen.autonomy):
            assert rate is None or 0 <= rate <= 1
        assert seen.house == pytest.approx(powers[0] + max(powers[1], 0) + powers[2])
