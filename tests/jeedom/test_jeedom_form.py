"""The form of a connection in a browser, without any daemon: what it offers, by mouse, keyboard and screen reader."""

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

PAGE = URL + "/index.php?v=d&m=jeenergie&p=jeenergie"
NAME = "Formulaire"
CLEAN = """
    foreach ([false, true] as $connections) {
        foreach (jeenergie::byType('jeenergie') as $each) {
            $isOurs = strpos($each->getName(), 'Formulaire') === 0;
            if ($isOurs && $each->isConnection() === $connections) { $each->remove(); }
        }
    }
"""
MAKE = """
    $connection = new jeenergie();
    $connection->setEqType_name('jeenergie')->setName('Formulaire')->setIsEnable(1);
    $connection->setConfiguration('kind', 'connection')->setConfiguration('backend', 'enphase');
    $access = ['host' => '127.0.0.1', 'tokenMode' => 'manual', 'token' => 'x'];
    $connection->setConfiguration('config', $access + ['phases' => $argv[1]]);
    $connection->save();
    $stage = new jeenergie();
    $stage->setEqType_name('jeenergie')->setName('Formulaire charge')->setIsEnable(0);
    $stage->setConfiguration('kind', 'equipment')->setConfiguration('backend', 'enphase');
    $stage->setConfiguration('connection', (string) $connection->getId());
    $stage->setConfiguration('type', 'stage')->setConfiguration('key', 'F1')->save();
    echo json_encode([$connection->getId(), $stage->getId()]);
"""
STATE = """(() => {
    const own = jeenergiePage.summary(jeenergiePage.current.id);
    own.isEnable = true;
    jeenergiePage.data.list.daemon.state = 'running';
    own.state = { state: %s, text: %s, message: %s };
    window.ownAsk = window.ownAsk || jeenergiePage.ask;
    window.asked = [];
    jeenergiePage.ask = (action, request) => {
        if (['list', 'daemon'].includes(action)) return new Promise(() => {});
        window.asked.push([action, request]);
        return new Promise((done, fail) => { window.answer = done; window.refuse = fail; });
    };
    jeenergiePage.showOwnState();
})()"""
"""The state that a daemon would tell; what the page asks from here on is answered by the test."""


