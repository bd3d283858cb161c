"""Certificate, tokens, sessions and the behaviour of connections of the simulated gateway."""

from __future__ import annotations

import hashlib
import http.client
import ssl
import threading
import time

import pytest

from simulators.clock import SimulatedClock
from simulators.enlighten import EntrezKey
from simulators.enphase import EnphaseGateway


@pytest.fixture(scope="module")
def gateway():
    with EnphaseGateway() as running:
        yield running


@pytest.fixture(autouse=True)
def _healthy(gateway):
    yield
    gateway.clear()
    gateway.clock_offset = 0.0


def test_info_needs_no_token(gateway, client):
    reply = client(gateway.url).get("/info")
    assert reply.status == 200
    assert f"<sn>{gateway.serial}</sn>".encode() in reply.body


def test_a_request_without_token_gets_the_page_of_the_real_one(gateway, client):
    reply = client(gateway.url).get("/ivp/meters")
    assert reply.status == 401
    assert b"401 Authorization Required" in reply.body
    assert b"/home" in reply.body


def test_a_good_token_is_accepted(gateway, client):
    assert client(gateway.url, gateway.token()).get("/ivp/meters").status == 200


@pytest.mark.parametrize(
    "token",
    [
        lambda gateway: gateway.token(serial="999999999999"),
        lambda gateway: gateway.token(lifetime=-1),
        lambda gateway: EntrezKey().issue(gateway.serial, now=gateway.now()),
        lambda gateway: gateway.token()[:-4] + "AAAA",
        lambda gateway: gateway.token().rsplit(".", 1)[0],
        lambda _: "a.b.c",
        lambda _: "not a token",
    ],
    ids=["other gateway", "expired", "other key", "bent signature", "two segments", "no JSON", "text"],
)
def test_a_bad_token_is_refused(gateway, client, token):
    assert client(gateway.url, token(gateway)).get("/ivp/meters").status == 401


def test_a_token_ends_by_the_gateways_clock(gateway, client):
    token = gateway.token(lifetime=3600)
    gateway.clock_offset = 3601
    assert client(gateway.url, token).get("/ivp/meters").status == 401
    gateway.clock_offset = -3600
    assert client(gateway.url, token).get("/ivp/meters").status == 401  # issued in its future


def test_check_jwt_opens_a_session_that_needs_no_token(gateway, client):
    reply = client(gateway.url, gateway.token()).get("/auth/check_jwt")
    assert reply.status == 200
    assert b"Valid token." in reply.body
    cookie = reply.headers["Set-Cookie"].split(";")[0]
    assert client(gateway.url).get("/ivp/meters", Cookie=cookie).status == 200
    gateway.fault("logout")
    assert client(gateway.url).get("/ivp/meters", Cookie=cookie).status == 401


def test_a_session_ends_ten_minutes_after_its_last_use(client):
    clock = SimulatedClock(speed=0)
    with EnphaseGateway(clock=clock) as gateway:
        cookie = client(gateway.url, gateway.token()).get("/auth/check_jwt").headers["Set-Cookie"].split(";")[0]
        for wait, status in ((599, 200), (599, 200), (601, 401)):
            clock.advance(wait)
            assert client(gateway.url).get("/ivp/meters", Cookie=cookie).status == status


def test_firmware_that_wants_the_cookie_refuses_the_token_alone(client):
    with EnphaseGateway(cookie_paths=["/production.json"]) as gateway:
        one = client(gateway.url, gateway.token())
        assert one.get("/production.json").status == 401
        cookie = one.get("/auth/check_jwt").headers["Set-Cookie"].split(";")[0]
        assert one.get("/production.json", Cookie=cookie).status == 200


def test_a_missing_endpoint_is_404_in_json(gateway, client):
    reply = client(gateway.url, gateway.token()).get("/ivp/nothing")
    assert (reply.status, reply.json()) == (404, {"error": "404 - Not Found"})


def test_connections_are_kept_and_counted(gateway, client):
    before = gateway.tls_connections
    one = client(gateway.url, gateway.token())
    for _ in range(5):
        one.get("/ivp/meters")
    assert gateway.tls_connections == before + 1
    assert [seen.path for seen in gateway.requests[-5:]] == ["/ivp/meters"] * 5


def test_requests_at_the_same_time_are_seen(gateway, client):
    gateway.fault("latency", value=30)
    threads = [
        threading.Thread(target=client(gateway.url, gateway.token(), timeout=30).get, args=("/ivp/meters",))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10
    while gateway.server.in_flight < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    gateway.clear()
    for thread in threads:
        thread.join()
    assert gateway.max_in_flight == 3


def test_the_certificate_names_the_gateway_and_can_be_replaced(client):
    with EnphaseGateway(certificate_days=30) as gateway:
        one = client(gateway.url, gateway.token())
        one.get("/info")
        first = one.connection.sock.getpeercert(binary_form=True)
        assert hashlib.sha256(first).hexdigest() == gateway.certificate.fingerprint
        assert gateway.certificate.name == f"envoy-{gateway.serial}"
        gateway.renew_certificate(days=365)
        with pytest.raises((http.client.HTTPException, OSError)):
            one.get("/info")
        other = client(gateway.url)
        other.get("/info")
        assert other.connection.sock.getpeercert(binary_form=True) != first


def test_a_client_that_checks_certificates_refuses_it(gateway):
    connection = http.client.HTTPSConnection("127.0.0.1", gateway.port, context=ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/info")


def test_the_key_file_is_shared_and_private(tmp_path):
    path = tmp_path / "key.pem"
    token = EntrezKey.of_file(path).issue("1", now=0)
    assert EntrezKey.of_file(path).claims(token)["aud"] == "1"
    assert path.stat().st_mode & 0o777 == 0o600
