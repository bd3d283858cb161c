"""The list of connections in a browser: search and folding, without any daemon."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import chromium
import pytest
from axe import serious
from chromium import Chromium
from jeedom_host import URL, Jeedom
from theme import THEMES, wear

pytestmark = pytest.mark.skipif(not chromium.PATH, reason="Chromium is not on this machine")

LIST = URL + "/index.php?v=d&m=jeenergie&p=jeenergie"
FIRST, SECOND = "Liste du garage", "Liste du jardin"
STOP = "config::save('deamonAutoMode', 0, 'jeenergie'); plugin::byId('jeenergie')->deamon_stop();"
"""No daemon: it would ask the real vendors for these connections."""
CLEAN = """
    foreach ([false, true] as $connections) {
        foreach (jeenergie::byType('jeenergie') as $each) {
            if (strpos($each->getName(), 'Liste') === 0 && $each->isConnection() === $connections) { $each->remove(); }
        }
    }
    foreach (jeeObject::all() as $each) { if ($each->getName() === 'Liste au nord') { $each->remove(); } }
"""
MAKE = """
    $north = new jeeObject();
    $north->setName('Liste au nord')->setIsVisible(1)->save();
    foreach (json_decode($argv[1], true) as $name => $equipment) {
        $connection = new jeenergie();
        $connection->setEqType_name('jeenergie')->setName($name)->setIsEnable(1);
        $connection->setConfiguration('kind', 'connection')->setConfiguration('backend', 'easee');
        $connection->setConfiguration('config', ['user' => 'a@example.org', 'password' => 'x']);
        $connection->save();
        foreach ($equipment as $key => $each) {
            $made = Discovery::create($connection, 'charger', $key, $each);
            $made->setObject_id($each === 'Liste Allée' ? $north->getId() : null)->save();
        }
    }
