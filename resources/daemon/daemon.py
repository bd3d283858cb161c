"""Puts the parts together: from the command line to an orderly end."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jeedom_bridge import (
    AlreadyRunning,
    Callback,
    Clock,
    Contract,
    Listener,
    Logs,
    Masker,
    Options,
    Outbox,
    PidFile,
    Store,
    StoreError,
    SystemClock,
    UsageError,
)
from jeedom_bridge.addresses import Addresses, Proof
from jeedom_bridge.logs import LEVELS, LogFile
from jeedom_bridge.options import KEY_VARIABLE
from jeedom_bridge.process import FolderLock, on_stop_signals

from . import __version__
from .actions import Actions
from .api.commands import Commands
from .api.reach import Reach
from .connections.loads import proofs
from .connections.services import Services
from .connections.supervisor import Supervisor
from .readings import Board
from .texts import Texts

_LOG = logging.getLogger(__name__)

CORE = Path(__file__).resolve().parents[2] / "core"
OWN = ("jeenergied", "jeedom_bridge", "__main__")
STOPPED, FAILED, UNUSABLE, TAKEN = 0, 1, 2, 3
PROTECT = 60.0
"""Seconds between two looks at whether others could read what is stored."""
COPY_S = 900.0
"""Seconds between two copies of the store; Jeedom's own backup asks for one besides."""


class Daemon:
    """One running daemon; `run` returns when it was asked to stop."""

    def __init__(
        self, options: Options, logs: Logs, clock: Clock | None = None, home: FolderLock | None = None
    ) -> None:
        """Raises OSError when the data directory is unusable, ContractError for an incomplete installation."""
        self._options = options
        self._logs = logs
        self._home = home
        self._clock = clock or SystemClock()
        self._stop = threading.Event()
        logs.masker.register(options.apikey)
        outbox = Outbox(self._clock)
        store = Store(options.datadir / "store.sqlite")
        contract = Contract(CORE / "contract")
        addresses = Addresses(options.callback, self._clock, options.alternatives, _proof(options))
        self._callback = Callback(
            outbox, addresses, options.apikey, options.plugin, self._clock, options.cycle, self._acknowledged
        )
        texts, board = Texts(CORE / "i18n"), Board(self._clock)
        self.services = Services(self._clock, outbox, store, logs.masker, texts, board, self._callback.lull)
        self._supervisor = Supervisor(contract, self.services)
        self._commands = Commands(
            contract,
            self.services,
            self._supervisor,
            Actions(self._supervisor.owner, texts, self.services.outgoing),
            logs,
            self._callback.nudge,
            lambda: self.stop("shutdown"),
            Reach(self._callback, texts, logs.masker),
        )
        self._listener = Listener(options.sockethost, options.socketport, options.apikey, self._commands.handle)

    def bind(self) -> None:
        """Takes the port. Raises OSError."""
        self._listener.bind()

    @property
    def port(self) -> int:
        """The port in use."""
        return self._listener.port

    def stop(self, reason: str) -> None:
        """Asks for the end; returns at once."""
        if not self._stop.is_set():
            _LOG.info("stopping (%s)", reason)
            self._stop.set()

    def run(self) -> None:
        """Works until `stop`, then ends in order, within about five seconds."""
        outbox = self.services.outbox
        _LOG.info("version %s, listening on %s:%s", __version__, self._options.sockethost, self.port)
        self._tidy(at_start=True)
        outbox.event({"event": "daemon", "state": "started", "version": __version__})
        self._callback.start()
        self._listener.start()
        copied = self._clock.monotonic()
        while not self._stop.wait(PROTECT):
            if self._home is None or self._home.is_there():
                self.services.store.protect()
                self._tidy()
                if self._clock.monotonic() - copied >= COPY_S:
                    copied = self._clock.monotonic()
                    self._copy_store()
            else:
                self.stop("its data folder is gone")
        self._listener.stop()
        self._supervisor.stop(1.0)
        outbox.event({"event": "daemon", "state": "stopping", "version": __version__})
        outbox.close()
        self._callback.stop(2.0)
        self.services.store.close()
        _LOG.info("stopped")

    def _copy_store(self) -> None:
        try:
            self.services.store.back_up()
        except StoreError as error:
            _LOG.debug("%s", error)  # a disk that is full is reported by those who must keep something

    def _tidy(self, at_start: bool = False) -> None:
        try:
            self._supervisor.tidy(at_start)
        except StoreError as error:
            _LOG.debug("%s", error)  # the next successful write erases it

    def _acknowledged(self, answer: Mapping[str, Any]) -> None:
        for equipment, name, number in proofs(answer):
            self._supervisor.ran(equipment, name, number)
        level = answer.get("log")
        if isinstance(level, str) and level in LEVELS and level != self._logs.level:
            self._logs.set(level)
            _LOG.info("log level: %s", level)


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Runs the daemon; returns its exit code."""
    try:
        return _run(arguments, environment)
    finally:
        # Python ends with a code of its own when a full disk leaves something unwritten.
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(arguments: list[str], environment: Mapping[str, str]) -> int:
    masker = Masker()
    logs = Logs(masker, OWN)
    logs.set("info")
    given = [after for before, after in zip(arguments, arguments[1:]) if before == "--apikey"]
    masker.register(environment.get(KEY_VARIABLE), *given, *(each[9:] for each in arguments if each[:9] == "--apikey="))
    try:
        options = Options.parse(arguments, environment, "jeenergie")
        masker.register(options.apikey)
        logs.set(options.loglevel, options.extendeddebug, options.unsecurelog)
        pid = PidFile(options.pid)
        if options.logfile is not None:
            logs.write_to(_log_file(options.logfile))
        _usable(options.datadir)
        _usable(options.pid.parent)
    except UsageError as error:
        return _fail(UNUSABLE, masker.mask(str(error)))
    except OSError as error:
        return _fail(UNUSABLE, f"a directory cannot be written: {error}")
    home = FolderLock(options.datadir)
    try:
        home.acquire()
        pid.acquire()
    except AlreadyRunning as error:
        return _fail(TAKEN, str(error))
    except OSError as error:
        return _fail(UNUSABLE, f"the pid file cannot be written: {error}")
    try:
        return _serve(options, logs, home)
    finally:
        pid.release()
        home.release()


def _serve(options: Options, logs: Logs, home: FolderLock) -> int:
    try:
        daemon = Daemon(options, logs, home=home)
        try:
            daemon.bind()
        except OSError as error:
            return _fail(TAKEN, f"port {options.socketport} cannot be used, is it taken? {error.strerror}")
        on_stop_signals(daemon.stop)
        daemon.run()
        return STOPPED
    except Exception as error:
        _LOG.exception("the daemon failed")
        return _fail(FAILED, f"{type(error).__name__}: {error}")


def _log_file(path: Path) -> LogFile:
    try:
        return LogFile(path)
    except OSError as error:
        raise UsageError(f"the log cannot be written: {error}") from error


def _proof(options: Options) -> Proof | None:
    """What shows another address to be this Jeedom's; a full disk only takes that away."""
    try:
        return Proof(options.datadir / "proof.key", options.plugin)
    except OSError as error:
        _LOG.error("other addresses of Jeedom cannot be tried: %s", error)
        return None


def _usable(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    probe = directory / ".writable"
    probe.touch()
    probe.unlink()


def _fail(code: int, text: str) -> int:
    """One line in the log and the same on standard error, where PHP reads why the start failed."""
    _LOG.critical("%s", text)
    print(" ".join(text.split()), file=sys.stderr)
    return code
