"""Bounds of values: physical, or none."""

from __future__ import annotations

import pytest

from .harness import TYPES

KINDS = (None, *TYPES.data["equipment"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_bound_of_a_value_is_a_percentage(kind):
    bounded = [row for row in TYPES.all_rows(kind) if {"min", "max"} & set(row.data)]
    assert [row.logical_id for row in bounded if row.data["type"] == "info" and row.data.get("unit") != "%"] == []
    assert {(row.data["min"], row.data["max"]) for row in bounded} <= {(0, 100)}
