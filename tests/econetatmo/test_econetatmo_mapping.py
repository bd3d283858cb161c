"""Pure mapping: recorded and made-up answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jeenergied.devices.base import VendorError
from jeenergied.devices.econetatmo import mapping
from jeenergied.devices.econetatmo.time_slots import LocalTimes

from jeedom_bridge import Contract
from tests.support.recorded import answers

CATALOGUE = Contract(Path(__file__).resolve().parents[2] / "core" / "contract").catalogues["econetatmo"]
ENERGY = ["sum_energy_elec", "sum_energy_elec$0", "sum_energy_elec$1", "sum_energy_elec$2"]
FAR = 4e9
PARIS = "Europe/Paris"


def points(row: Any, types: list[str], found: dict[int, Any]) -> list[tuple[str, Any]]:
    return mapping.points(row, types, found, found, LocalTimes.of(found, PARIS))


def rows(**config: str) -> dict[str, Any]:
    return {row.logical_id: row for row in mapping.measure_rows(CATALOGUE, "line", config)}


@pytest.mark.parametrize(
    ("answer", "begin", "date", "first"),
    [
        (answer, *told)
        for answer, told in zip(
            answers("econetatmo", "getmeasure_30min_optimized.json"),
            [(1719353700, "2024-06-26T00:15:00+02:00", 21), (1721772900, "2024-07-24T00:15:00+02:00", 20)],
        )
    ],
)
def test_the_recorded_measures_have_their_dates_and_columns(answer: Any, begin: int, date: str, first: int) -> None:
    found = mapping.slots(answer["body"], 4, "30min", PARIS, 0, FAR)
    labels = list(found)
    assert labels[0] == begin
    assert all(b - a == 1800 for a, b in zip(labels, labels[1:]))
    assert found[begin] == [None, first, None, None]
    split = [values for values in found.values() if sum(value is not None for value in values) == 2]
    assert split
    totals = points(rows()["total_energy"], ENERGY, found)
    assert totals[0] == (date, first)
    assert sum(value for _, value in totals) == sum(v or 0 for values in found.values() for v in values)


@pytest.mark.parametrize("answer", answers("econetatmo", "getmeasure_unoptimized_weather.json"))
def test_both_shapes_say_the_same_and_irregular_times_are_kept(answer: Any) -> None:
    body = answer["body"]
    assert len(body) == 13
    assert mapping.slots(body, 1, "30min", PARIS, 0, FAR) == {int(at): values for at, values in body.items()}
    optimized = [{"beg_time": 1800, "step_time": 1500, "value": [[1], [0]]}, {"beg_time": 900, "value": [[2]]}]
    assert mapping.slots(optimized, 1, "30min", PARIS, 0, FAR) == {900: [2], 1800: [1], 3300: [0]}
    assert mapping.slots([], 1, "30min", PARIS, 0, FAR) == mapping.slots({}, 1, "30min", PARIS, 0, FAR) == {}


def test_zero_is_a_value_and_null_is_none() -> None:
    found = mapping.slots({"900": [0, None, None, None], "2700": [None] * 4}, 4, "30min", PARIS, 0, FAR)
    assert found == {900: [0, None, None, None]}
    assert points(rows()["sum_energy_elec"], ENERGY, found) == [("1970-01-01T01:15:00+01:00", 0)]
    assert points(rows()["sum_energy_elec$0"], ENERGY, found) == []


@pytest.mark.parametrize("label", [1792922400 - 3600, 1792922400, 1792922400 + 3600])
def test_a_day_is_labelled_at_noon_whichever_way_the_service_counts(label: int) -> None:
    found = mapping.slots({str(label): [5]}, 1, "1day", PARIS, 0, FAR)
    assert points(rows()["sum_energy_elec"], ["sum_energy_elec"], found) == [("2026-10-25T12:00:00+01:00", 5)]


@pytest.mark.parametrize(
    "body",
    [
        None, 3, "x", [3], [{"beg_time": None, "value": []}], {"x": [1]}, {"1": 1}, {"1": [1, 2]}, {"1": [True]},
        {"1": [1e300]}, [{"beg_time": 1, "step_time": 0, "value": [[1], [1]]}], {"1": ["x"]}, {"1": None},
        [{"beg_time": 1, "step_time": -5, "value": [[1], [1]]}], {"99999999999": [1]}, [{"beg_time": 1, "value": [[]]}],
        [{"beg_time": 1, "value": 7}],
    ],
)  # fmt: skip
def test_an_answer_of_which_nothing_can_be_read_is_refused(body: Any) -> None:
    with pytest.raises(VendorError):
        mapping.slots(body, 1, "30min", PARIS, 0, FAR)


@pytest.mark.parametrize(
    "piece",
    [
        {"beg_time": 900}, {"beg_time": 900, "value": None}, {"value": [[1, 1]]}, None, 3, "x", [],
        {"beg_time": "x", "value": [[1, 1]]}, {"beg_time": 900, "step_time": 0, "value": [[1, 1]]},
        {"beg_time": 900, "value": [None]}, {"beg_time": 900, "value": [[1]]}, {"beg_time": 900, "value": [[1, 2, 3]]},
        {"beg_time": 900, "value": [["x", {}]]}, {"beg_time": 9e9, "value": [[1, 1]]},
    ],
)  # fmt: skip
def test_a_piece_that_cannot_be_read_is_skipped_and_the_rest_counts(piece: Any) -> None:
    good = {"beg_time": 9000, "step_time": 1800, "value": [[100, None], ["77", "0.02"], [1, True]]}
    right = {9000: [100, None], 10800: [77, 0.02], 12600: [1, None]}
    assert mapping.slots([piece, good], 2, "30min", PARIS, 0, FAR) == right
    assert mapping.slots([good, piece], 2, "30min", PARIS, 0, FAR) == right


def test_a_row_that_cannot_be_read_is_skipped_in_the_other_shape_too() -> None:
    found = mapping.measures({"900": [1], "x": [2], "2700": None, "4500": ["3"]}, 1, "30min", PARIS, 0, FAR)
    assert (found.slots, found.skipped) == ({900: [1], 4500: [3]}, 2)


def test_slots_without_any_value_are_told_apart_from_none() -> None:
    found = mapping.measures({"900": [5], "2700": [None], "4500": [None]}, 1, "30min", PARIS, 0, FAR)
    assert (found.slots, found.empty, found.skipped) == ({900: [5]}, 4500, 0)
    assert mapping.measures([{"beg_time": 900}], 1, "30min", PARIS, 0, FAR) == mapping.Measures({}, whole=False)
    assert mapping.measures([], 1, "30min", PARIS, 0, FAR) == mapping.Measures({})


def test_the_types_of_a_family_are_asked_for_together() -> None:
    every = list(rows().values())
    assert mapping.types_for([rows()["total_energy"]], every) == ENERGY
    assert len(mapping.types_for(every, every)) == 8
    gas = rows(consumptionType="fluid", sourceType="gas")
    assert [row.data["name"] for row in gas.values()] == ["Volume", "Coût"]
    assert mapping.types_for(gas.values(), gas.values()) == ["sum_fluid_consumption$0", "sum_fluid_price$0"]


def test_the_total_takes_the_generic_column_or_adds_the_tariffs() -> None:
    value_of = mapping.column_reader("total:sum_energy_elec", ENERGY)
    assert value_of([7, None, None, None]) == 7
    assert value_of([None, None, 238, 477]) == 715
    assert value_of([None, None, None, None]) is None
    assert value_of([None, 0, None, None]) == 0


def test_settings_that_do_not_exist_count_as_not_set() -> None:
    row = rows()["sum_energy_elec"]
    assert mapping.command_settings(row, {"scale": "5min", "collect": ""}) == {"collect": "auto", "scale": "30min"}
    assert mapping.command_settings(row, {"scale": "1day"})["scale"] == "1day"
