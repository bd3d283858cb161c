"""What each system costs in a real Jeedom: PHP's and the daemon's CPU, the database's, statements of SQL.

Run by bench.py as the part `jeedom`, where JEEDOM_ROOT and JEEDOM_URL name a Jeedom **that may be spoiled**, with the
plugin active, its dependencies installed and Apache with mod_php on this machine; as root, who may put a file into
Apache's configuration (JEEDOM_APACHE, default /etc/apache2/conf-enabled) and takes it out again at the end.

The database's share is the CPU of the threads that answered these requests; its background threads serve others too and
are left out. Figures of different machines and hours do not compare, counts of statements do. So one thing of the
existing plugins is measured in the same run: their way to hand over values, one by one, beside this plugin's, with the
same values.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Callable

from benchmarks.accounts import account
from benchmarks.lab import ROOT
from benchmarks.table import Bench
from simulators.easee import Account, EaseeCloud
from simulators.econetatmo.cloud import NetatmoCloud
from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant
from simulators.enphase.recorded import RecordedSource
from simulators.hellowatt import Customer, HelloWattSite, TempoService
from simulators.hellowatt.__main__ import example_homes
from simulators.wes.server import WesServer
from simulators.wes.stir import Stir, full
from tests.support.waiting import until

RECORDED = ROOT.parent / "shared" / "recorded" / "enphase" / "8.3.1598_collar"
READINGS = "/ivp/meters/readings"
QUIET = 15.0
"""Seconds without a request after which a first reading counts as finished."""
POWER = 120
"""Easee's number of the observation."""

FILL = """
    $count = fn() => (int) DB::getConnection()->query('SELECT count(*) FROM event')->fetchColumn();
    for ($n = $count(); $n < 250; $n++) {
        event::add('cmd::update', ['cmd_id' => 9000000 + $n, 'value' => $n, 'display_value' => $n, 'unit' => '',
            'valueDate' => date('Y-m-d H:i:s'), 'collectDate' => date('Y-m-d H:i:s'), 'alertLevel' => 'none']);
    }
"""
REMOVE = """
    foreach (jeenergie::byType('jeenergie') as $each) {
        if ($each->getConfiguration('connection') == $argv[1]) { $each->remove(); }
    }
    jeenergie::byId($argv[1])->remove();
"""
HOUSE = """
    foreach (jeenergie::byType('jeenergie') as $each) {
        $house = $each->getConfiguration('kind') === 'connection' && $each->getConfiguration('backend') === 'house';
        if ($house && $each->getIsEnable() != $argv[1]) { $each->setIsEnable($argv[1])->save(); }
    }
"""
SETTINGS = "foreach (['log::level::jeenergie' => ['default' => 0, '400' => 1]] as $k => $v) { config::save($k, $v); }"

