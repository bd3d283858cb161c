"""Every tile of every type, from fixed values, in Chromium: whole, with texts that can be read and names for all.

Skipped without Chromium or PHP. Contrast and names are judged by axe-core besides, where docs/testing.md has been
followed. JEEDOM_SHOTS names a folder for pictures of the whole sheet.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "jeedom"))

import chromium  # noqa: E402
from chromium import Chromium  # noqa: E402

pytestmark = pytest.mark.skipif(not (chromium.PATH and shutil.which("php")), reason="Chromium and PHP are needed")

AXE = ROOT / ".venv" / "node_modules" / "axe-core" / "axe.min.js"
LEAST_CONTRAST = 4.5
"""WCAG 2.1 AA, for text of any size."""
WIDTHS = {"dashboard": 230, "phone": 176}
"""px: within the tile that Jeedom 4.5 makes on its dashboard, and on a phone of 390 px, two side by side."""
GROUNDS = {"Light": "rgb(249, 249, 250)", "Dark": "rgb(38, 38, 38)"}
"""Of a tile in Jeedom's two themes (core/themes/core2019_*/desktop/colors.css, --eq-bg-color, 4.5.3)."""
HERE = Path(__file__).parent


def rendered(*options: str) -> dict[str, str]:
    command = ["php", str(Path(__file__).parent / "render.php"), str(ROOT), *options]
    tiles: dict[str, str] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return tiles


