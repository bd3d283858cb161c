"""Names and sentences of the Python code: constants with subject and unit, docstrings and comments in plain English.

The words are data: `plain_english.json`. Under `left` stands how many findings a folder still has; that only shrinks.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = json.loads(Path(__file__).with_name("plain_english.json").read_text("utf-8"))
PHRASES = {re.compile(form, re.IGNORECASE): better for form, better in RULES["phrases"].items()}
NAMES = re.compile(rf"\b_?({'|'.join(RULES['constants'])})\b")
FILES = sorted(
    path for folder in ("resources/daemon", "jeedom_bridge", "simulators") for path in (ROOT / folder).rglob("*.py")
)


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of all comments and docstrings, those of attributes included; line breaks are spaces."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, " ".join(node.value.value.split())


def is_number(node: ast.expr) -> bool:
    """True for a number, a product of numbers, or a tuple of them."""
    if isinstance(node, ast.Tuple):
        return all(map(is_number, node.elts))
    if isinstance(node, ast.BinOp):
        return is_number(node.left) or is_number(node.right)
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def constants(source: str) -> Iterator[tuple[int, str]]:
    """(line, name) of all constants of a module that are numbers."""
    for node in ast.parse(source).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        if targets and value is not None and is_number(value):
            for name in (each for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)):
                yield node.lineno, name.id


def findings(source: str) -> list[str]:
    """What is to be said otherwise in a file, with its line and the better words."""
    flat = " ".join(source.split())
    if not any(form.search(flat) for form in (*PHRASES, NAMES)):
        return []  # most files: nothing to parse
    found = [
        f"{line}: {match.group()!r}: {better}"
        for line, text in sentences(source)
        for form, better in PHRASES.items()
        for match in form.finditer(text)
    ]
    found += [
        f"{line}: {name}: {RULES['constants'][name.lstrip('_')]}"
        for line, name in constants(source)
        if name.lstrip("_") in RULES["constants"]
    ]
    return found


def folder_of(path: Path) -> str:
    """The entry of `left` that a file belongs to: the longest that its path begins with, else the file itself."""
    name = path.relative_to(ROOT).as_posix()
    return max((each for each in RULES["left"] if name.startswith(each + "/")), key=len, default=name)


def test_names_and_sentences_are_plain() -> None:
    """A folder that has fewer than `left` allows may have its number lowered; one more fails."""
    found: dict[str, list[str]] = {}
    for path in FILES:
        for each in findings(path.read_text("utf-8")):
            found.setdefault(folder_of(path), []).append(f"{path.relative_to(ROOT).as_posix()}:{each}")
    counts = Counter({folder: len(each) for folder, each in found.items()})
    assert {folder: each for folder, each in found.items() if counts[folder] > RULES["left"].get(folder, 0)} == {}


@pytest.mark.parametrize(
    "source",
    [
        '"""Returns 0 where the user\n    is told."""',
        "x = 1\n'''Takes up where a former life has ended.'''",
        "x = 1  # for an address that is none",
        "PATIENCE = 30.0",
        "_AGAIN: float = 5 * 60.0",
        "A, LONGEST = 1, 2",
        "DAY = 24 * HOUR_S",
    ],
)
def test_what_is_not_plain_is_found(source: str) -> None:
    assert findings(source) != []


@pytest.mark.parametrize("source", ['text = "is told"', "MAX_WAIT_S = 30.0", "FIRST = 'a'", "def f():\n    AGAIN = 1"])
def test_what_is_plain_is_left_alone(source: str) -> None:
    assert findings(source) == []
