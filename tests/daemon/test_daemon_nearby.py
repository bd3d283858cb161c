"""The socket's `nearby`: systems that answer on the network, in the words of their catalogues."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from jeedom_bridge.contract import Contract
from resources.daemon.nearby.finder import Finder
from tests.support.advertiser import Advertiser
from tests.support.process import DaemonProcess, Lab

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = ROOT / "tests" / "support" / "only_loopback"


def test_an_unknown_backend_is_found_nowhere(daemon: DaemonProcess) -> None:
    assert daemon.result("nearby", backend="none") == {"found": []}


def test_the_catalogues_say_how_a_gateway_and_a_box_are_found() -> None:
    finder = Finder.of(Contract(ROOT / "core" / "contract").catalogues)
    assert {"enphase", "wes"} <= set(finder.backends)


def test_what_is_found_fills_a_field_of_the_form() -> None:
    for path in (ROOT / "core" / "contract" / "catalogue").glob("*.json"):
        connection = json.loads(path.read_text("utf-8"))["connection"]
        if "nearby" in connection:
            assert connection["nearby"]["fills"] in [field["key"] for field in connection["fields"]]


SERVICE = "_enphase-envoy._tcp.local."
GATEWAYS = {"122311000001": "192.168.1.41", "122311000002": "192.168.1.42"}
"""Serial numbers that no other test announces: tests that run at the same time hear each other."""


def announced(serial: str) -> Advertiser:
    """As a gateway announces itself."""
    properties = {"serialnum": serial, "protovers": "8.2.4401"}
    return Advertiser(SERVICE, f"envoy{serial[-1]}", GATEWAYS[serial], 443, properties)


def test_gateways_that_announce_themselves_are_found_and_nothing_runs_but_while_one_searches(lab: Lab) -> None:
    daemon = lab.daemon(environment={"PYTHONPATH": str(LOOPBACK)})
    assert children(daemon) == []
    ports = udp_ports(daemon)
    with announced("122311000001"), announced("122311000002"):
        answer = daemon.result("nearby", backend="enphase")["found"]
    found = {each["serial"]: each for each in answer if each["serial"] in GATEWAYS}
    assert found == {
        serial: {"backend": "enphase", "address": address, "serial": serial, "config": {"host": address}}
        for serial, address in GATEWAYS.items()
    }
    assert children(daemon) == []
    assert udp_ports(daemon) == ports
    assert "cannot be searched" not in daemon.log


def children(daemon: DaemonProcess) -> list[str]:
    tasks = Path(f"/proc/{daemon.process.pid}/task").glob("*/children")
    return [child for each in tasks for child in each.read_text().split()]


def udp_ports(daemon: DaemonProcess) -> set[str]:
    """Inodes of the sockets of a process that hear packets."""
    inodes = {line.split()[9] for line in Path("/proc/net/udp").read_text().splitlines()[1:]}
    links = []
    for each in Path(f"/proc/{daemon.process.pid}/fd").iterdir():
        with suppress(OSError):  # closed by now
            links.append(os.readlink(each))
    return {link[8:-1] for link in links if link.startswith("socket:[")} & inodes
