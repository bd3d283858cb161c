"""Sums with missing parts, probes that are unplugged, numbers as text."""

from __future__ import annotations

import pytest
from jeenergied.devices.common.numbers import finite
from jeenergied.devices.common.sensor_guard import SensorGuard, SensorLimits
from jeenergied.devices.common.whole_sum import WholeSum

PROBE = SensorLimits(-55.0, 125.0, markers=(0.0, 85.0, -127.0), near=2.0, gone_s=300)


def test_a_sum_waits_for_all_parts_that_are_known_to_exist() -> None:
    first = WholeSum(120)
    first.put("acb", 260.0, 0)
    assert first.total() == (260.0, 0)
    first.put("iq", 105.0, 10)
    assert first.total() == (365.0, 0)
    again = WholeSum(120, first.parts)  # after a restart
    again.put("acb", 260.0, 100)
    assert again.total() is None
    again.put("iq", 105.0, 160)
    assert again.total() == (365.0, 100)


def test_a_sum_is_unknown_while_a_part_is_unknown_or_old() -> None:
    whole = WholeSum(120)
    whole.put("a", 1.0, 0)
    whole.put("b", 2.0, 100)
    assert whole.total() == (3.0, 0)
    whole.put("b", 2.0, 130)
    assert whole.total() is None
    whole.put("a", 1.0, 140)
    whole.put("b", None, 150)
    assert whole.total() is None
    whole.drop("b")
    assert whole.total() == (1.0, 140)


def test_a_sum_of_nothing_is_not_zero() -> None:
    assert WholeSum(1).total() is None


def test_a_probe_that_is_unplugged_gives_no_zero_degrees() -> None:
    guard = SensorGuard(PROBE)
    assert guard.read(21.5, 0) == 21.5
    assert [guard.read(0.0, second) for second in (10, 20, 200)] == [None] * 3
    assert not guard.gone
    assert guard.read(0.0, 310) is None
    assert guard.gone
    assert guard.read(21.3, 320) == 21.3
    assert not guard.gone


@pytest.mark.parametrize(("before", "value"), [(1.5, 0.0), (84.2, 85.0), (-0.4, 0.0)])
def test_a_probe_near_a_marker_may_read_it(before: float, value: float) -> None:
    guard = SensorGuard(PROBE)
    guard.read(before, 0)
    assert guard.read(value, 10) == value


@pytest.mark.parametrize("value", [85.0, -127.0, 0.0, 900.0, -300.0])
def test_a_first_marker_and_the_impossible_are_no_measurements(value: float) -> None:
    guard = SensorGuard(PROBE)
    assert guard.read(value, 0) is None
    assert guard.read(value, 1) is None


def test_a_clock_that_was_stepped_back_does_not_call_a_probe_gone() -> None:
    guard = SensorGuard(PROBE)
    guard.read(21.0, 10_000)
    guard.read(0.0, 10_010)
    guard.read(0.0, 5_000)
    assert not guard.gone


@pytest.mark.parametrize(
    ("value", "expected"),
    [(3, 3.0), ("3,5", 3.5), (" 77 ", 77.0), ("-1e3", -1000.0), (0, 0.0)]
    + [
        (each, None)
        for each in (True, None, "", "x", "nan", "inf", float("nan"), 10**400, "1_0", "1" * 50, "\u0661\u0662", [], {})
    ],
)
def test_finite_numbers(value: object, expected: float | None) -> None:
    assert finite(value) == expected
