#!/usr/bin/env python3
"""Takes the pictures of the pages for users, once in each language, from a Jeedom that may be spoiled.

    JEEDOM_ROOT=... JEEDOM_URL=http://127.0.0.1:... tools/make_pictures.py [fr|en] [NAME ...]

Without names all of them are taken, without a language in both. The plugin has to be installed there; the systems are
simulated, the daemon is the real one, and connections that are there already are deleted. Which pictures there are
stands in pictures.json; each is docs/images/fr/NAME.png and docs/images/en/NAME.png, cut to what it shows.
The house has a year's balance (book_of_a_year.py); for its gateway it is ten in the morning when this begins. The
window that takes a former plugin over needs its files (JEENERGIE_FORMER: see tests/jeedom/former_plugins.py). Chromium
and pngquant are needed (JEEDOM_CHROMIUM); zopflipng makes the files smaller. At the end Jeedom has its language again,
the object of the pictures ("Maison", "Home") is gone, and one that had its name already has it again.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools"), str(ROOT / "tests" / "jeedom")]

from chromium import Chromium  # noqa: E402
from jeedom_host import URL, Jeedom  # noqa: E402
from show_house import show_house  # noqa: E402
from theme import wear  # noqa: E402

LANGUAGES = {"fr": "fr_FR", "en": "en_US"}
SETTLE_S = 3
"""Transitions of the core's own pages, and what a page asks for once it is there: no answer came for so long."""
MAX_SETTLE_S = 8
MOBILE_PX = 500
ORDINARY = """for (const each of document.querySelectorAll('input')) {
    if (each.value === '127.0.0.1') { each.value = each.placeholder; }
    if (each.closest('[data-jn_field=port]')) { each.value = each.placeholder || '80'; }
}"""
"""Addresses of simulators say nothing to a user."""
PAGE = "#div_mainContainer, #div_pageContainer"
TABLE = json.loads((ROOT / "tools" / "pictures.json").read_text("utf-8"))
"""What is shown where, and the names that an English user would give."""


@dataclass(frozen=True)
class Picture:
    """A row of pictures.json, whose "about" tells what each member means."""

    name: str
    path: str
    shown: str
    of: str = PAGE
    size: tuple[int, int] = (1140, 850)
    before: str = ""
    click: tuple[str, ...] = ()
    script: str = ""
    theme: str = "light"
    app: str = ""
    colors: int = 12
    """A picture travels inside the page that shows it, and all of them inside the zip, which may have 2 MB."""


@contextmanager
def language(jeedom: Jeedom, wanted: str) -> Iterator[None]:
    """Jeedom speaks another language meanwhile."""
    before = jeedom.php("echo json_encode(config::byKey('language', 'core', 'fr_FR'));")
    jeedom.php("config::save('language', $argv[1]);", wanted)
    try:
        yield
    finally:
        jeedom.php("config::save('language', $argv[1]);", before)


def take(browser: Chromium, ids: dict[str, str], picture: Picture, target: Path) -> None:
    """One picture."""
    width, height = picture.size
    browser.send(
        "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < MOBILE_PX
    )
    browser.run("localStorage.clear()")
    if picture.app:
        open_application(browser, picture.app.format(**ids))
    else:
        browser.goto(URL + "/index.php?v=d&" + picture.path.format(**ids))
    if "p=jeenergie&id=" in picture.path:
        browser.until("document.querySelector('#div_jeenergieFields .form-group')", 60)
    if picture.before:
        browser.until("!!window.jeenergiePage?.ask")
        browser.run(picture.before.replace("{wes}", ids["wes"]))
    for each in picture.click:
        browser.click(each)
    browser.until(f"document.querySelector({picture.shown.format(**ids)!r})", 60)
    wear(browser, f"core2019_{picture.theme.title()}")
    browser.run(ORDINARY)
    if picture.script:
        browser.run(picture.script)
    settle(browser)
    box = browser.run(
        f"""(() => {{ const shown = [...document.querySelectorAll({picture.of.format(**ids)!r})]
            .find(e => e.getClientRects().length);
        if (shown && shown.getBoundingClientRect().bottom > innerHeight) shown.scrollIntoView({{block: 'start'}});
        const box = (shown || document.body).getBoundingClientRect();
        return {{x: Math.max(0, box.x), y: Math.max(0, box.y), width: box.width, height: box.height}}; }})()"""
    )
    clip = {**box, "height": min(box["height"], height - box["y"]), "scale": 1}
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(base64.b64decode(browser.send("Page.captureScreenshot", clip=clip)["data"]))
    # Once, from the picture itself: a second time takes red and green for one.
    quantize = ["pngquant", "--force", "--nofs", "--ext", ".png", "--speed", "1", str(picture.colors), str(target)]
    subprocess.run(quantize, check=True)
    if shutil.which("zopflipng"):  # the same picture in a tenth to a fifth less
        subprocess.run(["zopflipng", "-y", "--iterations=5", str(target), str(target)], check=True, capture_output=True)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size // 1024} kB", flush=True)


def settle(browser: Chromium) -> None:
    """Waits until the page has asked for nothing more, as on a busy machine answers take seconds."""
    answered, quiet, end = -1, 0.0, time.monotonic() + MAX_SETTLE_S
    while quiet < SETTLE_S and time.monotonic() < end:
        time.sleep(0.5)
        now = int(browser.run("performance.getEntriesByType('resource').length"))
        quiet, answered = (quiet + 0.5 if now == answered else 0.0), now


def open_application(browser: Chromium, script: str) -> None:
    """A page of the mobile application. It draws its home when it knows who is there: only then another page stays."""
    browser.goto(URL + "/index.php?v=m")
    browser.until("document.body.getAttribute('data-page') === 'home' && window.plugins?.length")
    settle(browser)
    browser.run(script)


def take_all(jeedom: Jeedom, short: str, wanted: list[Picture]) -> None:
    """In one language: commands have the names that it has for them when they are made, equipment those of a user."""
    english = short == "en"
    place, names = ("Home", TABLE["names"]) if english else ("Maison", {})
    with language(jeedom, LANGUAGES[short]), show_house(jeedom, place, names) as ids, Chromium(1140, 850) as browser:
        browser.send("Emulation.setScrollbarsHidden", hidden=True)  # they teach nothing, and take width and bytes
        browser.sign_in(URL, "admin", "admin")
        for picture in wanted:
            take(browser, ids, picture, ROOT / "docs" / "images" / short / f"{picture.name}.png")


def main() -> int:
    """Takes those that are named, or all, in the languages that are named, or both."""
    known = [Picture(**each) for each in TABLE["pictures"]]
    asked = set(sys.argv[1:]) - set(LANGUAGES)
    wanted = [each for each in known if each.name in asked or not asked]
    if asked - {each.name for each in wanted}:
        print("known: " + ", ".join(each.name for each in known))
        return 1
    jeedom = Jeedom()
    for short in LANGUAGES:
        if short in sys.argv[1:] or not LANGUAGES.keys() & set(sys.argv[1:]):
            take_all(jeedom, short, wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
