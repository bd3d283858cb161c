"""The core keeps current values in its cache only, and loses them: what stands must be there again, and true."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from jeedom_host import COST, STATE, Jeedom, moment
from test_jeedom_daemon import running, start, until

from simulators.easee import Account, EaseeCloud

WEB_USER = "www-data"
LOSE = """
    foreach (array_slice($argv, 2) as $each) {
        cache::byKey('cmdCacheAttr' . cmd::byEqLogicIdAndLogicalId($argv[1], $each)->getId())->remove();
    }
"""
SET_BACK = """
    $cmd = cmd::byEqLogicIdAndLogicalId($argv[1], $argv[2]);
    $date = date('Y-m-d H:i:s', time() - 3600);
    $cmd->setCache(['value' => 1.0, 'valueDate' => $date, 'collectDate' => $date]);
"""
MAKE_DATED = """
    $connection = new jeenergie();
    $connection->setEqType_name('jeenergie')->setName('Test ' . uniqid())->setIsEnable(1);
    $connection->setConfiguration('kind', 'connection')->setConfiguration('backend', 'hellowatt');
    $connection->setConfiguration('config', ['user' => 'x@example.org', 'password' => 'x']);
    $connection->save();
    $equipment = Discovery::create($connection, 'electricity', uniqid(), 'Test');
    Commands::createMissing($equipment, ['conso_jour']);
    echo json_encode(array_map('strval', ['connection' => $connection->getId(), 'equipment' => $equipment->getId()]));
"""
CACHE = "echo json_encode([config::byKey('cache::engine'), jeedom::getTmpFolder('cache')]);"
HELD = """
    $found = [];
    foreach (cmd::byEqLogicId($argv[1], 'info') as $cmd) {
        $value = $cmd->execCmd();
        if ($value !== '' && $value !== null) { $found[$cmd->getLogicalId()] = [$value, $cmd->getCollectDate()]; }
    }
    echo json_encode((object) $found);
