"""How long the house takes to fill its book with Jeedom's history, in a real Jeedom: seconds, memory and sums.

A gateway of the simulators runs; of its counters and powers the history is written as the core archives it: one point
an hour in `historyArch`, of the last two hours one a minute in `history`. Then the house is created, and the balance of
the year is asked as its page does until it is whole.

    JEEDOM_ROOT=/var/www/html JEEDOM_URL=http://127.0.0.1 python tests/jeedom/measure_filling.py [days]

What is there before is removed first: this Jeedom is spoiled. The wait of a quarter of an hour after the daemon's start
is counted apart.
"""

from __future__ import annotations

import json
import math
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))

from jeedom_host import Jeedom
from test_jeedom_daemon import pid, start, until

from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant

CLEAN = """
    foreach (eqLogic::byType('jeenergie') as $each) { $each->isConnection() || $each->remove(); }
    foreach (eqLogic::byType('jeenergie') as $each) { $each->remove(); }
    config::remove('automatic::house', 'jeenergie');
"""
SEEN = ["CwattsNowNet", "PwattsNow", "indexcumulimport", "indexcumulexport", "PwattHoursLifetime"]
WRITE = """
    [, $equipment, $days] = $argv;
    $hours = 24 * $days;
    $now = intdiv(time(), 3600) * 3600;
    $import = $export = $solar = 0.0;
    $points = [];
    $sun = fn(int $at): float => max(0.0, sin(M_PI * (date('G', $at) + date('i', $at) / 60 - 6) / 12)) * 3000;
    $house = fn(int $at): float => 400 + 900 * (date('G', $at) >= 18 && date('G', $at) < 23 ? 1 : 0);
    $one = function (int $at, int $seconds) use (&$import, &$export, &$solar, &$points, $sun, $house) {
        $net = $house($at) - $sun($at);
        $import += max(0, $net) * $seconds / 3600;
        $export += max(0, -$net) * $seconds / 3600;
        $solar += $sun($at) * $seconds / 3600;
        $all = ['CwattsNowNet' => $net, 'PwattsNow' => $sun($at), 'indexcumulimport' => $import,
            'indexcumulexport' => $export, 'PwattHoursLifetime' => $solar];
        foreach ($all as $name => $value) { $points[$name][] = [date('Y-m-d H:i:s', $at), round($value, 2)]; }
    };
    for ($hour = 0; $hour < $hours - 2; $hour++) { $one($now - 3600 * ($hours - $hour), 3600); }
    $archived = count($points['PwattsNow']);
    for ($at = $now - 7200; $at < time() - 60; $at += 60) { $one($at, 60); }
    $rows = 0;
    foreach ($points as $name => $all) {
        $cmd = jeenergie::byId($equipment)->getCmd('info', $name);
        $tables = ['historyArch' => array_slice($all, 0, $archived), 'history' => array_slice($all, $archived)];
        foreach ($tables as $table => $part) {
            foreach (array_chunk($part, 1000) as $chunk) {
                $values = implode(',', array_map(
                    fn(array $each): string => '(' . $cmd->getId() . ", '" . $each[0] . "', '" . $each[1] . "')",
                    $chunk
                ));
                DB::getConnection()->exec("REPLACE INTO $table (cmd_id, datetime, value) VALUES $values");
                $rows += count($chunk);
            }
        }
    }
    echo json_encode(['rows' => $rows, 'import' => $import, 'export' => $export, 'solar' => $solar]);
"""
PAGE = """
    $cmd = jeenergie::byId($argv[1])->getCmd('info', 'indexcumulimport');
    $page = new ReflectionMethod(Past::class, 'page');
    $page->setAccessible(true);
    $before = memory_get_usage();
    $begun = microtime(true);
    for ($day = 10; $day < 30; $day++) {
        $page->invoke(null, $cmd, time() - 86400 * ($day + 3), time() - 86400 * $day);
    }
    echo json_encode(['ms' => 1000 * (microtime(true) - $begun) / 20, 'bytes' => memory_get_peak_usage() - $before]);
"""


def memory(process: int, line: str = "VmRSS") -> float:
    """MiB."""
    text = Path(f"/proc/{process}/status").read_text()
    return int(next(each for each in text.splitlines() if each.startswith(line)).split()[1]) / 1024