WAYS = """
    $connection = new jeenergie();
    $connection->setEqType_name('jeenergie')->setName('Bench ' . uniqid())->setIsEnable(1);
    $connection->setConfiguration('kind', 'connection')->setConfiguration('backend', 'enphase');
    $connection->setConfiguration('config', ['host' => '127.0.0.1', 'tokenMode' => 'manual', 'token' => 'x']);
    $connection->save();
    $equipment = Discovery::create($connection, 'inverter', uniqid(), 'Bench');
    $id = $equipment->getId();
    foreach (range(0, 199) as $n) {
        $cmd = new jeenergieCmd();
        $cmd->setEqLogic_id($id)->setLogicalId('v' . $n)->setName('V' . $n)->setType('info')->setSubType('numeric');
        $cmd->setIsHistorized(0)->save();
    }
    $spent = function () {
        $usage = getrusage();
        return $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'] + ($usage['ru_utime.tv_usec']
            + $usage['ru_stime.tv_usec']) / 1e6;
    };
    $asked = fn() => (int) DB::getConnection()->query("SHOW SESSION STATUS LIKE 'Questions'")->fetchColumn(1);
    $ways = [
        'one by one' => function ($values) use ($id) {
            $equipment = eqLogic::byId($id);
            foreach ($values as $name => $value) { $equipment->checkAndUpdateCmd($name, $value); }
        },
        'callback' => function ($values) use ($id) {
            $event = ['event' => 'values', 'equipment' => (string) $id, 'at' => date('c'), 'values' => $values];
            (new Callback())->apply([$event]);
        },
    ];
    $number = 1000;
    $found = [];
    $values = [];
    foreach (range(0, 199) as $n) { $values['v' . $n] = ++$number; }
    foreach ($ways as $name => $way) {
        foreach (['all' => 1, 'tenth' => 10, 'none' => 0] as $case => $each) {
            $way($values);
            $runs = [];
            for ($round = 0; $round < 5; $round++) {
                foreach (range(0, 199) as $n) {
                    if ($each > 0 && $n % $each === 0) { $values['v' . $n] = ++$number; }
                }
                // Values that nothing changed are not sent by the daemon at all.
                $moved = fn($n) => $each > 0 && substr($n, 1) % $each === 0;
                $sent = $name === 'callback' ? array_filter($values, $moved, ARRAY_FILTER_USE_KEY) : $values;
                $cpu = $spent();
                $statements = $asked();
                if ($sent !== []) { $way($sent); }
                $runs[] = [$spent() - $cpu, $asked() - $statements - 1];
            }
            sort($runs);
            $found[$name][$case] = $runs[2];
        }
    }
    jeenergie::byId($id)->remove();
    $connection->remove();
    echo json_encode($found);
"""


class Scene:
    """A Jeedom under measurement: its costs since a moment."""

    def __init__(self, jeedom: Any, log: Path) -> None:
        self.jeedom = jeedom
        self.log = log
        folder = jeedom.php("echo json_encode(DataFolder::path());")
        self.pid = int(Path(folder, "deamon.pid").read_text())

    def now(self) -> dict[str, float]:
        """Clocks so far."""
        return {"at": time.time(), "daemon": _clock(self.pid)}

    def since(self, begun: dict[str, float]) -> dict[str, float]:
        """What was spent, in seconds and numbers."""
        now = self.now()
        last: dict[int, dict[str, float]] = {}
        lines, pairs = [], []
        for line in map(json.loads, self.log.read_text().splitlines()):
            before = last.get(line.get("session", 0))
            last[line.get("session", 0)] = line
            if begun["at"] <= line["at"] <= now["at"] and line["script"] == "jeeApi.php":
                lines.append(line)
                if before is not None:
                    pairs.append((before, line))
        # A session's first line has none before it: it counts as the others do.
        share = len(lines) / len(pairs) if pairs else 0.0
        return {
            "seconds": now["at"] - begun["at"],
            "daemon": now["daemon"] - begun["daemon"],
            "database": share * sum(line["database"] - before["databaseEnd"] for before, line in pairs),
            "php": sum(line["cpu"] for line in lines),
            "requests": len(lines),
            "bytes": sum(line["bytes"] for line in lines),
            "statements": share * sum(line["statements"] - before["statements"] - 2 for before, line in pairs),
        }

    def connect(self, backend: str, config: dict[str, Any]) -> str:
        """A connection as a user makes it, enabled; its id."""
        connection = str(self.jeedom.own("addConnection", backend=backend, name=f"Bench {backend}")["id"])
        form = {"id": connection, "isEnable": "1", "configuration": {"config": config}}
        self.jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))
        return connection

    def online(self, connection: str) -> None:
        """Waits until it works."""
        until(lambda: self.jeedom.own("daemon")["connections"].get(connection, {}).get("state") == "online", 30)

    def create(self, connection: str) -> int:
        """All that it offers and that carries data."""
        found = self.jeedom.own("discover", connection=connection)["equipment"]
        wanted = [{key: each[key] for key in ("type", "key", "name", "config")} for each in found if each["active"]]
        self.jeedom.own("createDiscovered", connection=connection, equipment=wanted)
        return len(wanted)

    def infos(self, connection: str) -> int:
        """How many commands it has."""
        code = """
            $count = fn($e) => count($e->getCmd('info'));
            $mine = fn($e) => $e->getConfiguration('connection') == $argv[1];
            echo array_sum(array_map($count, array_filter(jeenergie::byType('jeenergie'), $mine)));
        """
        return int(self.jeedom.php(code, connection))

    def remove(self, connection: str) -> None:
        """With its equipment."""
        self.jeedom.php(REMOVE, connection)

    def house(self, on: bool) -> None:
        """Enables the house, which comes with the first meter, or disables it: its cost is told apart."""
        self.jeedom.php(HOUSE, "1" if on else "0")
        time.sleep(5)

    def quiet(self) -> None:
        """Waits until nothing has come from the daemon for a while."""
        seen, since, end = -1, time.monotonic(), time.monotonic() + 240
        while time.monotonic() - since < QUIET and time.monotonic() < end:
            size = self.log.stat().st_size
            if size != seen:
                seen, since = size, time.monotonic()
            time.sleep(0.2)


