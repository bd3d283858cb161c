"""Tokens: pasted, obtained, stored, renewed, refused; the gateway's sessions."""

from __future__ import annotations

import json
import logging
import time

import pytest
from jeenergied.devices.base import AuthenticationFailed
from jeenergied.devices.enphase.tokens.token import DAY_S, Token

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.listener import CommandError
from simulators.enlighten.cloud import Account, EnlightenCloud
from simulators.enlighten.key import EntrezKey
from simulators.enphase import EnphaseGateway

from .harness import INVERTERS, PRODUCTION, READINGS, SERIAL, Bench, house, wait_until

EMAIL, PASSWORD = "moi@example.org", "Solei1-levant"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(time.time())


@pytest.fixture
def gateway(opened, clock):
    return opened(EnphaseGateway(house(), clock=clock.time))


@pytest.fixture
def cloud(opened, gateway, clock):
    """The token service, with one account that owns the gateway."""
    return opened(EnlightenCloud(gateway.key, [Account(EMAIL, PASSWORD, (gateway.serial,))], clock=clock.time))


@pytest.fixture
def automatic(bench, gateway, cloud, clock):
    """Makes a connection with an account; `settings` may differ."""

    def make(**settings) -> Bench:
        account = {"user": EMAIL, "password": PASSWORD, "loginUrl": cloud.url, "tokenUrl": cloud.url, **settings}
        return bench(gateway, clock=clock, tokenMode="auto", **account)

    return make


def errors(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


# ---- pasted by the user


@pytest.mark.parametrize(
    "paste",
    [
        "{token}",
        "  {token}\n",
        '"{token}"',
        "'{token}'",
        '{{"generation_time":1,"token":"{token}","expires_at":2}}',
        '\n{{\n  "generation_time": 1,\n  "token": "{token}",\n  "expires_at": 2\n}}\n',
    ],
)
@pytest.mark.parametrize("broken", [False, True], ids=["whole", "with line breaks"])
def test_a_token_is_taken_however_it_is_pasted(bench, gateway, clock, paste, broken):
    token = gateway.token()
    if broken:
        token = "\r\n".join(token[at : at + 60] for at in range(0, len(token), 60))
    running = bench(gateway, clock=clock, token=paste.format(token=token)).start()
    assert running.states[-1] == "online"
    assert running.values()


@pytest.mark.parametrize(
    "paste",
    [
        "bonjour",
        "a.b.c",
        "{}",
        '{"token": 12}',
        '{"error": "Please sign in"}',
        "<html>Connectez-vous</html>",
        "eyJ.W10.x",
        "[" * 5000,
        '{"token": ' * 5000,
        "é.è.à",
    ],
)
def test_what_is_no_token_is_said_to_be_none(bench, gateway, clock, paste):
    running = bench(gateway, clock=clock, token=paste).start()
    assert running.last_state["state"] == running.last_state["code"] == "authentication_failed"
    assert "n'en est pas un" in running.last_state["message"]
    assert [seen.path for seen in gateway.requests] == ["/info"]  # nothing else was tried


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "1", "exp": 1e400},
        {"aud": "1", "exp": 10**400},
        {"aud": "1", "exp": float("nan")},
        {"aud": "1"},
        {"aud": [], "exp": 1},
        {"exp": 1},
        {"aud": "1", "exp": None},
        [1],
        "text",
        None,
    ],
)
def test_claims_that_make_no_sense_are_no_token(claims):
    with pytest.raises(AuthenticationFailed):
        Token.parse(EntrezKey().sign(claims))


def test_a_token_of_another_gateway_is_named_as_such(bench, gateway, clock):
    running = bench(gateway, clock=clock, token=gateway.token(serial="122300000099")).start()
    assert running.last_state["code"] == "authentication_failed"
    assert "122300000099, pas de 122300000001" in running.last_state["message"]
    with pytest.raises(CommandError) as refused:
        running.ask("test", connection=running.definition)
    assert refused.value.code == "authentication_failed"