"""
EQUIPMENT = {FIRST: {"EH7000001": "Liste Atelier", "EH7000002": "Liste Allée"}, SECOND: {"EH8000001": "Liste Serre"}}
GROUP = """[...document.querySelectorAll('.jnGroup')]
    .find(group => group.querySelector('.jnNames .name')?.textContent === %s)"""


@pytest.fixture
def page(jeedom: Jeedom, quiet: None) -> Iterator[Chromium]:
    """The list with two connections of ours."""
    jeedom.php(STOP)
    jeedom.php(CLEAN)
    jeedom.php(MAKE, json.dumps(EQUIPMENT))
    with Chromium() as browser:
        browser.sign_in(URL, os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin"))
        open_list(browser)
        yield browser
        browser.run("1")
        assert browser.errors == []
    jeedom.php(CLEAN)


def open_list(browser: Chromium) -> None:
    browser.goto(LIST)
    browser.until("window.jeeFrontEnd && document.querySelector('.eqLogicThumbnailDisplay .logoPrimary')")
    browser.until("!document.querySelector('#jeedom_loading, .loadingBack')?.getClientRects().length")


def shown(browser: Chromium) -> dict[str, list[str]]:
    """The equipment that one can see, by connection; of a connection that one can see. Only ours."""
    script = """Object.fromEntries([...document.querySelectorAll('.jnGroup')].filter(e => e.getClientRects().length)
        .map(group => [group.querySelector('.jnNames .name')?.textContent || '',
            [...group.querySelectorAll('.jnGroupBody .eqLogicDisplayCard')].filter(e => e.getClientRects().length)
                .map(e => e.querySelector('.name').textContent)]))"""
    found = {}
    for connection, cards in browser.run(script).items():
        if connection in EQUIPMENT:
            names = EQUIPMENT[connection].values()
            found[connection] = [name for card in cards for name in names if name in card]
    return found


def waits_for(browser: Chromium, expected: dict[str, list[str]]) -> None:
    for _ in range(50):
        if shown(browser) == expected:
            return
        browser.run("new Promise(done => setTimeout(done, 100))")
    assert shown(browser) == expected


ALL = {FIRST: ["Liste Atelier", "Liste Allée"], SECOND: ["Liste Serre"]}


def by_name(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {connection: sorted(names) for connection, names in found.items()}


def test_the_search_finds_names_objects_and_numbers(page: Chromium) -> None:
    searches: dict[str, dict[str, list[str]]] = {
        "serre": {SECOND: ["Liste Serre"]},
        "EH7000002": {FIRST: ["Liste Allée"]},
        "liste au nord": {FIRST: ["Liste Allée"]},
        "allee": {FIRST: ["Liste Allée"]},
        SECOND: {SECOND: ["Liste Serre"]},
        "personne ne se nomme ainsi": {},
    }
    for text, expected in searches.items():
        page.fill("#in_searchEqlogic", text)
        waits_for(page, expected)
        page.click("#bt_resetSearch")
        page.until("document.getElementById('in_searchEqlogic').value === ''")
        page.until("[...document.querySelectorAll('.jnGroup')].every(e => e.getClientRects().length)")
        assert by_name(shown(page)) == by_name(ALL)


def test_a_search_says_how_many_it_shows_and_that_it_found_nothing(page: Chromium) -> None:
    badge = f"({GROUP % json.dumps(FIRST)}).querySelector('.jnType .badge').textContent"
    assert page.run(badge) == "2"
    page.fill("#in_searchEqlogic", "Atelier")
    page.until(f"{badge} === '1 / 2'")
    page.fill("#in_searchEqlogic", "personne")
    page.until("document.getElementById('div_jeenergieNothing').textContent.includes('« personne »')")
    page.click("#div_jeenergieNothing .btn")
    page.until(f"{badge} === '2'")
    assert page.run("document.getElementById('div_jeenergieNothing').textContent") == ""


def test_each_row_has_its_live_value_as_the_reader_writes_it(page: Chromium, jeedom: Jeedom) -> None:
    jeedom.php(
        """foreach (jeenergie::byType('jeenergie') as $each) {
            if ($each->getName() === 'Liste Atelier') { $each->checkAndUpdateCmd('power', 7.36); }
        }"""
    )
    open_list(page)
    row = "[...document.querySelectorAll('.jnRow')].find(e => e.textContent.includes('Liste Atelier'))"
    page.until(f"({row}).querySelector('.jnLive').textContent.replace(/\\s/g, ' ') === '7,36 kW'")


def test_a_character_that_jeedom_removes_is_replaced_with_a_word(page: Chromium) -> None:
    page.click("[data-jn_action=addConnection]")
    page.until("document.getElementById('in_jeenergieNewName')")
    page.run(
        """const input = document.getElementById('in_jeenergieNewName'); input.value = 'Ballon & co';
        input.dispatchEvent(new Event('change', { bubbles: true })); 1"""
    )
    assert page.run("document.getElementById('in_jeenergieNewName').value") == "Ballon + co"
    assert "« & »" in page.run("document.getElementById('in_jeenergieNewName').nextElementSibling.textContent")
    # What is wrong stands where one sees it, however long the dialog is.
    page.click(".jnDialog button[data-type=confirm]")
    page.until("document.querySelector('.jnDialog .jnNotice .alert-danger')")
    assert page.run(
        """(() => { const box = document.querySelector('.jnDialog .jnNotice .alert-danger').getBoundingClientRect();
        return box.bottom <= window.innerHeight && box.top >= 0; })()"""
    )


def test_groups_fold_and_stay_folded(page: Chromium) -> None:
    own = page.until(f"({GROUP % json.dumps(FIRST)})?.dataset.connection")
    page.click(f".jnGroup[data-connection='{own}'] .jnFold")
    waits_for(page, {FIRST: [], SECOND: ["Liste Serre"]})
    open_list(page)
    waits_for(page, {FIRST: [], SECOND: ["Liste Serre"]})
    # A search looks into what is folded, and leaves it folded.
    page.fill("#in_searchEqlogic", "Atelier")
    waits_for(page, {FIRST: ["Liste Atelier"]})
    page.click("#bt_resetSearch")
    waits_for(page, {FIRST: [], SECOND: ["Liste Serre"]})
    page.click("[data-jn_action=foldAll]")
    waits_for(page, {FIRST: [], SECOND: []})
    page.click("[data-jn_action=unfoldAll]")
    page.until("!document.querySelector('.jnFolded')")
    assert by_name(shown(page)) == by_name(ALL)
    open_list(page)
    assert by_name(shown(page)) == by_name(ALL)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [1400, 390])
def test_axe_finds_nothing_serious(page: Chromium, width: int, theme: str) -> None:
    page.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
    wear(page, theme)
    assert serious(page, "#div_jeenergie") == []
