"""Hostile peers of the socket, and answers of Jeedom that nobody would wish for."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jeenergied.daemon
import jeenergied.devices
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jeenergied.daemon import Daemon

from jeedom_bridge import Logs, Masker, Options
from tests.fire import amount
from tests.fire.answers import torment
from tests.fire.peers import COMMANDS, attack
from tests.support.client import KEY
from tests.support.lab_daemon import BACKENDS
from tests.support.process import Lab, check, lab_connection, lab_core


@pytest.mark.alone
@pytest.mark.cold
@pytest.mark.parametrize("loglevel", ["info", "debug"])
def test_nothing_that_peers_send_stops_the_daemon_or_another_peer(lab: Lab, loglevel: str) -> None:
    report = attack(lab, amount(300, 20_000), amount(1, 10), seed=11, loglevel=loglevel, silence=amount(1, 10))
    print("\n".join(report.lines()))
    assert report.problems == []
    assert report.slowest_other < 1
    assert report.slowest_new < 1
    assert report.after["descriptors"] <= report.before["descriptors"]
    assert report.after["resident MiB"] - report.before["resident MiB"] < 20


@pytest.mark.alone
@pytest.mark.cold
def test_no_answer_of_jeedom_stops_the_daemon_or_loses_an_event(lab: Lab) -> None:
    report = torment(lab, amount(60, 2000), seed=5)
    print("\n".join(report.lines()))
    assert report.problems == []
    assert report.slowest < 1
    assert report.after["descriptors"] <= report.before["descriptors"] + 1
    assert report.after["resident MiB"] - report.before["resident MiB"] < 10


SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20)
)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)


VALUE = st.recursive(SCALAR, _nested, max_leaves=12)
CONNECTION = st.fixed_dictionaries(
    {"id": st.sampled_from(["1", "2", ""]) | VALUE, "backend": st.sampled_from(["lab", "enphase", "x"]) | VALUE},
    optional={"config": VALUE, "equipment": st.lists(VALUE, max_size=3) | VALUE, "commands": VALUE, "name": VALUE},
)
MESSAGE = st.fixed_dictionaries(
    {"cmd": st.sampled_from([each for each in COMMANDS if each not in ("test", "discover", "run")]) | VALUE},
    optional={
        "id": VALUE,
        "revision": st.integers(0, 5) | VALUE,
        "settings": VALUE,
        "connections": st.lists(CONNECTION, max_size=3) | VALUE,
        "connection": st.sampled_from(["1", "2"]) | VALUE,
        "equipment": st.sampled_from(["1", "10"]) | VALUE,
        "command": st.sampled_from(["set", "refresh", "power"]) | VALUE,
        "options": VALUE,
        "level": VALUE,
        "unsecure": VALUE,
        "extendedDebug": VALUE,
    },
)


@pytest.fixture
def inside(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root_logger: logging.Logger) -> Iterator[Daemon]:
    """A daemon in this process, without its threads."""
    monkeypatch.setattr(jeenergied.daemon, "CORE", lab_core(tmp_path))
    monkeypatch.setattr(jeenergied.devices, "__path__", [*jeenergied.devices.__path__, str(BACKENDS)])
    logs = Logs(Masker(), ("jeenergied", "jeedom_bridge"))
    logs.set("critical")
    daemon = Daemon(Options(lab.server.url, KEY, tmp_path / "pid", tmp_path / "data", "jeenergie"), logs)
    yield daemon
    daemon._supervisor.stop(2)
    logs.close()


def test_every_message_there_can_be_has_one_answer_of_the_contract(inside: Daemon) -> None:
    """Also the ones that nobody thought of: messages are made up from the contract's own words."""
    codes: set[str] = set()

    @settings(
        max_examples=amount(150, 5000),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(MESSAGE)
    @example({"cmd": "nonsense"})
    @example({"cmd": []})
    def asked(fields: dict[str, Any]) -> None:
        asked_raw = json.dumps({"apikey": KEY, **fields}).encode()
        answer = json.loads(inside.listener._answer(asked_raw, peer=None))  # type: ignore[arg-type]
        check("socket", answer, "answer")
        if not answer["ok"]:
            codes.add(answer["error"]["code"])

    inside._commands._configure({"revision": 0, "connections": [lab_connection("1")]})
    asked()
    assert "internal" not in codes
    assert {"invalid_message", "unknown_command"} <= codes
