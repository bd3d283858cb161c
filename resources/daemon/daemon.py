"""Puts the parts together; the only module that knows them all."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jeedom_bridge import App, Clock, Contract, Logs, Options, Store, StoreError, SystemClock
from jeedom_bridge.process import FolderLock

from . import __version__
from .actions import Actions
from .api.commands import Commands
from .api.reach import Reach
from .connections.loads import proofs
from .connections.services import Services
from .connections.supervisor import Supervisor
from .devices.base import Neighbour
from .house_hub import HouseHub
from .readings import Board
from .texts import Texts

if TYPE_CHECKING:
    from .nearby.finder import Finder

_LOG = logging.getLogger(__name__)

CORE = Path(__file__).resolve().parents[2] / "core"
OWN = ("jeenergied", "jeedom_bridge", "__main__")
STOP_CONNECTIONS_S = 1.0
"""How long all connections together may take to end."""
LEAD_S = 0.05
"""For which a first value waits where a house runs: its figures go along, one request to Jeedom in place of two."""
COPY_S = 900.0
"""Seconds between two copies of the store; Jeedom's own backup asks for one besides."""


class Daemon(App):
    """The daemon of the plugin: connections behind Jeedom's socket and callback."""

    plugin = "jeenergie"
    own_loggers = OWN

    def __init__(
        self, options: Options, logs: Logs, clock: Clock | None = None, home: FolderLock | None = None
    ) -> None:
        """Raises OSError if the data directory is unusable, ContractError if the installation is incomplete."""
        super().__init__(options, logs, clock or SystemClock(), home)
        store = Store(options.datadir / "store.sqlite")
        contract = Contract(CORE / "contract")
        texts, board = Texts(CORE / "i18n"), Board(self.clock)

        @cache
        def finder() -> Finder:
            # With all catalogues, processes and threads: only where somebody searches.
            from .nearby.finder import Finder

            return Finder.of(contract.catalogues)

        def nearby(backend: str) -> list[Neighbour]:
            return [Neighbour(each.address, each.serial) for each in finder().search(backend) if each.serial]

        self.services = Services(
            self.clock, self.outbox, store, logs.masker, texts, board, self.callback.quiet_period, nearby
        )
        house = HouseHub(board, options.datadir, CORE / "contract")
        self._supervisor = Supervisor(contract, self.services, house.device_class)
        house.name_of, house.factor_of = self._supervisor.name_of, self._supervisor.factor_of
        self.callback.lead = lambda: 0.0 if house.running is None else LEAD_S
        house.actions = Actions(self._supervisor.owner, texts, self.services.outgoing)
        self._commands = Commands(
            contract,
            self.services,
            self._supervisor,
            house.actions,
            logs,
            self.callback.nudge,
            lambda: self.stop("shutdown"),
            Reach(self.callback, texts, logs.masker),
            house,
            finder,
        )
        self._copied = self.clock.monotonic()

    def on_start(self) -> None:
        """Tells Jeedom to send what should run."""
        _LOG.info("version %s, listening on %s:%s", __version__, self.options.sockethost, self.port)
        self._tidy(at_start=True)
        self.outbox.event({"event": "daemon", "state": "started", "version": __version__})

    def on_message(self, command: str, message: Mapping[str, Any]) -> dict[str, Any]:
        """Carries out a message of the socket."""
        return self._commands.handle(command, message)

    def on_acknowledged(self, answer: Mapping[str, Any]) -> None:
        """Hands on which commands of levels Jeedom has run."""
        for equipment, name, number in proofs(answer):
            self._supervisor.ran(equipment, name, number)
        super().on_acknowledged(answer)

    def on_stop(self) -> None:
        """Ends all connections."""
        self._supervisor.stop(STOP_CONNECTIONS_S)
        self.outbox.event({"event": "daemon", "state": "stopping", "version": __version__})

    def run(self) -> None:
        """As `App.run`; the store is closed last, when nothing writes any more."""
        super().run()
        self.services.store.close()
        _LOG.info("stopped")

    def watch(self) -> None:
        """Keeps the store private, tidy and copied."""
        super().watch()
        if self._stop.is_set():
            return
        self.services.store.protect()
        self._tidy()
        if self.clock.monotonic() - self._copied >= COPY_S:
            self._copied = self.clock.monotonic()
            try:
                self.services.store.back_up()
            except StoreError as error:
                _LOG.debug("%s", error)  # a disk that is full is reported by those who must keep something

    def _tidy(self, at_start: bool = False) -> None:
        try:
            self._supervisor.tidy(at_start)
        except StoreError as error:
            _LOG.debug("%s", error)  # the next successful write erases it


main = Daemon.main
