"""Observations gather in the socket while none could leave for Jeedom; nothing else is held up by that."""

from __future__ import annotations

import socket
import ssl
import threading
import time

import pytest
from cryptography import x509
from jeenergied.devices.easee.streaming import channel
from jeenergied.devices.easee.streaming.channel import LimitedSocket

from simulators.easee.product import Observed
from tests.easee.conftest import FIRST, SECOND, connection
from tests.support.certificates import certificate
from tests.support.waiting import until

LULL = 30.0
"""Seconds: far longer than any of these tests may take, on a busy machine as well."""


def tell(cloud, power):
    """An observation leaves."""
    cloud.hub.observed(cloud.chargers[FIRST], Observed(120, 3, str(power), time.time()))


@pytest.fixture
def settled(rig, cloud):
    """An account whose chargers have their values, with lulls from now on; `lulls` is how many have begun."""
    cloud.chargers[FIRST].plug()
    rig.configure(connection(cloud, FIRST, SECOND))
    rig.wait_value("10", "power", 11.04)
    rig.wait_value("11", "power", 0)
    rig.time.settle()
    rig.lulls, rig.lull = 0, LULL

    def lull():
        rig.lulls += 1
        return rig.lull

    rig.quiet_period = lull
    return rig


def in_a_lull(rig, cloud):
    """An observation has come, and nothing more is read for a while."""
    before = rig.lulls
    tell(cloud, 1.0)
    until(lambda: rig.value("10", "power") == 1.0)
    until(lambda: rig.lulls > before)


def end(rig):
    """The lull is over, and no other begins."""
    rig.lull = 0.0
    rig.device()._session._attention.set()  # and stays so: the stream may not have begun to wait yet


def test_what_comes_in_a_lull_is_read_together_and_the_newest_is_shown(settled, cloud):
    in_a_lull(settled, cloud)
    for power in (2.0, 3.0, 4.0):
        tell(cloud, power)
    time.sleep(0.1)
    assert settled.value("10", "power") == 1.0
    lulls = settled.lulls
    end(settled)
    until(lambda: settled.value("10", "power") == 4.0)  # no time passes, and no ping comes
    assert settled.lulls == lulls + 1  # all three were read at once


def test_an_action_ends_the_lull_and_its_answer_is_read_at_once(settled, cloud):
    in_a_lull(settled, cloud)
    begun = time.monotonic()
    settled.act("10", "cable_lock")
    assert time.monotonic() - begun < LULL / 2


def test_an_end_in_a_lull_is_noticed_and_mended(settled, cloud):
    in_a_lull(settled, cloud)
    opened = len(cloud.hub.subscriptions)
    cloud.hub.end_streams("rst")
    end(settled)
    settled.wait(lambda: len(cloud.hub.subscriptions) >= opened + 2)


def test_a_disabled_account_ends_in_a_lull(settled, cloud):
    in_a_lull(settled, cloud)
    begun = time.monotonic()
    settled.configure()
    until(lambda: not cloud.hub.streams)
    assert time.monotonic() - begun < LULL / 2


@pytest.fixture
def pair(tmp_path):
    """Both ends of a TLS connection."""
    public, both = certificate(tmp_path, x509.DNSName("localhost"))
    ours, theirs = socket.socketpair()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(both)
    ends = []
    thread = threading.Thread(target=lambda: ends.append(server.wrap_socket(theirs, server_side=True)))
    thread.start()
    client = ssl.create_default_context(cafile=str(public)).wrap_socket(ours, server_hostname="localhost")
    thread.join()
    client.settimeout(5)
    yield client, ends[0]
    client.close()
    ends[0].close()


def test_tls_hands_out_a_record_at_a_time_and_none_waits_for_a_lull(pair):
    client, server = pair
    reader = LimitedSocket(client, 1_000_000)
    for number in range(20):
        server.sendall(b"%04d" % number)
    got = reader.recv(4)
    while reader.more():
        got += reader.recv(4)
    assert got == b"".join(b"%04d" % number for number in range(20))
    server.sendall(b"half a record ")
    assert reader.recv(4) == b"half"
    assert reader.more()


def test_a_large_record_is_not_half_read(pair, monkeypatch):
    client, server = pair
    monkeypatch.setattr(channel, "CHUNK_BYTES", 4)
    reader = LimitedSocket(client, 1_000_000)
    server.sendall(b"0123456789")
    assert reader.recv(4) == b"0123"
    assert reader.more()  # in OpenSSL, no longer in the socket
