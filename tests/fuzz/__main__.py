"""Runs every endpoint of every backend with spoilt answers and prints one table.

`python -m tests.fuzz --cases 20000 --jobs 2`; the exit code is 1 when any case failed, and each of them is told below.
"""

from __future__ import annotations

import argparse
import logging
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

from tests.fuzz import BACKENDS, endpoints_of
from tests.support.fuzz import Endpoint, run

HEAD = "| backend | endpoint | cases | refused with an error | taken | values | slowest, ms | failures |"


@cache
def known(backend: str) -> list[Endpoint]:
    """The endpoints of a backend, made once a process."""
    return endpoints_of(backend)


def figures(task: tuple[str, int, int, int]) -> tuple[list[Any], list[str]]:
    """The row of one endpoint, and its failures."""
    backend, place, cases, seed = task
    endpoint = known(backend)[place]
    found = run(endpoint, cases, seed)
    numbers = [found.cases, found.refused, found.taken, found.values, round(found.slowest * 1000), len(found.failures)]
    return [backend, endpoint.name, *numbers], found.failures


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="spoilt answers of each endpoint")
    parser.add_argument("--seed", type=int, default=0, help="another seed spoils them in other ways")
    parser.add_argument("--jobs", type=int, default=1, help="processes at the same time")
    parser.add_argument("--backend", choices=BACKENDS, action="append", help="only this one (may be repeated)")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    chosen = options.backend or BACKENDS
    tasks = [(name, n, options.cases, options.seed) for name in chosen for n in range(len(known(name)))]
    print(HEAD, "|---|---|" + "---:|" * 6, sep="\n", flush=True)
    failures: list[str] = []
    totals = [0] * 6
    with ProcessPoolExecutor(options.jobs) as pool:
        for row, failed in pool.map(figures, tasks):
            print("| " + " | ".join(f"{each:,}" if isinstance(each, int) else each for each in row) + " |", flush=True)
            totals = [max(one, other) if n == 4 else one + other for n, (one, other) in enumerate(zip(totals, row[2:]))]
            failures += failed
    print("| all | | " + " | ".join(f"{each:,}" for each in totals) + " |")
    for each in failures[:200]:
        print(each, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
