"""What the page of a charge point is told: prices, plan, sun so far, the last charges and the journal."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jsonschema
import pytest
from jeenergied.energy.balance import Charge
from jeenergied.energy.control.outlook import COVERED, World, chart_begin, outlook
from jeenergied.energy.control.settings import PointSettings, PointState
from jeenergied.energy.ledger.cells import COLUMNS, SLOT_S
from jeenergied.energy.ledger.intervals import Prices
from jeenergied.energy.ledger.row import Interval
from jeenergied.energy.live import Live
from jeenergied.energy.money.comparison import Sessions, session

from .house import PARIS, TwoPrices
from .test_pilot import CAR, NOON, Rig

NUMBER = {"type": "number"}
NOT_KNOWN = {"type": ["number", "null"]}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$"}
SPAN = {"from": MOMENT, "to": MOMENT}


def closed(**properties: Any) -> dict[str, Any]:
    """An object with these properties, all of them and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


ANSWER = closed(
    at=MOMENT,
    begin=MOMENT,
    end=MOMENT,
    now=closed(
        mode={"type": "string"},
        state={"type": "string"},
        amps=NOT_KNOWN,
        phases=NOT_KNOWN,
        least={"const": 6},
        most={"type": "integer", "minimum": 6},
        told=NOT_KNOWN,
        plugged={"type": ["boolean", "null"]},
        power=NOT_KNOWN,
        takenOverUntil={"anyOf": [MOMENT, {"type": "null"}]},
        house=closed(**dict.fromkeys(("solar", "grid", "battery", "house", "surplus"), NOT_KNOWN)),
        price=NOT_KNOWN,
    ),
    goal=closed(
        state={"enum": ["none", "waiting", "planned", "atRisk", "reached"]},
        energy={"type": "number"},
        percent={"type": "number"},
        hasLevel={"type": "boolean"},
        level=NOT_KNOWN,
        levelAt={"anyOf": [MOMENT, {"type": "null"}]},
        levelState={"enum": ["unknown", "fresh", "stale"]},
        need=NOT_KNOWN,
        time={"type": "string"},
        days={"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 7}},
        done={"type": "number"},
        by={"anyOf": [MOMENT, {"type": "null"}]},
        missing=NOT_KNOWN,
        cost=NOT_KNOWN,
        withConsent=NOT_KNOWN,
    ),
    prices={
        "type": "array",
        "minItems": 1,
        "items": closed(**SPAN, price=NOT_KNOWN, period={"type": "string"}),
    },
    plan={"type": "array", "items": closed(**SPAN)},
    past={"type": "array", "items": closed(at=MOMENT, solar=NOT_KNOWN, house=NOT_KNOWN, car=NOT_KNOWN)},
    sessions={
        "type": "array",
        "items": closed(
            begin=MOMENT,
            end={"anyOf": [MOMENT, {"type": "null"}]},
            energy={"type": "number", "minimum": 0},
            shares={
                "anyOf": [
                    closed(solar=NUMBER, battery=NUMBER, grid=NUMBER),
                    {"type": "null"},
                ]
            },
            paid=NOT_KNOWN,
            effective=NOT_KNOWN,
        ),
    },
)
"""What every answer is; the journal and the sentence come from elsewhere."""


@dataclass
class Written:
    """A book with these intervals."""

    rows: list[Interval] = field(default_factory=list)

    def intervals(self, begin: float, end: float) -> list[Interval]:
        return [each for each in self.rows if begin <= each.start < end]


class NoPrices:
    def at(self, moment: float) -> Prices:
        return Prices()

    def per_year(self, day: object) -> float:
        return 0.0


def row(start: float, solar: float | None, car: float | None) -> Interval:
    """Five minutes with these powers (W); `solar` None: its meter said nothing."""
    powers = dict(zip(COLUMNS, (0.0, 0.0, solar or 0.0, 0.0, 0.0)))
    seconds = dict.fromkeys(COLUMNS, float(SLOT_S))
    if solar is None:
        seconds["p"] = 0.0
    energy: dict[str, float | None] = {name: watts / 12 for name, watts in powers.items()}
    return Interval(int(start), energy, seconds, devices={} if car is None else {CAR: car / 12})


unknown = [row(NOON - 300 * n, None, 4000) for n in range(3)]
measured = [row(NOON - 300 * n, 4500, 4000) for n in range(3)]


def world(**given: Any) -> World:
    known: dict[str, Any] = {
        "live": Live(),
        "book": Written(),
        "prices": TwoPrices(),
        "zone": PARIS,
        "sessions": [],
        "runs": False,
        "cost": lambda begin, end: Charge(),
    }
    return World(**{**known, **given})


def asked(rig: Rig, around: World, now: float | None = None) -> dict[str, Any]:
    at = NOON + rig.second if now is None else now
    found = outlook(rig.pilot.points["p"], around, at, at - NOON)
    jsonschema.validate(json.loads(json.dumps(found)), ANSWER)
    return found


@pytest.fixture
def rig() -> Rig:
    made = Rig([[0, 0]])
    made.run(10)
    return made


def test_the_next_day_has_every_price_in_stretches(rig: Rig) -> None:
    found = asked(rig, world(), NOON)
    stretches = found["prices"]
    assert [each["to"] for each in stretches[:-1]] == [each["from"] for each in stretches[1:]]
    assert stretches[0]["from"] == found["begin"]
    assert stretches[-1]["to"] == found["end"]
    assert [(each["period"], each["from"][11:16]) for each in stretches] == [
        ("hc", "00:00"), ("hp", "06:00"), ("hc", "22:00"), ("hp", "06:00"),
    ]  # fmt: skip


def test_a_price_that_is_not_known_is_none_and_not_0(rig: Rig) -> None:
    found = asked(rig, world(prices=NoPrices()))
    assert [each["price"] for each in found["prices"]] == [None]
    assert found["plan"] == []
    assert found["now"]["price"] is None


def test_the_chart_begins_at_midnight_or_half_a_day_before() -> None:
    morning, evening = datetime(2026, 5, 28, 7, 10, tzinfo=PARIS), datetime(2026, 5, 28, 22, 26, tzinfo=PARIS)
    assert chart_begin(morning.timestamp(), PARIS) == morning.replace(hour=0, minute=0).timestamp()
    assert chart_begin(evening.timestamp(), PARIS) == evening.replace(hour=10, minute=15).timestamp()
    for change in (datetime(2026, 3, 29, 12, tzinfo=PARIS), datetime(2026, 10, 25, 12, tzinfo=PARIS)):
        begin = chart_begin(change.timestamp(), PARIS)
        assert begin % 900 == 0
        assert change.timestamp() - 13 * 3600 <= begin < change.timestamp()


def test_the_plan_of_a_goal_is_shown_without_what_is_over(rig: Rig) -> None:
    rig.choose("solar")
    rig.pilot.goal("p", kwh=20, hour="07:30")
    rig.run(10)
    found = asked(rig, world())
    assert found["goal"]["state"] == "planned"
    assert found["goal"]["energy"] == 20
    assert found["goal"]["by"][11:16] == "07:30"
    assert found["goal"]["missing"] == 0
    assert found["plan"]
    assert all(each["from"] >= found["at"] for each in found["plan"])
    assert found["goal"]["cost"] == pytest.approx(20 * 0.1579, abs=0.1)
    later = asked(rig, world(), NOON + rig.second + 1800)
    assert later["plan"][0]["from"] >= later["at"]


def test_without_a_goal_the_economic_mode_plans_the_cheapest_hours(rig: Rig) -> None:
    rig.choose("economic")
    found = asked(rig, world(), NOON)
    assert [(each["from"][11:16], each["to"][11:16]) for each in found["plan"]] == [("22:00", "06:00")]
    rig.choose("solar")
    assert asked(rig, world(), NOON)["plan"] == []


def test_the_sun_so_far_is_a_mean_and_unknown_where_nothing_was_measured(rig: Rig) -> None:
    quarter = NOON // 900 * 900 - 1800
    rows = [row(quarter, 3000, None), row(quarter + 300, 1500, 2400), row(quarter + 900, None, 1200)]
    found = asked(rig, world(book=Written(rows)), NOON)["past"]
    assert [(each["solar"], each["house"], each["car"]) for each in found] == [(2250, 2250, 2400), (None, None, 1200)]


def test_the_last_charges_tell_where_their_energy_came_from(rig: Rig) -> None:
    taken = Charge(6.0, 1.0, 3.0, 0.6, 0.84)
    sessions = [[NOON - 7200, NOON - 60, 10_000.0], [NOON - 90_000, NOON - 80_000, 20_000.0]]
    spans: list[tuple[float, float]] = []

    def cost(begin: float, end: float) -> Charge:
        spans.append((begin, end))
        return taken

    found = asked(rig, world(sessions=sessions, runs=True, cost=cost), NOON)["sessions"]
    assert found[0]["end"] is None
    assert found[0]["effective"] == 0.84
    assert found[0]["paid"] == 0.6
    assert found[0]["shares"] == {"solar": 60.0, "battery": 10.0, "grid": 30.0}
    # The book knows half of the energy of the other one: neither its parts nor its cost are told.
    assert taken.energy < COVERED * 20
    assert found[1]["shares"] is None
    assert found[1]["effective"] is None
    assert found[1]["energy"] == 20
    assert spans == [(NOON - 7200, NOON), (NOON - 90_000, NOON - 80_000 + SLOT_S)]


def test_what_was_charged_while_the_house_was_not_known_claims_neither_sun_nor_cost(rig: Rig) -> None:
    sessions = [[NOON - 7200, NOON - 60, 1000.0]]
    found = asked(rig, world(sessions=sessions, runs=True, cost=lambda begin, end: session(unknown, CAR)), NOON)
    assert found["sessions"][0]["shares"] is None
    point = rig.pilot.points["p"]
    for charge, known in ((session(unknown, CAR), False), (session(measured, CAR), True)):
        facts = point.facts(PARIS, charge)
        assert (facts["point.solarShare"] is not None) is known
        assert (facts["point.sessionCost"] is not None) is known


def test_a_take_over_says_until_when(rig: Rig) -> None:
    rig.choose("now")
    rig.run(60)
    rig.car.set(rig.second, 10, 1)
    rig.run(60)
    found = asked(rig, world())
    assert found["now"]["state"] == "takenOver"
    until = datetime.fromisoformat(found["now"]["takenOverUntil"])
    assert timedelta(minutes=110) < until - datetime.fromisoformat(found["at"]) <= timedelta(hours=2)


def test_sessions_over_are_kept_over_a_restart_and_spoilt_ones_are_left_out() -> None:
    sessions = Sessions()
    for energy, now in ((0, 0), (4000, 500), (4000, 900), (0, 1000), (700, 1400)):
        sessions.update("7", energy, now)
    again = Sessions()
    again.restore(json.loads(json.dumps(sessions.state())))
    assert again.last("7") == [[1000, 1400, 700], [0, 500, 4000]]
    spoilt = Sessions()
    spoilt.restore({"open": {"7": [1, "a", 2]}, "over": {"7": [[1, 2], "x", [1, 2, 3e99], [0, 500, 4000]], "8": 3}})
    assert spoilt.open == {}
    assert spoilt.over == {"7": [[0.0, 500.0, 4000.0]]}


def test_every_state_a_point_can_be_kept_in_is_shown(rig: Rig) -> None:
    settings = PointSettings("p", CAR, days=())
    for mode in ("free", "off", "solar", "economic"):
        point = type(rig.pilot.points["p"])(settings, PointState(mode, 12.0, "nonsense"), 1)
        found = outlook(point, world(), NOON, 0.0)
        jsonschema.validate(json.loads(json.dumps(found)), ANSWER)
        assert found["goal"]["state"] == "none"
        assert found["now"]["power"] is None