def test_a_token_that_is_over_is_not_even_sent(bench, gateway, clock):
    token = gateway.token(lifetime=100)
    clock.advance(101)
    running = bench(gateway, clock=clock, token=token).start()
    assert running.last_state["state"] == "authentication_failed"
    assert "a expiré" in running.last_state["message"]
    assert gateway.access.refused == []


def test_a_pasted_token_of_a_year_needs_no_service(bench, gateway, cloud, clock):
    account = {"user": EMAIL, "password": PASSWORD, "loginUrl": cloud.url, "tokenUrl": cloud.url}
    running = bench(
        gateway, clock=clock, token=gateway.token(lifetime=365 * DAY_S), pollInterval=3600, **account
    ).start()
    running.advance(3 * DAY_S, DAY_S / 4)
    assert set(running.states) <= {"connecting", "online"}
    assert running.states[-1] == "online"
    assert running.values()
    assert cloud.requests == []


def test_the_end_of_a_pasted_token_is_announced_three_times(bench, gateway, clock):
    running = bench(gateway, clock=clock, token=gateway.token(lifetime=31 * DAY_S), pollInterval=3600).start()
    assert running.messages == []
    running.advance(2 * DAY_S, DAY_S / 4)
    assert ["30 jour" in text or "29 jour" in text for text in running.messages] == [True]
    running.restart().advance(DAY_S, DAY_S / 4)
    assert len(running.messages) == 1
    running.advance(25 * DAY_S, DAY_S / 4)
    assert len(running.messages) == 2
    running.advance(5 * DAY_S, DAY_S / 4)
    assert len(running.messages) == 3
    assert running.last_state["state"] == "authentication_failed"
    assert "a expiré" in running.last_state["message"]


def test_a_pasted_token_that_the_gateway_refuses_is_told_at_once_and_tried_again(bench, gateway, clock, caplog):
    running = bench(gateway, clock=clock).start()
    good, gateway.access.key = gateway.access.key, EntrezKey()
    gateway.fault("logout")
    running.advance(61, 1)
    assert running.last_state["code"] == "authentication_failed"
    assert "La passerelle refuse le jeton collé" in running.last_state["message"]
    asked = len(gateway.requests)
    running.advance(590, 10)
    assert len(gateway.requests) == asked
    gateway.access.key = good
    running.advance(70, 10)
    assert running.states[-1] == "online"
    assert len(errors(caplog)) == 1


def test_a_gateway_whose_clock_is_wrong_is_the_one_to_blame(bench, automatic, gateway, cloud, clock):
    token = gateway.token()
    gateway.clock_offset = -7200
    running = bench(gateway, clock=clock, token=token).start()
    assert "son horloge diffère de 120 min" in running.last_state["message"]
    gateway.clock_offset = 0
    running.advance(310, 10)
    assert running.states[-1] == "online"
    running.close()
    gateway.clock_offset = -7200
    assert "horloge" in automatic().start().last_state["message"]
    assert cloud.logins == 1


# ---- obtained from Enlighten


def test_one_login_gives_a_token_that_serves_after_a_restart(automatic, gateway, cloud):
    running = automatic().start()
    assert running.states[-1] == "online"
    assert (cloud.logins, len(cloud.tokens)) == (1, 1)
    running.advance(7200, 60)
    running.restart()
    assert running.states[-1] == "online"
    assert (cloud.logins, len(cloud.tokens)) == (1, 1)


def test_the_token_is_in_no_log_and_nowhere_in_the_clear_but_the_store(automatic, cloud, caplog):
    caplog.set_level(logging.DEBUG)
    running = automatic().start()
    token = cloud.tokens[0]
    assert running.shared.masker.mask(f"x {token} y") == "x ******** y"
    assert token not in caplog.text
    assert PASSWORD not in caplog.text
    assert token not in json.dumps(running.events)


