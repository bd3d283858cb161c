"""The addresses of info.json lead to pages of the plugin itself."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from chromium import PATH, Chromium
from jeedom_host import ROOT, URL, Jeedom
from theme import THEMES, wear

INFO = json.loads((Path(__file__).resolve().parents[2] / "plugin_info" / "info.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("key", "told"), [("documentation", "Systèmes disponibles"), ("changelog", "Première version")]
)
def test_the_buttons_of_the_core_open_our_own_pages(jeedom: Jeedom, key: str, told: str) -> None:
    for added in ("", "?theme=light"):  # the core's help button adds this
        with jeedom._opener.open(f"{URL}/{INFO[key]}{added}", timeout=60) as answer:
            page = answer.read().decode()
        assert "md_jeenergieDocumentation" in page
        assert told in page


def test_they_are_read_after_a_backup_that_leaves_every_docs_out(jeedom: Jeedom) -> None:
    jeedom.php("jeenergie::backup();")
    source = (Path(ROOT) / "install" / "backup.php").read_text("utf-8")
    found = re.search(r"\$excludes = array\((.*?)\);", source, re.DOTALL)
    assert found
    excluded = [f"--exclude={name}" for name in re.findall(r"^\s*'([^']+)',", found.group(1), re.MULTILINE)]
    assert "--exclude=docs" in excluded
    archive = subprocess.run(
        ["tar", "cf", "-", *excluded, "./plugins/jeenergie"], cwd=ROOT, capture_output=True, check=True, timeout=120
    )
    names = subprocess.run(["tar", "tf", "-"], input=archive.stdout, capture_output=True, check=True).stdout.decode()
    assert "/docs/" not in names
    assert "./plugins/jeenergie/data/documentation/fr_FR/index.md" in names
    docs = Path(ROOT) / "plugins" / "jeenergie" / "docs"
    aside = docs.rename(docs.with_name("docs.aside"))
    try:
        for key, told in (("documentation", "Systèmes disponibles"), ("changelog", "Première version")):
            with jeedom._opener.open(f"{URL}/{INFO[key]}", timeout=60) as answer:
                page = answer.read().decode()
            assert told in page
            assert "data:image/png;base64," in page
    finally:
        aside.rename(docs)


def test_the_first_page_is_light(jeedom: Jeedom) -> None:
    """A subject, with its pictures, is loaded when it is opened: all of them together were 1.8 MB."""
    with jeedom._opener.open(f"{URL}/{INFO['documentation']}", timeout=60) as answer:
        page = answer.read()
    docs = Path(__file__).resolve().parents[2] / "docs" / "fr_FR"
    assert all(f'data-jn_page="{each.stem}"' in page.decode() for each in docs.glob("*.md"))
    assert len(page) < 400_000


@contextmanager
def speaking(jeedom: Jeedom, language: str) -> Iterator[None]:
    """Jeedom is in another language meanwhile."""
    before = jeedom.php("echo json_encode(config::byKey('language', 'core', 'fr_FR'));")
    jeedom.php("config::save('language', $argv[1]);", language)
    try:
        yield
    finally:
        jeedom.php("config::save('language', $argv[1]);", before)


LOOK = """
    (() => {
        const inBox = e => e.closest('.table-responsive, pre');
        const shown = [...document.querySelectorAll('article')].filter(e => e.getClientRects().length);
        const wide = innerWidth + 1, all = shown.flatMap(e => [...e.querySelectorAll('*')]);
        const box = e => e.getBoundingClientRect();
        const tables = all.filter(e => e.matches('table'));
        return {
            over: all.filter(e => !inBox(e) && box(e).right > wide).map(e => e.tagName + e.textContent.slice(0, 40)),
            tables: tables.filter(e => box(e).width > 2.5 * innerWidth).length,
            letters: all.filter(e => e.matches('pre') && !/mono/.test(getComputedStyle(e).fontFamily)).length,
            pictures: all.filter(e => e.matches('img') && !(e.complete && e.naturalWidth)).length,
            dead: all.filter(e => e.dataset.jn_section
                && !document.querySelector('article[data-jn_page=' + e.dataset.jn_document + '][data-jn_later]')
                && !document.getElementById('jn-' + e.dataset.jn_document + '-' + e.dataset.jn_section)).length,
        };
    })()
"""


@pytest.mark.skipif(not PATH, reason="Chromium is not installed")
@pytest.mark.parametrize("language", ["fr_FR", "en_US"])
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [1400, 390])
def test_every_page_fits_its_window(jeedom: Jeedom, width: int, theme: str, language: str) -> None:
    docs = Path(__file__).resolve().parents[2] / "docs" / language
    with speaking(jeedom, language), Chromium(width, 900) as browser:
        browser.sign_in(URL, "admin", "admin")
        for page in sorted(path.stem for path in docs.glob("*.md")):
            browser.goto(f"{URL}/index.php?v=d&m=jeenergie&p=documentation&open={page}")
            own = f"document.querySelector('article[data-jn_page={page}]')"
            browser.until(f"{own}?.getClientRects().length && !{own}.hasAttribute('data-jn_later')")
            wear(browser, theme)
            found = browser.run(LOOK)
            assert found == {"over": [], "tables": 0, "letters": 0, "pictures": 0, "dead": 0}, page


def test_what_the_documentation_quotes_of_jeedom_stands_there(jeedom: Jeedom) -> None:
    """Its own menus, tabs and buttons, in French and English: `tests/docs/test_labels.py` asks pages for these."""
    words = Path(__file__).resolve().parents[1] / "docs" / "emphasis.json"
    quoted = json.loads(words.read_text("utf-8"))["jeedom"]
    sections = json.loads((Path(ROOT) / "core" / "i18n" / "en_US.json").read_text("utf-8")).values()
    known = {(french.strip(), english.strip()) for table in sections for french, english in table.items()}
    assert [pair for pair in quoted.items() if pair not in known] == []
