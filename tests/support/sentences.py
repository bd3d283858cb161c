"""The sentences for the user in the daemon's code, found in its syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DAEMON = ROOT / "resources" / "daemon"
PLACES = {"message": 1, "progress": 2, "translate": 0, "texts": 0, "Phrase": 0, "Sentence": 0}
"""Which argument of a call is the French template; that of an error is the first."""


@cache
def errors() -> set[str]:
    """The names of the classes whose first argument is a text for the user."""
    known, classes = {"DeviceError"}, []
    for path in DAEMON.rglob("*.py"):
        classes += [each for each in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(each, ast.ClassDef)]
    for _ in classes:
        known |= {each.name for each in classes if any(getattr(base, "id", "") in known for base in each.bases)}
    own = {each.name for each in classes if any(getattr(part, "name", "") == "__init__" for part in each.body)}
    return known - own


def constants(path: Path) -> Iterator[str]:
    """French templates: constant texts with a blank that are handed to an error, `say`, `message`, `progress`."""
    tree = ast.parse(path.read_text("utf-8"))
    named = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        place = 0 if name in errors() else PLACES.get(name)
        if place is None or len(call.args) <= place:
            continue
        given = call.args[place]
        text = named.get(given.id) if isinstance(given, ast.Name) else getattr(given, "value", None)
        if isinstance(text, str) and " " in text.strip("{}"):
            yield text
