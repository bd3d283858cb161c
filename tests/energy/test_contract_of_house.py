"""The contract of the house: learnt hours, prices by date, comparison of tariffs, cost of a car's charge."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jeenergied.energy.ledger.cells import COLUMNS
from jeenergied.energy.ledger.row import Interval
from jeenergied.energy.money.comparison import Sessions, compare, session
from jeenergied.energy.money.contract import HouseContract, Wishes, parse_dated_prices, parse_hours, parse_prices
from jeenergied.energy.money.learning import OffPeakLearner
from jeenergied.energy.money.offers import PriceGrid
from jeenergied.energy.money.tariff import OffPeakHours

from .house import CONTRACT, PARIS

PUBLISHED = json.loads((CONTRACT / "tariffs.json").read_text("utf-8"))
GRID = PriceGrid(PUBLISHED)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def watched(first: str, days: int, windows: list[str], step: int = 60, quiet: bool = False) -> OffPeakLearner:
    """A meter seen each minute, counting off-peak in these windows; `quiet`: it draws in half of the hours only."""
    learner, hours = OffPeakLearner(PARIS), OffPeakHours.parse(windows)
    indexes, moment = {"hp": 1e6, "hc": 2e6}, at(f"{first}T00:00")
    for _ in range(days * 86400 // step):
        local = datetime.fromtimestamp(moment, PARIS)
        if not quiet or local.hour % 2 or not 9 <= local.hour < 17:
            indexes["hc" if hours.hold(datetime.fromtimestamp(moment - step, PARIS)) else "hp"] += 10
        learner.observe(indexes, moment)
        moment += step
    return learner


class TestLearning:
    @pytest.mark.parametrize(
        "windows", [["22:00-06:00"], ["23:35-06:35", "13:05-14:05"], ["01:30-07:30", "12:30-14:30"]]
    )
    def test_windows_are_what_the_meter_has_shown_on_three_days(self, windows: list[str]) -> None:
        assert watched("2026-01-10", 2, windows).windows("winter") is None
        found = watched("2026-01-10", 5, windows).windows("winter")
        assert found is not None
        assert {shifted(window) for window in found} == {shifted(window) for window in windows}

    def test_hours_without_a_draw_contradict_nothing(self) -> None:
        found = watched("2026-06-10", 6, ["22:00-06:00"], quiet=True).windows("summer")
        assert found is not None
        assert [shifted(window) for window in found] == [shifted("22:00-06:00")]

    def test_each_season_has_its_own(self) -> None:
        learner = watched("2026-01-10", 5, ["22:00-06:00"])
        assert learner.hours() == {"winter": learner.windows("winter"), "summer": learner.windows("winter")}

    def test_it_forgets_what_the_distributor_has_changed(self) -> None:
        learner = watched("2026-01-01", 12, ["22:00-06:00"])
        again = watched("2026-01-20", 30, ["23:00-07:00"])
        again.restore(learner.state())
        moment, indexes, hours = at("2026-02-01T00:00"), {"hp": 5e6, "hc": 5e6}, OffPeakHours.parse(["23:00-07:00"])
        for _ in range(30 * 1440):
            indexes["hc" if hours.hold(datetime.fromtimestamp(moment - 60, PARIS)) else "hp"] += 10
            again.observe(indexes, moment)
            moment += 60
        assert [shifted(window) for window in again.windows("winter") or []] == [shifted("23:00-07:00")]

    @pytest.mark.parametrize("state", [None, {}, {"seen": {"winter": [[1]]}, "last": {}}, {"seen": 1, "last": 2}])
    def test_a_state_that_is_none_is_no_harm(self, state: object) -> None:
        learner = OffPeakLearner(PARIS)
        learner.restore(state)
        assert learner.hours() is None

    @settings(max_examples=30)
    @given(st.lists(st.tuples(st.floats(0, 86400), st.sampled_from(["hp", "hc"]), st.floats(-5, 5)), max_size=50))
    def test_whatever_a_meter_shows_is_no_window_of_a_day(self, steps: list[tuple[float, str, float]]) -> None:
        learner, indexes, moment = OffPeakLearner(PARIS), {"hp": 0.0, "hc": 0.0}, at("2026-01-01T00:00")
        for seconds, part, step in steps:
            moment += seconds
            indexes[part] += step
            learner.observe(indexes, moment)
        assert learner.hours() is None


def shifted(window: str) -> tuple[int, int]:
    """Minutes of both ends."""
    ends = [datetime.strptime(text, "%H:%M") for text in window.split("-")]
    return tuple(60 * end.hour + end.minute for end in ends)  # type: ignore[return-value]


class TestContract:
    def house(self, *parts: str) -> HouseContract:
        contract = HouseContract(GRID, PARIS)
        contract.learn(dict.fromkeys(parts, 1.0), at("2026-06-01T00:00"))
        return contract

    @pytest.mark.parametrize(
        ("parts", "kind"),
        [
            (("hp", "hc"), "hphc"),
            (("blue.hp", "red.hc"), "tempo"),
            (("",), "base"),
            (("normal", "peak"), "ejp"),
            ((), ""),
        ],
    )
    def test_the_meter_tells_the_contract(self, parts: tuple[str, ...], kind: str) -> None:
        assert self.house(*parts).kind == kind

    def test_prices_of_now_and_their_period(self) -> None:
        contract = self.house("hp", "hc")
        now = contract.at(at("2026-06-01T12:00"))
        assert (now.price, now.period, now.co2) == (0.2065, "hp", 21.7)
        assert contract.at(at("2026-06-01T23:00")).price == 0.1579
        assert contract.next_change(at("2026-06-01T12:00")) == at("2026-06-01T22:00")

    def test_what_is_not_known_has_no_price(self) -> None:
        assert HouseContract(GRID, PARIS).at(at("2026-06-01T12:00")).price is None
        assert self.house("hp", "hc").at(at("2025-06-01T12:00")).price is None
        assert self.house("blue.hp").at(at("2026-01-13T12:00")).price is None

    def test_the_index_that_grows_tells_the_colour_of_the_day(self) -> None:
        contract, indexes = HouseContract(GRID, PARIS), {"blue.hp": 5.0, "red.hp": 7.0, "red.hc": 9.0}
        contract.learn(indexes, at("2026-02-13T05:59"))
        contract.learn({**indexes, "red.hc": 10.0}, at("2026-02-13T06:00"))
        contract.learn({**indexes, "red.hc": 10.0, "blue.hp": 6.0}, at("2026-02-13T06:01"))
        contract.learn({**indexes, "red.hc": 10.0, "blue.hp": 6.0, "red.hp": 8.0}, at("2026-02-13T16:01"))  # a gap
        assert contract.colours == {"2026-02-12": "red", "2026-02-13": "blue"}
        assert contract.at(at("2026-02-13T12:00")).price == 0.1612

    def test_colours_come_as_numbers_or_words(self) -> None:
        contract = self.house("blue.hp")
        for day, told in ((12, 2), (13, "ROUGE"), (14, 1.0), (15, "?")):
            contract.colour(date(2026, 2, day), told)
        prices = [contract.at(at(f"2026-02-{day}T12:00")).price for day in (12, 13, 14, 15)]
        assert prices == [0.1871, 0.7060, 0.1612, None]
        assert contract.colours_of_now(at("2026-02-13T03:00")) == ("white", "red")

    def test_the_users_word_counts_first(self) -> None:
        contract = self.house("hp", "hc")
        contract.wishes = Wishes(
            "hphc", kva=9, resale=0.1, subscription=200, hours="01:00-05:00", prices={"hp": 0.3, "hc": 0.2}
        )
        assert contract.at(at("2025-06-01T02:00")).price == 0.2
        assert contract.at(at("2025-06-01T23:00")).price == 0.3
        assert contract.at(0).resale == 0.1
        assert contract.per_year(date(2026, 1, 1)) == 200

    def test_the_published_subscription_needs_the_subscribed_power(self) -> None:
        contract = HouseContract(GRID, PARIS)
        contract.wishes = Wishes("hphc")
        assert contract.per_year(date(2026, 6, 1)) == 0, "6 kVA is a guess that is good enough for a price alone"
        contract.wishes = Wishes("hphc", kva=9)
        assert contract.per_year(date(2026, 6, 1)) == 234.72
        assert contract.per_year(date(2026, 9, 1)) == 238.56

    def test_newer_or_own_prices_replace_published_ones_from_their_day_on(self) -> None:
        later = {"offers": [{"kind": "base", "since": "2026-08-01", "prices": {"base": 0.25}, "source": "test"}]}
        contract = HouseContract(PriceGrid(PUBLISHED, later), PARIS)
        contract.wishes = Wishes("base")
        assert contract.at(at("2026-07-31T12:00")).price == 0.1940
        assert contract.at(at("2026-08-01T12:00")).price == 0.25

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("hp", "hp"),
            ("hp=x", "hp=x"),
            ("hp=-1", "hp=-1"),
            ("hp=99", "hp=99"),
            ("=nan", "=nan"),
            ("hc=0.1, hp 2", "hp 2"),
        ],
    )
    def test_prices_that_are_none_are_refused_by_what_is_wrong(self, text: str, part: str) -> None:
        with pytest.raises(ValueError, match=rf"^{part}$"):
            parse_prices(text)

    @pytest.mark.parametrize(
        ("text", "prices"),
        [
            ("HP = 0.3; hc=0.2", {"hp": 0.3, "hc": 0.2}),
            ("hp=0,2065, hc=0,1579", {"hp": 0.2065, "hc": 0.1579}),
            ("hp=0,2065 €/kWh\nhc=0,1579 €\n", {"hp": 0.2065, "hc": 0.1579}),
            ("00:00=1,07:00=2", {"00:00": 1, "07:00": 2}),
            ("base=0,25", {"base": 0.25}),
            ("", {}),
        ],
    )
    def test_prices_are_understood_as_people_write_them(self, text: str, prices: dict[str, float]) -> None:
        assert parse_prices(text) == prices

    @pytest.mark.parametrize(
        ("text", "prices"),
        [
            ("0.105", [("", 0.105)]),
            ("0,105 €/kWh; 2026-07-01 = 0,112", [("", 0.105), ("2026-07-01", 0.112)]),
            ("2026-01-01=4.45 €/m³,4", [("", 4), ("2026-01-01", 4.45)]),
            ("4,2026-01-01=5", [("", 4), ("2026-01-01", 5)]),
            ("", []),
        ],
    )
    def test_a_price_of_gas_or_water_holds_from_its_day(self, text: str, prices: list[tuple[str, float]]) -> None:
        assert parse_dated_prices(text) == prices

    @pytest.mark.parametrize(
        ("text", "part"),
        [("cher", "cher"), ("112", "112"), ("-1", "-1"), ("2026-13-01=1", "2026-13-01=1.0"), ("1; 2", "2.0"),
         ("hp=0.2", "hp=0.2"), ("2026-01-01=1, 2026-01-01=2", "2026-01-01=2.0")],
    )  # fmt: skip
    def test_a_price_of_gas_or_water_that_is_none_is_refused_by_what_is_wrong(self, text: str, part: str) -> None:
        with pytest.raises(ValueError, match=rf"^{part}$"):
            parse_dated_prices(text)

    def test_hours_are_understood_as_people_write_them(self) -> None:
        assert parse_hours("22:00-06:00, 12:30-14:30") == ["22:00-06:00", "12:30-14:30"]
        french, plain = (OffPeakHours.parse(parse_hours(text)) for text in ("22h-6h ; 12h30-14h30", "22-6,12:30-14:30"))
        assert french == plain
        with pytest.raises(ValueError, match=r"^22h-x$"):
            parse_hours("12:00-14:00;22h-x")
        with pytest.raises(ValueError, match=r"^9+-6$"):
            parse_hours("9" * 40 + "-6")


def row(moment: str, *energies: float, price: float = 0.2065, **devices: float) -> Interval:
    values = dict(zip(COLUMNS, [1000 * each for each in energies]))
    ids = {name[1:]: 1000 * energy for name, energy in devices.items()}
    seconds = dict.fromkeys(COLUMNS, 300.0)
    return Interval(int(at(moment)), values, seconds, price=price, resale=0.04, devices=ids)  # type: ignore[arg-type]


class TestComparison:
    ROWS = (row("2026-06-15T02:00", 4.0, 0, 0, 0, 0), row("2026-06-15T12:00", 2.5, 0, 0, 0, 0))

    def test_the_same_draws_under_each_contract(self) -> None:
        """Example A: HP/HC 1.14785, a blue Tempo day 0.93300, base at 9 kVA 1.25255."""
        contract = HouseContract(GRID, PARIS)
        contract.wishes = Wishes("hphc", kva=9)
        contract.colours = {"2026-06-14": "blue", "2026-06-15": "blue"}
        bills = {bill.kind: bill for bill in compare(self.ROWS, contract)}
        assert bills["hphc"].cost == pytest.approx(1.14785)
        assert bills["tempo"].cost == pytest.approx(0.93300)
        assert bills["base"].cost == pytest.approx(1.25255)
        assert bills["tempo"].periods == pytest.approx({"blue.hc": 4.0, "blue.hp": 2.5})
        assert all(bill.whole for bill in bills.values())
        assert self.under(contract, "white") == pytest.approx(1.06735)
        assert self.under(contract, "red") == pytest.approx(2.39500)

    def under(self, contract: HouseContract, colour: str) -> float:
        contract.colours = {"2026-06-14": colour, "2026-06-15": colour}
        contract.wishes = replace(contract.wishes)
        return compare(self.ROWS, contract, ["tempo"])[0].cost

    def test_a_year_without_its_colours_is_not_compared(self) -> None:
        contract = HouseContract(GRID, PARIS)
        contract.wishes = Wishes("hphc", kva=9)
        bills = {bill.kind: bill for bill in compare(self.ROWS, contract)}
        assert (bills["tempo"].whole, bills["tempo"].unpriced) == (False, 6.5)

    def test_a_night_with_a_clock_change_costs_the_hours_that_it_has(self) -> None:
        contract = HouseContract(GRID, PARIS)
        contract.wishes = Wishes("hphc", kva=9)
        for night, hours, price in (("2026-03-28", 7, 0.1579), ("2026-10-24", 9, 0.1589)):
            begin = at(f"{night}T12:00")
            rows = [row("2026-01-01T00:00", 1 / 12, 0, 0, 0, 0) for _ in range(288)]
            for number, each in enumerate(rows):
                each.start = int(begin) + 300 * number
            bill = compare([each for each in rows if contract.at(each.start).period == "hc"], contract, ["hphc"])[0]
            assert bill.cost == pytest.approx(hours * price)


class TestSession:
    def test_a_car_takes_what_the_house_leaves(self) -> None:
        """Example C: PV 3000, base 500, car 3680 for an hour."""
        found = session([row("2026-06-15T12:00", 1.18, 0, 3.0, 0, 0, d7=3.68)], "7")
        assert (found.solar, found.grid) == pytest.approx((2.5, 1.18))
        assert (found.paid, found.effective) == pytest.approx((0.24367, 0.34367))

    def test_ten_kilowatt_hours_of_which_six_from_the_sun(self) -> None:
        found = session([row("2026-06-15T12:00", 4, 0, 6, 0, 0, d7=10)], "7")
        assert (found.paid, found.effective) == pytest.approx((0.8260, 1.0660))

    def test_of_two_cars_the_first_takes_the_sun(self) -> None:
        rows = [row("2026-06-15T12:00", 3, 0, 3, 0, 0, d7=3, d8=3)]
        assert session(rows, "7", ["8"]).solar == pytest.approx(3)
        assert session(rows, "8").solar == pytest.approx(0)

    def test_where_the_house_is_not_known_the_sun_is_not_claimed(self) -> None:
        unknown = row("2026-06-15T12:00", 0, 0, 3, 0, 0, d7=3)
        unknown.seconds["i"] = 0
        assert session([unknown], "7").grid == pytest.approx(3)

    def test_a_session_ends_when_the_next_begins_and_goes_on_over_a_restart(self) -> None:
        sessions = Sessions()
        assert sessions.update("7", 8000, 0) is None
        assert sessions.update("7", 0, 100) == (0, 100)
        for energy, now in ((0, 200), (40, 300), (900, 1000), (5000, 2000)):
            assert sessions.update("7", energy, now) is None
        again = Sessions()
        again.restore(json.loads(json.dumps(sessions.open)))
        assert again.begun("7") == 100
        assert again.update("7", 5200, 2100) is None
        assert again.update("7", 100, 3000) == (100, 3000)

    def test_what_is_kept_wrongly_is_left_out(self) -> None:
        sessions = Sessions()
        for state in (None, [], {"7": 3}, {"7": ["a", "b"]}):
            sessions.restore(state)
        assert sessions.open == {}


def test_a_year_is_compared_within_seconds() -> None:
    contract = HouseContract(GRID, PARIS)
    contract.wishes = Wishes("hphc", kva=9)
    day = datetime(2026, 2, 1, tzinfo=PARIS)
    contract.colours = {(day + timedelta(days=n - 1)).date().isoformat(): "blue" for n in range(60)}
    rows = [row("2026-02-01T00:00", 0.1, 0, 0, 0, 0) for _ in range(30 * 288)]
    for number, each in enumerate(rows):
        each.start = int(day.timestamp()) + 300 * number
    bills = compare(rows, contract)
    assert all(bill.whole for bill in bills)
    assert bills[0].energy == pytest.approx(864)
