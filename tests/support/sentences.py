"""The sentences for the user in the daemon's code, found in its syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DAEMON = ROOT / "resources" / "daemon"
PLACES = {
    "message": (1,),
    "progress": (2,),
    "translate": (0,),
    "texts": (0,),
    "Phrase": (0,),
    "Sentence": (0,),
    "note": (2, 3),
    "_notify": (2, 3),
}
"""Which arguments of a call are French templates; that of an error is the first."""


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
    named = _named(tree)
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        places = (0,) if name in errors() else PLACES.get(name, ())
        for given in (call.args[place] for place in places if place < len(call.args)):
            texts = named.get(given.id, set()) if isinstance(given, ast.Name) else {getattr(given, "value", None)}
            yield from sorted(text for text in texts if isinstance(text, str) and " " in text.strip("{}"))


def _named(tree: ast.Module) -> dict[str, set[object]]:
    """The constants that each name stands for somewhere in a module."""
    found: dict[str, set[object]] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            both = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            pairs = zip(target.elts, node.value.elts) if both else [(target, node.value)]
            for one, value in pairs:
                if isinstance(one, ast.Name) and isinstance(value, ast.Constant):
                    found.setdefault(one.id, set()).add(value.value)
    return found
