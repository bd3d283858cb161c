"""Spoiled answers of the site: no crash, and nothing that is out of reason."""

from __future__ import annotations

import copy
import os
import random
from datetime import date, timedelta
from typing import Any

from jeenergied.devices.hellowatt import mapping
from jeenergied.devices.hellowatt.pages import Page

from simulators.hellowatt import Home
from simulators.hellowatt.pages import login_page

from .harness import CATALOGUE, at

RUNS = int(os.environ.get("FUZZ_RUNS", "400"))
FIRST, LAST = date(2026, 1, 1), date(2026, 1, 31)
JUNK: list[Any] = [None, "", "12.5", True, [], {}, [[]], 0, -1, 2.5, 10**400, -(10**18), 1e300, float("nan"), "é" * 99]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        found += [each for key, part in value.items() for each in places(part, (*path, key))]
    elif isinstance(value, list):
        found += [each for key, part in enumerate(value) for each in places(part, (*path, key))]
    return found


def spoiled(document: Any, dice: random.Random) -> Any:
    document = copy.deepcopy(document)
    for _ in range(dice.choice((1, 1, 2, 8))):
        path = dice.choice(places(document))
        if not path:
            continue
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        if dice.random() < 0.3:
            del parent[path[-1]]
        elif isinstance(parent, list) and dice.random() < 0.4:
            parent.append(copy.deepcopy(dice.choice(parent)))
        else:
            parent[path[-1]] = copy.deepcopy(dice.choice(JUNK))
    return document


def original() -> dict[str, Any]:
    home = Home(1, "99000000000417", tariffs=((date(2000, 1, 1), "tempo"), (date(2026, 1, 20), "hphc")), solar=True)
    days = [FIRST + timedelta(days=n) for n in range(31)]
    return {"values": [home.row("electricity", day, at("2026-03-01 00:00"), FIRST) for day in days], "next": None}


def test_spoiled_series_give_days_in_range_and_figures_in_reason():
    dice, document = random.Random("hellowatt"), original()
    truth = mapping.series(document, FIRST, LAST).days
    rows = [row for row in CATALOGUE.all_rows("electricity") if row.dated]
    whole = 0
    for _ in range(RUNS):
        try:
            found = mapping.series(spoiled(document, dice), FIRST, LAST)
        except mapping.Unexpected:
            continue
        assert all(FIRST <= day <= LAST for day in found.days)
        assert all(0 <= value <= mapping.LIMIT * 40 for facts in found.days.values() for value in facts.values())
        mapping.points(rows, found.days)
        # What was not touched is as it was.
        whole += sum(found.days.get(day) == facts for day, facts in truth.items())
    assert whole > RUNS * 25


def test_spoiled_homes_and_contracts_are_no_crash():
    dice = random.Random("homes")
    home = Home(502113, "99000000000417", "99000000000888")
    for _ in range(RUNS):
        try:
            for each in mapping.homes(spoiled([home.described()] * 2, dice)):
                assert each.id
        except mapping.Unexpected:
            pass
        for energy in ("electricity", "gas"):
            assert all(mapping.contract(spoiled(home.contracts(), dice), energy).values())


def test_spoiled_pages_are_no_crash():
    dice = random.Random("pages")
    page = login_page("t" * 64).encode()
    for _ in range(RUNS):
        body = bytearray(page)
        for _ in range(dice.randrange(1, 40)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        found = Page(bytes(body[: dice.randrange(len(body) + 1)]))
        assert isinstance(found.token(), str)
        assert found.challenged in (True, False)
