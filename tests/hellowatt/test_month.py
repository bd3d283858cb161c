"""A month of each kind of refusal, and two of passing ones: how often the site is asked, and what the user hears."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import date
from typing import Any, Callable

import pytest

from simulators.faults import Fault
from simulators.hellowatt import Customer, HelloWattSite, Home
from simulators.server import Request
from tests.support.documented import agrees

from .harness import EMAIL, PASSWORD, Bench, at, one_home

E = [("electricity", "502113")]
SINCE = date(2026, 1, 20)
DAY = 86400.0
Setup = Callable[[HelloWattSite, Home], Any]


def fault(kind: str, path: str, value: Any = None) -> Setup:
    return lambda site, _home: site.fault(kind, path, value)


def lasting(**attributes: Any) -> Setup:
    def change(site: HelloWattSite, _home: Home) -> None:
        for name, value in attributes.items():
            setattr(site, name, value)

    return change


def locked(site: HelloWattSite, _home: Home) -> None:
    """The site says "too many attempts" to whoever comes."""
    site.customers[0].failures = [at("2026-12-31 00:00")] * 5
    site.logins.expire()


def signed_out(change: Setup) -> Setup:
    """The session has ended as well, so that logins are needed."""

    def both(site: HelloWattSite, home: Home) -> None:
        change(site, home)
        site.logins.expire()

    return both


# name: what is refused, logins in 30 days at most, requests at most, messages in Jeedom's centre at most (the states
# that PHP makes a message of included)
KINDS: dict[str, tuple[Setup, int, int, int]] = {
    "nothing": (lambda _site, _home: None, 3, 60, 0),
    "wrong password": (
        lambda site, _: setattr(site.customers[0], "password", "other") or site.logins.expire(),
        6,
        20,
        1,
    ),
    "account to be confirmed": (
        signed_out(lambda site, _: setattr(site.customers[0], "state", "unconfirmed")),
        31,
        110,
        1,
    ),
    "test for persons in the form": (signed_out(fault("captcha", "/accounts/login/")), 0, 75, 1),
    "firewall before the login page": (signed_out(fault("interstitial", "/accounts/login/")), 33, 150, 1),
    "login refused with 403 (CSRF)": (signed_out(fault("status", "/accounts/login/", 403)), 33, 150, 1),
    "login answered without a session": (
        signed_out(fault("no_cookie", "/accounts/login/")),
        33,
        150,
        1,
    ),
    "too many attempts": (locked, 33, 110, 1),
    "429 on the login page": (signed_out(fault("rate_limited", "/accounts/login/")), 0, 75, 1),
    "429 on data, an hour asked": (fault("rate_limited", "/api/", 3600), 1, 40, 1),
    "429 on data, without a time": (fault("rate_limited", "/api/"), 1, 60, 1),
    "a new session is refused everything": (lasting(forbidden=("/api/",)), 33, 260, 1),
    "one kind of data is refused": (lasting(forbidden=("sge_measures",)), 31, 300, 1),
    "403 for each session after a day": (lambda site, _: setattr(site.logins, "lifetime", DAY), 31, 220, 0),
    "503": (fault("maintenance", "*", 503), 0, 260, 1),
    "404 on data": (fault("status", "/api/homes/502113/sge", 404), 3, 200, 1),
    "400 on data": (fault("status", "/api/homes/502113/sge", 400), 3, 200, 1),
    "a changed layout": (fault("renamed", "/api/homes/502113/sge", ["values", "rows"]), 3, 70, 1),
}
USUAL = ("wrong password", "a new session is refused everything", "one kind of data is refused", "503")
SLOW = bool(os.environ.get("JEENERGIE_SLOW"))


@pytest.mark.parametrize("kind", KINDS if SLOW else USUAL)
def test_a_month_of_one_refusal_asks_little_and_is_told_once(clock, opened, bench, kind):
    change, logins, requests, messages = KINDS[kind]
    site, home = one_home(clock, since=SINCE)
    opened(site)
    connected: Bench = bench(site, clock, E).start().until("2026-03-10 20:00").only("collect", "start")
    change(site, home)
    site.visits.clear()
    connected.until("2026-04-09 20:00")
    told = len(connected.jeedom.of("message")) + ("authentication_failed" in connected.states)
    posted, asked = len(site.asked("login", "POST")), len(site.visits)
    print(f"\n| helloWatt | {kind} | {posted} | {asked} | {told} | {connected.value('etat')} |")
    assert (posted <= logins, asked <= requests, told <= messages) == (True, True, True)
    assert not SLOW or agrees("helloWatt", kind, posted)
    # What was missed arrives when it is over.
    site.clear()
    site.forbidden, site.logins.lifetime = (), 14 * DAY
    customer = site.customers[0]
    customer.password, customer.state, customer.failures = PASSWORD, "active", []
    connected.until("2026-04-17 20:00")
    days = {day for day, facts in home.truth("electricity", clock.time()).items() if "kwh" in facts}
    assert set(connected.jeedom.history("2", "conso_jour")) == days
    assert connected.last_state["state"] == "online"


PASSING = (
    ("rate_limited", 60),
    ("rate_limited", None),
    ("status", 400),
    ("status", 401),
    ("status", 403),
    ("status", 404),
    ("status", 500),
    ("status", 502),
    ("maintenance", 200),
    ("maintenance", 503),
    ("html", None),
    ("garbage", None),
    ("drop", None),
    ("no_data", None),
    ("renamed", ["values", "rows"]),
    ("renamed", ["datetime", "date"]),
    ("redirect", "https://example.org/x"),
    ("no_cookie", None),
    ("next", None),
)


def chance(share: float, seed: int) -> Iterator[list[Fault]]:
    dice = random.Random(seed)
    while True:
        kind, value = dice.choice(PASSING)
        yield [Fault(kind, value=value)] if dice.random() < share else []


@pytest.mark.parametrize("seed", range(6) if SLOW else range(1))
def test_a_month_of_passing_refusals_loses_nothing_and_tells_nothing(clock, opened, bench, seed):
    """One answer in twenty is refused in some way, login included."""
    home = Home(502113, "99000000000417", "99000000000888", SINCE, solar=True, late=0.1)
    site = opened(HelloWattSite([Customer(EMAIL, PASSWORD, [home])], clock=clock.time))
    site.logins.lifetime = 3 * DAY
    lottery = chance(0.05, seed)
    spoilt = [0]

    def passing(_request: Request) -> list[Fault]:
        met = next(lottery)
        spoilt[0] += bool(met)
        return met

    site.passing = passing
    kinds = [("electricity", "502113"), ("gas", "502113")]
    connected: Bench = bench(site, clock, kinds).start().until("2026-03-11 08:00").only("collect", "import", "start")
    connected.until("2026-04-09 23:50")
    posts, asked = len(site.asked("login", "POST")), len(site.visits)
    site.passing = lambda _request: []
    connected.until("2026-04-10 23:50")
    assert connected.jeedom.of("message") == []
    assert "authentication_failed" not in connected.states
    for equipment, (energy, _) in zip(("2", "3"), kinds):
        truth = home.truth(energy, clock.time())
        assert set(connected.jeedom.history(equipment, "conso_jour")) == set(truth)
    assert connected.last_state["state"] == "online"
    print(f"\n| helloWatt | 5 % of all answers, seed {seed} | {posts} | {asked} | 0 | {spoilt[0]} refused |")
    assert posts <= 40
    assert spoilt[0] >= 3
