"""How long a user waits, per system, in a real Jeedom against the simulators: prints the two tables of docs/testing.md.

From Save to values: seconds until the equipment is there with its commands, and until the last of its values is. From a
device that dies (its connections stay open and nothing answers any more) to its state in Jeedom, on a tile and on the
page; what is asked too seldom to be missed within the time watched is refreshed as by its button then.

    JEEDOM_ROOT=/var/www/html JEEDOM_URL=http://127.0.0.1 python tests/jeedom/measure_waits.py

It needs what the tests of this folder need (docs/testing.md), and takes ten minutes. Intervals are the default ones.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlsplit

sys.path.append(str(Path(__file__).resolve().parents[2]))

from chromium import Chromium
from jeedom_host import BOOT, URL, Jeedom
from vendors import disconnect, vendors

VALUES_S = 45.0
"""Seconds after a save in which values are waited for."""
DEATH_S = 210.0
"""Seconds after the deaths in which states change by themselves."""
REFRESH_S = 60.0
"""Seconds after a refresh in which its failure is waited for: the slowest site may take 45 s for an answer."""
TICKED = ("wes", "easee")
"""Systems whose equipment the user chooses."""
PROMISED_S = 3.0
"""Seconds within which the known values of an equipment are there."""

WATCH = """
    $since = microtime(true);
    $last = $since;
    $seen = ['values' => [], 'states' => [], 'equipment' => []];
    $counts = [];
    $db = DB::getConnection();
    while (microtime(true) < $since + $argv[1]) {
        foreach ($db->query('SELECT * FROM event WHERE datetime > ' . sprintf('%.6F', $last)) as $each) {
            $last = max($last, (float) $each['datetime']);
            $option = json_decode($each['option'] ?? $each['data'] ?? '{}', true);
            foreach (isset($option[0]) ? $option : [$option] as $one) {
                if ($each['name'] === 'cmd::update') {
                    $seen['values'] += [$one['cmd_id'] => (float) $each['datetime']];
                } elseif ($each['name'] === 'jeenergie::state') {
                    $seen['states'][] = [(string) $one['id'], $one['state'], (float) $each['datetime']];
                }
            }
        }
        $count = "SELECT eqLogic_id, COUNT(*) AS commands FROM cmd WHERE eqType = 'jeenergie' GROUP BY eqLogic_id";
        foreach ($db->query($count) as $each) {
            if (($counts[$each['eqLogic_id']] ?? 0) < $each['commands']) {
                $counts[$each['eqLogic_id']] = $each['commands'];
                $seen['equipment'][$each['eqLogic_id']] = microtime(true);
            }
        }
        usleep(50000);
    }
    foreach (['values', 'equipment'] as $kind) { $seen[$kind] = (object) $seen[$kind]; }
    echo json_encode($seen);
"""
COMMANDS = """
    $found = [];
    foreach (jeenergie::byType('jeenergie') as $each) {
        $of = $each->isConnection() ? (string) $each->getId() : (string) $each->getConfiguration('connection');
        $commands = [];
        foreach ($each->getCmd('info') as $cmd) { $commands[$cmd->getId()] = $cmd->getLogicalId(); }
        $found[] = ['id' => (string) $each->getId(), 'connection' => $of, 'backend' => $each->backend(),
            'isConnection' => $each->isConnection(), 'name' => $each->getName(), 'commands' => (object) $commands];
    }
    echo json_encode($found);
"""
CLEAN = """
    foreach ([false, true] as $isConnection) {
        foreach (jeenergie::byType('jeenergie') as $each) {
            if ($each->isConnection() === $isConnection) { $each->remove(); }
        }
    }
    config::remove('automatic::house', 'jeenergie');
"""
READY = """
    config::save('dontProtectTooFastLaunchDeamony', 1);
    config::save('deamonAutoMode', 1, 'jeenergie');
    if (jeenergie::deamon_info()['state'] !== 'ok') { plugin::byId('jeenergie')->deamon_start(true); }
    foreach (jeeObject::all() as $each) { echo json_encode((string) $each->getId()); break; }
