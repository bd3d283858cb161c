"""The gateway's certificate: pinned at first use, its yearly successor accepted, anybody else's refused."""

from __future__ import annotations

import logging
import time
from datetime import datetime

import pytest
from jeenergied.devices.base import VendorError
from jeenergied.devices.enphase.gateway.certificate import Certificate, _moment

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.listener import CommandError
from simulators.enphase import EnphaseGateway

from .harness import READINGS, house


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(time.time())


@pytest.fixture
def make_gateway(opened, clock):
    """Makes gateways that note what they hear: `heard` is (certificate, path, whether a credential came along)."""

    def make(**settings):
        gateway = EnphaseGateway(house(), clock=clock.time, **settings)
        gateway.heard = []
        answer = gateway.server.answer

        def listening(request):
            secret = "Authorization" in request.headers or "Cookie" in request.headers
            gateway.heard.append((gateway.certificate.fingerprint, request.path, secret))
            return answer(request)

        gateway.server.answer = listening
        return opened(gateway)

    return make


@pytest.fixture
def gateway(make_gateway):
    return make_gateway()


def told(gateway) -> set[str]:
    """The certificates to which a token or a session was shown."""
    return {fingerprint for fingerprint, _, secret in gateway.heard if secret}


def accepted(caplog) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING and "certificate" in r.getMessage()]


def test_the_first_certificate_is_pinned_and_nothing_goes_out_before(bench, gateway, clock):
    running = bench(gateway, clock=clock).start()
    assert gateway.heard[0] == (gateway.certificate.fingerprint, "/info", False)
    assert gateway.tls_connections == 2  # one to read the certificate, one for everything else
    running.advance(7300, 60)
    assert gateway.tls_connections == 2
    running.restart()
    assert gateway.tls_connections == 3


@pytest.mark.parametrize("age", [0, 250])
def test_a_new_certificate_of_the_same_key_is_accepted(bench, make_gateway, clock, age, caplog):
    gateway = make_gateway(certificate_age=age)
    running = bench(gateway, clock=clock).start()
    new = gateway.renew_certificate(same_key=True)
    running.advance(120, 10)
    assert told(gateway) >= {new}
    assert set(running.states) <= {"connecting", "online"}
    assert "its key is the same" in accepted(caplog)[0]
    assert len(accepted(caplog)) == 1
    assert running.messages == []
    before = running.asked(READINGS)
    running.restart().advance(120, 10)
    assert running.asked(READINGS) > before
    assert len(accepted(caplog)) == 1


def test_the_successor_of_an_expired_certificate_is_accepted(bench, make_gateway, clock, caplog):
    gateway = make_gateway(certificate_age=366)
    running = bench(gateway, clock=clock).start()
    new = gateway.renew_certificate()
    running.advance(120, 10)
    assert told(gateway) >= {new}
    assert "has expired" in accepted(caplog)[0]
    assert running.messages == []


@pytest.mark.parametrize("age", [0, 250, 364])
@pytest.mark.parametrize("serial", [True, False])
def test_whoever_claims_new_firmware_gets_no_token(bench, make_gateway, clock, age, serial):
    """A man in the middle can say what he likes: serial number and firmware are told to anyone who asks."""
    gateway = make_gateway(certificate_age=age)
    running = bench(gateway, clock=clock, **({"serial": gateway.serial} if serial else {})).start()
    known = gateway.certificate.fingerprint
    gateway.source.firmware = "D8.3.5289"
    gateway.renew_certificate()
    running.advance(900, 10)
    assert told(gateway) == {known}
    assert len(running.messages) == 1
    assert running.last_state["state"] == "untrusted"


@pytest.mark.parametrize("age", [0, 200, 364])
def test_any_other_certificate_is_refused_until_the_user_accepts_it(bench, make_gateway, clock, age, caplog):
    gateway = make_gateway(certificate_age=age)
    running = bench(gateway, clock=clock, pollInterval=5).start()
    known = gateway.certificate.fingerprint
    strange = gateway.renew_certificate()
    running.advance(900, 5)
    assert told(gateway) == {known}
    assert len(running.messages) == 1
    assert "certificat inattendu" in running.messages[0]
    assert running.last_state["state"] == "untrusted"
    assert "certificat inattendu" in running.last_state["message"]
    polls = running.asked(READINGS)
    running.restart().advance(900, 60)
    assert len(running.messages) == 1
    assert told(gateway) == {known}
    text = running.ask("run", connection="1", operation="acceptCertificate", options={})["text"]
    assert "accepté" in text
    running.advance(1)  # tried at once
    assert running.states[-1] == "online"
    running.advance(90, 5)
    assert told(gateway) == {known, strange}
    assert running.asked(READINGS) > polls
    assert running.states[-1] == "online"
    running.restart()
    assert running.states[-1] == "online"


def test_the_known_certificate_is_taken_back_and_a_second_stranger_is_told_again(bench, gateway, clock):
    running = bench(gateway, clock=clock, pollInterval=5).start()
    old, old_context = gateway.certificate, gateway.server.tls
    gateway.renew_certificate()
    strange, strange_context = gateway.certificate, gateway.server.tls
    running.advance(600, 5)
    for certificate, context, state, messages in (
        (old, old_context, "online", 1),
        (strange, strange_context, "untrusted", 2),
        (old, old_context, "online", 2),
    ):
        gateway.certificate, gateway.server.tls = certificate, context
        gateway.server.drop_connections()
        running.advance(900, 5)
        assert running.last_state["state"] == state
        assert len(running.messages) == messages
    assert told(gateway) == {old.fingerprint}


