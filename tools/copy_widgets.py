#!/usr/bin/env python3
"""Copies the widgets of commands from core/template/dashboard to core/template/mobile.

Jeedom looks for a widget in the folder of the view and offers only those that are there, so that there has to be a file
for each view. They are written in dashboard/; mobile/ is made by this. `--check`: whether it is current.
"""

from __future__ import annotations

import sys
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[1] / "core" / "template"
PATTERN = "cmd.*.html"


def outdated() -> list[str]:
    """Names of the files in mobile/ that are missing, differ, or have no original."""
    written, copied = (
        {path.name: path.read_bytes() for path in (TEMPLATES / view).glob("*.html")} for view in ("dashboard", "mobile")
    )
    wanted = {name: content for name, content in written.items() if Path(name).match(PATTERN)}
    return sorted(name for name in wanted.keys() | copied.keys() if wanted.get(name) != copied.get(name))


def main() -> int:
    """Brings mobile/ up to date, or only says what is not."""
    for name in outdated():
        if "--check" in sys.argv[1:]:
            print(f"core/template/mobile/{name} is not current: run tools/copy_widgets.py")
            continue
        original, copy = TEMPLATES / "dashboard" / name, TEMPLATES / "mobile" / name
        if original.exists() and original.match(PATTERN):
            copy.write_bytes(original.read_bytes())
        else:
            copy.unlink()
    return 1 if outdated() else 0


if __name__ == "__main__":
    sys.exit(main())
