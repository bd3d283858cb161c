"""Accounts run in this process against the simulated cloud, with time that can pass faster than it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from jeenergied.connections.runner import Runner
from jeenergied.connections.services import Services
from jeenergied.connections.supervisor import Supervisor
from jeenergied.devices.base import DeviceError
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge.callback import Callback
from jeedom_bridge.clock import ManualClock, SystemClock
from jeedom_bridge.contract import Catalogue, Contract
from jeedom_bridge.logs import Masker
from jeedom_bridge.outbox import Outbox
from jeedom_bridge.store import Store
from simulators.easee import Account, EaseeCloud
from tests.easee.crank import Crank
from tests.support.callback_server import CallbackServer
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
USER, PASSWORD = "user@example.org", "correct horse battery"
FIRST, SECOND = "EH000001", "EH000002"


class FastClock:
    """A clock that runs `speed` times as fast as the machine's; the speed can be changed on the way."""

    def __init__(self, speed: float = 1.0) -> None:
        self._lock = threading.Lock()
        self._speed, self._mark, self._base = speed, time.monotonic(), 1000.0
        self._wall = time.time() - 1000.0

    def monotonic(self) -> float:
        with self._lock:
            return self._base + (time.monotonic() - self._mark) * self._speed

    def time(self) -> float:
        return self._wall + self.monotonic()

    def wait(self, condition: threading.Condition, timeout: Optional[float]) -> bool:
        # Short waits: the speed may change meanwhile.
        return condition.wait(0.05 if timeout is None else min(0.05, max(0.0, timeout / self._speed)))

    def run_at(self, speed: float) -> None:
        now = self.monotonic()
        with self._lock:
            self._base, self._mark, self._speed = now, time.monotonic(), speed


def catalogue() -> Catalogue:
    """The catalogue as shipped."""
    return Contract(ROOT / "core" / "contract").catalogues["easee"]


COMMANDS = {row.logical_id: {} for row in catalogue().all_rows("charger")}


def connection(cloud: EaseeCloud, *serials: str, identifier: str = "1", **config: Any) -> dict[str, Any]:
    """An account as Jeedom sends it; its chargers are `<id>0`, `<id>1`, ..."""
    settings = {"user": USER, "password": PASSWORD, "apiUrl": cloud.url, "streamUrl": cloud.stream_url, **config}
    return {
        "id": identifier,
        "backend": "easee",
        "name": f"Compte {identifier}",
        "config": settings,
        "commands": {"state": {}},
        "equipment": [
            {
                "id": f"{identifier}{number}",
                "type": "charger",
                "key": serial,
                "name": serial,
                "config": {},
                "commands": COMMANDS,
            }
            for number, serial in enumerate(serials)
        ],
    }


class Rig:
    """The daemon's core in this process, without its socket."""

    def __init__(self, folder: Path, clock: FastClock) -> None:
        self.clock = clock
        self.server = CallbackServer()
        self.server.listen()
        self.outbox = Outbox(SystemClock())
        self.masker = Masker()
        self.store = Store(folder / "store.sqlite")
        self.quiet_period: Callable[[], float] = lambda: 0.0
        self.shared = Services(
            self.clock,
            self.outbox,
            self.store,
            self.masker,
            Texts(ROOT / "core" / "i18n"),
            Board(self.clock),
            lambda: self.quiet_period(),
        )
        self.supervisor = Supervisor(Contract(ROOT / "core" / "contract"), self.shared)
        self.callback = Callback(self.outbox, self.server.url, "key", "jeenergie", SystemClock(), cycle=0.01)
        self.callback.start()
        self._revision = 0

    def configure(self, *connections: dict[str, Any]) -> None:
        """Sends the desired state."""
        self._revision += 1
        self.supervisor.configure(self._revision, list(connections))

    def runner(self, identifier: str = "1") -> Runner:
        return self.supervisor.running(identifier)

    def device(self, identifier: str = "1") -> Any:
        return self.runner(identifier).device

    def value(self, equipment: str, command: str) -> Any:
        return self.server.value(equipment, command)

    def wait(self, probe: Callable[[], Any], timeout: float = 5.0) -> Any:
        return until(probe, timeout)

    def wait_value(self, equipment: str, command: str, value: Any, timeout: float = 5.0) -> None:
        self.server.wait_for(lambda: self.server.value(equipment, command) == value, timeout)

    def act(self, equipment: str, command: str, **options: Any) -> None:
        """Carries out an action as the socket does."""
        runner, found = self.supervisor.owner(equipment)
        runner.device.act(found, command, options)

    def refused(self, equipment: str, command: str, **options: Any) -> DeviceError:
        """The error of an action that must fail."""
        with pytest.raises(DeviceError) as caught:
            self.act(equipment, command, **options)
        return caught.value

    def states(self) -> list[str]:
        """What Jeedom was told of the connection."""
        return [event["state"] for event in self.server.of("connection") if "equipment" not in event]

    def stop(self) -> None:
        self.supervisor.stop(2.0)
        self.callback.stop(1.0)
        self.store.close()
        self.server.release.set()
        self.server.leave()


@pytest.fixture
def clock() -> FastClock:
    """The time of the service and of the accounts."""
    return FastClock()


@pytest.fixture
def cloud(clock: FastClock) -> Iterator[EaseeCloud]:
    account = Account(USER, PASSWORD, (FIRST, SECOND))
    with EaseeCloud([account], clock=clock.time, wall=clock.time, life=False) as running:
        running.hub.ping_interval = 0.1  # also when time passes faster than it does
        for charger in running.chargers.values():
            charger.command_delay = 0.02
        yield running


@pytest.fixture
def make_rig(tmp_path: Path, clock: FastClock) -> Iterator[Callable[..., Rig]]:
    """Makes rigs, all on the same store."""
    made: list[Rig] = []

    def make(speed: float = 1.0) -> Rig:
        clock.run_at(speed)
        made.append(Rig(tmp_path, clock))
        return made[-1]

    yield make
    for rig in made:
        rig.stop()


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    return make_rig()


@pytest.fixture
def hand() -> ManualClock:
    """A time that a test moves."""
    return ManualClock(1_790_000_000.0)


@pytest.fixture
def service(hand: ManualClock) -> Iterator[EaseeCloud]:
    """The cloud on that time, with a stream that cannot be opened."""
    account = Account(USER, PASSWORD, (FIRST, SECOND))
    with EaseeCloud([account], clock=hand.time, wall=hand.time, life=False) as running:
        running.fault("status", "/negotiate", 503)
        yield running


@pytest.fixture
def make_crank(hand: ManualClock, service: EaseeCloud) -> Callable[..., Crank]:
    """Makes accounts whose time is moved by hand."""

    def make(*serials: str, user: str = USER, password: str = PASSWORD, **more: Any) -> Crank:
        config = {"user": user, "password": password, "apiUrl": service.url, "streamUrl": service.stream_url}
        return Crank(hand, config, serials or (FIRST,), **more)

    return make
