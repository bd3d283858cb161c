"""What a form does with a saved secret when the address that it is sent to changes."""

from __future__ import annotations

from chromium import Chromium

SECRET = "[data-jn_field=secretWord]"
HOST = "[data-jn_field=host] input"
SAVED = "<b>h</b>"
PLACEHOLDER = f"document.querySelector('{SECRET} input').placeholder"


def change_the_address(browser: Chromium, result: str) -> None:
    """Enters another address and the saved one again; `result`: where answers are shown."""
    assert not browser.shows(f"{SECRET} .jnMoved")
    browser.fill(HOST, "192.0.2.1")
    browser.until(f"{PLACEHOLDER} === 'à saisir de nouveau'")
    assert browser.shows(f"{SECRET} .jnMoved")
    browser.click("[data-jn_action=test]")
    browser.until(f"document.querySelector('{result}').innerText.includes('« Adresse » a changé')", 40)
    browser.fill(HOST, SAVED)
    browser.until(f"{PLACEHOLDER} === 'inchangé'")
    # The field tells of its change when it loses the focus; with a change the browser asks before it leaves the page.
    browser.run("document.activeElement.blur(); jeenergiePage.untouched()")