@pytest.fixture(scope="module")
def tiles() -> dict[str, dict[str, str]]:
    return {"fresh": rendered(), "old": rendered("old")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium(1440, 900) as browser:
        yield browser


def alone(tiles: dict[str, str], part: str) -> dict[str, str]:
    """The first tile with `part` in its HTML, with the style and the script that the first one of a page brings."""
    assets = next(iter(tiles.values())).split("</script>")[0] + "</script>"
    bodies = {name: html[html.index('<div class="jtBody') :] for name, html in tiles.items()}
    name = next(name for name, html in bodies.items() if part in html)
    html = tiles[name]
    return {name: html if "jtStyle" in html else assets + html}


def show(browser: Chromium, tiles: dict[str, str], theme: str, view: str, folder: Path) -> None:
    sections = "".join(f'<section id="{name}"><h2>{name}</h2>{html}</section>' for name, html in tiles.items())
    text = (HERE / "page.html").read_text("utf-8")
    title = "#1b1b1b" if theme == "Light" else "#f2f2f2"
    filled = {"GROUND": GROUNDS[theme], "WIDTH": str(WIDTHS[view]), "THEME": theme, "TITLE": title, "TILES": sections}
    for mark, value in filled.items():
        text = text.replace(mark, value)
    # No Jeedom answers here: what a tile asks for is refused, as by one that is away.
    text = text.replace("<head>", "<head><script>window.fetch = () => Promise.reject(new Error('away'));</script>", 1)
    assert "window.fetch" in text
    page = folder / "tiles.html"
    page.write_text(text, "utf-8")
    browser.goto(page.as_uri())
    browser.run((HERE / "checks.js").read_text("utf-8"))
    browser.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")


@pytest.mark.parametrize("age", ["fresh", "old"])
@pytest.mark.parametrize("theme", list(GROUNDS))
@pytest.mark.parametrize("view", list(WIDTHS))
def test_every_tile_is_whole_can_be_read_and_names_what_it_has(
    tiles: dict[str, dict[str, str]], browser: Chromium, tmp_path: Path, view: str, theme: str, age: str
) -> None:
    show(browser, tiles[age], theme, view, tmp_path)
    if "JEEDOM_SHOTS" in os.environ:
        height = browser.run("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": 1440, "height": height, "scale": 1}
        picture = browser.send("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        Path(os.environ["JEEDOM_SHOTS"], f"tiles_{view}_{theme}_{age}.png").write_bytes(base64.b64decode(picture))
    assert browser.run("checks.overflow()") == []
    assert browser.run(f"checks.contrast({LEAST_CONTRAST})") == []
    assert browser.run("checks.nameless()") == []
    # Else the mobile application gives buttons its own look, in which the one that is pressed is like the others.
    assert browser.run("[...document.querySelectorAll('.jtBody button')].every(each => each.dataset.role === 'none')")
    if age == "old":
        shown = "[...document.querySelectorAll('section')].every(s => /Injoignable · il y a 12 min/.test(s.innerText)"
        assert browser.run(shown + " || /connection$/.test(s.id))")
    assert browser.errors == []


@pytest.mark.parametrize("theme", list(GROUNDS))
def test_axe_finds_nothing_serious(
    tiles: dict[str, dict[str, str]], browser: Chromium, tmp_path: Path, theme: str
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not here: see docs/testing.md")
    show(browser, tiles["fresh"], theme, "dashboard", tmp_path)
    browser.run(AXE.read_text("utf-8"))
    found: list[dict[str, Any]] = json.loads(
        browser.run("axe.run('.jtBody').then(done => JSON.stringify(done.violations))")
    )
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in serious] == []


def test_new_values_are_written_into_the_tile(
    tiles: dict[str, dict[str, str]], browser: Chromium, tmp_path: Path
) -> None:
    show(browser, alone(tiles["fresh"], 'data-jt-plus="Soutirage réseau"'), "Light", "dashboard", tmp_path)
    browser.run("window.first = document.querySelector('.jtBody')")
    flow = "document.querySelector('.jtFlow')"
    identifier = browser.run(f"{flow}.closest('.jtLine').querySelector('.jtValue').dataset.jtValue")
    assert browser.run(f"{flow}.textContent") == "Injection réseau"
    browser.run(f"followed['{identifier}']({{cmd_id: '{identifier}', value: 812, display_value: 812}})")
    assert browser.run(f"{flow}.textContent + ' ' + {flow}.dataset.jtSign") == "Soutirage réseau plus"
    assert browser.run(f"{flow}.closest('.jtLine').querySelector('.jtValue').textContent") == "812\xa0W"
    assert browser.run("document.querySelector('.jtBody') === window.first")  # nothing is rendered again


def test_a_line_comes_and_goes_with_the_value_that_makes_it_pointless(
    tiles: dict[str, dict[str, str]], browser: Chromium, tmp_path: Path
) -> None:
    """Why there is no current is no question while the car charges."""
    show(browser, alone(tiles["fresh"], "Pourquoi pas de courant"), "Light", "dashboard", tmp_path)
    line = "document.querySelector('[data-jt-unless]')"
    identifier = browser.run(f"{line}.dataset.jtOther")
    seen = []
    for value in (2, 3, 4):
        browser.run(f"followed['{identifier}']({{cmd_id: '{identifier}', value: {value}, display_value: {value}}})")
        seen.append(browser.run(f"{line}.getClientRects().length > 0"))
    assert seen == [True, False, True]


def test_a_tile_that_is_drawn_anew_gets_values_and_nothing_is_searched_for(
    tiles: dict[str, dict[str, str]], browser: Chromium, tmp_path: Path
) -> None:
    tile = alone(tiles["fresh"], "jtFlow")
    show(browser, tile, "Light", "dashboard", tmp_path)
    # As the core does: the HTML once more, in which the script stands again.
    browser.run(
        f"""(() => {{
            const section = document.querySelector('section');
            section.innerHTML = {json.dumps(next(iter(tile.values())))};
            section.querySelectorAll('script').forEach(old => {{
                const script = document.createElement('script');
                script.textContent = old.textContent;
                old.replaceWith(script);
            }});
            window.searches = 0;
            for (const name of ['querySelector', 'querySelectorAll']) {{
                const own = document[name];
                document[name] = function(...given) {{ window.searches++; return own.apply(document, given); }};
            }}
        }})()"""
    )
    value = "document.querySelector('.jtFlow').closest('.jtLine').querySelector('.jtValue')"
    identifier = browser.run(f"{value}.dataset.jtValue")
    browser.run("window.searches = 0")
    browser.run(f"followed['{identifier}']({{cmd_id: '{identifier}', value: 812, display_value: 812}})")
    assert browser.run("window.searches") == 0
    assert browser.run(f"{value}.textContent") == "812\xa0W"


def test_the_odd_panel_is_marked_and_only_that(
    tiles: dict[str, dict[str, str]], browser: Chromium, tmp_path: Path
) -> None:
    show(browser, alone(tiles["fresh"], "jtRoof"), "Light", "dashboard", tmp_path)
    marked = "[...document.querySelectorAll('.jtLess .jtName')].map(each => each.textContent)"
    assert browser.run(marked) == ["Équipement 8"]


def test_what_is_not_known_yet_is_not_shown_as_zero(browser: Chromium, tmp_path: Path) -> None:
    show(browser, rendered("new"), "Light", "dashboard", tmp_path)
    values = "[...document.querySelectorAll('.jtValue')].map(each => each.textContent)"
    assert len(browser.run(values)) > 50
    assert [text for text in browser.run(values) if any(map(str.isdigit, text))] == []
    assert browser.run("document.querySelectorAll('.jtMeter').length") > 2
    assert browser.run("[...document.querySelectorAll('.jtMeter')].filter(each => each.getClientRects().length)") == []
    assert browser.run("document.querySelectorAll('.jtLess').length") == 0
    # The first value fills it.
    meter = "document.querySelector('.jtMeter')"
    identifier = browser.run(f"{meter}.dataset.jtMeter")
    browser.run(f"followed['{identifier}']({{cmd_id: '{identifier}', value: 5, display_value: 5}})")
    assert browser.run(f"{meter}.hidden === false && {meter}.getAttribute('aria-valuenow') === '5'")


def test_the_house_says_when_its_first_figures_come_in_the_place_of_dashes(browser: Chromium, tmp_path: Path) -> None:
    show(browser, rendered("new"), "Light", "dashboard", tmp_path)
    waiting = "document.querySelector('.jtWaiting')"
    lines = f"[...{waiting}.parentElement.querySelectorAll('.jtLine')].filter(each => each.getClientRects().length)"
    assert (
        browser.run(f"{waiting}.checkVisibility() && {waiting}.innerText")
        == "Premiers chiffres dans cinq à dix minutes."
    )
    assert browser.run(f"{lines}.length") == 0
    identifier = browser.run(f"{waiting}.parentElement.querySelector('.jtValue').dataset.jtValue")
    browser.run(f"followed['{identifier}']({{cmd_id: '{identifier}', value: 1.2, display_value: 1.2}})")
    assert browser.run(f"{lines}.map(each => each.innerText.replace(/\\s+/g, ' '))") == ["Maison 1,20 kWh"]
    assert not browser.run(f"{waiting}.checkVisibility()")


def test_a_panel_without_value_is_not_the_odd_one(
    tiles: dict[str, dict[str, str]], browser: Chromium, tmp_path: Path
) -> None:
    show(browser, alone(tiles["fresh"], "jtRoof"), "Light", "dashboard", tmp_path)
    first = "document.querySelector('.jtPanel')"
    for identifier in browser.run(f"[...{first}.querySelectorAll('.jtValue')].map(each => each.dataset.jtValue)"):
        browser.run(f"followed['{identifier}']({{cmd_id: '{identifier}', value: '', display_value: ''}})")
    assert browser.run(f"{first}.querySelector('b').textContent") == "–"
    assert browser.run("[...document.querySelectorAll('.jtLess .jtName')].map(each => each.textContent)") == [
        "Équipement 8"
    ]


def test_a_state_of_the_daemon_greys_the_tile_and_a_button_runs_its_command(
    tiles: dict[str, dict[str, str]], browser: Chromium, tmp_path: Path
) -> None:
    show(browser, alone(tiles["fresh"], "jtButton"), "Light", "dashboard", tmp_path)
    identifier = browser.run("document.querySelector('.jtHealth').dataset.jtStates.split(' ')[0]")
    event = "new CustomEvent('jeenergie::state', {detail: {id: '%s', state: '%s'}})"
    for state, word in (("unreachable", "Injoignable"), ("online", "")):
        browser.run(f"document.body.dispatchEvent({event % (identifier, state)}) && 0")
        assert browser.run("document.querySelector('.jtHealth').innerText.trim()").startswith(word)
        assert browser.run("document.querySelector('.jtBody').classList.contains('jtOld')") == (state != "online")
    button = browser.run("document.querySelector('.jtButton:not([hidden])').dataset.jtRun")
    browser.run("document.querySelector('.jtButton:not([hidden])').click()")
    assert browser.run("ran") == [button]


def test_a_mode_is_chosen_in_one_tap_and_the_one_that_holds_is_pressed(
    tiles: dict[str, dict[str, str]], browser: Chromium, tmp_path: Path
) -> None:
    show(browser, alone(tiles["fresh"], "jtChoice"), "Light", "phone", tmp_path)
    pressed = "[...document.querySelectorAll('.jtChoice [aria-pressed=true]')].map(each => each.textContent)"
    words = browser.run("[...document.querySelectorAll('.jtChoice button')].map(each => each.textContent)")
    assert words == ["Sans pilotage", "Arrêt", "Solaire", "Solaire + minimum", "Économique", "Immédiat"]
    assert browser.run(pressed) == ["Solaire"]
    browser.run("jeedom.cmd.execute = asked => { window.asked = asked; }")
    browser.click(".jtChoice button", "Immédiat")
    assert browser.run("[asked.value.select, document.querySelectorAll('.jtChoice [aria-busy]').length]") == ["now", 1]
    # It is not taken for done before the news of it comes.
    assert browser.run(pressed) == ["Solaire"]
    identifier = browser.run("document.querySelector('.jtChoice').dataset.jtChosen")
    browser.run(f"followed['{identifier}']({{cmd_id: '{identifier}', value: 'Immédiat'}})")
    assert browser.run(pressed) == ["Immédiat"]
    assert browser.run("document.querySelectorAll('.jtChoice [aria-busy]').length") == 0
    # A refusal is told, and what holds stays pressed.
    browser.run("window.jeedomUtils = { showAlert: told => { window.told = told.message; } }")
    browser.click(".jtChoice button", "Arrêt")
    browser.run("asked.error({ message: 'La maison ne répond pas' })")
    assert browser.run("[told, document.querySelectorAll('.jtChoice [aria-busy]').length]") == [
        "La maison ne répond pas",
        0,
    ]
    assert browser.run(pressed) == ["Immédiat"]
