"""A dashboard of 100 of our equipment in a real Jeedom: our tiles beside the core's own widgets of the same commands.

The page of the house is measured with them, in the same turns.

Prints the table of docs/performance.md: seconds until the last tile stands there, then how long frames take while 100
values a second arrive by the core's events, and the work of the browser's main thread for them. The kinds of tiles are
measured in turns, each turn in a browser of its own, and medians are shown: figures of different hours do not compare.

    JEEDOM_ROOT=/var/www/html JEEDOM_URL=http://127.0.0.1 python tests/jeedom/measure_dashboard.py [turns]

It needs what the tests of this folder need (docs/testing.md).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time

from chromium import Chromium
from jeedom_host import BOOT, URL, Jeedom

EQUIPMENT = 100
TYPES = [
    ["easee", "charger"],
    ["wes", "teleinfo"],
    ["wes", "pince"],
    ["enphase", "combined"],
    ["hellowatt", "electricity"],
]
SECONDS = 10
"""So long frames are counted."""
PER_SECOND = 100
LATE_MS = 25.0
"""A frame that took longer has missed a sixtieth of a second, whatever the jitter of the clock."""

PLACE = """
    $place = new jeeObject();
    $place->setName('Cent tuiles ' . uniqid())->setIsVisible(1)->save();
    $connections = [];
    foreach (json_decode($argv[1], true) as $backend) {
        $connection = new jeenergie();
        $connection->setEqType_name('jeenergie')->setName("$backend " . uniqid())->setIsEnable(0);
        $connection->setObject_id($place->getId());
        $connection->setConfiguration('kind', 'connection')->setConfiguration('backend', $backend)->save();
        $connections[$backend] = $connection->getId();
    }
    echo json_encode(['place' => $place->getId(), 'connections' => $connections]);
"""
MAKE = """
    $ids = [];
    foreach (json_decode($argv[1], true) as [$id, $type, $n]) {
        $each = Discovery::create(jeenergie::byId($id), $type, (string) (1000 + $n), "Tuile $n", ['tile' => 'own']);
        // Enabled behind a connection that is not: nothing is asked of anyone.
        Row::update('eqLogic', $each->getId(), ['isEnable' => 1, 'isVisible' => 1], []);
        $ids[] = $each->getId();
        foreach (jeenergie::byId($each->getId())->getCmd('info') as $at => $cmd) {
            $value = $cmd->getSubType() === 'string' ? 'Texte' : $at + 0.5;
            $cmd->setCache(['value' => $value, 'valueDate' => date('c'), 'collectDate' => date('c')]);
        }
    }
    echo json_encode($ids);
"""
TILE = """
    foreach (json_decode($argv[1], true) as $id) {
        Row::update('eqLogic', $id, [], ['config.tile' => $argv[2]]);
    }
"""
SHOWN = """
    $ids = [];
    foreach (json_decode($argv[1], true) as $id) {
        foreach (jeenergie::byId($id)->getCmd('info', null, true, true) as $cmd) {
            if ($cmd->getSubType() === 'numeric') { $ids[] = $cmd->getId(); }
        }
    }
    echo json_encode($ids);
"""
HOME = """
    $home = House::home();
    $made = $home === null;
    if ($made) {
        $connection = new jeenergie();
        $connection->setEqType_name('jeenergie')->setName('house ' . uniqid())->setIsEnable(0);
        $connection->setConfiguration('kind', 'connection')->setConfiguration('backend', 'house')->save();
        $home = Discovery::create($connection, 'home', 'home', 'Maison ' . uniqid(), []);
        Row::update('eqLogic', $home->getId(), ['isEnable' => 1], []);
    }
    $ids = [];
    foreach (jeenergie::byId($home->getId())->getCmd('info') as $cmd) {
        $isDrawn = in_array($cmd->getLogicalId(), ['housePower', 'solarPower', 'gridPower', 'batteryPower'], true);
        if ($isDrawn) { $ids[] = $cmd->getId(); }
    }
    echo json_encode(['shown' => $ids, 'made' => $made ? [$home->getId(), $connection->getId()] : []]);
"""
REMOVE = """
    $made = json_decode($argv[1], true);
    foreach (array_merge($made['equipment'], array_values($made['connections'])) as $id) {
        is_object(jeenergie::byId($id)) && jeenergie::byId($id)->remove();
    }
    jeeObject::byId($made['place'])->remove();
"""
VALUES = """
    $ids = json_decode($argv[1], true);
    $end = microtime(true) + $argv[2];
    for ($n = 0; microtime(true) < $end; $n++) {
        $events = [];
        for ($i = 0; $i < $argv[3] / 10; $i++) {
            $value = mt_rand(0, 90000) / 10;
            $date = date('Y-m-d H:i:s');
            $events[] = ['cmd_id' => $ids[mt_rand(0, count($ids) - 1)], 'value' => $value, 'display_value' => $value,
                'unit' => 'W', 'raw_unit' => 'W', 'valueDate' => $date, 'collectDate' => $date,
                'alertLevel' => 'none'];
        }
        event::adds('cmd::update', $events);
        usleep(100000);
    }
"""
STARTED = """
    window.tiles = { first: null, last: null };
    new MutationObserver(() => {
        const there = document.querySelectorAll('.eqLogic-widget').length;
        if (there && !window.tiles.first) window.tiles.first = performance.now();
        if (there >= %d && !window.tiles.last) {
            requestAnimationFrame(() => setTimeout(() => { window.tiles.last = performance.now(); }));
            window.tiles.last = -1;
        }
    }).observe(document, { childList: true, subtree: true });
