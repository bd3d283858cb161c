"""What the token service refuses: how often it is asked again, over restarts, and what the user reads."""

from __future__ import annotations

from typing import Any

import pytest
from jeenergied.devices.enphase.tokens.token import DAY_S, Token

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.listener import CommandError
from simulators.enlighten.cloud import Account, EnlightenCloud
from simulators.enphase import EnphaseGateway
from tests.support.documented import agrees

from .harness import READINGS, Bench, house

EMAIL, PASSWORD = "moi@example.org", "Solei1-levant"
NOON = 1_780_312_800.0  # 1 June 2026, 13:20 in Paris


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def gateway(opened, clock):
    return opened(EnphaseGateway(house(), clock=clock.time))


@pytest.fixture
def cloud(opened, gateway, clock):
    return opened(EnlightenCloud(gateway.key, [Account(EMAIL, PASSWORD, (gateway.serial,))], clock=clock.time))


@pytest.fixture
def automatic(bench, gateway, cloud, clock):
    def make(**settings: Any) -> Bench:
        account = {"user": EMAIL, "password": PASSWORD, "loginUrl": cloud.url, "tokenUrl": cloud.url, **settings}
        return bench(gateway, clock=clock, tokenMode="auto", pollInterval=3600, **account)

    return make


def customer(gateway, **how: Any) -> Account:
    return Account(EMAIL, PASSWORD, (gateway.serial,), **how)


KINDS = {
    "wrong password": (lambda cloud, gateway: cloud.accounts.clear(), "authentication_failed", 33),
    "second factor": (
        lambda cloud, gateway: cloud.accounts.update({EMAIL: customer(gateway, second_factor=True)}),
        "authentication_failed",
        33,
    ),
    "blocked": (
        lambda cloud, gateway: cloud.accounts.update({EMAIL: customer(gateway, blocked=True)}),
        "authentication_failed",
        31,
    ),
    "no right": (
        lambda cloud, gateway: cloud.accounts.update({EMAIL: Account(EMAIL, PASSWORD, ("1",))}),
        "authentication_failed",
        33,
    ),
    "cloud down": (lambda cloud, gateway: cloud.fault("status", value=503), "unreachable", 726),
    "too many": (lambda cloud, gateway: cloud.fault("rate_limited", "/login"), "waiting", 33),
    "page at the login": (lambda cloud, gateway: cloud.fault("html", "/login"), "waiting", 33),
    "page instead of a token": (lambda cloud, gateway: cloud.fault("html", "/tokens"), "error", 125),
}


@pytest.mark.parametrize("kind", KINDS)
def test_logins_of_a_month(automatic, gateway, cloud, clock, kind, record_property, capsys):
    """Prints the figures of docs/security.md."""
    refuse, state, most = KINDS[kind]
    refuse(cloud, gateway)
    if kind == "page instead of a token":
        cloud.fault("html", "/entrez-auth-token")
    running = automatic().start()
    assert running.last_state["state"] == state
    first_day = 0
    for day in range(30):
        running.advance(DAY_S, 3600 if day else 300)
        if not day:
            first_day = cloud.logins
        running.restart()  # a restart is no reason for a login
    assert running.last_state["state"] == state
    with capsys.disabled():
        print(f"\n{kind}: {first_day} logins on the first day, {cloud.logins} in 30 days")
    assert cloud.logins <= most
    assert agrees("Enphase", kind, cloud.logins)
    cloud.clear()
    cloud.accounts[EMAIL] = customer(gateway)
    running.advance(DAY_S + 3600, 600)
    assert running.states[-1] == "online"


def test_a_wall_after_too_many_logins_is_not_made_longer(automatic, gateway, cloud):
    cloud.wall_after = 3
    cloud.accounts.clear()
    running = automatic().start()
    running.advance(3 * DAY_S, 1800)
    assert cloud.logins <= 6
    cloud.accounts[EMAIL] = customer(gateway)
    running.advance(3 * DAY_S, 1800)
    assert running.states[-1] == "online"


def test_a_restart_remembers_a_refused_password_and_other_credentials_are_tried_at_once(automatic, cloud):
    running = automatic(password="faux").start()
    for _ in range(5):
        running.restart()
        assert running.last_state["code"] == "authentication_failed"
        assert "refuse cet utilisateur" in running.last_state["message"]
    assert cloud.logins == 1
    running.configure(password=PASSWORD)
    running.settle()
    running.advance(1)
    assert running.states[-1] == "online"
    assert cloud.logins == 2