def _clock(pid: int) -> float:
    """CPU seconds of a process so far, in nanosecond steps (Linux)."""
    return time.clock_gettime((~pid << 3) | 2)


@contextmanager
def hooked() -> Iterator[Path]:
    """Each request to this Jeedom leaves a line in the file."""
    configuration = Path(os.environ.get("JEEDOM_APACHE", "/etc/apache2/conf-enabled"), "zz-jeenergie-bench.conf")
    with tempfile.TemporaryDirectory(prefix="jeenergie-bench-") as folder:
        os.chmod(folder, 0o777)
        hook, log = Path(folder, "hook.php"), Path(folder, "requests.log")
        shutil.copy(Path(__file__).with_name("hook.php"), hook)
        log.touch()
        for path, mode in ((hook, 0o644), (log, 0o666)):
            path.chmod(mode)
        configuration.write_text(
            f'<Directory "{os.environ["JEEDOM_ROOT"]}">\nphp_value auto_prepend_file {hook}\n'
            f"SetEnv JEENERGIE_BENCH {log}\n</Directory>\n"
        )
        try:
            subprocess.run(["apache2ctl", "graceful"], check=True, capture_output=True)
            yield log
        finally:
            configuration.unlink()
            subprocess.run(["apache2ctl", "graceful"], check=True, capture_output=True)


def _told(cost: dict[str, float], times: float) -> str:
    parts = {name: cost[name] / times for name in cost}
    whole = sum(parts[name] for name in ("daemon", "php", "database")) * 1e3
    return (
        f"{whole:.1f} ms (daemon {parts['daemon'] * 1e3:.1f}, PHP {parts['php'] * 1e3:.1f}, database "
        f"{parts['database'] * 1e3:.1f}), {parts['statements']:.0f} SQL, {parts['requests']:.2f} requests"
    )


def _window(bench: Bench, scene: Scene, seconds: float, done: Callable[[], int]) -> tuple[dict[str, float], int]:
    """From the end of a poll to the end of another."""
    scene.jeedom.php(FILL)
    first = done()
    until(lambda: done() > first, 70)
    time.sleep(0.7)
    begun, first = scene.now(), done()
    time.sleep(bench.seconds(seconds))
    last = done()
    until(lambda: done() > last, 70)
    time.sleep(0.7)
    return scene.since(begun), max(1, done() - first)


def ways(bench: Bench, scene: Scene) -> None:
    """Both ways to hand over 200 values of one equipment, in one process of PHP."""
    scene.jeedom.php(FILL)
    found = scene.jeedom.php(WAYS)
    known = {"all": "370 ms, 2401 SQL", "tenth": "86 ms, 366 SQL", "none": "47 ms, 201 SQL"}
    words = {"all": "all changed", "tenth": "a tenth changed", "none": "none changed"}
    for case, word in words.items():
        (old, old_sql), (new, new_sql) = found["one by one"][case], found["callback"][case]
        ratio = f"{old / new:.1f} times less" if new > 0.0005 else "nothing sent"
        bench.row(
            f"Jeedom, 200 values, {word}: PHP's CPU, SQL",
            f"{new * 1e3:.1f} ms, {new_sql} SQL; one by one in the same run {old * 1e3:.1f} ms, {old_sql} SQL: {ratio}",
            f"one by one {known[case]} (that day)",
        )


