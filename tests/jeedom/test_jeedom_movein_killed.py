"""Moves of each former plugin, killed at random moments in a real Jeedom: continued or undone, nothing half.

JEENERGIE_SEED chooses other moments; JEENERGIE_KILLS how many.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from typing import Any

import pytest
from former_plugins import code
from jeedom_host import BOOT, Jeedom
from test_jeedom_movein import LEFT, NOTED, SHAPE, check_moved, named
from test_jeedom_movein import house as house
from test_jeedom_movein import plugin as plugin

SEED = os.environ.get("JEENERGIE_SEED", "24")
KILLS = int(os.environ.get("JEENERGIE_KILLS", "10"))
OURS = code("ours")
BEGIN = "Move::begin(Former::of($argv[1])); echo '[]';"
BEGIN_UNDO = "Undo::begin(Former::of($argv[1]), Journal::of($argv[1])); echo '[]';"


class Work:
    """What is not finished, run to its end or killed: by itself at a statement, or from outside after a time."""

    def __init__(self, seed: str) -> None:
        self.chance = random.Random(seed)
        self.statements = 0
        self.seconds = 0.0
        self.killed = 0

    def whole(self) -> Work:
        """Runs to the end; what it takes is the measure of later kills."""
        began = time.monotonic()
        self.statements = self._run(-1, "before", None)
        self.seconds = time.monotonic() - began
        return self

    def finish(self) -> None:
        self._run(-1, "before", None)

    def die(self) -> None:
        """Runs until a random moment; less work than was measured may end before that."""
        share = self.chance.random()
        if self.chance.random() < 0.7:
            at, where = int(self.statements * share), self.chance.choice(["before", "after"])
            print(f"killed {where} statement {at} of {self.statements}")
            self._run(at, where, None)
        else:
            share /= 2  # the machine may be faster by now
            print(f"killed after {share:.2f} of {self.seconds:.1f} s")
            self._run(-1, "before", self.seconds * share)

    def die_after(self, counted: str, number: int) -> None:
        """Runs until the server has such a statement."""
        before = self.killed
        self._run(number, "after", None, counted)
        assert self.killed == before + 1

    def _run(self, statement: int, where: str, seconds: float | None, counted: str = "//") -> int:
        as_web_user = {"user": "www-data", "group": "www-data"} if os.geteuid() == 0 else {}
        command = [
            "php",
            "-d",
            "display_errors=stderr",
            "-r",
            BOOT + code("dying"),
            "--",
            str(statement),
            where,
            counted,
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **as_web_user) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            try:
                process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
            rest = process.stdout.read()
        self.killed += process.returncode == -9
        assert process.returncode in (0, -9)
        return int(rest or 0)


def test_killed_at_random_moments_it_goes_on_or_is_undone(jeedom: Jeedom, house: dict[str, Any]) -> None:
    plugin = house["plugin"]
    print(f"JEENERGIE_SEED={SEED}")
    names, shape, count = named(jeedom), jeedom.php(SHAPE, plugin), jeedom.php(LEFT)
    move, undo = Work(f"{SEED} move {plugin}"), Work(f"{SEED} undo {plugin}")
    jeedom.php(BEGIN, plugin)
    move.whole()
    check_moved(jeedom, house, names)
    ours = jeedom.php(OURS)
    jeedom.php(BEGIN_UNDO, plugin)
    undo.whole()
    for kill in range(KILLS):
        print(f"kill {kill} of {plugin}")
        jeedom.php(BEGIN, plugin)
        move.die()
        if kill % 2:  # undone in the middle, and that killed as well
            jeedom.php(BEGIN_UNDO, plugin)
            undo.die()
        move.finish()
        noted = jeedom.php(NOTED, plugin)
        if kill % 2:
            assert noted["state"] == "undone"
        else:
            assert noted["state"] == "done"
            check_moved(jeedom, house, names)
            assert jeedom.php(OURS) == ours, kill
            jeedom.php(BEGIN_UNDO, plugin)
            move.finish()
        assert named(jeedom) == names, kill
        assert jeedom.php(SHAPE, plugin) == shape, kill
        assert jeedom.php(LEFT) == count, kill
    jeedom.php(BEGIN, plugin)
    move.finish()
    check_moved(jeedom, house, names)
    print(f"killed {move.killed} moves and {undo.killed} undoings")
    assert move.killed >= KILLS // 2


MADE = "/^INSERT INTO `?eqLogic/i"
OWN_CONNECTION = """
    $mine = new jeenergie();
    $mine->setEqType_name('jeenergie')->setName('Le mien ' . uniqid())->setIsEnable(0);
    $mine->setConfiguration('kind', 'connection')->setConfiguration('backend', 'easee');
    $mine->setConfiguration('config', ['user' => 'moi@exemple.fr', 'password' => 's3cret']);
    $mine->save();
    echo json_encode($mine->getId());
"""
REMOVE = """
    $mine = jeenergie::byId($argv[1]);
    foreach ($mine->equipment() as $each) { $each->remove(); }
    $mine->remove();
"""


@pytest.mark.parametrize("plugin", ["EaseeCharger"], indirect=True)
@pytest.mark.parametrize(("number", "own"), [(0, False), (1, False), (0, True)], ids=["first", "second", "user's own"])
def test_killed_after_making_and_before_noting_it_nothing_is_left(
    jeedom: Jeedom, house: dict[str, Any], number: int, own: bool
) -> None:
    """A connection or an equipment whose id is not in the journal yet."""
    plugin, work = house["plugin"], Work("")
    mine = jeedom.php(OWN_CONNECTION) if own else None
    try:
        count = jeedom.php(LEFT)
        jeedom.php(BEGIN, plugin)
        work.die_after(MADE, number)
        assert jeedom.php(LEFT) == count + number + 1
        jeedom.php(BEGIN_UNDO, plugin)
        work.finish()
        assert jeedom.php(NOTED, plugin)["state"] == "undone"
        assert jeedom.php(LEFT) == count
    finally:
        if own:
            jeedom.php(REMOVE, mine)