def test_a_certificate_in_another_name_is_refused_even_when_one_is_due(bench, make_gateway, clock):
    gateway = make_gateway(certificate_age=300)
    running = bench(gateway, clock=clock).start()
    known = gateway.certificate.fingerprint
    gateway.renew_certificate(serial="999999999999")
    running.advance(600, 10)
    assert told(gateway) == {known}
    assert len(running.messages) == 1


def become(gateway, serial: str) -> None:
    """Another gateway takes the place of this one."""
    gateway.source.serial = gateway.access.serial = serial
    gateway.renew_certificate()


def test_another_gateway_at_the_same_address_is_refused(bench, make_gateway, clock):
    gateway = make_gateway(certificate_age=300)
    running = bench(gateway, clock=clock).start()
    known = gateway.certificate.fingerprint
    become(gateway, "122300000002")
    running.advance(600, 10)
    assert told(gateway) == {known}
    assert len(running.messages) == 1
    assert running.last_state["state"] == "untrusted"


def test_a_replaced_gateway_is_taken_over_once_the_user_names_it(bench, gateway, clock):
    running = bench(gateway, clock=clock, serial=gateway.serial).start()
    become(gateway, "122300000002")
    running.advance(600, 10)
    assert "122300000002, pas de" not in str(running.messages)
    assert "numéro de série 122300000002" in running.last_state["message"]
    running.configure(serial="122300000002", token=gateway.token())
    running.settle()
    running.advance(5, 1)
    assert running.states[-1] == "online"


def test_a_replaced_gateway_is_taken_over_once_its_certificate_is_accepted(bench, gateway, clock):
    running = bench(gateway, clock=clock).start()
    become(gateway, "122300000002")
    running.advance(600, 10)
    running.ask("run", connection="1", operation="acceptCertificate", options={})
    running.advance(120, 10)
    assert running.last_state["code"] == "authentication_failed"  # the pasted token is the old one's
    assert "122300000002" in running.last_state["message"]
    running.configure(token=gateway.token())
    running.settle()
    running.advance(5, 1)
    assert running.states[-1] == "online"


def test_a_wrong_serial_number_is_found_out_before_the_token_leaves(bench, gateway, clock):
    running = bench(gateway, clock=clock, serial="122300000009").start()
    assert told(gateway) == set()
    assert running.last_state["code"] == "vendor_error"
    assert "a le numéro de série 122300000001, et non celui des réglages" in running.last_state["message"]
    with pytest.raises(CommandError):
        running.ask("run", connection="1", operation="acceptCertificate", options={})


def test_trying_another_address_in_the_form_does_not_change_what_is_pinned(bench, make_gateway, clock):
    gateway = make_gateway()
    other = make_gateway(key=gateway.key)
    running = bench(gateway, clock=clock).start()
    asked = running.definition
    asked["config"] = {**asked["config"], "port": other.port}
    assert running.ask("test", connection=asked)["identity"]["serial"] == other.serial
    running.advance(4000, 60)
    running.restart()
    assert running.states[-1] == "online"
    assert running.messages == []


def test_somebody_else_at_the_address_is_named(bench, gateway, clock):
    gateway.fault("html", "/info")
    running = bench(gateway, clock=clock).start()
    assert running.last_state["code"] == "vendor_error"
    assert "pas comme une passerelle Enphase" in running.last_state["message"]
    assert told(gateway) == set()
    gateway.clear()
    running.advance(120, 5)
    assert running.states[-1] == "online"


def test_nobody_at_the_address(bench, gateway, clock, caplog):
    gateway.server.suspend()
    running = bench(gateway, clock=clock).start()
    assert running.last_state["state"] == running.last_state["code"] == "unreachable"
    assert "ne répond pas" in running.last_state["message"]
    running.advance(300, 5)
    gateway.server.resume()
    running.advance(90, 5)
    assert running.states[-1] == "online"
    assert sum(record.levelno >= logging.ERROR for record in caplog.records) == 1


@pytest.mark.parametrize(
    "der", [b"", b"0", b"0\x00", b"0\x02\x30\x00", b"0\x82\xff\xff", bytes(range(256)), b"\x30" * 40]
)
def test_a_certificate_that_is_none_is_refused(der):
    with pytest.raises(VendorError):
        Certificate.parse(der)


@pytest.mark.parametrize(
    ("tag", "text", "moment"),
    [
        (0x17, b"491231235959Z", "2049-12-31T23:59:59"),
        (0x17, b"500101000000Z", "1950-01-01T00:00:00"),
        (0x18, b"20500229120000Z", None),
        (0x18, b"20520229120000Z", "2052-02-29T12:00:00"),
        (0x17, b"20520229120000Z", None),
        (0x18, b"520229120000Z", None),
        (0x17, b"261231235959+0100", None),
        (0x17, b"", None),
        (0x17, "٢٦1231235959Z".encode(), None),
    ],
)
def test_both_forms_of_a_moment_are_read(tag: int, text: bytes, moment: str | None) -> None:
    if moment is None:
        with pytest.raises(ValueError):  # noqa: PT011
            _moment(tag, text)
    else:
        assert _moment(tag, text) == datetime.fromisoformat(f"{moment}+00:00").timestamp()
