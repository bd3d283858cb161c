"""What each answer to a login means: for the account, and for what is asked of it next."""

from __future__ import annotations

from typing import Any

import pytest
from jeenergied.devices.hellowatt.errors import (
    AccountBlocked,
    CredentialsRefused,
    CsrfRefused,
    ExtraStep,
    LayoutChanged,
    LoginUnconfirmed,
    SiteDown,
    TooManyLogins,
)

from simulators.hellowatt.pages import MAINTENANCE, login_page
from tests.fuzz.hellowatt import World
from tests.support.mutations import Answer, answer_of


def form(*errors: str, **fields: Any) -> Answer:
    return answer_of({"form": {"errors": list(errors), "fields": fields}})


LOGIN = "POST https://site/accounts"
NEEDED = {"login": {"errors": ["Ce champ est obligatoire."]}}
VERDICTS = [
    (Answer(b"", 500), SiteDown, ""),
    (Answer(b"", 403), CsrfRefused, ""),
    (Answer(b"", 401), CredentialsRefused, "credentials"),
    (Answer(b"", 302, {"location": "/accounts/inactive/"}), AccountBlocked, "blocked"),
    (Answer(b"", 302, {"location": "/accounts/challenge/"}), ExtraStep, "extra"),
    (Answer(b"", 302, {"location": "/login/redirect/"}), LoginUnconfirmed, ""),  # without a session's cookie
    (Answer(MAINTENANCE.encode()), SiteDown, ""),
    (Answer(login_page("t" * 64).encode()), CredentialsRefused, "credentials"),
    (Answer(b"<p>Bonjour</p>"), LoginUnconfirmed, ""),
    (answer_of({}), LayoutChanged, ""),
    (form("Trop de tentatives de connexion"), TooManyLogins, ""),
    (form("Ce compte est désactivé"), AccountBlocked, "blocked"),
    (form("captcha requis"), ExtraStep, "extra"),
    (form("L'adresse ou le mot de passe est faux"), CredentialsRefused, "credentials"),
    (form(login={"errors": ["Adresse fausse"]}), CredentialsRefused, "credentials"),
    (form(**NEEDED), LayoutChanged, ""),
    (form(), LoginUnconfirmed, ""),
]


@pytest.mark.parametrize(("answer", "error", "kept"), VERDICTS)
def test_each_answer_to_a_login_has_its_meaning(answer: Answer, error: type[Exception], kept: str) -> None:
    world = World(LOGIN, answer, signed_in=False)
    with pytest.raises(error):
        world.log_in()
    assert world.context.memory.get("refused", {}).get("kind", "") == kept
    assert "session" not in world.context.memory


def test_credentials_that_were_refused_are_not_shown_again() -> None:
    world = World(LOGIN, Answer(b"", 401), signed_in=False)
    for _ in range(3):
        with pytest.raises(CredentialsRefused, match="12 caractères"):
            world.log_in()
    assert world.context.memory["spent"]["logins"] == 1


def test_an_account_that_wants_its_owner_is_asked_again_after_a_day() -> None:
    world = World(LOGIN, form("captcha requis"), signed_in=False)
    for _ in range(2):
        with pytest.raises(ExtraStep):
            world.log_in()
    world.answer = answer_of({"location": "/login/redirect/"}, **{"set-cookie": "sessionid=abcdef; Path=/"})
    world.context.clock.advance(86400.0 + 60)
    assert "sessionid" in world.log_in().texts
    assert "refused" not in world.context.memory


@pytest.mark.parametrize(
    ("page", "error"),
    [
        (MAINTENANCE, SiteDown),
        ("<html><body><div class='g-recaptcha'></div></body></html>", ExtraStep),
        ("<html><body><form><input name='login'></form></body></html>", LayoutChanged),
        ("<html><body><form><input name='password'></form></body></html>", LayoutChanged),
        (login_page("t" * 64), LayoutChanged),  # and no cookie with it
    ],
)
def test_a_page_without_its_form_is_told_apart(page: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        World("GET https://site/accounts", Answer(page.encode()), signed_in=False).log_in()
