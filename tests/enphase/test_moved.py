"""A gateway that answers at another address: found by its serial number, followed only with its own certificate."""

from __future__ import annotations

import threading
import time

import pytest
from jeenergied.devices.base import Neighbour

from jeedom_bridge.clock import ManualClock
from simulators.enphase import EnphaseGateway
from tests.support.waiting import until

from .harness import Bench, house

OLD, NEW = "127.0.0.21", "127.0.0.22"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(time.time())


@pytest.fixture
def make_gateway(opened, clock):
    """Gateways that note the certificates with which a secret came: `told`."""

    def make(host=OLD, port=0, serial=None, **settings):
        gateway = EnphaseGateway(house(), clock=clock.time, host=host, port=port, **settings)
        if serial is not None:
            gateway.source.serial = gateway.access.serial = serial
            gateway.renew_certificate()
        gateway.told = set()
        answer = gateway.server.answer

        def listening(request):
            if "Authorization" in request.headers or "Cookie" in request.headers:
                gateway.told.add(gateway.certificate.fingerprint)
            return answer(request)

        gateway.server.answer = listening
        return opened(gateway)

    return make


class Network:
    """What a search finds, and how often one was made."""

    def __init__(self, *gateways: EnphaseGateway) -> None:
        self.gateways = gateways
        self.searches = 0
        self.free = threading.Event()
        self.free.set()

    def __call__(self, backend: str) -> list[Neighbour]:
        assert backend == "enphase"
        self.searches += 1
        self.free.wait(30)
        return [Neighbour(each.server.host, each.serial) for each in self.gateways]


def searched(running: Bench, network: Network, times: int = 1) -> None:
    """Lets time pass until so many searches have ended and their results were judged."""
    for _ in range(400):
        if network.searches >= times:
            break
        running.advance(10)
    assert network.searches >= times
    until(lambda: not running.runner._relocation._searching)
    running.settle()


def follow(running: Bench) -> dict[str, str]:
    """What Jeedom does with the newest event `moved`."""
    event = running.of("moved")[-1]
    running.configure(host=event["address"])
    running.settle()
    running.advance(3, 1)
    return {key: event[key] for key in ("connection", "from", "address")}


@pytest.mark.parametrize("named", [False, True])
def test_it_is_followed_to_the_address_where_its_serial_and_its_certificate_are(
    tmp_path, opened, make_gateway, clock, named
):
    gateway = make_gateway()
    network = Network(gateway)
    serial = {"serial": gateway.serial} if named else {}
    running = opened(Bench(tmp_path, gateway, clock=clock, nearby=network, **serial)).start()
    gateway.server.move(NEW)
    searched(running, network)
    assert follow(running) == {"connection": "1", "from": OLD, "address": NEW}
    assert running.last_state["state"] == "online"
    assert gateway.told == {gateway.certificate.fingerprint}
    assert running.messages == []


def test_a_device_that_only_bears_its_serial_number_is_not_followed(tmp_path, opened, make_gateway, clock):
    gateway = make_gateway()
    false = make_gateway(host=NEW, port=gateway.port, serial=gateway.serial)
    network = Network(false)
    running = opened(Bench(tmp_path, gateway, clock=clock, nearby=network)).start()
    gateway.server.suspend()
    searched(running, network, times=2)
    assert running.of("moved") == []
    assert false.told == set()
    assert len(running.messages) == 1
    assert NEW in running.messages[0]
    gateway.server.resume()
    running.advance(120, 10)
    assert running.last_state["state"] == "online"


def test_a_certificate_that_is_renewed_on_the_way_is_judged_as_at_the_old_address(
    tmp_path, opened, make_gateway, clock
):
    gateway = make_gateway()
    network = Network(gateway)
    running = opened(Bench(tmp_path, gateway, clock=clock, nearby=network)).start()
    gateway.server.move(NEW)
    gateway.renew_certificate(same_key=True)
    searched(running, network)
    follow(running)
    assert running.last_state["state"] == "online"
    assert running.messages == []


def test_two_gateways_that_have_changed_places_are_both_found_and_no_token_goes_astray(
    tmp_path, opened, make_gateway, clock
):
    first = make_gateway()
    second = make_gateway(host=NEW, port=first.port, serial="122300000002")
    network = Network(first, second)
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    one = opened(Bench(tmp_path / "1", first, clock=clock, nearby=network)).start()
    two = opened(Bench(tmp_path / "2", second, clock=clock, nearby=network)).start()
    second.server.move("127.0.0.23")
    first.server.move(NEW)
    second.server.move(OLD)
    for running, network.searches in ((one, 0), (two, 0)):
        searched(running, network)
    assert follow(one) == {"connection": "1", "from": OLD, "address": NEW}
    assert follow(two) == {"connection": "1", "from": NEW, "address": OLD}
    for running, gateway in ((one, first), (two, second)):
        assert running.last_state["state"] == "online"
        assert gateway.told == {gateway.certificate.fingerprint}
        assert running.messages == []


def test_another_gateway_in_its_place_is_looked_into_at_once_and_told_once_when_the_own_is_nowhere(
    tmp_path, opened, make_gateway, clock
):
    gateway = make_gateway()
    network = Network()
    running = opened(Bench(tmp_path, gateway, clock=clock, nearby=network)).start()
    gateway.server.suspend()
    make_gateway(port=gateway.port, serial="122300000002")
    running.advance(70, 5)
    assert network.searches == 1
    searched(running, network)
    assert running.last_state["state"] == "untrusted"
    searched(running, network, times=3)
    assert len(running.messages) == 1


def test_it_is_looked_for_after_three_minutes_and_then_ever_more_rarely(tmp_path, opened, make_gateway, clock):
    gateway = make_gateway()
    network = Network()
    running = opened(Bench(tmp_path, gateway, clock=clock, nearby=network)).start()
    gateway.server.suspend()
    running.advance(170, 10)
    assert network.searches == 0
    for _ in range(24 * 12):
        running.advance(300)
        until(lambda: not running.runner._relocation._searching)
    assert 5 <= network.searches <= 7


def test_what_is_found_counts_no_more_when_it_answers_again_meanwhile(tmp_path, opened, make_gateway, clock):
    gateway = make_gateway()
    twin = make_gateway(host=NEW, port=gateway.port)
    network = Network(twin)
    network.free.clear()
    running = opened(Bench(tmp_path, gateway, clock=clock, nearby=network)).start()
    gateway.server.suspend()
    while not network.searches:
        running.advance(10)
    gateway.server.resume()
    running.advance(120, 10)
    assert running.last_state["state"] == "online"
    network.free.set()
    until(lambda: not running.runner._relocation._searching)
    running.settle()
    assert running.of("moved") == []


def test_an_address_that_is_a_name_follows_by_itself(tmp_path, opened, make_gateway, clock):
    gateway = make_gateway(host="127.0.0.1")
    network = Network(gateway)
    running = opened(Bench(tmp_path, gateway, clock=clock, nearby=network, host="localhost")).start()
    gateway.server.move(NEW)
    searched(running, network)
    assert running.of("moved") == []