def test_a_test_by_the_user_is_a_real_try(automatic, gateway, cloud):
    cloud.accounts[EMAIL] = customer(gateway, second_factor=True)
    running = automatic().start()
    with pytest.raises(CommandError, match="double authentification"):
        running.ask("test", connection=running.definition)
    assert cloud.logins == 2
    cloud.accounts[EMAIL] = customer(gateway)
    running.ask("test", connection=running.definition)
    assert cloud.logins == 3


def test_refreshes_of_a_scenario_are_no_logins(automatic, cloud):
    running = automatic(password="faux").start()
    for _ in range(60):
        running.advance(60)
        with pytest.raises(CommandError):
            running.ask("refresh")
    assert cloud.logins <= 3


def test_the_user_is_told_when_the_service_can_be_asked_again(automatic, cloud):
    cloud.fault("rate_limited", "/login", 7200)
    running = automatic().start()
    assert running.last_state["state"] == "waiting"
    assert "prochain essai le 01/06 à 15:20" in running.last_state["message"]
    before = cloud.logins
    with pytest.raises(CommandError, match="15:20"):
        running.ask("test", connection=running.definition)
    assert cloud.logins == before


def test_a_blocked_account_is_not_called_a_second_factor(automatic, gateway, cloud):
    cloud.accounts[EMAIL] = customer(gateway, blocked=True)
    running = automatic().start()
    assert running.last_state["code"] == "authentication_failed"
    assert "a bloqué ce compte" in running.last_state["message"]


@pytest.mark.parametrize("kind", ["html", "garbage", "not_jwt"])
def test_a_page_in_place_of_a_token_leads_to_the_other_way(automatic, cloud, kind):
    cloud.fault(kind, "/tokens")
    running = automatic().start()
    assert running.states[-1] == "online"
    assert cloud.logins == 1


# ---- pasted tokens


@pytest.mark.parametrize(
    "around",
    [
        "Bearer {}",
        "bearer {}",
        "Authorization: Bearer {}",
        "token={}",
        "Token : {}",
        "« {} »",
        "“{}”",
        "<pre>{}</pre>",
        '"token":"{}",',
        "{}\n\nCordialement,\nl'installateur",
        '[{{"token": "{}"}}]',
    ],
)
def test_a_token_is_found_in_what_surrounds_it(gateway, around):
    token = gateway.token()
    assert Token.parse(around.format(token)).text == token


def test_an_installer_s_token_is_named_when_tested_and_when_saved(bench, gateway, clock):
    token = gateway.token(lifetime=43_200, role="installer")
    running = bench(gateway, clock=clock, token=token)
    text = running.ask("test", connection=running.definition)["text"]
    assert "jeton valable encore 12 heures" in text
    assert "installateur" in text
    assert "mode automatique" in text
    running.own = {"tokenDays": {}}
    running.start()
    assert len(running.messages) == 1
    assert "installateur" in running.messages[0]
    assert "expire dans 12 heures" in running.messages[0]
    assert running.values("1")["tokenDays"] == 0.5
    running.restart()
    assert len(running.messages) == 1
    running.advance(10.2 * 3600, 600)
    assert len(running.messages) == 2
    assert "expire dans 1" in running.messages[1]
    assert "minutes" in running.messages[1]
    running.advance(2 * 3600, 600)
    assert running.last_state["code"] == "authentication_failed"
    assert "installateur" in running.last_state["message"]


def test_a_token_of_a_year_is_told_in_days(bench, gateway, clock):
    running = bench(gateway, clock=clock)
    text = running.ask("test", connection=running.definition)["text"]
    assert text.endswith("jeton valable encore 365 jours")
    assert running.start().messages == []
    assert running.asked(READINGS)


@pytest.mark.parametrize("lifetime", [43_200, 3000])
def test_an_installer_s_token_that_is_renewed_in_time_is_no_matter_for_the_user(automatic, cloud, lifetime):
    cloud.token_lifetime = lifetime
    running = automatic()
    running.config["pollInterval"] = 60
    running.start()
    running.advance(3 * lifetime, 60 if lifetime < 10_000 else 300)
    assert running.messages == []
    assert set(running.states) <= {"connecting", "online"}
    cloud.fault("status", value=503)
    running.advance(lifetime, 60 if lifetime < 10_000 else 300)
    assert any("n'a pas pu être renouvelé" in text for text in running.messages)
