"""Renews tokens without end until it is killed: `python -m tests.econetatmo.renewer STORE URL ID SECRET TOKEN`.

Prints `kept` after each renewal, `lost` when the service refuses the newest token that the store has.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from jeenergied.connections.runner import Runner
from jeenergied.connections.services import Services
from jeenergied.devices import device_class
from jeenergied.devices.base import AuthenticationFailed, Connection
from jeenergied.devices.econetatmo.budget import Budget
from jeenergied.devices.econetatmo.client import Service
from jeenergied.devices.econetatmo.tokens import TokenKeeper
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge import Contract, Masker, Outbox, Store
from jeedom_bridge.clock import ManualClock

CORE = Path(__file__).resolve().parents[2] / "core"


def runner(
    store: Path, url: str, identity: str, secret: str, token: str, clock: ManualClock, name: str = "1"
) -> Runner:
    """A connection that was not started: the context of a keeper."""
    config = {"clientId": identity, "clientSecret": secret, "refreshToken": token, "apiUrl": url}
    shared = Services(clock, Outbox(clock), Store(store), Masker(), Texts(CORE / "i18n"), Board(clock))
    catalogue = Contract(CORE / "contract").catalogues["econetatmo"]
    connection = Connection(name, "econetatmo", "Netatmo", catalogue.settings(config))
    device = device_class("econetatmo")
    assert device is not None
    return Runner(connection, device, catalogue, shared)


def keeper(runner: Runner) -> TokenKeeper:
    """A keeper as the device makes it."""
    config = runner.connection.config
    return TokenKeeper(config, runner.context, Service(str(config["apiUrl"])), Budget(runner.context))


def main(store: str, url: str, identity: str, secret: str, token: str) -> None:
    """Renews as fast as it can: the clock jumps past the end of each access token."""
    clock = ManualClock(2e9 + time.monotonic() * 1e5)  # every life begins after the end of the stored access token
    tokens = keeper(runner(Path(store), url, identity, secret, token, clock))
    while True:
        try:
            tokens.current()
        except AuthenticationFailed:
            print("lost", flush=True)
            return
        print("kept", flush=True)
        time.sleep(random.random() * 0.008)  # as long as a renewal: kills come before, within and after one
        clock.advance(20_000)


if __name__ == "__main__":
    main(*sys.argv[1:])
