"""What masking a log line costs: `python -m benchmarks.masking [checkout of another version]`.

200 remembered tokens and the settings of 100 accounts, as a large house with years behind it has them. With a second
checkout both are measured in turns, in processes of their own, and the ratio is told.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ACCOUNTS, TOKENS = 100, 200
ROUNDS = 7
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

LINES = {
    "short": "connection 12: online",
    "request": '"GET /state/EH123456/observations?ids=30,31,32,33,34,35,36 HTTP/1.1" 200 1432',
    "record": 'received {"type": 1, "target": "ProductUpdate", "arguments": [{"mid": "EH123456", "dataType": 3, '
    '"id": 120, "timestamp": "2027-01-15T08:00:00Z", "value": "1.234"}]}',
    "with a password": "login failed for user17@example.org: password=abc, retry in 30 s",
    "page of 20 kB": json.dumps([{"serialNumber": f"1223{n:08d}", "lastReportWatts": n} for n in range(380)]),
}


def fill(masker: object) -> None:
    """Registers what that house has."""
    dice = random.Random(7)

    def word(size: int) -> str:
        return "".join(dice.choice(LETTERS) for _ in range(size))

    for number in range(ACCOUNTS):
        masker.register(f"user{number}@example.org", word(16), word(6), f"EH{number:06d}", word(32))  # type: ignore[attr-defined]
    for number in range(TOKENS):
        masker.register_renewed(word((64, 400, 900)[number % 3]))  # type: ignore[attr-defined]


def measure() -> dict[str, float]:
    """Microseconds of processor time per line, in the version of the current folder."""
    sys.path.insert(0, str(Path.cwd()))
    from jeedom_bridge.logs import Masker

    masker = Masker()
    fill(masker)
    masker.mask("")  # what is made once
    found = {}
    for name, line in LINES.items():
        times = max(20, 20_000 // len(line))
        begun = time.process_time()
        for _ in range(times):
            masker.mask(line)
        found[name] = (time.process_time() - begun) / times * 1e6
    return found


def run(checkout: Path) -> dict[str, float]:
    """The same in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--measure"]
    done = subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    """Measures, in turns where there are two."""
    checkouts = [ROOT, *map(Path, sys.argv[1:])]
    rounds: list[list[dict[str, float]]] = [[run(checkout) for checkout in checkouts] for _ in range(ROUNDS)]
    for name in LINES:
        figures = [statistics.median(each[n][name] for each in rounds) for n in range(len(checkouts))]
        words = f"{name}: {figures[0]:.1f} us"
        if len(figures) > 1:
            ratio = statistics.median(each[0][name] / each[1][name] for each in rounds)
            words += f"; the other {figures[1]:.1f} us, ratio {ratio:.2f}"
        print(words)


if __name__ == "__main__":
    if "--measure" in sys.argv:
        print(json.dumps(measure()))
    else:
        main()