"""
FRAMES = """new Promise(done => {
    const frames = [], end = performance.now() + %d * 1000;
    let news = 0, last = performance.now();
    document.body.addEventListener('cmd::update', event => { news += [].concat(event.detail || []).length; });
    if (window.jQuery) jQuery('body').on('cmd::update', (event, all) => { news += all ? [].concat(all).length : 0; });
    const tick = now => {
        frames.push(now - last);
        last = now;
        if (now < end) requestAnimationFrame(tick); else done(JSON.stringify({ frames: frames.slice(1), news }));
    };
    requestAnimationFrame(tick);
})"""
WORK = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration")


def metrics(browser: Chromium) -> dict[str, float]:
    told = browser.send("Performance.getMetrics")["metrics"]
    return {each["name"]: each["value"] for each in told if each["name"] in WORK}


LOAD_S = 180.0
LOADED = "window.tiles.last > 0"
DRAWN = """document.querySelector('.jhPicture svg')
    && (window.tiles.last = performance.getEntriesByName('jeenergieHouseDrawn')[0]?.startTime)"""


def turn(page: str, loaded: str, shown: list[int]) -> dict[str, float]:
    """One browser: loads the page, then looks at frames without and with values."""
    with Chromium() as browser:
        browser.patience(LOAD_S)
        browser.sign_in(URL, os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin"))
        browser.send("Performance.enable", timeDomain="threadTicks")
        browser.send("Page.addScriptToEvaluateOnNewDocument", source=STARTED % EQUIPMENT)
        page = f"{URL}/index.php?v=d&{page}"
        browser.goto(page)  # the second load is measured: files are in the browser's cache
        browser.until(loaded, LOAD_S)
        browser.goto(page + "&again=1")
        browser.until(loaded, LOAD_S)
        found = {"loaded": browser.run("window.tiles.last") / 1000}
        found["work"] = metrics(browser)["TaskDuration"]
        time.sleep(5)
        browser.send("Runtime.evaluate", expression=FRAMES % 3, awaitPromise=True)
        command = ["sudo", "-u", "www-data", "php", "-r", BOOT + VALUES, "--"]
        arguments = [json.dumps(shown), str(SECONDS + 6), str(PER_SECOND)]
        sender = subprocess.Popen([*command, *arguments])
        time.sleep(3)
        before = metrics(browser)
        seen = json.loads(browser.run(FRAMES % SECONDS))
        after = metrics(browser)
        sender.wait()
    frames = sorted(seen["frames"])
    found["news"] = seen["news"] / SECONDS
    found["fps"] = len(frames) / (sum(frames) / 1000)
    found["p99"] = frames[int(len(frames) * 0.99)]
    found["longest"] = frames[-1]
    found["late"] = 100 * sum(each > LATE_MS for each in frames) / len(frames)
    for name in WORK:
        found[name] = (after[name] - before[name]) / SECONDS * 1000
    return found


def main() -> None:
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    jeedom = Jeedom()
    made = jeedom.php(PLACE, json.dumps(sorted({backend for backend, _ in TYPES})))
    made["equipment"] = []
    kinds = {"own": "ours", "core": "core's widgets", "house": "page of the house"}
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    try:
        rows = []
        for number in range(EQUIPMENT):
            backend, kind = TYPES[number % len(TYPES)]
            rows.append([made["connections"][backend], kind, number])
        for first in range(0, EQUIPMENT, 10):
            made["equipment"] += jeedom.php(MAKE, json.dumps(rows[first : first + 10]))
        shown = jeedom.php(SHOWN, json.dumps(made["equipment"]))
        home = jeedom.php(HOME)
        made["equipment"] += home["made"]
        tiles = made["equipment"][:EQUIPMENT]
        for number in range(turns):
            for kind in kinds if number % 2 == 0 else reversed(list(kinds)):
                if kind == "house":
                    found[kind].append(turn("m=jeenergie&p=panel", DRAWN, home["shown"]))
                else:
                    jeedom.php(TILE, json.dumps(tiles), kind)
                    page = f"p=dashboard&object_id={made['place']}&childs=0"
                    found[kind].append(turn(page, LOADED, shown))
                print(
                    kind,
                    {name: round(value, 2) for name, value in found[kind][-1].items()},
                    file=sys.stderr,
                    flush=True,
                )
    finally:
        jeedom.php(REMOVE, json.dumps(made))
    columns = {
        "loaded": "last tile, s",
        "work": "work until then, s",
        "news": "values a second",
        "fps": "frames a second",
        "late": "frames over 25 ms, %",
        "p99": "99 % of frames, ms",
        "longest": "longest, ms",
        "TaskDuration": "main thread, ms/s",
        "ScriptDuration": "scripts",
        "LayoutDuration": "layout",
        "RecalcStyleDuration": "style",
    }
    print(f"| tiles | {' | '.join(columns.values())} |\n|---|{'---:|' * len(columns)}")
    for kind, name in kinds.items():
        row = [statistics.median(each[column] for each in found[kind]) for column in columns]
        print(f"| {name} | {' | '.join(f'{each:.2f}' if each < 10 else f'{each:.0f}' for each in row)} |")


if __name__ == "__main__":
    main()
