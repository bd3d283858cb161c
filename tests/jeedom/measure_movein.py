"""How long a large former plugin takes to be moved in and given back, in a real Jeedom: seconds, memory, progress.

Chargers of EaseeCharger are made until there are 300 commands, each with a point an hour of 400 days as the core
archives them. The move is asked for as the page does, and its progress looked at every half second.

    JEEDOM_ROOT=/var/www/html JEEDOM_URL=http://127.0.0.1 JEENERGIE_FORMER=<folder> \
        python tests/jeedom/measure_movein.py [days [commands]]
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import former_plugins
from former_plugins import code
from jeedom_host import ROOT, Jeedom

PLUGIN = "EaseeCharger"
MORE = """
    $home = jeeObject::all()[0];
    $eq = new EaseeCharger();
    $eq->setEqType_name('EaseeCharger')->setName('Borne ' . $argv[1])->setLogicalId('EH2000' . $argv[1]);
    $eq->setObject_id($home->getId())->setConfiguration('accountId', '7')->setIsEnable(1)->setIsVisible(1);
    $eq->save();
    $eq = eqLogic::byId($eq->getId());
    $eq->setIsEnable(1)->setIsVisible(1)->save(true);
    echo json_encode((int) $eq->getId());
"""
POINTS = """
    $count = fn($plugin) => array_sum(array_map(fn($table) => (int) DB::Prepare(
        "SELECT COUNT(*) AS n FROM $table h JOIN cmd c ON c.id = h.cmd_id WHERE c.eqType = ?", [$plugin], 0)['n'],
        ['history', 'historyArch']));
    echo json_encode([$count('EaseeCharger'), $count('jeenergie')]);
"""


def background() -> dict[str, int]:
    """Peak of resident memory (kB) of each process that the core runs in the background, by its id."""
    found = {}
    for each in Path("/proc").glob("[0-9]*"):
        try:
            command = (each / "cmdline").read_bytes()
            if command.startswith(b"php") and f"{ROOT}/core/".encode() in command and b"/jeeCron.php" in command:
                lines = (each / "status").read_text().splitlines()
                found[each.name] = int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
        except (OSError, StopIteration):
            continue
    return found


def watch(jeedom: Jeedom, action: str) -> dict[str, Any]:
    """Asks for it and looks until it has ended."""
    began = time.monotonic()
    jeedom.own(action, plugin=PLUGIN)
    asked = time.monotonic() - began
    steps: dict[str, float] = {}
    shown, peak = [], 0
    while True:
        (found,) = [each for each in jeedom.own("moveInList")["former"] if each["plugin"] == PLUGIN]
        progress = found["progress"]
        if "percent" in progress:  # else it is being written
            shown.append(progress["percent"])
        steps.setdefault(progress.get("step", ""), round(time.monotonic() - began, 1))
        peak = max([peak, *background().values()])
        if found["state"] in ("done", "undone"):
            break
        time.sleep(0.5)
    return {
        "asked_s": round(asked, 1),
        "whole_s": round(time.monotonic() - began, 1),
        "peak_MiB": peak // 1024,
        "steps_begin_s": steps,
        "percents_shown": len(set(shown)),
        "falls": sum(a > b for a, b in zip(shown[1:], shown[2:])),
        "report": found["report"],
    }


def main(days: int = 400, commands: int = 300) -> None:
    """Makes, moves, gives back and cleans up."""
    jeedom = Jeedom()
    former_plugins.clean(jeedom)
    former_plugins.install(PLUGIN)
    try:
        ids = former_plugins.make(jeedom, PLUGIN, 1)
        each = jeedom.php("echo json_encode(count(eqLogic::byId($argv[1])->getCmd()));", ids[0])
        ids += [jeedom.php(MORE, n) for n in range(2, -(-commands // each) + 1)]
        chosen = jeedom.php(code("chosen"), ids)
        former_plugins.use(jeedom, chosen[0], chosen[1], ids[0])
        for one in ids:
            jeedom.php(code("history"), json.dumps([one]), days)
        print(f"{len(ids)} chargers of {each} commands, {jeedom.php(POINTS)[0]} points", flush=True)
        began = time.monotonic()
        plan = jeedom.own("moveInPlan", plugin=PLUGIN)
        print(f"plan: {time.monotonic() - began:.1f} s, {plan['points']} points", flush=True)
        print("move:", json.dumps(watch(jeedom, "moveIn"), ensure_ascii=False), flush=True)
        print("points of the former one and ours:", jeedom.php(POINTS), flush=True)
        print("undo:", json.dumps(watch(jeedom, "moveInUndo"), ensure_ascii=False), flush=True)
    finally:
        former_plugins.clean(jeedom)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
