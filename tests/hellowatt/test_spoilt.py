"""Spoilt figures of the site leave those beside them as they are; what else becomes of them is in tests/fuzz."""

from __future__ import annotations

from datetime import date, timedelta

from jeenergied.devices.hellowatt import mapping

from tests.fuzz.hellowatt import FIRST, series
from tests.support.mutations import Mutator

CASES = 400
LAST = FIRST + timedelta(days=30)


def test_what_was_not_touched_is_as_it_was():
    document = series("electricity")
    truth = mapping.series(document, FIRST, LAST).days
    assert len(truth) == 31
    whole = 0
    for number in range(CASES):
        try:
            found = mapping.series(Mutator(f"hellowatt {number}").document(document), FIRST, LAST)
        except mapping.Unexpected:
            continue
        assert all(FIRST <= day <= LAST for day in found.days)
        assert all(0 <= value <= mapping.MAX_FIGURE * 40 for facts in found.days.values() for value in facts.values())
        whole += sum(found.days.get(day) == facts for day, facts in truth.items())
    assert whole > CASES * 25


def test_a_day_that_no_calendar_has_is_left_out():
    rows = [{"datetime": stamp, "valueKwh": 5} for stamp in ("2026-02-30", "0000-01-01", "9999-12-31T23:59:59-12:00")]
    rows.append({"datetime": "2026-01-05", "valueKwh": 5})
    assert set(mapping.series({"values": rows}, FIRST, LAST).days) == {date(2026, 1, 5)}
