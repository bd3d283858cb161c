"""Accounts run in this process against the simulated cloud, in a time that passes when nothing else is to be done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

import pytest
from jeenergied.connections.runner import Runner
from jeenergied.connections.services import Services
from jeenergied.connections.supervisor import Supervisor
from jeenergied.devices.base import DeviceError
from jeenergied.devices.easee.streaming.stream import Stream
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge.callback import Callback
from jeedom_bridge.clock import ManualClock, SystemClock
from jeedom_bridge.contract import Catalogue
from jeedom_bridge.logs import Masker
from jeedom_bridge.outbox import Outbox
from jeedom_bridge.store import Store
from simulators.easee import Account, EaseeCloud
from simulators.server import HOST
from tests.easee.crank import Crank
from tests.easee.standing import StandingClock, Timekeeper, counted
from tests.support.callback_server import CallbackServer
from tests.support.contract import CONTRACT
from tests.support.in_process import at_address, in_process

ROOT = Path(__file__).resolve().parents[2]
USER, PASSWORD = "user@example.org", "correct horse battery"
FIRST, SECOND = "EH000001", "EH000002"


def catalogue() -> Catalogue:
    """The catalogue as shipped."""
    return CONTRACT.catalogues["easee"]


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

    def __init__(self, folder: Path, clock: StandingClock, cloud: EaseeCloud) -> None:
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
        self.supervisor = Supervisor(CONTRACT, self.shared)
        self.callback = Callback(self.outbox, self.server.url, "key", "jeenergie", SystemClock(), cycle=0.01)
        self.callback.start()
        self.time = Timekeeper(clock, cloud, self.outbox, self.callback, self.supervisor._runners.values)
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

    def wait(self, probe: Callable[[], Any], most: float = 60.0) -> Any:
        """What `probe` returns once that is true: within `most` seconds of the accounts' time."""
        return self.time.until(probe, most)

    def wait_value(self, equipment: str, command: str, value: Any, most: float = 60.0) -> None:
        """Waits until Jeedom has that value."""
        self.wait(lambda: self.server.value(equipment, command) == value, most)

    def begin(self, task: Callable[[], Any], follows: bool = False) -> Future[Any]:
        """Does something in a thread of its own that waits for time to pass, or (`follows`) for another thread."""
        future: Future[Any] = Future()

        def run() -> None:
            try:
                future.set_result(task())
            except BaseException as error:
                future.set_exception(error)

        thread = threading.Thread(target=run, daemon=True)
        if not follows:
            self.time.helpers.append(thread)
        thread.start()
        return future

    def click(self, equipment: str, command: str, follows: bool = False, **options: Any) -> Future[Any]:
        """An action as the socket carries it out; see `begin`."""
        runner, found = self.supervisor.owner(equipment)
        return self.begin(lambda: runner.device.act(found, command, options), follows)

    def act(self, equipment: str, command: str, **options: Any) -> None:
        """Carries out an action and waits for its end."""
        asked = self.click(equipment, command, **options)
        self.wait(asked.done)
        asked.result()

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
def clock() -> StandingClock:
    """The time of the service and of the accounts."""
    return StandingClock()


def simulated(**more: Any) -> EaseeCloud:
    """A cloud with one account and two chargers that are quick."""
    cloud = EaseeCloud([Account(USER, PASSWORD, (FIRST, SECOND))], life=False, **more)
    for charger in cloud.chargers.values():
        charger.command_delay = 0.02
    return cloud


@pytest.fixture
def cloud(clock: StandingClock) -> Iterator[EaseeCloud]:
    """The service in the time of the accounts."""
    with simulated(clock=clock.time, wall=clock.stamped, alone=False) as running:
        yield running


@pytest.fixture
def real_cloud() -> Iterator[EaseeCloud]:
    """The service in real time, for daemons that are processes."""
    with simulated() as running:
        running.hub.ping_interval = 0.1
        yield running


@pytest.fixture
def make_rig(
    tmp_path: Path, clock: StandingClock, cloud: EaseeCloud, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Rig]]:
    """Makes rigs, all on the same store."""
    monkeypatch.setattr(Stream, "take", counted(Stream.take))
    made: list[Rig] = []

    def make() -> Rig:
        made.append(Rig(tmp_path, clock, cloud))
        return made[-1]

    yield make
    for rig in made:
        rig.stop()


@pytest.fixture
def rig(make_rig: Callable[[], Rig]) -> Rig:
    return make_rig()


@pytest.fixture
def hand() -> ManualClock:
    """A time that a test moves."""
    return ManualClock(1_790_000_000.0)


@contextmanager
def in_memory(cloud: EaseeCloud) -> Iterator[None]:
    """Requests to this cloud, those for a stream included, need no sockets."""
    hub = cloud.hub
    with (
        in_process(cloud.server),
        at_address(HOST, hub.port, lambda _: lambda peer: hub.request(peer, peer.makefile())),
    ):
        yield


@pytest.fixture
def service(hand: ManualClock) -> Iterator[EaseeCloud]:
    """The cloud on that time, with a stream that cannot be opened."""
    account = Account(USER, PASSWORD, (FIRST, SECOND))
    with EaseeCloud([account], clock=hand.time, wall=hand.time, life=False) as running:
        running.fault("status", "/negotiate", 503)
        with in_memory(running):
            yield running


@pytest.fixture
def make_crank(hand: ManualClock, service: EaseeCloud) -> Callable[..., Crank]:
    """Makes accounts whose time is moved by hand."""

    def make(*serials: str, user: str = USER, password: str = PASSWORD, **more: Any) -> Crank:
        config = {"user": user, "password": password, "apiUrl": service.url, "streamUrl": service.stream_url}
        return Crank(hand, config, serials or (FIRST,), **more)

    return make
