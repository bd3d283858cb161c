"""Faults of the gateway, asked for in the test or through the control endpoint, do what they say."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulators.clock import SimulatedClock
from simulators.enphase import DaySource, EnphaseGateway, Plant

PATH = "/ivp/meters/readings"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def gateway():
    clock = SimulatedClock(1_781_780_400, speed=0)
    with EnphaseGateway(DaySource(Plant(clock)), clock=clock) as running:
        yield running


@pytest.fixture
def one(gateway, client):
    return client(gateway.url, gateway.token(), timeout=1.0)


def test_latency_holds_the_answer_back(gateway, one):
    gateway.fault("latency", value=0.2)
    begin = time.monotonic()
    assert one.get(PATH).status == 200
    assert time.monotonic() - begin >= 0.2


@pytest.mark.parametrize("status", [401, 403, 404, 500, 502, 503])
def test_a_status_comes_with_the_page_of_the_gateway(gateway, one, status):
    gateway.fault("status", value=status, count=1)
    assert one.get(PATH).status == status
    assert one.get(PATH).status == 200


def test_a_fault_meets_only_its_path(gateway, one):
    gateway.fault("status", "/ivp/ensemble", 401)
    assert one.get("/ivp/ensemble/secctrl").status == 401
    assert one.get(PATH).status == 200


@pytest.mark.parametrize("kind", ["html", "garbage"])
def test_a_body_that_is_no_data(gateway, one, kind):
    gateway.fault(kind, count=1)
    reply = one.get(PATH)
    assert reply.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.body)


@pytest.mark.parametrize("kind", ["truncated", "drop"])
def test_a_broken_connection(gateway, one, kind):
    gateway.fault(kind, count=1)
    with pytest.raises((http.client.HTTPException, OSError)):
        one.get(PATH)
    one.close()
    assert one.get(PATH).status == 200


def test_a_hanging_gateway_never_answers(gateway, one):
    gateway.fault("hang", count=1)
    with pytest.raises(socket.timeout):  # not a TimeoutError before Python 3.10
        one.get(PATH)
    assert gateway.state()["inFlight"] == 1


def test_a_redirect(gateway, one):
    gateway.fault("redirect", count=1)
    reply = one.get(PATH)
    assert (reply.status, reply.headers["Location"]) == (302, "/home")


def test_a_frozen_gateway_shows_the_same_second(gateway, one):
    gateway.fault("frozen")
    before = one.get(PATH).body
    gateway.clock.advance(60)
    assert one.get(PATH).body == before
    gateway.clear()
    assert one.get(PATH).body != before


def test_zeros_leave_identities_and_times(gateway, one):
    healthy = one.get(PATH).json()
    gateway.fault("zeros")
    zeros = one.get(PATH).json()
    assert zeros[0]["eid"] == healthy[0]["eid"]
    assert zeros[0]["timestamp"] == healthy[0]["timestamp"]
    assert zeros[0]["actEnergyDlvd"] == zeros[0]["activePower"] == 0


def test_registers_jump(gateway, one):
    before = one.get(PATH).json()[1]["actEnergyDlvd"]
    gateway.fault("reset_index", "net-consumption", {"step": -1_000})
    assert one.get(PATH).json()[1]["actEnergyDlvd"] == pytest.approx(before - 1_000, abs=0.01)
    gateway.fault("reset_index")
    meters = one.get(PATH).json()
    assert [meter["actEnergyDlvd"] for meter in meters] == [0, 0]
    assert gateway.truth()["produced"] >= 0


def test_a_reboot_closes_the_port_then_is_busy_then_shows_zeros(gateway, one, client):
    cookie = one.get("/auth/check_jwt").headers["Set-Cookie"].split(";")[0]
    gateway.fault("reboot", value={"down": 0.3, "busy": 0.4, "zeros": 0.4})
    seen = []
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and "index" not in seen:
        answer = shown(client(gateway.url, gateway.token(), timeout=1))
        if answer not in seen[-1:]:
            seen.append(answer)
    assert seen[-4:] == ["closed", "busy", "zeros", "index"]
    assert client(gateway.url).get(PATH, Cookie=cookie).status == 401


def shown(one):
    """What a gateway shows now, in a word."""
    try:
        reply = one.get(PATH)
    except (http.client.HTTPException, OSError):
        return "closed"
    if reply.status == 503:
        return "busy"
    return "index" if reply.json()[0]["actEnergyDlvd"] else "zeros"


def test_an_unknown_fault_is_refused(gateway):
    with pytest.raises(ValueError, match="unknown fault"):
        gateway.fault("earthquake")


def test_the_control_endpoint_does_the_same(gateway, one, client):
    control = client(gateway.control_url)
    assert control.post("/set", {"production": 3_000, "consumption": 500}).status == 200
    assert one.get(PATH).json()[1]["activePower"] == -2_500
    assert control.post("/fault", {"path": "*", "kind": "status", "value": 503, "count": 1}).status == 200
    assert one.get(PATH).status == 503
    state = control.get("/state").json()
    assert state["meters"]["net-consumption"]["watts"] == [-2_500]
    assert (state["requests"], state["maxInFlight"], state["tlsConnections"]) == (2, 1, 1)
    assert control.get("/truth").json()["to"] == gateway.clock()
    control.post("/clock", {"advance": 3_600})
    assert control.get("/truth").json()["exported"] == pytest.approx(2_500)
    old = gateway.certificate.fingerprint
    assert control.post("/certificate", {"days": 10}).json()["fingerprint"] != old
    assert control.post("/fault", {"kind": "earthquake"}).status == 400
    assert control.post("/nothing").status == 404


def test_the_program_says_where_it_is_and_stops_when_told(client, tmp_path):
    command = [sys.executable, "-m", "simulators.enphase", "--day", "--key", str(tmp_path / "key.pem")]
    with subprocess.Popen([*command, "--phases", "3"], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        where = json.loads(process.stdout.readline())
        assert client(where["url"]).get("/info").status == 200
        token = client(where["control"]).post("/token").json()["token"]
        assert len(client(where["url"], token).get(PATH).json()) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
