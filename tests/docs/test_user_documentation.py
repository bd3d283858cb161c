"""What users read: every command, pages and pictures that exist, the same pages in both languages."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").glob("??_??/*.md"))
LARGEST = 150_000
"""Bytes of a picture: it travels inside the page."""


def test_the_list_of_commands_is_what_the_catalogues_say() -> None:
    listing = [sys.executable, str(ROOT / "tools" / "list_commands.py"), "--check"]
    done = subprocess.run(listing, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_languages_have_the_same_pages() -> None:
    assert (
        len({tuple(page.name for page in PAGES if page.parent == folder) for folder in {p.parent for p in PAGES}}) == 1
    )


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_what_a_page_links_to_exists(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", page.read_text("utf-8")):
        if not target.startswith(("http", "mailto")):
            assert (page.parent / target).is_file(), target


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "images").rglob("*.png")), ids=lambda path: path.stem)
def test_a_picture_is_shown_somewhere_and_small_enough(picture: Path) -> None:
    shown = "".join(page.read_text("utf-8") for page in [*PAGES, ROOT / "README.md"])
    assert f"{picture.relative_to(ROOT / 'docs').as_posix()})" in shown
    assert picture.stat().st_size <= LARGEST


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_a_page_shows_pictures_of_its_own_language_and_the_english_none_of_its_own(page: Path) -> None:
    language = page.parent.name[:2]
    picture = re.compile(r"\]\(\.\./images/(\w\w)/([\w-]+)\.png\)")
    shown = picture.findall(page.read_text("utf-8"))
    french = picture.findall((page.parent.parent / "fr_FR" / page.name).read_text("utf-8"))
    assert {folder for folder, _ in shown} <= {language}
    assert {name for _, name in shown} <= {name for _, name in french}
    assert len(shown) == page.read_text("utf-8").count("../images/")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_every_table_is_whole_and_nothing_unfinished_is_left(page: Path) -> None:
    """A head, a line of dashes, and as many cells in each row."""
    text = page.read_text("utf-8")
    assert not re.search(r"\{\{|\}\}|~~|TODO", text)
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = block.splitlines()
        assert re.fullmatch(r"[|\s:-]+", rows[1]), rows[0]
        assert {len(re.findall(r"(?<!\\)\|", re.sub(r"`[^`]*`", "", row))) for row in rows} == {rows[0].count("|")}, (
            rows[0]
        )
