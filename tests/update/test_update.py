"""From 0.1.0 to this version and back: the former store goes on, and 0.1.0 could read what this version writes.

`hellowatt_0.1.0.json` is the content of a store that the code of 21 November 2026 has written in its own test, after
eight hours at a simulated account on 10 March 2026: three months of days, the schedule, the session.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.store import Store
from jeedom_bridge.store.errors import DiskFull
from simulators.hellowatt import Customer, HelloWattSite, Home
from tests.hellowatt.harness import EMAIL, PASSWORD, Bench, at
from tests.support.disk import fill, small_disk

FORMER = json.loads((Path(__file__).parent / "hellowatt_0.1.0.json").read_text("utf-8"))
TABLE = (
    "CREATE TABLE entry (scope TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, "
    "PRIMARY KEY (scope, key)) WITHOUT ROWID"
)
"""As 0.1.0 made it."""


def write_as_former(path: Path, values: dict[str, dict[str, Any]]) -> None:
    """The store of 0.1.0: one table, journal in WAL mode."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(TABLE)
        rows = [(scope, key, json.dumps(value)) for scope, kept in values.items() for key, value in kept.items()]
        database.executemany("INSERT INTO entry VALUES (?,?,?)", rows)
        database.commit()


def read_as_former(path: Path) -> dict[str, dict[str, Any]]:
    """What 0.1.0 reads: every row of its table, as JSON."""
    found: dict[str, dict[str, Any]] = {}
    with closing(sqlite3.connect(path)) as database:
        for scope, key, value in database.execute("SELECT scope, key, value FROM entry"):
            found.setdefault(scope, {})[key] = json.loads(value)
    return found


def test_a_former_store_is_taken_as_it_is_and_can_be_read_by_0_1_0_again(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    write_as_former(path, FORMER)
    store = Store(path)
    assert store.damage is None
    assert store.scope("1") == FORMER["1"]
    store.put("1", "new", {"of": "this version"})
    store.back_up()
    store.close()
    back = read_as_former(path)
    assert {key: back["1"][key] for key in FORMER["1"]} == FORMER["1"]


def test_a_former_store_on_a_full_disk_is_read_and_stays_as_it_was_until_there_is_room() -> None:
    with small_disk(Path("/tmp") / f"update-{os.getpid()}", "1m") as place:
        path = place / "store.sqlite"
        write_as_former(path, FORMER)
        written = path.read_bytes()
        filler = fill(place)
        store = Store(path)
        assert store.damage is not None
        assert isinstance(store.damage.error, DiskFull), "and not damaged"
        assert store.scope("1") == FORMER["1"]
        with pytest.raises(DiskFull):
            store.put("1", "new", {"of": "this version", "long": "x" * 20_000})
        assert path.read_bytes() == written
        filler.unlink()
        store.put("1", "more", 1)
        store.close()
        back = read_as_former(path)["1"]
        assert {key: back[key] for key in FORMER["1"]} == FORMER["1"]
        assert (back["more"], back["new"]["of"]) == (1, "this version")
        assert Store(path).damage is None


def test_what_0_1_0_had_only_in_its_journal_when_it_died_on_a_full_disk_is_not_lost() -> None:
    with small_disk(Path("/tmp") / f"journal-{os.getpid()}", "1m") as place:
        path = place / "store.sqlite"
        write_as_former(path, {"1": {"days": [1], "token": "first"}})
        with closing(sqlite3.connect(path)) as running:
            running.execute("UPDATE entry SET value='\"second\"' WHERE key='token'")
            running.execute("INSERT INTO entry VALUES ('2', 'mark', '7')")
            running.commit()
            killed = {each.name: each.read_bytes() for each in place.iterdir() if not each.name.endswith("-shm")}
        assert "store.sqlite-wal" in killed
        for each in place.iterdir():
            each.unlink()
        for name, content in killed.items():
            (place / name).write_bytes(content)
        filler = fill(place)
        store = Store(path)
        assert store.get("1", "days") == [1]
        with pytest.raises(DiskFull):
            store.put("1", "days", [1, 2])
        filler.unlink()
        store.put("1", "more", 1)
        assert (store.get("1", "token"), store.get("2", "mark"), store.get("1", "days")) == ("second", 7, [1, 2])
        store.close()
        again = Store(path)
        assert again.damage is None
        assert (again.get("1", "token"), again.get("2", "mark"), again.get("1", "days")) == ("second", 7, [1, 2])


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Bench]:
    """The account goes on with the former store, ten minutes after 0.1.0 has ended."""
    clock = ManualClock(at("2026-03-10 20:10"))
    home = Home(502113, "99000000000417", None, date(2026, 1, 20))
    with HelloWattSite([Customer(EMAIL, PASSWORD, [home])], clock=clock.time) as site:
        write_as_former(tmp_path / "store.sqlite", FORMER)
        bench = Bench(tmp_path, site, clock, [("electricity", "502113")])
        try:
            yield bench.start()
        finally:
            bench.end()


def test_an_account_goes_on_where_0_1_0_has_left_off(running: Bench) -> None:
    assert running.jeedom.of("message") == []
    assert running.site.asked("conso_daily") == []
    assert running.jeedom.history("2", "conso_jour") == {}
    running.pass_time(86400.0)
    assert running.last_state["state"] == "online"
    days = running.jeedom.history("2", "conso_jour")
    sent = {int(day) for day in FORMER["1"]["sent.2.2026-03"]["conso_jour"]}
    assert days
    assert all(day.year == 2026 and (day.month, day.day) > (3, max(sent)) for day in days)
    back = read_as_former(running.folder / "store.sqlite")["1"]
    assert FORMER["1"].keys() - back.keys() <= {"session"}
    march = back["days.2026-03.electricity.502113"]
    assert march.items() >= FORMER["1"]["days.2026-03.electricity.502113"].items()
