"""Asks which of the pinned packages have known faults, and writes the answer to docs/audit.md.

    python tools/audit.py [--service osv]

Needs Internet access: a package index, from which pip-audit is installed into a folder of its own, and the advisory
service. Exit code 0: every package was looked up and none has a known fault; 1: some have; 2: not every package could
be looked up, which pip-audit alone would call "no known vulnerabilities".
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted((ROOT / "resources" / "lock").glob("*.txt"))
RESULT = ROOT / "docs" / "audit.md"
MAX_WAIT_S = 600
HEAD = """\
# Known faults of the packages

Written by `tools/audit.py`, which `tools/release.sh` runs before each version: what the advisory service knows of the
versions in `resources/lock`. What it means is in [security.md](security.md#packages).

Last run: {day}, pip-audit {version}.

| versions | result |
|---|---|
"""


@dataclass
class Verdict:
    """What is known of the packages of one lock: how many were looked up, which were not and why, which are faulty."""

    looked_up: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The exit code it stands for."""
        return 1 if self.faults else 2 if self.skipped or not self.looked_up else 0

    @property
    def words(self) -> str:
        """A line for people."""
        parts = [f"{self.looked_up} looked up"]
        if self.faults:
            parts.append("**faults:** " + ", ".join(self.faults))
        elif self.looked_up:
            parts.append("no known fault among them")
        if self.skipped:
            reason = next(iter(self.skipped.values()))
            parts.append(f"**{len(self.skipped)} not looked up** ({reason})")
        return "; ".join(parts)


def judge(report: dict[str, Any]) -> Verdict:
    """Reads what pip-audit prints as JSON."""
    verdict = Verdict()
    for each in report.get("dependencies", []):
        if "skip_reason" in each:
            verdict.skipped[each["name"]] = str(each["skip_reason"]).split(":")[0]
            continue
        verdict.looked_up += 1
        for fault in each.get("vulns", []):
            verdict.faults.append(f"{each['name']} {each['version']}: {fault['id']}")
    return verdict


class PipAudit:
    """The program, in a folder that is removed afterwards."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self._python = str(folder / "bin" / "python")
        subprocess.run(
            [self._python, "-m", "pip", "install", "--quiet", "pip-audit"], check=True, stderr=subprocess.DEVNULL
        )

    def version(self) -> str:
        """Its own."""
        done = subprocess.run(
            [self._python, "-m", "pip_audit", "--version"], check=True, capture_output=True, text=True
        )
        return done.stdout.split()[-1]

    def look_at(self, lock: Path, service: str) -> Verdict:
        """What the service knows of a lock's packages; all are skipped when it cannot be reached."""
        command = [
            self._python,
            "-m",
            "pip_audit",
            "--disable-pip",
            "--require-hashes",
            "--no-deps",
            "--format",
            "json",
        ]
        command += ["--progress-spinner", "off", "--vulnerability-service", service, "-r", str(lock)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MAX_WAIT_S)
            return judge(json.loads(done.stdout))
        except ValueError:
            words = done.stderr.strip().splitlines() or ["no answer"]
            return Verdict(skipped={"all": words[-1].split(":")[0][-100:]})
        except subprocess.TimeoutExpired:
            return Verdict(skipped={"all": f"no answer within {MAX_WAIT_S} s"})


def main() -> int:
    """Looks at every lock."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--service", choices=("pypi", "osv"), default="pypi")
    service = parser.parse_args().service
    with tempfile.TemporaryDirectory() as folder:
        audit = PipAudit(Path(folder))
        verdicts = {lock.name: audit.look_at(lock, service) for lock in LOCKS}
        head = HEAD.format(day=date.today().isoformat(), version=audit.version())
    rows = "".join(f"| `{name}` | {verdict.words} |\n" for name, verdict in verdicts.items())
    RESULT.write_text(head + rows, encoding="utf-8")
    for name, verdict in verdicts.items():
        print(f"{name}: {verdict.words}")
    codes = {verdict.code for verdict in verdicts.values()}
    if 1 in codes:
        print("FAULTS ARE KNOWN: raise the versions (tools/make_locks.py)", file=sys.stderr)
        return 1
    if codes != {0}:
        print("NOT AUDITED: the advisory service has not answered for every package", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