@pytest.mark.parametrize(("lifetime", "margin"), [(365 * DAY_S, 30 * DAY_S), (43_200, 3600), (3000, 1500)])
def test_a_token_is_renewed_in_good_time_and_polling_goes_on_meanwhile(
    automatic, gateway, cloud, clock, lifetime, margin
):
    cloud.token_lifetime = lifetime
    running = automatic(pollInterval=300).start()
    running.advance(lifetime - margin - 600, (lifetime - margin - 600) / 10)
    assert cloud.logins == 1
    cloud.fault("latency", "/login", 0.3)
    running.waits_for_renewals = False
    before = running.asked(READINGS)
    running.advance(900, 300)
    assert running.asked(READINGS) > before  # while the login was under way
    wait_until(lambda: len(cloud.tokens) == 2, "for the second token")
    wait_until(lambda: not running.runner.device._tokens._renewing)
    running.waits_for_renewals = True
    running.advance(lifetime, lifetime / 40)
    assert running.states[-1] == "online"
    assert set(running.states) <= {"connecting", "online"}
    assert cloud.logins <= 4


def test_a_service_that_keeps_giving_the_same_token_is_asked_once_a_day(automatic, cloud, gateway, clock):
    cloud.token_lifetime = 20 * DAY_S
    running = automatic(pollInterval=600).start()
    stale = cloud.tokens[0]
    cloud._issue = lambda account, serial: stale
    running.advance(12 * DAY_S, DAY_S / 4)
    time.sleep(0.1)
    assert cloud.logins <= 4
    assert running.states[-1] == "online"


def test_a_renewal_that_fails_is_tried_daily_and_announced_before_the_end(automatic, cloud):
    cloud.token_lifetime = 40 * DAY_S
    running = automatic(pollInterval=3600).start()
    cloud.fault("status", value=500)
    for _ in range(4 * 32):
        running.advance(DAY_S / 4)
        wait_until(lambda: not running.runner.device._tokens._renewing)  # it has a thread of its own
    assert 8 <= cloud.logins <= 16
    assert running.messages == []
    running.advance(4 * DAY_S, DAY_S / 4)
    assert len(running.messages) == 1
    assert "n'a pas pu être renouvelé" in running.messages[0]
    assert running.states[-1] == "online"
    running.advance(5 * DAY_S, DAY_S / 4)
    assert running.last_state["state"] == "unreachable"
    cloud.clear()
    running.advance(2 * 3600, 600)
    assert running.states[-1] == "online"


def test_a_refused_login_is_told_once_and_not_hammered(automatic, cloud, caplog):
    running = automatic(password="faux").start()
    assert running.last_state["state"] == running.last_state["code"] == "authentication_failed"
    assert "refuse cet utilisateur ou ce mot de passe" in running.last_state["message"]
    running.advance(3500, 50)
    assert cloud.logins == 1
    running.advance(200, 50)
    assert cloud.logins == 2
    assert len(errors(caplog)) == 1
    assert running.states.count("authentication_failed") <= 1 + 13  # once, and every five minutes as a sign of life
    running.configure(password=PASSWORD)
    running.settle()
    running.advance(1)
    assert running.states[-1] == "online"


def test_a_test_that_succeeds_ends_the_pause_of_a_connection_that_was_refused(automatic, gateway, cloud):
    running = automatic(pollInterval=10).start()
    running.advance(900, 30)
    revoke(gateway, cloud)
    cloud.accounts[EMAIL] = Account(EMAIL, "another", (gateway.serial,))
    running.advance(60, 10)
    assert running.last_state["state"] == "authentication_failed"
    with pytest.raises(CommandError, match="refuse cet utilisateur"):
        running.ask("test", connection=running.definition)
    cloud.accounts[EMAIL] = Account(EMAIL, PASSWORD, (gateway.serial,))
    running.ask("test", connection=running.definition)
    running.advance(70, 10)
    assert running.states[-1] == "online"


