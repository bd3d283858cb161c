"""Spoilt pages give exactly what is left of them: every value that they still hold, and none that they do not.

What comes out of pages that are broken in other ways is in tests/fuzz.
"""

from __future__ import annotations

import pytest

from tests.support.mutations import JUNK, Mutator

from .oracle import Oracle
from .pure import run
from .test_recorded import FOLDERS, check, docs_of

CASES = 150
ENDPOINTS = ("ivp_meters", "ivp_meters_readings", "production.json", "api_v1_production", "api_v1_production_inverters")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_spoilt_answers_give_what_is_left_of_them_and_nothing_else(endpoint):
    originals = [docs for docs in map(docs_of, FOLDERS) if endpoint in docs]
    for number in range(CASES):
        mutator = Mutator(f"enphase {endpoint} {number}")
        docs = dict(mutator.dice.choice(originals))
        docs[endpoint] = mutator.document(docs[endpoint])
        inverters = Oracle(docs, True).inverters(float(docs["time"]))
        values = run(docs, tuple(inverters))
        combined = Oracle(docs, True).combined()
        check(values.pop("2", {}), combined)
        if combined:
            assert set(values) == {serial for serial, wanted in inverters.items() if wanted}
            for serial, found in values.items():
                check(found, inverters[serial])


@pytest.mark.parametrize("count", [10**400, -(10**400), -3, 1e300, True, None, "7"])
def test_an_absurd_count_of_inverters_leaves_all_values(count):
    docs = docs_of(FOLDERS[0])
    good = run(docs)
    inverters = next(entry for entry in docs["production.json"]["production"] if entry["type"] == "inverters")
    inverters["activeCount"] = count
    assert run(docs) == good
    assert "2" in good


def test_an_answer_that_is_another_kind_of_thing_gives_nothing():
    docs = dict(docs_of(FOLDERS[1]))
    for junk in JUNK:
        assert run({**docs, **dict.fromkeys(ENDPOINTS, junk)}) == {}
