"""The login and token services: the good way and each failure of the real ones."""

from __future__ import annotations

import pytest

from simulators.enlighten import Account, EnlightenCloud, EntrezKey
from simulators.enphase import EnphaseGateway

SERIAL = "122300000001"
OWNER = Account("Owner@example.org", "good & long", (SERIAL,))
INSTALLER = Account("installer@example.org", "other", (SERIAL,), role="installer")
CAREFUL = Account("careful@example.org", "third", (SERIAL,), second_factor=True)


@pytest.fixture
def cloud():
    with EnlightenCloud(EntrezKey(), [OWNER, INSTALLER, CAREFUL]) as running:
        yield running


@pytest.fixture
def one(cloud, client):
    return client(cloud.url)


def login(one, account, password=None):
    form = {"user[email]": account.email, "user[password]": password or account.password}
    return one.post("/login/login.json", form=form)


def token(one, account, session, serial=SERIAL):
    return one.post("/tokens", {"session_id": session, "serial_num": serial, "username": account.email})


def test_login_then_token_then_gateway(cloud, one, client):
    session = login(one, OWNER).json()
    assert session["message"] == "success"
    reply = token(one, OWNER, session["session_id"])
    claims = cloud.key.claims(reply.body.decode())
    assert (claims["aud"], claims["enphaseUser"], claims["exp"] - claims["iat"]) == (SERIAL, "owner", 31_536_000)
    with EnphaseGateway(key=cloud.key) as gateway:
        assert client(gateway.url, reply.body.decode()).get("/auth/check_jwt").status == 200


def test_an_installers_token_lasts_half_a_day_and_any_lifetime_can_be_set(cloud, one):
    session = login(one, INSTALLER).json()["session_id"]
    claims = cloud.key.claims(token(one, INSTALLER, session).body.decode())
    assert (claims["enphaseUser"], claims["exp"] - claims["iat"]) == ("installer", 43_200)
    cloud.token_lifetime = 90
    claims = cloud.key.claims(token(one, INSTALLER, session).body.decode())
    assert claims["exp"] - claims["iat"] == 90


def test_a_wrong_password_is_401_and_counted(cloud, one):
    assert login(one, OWNER, "wrong").status == 401
    assert cloud.logins == 1


def test_a_second_factor_gives_no_session(one):
    reply = login(one, CAREFUL)
    assert reply.json() == {"success": True, "isBlocked": False}
    assert "login_otp_nonce=" in reply.headers["Set-Cookie"]


def test_a_serial_of_somebody_else_is_403_and_a_made_up_session_401(one):
    session = login(one, OWNER).json()["session_id"]
    assert token(one, OWNER, session, "999999999999").status == 403
    assert token(one, OWNER, "f" * 32).status == 401


def test_the_page_of_the_token_wants_the_cookie(cloud, one):
    path = f"/entrez-auth-token?serial_num={SERIAL}"
    assert one.get(path).status == 302
    session = login(one, OWNER).json()["session_id"]
    answer = one.get(path, Cookie=f"_enlighten_4_session={session}").json()
    assert cloud.key.claims(answer["token"])["exp"] == answer["expires_at"]


def test_failures_of_the_service(cloud, one):
    session = login(one, OWNER).json()["session_id"]
    for kind, value in (("status", 500), ("html", None), ("not_jwt", None), ("rate_limited", 60)):
        cloud.fault(kind, "/tokens", value, count=1)
    assert token(one, OWNER, session).status == 500
    assert token(one, OWNER, session).body.startswith(b"<!DOCTYPE html>")
    assert b"." in token(one, OWNER, session).body
    reply = token(one, OWNER, session)
    assert (reply.status, reply.headers["Retry-After"]) == (429, "60")
    assert token(one, OWNER, session).status == 200


def test_the_control_endpoint_counts_and_adds_accounts(cloud, one, client):
    control = client(cloud.control_url)
    control.post("/set", {"accounts": [{"email": "new@example.org", "password": "p", "serials": ["7"]}]})
    session = login(one, Account("new@example.org", "p", ())).json()["session_id"]
    assert token(one, Account("new@example.org", "p", ()), session, "7").status == 200
    state = control.get("/state").json()
    assert (state["logins"], state["tokens"]) == (1, 1)
