"""What the test of a connection keeps that is not saved: there for the save, and gone after an hour and at a start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jeenergied.connections.services import Services
from jeenergied.connections.supervisor import UNSAVED_S, Supervisor
from jeenergied.devices.base import Device, Identity
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge import Contract, Masker, Outbox, Store
from jeedom_bridge.clock import ManualClock
from simulators.econetatmo.cloud import NetatmoCloud
from tests.econetatmo.world import small_home
from tests.support.clocks import noon
from tests.support.core import Core, Quiet
from tests.support.process import ROOT, Lab, lab_connection
from tests.support.waiting import until

TOKEN = "token-of-an-account-that-was-only-tested"


class Keeping(Quiet):
    """Keeps a token, as a cloud account does."""

    def test(self) -> Identity:
        self.context.memory.put("tokens", {"access": TOKEN})
        return Identity({}, "")


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    made = Core(tmp_path, monkeypatch, Keeping)
    yield made
    made.close()


def on_disk(folder: Path) -> list[str]:
    """The files of a store that hold the token, be it in a page that is free."""
    return sorted(each.name for each in folder.glob("store*") if TOKEN.encode() in each.read_bytes())


def test_it_is_gone_an_hour_after_the_last_test(core: Core, tmp_path: Path) -> None:
    core.ask("test", connection=lab_connection("new"))
    core.clock.advance(UNSAVED_S - 60)
    core.ask("test", connection=lab_connection("new"))
    core.store.back_up()
    core.clock.advance(UNSAVED_S - 1)
    core.supervisor.tidy()
    assert on_disk(tmp_path) == ["store.copy.sqlite", "store.sqlite"]
    core.clock.advance(1)
    core.supervisor.tidy()
    assert core.store.scope("new") == {}
    assert on_disk(tmp_path) == []


def test_a_saved_connection_keeps_its_own(core: Core, tmp_path: Path) -> None:
    core.ask("test", connection=lab_connection("12"))
    core.clock.advance(10 * UNSAVED_S)
    core.supervisor.tidy()
    assert on_disk(tmp_path) == ["store.sqlite"]


def test_a_daemon_forgets_it_at_its_start(tmp_path: Path) -> None:
    folder = tmp_path / "daemon" / "data"
    store = Store(folder / "store.sqlite")
    store.put("new", "tokens", TOKEN)
    store.put("12", "mark", 5)
    store.close()
    assert on_disk(folder) == ["store.copy.sqlite", "store.sqlite"]
    with Lab(tmp_path) as lab:
        lab.daemon()
        until(lambda: on_disk(folder) == [], 5, "the token's end")
    assert Store(folder / "store.sqlite").scope("12") == {"mark": 5}


class Netatmo:
    """The real device under a supervisor; the service gives each pair once."""

    def __init__(self, folder: Path, cloud: NetatmoCloud) -> None:
        self.clock = ManualClock(noon())
        cloud.clock = cloud.authority.clock = self.clock.time
        self.cloud = cloud
        self.pasted = cloud.authority.generate().refresh
        self.store = Store(folder / "store.sqlite")
        core = ROOT / "core"
        shared = Services(self.clock, Outbox(self.clock), self.store, Masker(), Texts(core / "i18n"), Board(self.clock))
        self.supervisor = Supervisor(Contract(core / "contract"), shared)

    def test(self, identifier: str) -> Identity:
        """As the button of the page does, with the form as it is."""
        authority = self.cloud.authority
        config = {"clientId": authority.client_id, "clientSecret": authority.client_secret}
        config |= {"refreshToken": self.pasted, "apiUrl": self.cloud.url}
        wire: dict[str, Any] = {"id": identifier, "backend": "econetatmo", "name": "Netatmo", "config": config}
        _, future = self.supervisor.ask_temporary(self.supervisor.parse(wire), _test)
        return future.result(20)


def _test(device: Device) -> Identity:
    return device.test()


@pytest.fixture
def netatmo(tmp_path: Path) -> Iterator[Netatmo]:
    with NetatmoCloud([small_home()]) as cloud:
        made = Netatmo(tmp_path, cloud)
        yield made
        made.supervisor.stop(5.0)
        made.store.close()


def test_a_pair_that_is_given_once_reaches_the_connection_saved_within_the_hour(netatmo: Netatmo) -> None:
    netatmo.test("new")
    netatmo.clock.advance(UNSAVED_S - 1)
    netatmo.supervisor.tidy()
    netatmo.test("7")
    assert netatmo.cloud.authority.rotations == 1
    pairs = {scope: [key for key in netatmo.store.scope(scope) if key.startswith("tokens:")] for scope in ("new", "7")}
    assert (len(pairs["new"]), len(pairs["7"])) == (0, 1)
    netatmo.clock.advance(2 * UNSAVED_S)
    netatmo.supervisor.tidy()
    assert netatmo.store.scope("new") == {}
    netatmo.test("7")
