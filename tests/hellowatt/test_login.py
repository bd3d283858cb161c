"""Whatever stands at the login address, the cookie is enough; a session that ended, in any words, is opened anew."""

from __future__ import annotations

import time
from datetime import date

import pytest
from jeenergied.devices.hellowatt.site.html_page import HtmlPage

from jeedom_bridge.listener import CommandError
from simulators.hellowatt import HelloWattSite
from simulators.hellowatt.pages import SHELL

from .harness import one_home

E = [("electricity", "502113")]
SINCE = date(2026, 1, 20)
LOST = ["403-html", "403-empty", "403-csrf", "403-permission"]


def posts(site: HelloWattSite) -> int:
    return len(site.asked("login", "POST"))


@pytest.mark.parametrize("page", ["shell", "form", "redirect", "json", "405", "404", "403"])
@pytest.mark.parametrize("token_at", [("login", "user"), ("user",)])
def test_the_cookie_is_enough_for_a_login(clock, opened, bench, page, token_at):
    site, _ = one_home(clock, since=SINCE)
    site.logins.page, site.logins.token_at = page, token_at
    opened(site)
    connected = bench(site, clock, E).start()
    assert connected.last_state["state"] == "online"
    assert date(2026, 3, 8) in connected.jeedom.history("2", "conso_jour")
    assert len(site.asked("/api/user")) == ("login" not in token_at)


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("asked", ["round", "refresh", "test", "discover", "restart"])
def test_a_session_that_ended_in_any_words_is_opened_anew(clock, opened, bench, lost, asked):
    site, _ = one_home(clock, since=SINCE)
    opened(site)
    site.lost = lost
    connected = bench(site, clock, E).start().until("2026-03-11 14:00")
    site.logins.expire()
    site.visits.clear()
    if asked == "restart":
        connected.restart()
    elif asked != "round":
        connected.ask(asked)
    if asked in ("round", "restart"):
        connected.until("2026-03-11 16:30")
        assert date(2026, 3, 10) in connected.jeedom.history("2", "conso_jour")
    assert connected.last_state["state"] == "online"
    assert posts(site) == 1


def test_what_a_working_session_may_not_read_is_one_login_a_day(clock, opened, bench):
    """The other energy goes on, and the user is told which page to look at."""
    site, _ = one_home(clock, since=SINCE, pce="99000000000888")
    opened(site)
    connected = bench(site, clock, [*E, ("gas", "502113")]).start().until("2026-03-11 14:00")
    site.forbidden = ("adict_measures",)
    site.visits.clear()
    connected.until("2026-03-16 14:00")
    assert connected.value("etat", "3") == "FORBIDDEN"
    assert connected.value("etat") == "ok"
    assert date(2026, 3, 14) in connected.jeedom.history("2", "conso_jour")
    assert "mes-donnees" in connected.last_state["message"]
    assert posts(site) <= 5
    site.forbidden = ()
    connected.until("2026-03-16 23:00")
    assert connected.value("etat", "3") == "ok"
    assert connected.last_state["state"] == "online"


def test_a_new_session_that_is_refused_all_the_same_is_told_as_that(clock, opened, bench):
    site, _ = one_home(clock, since=SINCE)
    site.forbidden = ("/api/",)
    opened(site)
    connected = bench(site, clock, E).start()
    assert connected.value("etat") == "FORBIDDEN"
    assert posts(site) == 1
    with pytest.raises(CommandError, match="refuse de montrer"):
        connected.ask("test")
    assert posts(site) == 1  # that session has just been opened
    site.forbidden = ()
    clock.advance(700)
    assert connected.ask("test")["identity"]["meters"] == 1


def test_a_hostile_page_is_read_in_linear_time():
    """821 kB of nested forms with 60,000 inputs; each form once walked over all of them."""
    inputs = b"<input name=x>" * 500
    page = b"<form><input name=password><div>" + b"".join(b"<form id=f%d><div>" % n + inputs for n in range(120))
    assert len(page) > 800_000
    began = time.process_time()
    found = HtmlPage(page)
    assert found.asks_password
    assert not found.challenged
    assert time.process_time() - began < 2.0


def test_words_of_an_application_prove_nothing():
    page = HtmlPage(SHELL.encode())
    assert not page.maintenance
    assert not page.challenged
    assert not page.asks_password
