#!/usr/bin/env python3
"""Takes the pictures of the pages for users, once in each language, from a Jeedom that may be spoiled.

    JEEDOM_ROOT=... JEEDOM_URL=http://127.0.0.1:... tools/make_pictures.py [NAME ...]

Without names all of them are taken. The plugin has to be installed there; the systems are simulated, the daemon is the
real one. Connections that are there already are hidden. Each picture is
docs/images/fr/NAME.png and docs/images/en/NAME.png, in the light theme, cut to what it shows. Chromium and pngquant
are needed (JEEDOM_CHROMIUM). Jeedom's language is put back at the end.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "jeedom")]

from chromium import Chromium  # noqa: E402
from example_house import OF_A_CONNECTION, House, house  # noqa: E402
from jeedom_host import URL, Jeedom  # noqa: E402

LANGUAGES = {"fr": "fr_FR", "en": "en_US"}
PLUGIN = "/index.php?v=d&m=jeenergie&p=jeenergie"
SETTLE_S = 1.5


@dataclass(frozen=True)
class Picture:
    """`path`: the page, with {enphase}, {easee}, {wes}, {hellowatt} for connections, {charger}, {teleinfo} for others.

    `shown`: what there is when the page is ready; then `script` is run. `of`: what is cut out of it; `height`: px of
    the picture at most.
    """

    name: str
    path: str
    shown: str
    of: str = "#div_mainContainer, #div_pageContainer"
    width: int = 1140
    height: int = 850
    click: str = ""
    script: str = ""


FORM = "#div_jeenergieFields .form-group"
TEST = "#eqlogictab [data-jn_action=test]"
TESTED = "#div_jeenergieResult .alert-success"
PANEL = "/index.php?v=d&m=jeenergie&p=panel&tab=meters"
CHART = "svg.highcharts-root"
BELOW = "document.querySelector('#div_jeenergieResult').scrollIntoView({block: 'end'})"
TARIFFS = "document.querySelector('#div_jeenergiePanel [data-option=split]').click()"
MONTHS = "document.querySelector('#div_jeenergiePanel [data-value=month]').click(); " + TARIFFS
MOST_BYTES = 60_000
"""A picture travels inside the page that shows it."""

PICTURES = (
    Picture("list", PLUGIN, ".eqLogicDisplayCard, .jnCard"),
    Picture("add", PLUGIN, ".jnSystemCard", of=".jnDialog", width=760, click="[data-jn_action=addConnection]"),
    Picture("connection", PLUGIN + "&id={enphase}", FORM),
    Picture("enphase", PLUGIN + "&id={enphase}", TESTED, click=TEST, script=BELOW),
    Picture("easee", PLUGIN + "&id={easee}", TESTED, click=TEST, script=BELOW, height=700),
    Picture("wes", PLUGIN + "&id={wes}", TESTED, click=TEST, script=BELOW),
    Picture("sync", PLUGIN + "&id={wes}", ".jnFound", of=".jnDialog", click="#eqlogictab [data-jn_action=discover]"),
    Picture("refused", PLUGIN + "&id={easee}", ".jnQuestion", of=".jnDialog", click="[data-action=remove]"),
    Picture("equipment", PLUGIN + "&id={charger}", FORM, height=640),
    Picture(
        "commands", PLUGIN + "&id={charger}", "#table_cmd tbody tr", click="a[data-target='#commandtab']", height=640
    ),
    Picture("wes-teleinfo", PLUGIN + "&id={teleinfo}", FORM, height=640),
    Picture("panel", PANEL, CHART, height=700),
    Picture("panel-tempo", PANEL, CHART, script=TARIFFS, height=700),
    Picture("panel-split", PANEL, CHART, script=MONTHS, height=700),
    Picture("panel-mobile", PANEL, CHART, width=390, height=844),
    Picture("easee-tile", "/index.php?v=d&p=dashboard&object_id={Garage}", ".eqLogic-widget", of=".eqLogic-widget"),
    Picture("dashboard", "/index.php?v=d&p=dashboard&object_id={Maison}", ".eqLogic-widget", width=1250, height=760),
)


@contextmanager
def language(jeedom: Jeedom, wanted: str) -> Iterator[None]:
    """Jeedom speaks another language meanwhile."""
    before = jeedom.php("echo json_encode(config::byKey('language', 'core', 'fr_FR'));")
    jeedom.php("config::save('language', $argv[1]);", wanted)
    try:
        yield
    finally:
        jeedom.php("config::save('language', $argv[1]);", before)


def take(browser: Chromium, home: House, picture: Picture, target: Path) -> None:
    """One picture."""
    size = {"width": picture.width, "height": picture.height}
    browser.send("Emulation.setDeviceMetricsOverride", **size, deviceScaleFactor=1, mobile=False)
    browser.goto(URL + picture.path.format(**home.connections, **home.objects, **equipment_of(home)))
    if "&id=" in picture.path:
        browser.until(f"document.querySelector({FORM!r})", 60)
    if picture.click:
        browser.click(picture.click)
    browser.until(f"document.querySelector({picture.shown!r})", 60)
    browser.run("jeedomUtils.changeTheme('light')")
    browser.until("document.body.getAttribute('data-theme').endsWith('Light')")
    # Connections that are not of this house.
    own = json.dumps(list(home.connections.values()))
    browser.run(
        f"""document.querySelectorAll('.jnGroup').forEach(each => {{
        each.hidden = !{own}.includes(each.dataset.connection); if (each.hidden) each.style.display = 'none'; }})"""
    )
    if picture.script:
        browser.run(picture.script)
    time.sleep(SETTLE_S)  # transitions of the core's own pages
    box = browser.run(
        f"""(() => {{ const shown = [...document.querySelectorAll({picture.of!r})].find(e => e.getClientRects().length);
        const box = (shown || document.body).getBoundingClientRect();
        return {{x: Math.max(0, box.x), y: Math.max(0, box.y), width: box.width, height: box.height}}; }})()"""
    )
    clip = {**box, "height": min(box["height"], picture.height - box["y"]), "scale": 1}
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(base64.b64decode(browser.send("Page.captureScreenshot", clip=clip)["data"]))
    for colors in (128, 64, 32):
        if target.stat().st_size > MOST_BYTES or colors == 128:
            subprocess.run(
                ["pngquant", "--force", "--ext", ".png", "--speed", "1", str(colors), str(target)], check=True
            )
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size // 1024} kB")


def equipment_of(home: House) -> dict[str, str]:
    """Ids of equipment by type."""
    found: dict[str, str] = {}
    for connection in home.connections.values():
        found.update({kind: str(each) for kind, each in home.jeedom.php(OF_A_CONNECTION, connection).items()})
    return found


def main() -> int:
    """Takes those that are named, or all."""
    wanted = [each for each in PICTURES if each.name in sys.argv[1:] or not sys.argv[1:]]
    if not wanted:
        print("known: " + ", ".join(each.name for each in PICTURES))
        return 1
    jeedom = Jeedom()
    taken = jeedom.php(
        "echo json_encode(is_object(jeeObject::byName('Maison')) || is_object(jeeObject::byName('Garage')));"
    )
    with house(jeedom, mark=" 2" if taken else "") as home:
        home.gateway.set(production=4200.0, consumption=900.0)
        home.charger.plug()
        for short, whole in LANGUAGES.items():
            with language(jeedom, whole), Chromium(1140, 850) as browser:
                browser.sign_in(URL, "admin", "admin")
                for picture in wanted:
                    take(browser, home, picture, ROOT / "docs" / "images" / short / f"{picture.name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