def test_another_password_is_tried_and_not_covered_by_the_stored_token(automatic, cloud):
    running = automatic().start()
    assert running.states[-1] == "online"
    edited = {**running.definition, "config": {**running.definition["config"], "password": "mistyped"}}
    with pytest.raises(CommandError, match="refuse cet utilisateur"):
        running.ask("test", connection=edited)
    running.advance(120, 30)
    assert running.states[-1] == "online"
    assert cloud.logins == 2


def test_missing_account_settings_ask_nobody(automatic, cloud):
    running = automatic(user="", password="").start()
    assert "Indiquez l'utilisateur" in running.last_state["message"]
    assert cloud.requests == []


def test_a_second_factor_is_recognised(automatic, gateway, cloud):
    cloud.accounts[EMAIL] = Account(EMAIL, PASSWORD, (gateway.serial,), second_factor=True)
    running = automatic().start()
    assert running.last_state["code"] == "authentication_failed"
    assert "double authentification" in running.last_state["message"]
    running.advance(3000, 60)
    assert cloud.logins == 1


@pytest.mark.parametrize("status", [None, 500], ids=["403", "500 and 403"])
def test_an_account_without_right_to_the_gateway_is_told_its_serial_number(automatic, cloud, gateway, status):
    cloud.accounts[EMAIL] = Account(EMAIL, PASSWORD, ("999",))
    if status:
        cloud.fault("status", "/tokens", status)
    running = automatic().start()
    assert running.last_state["code"] == "authentication_failed"
    assert gateway.serial in running.last_state["message"]
    running.advance(3000, 60)
    assert cloud.logins == 1


@pytest.mark.parametrize("status", [302, 401, 403, 500, 502])
def test_the_second_way_to_a_token_is_taken_when_the_first_is_closed(automatic, cloud, status):
    cloud.fault("status", "/tokens", status)
    running = automatic().start()
    assert running.states[-1] == "online"
    assert cloud.logins == 1


@pytest.mark.parametrize(("told", "pause"), [(120, 120), (None, 900)])
def test_too_many_logins_wait_as_long_as_the_service_says(automatic, cloud, clock, told, pause):
    cloud.fault("rate_limited", "/login", told)
    begin = clock.time()
    running = automatic().start()
    assert running.last_state["state"] == "waiting"
    assert running.last_state["code"] == "rate_limited"
    assert abs(moment(running.last_state["until"]) - begin - pause) < 5
    cloud.clear()
    running.advance(pause - 10, 10)
    assert cloud.logins == 1
    running.advance(20, 1)
    assert running.states[-1] == "online"


@pytest.mark.parametrize(
    ("kind", "path", "value", "code"),
    [
        ("status", "*", 500, "unreachable"),
        ("status", "*", 503, "unreachable"),
        ("drop", "*", None, "unreachable"),
        ("garbage", "/login", None, "unreachable"),
    ],
)
def test_a_broken_token_service_is_asked_again_with_growing_pauses(automatic, cloud, caplog, kind, path, value, code):
    cloud.fault(kind, path, value)
    running = automatic().start()
    assert running.last_state["code"] == code
    running.advance(3600, 30)
    tries = len([seen for seen in cloud.requests if seen.path == "/login/login.json"])
    assert 4 <= tries <= (14 if kind == "drop" else 8)  # 1, 2, 4, ... min
    assert len(errors(caplog)) == 1
    cloud.clear()
    running.advance(3600, 60)
    assert running.states[-1] == "online"


def test_a_token_service_that_is_away_leaves_the_stored_token_at_work(automatic, cloud):
    running = automatic().start()
    cloud.close()
    running.restart()
    assert running.states[-1] == "online"


def test_addresses_that_are_not_safe_are_refused(automatic, cloud):
    running = automatic(tokenUrl="http://entrez.example.org").start()
    assert running.last_state["code"] == "refused"
    assert "https://" in running.last_state["message"]
    assert cloud.requests == []