def enphase(bench: Bench, scene: Scene) -> None:
    """The recorded gateway, all values moving."""
    recorded = RECORDED.is_dir()
    source = RecordedSource(RECORDED, moving=True) if recorded else DaySource(Plant(time.time, inverters=17, hour=12))
    with EnphaseGateway(source) as gateway:
        config = {"host": "127.0.0.1", "port": gateway.port, "tokenMode": "manual", "token": gateway.token()}
        config.update(phases="tri", pollInterval=2)
        connection = scene.connect("enphase", config)
        scene.online(connection)
        time.sleep(12)

        def polls() -> int:
            return sum(each.path == READINGS for each in list(gateway.requests))

        scene.house(False)
        before = len(gateway.requests)
        cost, count = _window(bench, scene, 80, polls)
        asked = (len(gateway.requests) - before) / (count + 1)
        bench.row(
            f"Jeedom, Enphase, {scene.infos(connection)} values, every 2 s: per poll",
            f"{_told(cost, count)}, about {asked:.1f} requests to the gateway",
            "453 ms (20.7, 225, 208), 1306 SQL, 3 requests, 4 to the gateway" if recorded else "",
        )
        scene.house(True)
        time.sleep(10)
        cost, count = _window(bench, scene, 80, polls)
        bench.row("Jeedom, Enphase with the house: per poll", _told(cost, count))
        scene.house(False)
        scene.remove(connection)


def wes(bench: Bench, scene: Scene) -> None:
    """Everything connected; all, a tenth or nothing moves."""
    known = {1.0: "1200 ms (PHP 666, database 600), 3356 SQL", 0.1: "", 0.0: "140 ms (PHP 89, database 50), 504 SQL"}
    box = full()
    stir = Stir(box, 0.0)
    with WesServer(box, life=stir) as server:
        config = {"host": "127.0.0.1", "port": server.port, "user": "admin", "password": "wes"}
        config.update(ftpUser="adminftp", ftpPassword="wesftp", ftpPort=server.ftp.port)
        config.update(jeedomCgx=True, autoUpdateCgx=True, pollInterval=2)
        connection = scene.connect("wes", config)
        scene.online(connection)
        equipment = scene.create(connection)
        infos = scene.infos(connection)
        scene.house(False)
        time.sleep(75)  # the slowest cadence has passed

        def polls() -> int:
            return int(scene.jeedom.own("daemon")["connections"][connection]["counters"]["polls"])

        for part, word in ((0.0, "nothing moves"), (0.1, "a tenth moves"), (1.0, "all moves")):
            stir.part = part
            time.sleep(5)
            cost, count = _window(bench, scene, 60, polls)
            name = f"Jeedom, WES, {equipment} equipment, {infos} values, every 2 s, {word}: per poll"
            bench.row(name, _told(cost, count), known[part])
        scene.remove(connection)


def easee(bench: Bench, scene: Scene) -> None:
    """One charger, one observation a second."""
    account_ = Account("me@example.org", "secret-of-the-bench", ("EH000001",))
    with EaseeCloud([account_], life=False) as cloud:
        cloud.chargers["EH000001"].plug()  # the power of a charger without a car is 0, whatever it sends
        config = {"user": account_.user, "password": account_.password}
        connection = scene.connect("easee", {**config, "apiUrl": cloud.url, "streamUrl": cloud.stream_url})
        scene.online(connection)
        scene.create(connection)
        scene.house(False)
        scene.quiet()
        scene.jeedom.php(FILL)
        begun, count = scene.now(), bench.count(60)
        for number in range(count):
            cloud.chargers["EH000001"].set(POWER, 1 + number / 100)
            time.sleep(1)
        bench.row(
            "Jeedom, Easee, one observation a second: each",
            _told(scene.since(begun), count),
            "3.0 ms of daemon, PHP 2.6, database 2.7, 24 SQL, 1 request",
        )
        scene.remove(connection)


