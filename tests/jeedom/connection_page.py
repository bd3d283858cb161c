"""What somebody sees and types on the page of a connection: steps of a longer day in a browser."""

from __future__ import annotations

import json

from chromium import Chromium

ANSWER = """
    window.ownAsk = window.ownAsk || jeenergiePage.ask;
    jeenergiePage.ask = async (action, request) =>
        action !== 'daemon' ? window.ownAsk(action, request) : { oldest: %s };
    jeenergiePage.refreshOldest()
"""
"""The daemon tells this of how old data are."""

A_YEAR_AGO = """{ [jeenergiePage.current.id]: {
    equipment: '1', name: 'Téléinfo <b>', at: jeenergiePage.data.list.now.replace(/^\\d+/, year => year - 1)
} }"""


def read_the_form_as_it_was_typed(browser: Chromium) -> None:
    """Blanks of a password stay, and what is no number reaches the server, which refuses it."""
    browser.run("document.querySelectorAll('#div_jeenergieFields details').forEach(each => { each.open = true; })")
    browser.fill("[data-jn_field=password] input", " p4ss ")
    browser.fill("[data-jn_field=pollInterval] input", "1e")
    config = json.loads(browser.run("JSON.stringify(jeenergiePage.formNow().config)"))
    assert (config["password"], config["pollInterval"]) == (" p4ss ", "?")
    browser.fill("[data-jn_field=pollInterval] input", "1")
    browser.fill("[data-jn_field=password] input", "")
    browser.run("jeenergiePage.untouched()")


def see_how_old_the_oldest_datum_is(browser: Chromium) -> None:
    """Shown in words, with the name of the equipment, while the daemon tells it."""
    browser.run(ANSWER % A_YEAR_AGO)
    browser.until("document.querySelector('[data-jn_oldest]')")
    assert browser.text("[data-jn_oldest]") == "Donnée la plus ancienne : il y a 365 j (Téléinfo <b>)"
    browser.run("document.getElementById('div_jeenergieState').scrollIntoView({ block: 'center' })")


def hide_the_oldest_datum(browser: Chromium) -> None:
    """Hidden while the daemon does not tell it."""
    browser.run(ANSWER % "{}")
    browser.until("!document.querySelector('[data-jn_oldest]')")
    browser.run("jeenergiePage.ask = window.ownAsk")