# ---- refused at the gateway


def revoke(gateway, cloud) -> None:
    """From now on the gateway takes only tokens that the service has not given yet."""
    gateway.access.key = cloud.key = EntrezKey()
    gateway.fault("logout")


@pytest.mark.parametrize("first", [READINGS, PRODUCTION, INVERTERS])
def test_a_revoked_token_is_renewed_once_whichever_page_notices(automatic, gateway, cloud, caplog, first):
    running = automatic(pollInterval=10).start()
    running.inverters = (SERIAL,)
    running.configure()
    running.advance(720 - {READINGS: 5, PRODUCTION: 12, INVERTERS: 11}[first], 5)
    running.advance(4, 1)
    revoke(gateway, cloud)
    running.advance(120, 1)
    assert set(running.states) <= {"connecting", "online"}
    assert (cloud.logins, len(cloud.tokens)) == (2, 2)
    assert errors(caplog) == []


def test_a_gateway_that_refuses_every_token_does_not_make_the_cloud_busy(automatic, gateway, cloud, caplog):
    running = automatic(pollInterval=10).start()
    gateway.access.key = EntrezKey()
    gateway.fault("logout")
    running.advance(1800, 5)
    assert running.last_state["state"] == "authentication_failed"
    assert cloud.logins <= 4
    assert len(errors(caplog)) <= 2


def test_the_cloud_is_away_when_the_gateway_refuses(automatic, gateway, cloud):
    running = automatic(pollInterval=10).start()
    revoke(gateway, cloud)
    cloud.fault("status", value=503)
    running.advance(900, 5)
    assert running.last_state["state"] == "unreachable"
    assert "Le service de connexion d'Enphase" in running.last_state["message"]
    cloud.clear()
    running.advance(900, 5)
    assert running.states[-1] == "online"


def test_a_lost_session_is_opened_again_without_a_new_token(automatic, gateway, cloud, opened, bench, clock):
    running = automatic(pollInterval=10).start()
    gateway.cookie_paths = (READINGS,)
    before = running.asked("/auth/check_jwt")
    gateway.fault("logout")
    running.advance(60, 5)
    assert set(running.states) <= {"connecting", "online"}
    assert running.asked("/auth/check_jwt") == before + 1
    assert cloud.logins == 1


def test_firmware_that_wants_the_session_is_satisfied(bench, opened, clock):
    gateway = opened(EnphaseGateway(clock=clock.time, cookie_paths=["/production.json", READINGS]))
    running = bench(gateway, clock=clock).start()
    assert running.states[-1] == "online"
    assert running.asked("/auth/check_jwt") == 1


@pytest.mark.parametrize("status", [401, 403, 404, 405, 302])
def test_a_page_that_is_not_for_this_role_is_left_alone_for_a_day(automatic, gateway, cloud, caplog, status):
    running = automatic(pollInterval=300)
    running.inverters = (SERIAL,)
    gateway.fault("status", INVERTERS, status)
    running.start().advance(23 * 3600, 1200)
    assert running.asked(INVERTERS) <= 2
    assert set(running.states) <= {"connecting", "online"}
    assert running.values()
    assert cloud.logins == 1
    assert running.inverter(SERIAL) == {}
    assert sum("n'offre pas" in record.getMessage() for record in caplog.records) == 1
    gateway.clear()
    running.advance(2 * 3600, 300)
    assert running.inverter(SERIAL)


def test_new_firmware_may_offer_what_the_old_one_did_not(automatic, gateway):
    running = automatic(pollInterval=300)
    running.inverters = (SERIAL,)
    gateway.fault("status", INVERTERS, 404)
    running.start().advance(600, 60)
    gateway.clear()
    gateway.source.firmware = "D8.2.4400"
    assert running.inverter(SERIAL) == {}
    running.advance(3700, 60)
    assert running.inverter(SERIAL)


def moment(text: str) -> float:
    """ISO 8601 as Unix time."""
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