"""


class TestTheCallback:
    """What Jeedom does with values that the daemon sends again."""

    @staticmethod
    def values(bench: dict[str, str], age: float, again: bool, **values: Any) -> dict[str, Any]:
        event = {"event": "values", "equipment": bench["equipment"], "at": moment(age), "values": values}
        return {**event, "again": True} if again else event

    def test_a_lost_value_comes_back_with_its_date_and_no_second_point(
        self, jeedom: Jeedom, bench: dict[str, str]
    ) -> None:
        jeedom.post(self.values(bench, 0, False, v0=12.5, v1=7.5))
        before = jeedom.php(STATE, bench["equipment"], "v0")
        jeedom.php(LOSE, bench["equipment"], "v0")
        assert jeedom.php(STATE, bench["equipment"], "v0")["value"] in ("", None)
        time.sleep(2.0)
        assert jeedom.post(self.values(bench, 2, True, v0=12.5, v1=7.5)).get("rejected") is None
        after = jeedom.php(STATE, bench["equipment"], "v0")
        assert after["value"] == 12.5
        assert -5 <= after["collected"] <= -1
        assert after["history"] == before["history"]
        assert len(after["history"]) == 1

    def test_what_is_there_stays_and_an_older_cache_gets_the_newer_value(
        self, jeedom: Jeedom, bench: dict[str, str]
    ) -> None:
        jeedom.post(self.values(bench, 0, False, v2=3.5))
        jeedom.post(self.values(bench, 1800, True, v2=99.5))
        assert jeedom.php(STATE, bench["equipment"], "v2")["value"] == 3.5
        jeedom.php(SET_BACK, bench["equipment"], "v2")
        jeedom.post(self.values(bench, 1800, True, v2=3.5))
        found = jeedom.php(STATE, bench["equipment"], "v2")
        assert found["value"] == 3.5
        assert found["collected"] == pytest.approx(-1800, abs=3)
        assert len(found["history"]) == 1

    def test_values_that_are_all_there_cost_one_look_at_the_cache(self, jeedom: Jeedom, bench: dict[str, str]) -> None:
        event = self.values(bench, 900, True, **{f"v{n}": n + 0.5 for n in range(10, 100)})
        cost = jeedom.php(COST, json.dumps([event]), json.dumps([event]))
        looks = 0 if jeedom.php(CACHE)[0] == "FileCache" else 90
        assert cost["queries"] <= 3 + looks

    def test_a_daemon_that_starts_brings_dated_measures_back_from_their_history(
        self, jeedom: Jeedom, quiet: None
    ) -> None:
        made = jeedom.php(MAKE_DATED)
        try:
            point = [moment(2 * 86400), 7.25]
            event = {"event": "history", "equipment": made["equipment"], "command": "conso_jour", "points": [point]}
            assert jeedom.post(event).get("rejected") is None
            before = jeedom.php(STATE, made["equipment"], "conso_jour")
            assert before["value"] == 7.25
            jeedom.php(LOSE, made["equipment"], "conso_jour")
            jeedom.post({"event": "daemon", "state": "started", "version": "0"})
            after = jeedom.php(STATE, made["equipment"], "conso_jour")
            assert after["value"] == 7.25
            assert after["collected"] == pytest.approx(-2 * 86400, abs=5)
            assert (after["history"], after["archive"]) == (before["history"], before["archive"])
        finally:
            for each in (made["equipment"], made["connection"]):
                jeedom.php("jeenergie::byId($argv[1])->remove();", each)

    def test_jeedom_says_that_its_cache_was_lost(self, jeedom: Jeedom, bench: dict[str, str]) -> None:
        jeedom.post(self.values(bench, 0, False, v3=1))
        assert "lost" not in jeedom.post(self.values(bench, 0, False, v3=2))
        jeedom.php("cache::byKey('eqLogicStatusAttr' . $argv[1])->remove();", bench["connection"])
        assert jeedom.post(self.values(bench, 0, False, v3=3))["lost"] is True
        assert "lost" not in jeedom.post(self.values(bench, 0, False, v3=4))


@pytest.fixture
def charger(jeedom: Jeedom) -> Iterator[tuple[EaseeCloud, str]]:
    """A charger at rest, in a Jeedom whose daemon has told all of it: (its cloud, id of the equipment)."""
    if jeedom.php("echo json_encode(jeenergie::dependancy_info()['state']);") != "ok":
        pytest.skip("the dependencies are not installed there")
    account = Account("lost@example.org", "branche-le-soir", ("EH000001",))
    with EaseeCloud([account], life=False) as cloud:
        if not running(jeedom):
            start(jeedom)
        connection = jeedom.own("addConnection", backend="easee", name="Valeurs perdues")["id"]
        try:
            config = {"user": account.user, "password": account.password}
            config.update(apiUrl=cloud.url, streamUrl=cloud.stream_url)
            form = {"id": connection, "isEnable": "1", "configuration": {"config": config}}
            jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))
            ticked = [{"type": "charger", "key": "EH000001", "name": "Borne", "config": {}}]
            jeedom.own("createDiscovered", connection=connection, equipment=ticked)
            until(lambda: children(jeedom, connection), 60)
            [equipment] = children(jeedom, connection)
            until(lambda: "offeredCurrent" in held(jeedom, equipment), 60)
            until(lambda: settled(jeedom, equipment), 60)
            yield cloud, equipment
        finally:
            for each in (*children(jeedom, connection), connection):
                jeedom.php("$found = jeenergie::byId($argv[1]); is_object($found) && $found->remove();", each)


def children(jeedom: Jeedom, connection: str) -> list[str]:
    found = "fn($each) => $each->getConfiguration('connection') == $argv[1]"
    ids = f"array_map(fn($each) => (string) $each->getId(), array_filter(jeenergie::byType('jeenergie'), {found}))"
    return list(jeedom.php(f"echo json_encode(array_values({ids}));", connection))


def held(jeedom: Jeedom, equipment: str) -> dict[str, Any]:
    """By logicalId: [value, local date] of what Jeedom has."""
    return dict(jeedom.php(HELD, equipment))


def settled(jeedom: Jeedom, equipment: str) -> bool:
    before = held(jeedom, equipment)
    time.sleep(1.0)
    return held(jeedom, equipment) == before


@contextmanager
def tiny_cache(jeedom: Jeedom) -> Iterator[Path]:
    """The core's cache on a disk of its own, empty: what was there comes back in the end."""
    engine, folder = jeedom.php(CACHE)
    if engine != "FileCache" or os.geteuid() != 0:
        pytest.skip("the cache is in the database, or only root may mount a disk")
    place = Path(folder)
    options = "size=256k,mode=0777"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=False).returncode:
        pytest.skip("no disk may be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def fill(place: Path) -> Path:
    filler = place / "filler"
    with suppress(OSError), filler.open("wb", 0) as file:
        while True:
            file.write(b"\0" * 4096)
    return filler


SAME = ("current_1", "current_2", "current_3", "dynamicChargerCurrent", "offeredCurrent", "lifetimeEnergy")


def test_a_charger_that_stands_is_whole_again_after_its_cache_was_full_and_lost(
    jeedom: Jeedom, charger: tuple[EaseeCloud, str]
) -> None:
    cloud, equipment = charger
    thing = cloud.chargers["EH000001"]
    before = held(jeedom, equipment)
    assert set(SAME) <= set(before)
    with ExitStack() as stack:
        place = stack.enter_context(tiny_cache(jeedom))
        stack.callback(jeedom.php, "touch(jeedom::getTmpFolder() . '/started');")
        filler = fill(place)
        for step in range(3):  # what arrives now is lost
            thing.set(150, 30 + step)
            time.sleep(1.0)
        filler.unlink()
        freed = time.monotonic()
        thing.set(150, 50)  # one that moves shows the plugin what has happened
        until(lambda: not set(before) - set(held(jeedom, equipment)), 100)
        print(f"all {len(before)} there {time.monotonic() - freed:.0f} s after the disk was free")
        is_as_before(before, held(jeedom, equipment))


def is_as_before(before: dict[str, Any], after: dict[str, Any]) -> None:
    """What stands has its value, and is no younger than it was, but for the seconds of its way."""
    assert {name: after[name][0] for name in SAME} == {name: before[name][0] for name in SAME}
    assert [name for name in SAME if after[name][1] > before[name][1]] == []


@pytest.mark.skipif(not os.environ.get("JEENERGIE_SLOW"), reason="takes 5 minutes: set JEENERGIE_SLOW")
def test_single_values_that_were_lost_without_a_trace_come_with_the_next_heartbeat(
    jeedom: Jeedom, charger: tuple[EaseeCloud, str]
) -> None:
    _, equipment = charger
    before = held(jeedom, equipment)
    jeedom.php(LOSE, equipment, *SAME)
    assert not set(SAME) & set(held(jeedom, equipment))
    lost = time.monotonic()
    until(lambda: not set(SAME) - set(held(jeedom, equipment)), 360)
    print(f"there {time.monotonic() - lost:.0f} s after the loss")
    is_as_before(before, held(jeedom, equipment))