def econetatmo(bench: Bench, scene: Scene) -> None:
    """The first reading of seven lines, then silence."""
    with NetatmoCloud([account()]) as cloud:
        config = {"clientId": cloud.authority.client_id, "clientSecret": cloud.authority.client_secret}
        config.update(refreshToken=cloud.authority.generate().refresh, apiUrl=cloud.url)
        known = "PHP 1.9 ms, 13 SQL a measure (632 ms, 4385 SQL for 336), one by one"
        for on in (False, True):
            _first(bench, scene, "econetatmo", config, "EcoNetatmo, seven lines", known, on)
            # The first connection has renewed the pair: what was typed is of no use any more.
            config["refreshToken"] = cloud.authority.generate().refresh


def hellowatt(bench: Bench, scene: Scene) -> None:
    """The first reading of a year of two homes, then silence."""
    customer = Customer("me@example.org", "Secret-of-the-bench-1", example_homes(1))
    with HelloWattSite([customer]) as site, TempoService() as tempo:
        config = {
            "user": customer.email,
            "password": customer.password,
            "siteUrl": site.url,
            "tempoUrl": tempo.url,
            "rteUrl": "",
        }
        for on in (False, True):
            _first(bench, scene, "hellowatt", config, "helloWatt, two homes", "", on)


def _first(
    bench: Bench, scene: Scene, backend: str, config: dict[str, Any], name: str, known: str, house: bool
) -> None:
    scene.house(house)
    name += " with the house" if house else ""
    both = "SELECT (SELECT count(*) FROM history) + (SELECT count(*) FROM historyArch)"
    rows = f"echo json_encode((int) DB::getConnection()->query('{both}')->fetchColumn());"
    before = scene.jeedom.php(rows)
    begun = scene.now()
    connection = scene.connect(backend, config)
    scene.online(connection)
    scene.quiet()
    cost = scene.since(begun)
    measures = max(1, scene.jeedom.php(rows) - before)
    each = (
        f"; each measure: PHP {cost['php'] / measures * 1e3:.3f} ms, {cost['statements'] / measures:.2f} SQL, "
        f"daemon {cost['daemon'] / measures * 1e3:.3f} ms"
    )
    bench.row(f"Jeedom, {name}: first reading of {measures} measures", _told(cost, 1) + each, known)
    begun = scene.now()
    time.sleep(bench.seconds(60))
    idle = scene.since(begun)
    share = idle["daemon"] / idle["seconds"] * 100
    bench.row(f"Jeedom, {name}: the minutes after", f"{share:.3f} % of a core, {idle['requests']:.0f} requests")
    scene.remove(connection)


SYSTEMS: dict[str, Callable[[Bench, Scene], None]] = {
    each.__name__: each for each in (ways, enphase, easee, wes, econetatmo, hellowatt)
}


def inside(bench: Bench) -> None:
    """All of them, or those that JEENERGIE_SYSTEMS names, where there is a Jeedom."""
    if not (os.environ.get("JEEDOM_ROOT") and os.environ.get("JEEDOM_URL")):
        print("  skipped: JEEDOM_ROOT and JEEDOM_URL are not set")
        return
    sys.path.insert(0, str(ROOT / "tests" / "jeedom"))
    from jeedom_host import Jeedom

    jeedom = Jeedom()
    kept = jeedom.php("echo json_encode(config::byKey('log::level::jeenergie'));")
    jeedom.php(SETTINGS)
    jeedom.php("cache::byKey('deamonStartjeenergieinprogress')->remove();")
    jeedom.core("plugin", action="deamonStart", id="jeenergie", forceRestart="1")
    with ExitStack() as stack:
        log = stack.enter_context(hooked())
        stack.callback(
            jeedom.php, "config::save('log::level::jeenergie', json_decode($argv[1], true));", json.dumps(kept)
        )
        time.sleep(3)
        scene = Scene(jeedom, log)
        begun = scene.now()
        time.sleep(bench.seconds(20))
        idle = scene.since(begun)
        bench.row("Jeedom, nothing connected: share of a core", f"{idle['daemon'] / idle['seconds'] * 100:.3f} %")
        for name in os.environ.get("JEENERGIE_SYSTEMS", " ".join(SYSTEMS)).split():
            SYSTEMS[name](bench, scene)
        resident = int(Path(f"/proc/{scene.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        bench.row("Jeedom, the daemon after all of this: resident", f"{resident:.1f} MiB")
