"""Spoiled answers: the mapping never raises, and never makes a value of a field that is not there."""

from __future__ import annotations

import copy
import os
import random
from typing import Any

import pytest

from .harness import RECORDED
from .oracle import Oracle
from .pure import run

if not RECORDED.is_dir():
    pytest.skip("no recorded answers here", allow_module_level=True)

from .test_recorded import FOLDERS, check, docs_of

RUNS = int(os.environ.get("FUZZ_RUNS", "150"))
ENDPOINTS = ("ivp_meters", "ivp_meters_readings", "production.json", "api_v1_production", "api_v1_production_inverters")
JUNK: list[Any] = [
    None,
    "",
    "12.5",
    "enabled",
    True,
    False,
    [],
    {},
    [[]],
    {"eid": []},
    0,
    0.0,
    -1,
    3,
    2.5,
    10**400,
    -(10**18),
    1e300,
    float("nan"),
    float("inf"),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every part of a document."""
    found = [path]
    if isinstance(value, dict):
        found += [each for key, part in value.items() for each in places(part, (*path, key))]
    elif isinstance(value, list):
        found += [each for key, part in enumerate(value) for each in places(part, (*path, key))]
    return found


def spoiled(document: Any, dice: random.Random) -> Any:
    """A copy with one to four parts replaced, removed, doubled or out of order."""
    document = copy.deepcopy(document)
    for _ in range(dice.choice((1, 1, 2, 4))):
        path = dice.choice(places(document))
        if not path:
            if dice.random() < 0.1:
                document = copy.deepcopy(dice.choice(JUNK))
            continue
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        what = dice.randrange(4)
        if what == 0:
            del parent[path[-1]]
        elif what == 1 and isinstance(parent, list):
            dice.shuffle(parent)
        elif what == 2 and isinstance(parent, list):
            parent.append(copy.deepcopy(dice.choice(parent)))
        else:
            parent[path[-1]] = copy.deepcopy(dice.choice(JUNK))
    return document


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_spoiled_answers_give_what_is_left_of_them_and_nothing_else(endpoint):
    dice = random.Random(f"enphase {endpoint}")
    originals = [docs for docs in map(docs_of, FOLDERS) if endpoint in docs]
    for _ in range(RUNS):
        docs = dict(dice.choice(originals))
        docs[endpoint] = spoiled(docs[endpoint], dice)
        inverters = Oracle(docs, True).inverters(float(docs["time"]))
        values = run(docs, tuple(inverters))
        combined = Oracle(docs, True).combined()
        check(values.pop("2", {}), combined)
        if combined:
            assert set(values) == {serial for serial, wanted in inverters.items() if wanted}
            for serial, found in values.items():
                check(found, inverters[serial])


def test_an_answer_that_is_another_kind_of_thing_gives_nothing():
    docs = dict(docs_of(FOLDERS[1]))
    for junk in JUNK:
        assert run({**docs, **dict.fromkeys(ENDPOINTS, junk)}) == {}


MORE = ("ivp_ensemble_inventory", "ivp_ensemble_secctrl", "ivp_ensemble_power", "ivp_pdm_device_data")


@pytest.mark.parametrize("endpoint", [*MORE, "ivp_meters_readings", "production.json"])
def test_spoiled_answers_never_give_what_cannot_be(endpoint):
    dice = random.Random(f"enphase more {endpoint}")
    originals = [docs for docs in map(docs_of, FOLDERS) if endpoint in docs]
    for _ in range(RUNS // 3):
        docs = dict(dice.choice(originals))
        docs[endpoint] = spoiled(docs[endpoint], dice)
        for command, value in run(docs, every=True).get("2", {}).items():
            assert value is not None, command
            if "erc" in command.lower():  # batperc, ENC_pourcent
                assert 0 <= value <= 100, command
            if "pwrFactor" in command:
                assert -1 <= value <= 1, command
            if "Today" in command and "Net" not in command:
                assert value >= 0, command