"""
NOTE = """
    window.firstSeen = {};
    setInterval(() => {
        for (const id of %s) if (!(id in window.firstSeen) && (%s)(id)) window.firstSeen[id] = Date.now() / 1000;
    }, 50);
"""
ON_A_TILE = (
    """id => [...document.querySelectorAll('.jtHealth[data-jt-states~="' + id + '"]')].some(each => !each.hidden)"""
)
ON_THE_PAGE = """id => {
    const label = document.querySelector('.jnState[data-state_of="' + id + '"] .label');
    return label && !label.classList.contains('label-success');
}"""


class Wire:
    """Hands bytes to a server, until it is cut: then all stays open and nothing comes any more."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            far = socket.create_connection(("127.0.0.1", self._to))
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                while self.is_cut:
                    time.sleep(1)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def wired(config: dict[str, Any]) -> list[Wire]:
    """Lets the addresses of a connection's settings lead over wires."""
    wires = []
    for key, value in config.items():
        if key == "port" or (key in ("apiUrl", "streamUrl", "siteUrl") and value):
            port = value if key == "port" else urlsplit(value).port
            wires.append(Wire(int(port)))
            config[key] = wires[-1].port if key == "port" else value.replace(f":{port}", f":{wires[-1].port}")
    return wires


class Watch:
    """What Jeedom tells its pages from now on, for so many seconds."""

    def __init__(self, seconds: float) -> None:
        command = ["sudo", "-u", "www-data", "php", "-r", BOOT + WATCH, "--", str(seconds)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        time.sleep(2)  # PHP loads the core

    def runs(self) -> bool:
        return self._process.poll() is None

    def result(self) -> dict[str, Any]:
        return dict(json.loads(self._process.communicate()[0]))


def first_values(jeedom: Jeedom, place: str, backend: str, config: dict[str, Any]) -> tuple[str, list[tuple[str, ...]]]:
    """As a user: saves the connection; where equipment is to be ticked, it is what he saves then that counts."""
    connection = str(jeedom.own("addConnection", backend=backend, name=f"Attente {backend}")["id"])
    form = {"id": connection, "isEnable": "1", "object_id": place, "configuration": {"config": config}}
    save = {"action": "save", "type": "jeenergie", "eqLogic": json.dumps([form])}
    if backend in TICKED:
        jeedom.core("eqLogic", **save)
        found = jeedom.own("discover", connection=connection)["equipment"]
        ticked = [each for each in found if each.get("active", True)]
    watch = Watch(VALUES_S)
    clicked = time.time()
    if backend in TICKED:
        jeedom.own("createDiscovered", connection=connection, equipment=ticked)
    else:
        jeedom.core("eqLogic", **save)
    seen = watch.result()
    rows = [row(jeedom, backend, connection, clicked, seen)]
    if backend == "enphase":  # the house makes itself with the first meter
        home = next((each for each in jeedom.php(COMMANDS) if each["backend"] == "house"), None)
        rows += [row(jeedom, "house", home["connection"], clicked, seen)] if home else []
    return connection, rows


def row(jeedom: Jeedom, backend: str, connection: str, clicked: float, seen: dict[str, Any]) -> tuple[str, ...]:
    equipment = [each for each in jeedom.php(COMMANDS) if each["connection"] == connection and not each["isConnection"]]
    there = [seen["equipment"][each["id"]] for each in equipment if each["id"] in seen["equipment"]]
    delays: dict[str, float] = {}
    for each in equipment:
        for command, name in each["commands"].items():
            if command in seen["values"]:
                delays[f"{each['name']}: {name}"] = seen["values"][command] - seen["equipment"][each["id"]]
    late = {name: delay for name, delay in delays.items() if delay > PROMISED_S}
    print(backend, "late:", {name: round(delay, 1) for name, delay in late.items()}, flush=True)
    last = max(
        (seen["values"][c] for each in equipment for c in each["commands"] if c in seen["values"]), default=clicked
    )
    return (
        backend,
        str(len(equipment)),
        f"{max(there, default=clicked) - clicked:.1f}",
        str(len(delays)),
        f"{max(delays.values(), default=0):.1f}",
        f"{last - clicked:.1f}",
        str(len(late)),
    )


def deaths(jeedom: Jeedom, connections: dict[str, str], wires: dict[str, list[Wire]]) -> list[tuple[str, ...]]:
    names = {identifier: backend for backend, identifier in connections.items()}
    with Chromium() as dashboard, Chromium() as page:
        for browser, path, test in (
            (dashboard, "p=dashboard", ON_A_TILE),
            (page, "m=jeenergie&p=jeenergie", ON_THE_PAGE),
        ):
            browser.sign_in(URL, os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin"))
            browser.goto(f"{URL}/index.php?v=d&{path}")
            time.sleep(5)
            browser.run(NOTE % (json.dumps(list(names)), test))
        watch = Watch(DEATH_S + REFRESH_S)
        died = time.time()
        for each in wires.values():
            for wire in each:
                wire.is_cut = True
        while time.time() < died + DEATH_S:
            time.sleep(2)
            page.run("1")  # takes note of what the browser tells, which else waits for a reader
            states = json.loads(dashboard.run("JSON.stringify(window.firstSeen)"))
            if len(states) == len(names):
                break
        waiting = {names[each]: each for each in names if each not in states}
        asked = {backend: time.time() for backend in waiting}
        asking = [threading.Thread(target=refresh, args=(each,), daemon=True) for each in waiting.values()]
        for thread in asking:
            thread.start()
        while watch.runs():
            time.sleep(2)
            for browser in (dashboard, page):
                browser.run("1")
        seen = watch.result()
        tile, shown = (json.loads(each.run("JSON.stringify(window.firstSeen)")) for each in (dashboard, page))
    rows: list[tuple[str, ...]] = []
    for identifier, backend in names.items():
        begun = asked.get(backend, died)
        told = next((s for s in seen["states"] if s[0] == identifier and s[1] != "online" and s[2] > begun), None)

        def after(moment: Optional[float], begun: float = begun) -> str:
            return "–" if moment is None else f"{moment - begun:.1f}"

        how = "refresh" if backend in asked else "by itself"
        when = after(told[2] if told else None)
        rows.append(
            (backend, how, told[1] if told else "–", when, after(tile.get(identifier)), after(shown.get(identifier)))
        )
    return rows


def refresh(connection: str) -> None:
    """Presses the connection's button."""
    own = Jeedom()
    try:
        own.php("jeenergie::byId($argv[1])->getCmd('action', 'refresh')->execCmd();", connection)
    except AssertionError:
        pass  # it fails: that is what is waited for


def show(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for each in rows:
        print(f"| {' | '.join(each)} |")


def main() -> None:
    jeedom = Jeedom()
    place = jeedom.php(READY)
    jeedom.php(CLEAN)
    with vendors() as systems:
        wires: dict[str, list[Wire]] = {}
        rows: list[tuple[str, ...]] = []
        try:
            for backend, config in systems.configs.items():
                config.pop("pollInterval", None)
                wires[backend] = wired(config)
                systems.connections[backend], new = first_values(jeedom, place, backend, config)
                rows += new
            head = (
                "system",
                "equipment",
                "there after, s",
                "values",
                "last value after its equipment, s",
                "all there, s",
            )
            show("From Save to values", (*head, "later than 3 s"), rows)
            house = next((each for each in jeedom.php(COMMANDS) if each["backend"] == "house"), None)
            watched = dict(systems.connections)
            if house:
                watched["house"] = house["connection"]
            head = ("system", "seen", "state", "in Jeedom, s", "on a tile, s", "on the page, s")
            show("From a dead device to its state", head, deaths(jeedom, watched, wires))
        finally:
            disconnect(jeedom, systems)
            jeedom.php(CLEAN)


if __name__ == "__main__":
    main()
