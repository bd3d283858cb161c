"""What each answer to a login means: for the account, and for what is asked of it next."""

from __future__ import annotations

from typing import Any

import pytest
from jeenergied.devices.hellowatt.site.errors import (
    AccessRefused,
    AccountBlocked,
    CredentialsRefused,
    CsrfRefused,
    ExtraStep,
    LayoutChanged,
    LoginUnconfirmed,
    SiteDown,
    TooManyLogins,
)

from simulators.hellowatt.pages import FORBIDDEN, INTERSTITIAL, MAINTENANCE, login_page
from tests.fuzz.hellowatt import World
from tests.support.mutations import Answer, answer_of


def form(*errors: str, **fields: Any) -> Answer:
    return answer_of({"form": {"errors": list(errors), "fields": fields}})


LOGIN = "POST https://site/accounts"
NEEDED = {"login": {"errors": ["Ce champ est obligatoire."]}}
VERDICTS = [
    (Answer(b"", 500), SiteDown, ""),
    (Answer(b"", 403), CsrfRefused, "nothing"),
    (Answer(b"", 401), LoginUnconfirmed, "doubt"),  # the first time; see below
    (Answer(b"", 302, {"location": "/accounts/inactive/"}), AccountBlocked, "blocked"),
    (Answer(b"", 302, {"location": "/accounts/challenge/"}), ExtraStep, "extra"),
    (Answer(b"", 302, {"location": "/login/redirect/"}), LoginUnconfirmed, "nothing"),  # without a session's cookie
    (Answer(MAINTENANCE.encode()), SiteDown, ""),
    (Answer(login_page("t" * 64).encode()), LoginUnconfirmed, "doubt"),
    (form("Une erreur est survenue"), LoginUnconfirmed, "doubt"),
    (Answer(b"<p>Bonjour</p>"), LoginUnconfirmed, "nothing"),
    (answer_of({}), LayoutChanged, "nothing"),
    (form("Trop de tentatives de connexion"), TooManyLogins, "limited"),
    (form("Ce compte est désactivé"), AccountBlocked, "blocked"),
    (form("captcha requis"), ExtraStep, "extra"),
    (form("L'adresse ou le mot de passe est faux"), CredentialsRefused, "credentials"),
    (form(login={"errors": ["Adresse fausse"]}), CredentialsRefused, "credentials"),
    (form(**NEEDED), LayoutChanged, "nothing"),
    (form(), LoginUnconfirmed, "nothing"),
]


@pytest.mark.parametrize(("answer", "error", "kept"), VERDICTS)
def test_each_answer_to_a_login_has_its_meaning(answer: Answer, error: type[Exception], kept: str) -> None:
    world = World(LOGIN, answer, signed_in=False)
    with pytest.raises(error):
        world.log_in()
    assert world.refusal == kept
    assert "session" not in world.context.memory


WRONG = "L’adresse e-mail ou le mot de passe sont incorrects."


def test_credentials_that_were_refused_are_not_shown_again() -> None:
    world = World(LOGIN, form(WRONG), signed_in=False)
    for _ in range(3):
        with pytest.raises(CredentialsRefused, match="12 caractères"):
            world.log_in()
    assert world.posts == 1


@pytest.mark.parametrize("answer", [Answer(b"", 401), Answer(login_page("t" * 64).encode()), form("Non.")])
def test_a_refusal_in_unknown_words_accuses_the_password_the_second_time(answer: Answer) -> None:
    world = World(LOGIN, answer, signed_in=False)
    with pytest.raises(LoginUnconfirmed):
        world.log_in()
    with pytest.raises(LoginUnconfirmed, match="prochain essai"):
        world.log_in()
    assert world.posts == 1
    world.context.clock.advance(3700.0)
    with pytest.raises(CredentialsRefused):
        world.log_in()


def test_a_login_that_is_not_confirmed_is_repeated_ever_more_seldom() -> None:
    world = World(LOGIN, Answer(b"", 403), signed_in=False)
    for _ in range(30 * 24):
        with pytest.raises((CsrfRefused, LoginUnconfirmed)):
            world.log_in()
        world.context.clock.advance(3600.0)
    assert world.posts <= 34
    with pytest.raises(CsrfRefused):  # a user who presses Test has a real try
        world.log_in(asked=True)
    world.answer = answer_of({"location": "/login/redirect/"}, **{"set-cookie": "sessionid=abcdef; Path=/"})
    assert "sessionid" in world.log_in(asked=True).texts


def test_an_account_that_wants_its_owner_is_asked_again_after_a_day() -> None:
    world = World(LOGIN, form("captcha requis"), signed_in=False)
    for _ in range(2):
        with pytest.raises(ExtraStep):
            world.log_in()
    world.answer = answer_of({"location": "/login/redirect/"}, **{"set-cookie": "sessionid=abcdef; Path=/"})
    world.context.clock.advance(86400.0 + 60)
    assert "sessionid" in world.log_in().texts
    world.device._session.login.proved()
    assert world.refusal == ""


@pytest.mark.parametrize(
    ("page", "status", "error"),
    [
        (MAINTENANCE, 200, SiteDown),
        (INTERSTITIAL, 403, AccessRefused),
        (FORBIDDEN, 403, AccessRefused),
        ("<html><body><form><input name='login'></form></body></html>", 200, LayoutChanged),
        (login_page("t" * 64), 200, LayoutChanged),
        ("", 503, SiteDown),
    ],
)
def test_an_address_that_gives_no_token_is_told_apart(page: str, status: int, error: type[Exception]) -> None:
    world = World("GET https://site/", Answer(page.encode(), status), signed_in=False)
    with pytest.raises(error):
        world.log_in()
    assert world.posts == 0