@pytest.fixture
def browser(jeedom: Jeedom, quiet: None) -> Iterator[Chromium]:
    jeedom.php(CLEAN)
    with Chromium() as browser:
        browser.sign_in(URL, os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin"))
        yield browser
        browser.run("1")
        assert browser.errors == []
    jeedom.php(CLEAN)


def made(jeedom: Jeedom, phases: str = "mono") -> tuple[str, str]:
    connection, stage = jeedom.php(MAKE, phases)
    return str(connection), str(stage)


def open_form(browser: Chromium, identifier: str) -> None:
    browser.goto(f"{PAGE}&id={identifier}")
    browser.until(f"window.jeenergiePage?.current?.id === {identifier!r}")
    browser.until("!document.querySelector('#jeedom_loading, .loadingBack')?.getClientRects().length")


def press(browser: Chromium, key: str, shift: bool = False) -> None:
    codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
    text = {"Enter": "\r", " ": " "}.get(key, "")
    for kind in ("keyDown", "keyUp"):
        browser.send(
            "Input.dispatchKeyEvent",
            type=kind,
            key=key,
            code={" ": "Space"}.get(key, key),
            windowsVirtualKeyCode=codes[key],
            modifiers=8 if shift else 0,
            **({"text": text} if text and kind == "keyDown" else {}),
        )


def test_the_button_that_accepts_a_certificate_stands_in_its_message(browser: Chromium, jeedom: Jeedom) -> None:
    open_form(browser, made(jeedom)[0])
    texts = ("untrusted", "Certificat inattendu", "Le certificat est inattendu.")
    browser.run(STATE % tuple(map(json.dumps, texts)))
    assert browser.text("#div_jeenergieState .label") == "Certificat inattendu"
    browser.click("#div_jeenergieState .btn", "Accepter le nouveau certificat")
    browser.click(".jnDialog button[data-type=confirm]")
    browser.until("window.asked.length")
    assert browser.run("window.asked.map(each => [each[0], each[1].operation])") == [
        ["runOperation", "acceptCertificate"]
    ]
    browser.run("window.answer({ text: 'Accepté.' })")
    browser.until("document.getElementById('div_jeenergieResult').innerText.includes('Accepté.')")
    # Another trouble has no such button.
    browser.run(STATE % tuple(map(json.dumps, ("unreachable", "Injoignable", "Elle ne répond pas."))))
    assert not browser.shows("#div_jeenergieState .btn")


def test_a_refusal_goes_when_a_new_test_begins(browser: Chromium, jeedom: Jeedom) -> None:
    open_form(browser, made(jeedom)[0])
    browser.run(STATE % tuple(map(json.dumps, ("online", "En ligne", ""))))
    result = "#div_jeenergieResult"
    browser.run("jeedomUtils.showAlert({ message: 'Ancien refus', level: 'danger' })")
    browser.click("#eqlogictab [data-jn_action=test]")
    browser.until(f"document.querySelector('{result} .fa-spin')")
    browser.until("!document.body.innerText.includes('Ancien refus')")
    browser.run("jeenergiePage.refresh = () => Promise.resolve(); window.refuse(new Error('Non.'))")
    browser.until(f"document.querySelector('{result} .alert-danger')")
    browser.click("#eqlogictab [data-jn_action=test]")
    browser.until(f"document.querySelector('{result} .fa-spin')")
    assert not browser.shows(f"{result} .alert-danger")
    browser.run("window.answer({ text: 'Tout va bien.' })")
    browser.until(f"document.querySelector('{result} .alert-success')")
    assert not browser.shows(f"{result} .alert-danger")


@pytest.mark.parametrize(("phases", "offered"), [("mono", ["total"]), ("tri", ["total", "1", "2", "3"])])
def test_phases_are_offered_where_there_are_some(
    browser: Chromium, jeedom: Jeedom, phases: str, offered: list[str]
) -> None:
    open_form(browser, made(jeedom, phases)[1])
    choices = """[...document.querySelectorAll('[data-jn_field=phase] option')]
        .filter(each => !each.hidden && !each.disabled).map(each => each.value)"""
    browser.until(f"({choices}).length === {len(offered)}")
    assert browser.run(choices) == offered


def test_the_button_that_tries_is_beside_what_it_tries(browser: Chromium, jeedom: Jeedom) -> None:
    """Below the essential fields, above what is folded; the keyboard meets them in this order."""
    open_form(browser, made(jeedom)[0])
    tops = """['#div_jeenergieEssentials .form-group', '[data-jn_action=test]', '#div_jeenergieFolded summary',
        '#div_jeenergieOperations summary'].map(each => [...document.querySelectorAll('#eqlogictab ' + each)]
        .filter(e => e.getClientRects().length).pop().getBoundingClientRect().top)"""
    found = browser.run(tops)
    assert found == sorted(found)
    browser.run("[...document.querySelectorAll('#div_jeenergieEssentials :is(input, select)')].pop().focus()")
    met = []
    for _ in range(8):
        press(browser, "Tab")
        met.append(
            browser.run("document.activeElement.getAttribute('data-jn_action') || document.activeElement.tagName")
        )
    assert met[met.index("test") :][:2] == ["test", "discover"]
    assert "SUMMARY" in met[met.index("discover") :]


def test_a_dialog_is_used_with_the_keyboard_alone(browser: Chromium, jeedom: Jeedom) -> None:
    open_form(browser, made(jeedom)[0])
    browser.run(STATE % tuple(map(json.dumps, ("untrusted", "Certificat inattendu", "Inattendu."))))
    button = "document.querySelector('#div_jeenergieState .btn')"
    shown = "Boolean(document.querySelector('.jnDialog'))"
    inside = "document.activeElement.closest('.jnDialog') !== null"
    browser.run(f"{button}.focus()")
    press(browser, "Enter")
    browser.until(f"{shown} && {inside}")
    for shift in (False, True):
        for _ in range(8):
            press(browser, "Tab", shift)
            assert browser.run(inside), "the focus leaves an open dialog"
            ring = "getComputedStyle(document.activeElement)"
            assert browser.run(f"{ring}.outlineStyle !== 'none' || {ring}.boxShadow !== 'none'"), (
                "the focus is not seen"
            )
    press(browser, "Escape")
    browser.until(f"!{shown}")
    assert browser.run(f"document.activeElement === {button}"), "the focus returns to where it was"
    assert browser.run("window.asked.length") == 0
    press(browser, "Enter")
    browser.until(f"{shown} && {inside}")
    browser.run("document.querySelector('.jnDialog button[data-type=confirm]').focus()")
    press(browser, "Enter")
    browser.until(f"window.asked.length === 1 && !{shown}")


def test_the_table_of_commands_is_used_on_a_phone(browser: Chromium, jeedom: Jeedom) -> None:
    """Nothing of a command is cut off or beside the screen, and what is an icon there has a name."""
    browser.send("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
    open_form(browser, made(jeedom)[1])
    browser.click("a[data-target='#commandtab']")
    browser.until("document.querySelector('#table_cmd tbody tr')?.getClientRects().length")
    cut = """[...document.querySelectorAll('#table_cmd :is(input, select, .btn, .jnHelp, summary, [data-action])')]
        .filter(e => e.checkVisibility() && !['hidden', 'checkbox'].includes(e.type)).filter(e => {
            const box = e.getBoundingClientRect(), cell = e.closest('td').getBoundingClientRect();
            const isClipped = e.clientHeight && e.scrollHeight > e.clientHeight + 2;
            return box.left < 0 || box.right > innerWidth || box.bottom > cell.bottom + 1 || isClipped;
        }).map(e => e.outerHTML.slice(0, 120))"""
    assert browser.run(cut) == []
    assert browser.run(
        "[...document.querySelectorAll('#table_cmd tr.cmd')].every(e => e.querySelector('.btn').checkVisibility())"
    )
    scrolled = "document.querySelector('#commandtab .table-responsive')"
    assert browser.run(f"{scrolled}.scrollWidth <= {scrolled}.clientWidth")
    assert serious(browser, "#div_jeenergie .eqLogic") == []


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious_on_answers_commands_and_the_configuration(
    browser: Chromium, jeedom: Jeedom, theme: str
) -> None:
    open_form(browser, made(jeedom)[0])
    wear(browser, theme)
    for level in ("success", "info", "warning", "danger"):
        browser.run(f"jeenergiePage.notice(document.getElementById('div_jeenergieResult'), '{level}', 'Une réponse.')")
        assert serious(browser, "#eqlogictab") == [], level
    browser.click("a[data-target='#commandtab']")
    browser.until("document.querySelector('#table_cmd tbody tr')?.getClientRects().length")
    assert serious(browser, "#commandtab") == []
    browser.goto(URL + "/index.php?v=d&p=plugin&id=jeenergie")
    browser.until("document.querySelector('#in_jeenergiePort')?.getClientRects().length")
    wear(browser, theme)
    assert serious(browser, ".jnConfiguration") == []


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious_on_forms_and_dialogs(browser: Chromium, jeedom: Jeedom, theme: str) -> None:
    connection, stage = made(jeedom)
    for identifier in (connection, stage):
        open_form(browser, identifier)
        wear(browser, theme)
        browser.run("document.querySelectorAll('#eqlogictab details').forEach(each => { each.open = true; })")
        assert serious(browser, "#eqlogictab") == []
    browser.goto(PAGE)
    browser.until("window.jeeFrontEnd && document.querySelector('.eqLogicThumbnailDisplay .logoPrimary')")
    wear(browser, theme)
    assert serious(browser, "#div_jeenergie") == []
    browser.click("[data-jn_action=addConnection]")
    browser.until("document.querySelector('.jnDialog input')")
    assert serious(browser, ".jnDialog") == []
