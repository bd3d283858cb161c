"""The order in which workers get their tests."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from tests.conftest import begun_with_slow


def named(name: str) -> Any:
    """A test; slow ones are capitals."""
    found = mock.Mock(get_closest_marker=lambda _: name.isupper())
    found.name = name
    return found


@pytest.mark.parametrize(
    ("workers", "before", "after"),
    [
        (1, "abCd", "abCd"),
        (2, "abcdEfgH", "EHabcdfg"),
        (2, "aBCDEF", "BCDEFa"),
        (3, "abcdefg", "abcdefg"),
        (3, "aAbcdefBC", "ACabcdBef"),
        (4, "aAbcBdef", "AabcBdef"),
    ],
)
def test_every_other_worker_begins_with_its_share_of_the_slow_ones(workers: int, before: str, after: str) -> None:
    ordered = begun_with_slow([named(each) for each in before], workers)
    assert "".join(each.name for each in ordered) == after
