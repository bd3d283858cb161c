"""What the plugin's api key opens in a real Jeedom, before, during and after a deactivation."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from collections.abc import Iterator

import pytest
from jeedom_host import URL, Jeedom

ENABLE = "plugin::byId('jeenergie')->setIsEnable((int) $argv[1], true, true);"
ACCESS = """
    echo json_encode([
        config::byKey('api', 'jeenergie'),
        config::byKey('api::jeenergie::mode', 'core', 'enable', true),
        config::byKey('api::jeenergie::restricted', 'core', false, true),
    ]);
"""
METHODS = ["eqLogic::all", "plugin::listPlugin", "config::byKey", "event::changes"]
SOURCES = ["127.0.0.1", "127.0.0.2"]
"""The core tells hosts apart by their address: 127.0.0.2 is another one."""


@pytest.fixture
def deactivated(jeedom: Jeedom) -> Iterator[str]:
    """The key that was the plugin's before it was deactivated."""
    former = jeedom.key
    jeedom.php(ENABLE, 0)
    try:
        yield former
    finally:
        jeedom.php(ENABLE, 1)
        jeedom.read_key()


def answer(key: str, method: str, source: str) -> str:
    """What the JSON-RPC of the core says."""
    where = urllib.parse.urlsplit(URL)
    connection = http.client.HTTPConnection("127.0.0.1", where.port or 80, timeout=30, source_address=(source, 0))
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"apikey": key, "plugin": "jeenergie"}}
    connection.request(
        "POST", f"{where.path}/core/api/jeeApi.php", json.dumps(message), {"Content-Type": "application/json"}
    )
    return connection.getresponse().read().decode()


def opened(key: str) -> list[tuple[str, str]]:
    """Methods and addresses from which the key brings an answer."""
    return [(method, source) for method in METHODS for source in SOURCES if '"result"' in answer(key, method, source)]


def test_a_deactivated_plugins_key_opens_nothing(jeedom: Jeedom, deactivated: str) -> None:
    assert len(deactivated) > 16
    assert opened(deactivated) == []
    assert opened("") == []
    assert jeedom.php(ACCESS) == ["", "disable", "1"]


def test_activated_again_it_has_another_key_for_this_machine_only(jeedom: Jeedom) -> None:
    former = jeedom.key
    jeedom.php(ENABLE, 0)
    jeedom.php(ENABLE, 1)
    jeedom.read_key()
    key, mode, restricted = jeedom.php(ACCESS)
    assert key == jeedom.key
    assert key != former
    assert (mode, restricted) == ("localhost", "1")
    assert opened(key) == []
    assert opened(former) == []
    assert jeedom.post()["ok"] is True
