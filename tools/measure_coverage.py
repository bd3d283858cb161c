"""Which part of the daemon the tests run: one Markdown table by package.

`python tools/measure_coverage.py` (needs `pip install coverage`). What runs only in processes that tests start is not
seen. Each folder is a run of its own: a test that exhausts the stack ends the measuring of its process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ["bridge", "contract", "daemon", "easee", "econetatmo", "enphase", "fuzz", "hellowatt", "security", "wes"]
SETTINGS = """[run]
source_pkgs = jeedom_bridge, jeenergied
data_file = {folder}/data
parallel = true
disable_warnings = couldnt-parse, no-data-collected, module-not-imported
"""


def main() -> int:
    """The program; folders of tests as arguments, all by default."""
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "settings"
        settings.write_text(SETTINGS.format(folder=folder))
        coverage = [sys.executable, "-m", "coverage"]
        for name in sys.argv[1:] or FOLDERS:
            command = [*coverage, "run", f"--rcfile={settings}", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
            done = subprocess.run([*command, f"tests/{name}"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            print(name, done.stdout.splitlines()[-1:], file=sys.stderr, flush=True)
            failed += [name] if done.returncode else []
        report = Path(folder) / "report.json"
        quiet = {"cwd": ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*coverage, "combine", f"--rcfile={settings}", folder], check=False, **quiet)
        subprocess.run([*coverage, "json", f"--rcfile={settings}", "-o", str(report)], check=True, **quiet)
        files = json.loads(report.read_text())["files"]
    packages: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for path, content in sorted(files.items()):
        place = os.path.relpath(ROOT / Path(path).parent, ROOT)
        packages[place][0] += content["summary"]["num_statements"]
        packages[place][1] += content["summary"]["missing_lines"]
        if content["missing_lines"]:
            print(path, content["missing_lines"], file=sys.stderr)
    print("| package | statements | not run | covered |", "|---|---:|---:|---:|", sep="\n")
    for name, (statements, missing) in packages.items():
        print(f"| `{name}` | {statements:,} | {missing} | {100 * (statements - missing) / statements:.1f} % |")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
