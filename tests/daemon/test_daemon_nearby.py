"""The socket's `nearby`: systems that answer on the network, in the words of their catalogues."""

from __future__ import annotations

import json
from pathlib import Path

from jeedom_bridge.contract import Contract
from resources.daemon.nearby.finder import Finder
from tests.support.process import DaemonProcess

ROOT = Path(__file__).resolve().parents[2]


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