def cpu(process: int) -> float:
    """Seconds of the processor."""
    parts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / 100


def save(jeedom: Jeedom, identifier: str, config: dict[str, Any]) -> None:
    form = {"id": identifier, "isEnable": "1", "configuration": {"config": config}}
    jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))


def main() -> None:
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    jeedom = Jeedom()
    jeedom.php(CLEAN)
    with EnphaseGateway(DaySource(Plant(time.time, inverters=4, hour=12))) as gateway:
        gateway.set(production=0.0, consumption=300.0)
        start(jeedom)
        made = jeedom.own("addConnection", backend="enphase", name="Passerelle")["id"]
        local = {"host": "127.0.0.1", "port": gateway.port, "tokenMode": "manual", "token": gateway.token()}
        save(jeedom, made, {**local, "pollInterval": 5})
        find = """
            foreach (jeenergie::byType('jeenergie') as $each) {
                if ($each->type() === $argv[1]) { exit(json_encode((string) $each->getId())); }
            }
            echo 'null';
        """
        meter = until(lambda: jeedom.php(find, "combined"), 60)
        jeedom.post({"event": "available", "equipment": meter, "commands": SEEN})
        jeedom.core("plugin", action="deamonStop", id="jeenergie")
        book = Path(jeedom.php("echo json_encode(DataFolder::path());"))
        for each in book.glob("house*"):
            each.unlink()
        begun = time.monotonic()
        wrote = jeedom.php(WRITE, meter, days)
        took = time.monotonic() - begun
        print(f"{wrote['rows']} points of {len(SEEN)} commands over {days} days, written in {took:.0f} s")
        page = jeedom.php(PAGE, meter)
        print(f"a page of three days by PHP: {page['ms']:.1f} ms, {page['bytes']} bytes at most")
        start(jeedom)
        process = pid(jeedom)
        jeedom.php("Automatic::everyMinute();", decode=False)
        until(lambda: jeedom.own_panel("house")["home"], 120)
        end = date.today()
        span = {"from": (end - timedelta(days=365)).isoformat(), "to": end.isoformat(), "per": "month"}
        begun, first, used, least, most = time.monotonic(), None, cpu(process), memory(process), memory(process)
        print(f"the house is there; daemon {most:.1f} MiB", flush=True)
        oldest, newest = (end - timedelta(days=days - 1)).isoformat(), (end - timedelta(days=1)).isoformat()
        while time.monotonic() - begun < 3600:
            time.sleep(2)
            try:  # small questions: a large answer would be in the daemon's memory as well
                known = {
                    day: jeedom.own_panel("balance", **{"from": day, "to": day, "per": "day"})["rows"]
                    for day in (oldest, newest)
                }
            except Exception as error:  # the daemon is busy, or the house has just begun
                print("balance:", error)
                continue
            most = max(most, memory(process))
            if known[oldest] and first is None:
                first, used, least = time.monotonic(), cpu(process), memory(process)
                print(f"the first day after {first - begun:.0f} s, {least:.1f} MiB", flush=True)
            if known[newest] and first is not None:
                break
        assert first is not None
        whole = time.monotonic() - first
        print(f"filled in {whole:.0f} s, daemon: {cpu(process) - used:.1f} s of a processor, {most - least:+.1f} MiB")
        asked = time.monotonic()
        year = jeedom.own_panel("balance", **span)
        print(f"the balance of a year by month in {1000 * (time.monotonic() - asked):.0f} ms")
        asked = time.monotonic()
        ever = jeedom.own_panel("balance", **{"from": None, "to": None, "per": "year"})
        print(f"that of all time in {1000 * (time.monotonic() - asked):.0f} ms, since {ever['since']}")
        total = ever["total"]
        for name, truth in (("import", wrote["import"]), ("export", wrote["export"]), ("solar", wrote["solar"])):
            got = total[name]
            off = math.nan if got is None else 100 * (1000 * got / truth - 1)
            print(f"{name}: {got} kWh of {truth / 1000:.2f}, {off:+.2f} %")
        print("reconstructed", total["reconstructed"], "% cost", year["total"]["cost"])


if __name__ == "__main__":
    main()
