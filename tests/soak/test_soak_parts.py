"""The soak itself: what it calls the truth, and that it runs on hosts with little to break."""

from __future__ import annotations

import time
import zlib
from contextlib import ExitStack
from typing import Any

import pytest

from simulators.econetatmo.model import UPLOAD
from simulators.soak import run as soak_run
from simulators.soak.run import Soak
from simulators.soak.systems import Econetatmo


class House:
    """As much of Jeedom as `Econetatmo` needs: it has one line, without measures."""

    def __init__(self) -> None:
        self.database = self

    def add_connection(self, backend: str, config: dict[str, Any], name: str) -> str:
        return backend

    def children(self, connection: str) -> list[dict[str, Any]]:
        return [{"id": "7", "key": "00:04:74:aa:bb:cc#0", "type": "line"}]

    def history(self, equipment: str, command: str) -> list[tuple[str, float]]:
        return []


def within_a_slot() -> float:
    """A moment just after an upload that came before the middle of the newest slot: its label lies ahead."""
    for number in range(int(time.time() // UPLOAD) - 2, 0, -1):
        late = zlib.crc32(f"1/00:04:74:aa:bb:cc/{number}".encode()) % 900
        if 300 <= late < 800:
            return number * UPLOAD + late + 30.0
    raise AssertionError


def test_nothing_is_asked_of_jeedom_that_lies_ahead_of_the_clock() -> None:
    with ExitStack() as stack:
        system = Econetatmo(stack, House(), 1.0)  # type: ignore[arg-type]
        system.clock.set(within_a_slot(), speed=0.0)
        (before,) = system.dated()
        system.clock.advance(900)
        (after,) = system.dated()
    assert len(after.truth) == len(before.truth) + 1


def test_no_fault_of_the_soak_loses_an_answer_to_a_renewal() -> None:
    with ExitStack() as stack:
        system = Econetatmo(stack, House(), 1.0)  # type: ignore[arg-type]
        for kind, value in (*system.faults, *system.rare):
            system.clear()
            system.inject(kind, value)
            before = system.cloud.authority.rotations
            met = system.cloud.faults.take("/oauth2/token")
            assert not any(each.kind in ("lost", "truncated", "hang", "drop") for each in met), kind
            assert system.cloud.authority.rotations == before


class BareHost:
    """A Jeedom of which nothing can be broken."""

    disk = False
    faults = rare = ()


class BareDaemon:
    steps = False

    def ensure(self) -> None:
        """It runs."""


class Harmless:
    """A system with one fault."""

    name, faults, rare, eager = "harmless", (("latency", 1.0),), (), False

    def inject(self, kind: str, value: Any) -> None:
        """Nothing happens."""

    def leave(self) -> None:
        """Nor now."""


def test_a_host_without_faults_of_its_own_gets_those_of_the_vendors(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(soak_run.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(soak_run.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    soak = Soak(BareHost(), 10.0, 1)  # type: ignore[arg-type]
    soak.daemon = BareDaemon()  # type: ignore[assignment]
    soak.systems = [Harmless()]  # type: ignore[list-item]
    monkeypatch.setattr(soak, "_clear", lambda: None)
    monkeypatch.setattr(soak, "_as_user", lambda system: None)
    soak._storm(300.0, kills=False)
    assert set(soak.incidents) == {"harmless latency", "network"}
