"""Flows, rates, money and emissions of worked examples, to the digit, and what must hold for any figures."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jeenergied.energy.balance import Balance, Energies, Flows, Row, Tank, charge, flows
from jeenergied.energy.ledger.growth import STEP, Growth

PARIS = ZoneInfo("Europe/Paris")
ROOT = Path(__file__).resolve().parents[2]
HP, HC, RESALE, CO2 = 0.2065, 0.1579, 0.04, 21.7
amounts = st.floats(0, 50, allow_nan=False)


def rows(*intervals: tuple[float, tuple[float, float, float, float, float]]) -> list[Row]:
    return [Row(Energies(*energies), price, RESALE, CO2) for price, energies in intervals]


class TestWithoutBattery:
    DAY = rows((HC, (4.0, 0, 1.5, 0, 0)), (HP, (2.5, 9.0, 16.5, 0, 0)))

    def test_rates(self) -> None:
        day = Balance.of(self.DAY)
        assert day.house == pytest.approx(15.5)
        assert day.self_consumption == pytest.approx(0.5)
        assert day.autonomy == pytest.approx(0.58064516)

    def test_money(self) -> None:
        day = Balance.of(self.DAY)
        assert day.cost == pytest.approx(1.14785)
        assert day.revenue == pytest.approx(0.36)
        assert day.net == pytest.approx(0.78785)
        assert day.without_solar == pytest.approx(2.93345)
        assert day.savings == pytest.approx(2.14560)

    def test_the_subscription_is_paid_with_and_without_sun(self) -> None:
        plain, with_it = Balance.of(self.DAY), Balance.of(self.DAY, subscription=0.5)
        assert with_it.cost == pytest.approx(plain.cost + 0.5)
        assert with_it.savings == pytest.approx(plain.savings)


class TestWithBattery:
    DAY = rows(
        (HC, (3, 0, 0, 2, 0)),
        (HP, (0.5, 0, 1, 0, 0)),
        (HP, (0, 1.5, 5, 2.5, 0)),
        (HP, (0.2, 0, 0.3, 0, 2)),
        (HP, (1, 0, 0, 0, 1.2)),
    )

    def test_flows(self) -> None:
        assert [round(row.energies.house, 6) for row in self.DAY] == [1.0, 1.5, 1.0, 2.5, 2.2]
        total = Balance.of(self.DAY).flows
        expected = Flows(s2h=2.3, s2b=2.5, s2g=1.5, g2h=2.7, g2b=2.0, b2h=3.2, b2g=0.0)
        assert vars(total) == pytest.approx(vars(expected))

    def test_the_tank_mixes(self) -> None:
        tank, seen = Tank(), []
        for row in self.DAY:
            tank = tank.after(flows(row.energies))
            seen.append((round(tank.content, 4), round(tank.solar_share, 4)))
        assert seen == [(2.0, 0), (2.0, 0), (4.5, 0.5556), (2.5, 0.5556), (1.3, 0.5556)]

    def test_rates_and_money(self) -> None:
        day = Balance.of(self.DAY)
        assert day.self_consumption == pytest.approx(0.7619, abs=5e-5)
        assert day.autonomy == pytest.approx(0.4973, abs=5e-5)
        assert day.cost == pytest.approx(0.82475)
        assert day.revenue == pytest.approx(0.06)
        assert day.net == pytest.approx(0.76475)
        assert day.without_solar == pytest.approx(1.64470)
        assert day.savings == pytest.approx(0.87995)

    def test_emissions(self) -> None:
        day = Balance.of(self.DAY)
        assert day.co2 == pytest.approx(101.99)
        assert day.co2_without == pytest.approx(177.94)


def test_a_car_takes_what_the_house_leaves_of_the_sun() -> None:
    session = charge(car=3.68, before=0.5, solar=3.0, discharged=0, price=HP, resale=RESALE)
    assert session.solar == pytest.approx(2.5)
    assert session.solar / session.energy == pytest.approx(0.679, abs=5e-4)
    assert session.grid == pytest.approx(1.18)
    assert session.paid == pytest.approx(0.24367)
    assert session.effective == pytest.approx(0.34367)


def test_paid_and_effective_cost_of_ten_kilowatt_hours() -> None:
    session = charge(car=10, before=0, solar=6, discharged=0, price=HP, resale=RESALE)
    assert session.paid == pytest.approx(0.8260)
    assert session.effective == pytest.approx(1.0660)


def test_a_battery_serves_the_house_before_the_car() -> None:
    session = charge(car=2, before=1.5, solar=1, discharged=1.2, price=HP, resale=RESALE)
    assert (session.solar, session.battery, session.grid) == pytest.approx((0, 0.7, 1.3))


@given(amounts, amounts, amounts, amounts, amounts)
def test_every_kilowatt_hour_is_in_one_flow(i: float, e: float, p: float, c: float, d: float) -> None:
    energies = Energies(i, e, p, c, d)
    flow = flows(energies)
    assert all(value >= 0 for value in vars(flow).values())
    if energies.house >= 0:
        given_away = [i - flow.g2h - flow.g2b, d - flow.b2h - flow.b2g, p - flow.s2h - flow.s2b - flow.s2g]
        taken = [e - flow.s2g - flow.b2g, c - flow.s2b - flow.g2b]
        assert min(given_away + taken) >= -1e-9
        # What grid or battery gave and took again within the interval went through nobody else.
        assert sum(given_away) == pytest.approx(sum(taken), abs=1e-9)
        assert flow.s2h + flow.b2h + flow.g2h <= energies.house + 1e-9


@given(st.lists(st.tuples(amounts, amounts, amounts, amounts, amounts), max_size=20))
def test_rates_are_fractions_and_the_tank_is_never_negative(days: list[tuple[float, ...]]) -> None:
    total = Balance.of([Row(Energies(*day), HP, RESALE, CO2) for day in days])
    assert total.self_consumption is None or 0 <= total.self_consumption <= 1
    assert total.autonomy is None or 0 <= total.autonomy <= 1
    assert total.tank.content >= 0
    assert 0 <= total.tank.solar_share <= 1 + 1e-9
    assert total.savings == pytest.approx(total.without_solar - total.cost + total.revenue)


def test_meters_that_contradict_each_other_are_counted_not_drawn() -> None:
    total = Balance.of([Row(Energies(imported=0, exported=5, solar=1), HP, RESALE)])
    assert total.contradictions == 1
    assert total.house == 0
    assert total.autonomy is None


class TestGrowth:
    def test_a_dip_waits_for_its_recovery(self) -> None:
        counter = Growth(most_kw=9)
        assert [round(counter.read(index, 300 * n) or 0, 6) for n, index in enumerate((12345.6, 12345.5, 12345.7))] == [
            0,
            0,
            0.1,
        ]

    def test_a_new_beginning_is_an_anchor(self) -> None:
        counter = Growth(most_kw=9)
        assert [round(counter.read(index, 300 * n) or 0, 6) for n, index in enumerate((12345.7, 0.3, 0.8))] == [
            0,
            0,
            0.5,
        ]

    def test_an_impossible_step_is_kept_apart_until_the_user_decides(self) -> None:
        counter = Growth(most_kw=9)
        counter.read(12345.7, 0)
        assert counter.read(13745.7, 300) is None
        assert counter.quarantined == 13745.7
        assert counter.read(12345.8, 600) == pytest.approx(0.1)
        assert counter.quarantined is None
        counter.read(13745.7, 900)
        counter.accept(900)
        assert counter.read(13745.8, 1200) == pytest.approx(0.1)

    @given(st.lists(st.tuples(st.floats(1, 86400), st.floats(0, 1e6)), max_size=50))
    def test_no_bar_is_negative_or_giant(self, readings: list[tuple[float, float]]) -> None:
        counter, now, since = Growth(most_kw=9), 0.0, 0.0
        for seconds, index in readings:
            now += seconds
            grown = counter.read(index, now)
            assert grown is None or 0 <= grown <= 1.1 * 9 * (now - since) / 3600 + STEP + 1e-6
            if counter.at == now:
                since = now


def test_the_tool_plays_rows_of_a_scenario_file(tmp_path: Path) -> None:
    moments = ("02:00", "09:00", "13:00", "19:00", "21:00")
    names = ("import", "export", "solar", "charge", "discharge")
    figures = [(3, 0, 0, 2, 0), (0.5, 0, 1, 0, 0), (0, 1.5, 5, 2.5, 0), (0.2, 0, 0.3, 0, 2), (1, 0, 0, 0, 1.2)]
    scenario = {
        "timezone": "Europe/Paris",
        "house": {"resale": 0.04, "tariff": {"kind": "hphc", "prices": {"hp": HP, "hc": HC}, "hours": ["22:00-06:00"]}},
        "rows": [{"at": f"2026-06-15T{m}:00+02:00", **dict(zip(names, f))} for m, f in zip(moments, figures)],
    }
    file = tmp_path / "day.json"
    file.write_text(json.dumps(scenario))
    command = [sys.executable, str(ROOT / "tools" / "play_scenario.py"), str(file)]
    played = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)["balance"]
    assert played["savings"] == pytest.approx(0.87995)
    assert played["selfConsumption"] == pytest.approx(0.7619, abs=5e-5)
    assert played["co2"] == pytest.approx(101.99)
    assert played["flows"]["b2h"] == pytest.approx(3.2)
    assert played["tank"] == pytest.approx({"content": 1.3, "solarShare": 0.555556})


def played(tmp_path: Path, house: dict[str, object], rows: list[dict[str, object]]) -> dict[str, float]:
    """What the tool says of rows."""
    file = tmp_path / "rows.json"
    file.write_text(json.dumps({"timezone": "Europe/Paris", "house": house, "rows": rows}))
    command = [sys.executable, str(ROOT / "tools" / "play_scenario.py"), str(file)]
    balance: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)[
        "balance"
    ]
    return balance


TEMPO = {
    "blue.hp": 0.1612,
    "blue.hc": 0.1325,
    "white.hp": 0.1871,
    "white.hc": 0.1499,
    "red.hp": 0.706,
    "red.hc": 0.1575,
}
TWO = {"kind": "hphc", "prices": {"hp": HP, "hc": HC}, "hours": ["22:00-06:00"]}


@pytest.mark.parametrize(
    ("tariff", "cost"),
    [
        (TWO, 1.14785),
        ({"kind": "tempo", "prices": TEMPO, "colours": {"2026-01-13": "blue", "2026-01-14": "blue"}}, 0.93300),
        ({"kind": "tempo", "prices": TEMPO, "colours": {"2026-01-13": "white", "2026-01-14": "white"}}, 1.06735),
        ({"kind": "tempo", "prices": TEMPO, "colours": {"2026-01-13": "red", "2026-01-14": "red"}}, 2.39500),
        ({"kind": "base", "prices": {"base": 0.1927}}, 1.25255),
    ],
)
def test_the_tool_prices_a_day_without_battery(tmp_path: Path, tariff: dict[str, object], cost: float) -> None:
    """Example A: 4.0 kWh drawn in off-peak hours, 2.5 in peak hours, 18 produced, 9 sold; HP/HC and Tempo blue,
    white and red."""
    rows = [
        {"at": "2026-01-14T02:00:00+01:00", "import": 4.0, "solar": 1.5},
        {"at": "2026-01-14T13:00:00+01:00", "import": 2.5, "export": 9.0, "solar": 16.5},
    ]
    day = played(tmp_path, {"resale": 0.04, "tariff": tariff}, rows)
    assert day["cost"] == pytest.approx(cost)
    assert day["revenue"] == pytest.approx(0.36)
    assert day["selfConsumption"] == pytest.approx(0.5)
    assert day["autonomy"] == pytest.approx(0.5806, abs=5e-5)
    if tariff is TWO:
        assert (day["withoutSolar"], day["savings"]) == pytest.approx((2.93345, 2.14560))


@pytest.mark.parametrize(("night", "hours"), [("2026-03-28", 7), ("2026-10-24", 9)])
def test_the_tool_knows_how_long_a_night_is(tmp_path: Path, night: str, hours: int) -> None:
    """Example E: 1 kW through the night of a clock change, in off-peak hours."""
    begin = datetime.fromisoformat(f"{night}T22:00").replace(tzinfo=PARIS).timestamp()
    end = datetime.fromisoformat(night) + timedelta(days=1, hours=6)
    count = round((end.replace(tzinfo=PARIS).timestamp() - begin) / 300)
    moments = [datetime.fromtimestamp(begin + 300 * number, PARIS).isoformat() for number in range(count)]
    found = played(tmp_path, {"tariff": TWO}, [{"at": moment, "import": 1 / 12} for moment in moments])
    assert found["cost"] == pytest.approx(hours * HC, abs=1e-6)


@pytest.mark.parametrize(("at", "price"), [("03:00", 0.1575), ("05:55", 0.1575), ("06:00", 0.1612), ("22:00", 0.1325)])
def test_the_tool_knows_that_a_tempo_day_begins_at_six(tmp_path: Path, at: str, price: float) -> None:
    """Example F: a red Tuesday, a blue Wednesday."""
    tariff = {"kind": "tempo", "prices": TEMPO, "colours": {"2026-01-13": "red", "2026-01-14": "blue"}}
    found = played(tmp_path, {"tariff": tariff}, [{"at": f"2026-01-14T{at}:00+01:00", "import": 1.0}])
    assert found["cost"] == pytest.approx(price)
