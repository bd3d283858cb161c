"""What the house adds to a daemon, with and without it in turns of one run: `python -m benchmarks.house [options]`.

    --turns N      so many turns without and with it (2)
    --seconds S    how long each is measured (40)

One daemon has the simulators of all five systems, what is local read every second, and a recording Jeedom; the house,
with a car that follows the sun, is connected and disconnected. Told are processor time of the daemon and memory that
it has written itself (`Anonymous` of smaps_rollup), the values and the events of the house's equipment that Jeedom
receives, and how long after the gateway's last answer, and after its readings, the power of the grid arrives there
(median, 95th percentile): with the gateway alone, and with all five, where other readings come in between.
"""

from __future__ import annotations

import argparse
import bisect
import statistics
import time

from benchmarks.bench import READINGS, Timed
from benchmarks.lab import ROOT
from benchmarks.turns import Figures, Home, add_all, home_of

HOUSE = ("60", "61")
"""The equipment of the house."""
SETTLE_S = 20.0


def told(home: Home, since: float) -> Figures:
    """What Jeedom has received of the house's equipment since a moment (monotonic)."""
    requests = [each for each in home.lab.server.requests if each.at >= since]
    moments, values = [], 0
    for request in requests:
        own = [each for each in request.events if each["event"] == "values" and each.get("equipment") in HOUSE]
        if own:
            moments.append(request.at)
            values += sum(len(each["values"]) for each in own)
    passed = time.monotonic() - since
    return {"values a second": values / passed, "requests with some a second": len(moments) / passed}


def delays(gateway: Timed, home: Home, since: float) -> tuple[list[float], list[float]]:
    """Seconds to Jeedom's receipt of each power of the grid: from the gateway's last answer, from its readings.

    A poll asks for several pages, of which the readings are the first. Of a power that stays the same Jeedom hears
    nothing.
    """
    last, first = [], []
    answered = [at for at, _ in gateway.answered]
    for request in home.lab.server.requests:
        events = (each for each in request.events if each["event"] == "values" and each.get("equipment") == HOUSE[0])
        if request.at < since or not any("gridPower" in each["values"] for each in events):
            continue
        last.append(request.at - answered[bisect.bisect(answered, request.at) - 1])
        read = gateway.of(READINGS)
        first.append(request.at - read[bisect.bisect(read, request.at) - 1])
    return last, first


def text(found: tuple[list[float], list[float]]) -> str:
    """Median and 95th percentile of both in ms."""
    cuts = [statistics.quantiles(each, n=20) for each in found]
    return ", ".join(f"{1000 * each[9]:.0f} and {1000 * each[18]:.0f} ms" for each in cuts) + f" of {len(found[0])}"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=40.0)
    options = parser.parse_args()
    with home_of(ROOT) as home:
        home.enphase(1)
        home.house()
        home.configure()
        time.sleep(SETTLE_S)
        begun = time.monotonic()
        time.sleep(options.seconds)
        print("gateway alone:", told(home, begun), text(delays(home.gateways[0], home, begun)), flush=True)
    with home_of(ROOT) as home:
        add_all(home)
        without = list(home.connections)
        home.house()
        whole = list(home.connections)
        found: dict[bool, list[Figures]] = {False: [], True: []}
        for turn in range(options.turns):
            for on in (False, True):
                home.connections = whole if on else without
                home.configure()
                if on:
                    home.daemon.result("action", equipment="61", command="setMode", options={"select": "solar"})
                time.sleep(2 * SETTLE_S if turn == 0 else SETTLE_S)
                begun = time.monotonic()
                figures = home.measured(options.seconds, "")
                found[on].append(figures)
                print(f"turn {turn + 1}, {'with' if on else 'without'} house: {figures}", flush=True)
                if on:
                    print("  ", told(home, begun), text(delays(home.gateways[0], home, begun)), flush=True)
        least = {on: min(each["of a core, %"] for each in turns) for on, turns in found.items()}
        print(
            f"of a core: {least[False]:.2f} % without, {least[True]:.2f} % with, ratio {least[True] / least[False]:.2f}"
        )
        grown = found[True][0]["written, MiB"] - found[False][0]["written, MiB"]
        print(f"memory: {grown:+.1f} MiB written by the daemon")


if __name__ == "__main__":
    main()
