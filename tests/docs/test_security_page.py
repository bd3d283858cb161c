"""`docs/security.md` names tests, files and attacks: they exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(test_\w+|test[A-Z]\w+)`", PAGE)))
PATHS = sorted(set(re.findall(r"`((?:tests|tools|resources)/[\w./]+)`", PAGE)))
ATTACKS = sorted(set(re.findall(r"attack `(\w+)`", PAGE)))


@pytest.fixture(scope="module")
def sources() -> str:
    files = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "tests" / "php").glob("*Test.php")]
    return "\n".join(path.read_text("utf-8") for path in files)


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_is_named_exists(name: str, sources: str) -> None:
    assert re.search(rf"(?:def|function) {name}\(", sources)


@pytest.mark.parametrize("path", PATHS)
def test_a_file_that_is_named_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_each_attack_is_told_of() -> None:
    found = {path.stem for path in (ROOT / "tests" / "security" / "attacks").glob("[a-z]*.py")} - {"target"}
    assert set(ATTACKS) == found
